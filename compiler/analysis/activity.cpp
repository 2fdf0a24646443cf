#include "analysis/activity.h"

#include <algorithm>

#include "base/check.h"
#include "ir/clone.h"

namespace dini::analysis {
namespace {

using ir::OpCode;

// Operations with a real result of derivative zero.
bool isConstantAlmostEverywhere(OpCode code) {
  return code == OpCode::Stop || code == OpCode::Floor || code == OpCode::Ceil ||
         code == OpCode::Round || code == OpCode::Sign || code == OpCode::SimplexWeights;
}

}  // namespace

Activity::Activity(const ir::Function& function, const std::vector<bool>& active_parameters) {
  check(active_parameters.size() == function.body.args.size(), "one activity flag per parameter");
  for (size_t k = 0; k < active_parameters.size(); ++k)
    if (active_parameters[k]) mark(function.body.args[k]);
  do {
    changed_ = false;
    visitRegion(function.body);
  } while (changed_);
}

bool Activity::active(const ir::Op& op) const { return any(op.results); }

bool Activity::any(std::span<ir::Value* const> values) const {
  return std::any_of(values.begin(), values.end(), [&](auto* v) { return active(v); });
}

bool Activity::mark(const ir::Value* value) {
  if (!value->type.isReal() || !active_.insert(value).second) return false;
  changed_ = true;
  return true;
}

void Activity::visitRegion(const ir::Region& region) {
  for (const auto& op : region.ops) visit(*op);
}

void Activity::visitLoop(const ir::Op& op) {
  const ir::Region& body = *op.regions[0];
  size_t carries = op.operands.size() - 1;
  for (size_t k = 0; k < carries; ++k)
    if (active(op.operands[k + 1])) mark(body.args[k + 1]);
  visitRegion(body);
  for (size_t k = 0; k < op.results.size(); ++k) {
    bool is_active = active(body.yields()[k]) || (k < carries && active(body.args[k + 1]));
    if (!is_active) continue;
    mark(op.results[k]);
    if (k < carries) mark(body.args[k + 1]);
  }
}

// Results: carries, trips, outs; the body yields carries, outs.
void Activity::visitWhile(const ir::Op& op) {
  const ir::Region& body = *op.regions[1];
  size_t carries = op.operands.size();
  for (size_t k = 0; k < carries; ++k)
    if (active(op.operands[k])) mark(body.args[k]);
  visitRegion(body);
  for (size_t k = 0; k < body.yields().size(); ++k) {
    bool is_active = active(body.yields()[k]) || (k < carries && active(body.args[k]));
    if (!is_active) continue;
    mark(op.results[k < carries ? k : k + 1]);
    if (k < carries) mark(body.args[k]);
  }
}

void Activity::visit(const ir::Op& op) {
  switch (op.code) {
    case OpCode::Loop: return visitLoop(op);
    case OpCode::While: return visitWhile(op);
    case OpCode::If:
    case OpCode::Try:
      for (const auto& region : op.regions) {
        visitRegion(*region);
        for (size_t k = 0; k < op.results.size(); ++k)
          if (active(region->yields()[k])) mark(op.results[k]);
      }
      return;
    case OpCode::Root:  // the equations decide, neither the starts nor the solver
      if (any(ir::captures(*op.regions[1])))
        for (const ir::Value* result : op.results) mark(result);
      return;
    default: break;
  }
  if (isConstantAlmostEverywhere(op.code) || !any(op.operands)) return;
  for (const ir::Value* result : op.results) mark(result);
}

}  // namespace dini::analysis
