// Which values differ between the lanes of a map, and which maps can run in lanes.
#include <algorithm>

#include "codegen/emitter.h"
#include "ir/text.h"
#include "ir/walk.h"

namespace dini::codegen {

using ir::Op;
using ir::OpCode;
using ir::Region;
using ir::Value;

namespace {

// Arrays of a lane larger than this are better worked on one member at a time, eight elements at
// once.
constexpr int64_t kMaxLaneElements = 256;
constexpr int64_t kMaxLaneSystem = 32;
constexpr int64_t kFewMembers = 4;
constexpr int64_t kManyLanes = 4 * kLanes;

bool runsInLanes(OpCode code) {
  switch (code) {
    case OpCode::Call:
    case OpCode::Eigh:
    case OpCode::Svd:
    case OpCode::Qr:
    case OpCode::RootTies:
    case OpCode::SparseSolve:
    case OpCode::LeastSquares:
    case OpCode::Cholesky:
    case OpCode::ArgSort:
    case OpCode::SortPick:
    case OpCode::SortPickT:
    case OpCode::ReducePick:
    case OpCode::ReducePickT:
    case OpCode::ArgExtreme:
    case OpCode::ProjSimplex:
    case OpCode::SimplexWeights:
    case OpCode::ProjSoc:
    case OpCode::SocMap:
    case OpCode::Spectral:
    case OpCode::SpectralMap:
      return false;
    default:
      return true;
  }
}

bool callsForEightLanes(OpCode code) {
  return code == OpCode::LinearSolve || code == OpCode::Factor || code == OpCode::SolveFactored ||
         code == OpCode::Norm || code == OpCode::Normalize;
}

}  // namespace

// To a fixed point: once more as long as something was added.
void FunctionEmitter::findVarying(const Region& region) {
  const size_t before = varying_.size();
  const auto mark = [&](const Value* value, bool differs) {
    if (differs) varying_.insert(value);
  };
  for (const auto& owned : region.ops) {
    const Op& op = *owned;
    if (op.code == OpCode::Loop) {
      const Region& body = *op.regions[0];
      const size_t carries = op.operands.size() - 1;
      for (size_t k = 0; k < carries; ++k) {
        const bool differs =
            varies(op.operand(k + 1)) || varies(body.yields()[k]) || varies(op.operand(0));
        mark(body.args[k + 1], differs);
        mark(op.results[k], differs);
      }
      findVarying(body);
      for (size_t k = carries; k < op.results.size(); ++k)
        mark(op.results[k], varies(body.yields()[k]));
    } else if (op.code == OpCode::While) {
      const Region& body = *op.regions[1];
      const bool divergent = varies(op.regions[0]->yields()[0]);
      for (size_t k = 0; k < op.operands.size(); ++k) {
        const bool differs = divergent || varies(op.operand(k)) || varies(body.yields()[k]);
        mark(op.regions[0]->args[k], differs);
        mark(body.args[k], differs);
        mark(op.results[k], differs);
      }
      mark(op.results[op.operands.size()], divergent);
      findVarying(*op.regions[0]);
      findVarying(body);
    } else if (op.code == OpCode::If) {
      for (const auto& side : op.regions) findVarying(*side);
      for (size_t k = 0; k < op.results.size(); ++k)
        mark(op.results[k], varies(op.operand(0)) || varies(op.regions[0]->yields()[k]) ||
                                varies(op.regions[1]->yields()[k]));
    } else if (op.code == OpCode::Try || op.code == OpCode::Root) {
      for (const auto& nested : op.regions) {
        for (const Value* argument : nested->args) mark(argument, true);
        findVarying(*nested);
      }
      for (const Value* result : op.results) mark(result, true);
    } else {
      const bool differs = std::any_of(op.operands.begin(), op.operands.end(),
                                       [&](const Value* operand) { return varies(operand); });
      for (const Value* result : op.results) mark(result, differs);
    }
  }
  if (varying_.size() != before) findVarying(region);
}

bool FunctionEmitter::regionFitsLanes(const Region& region) {
  bool fits = true;
  ir::walk(region, [&](const Op& op) {
    for (const Value* result : op.results)
      fits = fits && result->type.isStatic() &&
             (result->type.isScalar() || result->type.elementCount() <= kMaxLaneElements ||
              op.code == OpCode::Const);
    for (const auto& nested : op.regions)
      for (const Value* argument : nested->args) fits = fits && argument->type.isStatic();
    if (!runsInLanes(op.code)) fits = false;
    if (op.code == OpCode::Print && !ir::parseFailureNotice(op.attrs.str)) fits = false;
    if (op.code == OpCode::Loop && varies(op.operand(0))) fits = false;
    if (op.code == OpCode::While && op.results.size() != op.operands.size() + 1) fits = false;
    const bool solves = op.code == OpCode::LinearSolve || op.code == OpCode::Factor ||
                        op.code == OpCode::SolveFactored;
    if (solves && fits)
      fits = op.operand(0)->type.isStatic() && op.operand(0)->type.dims[0] <= kMaxLaneSystem;
  });
  return fits;
}

// A map whose members are small enough, and not too few.
bool FunctionEmitter::canRunInLanes(const Op& loop) {
  const Region& body = *loop.regions[0];
  if (const auto trip = constantOf(scalar(loop.operand(0))); trip && *trip < kFewMembers)
    return false;
  for (const Value* yielded : body.yields())
    if (!yielded->type.isStatic()) return false;
  varying_.clear();
  varying_.insert(body.args[0]);
  findVarying(body);
  if (regionFitsLanes(body)) return true;
  varying_.clear();
  return false;
}

// Iterations that wait for their own results run in four vectors at once, so that the CPU has
// others to work on; not where arrays or calls for eight lanes take part.
int64_t FunctionEmitter::chooseWidth(const Op& loop) {
  if (const auto trip = constantOf(scalar(loop.operand(0))); trip && *trip < kManyLanes)
    return kLanes;
  bool iterates = false, scalars_only = true;
  ir::walk(*loop.regions[0], [&](const Op& op) {
    iterates = iterates || (op.code == OpCode::While && varies(op.regions[0]->yields()[0]));
    for (const Value* result : op.results)
      scalars_only = scalars_only && (!varies(result) || result->type.elementCount() == 1);
    const bool division =
        op.code == OpCode::LinearSolve && op.attrs.i == 0 && op.operand(1)->type == ir::f64({1});
    scalars_only = scalars_only && (division || !callsForEightLanes(op.code));
  });
  return iterates && scalars_only ? kManyLanes : kLanes;
}

}  // namespace dini::codegen
