// Solution of equations: the solver between two evaluations of the residual (docs/ir.md,
// Equations).
#include <cmath>

#include "codegen/emitter.h"
#include "dini/status.h"
#include "ir/walk.h"

namespace dini::codegen {

using ir::Op;
using ir::Region;

// Evaluates the residual region at the unknowns its arguments are bound to.
FunctionEmitter::Residual FunctionEmitter::emitResidual(const Region& region) {
  Residual total{f64c(0), f64c(0), b_.getTrue()};
  emitOps(region);
  const auto larger = [&](llvm::Value* a, llvm::Value* b) {
    if (isLanes(a) != isLanes(b)) a = splat(a), b = splat(b);
    return b_.CreateSelect(b_.CreateFCmpOGT(b, a), b, a);
  };
  const auto magnitude = [&](llvm::Value* x) { return intrinsic(llvm::Intrinsic::fabs, x); };
  for (size_t k = 0; k + 1 < region.yields().size(); k += 2) {
    const ir::Value* lhs = region.yields()[k];
    const ir::Value* rhs = region.yields()[k + 1];
    const bool is_scalar = lhs->type.isScalar();
    const bool linear = is_scalar || (linearReadable(lhs) && linearReadable(rhs));
    const Val left_copy = linear ? Val{} : inMemory(lhs, inLanes() && varies(lhs));
    const Val right_copy = linear ? Val{} : inMemory(rhs, inLanes() && varies(rhs));
    const auto sides = [&](Index i) {
      const Position position = linearPosition(i);
      llvm::Value* a = linear ? element(lhs, position) : load(left_copy, ir::Elem::F64, position);
      llvm::Value* b = linear ? element(rhs, position) : load(right_copy, ir::Elem::F64, position);
      if (isLanes(a) != isLanes(b)) a = splat(a), b = splat(b);
      return std::make_pair(a, b);
    };
    const ElementFn difference = [&](Index i) {
      const auto [a, b] = sides(i);
      return magnitude(b_.CreateFSub(a, b));
    };
    // Of two magnitudes the larger; NaN and infinity stay.
    const ElementFn size = [&](Index i) {
      const auto [a, b] = sides(i);
      llvm::Value* x = magnitude(a);
      llvm::Value* y = magnitude(b);
      return b_.CreateSelect(b_.CreateOr(b_.CreateFCmpUNO(x, x), b_.CreateFCmpOGT(x, y)), x, y);
    };
    llvm::Value* count = is_scalar ? i64c(1) : product(dimsOf(lhs));
    const bool wide = inLanes() && (varies(lhs) || varies(rhs));
    const auto largest = [&](const ElementFn& at) {
      return inLanes() || is_scalar
                 ? reduceAcross(Reduction::Max, ir::Elem::F64, count, wide, false, at)
                 : reduceAlong(Reduction::Max, ir::Elem::F64, count, at);
    };
    fresh();
    llvm::Value* scale = largest(size);
    fresh();
    llvm::Value* finite = b_.CreateFCmpOLT(scale, llvm::ConstantFP::getInfinity(scale->getType()));
    if (isLanes(finite) != isLanes(total.finite))
      finite = splat(finite), total.finite = splat(total.finite);
    total.finite = b_.CreateAnd(total.finite, finite);
    total.scale = larger(total.scale, scale);
    total.difference = larger(total.difference, largest(difference));
    fresh();
  }
  closeRegion(region);
  return total;
}

// Whether the solver's word is enough: it has verified what it calls converged, and an evaluation
// has no effect but its result.
bool FunctionEmitter::solverVerifies(const Op& op) {
  if (op.attrs.ints.size() < 6 || op.attrs.ints[5] == 0) return false;
  bool prints = false;
  ir::walk(*op.regions[1], [&](const Op& inner) {
    prints = prints || inner.code == ir::OpCode::Print || inner.code == ir::OpCode::Call;
  });
  return !prints;
}

// Emits code for where `condition` holds; in lanes, for those for which it does.
void FunctionEmitter::whereNeeded(llvm::Value* condition, const std::function<void()>& body) {
  if (!inLanes()) return ifThen(condition, body);
  llvm::Value* needed = b_.CreateAnd(activeMask(), splat(condition));
  ifThen(any(needed), [&] { underMask(needed, body); });
}

void FunctionEmitter::emitRoot(const Op& op) {
  const Region& solver = *op.regions[0];
  const Region& equations = *op.regions[1];
  const size_t unknowns = op.operands.size();
  const auto bind = [&](const Region& region, const auto& value_of) {
    for (size_t k = 0; k < unknowns; ++k) {
      Val made = value_of(k);
      made.owner = false;
      values_[region.args[k]] = made;
    }
  };
  // The starts are read by both regions, after the operation's own use of them.
  std::vector<Val> starts;
  for (const ir::Value* start : op.operands) {
    const bool interleaved = inLanes() && varies(start);
    starts.push_back(start->type.isScalar() ? val(start) : inMemory(start, interleaved));
  }
  FailureFields fields;
  fields.residual = llvm::ConstantFP::getNaN(m_.f64);
  fields.tolerance = f64c(op.attrs.f);
  const auto testStart = [&, fields] {
    bind(equations, [&](size_t k) { return starts[k]; });
    require(emitResidual(equations).finite, ir::Status::StartOutOfDomain, op, fields);
  };
  const bool verified = solverVerifies(op);
  if (!verified) testStart();

  bind(solver, [&](size_t k) { return starts[k]; });
  std::vector<Buffer> solutions(unknowns);
  for (size_t k = 0; k < unknowns; ++k)
    if (!op.operand(k)->type.isScalar())
      solutions[k] = allocate(op.results[k], dimsOf(op.operand(k)));
  ++solver_depth_;
  emitOps(solver);
  --solver_depth_;
  const auto& yields = solver.yields();
  for (size_t k = 0; k < unknowns; ++k) {
    fresh();
    if (op.operand(k)->type.isScalar()) {
      setScalar(op.results[k], scalar(yields[k]));
    } else {
      copyInto(yields[k], solutions[k].dest);
      setBuffer(op.results[k], solutions[k].dest, solutions[k].storage);
    }
  }
  fields.iterations = scalar(yields[unknowns]);
  fields.reason = scalar(yields[unknowns + 1]);
  llvm::Value* multiple = scalar(yields[unknowns + 2]);
  if (yields.size() > unknowns + 3) fields.rcond = scalar(yields[unknowns + 3]);
  if (yields.size() > unknowns + 4) fields.tolerance = scalar(yields[unknowns + 4]);
  closeRegion(solver);

  const auto testSolution = [&] {
    bind(equations, [&](size_t k) { return val(op.results[k]); });
    requireSolved(op, fields);
  };
  if (!verified) {
    testSolution();
  } else {
    whereNeeded(b_.CreateIsNotNull(fields.reason), [&] {
      testStart();
      testSolution();
    });
  }
  setScalar(op.results[unknowns], fields.iterations);
  setScalar(op.results[unknowns + 1], multiple);
}

// The equations hold at the unknowns that the residual's arguments are bound to.
void FunctionEmitter::requireSolved(const Op& op, FailureFields fields) {
  const Residual end = emitResidual(*op.regions[1]);
  require(end.finite, ir::Status::NonFinite, op, fields);
  fields.residual = end.difference;
  fields.scale = end.scale;
  llvm::Value* one = llvm::ConstantFP::get(end.scale->getType(), 1);
  llvm::Value* factor = b_.CreateFAdd(one, end.scale);
  llvm::Value* tolerance = fields.tolerance;
  if (isLanes(factor) != isLanes(tolerance)) factor = splat(factor), tolerance = splat(tolerance);
  llvm::Value* bound = b_.CreateFMul(tolerance, factor);
  llvm::Value* difference = end.difference;
  if (isLanes(bound) != isLanes(difference)) bound = splat(bound), difference = splat(difference);
  require(b_.CreateFCmpOLE(difference, bound), ir::Status::NotConverged, op, fields);
  if (!std::isfinite(op.attrs.f)) return;  // takes over the solution of another root
  llvm::Value* relative_to = factor;
  if (isLanes(difference) != isLanes(relative_to))
    difference = splat(difference), relative_to = splat(relative_to);
  noteResidual(b_.CreateFDiv(difference, relative_to));
}

}  // namespace dini::codegen
