#include "opt/identities.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "ops/signature.h"
#include "ops/table.h"

namespace dini::opt {

using ir::Attrs;
using ir::Builder;
using ir::Elem;
using ir::Op;
using ir::OpCode;
using ir::Type;
using ir::Value;

namespace {

bool isOp(const Value* value, OpCode code) { return value->def != nullptr && value->def->code == code; }

// The scalar that every element of `value` equals, if it is known.
const Value* uniform(const Value* value) {
  while (!value->type.isScalar() && value->def != nullptr &&
         (value->def->code == OpCode::Fill || value->def->code == OpCode::Broadcast ||
          value->def->code == OpCode::Reshape))
    value = value->def->operand(0);
  return value->type.isScalar() ? value : nullptr;
}

bool isReal(const Value* value, double expected) {
  const Value* scalar = uniform(value);
  auto constant = scalar ? ir::constantReal(scalar) : std::nullopt;
  return constant && std::bit_cast<uint64_t>(*constant) == std::bit_cast<uint64_t>(expected);
}

bool isInteger(const Value* value, int64_t expected) {
  auto constant = ir::constantInt(value);
  return constant && *constant == expected && value->type.elem == Elem::I64;
}

// Whether no element can be -0. Then x + 0 = x.
bool neverNegativeZero(const Value* value, int depth = 0) {
  const Value* scalar = uniform(value);
  if (scalar != nullptr)
    if (auto constant = ir::constantReal(scalar))
      return !(*constant == 0 && std::signbit(*constant));
  if (value->def == nullptr || depth > 8) return false;
  const Op& op = *value->def;
  switch (op.code) {
    case OpCode::Exp:
    case OpCode::Cosh:
    case OpCode::Sigmoid:
    case OpCode::Softplus:
    case OpCode::IntToReal:
    case OpCode::BoolToReal:
    case OpCode::Norm: return true;
    case OpCode::Reduce: return op.attrs.str == "sum";  // partial sums start from +0
    case OpCode::Mul: return op.operand(0) == op.operand(1);
    case OpCode::Add:
      return neverNegativeZero(op.operand(0), depth + 1) ||
             neverNegativeZero(op.operand(1), depth + 1);
    case OpCode::Fill:
    case OpCode::Broadcast:
    case OpCode::Reshape:
    case OpCode::Transpose:
    case OpCode::Index:
    case OpCode::Slice:
    case OpCode::Gather:
    case OpCode::Flip: return neverNegativeZero(op.operand(0), depth + 1);
    default: return false;
  }
}

std::vector<Value*> constantSizes(Builder& b, const Type& type) {
  std::vector<Value*> sizes;
  for (int64_t size : type.dims) sizes.push_back(b.integer(size));
  return sizes;
}

// `value` in place of op's result, if it has the result's type (a scalar may have been repeated).
Value* as(const Op& op, Value* value) {
  return value->type == op.result()->type ? value : nullptr;
}

Value* add(Builder& b, const Op& op) {
  for (size_t k = 0; k < 2; ++k) {
    Value* x = op.operand(k);
    Value* other = op.operand(1 - k);
    bool adds_zero = isReal(other, -0.0) ||
                     (isReal(other, 0.0) && (x->linear || neverNegativeZero(x)));
    if (adds_zero && as(op, x)) return x;
    if (isOp(other, OpCode::Neg)) return b.sub(x, other->def->operand(0));
  }
  return nullptr;
}

Value* sub(Builder& b, const Op& op) {
  Value* x = op.operand(0);
  Value* y = op.operand(1);
  if (isReal(y, 0.0) && as(op, x)) return x;
  if (isReal(x, -0.0) && as(op, y)) return b.neg(y);
  if (isOp(y, OpCode::Neg)) return b.add(x, y->def->operand(0));
  return nullptr;
}

Value* mul(Builder& b, const Op& op) {
  Value* x = op.operand(0);
  Value* y = op.operand(1);
  for (size_t k = 0; k < 2; ++k) {
    Value* value = op.operand(k);
    if (!as(op, value)) continue;
    if (isReal(op.operand(1 - k), 1.0)) return value;
    if (isReal(op.operand(1 - k), -1.0)) return b.neg(value);
  }
  if (isOp(x, OpCode::Neg) && isOp(y, OpCode::Neg))
    return b.mul(x->def->operand(0), y->def->operand(0));
  return nullptr;
}

Value* divide(Builder& b, const Op& op) {
  Value* x = op.operand(0);
  if (isReal(op.operand(1), 1.0)) return as(op, x);
  // Division by a power of two is multiplication by its exact reciprocal.
  const Value* scalar = uniform(op.operand(1));
  auto divisor = scalar ? ir::constantReal(scalar) : std::nullopt;
  if (!divisor || !std::isnormal(*divisor) || !std::isnormal(1 / *divisor)) return nullptr;
  int exponent = 0;
  if (std::fabs(std::frexp(*divisor, &exponent)) != 0.5 || !as(op, x)) return nullptr;
  return b.mul(x, b.real(1 / *divisor));
}

// By the order of multiplications that the runtime fixes.
Value* integerPower(Builder& b, const Op& op) {
  Value* x = op.operand(0);
  switch (op.attrs.i) {
    case 1: return x;
    case 2: return b.mul(x, x);
    case 3: return b.mul(x, b.mul(x, x));
    case 4: {
      Value* square = b.mul(x, x);
      return b.mul(square, square);
    }
    case -1: return b.div(b.real(1), x);
    case -2: return b.div(b.real(1), b.mul(x, x));
    default: return nullptr;
  }
}

Value* select(const Op& op) {
  if (op.operand(1) == op.operand(2)) return as(op, op.operand(1));
  if (auto condition = ir::constantInt(op.operand(0)))
    return as(op, op.operand(*condition != 0 ? 1 : 2));
  return nullptr;
}

Value* logical(const Op& op) {
  int64_t neutral = op.code == OpCode::And ? 1 : 0;
  for (size_t k = 0; k < 2; ++k) {
    auto constant = ir::constantInt(op.operand(k));
    if (!constant) continue;
    if (*constant == neutral) return as(op, op.operand(1 - k));
    return as(op, op.operand(k));
  }
  return op.operand(0) == op.operand(1) ? op.operand(0) : nullptr;
}

Value* integerArithmetic(const Op& op) {
  Value* a = op.operand(0);
  Value* b = op.operand(1);
  int64_t neutral = op.code == OpCode::IMul ? 1 : 0;
  if (isInteger(b, neutral)) return as(op, a);
  if (op.code != OpCode::ISub && isInteger(a, neutral)) return as(op, b);
  return nullptr;
}

bool allZero(const Op& op, size_t first, size_t count) {
  for (size_t k = first; k < first + count; ++k)
    if (!isInteger(op.operand(k), 0)) return false;
  return true;
}

Value* index(Builder& b, const Op& op) {
  Value* x = op.operand(0);
  if (op.operands.size() == 1) return x;
  if (op.operands.size() == 2 && isOp(x, OpCode::Iota)) return op.operand(1);
  if (op.result()->type.isScalar() && isOp(x, OpCode::Fill)) return x->def->operand(0);
  auto at = ir::constantInt(op.operand(1));
  if (op.operands.size() == 2 && at && isOp(x, OpCode::Pack) && *at >= 0 &&
      static_cast<size_t>(*at) < x->def->operands.size())
    return as(op, x->def->operand(static_cast<size_t>(*at)));
  if (!isOp(x, OpCode::Index)) return nullptr;
  std::vector<Value*> operands = x->def->operands;
  operands.insert(operands.end(), op.operands.begin() + 1, op.operands.end());
  return b.op(OpCode::Index, std::move(operands));
}

// Moving axes of size 1 leaves the elements where they are.
bool keepsOrder(const Type& type, const std::vector<int64_t>& permutation) {
  int64_t last = -1;
  for (int64_t axis : permutation) {
    if (type.dims[static_cast<size_t>(axis)] == 1) continue;
    if (axis < last) return false;
    last = axis;
  }
  return true;
}

// x with the constant shape of op's result; one element is filled in or read.
Value* reshaped(Builder& b, const Op& op, Value* x) {
  const Type& type = op.result()->type;
  if (x->type == type) return x;
  if (x->type.isScalar()) return b.fill(x, constantSizes(b, type));
  if (type.isScalar()) return b.index(x, std::vector<Value*>(x->type.rank(), b.integer(0)));
  return b.reshape(x, constantSizes(b, type));
}

Value* transposed(Builder& b, const Op& op) {
  Value* x = op.operand(0);
  const auto& permutation = op.attrs.ints;
  if (std::is_sorted(permutation.begin(), permutation.end())) return x;
  if (op.result()->type.isStatic() && keepsOrder(x->type, permutation)) return reshaped(b, op, x);
  if (!isOp(x, OpCode::Transpose)) return nullptr;
  std::vector<int64_t> composed;
  for (int64_t axis : permutation) composed.push_back(x->def->attrs.ints[static_cast<size_t>(axis)]);
  return b.transpose(x->def->operand(0), std::move(composed));
}

// What only moves elements: the identity, or one movement for two.
Value* movement(Builder& b, const Op& op) {
  Value* x = op.operand(0);
  size_t rank = x->type.rank();
  bool is_static = x->type.isStatic() && op.result()->type.isStatic();
  bool same = is_static && x->type == op.result()->type;
  switch (op.code) {
    case OpCode::Reshape:
      if (same) return x;
      if (!is_static) return nullptr;
      if (isOp(x, OpCode::Reshape) && x->def->operand(0)->type.isStatic())
        return reshaped(b, op, x->def->operand(0));
      return x->type.isScalar() || op.result()->type.isScalar() ? reshaped(b, op, x) : nullptr;
    case OpCode::Broadcast:
      if (same) return x;
      return x->type.isScalar() && is_static ? reshaped(b, op, x) : nullptr;
    case OpCode::Slice: return same && allZero(op, 1, rank) ? x : nullptr;
    case OpCode::UpdateSlice: {
      bool whole = is_static && op.operand(1)->type == x->type && allZero(op, 2, rank);
      return whole ? op.operand(1) : nullptr;
    }
    case OpCode::Concat: return op.operands.size() == 1 ? x : nullptr;
    case OpCode::Transpose: return transposed(b, op);
    default: return nullptr;
  }
}

// Of constants: evaluated by the op table, as every engine does.
Value* folded(Builder& b, const Op& op) {
  if (!op.result()->type.isScalar()) return nullptr;
  double reals[4];
  int64_t integers[4];
  uint8_t booleans[4];
  ops::Elements operands[4];
  Elem any = Elem::F64;
  std::string_view signature = ops::signature(op.code);
  for (size_t k = 0; k < op.operands.size(); ++k) {
    const Value* operand = op.operand(k);
    if (signature[k] == 't') any = operand->type.elem;
    if (auto real = ir::constantReal(operand)) {
      reals[k] = *real;
      operands[k] = {&reals[k], true};
    } else if (auto integer = ir::constantInt(operand)) {
      integers[k] = *integer;
      booleans[k] = *integer != 0 ? 1 : 0;
      bool is_boolean = operand->type.elem == Elem::I1;
      operands[k] = {is_boolean ? static_cast<const void*>(&booleans[k]) : &integers[k], true};
    } else {
      return nullptr;
    }
  }
  uint64_t bits = 0;
  ops::evaluator(op.code, any)({op.attrs.i, op.attrs.f}, operands, &bits, 1);
  switch (op.result()->type.elem) {
    case Elem::F64: return b.real(std::bit_cast<double>(bits));
    case Elem::I64: return b.integer(static_cast<int64_t>(bits));
    case Elem::I1: return b.boolean((bits & 1) != 0);
  }
  return nullptr;
}

// Filled operands are scalars that repeat: next to an operand of the full shape they are read as
// such, and without one the operation is done once.
Value* scalarOperands(Builder& b, const Op& op) {
  const Type& type = op.result()->type;
  bool full = false, found = false;
  std::vector<Value*> operands = op.operands;
  for (Value*& operand : operands) {
    if (isOp(operand, OpCode::Fill)) {
      operand = operand->def->operand(0);
      found = true;
    } else if (!operand->type.isScalar()) {
      if (!(operand->type == type.withElem(operand->type.elem))) return nullptr;
      full = true;
    }
  }
  if (!found || !type.isStatic()) return nullptr;
  Value* result = b.op(op.code, std::move(operands), op.attrs);
  return full ? result : b.fill(result, constantSizes(b, type));
}

Value* elementwise(Builder& b, const Op& op) {
  if (Value* constant = folded(b, op)) return constant;
  Value* value = nullptr;
  switch (op.code) {
    case OpCode::Add: value = add(b, op); break;
    case OpCode::Sub: value = sub(b, op); break;
    case OpCode::Mul: value = mul(b, op); break;
    case OpCode::Div: value = divide(b, op); break;
    case OpCode::PowI: value = integerPower(b, op); break;
    case OpCode::Select: value = select(op); break;
    case OpCode::And:
    case OpCode::Or: value = logical(op); break;
    case OpCode::IAdd:
    case OpCode::ISub:
    case OpCode::IMul: value = integerArithmetic(op); break;
    default: break;
  }
  if (value != nullptr) return value;
  unsigned facts = ops::facts(op.code).algebraic;
  if ((facts & ops::kInvolution) != 0 && isOp(op.operand(0), op.code))
    return op.operand(0)->def->operand(0);
  if ((facts & ops::kIdempotent) != 0 && isOp(op.operand(0), op.code) && op.code != OpCode::Stop)
    return op.operand(0);
  return scalarOperands(b, op);
}

}  // namespace

Value* simplified(Builder& b, const Op& op) {
  if (op.operands.empty()) return nullptr;
  if (ir::isElementwise(op.code)) return elementwise(b, op);
  if (op.code == OpCode::Dim) {
    int64_t size = op.operand(0)->type.dims[static_cast<size_t>(op.attrs.i)];
    return size == ir::kDynamic ? nullptr : b.integer(size);
  }
  if (op.code == OpCode::Index) return index(b, op);
  return movement(b, op);
}

}  // namespace dini::opt
