#include "ir/builder.h"
#include "ir/walk.h"
#include "opt/passes.h"

namespace dini::opt {
namespace {

using ir::Op;
using ir::OpCode;
using ir::Region;
using ir::Value;

bool readsRegion(const Op& op, const Region& region) {
  for (const Value* operand : op.operands)
    if (ir::isInside(operand->region, &region)) return true;
  return false;
}

// Constants and sizes leave with the rest, but moving only them is no progress.
bool worthMoving(const Op& op) { return op.code != OpCode::Const && op.code != OpCode::Dim; }

// A factorisation may leave the loop where the first iteration would reach it before anything else
// that can fail.
bool runsFirst(const Op& loop, bool failed_before) {
  auto trip = loop.code == OpCode::Loop ? ir::constantInt(loop.operand(0)) : std::nullopt;
  return trip && *trip >= 1 && !failed_before;
}

// Moves out of one loop; gives what left it, in order.
std::vector<std::unique_ptr<Op>> takeInvariants(Op& loop, Region& body) {
  std::vector<std::unique_ptr<Op>> taken, kept;
  bool failed_before = false;
  for (auto& op : body.ops) {
    bool movable = isSpeculable(*op) ||
                   (op->code == OpCode::Factor && runsFirst(loop, failed_before));
    if (movable && op->code != OpCode::Yield && !readsRegion(*op, body)) {
      for (Value* result : op->results) result->region = loop.parent;
      op->parent = loop.parent;
      taken.push_back(std::move(op));
      continue;
    }
    failed_before |= mayFail(*op);
    kept.push_back(std::move(op));
  }
  body.ops = std::move(kept);
  return taken;
}

bool visit(Region& region) {
  bool changed = false;
  for (size_t at = 0; at < region.ops.size(); ++at) {
    Op& op = *region.ops[at];
    for (auto& nested : op.regions) changed |= visit(*nested);
    if (op.code != OpCode::Loop && op.code != OpCode::While) continue;
    for (auto& body : op.regions) {
      std::vector<std::unique_ptr<Op>> taken = takeInvariants(op, *body);
      for (const auto& moved : taken) changed |= worthMoving(*moved);
      size_t count = taken.size();
      region.ops.insert(region.ops.begin() + static_cast<ptrdiff_t>(at),
                        std::make_move_iterator(taken.begin()), std::make_move_iterator(taken.end()));
      at += count;
    }
  }
  return changed;
}

}  // namespace

bool hoistInvariants(ir::Function& function) { return visit(function.body); }

}  // namespace dini::opt
