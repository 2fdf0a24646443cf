// Linear algebra: calls of the runtime on arrays in memory, with work memory from the frame.
#include <algorithm>

#include "codegen/emitter.h"
#include "dini/linalg.h"
#include "dini/status.h"

namespace dini::codegen {

using ir::Op;
using ir::OpCode;

namespace {
bool isTransposed(const Op& op) { return !op.attrs.ints.empty() && op.attrs.ints[0] == 1; }
}  // namespace

void FunctionEmitter::emitSolve(const Op& op) {
  const bool system = op.code == OpCode::LinearSolve || op.code == OpCode::Factor ||
                      op.code == OpCode::SolveFactored;
  const auto structure = static_cast<ir::Structure>(op.attrs.i);
  const bool divides = structure == ir::Structure::General ||
                       structure == ir::Structure::Symmetric || structure == ir::Structure::Lower ||
                       structure == ir::Structure::Upper;
  if (op.code == OpCode::LinearSolve && divides && op.operand(1)->type == ir::f64({1}))
    return emitScalarSystem(op);
  const bool varying = std::any_of(op.operands.begin(), op.operands.end(),
                                   [&](const ir::Value* value) { return varies(value); });
  if (system && inLanes() && varying) return emitLaneSolve(op);
  switch (op.code) {
    case OpCode::LinearSolve:
      return emitLinearSolve(op);
    case OpCode::Factor:
      return emitFactor(op);
    case OpCode::SolveFactored:
      return emitSolveFactored(op);
    case OpCode::SparseSolve:
      return emitSparseSolve(op);
    case OpCode::RootTies:
      return emitRootTies(op);
    default:
      return emitDecomposition(op);
  }
}

// One equation: a division, with the status and condition that dini_linear_solve gives.
void FunctionEmitter::emitScalarSystem(const Op& op) {
  const Index origin = fixed(i64c(0));
  llvm::Value* a = element(op.operand(0), linearPosition(origin));
  llvm::Value* b = element(op.operand(1), linearPosition(origin));
  if (isLanes(a) != isLanes(b)) a = splat(a), b = splat(b);
  llvm::Type* type = a->getType();
  llvm::Value* zero = llvm::ConstantFP::get(type, 0);
  llvm::Value* one = llvm::ConstantFP::get(type, 1);
  llvm::Value* magnitude = intrinsic(llvm::Intrinsic::fabs, a);
  llvm::Value* inverse = intrinsic(llvm::Intrinsic::fabs, b_.CreateFDiv(one, a));
  llvm::Value* regular = b_.CreateAnd(
      b_.CreateFCmpOLT(magnitude, llvm::ConstantFP::getInfinity(type)), b_.CreateFCmpONE(a, zero));
  FailureFields fields;
  fields.rcond =
      b_.CreateSelect(regular, b_.CreateFDiv(one, b_.CreateFMul(magnitude, inverse)), zero);
  llvm::Value* fine = b_.CreateFCmpOGE(fields.rcond, llvm::ConstantFP::get(type, 1e-14));
  require(fine, ir::Status::Singular, op, fields);
  llvm::Value* x = b_.CreateFDiv(b, a);
  const Buffer out = allocate(op.result(), {i64c(1)});
  store(out.dest, positionOf({origin}), x);
  setBuffer(op.result(), out.dest, out.storage);
}

// Doubles of work memory: known here where the sizes are, else asked of the runtime.
llvm::Value* FunctionEmitter::workFor(
    const char* name, llvm::ArrayRef<llvm::Value*> sizes,
    const std::function<int64_t(const std::vector<int64_t>&)>& known) {
  std::vector<int64_t> constants;
  for (llvm::Value* size : sizes)
    if (const auto constant = constantOf(size)) constants.push_back(*constant);
  if (constants.size() == sizes.size()) return temporaryDoubles(i64c(known(constants)));
  const llvm::FunctionCallee function =
      m_.runtime(name, m_.i64, std::vector<llvm::Type*>(sizes.size(), m_.i64));
  return temporaryDoubles(b_.CreateCall(function, sizes));
}

void FunctionEmitter::requireRuntime(llvm::Value* status, const Op& op, llvm::Value* rcond) {
  FailureFields fields;
  fields.rcond = rcond;
  require(b_.CreateICmpEQ(status, b_.getInt32(0)), b_.CreateSExt(status, m_.i64), siteOf(op),
          fields);
}

void FunctionEmitter::emitLinearSolve(const Op& op) {
  const ir::Value* b = op.operand(1);
  llvm::Value* n = dimsOf(op.operand(0))[0];
  llvm::Value* m = b->type.rank() > 1 ? dimsOf(b)[1] : i64c(1);
  const Val a_held = inMemory(op.operand(0)), b_held = inMemory(b);
  const Buffer x = allocate(op.result(), dimsOf(b));
  llvm::Value* rcond = entryAlloca(m_.f64, nullptr, "rcond");
  llvm::Value* work = workFor("dini_linear_solve_work", {n},
                              [](const auto& sizes) { return dini_linear_solve_work(sizes[0]); });
  const llvm::FunctionCallee function =
      m_.runtime("dini_linear_solve", m_.i32,
                 {m_.i64, m_.i32, m_.i64, m_.i64, m_.ptr, m_.ptr, m_.ptr, m_.ptr, m_.ptr});
  llvm::Value* status =
      b_.CreateCall(function, {i64c(op.attrs.i), b_.getInt32(isTransposed(op)), n, m, a_held.ptr,
                               b_held.ptr, x.dest.ptr, rcond, work});
  llvm::Value* estimate = b_.CreateLoad(m_.f64, rcond);
  requireRuntime(status, op, estimate);
  noteCondition(estimate, siteOf(op));
  setBuffer(op.result(), x.dest, x.storage);
}

void FunctionEmitter::emitSparseSolve(const Op& op) {
  const ir::Value* b = op.operand(3);
  const Values sizes = dimsOf(b);
  llvm::Value* m = sizes.size() > 1 ? sizes[1] : i64c(1);
  llvm::Value* count = dimsOf(op.operand(0))[0];
  Values arguments{b_.getInt32(isTransposed(op)), sizes[0], m, count};
  for (const ir::Value* operand : op.operands) arguments.push_back(inMemory(operand).ptr);
  const Buffer x = allocate(op.result(), sizes);
  llvm::Value* rcond = entryAlloca(m_.f64, nullptr, "rcond");
  arguments.push_back(x.dest.ptr);
  arguments.push_back(rcond);
  std::vector<llvm::Type*> params;
  for (llvm::Value* argument : arguments) params.push_back(argument->getType());
  llvm::Value* status = b_.CreateCall(m_.runtime("dini_sparse_solve", m_.i32, params), arguments);
  llvm::Value* estimate = b_.CreateLoad(m_.f64, rcond);
  requireRuntime(status, op, estimate);
  noteCondition(estimate, siteOf(op));
  setBuffer(op.result(), x.dest, x.storage);
}

void FunctionEmitter::emitFactor(const Op& op) {
  llvm::Value* n = dimsOf(op.operand(0))[0];
  const Val a = inMemory(op.operand(0));
  const Buffer factors = allocate(op.results[0], {n, n});
  const Buffer pivots = allocate(op.results[1], {n});
  llvm::Value* rcond = entryAlloca(m_.f64, nullptr, "rcond");
  llvm::Value* work = workFor("dini_factor_work", {n},
                              [](const auto& sizes) { return dini_factor_work(sizes[0]); });
  const llvm::FunctionCallee function =
      m_.runtime("dini_factor", m_.i32, {m_.i64, m_.i64, m_.ptr, m_.ptr, m_.ptr, m_.ptr, m_.ptr});
  llvm::Value* status = b_.CreateCall(
      function, {i64c(op.attrs.i), n, a.ptr, factors.dest.ptr, pivots.dest.ptr, rcond, work});
  llvm::Value* estimate = b_.CreateLoad(m_.f64, rcond);
  requireRuntime(status, op, estimate);
  noteCondition(estimate, siteOf(op));
  setBuffer(op.results[0], factors.dest, factors.storage);
  setBuffer(op.results[1], pivots.dest, pivots.storage);
  setScalar(op.results[2], estimate);
}

void FunctionEmitter::emitSolveFactored(const Op& op) {
  const ir::Value* b = op.operand(2);
  llvm::Value* n = dimsOf(op.operand(0))[0];
  llvm::Value* m = b->type.rank() > 1 ? dimsOf(b)[1] : i64c(1);
  const Val factors = inMemory(op.operand(0)), pivots = inMemory(op.operand(1)),
            b_held = inMemory(b);
  const Buffer x = allocate(op.result(), dimsOf(b));
  const llvm::FunctionCallee function =
      m_.runtime("dini_solve_factored", llvm::Type::getVoidTy(m_.context),
                 {m_.i64, m_.i32, m_.i64, m_.i64, m_.ptr, m_.ptr, m_.ptr, m_.ptr});
  b_.CreateCall(function, {i64c(op.attrs.i), b_.getInt32(isTransposed(op)), n, m, factors.ptr,
                           pivots.ptr, b_held.ptr, x.dest.ptr});
  setBuffer(op.result(), x.dest, x.storage);
}

void FunctionEmitter::emitRootTies(const Op& op) {
  const int64_t k = op.results[0]->type.dims[0], n = op.results[1]->type.dims[0];
  Values arguments{i64c(n), i64c(k)};
  for (const ir::Value* operand : op.operands) arguments.push_back(inMemory(operand).ptr);
  std::vector<Buffer> outs;
  for (const ir::Value* result : op.results) {
    outs.push_back(allocate(result, {i64c(result->type.dims[0])}));
    arguments.push_back(outs.back().dest.ptr);
  }
  std::vector<llvm::Type*> params;
  for (llvm::Value* argument : arguments) params.push_back(argument->getType());
  b_.CreateCall(m_.runtime("dini_root_ties", llvm::Type::getVoidTy(m_.context), params), arguments);
  for (size_t number = 0; number < outs.size(); ++number)
    setBuffer(op.results[number], outs[number].dest, outs[number].storage);
}

void FunctionEmitter::emitDecomposition(const Op& op) {
  const Val a = inMemory(op.operand(0));
  const Values dims = dimsOf(op.operand(0));
  llvm::Value *m = dims[0], *n = dims[1];
  llvm::Value* k = b_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, m, n);
  std::vector<Buffer> outs;
  const auto out = [&](size_t number, Values sizes) {
    // What the type states as constant is used as such.
    const auto& declared = op.results[number]->type.dims;
    for (size_t axis = 0; axis < declared.size(); ++axis)
      if (declared[axis] != ir::kDynamic) sizes[axis] = i64c(declared[axis]);
    outs.push_back(allocate(op.results[number], sizes));
    return outs.back().dest.ptr;
  };
  Values arguments;
  const char* name = nullptr;
  switch (op.code) {
    case OpCode::Cholesky:
      name = "dini_cholesky";
      arguments = {n, a.ptr, out(0, {n, n})};
      break;
    case OpCode::Eigh:
      name = "dini_eigh";
      arguments = {
          n, a.ptr, out(0, {n}), out(1, {n, n}),
          workFor("dini_eigh_work", {n}, [](const auto& s) { return dini_eigh_work(s[0]); })};
      break;
    case OpCode::Svd:
      name = "dini_svd";
      arguments = {m,
                   n,
                   a.ptr,
                   out(0, {m, k}),
                   out(1, {k}),
                   out(2, {n, k}),
                   workFor("dini_svd_work", {m, n},
                           [](const auto& s) { return dini_svd_work(s[0], s[1]); })};
      break;
    case OpCode::Qr:
      name = "dini_qr";
      arguments = {
          m,
          n,
          a.ptr,
          out(0, {m, k}),
          out(1, {k, n}),
          workFor("dini_qr_work", {m, n}, [](const auto& s) { return dini_qr_work(s[0], s[1]); })};
      break;
    default: {
      name = "dini_lstsq";
      const ir::Value* b = op.operand(1);
      Values sizes = dimsOf(b);
      llvm::Value* columns = sizes.size() > 1 ? sizes[1] : i64c(1);
      sizes[0] = n;
      const Val b_held = inMemory(b);
      arguments = {m,
                   n,
                   columns,
                   a.ptr,
                   b_held.ptr,
                   out(0, sizes),
                   workFor("dini_lstsq_work", {m, n, columns},
                           [](const auto& s) { return dini_lstsq_work(s[0], s[1], s[2]); })};
    }
  }
  std::vector<llvm::Type*> params;
  for (llvm::Value* argument : arguments) params.push_back(argument->getType());
  requireRuntime(b_.CreateCall(m_.runtime(name, m_.i32, params), arguments), op, nullptr);
  for (size_t number = 0; number < outs.size(); ++number)
    setBuffer(op.results[number], outs[number].dest, outs[number].storage);
}

}  // namespace dini::codegen
