// Elementwise operations on one value or on eight lanes. The meaning of each is the kernel of its
// row (ops/rows/), bit for bit.
#include "base/check.h"
#include "codegen/emitter.h"
#include "ir/run_notes.h"
#include "ops/table.h"

namespace dini::codegen {

using ir::Op;
using ir::OpCode;

llvm::Value* FunctionEmitter::intrinsic(llvm::Intrinsic::ID id, llvm::Value* x) {
  return b_.CreateUnaryIntrinsic(id, x);
}

llvm::Value* FunctionEmitter::elementwise(const Op& op, llvm::ArrayRef<llvm::Value*> given) {
  Values operands(given.begin(), given.end());
  bool lanes = false;
  for (llvm::Value* operand : operands) lanes = lanes || isLanes(operand);
  if (lanes)
    for (llvm::Value*& operand : operands) operand = splat(operand);
  llvm::Value* a = operands[0];
  llvm::Value* b = operands.size() > 1 ? operands[1] : nullptr;
  const auto real = [&](double value) { return llvm::ConstantFP::get(a->getType(), value); };
  switch (op.code) {
    case OpCode::Add:
      return b_.CreateFAdd(a, b);
    case OpCode::Sub:
      return b_.CreateFSub(a, b);
    case OpCode::Mul:
      return b_.CreateFMul(a, b);
    case OpCode::Div:
      return b_.CreateFDiv(a, b);
    case OpCode::Neg:
      return b_.CreateFNeg(a);
    case OpCode::PowI:
      return power(a, op.attrs.i);
    case OpCode::Sqrt:
      return intrinsic(llvm::Intrinsic::sqrt, a);
    case OpCode::Floor:
      return intrinsic(llvm::Intrinsic::floor, a);
    case OpCode::Ceil:
      return intrinsic(llvm::Intrinsic::ceil, a);
    case OpCode::Round:
      return intrinsic(llvm::Intrinsic::roundeven, a);
    case OpCode::Lgamma:
      return perLane("dini_lgamma", {a}, {});
    case OpCode::Polygamma:
      return perLane("dini_polygamma", {a},
                     {llvm::ConstantInt::get(m_.i32, static_cast<uint64_t>(op.attrs.i), true)});
    case OpCode::Sigmoid:
    case OpCode::Softplus:
      return sigmoidLike(op, a);
    case OpCode::Sign:
      return b_.CreateSelect(b_.CreateFCmpOGT(a, real(0)), real(1),
                             b_.CreateSelect(b_.CreateFCmpOLT(a, real(0)), real(-1), a));
    case OpCode::Choose:
    case OpCode::ChooseTie:
    case OpCode::Pick:
    case OpCode::PickTie:
      return chooseValue(op, operands);
    case OpCode::TieSide:
      return tieSide(a, b);
    case OpCode::NoteTie:
      noteTie(a);
      return b;
    case OpCode::ReportTie:
      reportTie(op, operands);
      return operands[2];
    case OpCode::Select:
      return b_.CreateSelect(a, b, operands[2]);
    case OpCode::Stop:
      return a;
    case OpCode::SafeDiv:
      return b_.CreateSelect(b_.CreateFCmpOEQ(b, real(0)), real(0), b_.CreateFDiv(a, b));
    case OpCode::SafeMul:
      return b_.CreateSelect(b_.CreateFCmpOEQ(b, real(0)), real(0), b_.CreateFMul(a, b));
    default:
      break;
  }
  const auto& facts = ops::facts(op.code);
  const std::string vector = facts.vector.value;
  return vector.empty() ? discrete(op, operands) : mathCall(vector, operands);
}

llvm::Value* FunctionEmitter::discrete(const Op& op, llvm::ArrayRef<llvm::Value*> operands) {
  llvm::Value* a = operands[0];
  llvm::Value* b = operands.size() > 1 ? operands[1] : nullptr;
  const auto as = [&](llvm::Type* type) { return isLanes(a) ? lanesOf(type) : type; };
  switch (op.code) {
    case OpCode::IAdd:
      return b_.CreateAdd(a, b);
    case OpCode::ISub:
      return b_.CreateSub(a, b);
    case OpCode::IMul:
      return b_.CreateMul(a, b);
    case OpCode::IDiv:
    case OpCode::IMod:
      return integerDivision(op, a, b);
    case OpCode::IMin:
      return b_.CreateSelect(b_.CreateICmpSLT(b, a), b, a);
    case OpCode::IMax:
      return b_.CreateSelect(b_.CreateICmpSLT(a, b), b, a);
    case OpCode::FLt:
      return b_.CreateFCmpOLT(a, b);
    case OpCode::FLe:
      return b_.CreateFCmpOLE(a, b);
    case OpCode::FEq:
      return b_.CreateFCmpOEQ(a, b);
    case OpCode::FNe:
      return b_.CreateFCmpUNE(a, b);
    case OpCode::ILt:
      return b_.CreateICmpSLT(a, b);
    case OpCode::ILe:
      return b_.CreateICmpSLE(a, b);
    case OpCode::IEq:
      return b_.CreateICmpEQ(a, b);
    case OpCode::INe:
      return b_.CreateICmpNE(a, b);
    case OpCode::And:
      return b_.CreateAnd(a, b);
    case OpCode::Or:
      return b_.CreateOr(a, b);
    case OpCode::Not:
      return b_.CreateNot(a);
    case OpCode::IsFinite:
      return b_.CreateFCmpOLT(intrinsic(llvm::Intrinsic::fabs, a),
                              llvm::ConstantFP::getInfinity(a->getType()));
    case OpCode::IsNan:
      return b_.CreateFCmpUNO(a, a);
    case OpCode::IntToReal:
      return b_.CreateSIToFP(a, as(m_.f64));
    case OpCode::RealToInt:
      return b_.CreateIntrinsic(llvm::Intrinsic::fptosi_sat, {as(m_.i64), a->getType()}, {a});
    case OpCode::BoolToReal:
      return b_.CreateUIToFP(a, as(m_.f64));
    case OpCode::BoolToInt:
      return b_.CreateZExt(a, as(m_.i64));
    case OpCode::Hash:
      return hashValue(a, b);
    case OpCode::BitsToUnit: {
      llvm::Type* type = a->getType();
      llvm::Value* top = b_.CreateOr(b_.CreateLShr(a, llvm::ConstantInt::get(type, 11)),
                                     llvm::ConstantInt::get(type, 1));
      return b_.CreateFMul(b_.CreateSIToFP(top, as(m_.f64)),
                           llvm::ConstantFP::get(as(m_.f64), 0x1p-53));
    }
    default:
      check(false, std::string("no code for ") + ir::shape(op.code).mnemonic);
  }
  return nullptr;
}

// Floor division and its remainder; a divisor of 0 gives 0, of -1 cannot overflow.
llvm::Value* FunctionEmitter::integerDivision(const Op& op, llvm::Value* a, llvm::Value* b) {
  llvm::Type* type = a->getType();
  llvm::Value* zero = llvm::ConstantInt::get(type, 0);
  llvm::Value* one = llvm::ConstantInt::get(type, 1);
  llvm::Value* by_zero = b_.CreateICmpEQ(b, zero);
  llvm::Value* by_minus_one = b_.CreateICmpEQ(b, llvm::ConstantInt::getAllOnesValue(type));
  llvm::Value* divisor = b_.CreateSelect(b_.CreateOr(by_zero, by_minus_one), one, b);
  llvm::Value* quotient = b_.CreateSDiv(a, divisor);
  llvm::Value* rest = b_.CreateSub(a, b_.CreateMul(quotient, divisor));
  llvm::Value* inexact = b_.CreateICmpNE(rest, zero);
  llvm::Value* unlike = b_.CreateICmpNE(b_.CreateICmpSLT(a, zero), b_.CreateICmpSLT(b, zero));
  llvm::Value* adjust = b_.CreateAnd(inexact, unlike);
  if (op.code == OpCode::IDiv) {
    llvm::Value* floored = b_.CreateSelect(adjust, b_.CreateSub(quotient, one), quotient);
    return b_.CreateSelect(by_zero, zero,
                           b_.CreateSelect(by_minus_one, b_.CreateSub(zero, a), floored));
  }
  llvm::Value* remainder = b_.CreateSelect(adjust, b_.CreateAdd(rest, b), rest);
  return b_.CreateSelect(b_.CreateOr(by_zero, by_minus_one), zero, remainder);
}

llvm::Value* FunctionEmitter::chooseValue(const Op& op, llvm::ArrayRef<llvm::Value*> operands) {
  llvm::Value *p = operands[0], *q = operands[1], *a = operands[2], *b = operands[3];
  llvm::Value* nan = llvm::ConstantFP::getNaN(a->getType());
  llvm::Value* tie = a;
  llvm::Value* unordered = nan;
  if (op.code == OpCode::Pick) {
    const double t = op.attrs.f;
    if (t == 0) {
      tie = b;
    } else if (t != 1) {
      tie = b_.CreateFAdd(b_.CreateFMul(llvm::ConstantFP::get(a->getType(), t), a),
                          b_.CreateFMul(llvm::ConstantFP::get(a->getType(), 1 - t), b));
    }
    if (op.attrs.i != 0) unordered = b;
    if (op.attrs.str == ir::kNote)
      noteTie(b_.CreateAnd(b_.CreateFCmpOEQ(p, q), b_.CreateFCmpUNE(a, b)));
  } else if (op.code == OpCode::PickTie) {
    llvm::Value* t = operands[4];
    llvm::Value* zero = llvm::ConstantFP::get(a->getType(), 0);
    llvm::Value* one = llvm::ConstantFP::get(a->getType(), 1);
    tie = b_.CreateFAdd(b_.CreateFMul(t, a), b_.CreateFMul(b_.CreateFSub(one, t), b));
    tie = b_.CreateSelect(b_.CreateFCmpUEQ(t, zero), b, tie);  // NaN: undecided
    tie = b_.CreateSelect(b_.CreateFCmpOEQ(t, one), a, tie);
    if (op.attrs.i != 0) unordered = b;
  }
  // Of the three orders and none, two have the same value more often than not. A NaN is compared
  // with a number only where it is the value chosen.
  const auto* constant = llvm::dyn_cast<llvm::Constant>(q);
  const bool against_number = constant != nullptr && !constant->isNaN();
  if (tie == a) {
    if (against_number && a == p && unordered == nan)
      return b_.CreateSelect(b_.CreateFCmpOLT(p, q), b, a);
    llvm::Value* rest = unordered == b ? b : b_.CreateSelect(b_.CreateFCmpOLT(p, q), b, unordered);
    return b_.CreateSelect(b_.CreateFCmpOGE(p, q), a, rest);
  }
  llvm::Value* rest =
      tie == b && unordered == b
          ? b
          : b_.CreateSelect(b_.CreateFCmpOLT(p, q), b,
                            b_.CreateSelect(b_.CreateFCmpOEQ(p, q), tie, unordered));
  return b_.CreateSelect(b_.CreateFCmpOGT(p, q), a, rest);
}

// dini_sigmoid and dini_softplus, from e = exp(-|x|).
llvm::Value* FunctionEmitter::sigmoidLike(const Op& op, llvm::Value* x) {
  llvm::Value* e = mathCall("exp", {b_.CreateFNeg(intrinsic(llvm::Intrinsic::fabs, x))});
  llvm::Value* zero = llvm::ConstantFP::get(x->getType(), 0.0);
  if (op.code == OpCode::Softplus)
    return b_.CreateFAdd(b_.CreateSelect(b_.CreateFCmpOGT(x, zero), x, zero),
                         mathCall("log1p", {e}));
  llvm::Value* one = llvm::ConstantFP::get(x->getType(), 1.0);
  llvm::Value* numerator = b_.CreateSelect(b_.CreateFCmpOGE(x, zero), one, e);
  return b_.CreateFDiv(numerator, b_.CreateFAdd(one, e));
}

llvm::Value* FunctionEmitter::power(llvm::Value* base, int64_t exponent) {
  llvm::Value* one = llvm::ConstantFP::get(base->getType(), 1.0);
  uint64_t left =
      exponent < 0 ? 0 - static_cast<uint64_t>(exponent) : static_cast<uint64_t>(exponent);
  llvm::Value* result = nullptr;
  while (left != 0) {
    if (left & 1) result = result == nullptr ? base : b_.CreateFMul(result, base);
    left >>= 1;
    if (left != 0) base = b_.CreateFMul(base, base);
  }
  if (result == nullptr) return one;
  return exponent < 0 ? b_.CreateFDiv(one, result) : result;
}

llvm::Value* FunctionEmitter::hashValue(llvm::Value* key, llvm::Value* counter) {
  llvm::Type* type = key->getType();
  const auto constant = [&](uint64_t bits) { return llvm::ConstantInt::get(type, bits); };
  const auto mix = [&](llvm::Value* z) {
    z = b_.CreateMul(b_.CreateXor(z, b_.CreateLShr(z, constant(30))),
                     constant(0xbf58476d1ce4e5b9u));
    z = b_.CreateMul(b_.CreateXor(z, b_.CreateLShr(z, constant(27))),
                     constant(0x94d049bb133111ebu));
    return b_.CreateXor(z, b_.CreateLShr(z, constant(31)));
  };
  const uint64_t golden = 0x9e3779b97f4a7c15u;
  llvm::Value* stream = mix(b_.CreateAdd(key, constant(golden)));
  llvm::Value* step = b_.CreateMul(constant(golden), b_.CreateAdd(counter, constant(1)));
  return mix(b_.CreateAdd(stream, step));
}

}  // namespace dini::codegen
