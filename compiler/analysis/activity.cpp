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
         code == OpCode::Round || code == OpCode::Sign || code == OpCode::SimplexWeights ||
         code == OpCode::TieSide || code == OpCode::ReportTie ||
         code == OpCode::RootTies;
}

}  // namespace

Activity::Activity(const ir::Function& function, const std::vector<bool>& active_parameters,
                   size_t results) {
  check(active_parameters.size() == function.body.args.size(), "one activity flag per parameter");
  for (size_t k = 0; k < active_parameters.size(); ++k)
    if (active_parameters[k]) mark(function.body.args[k]);
  do {
    changed_ = false;
    visitRegion(function.body);
  } while (changed_);
  const auto& yields = function.body.yields();
  for (size_t k = 0; k < std::min(results, yields.size()); ++k) use(yields[k]);
  do {
    changed_ = false;
    findUseful(function.body);
  } while (changed_);
}

bool Activity::active(const ir::Op& op) const {
  return std::any_of(op.results.begin(), op.results.end(), [&](auto* v) { return active(v); });
}

bool Activity::any(std::span<ir::Value* const> values) const {
  return std::any_of(values.begin(), values.end(), [&](auto* v) { return depends(v); });
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
    if (depends(op.operands[k + 1])) mark(body.args[k + 1]);
  visitRegion(body);
  for (size_t k = 0; k < op.results.size(); ++k) {
    bool is_active = depends(body.yields()[k]) || (k < carries && depends(body.args[k + 1]));
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
    if (depends(op.operands[k])) mark(body.args[k]);
  visitRegion(body);
  for (size_t k = 0; k < body.yields().size(); ++k) {
    bool is_active = depends(body.yields()[k]) || (k < carries && depends(body.args[k]));
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
          if (depends(region->yields()[k])) mark(op.results[k]);
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

// --- usefulness, backwards

bool Activity::use(const ir::Value* value) {
  if (!value->type.isReal() || !useful_.insert(value).second) return false;
  changed_ = true;
  return true;
}

void Activity::findUseful(const ir::Region& region) {
  for (auto it = region.ops.rbegin(); it != region.ops.rend(); ++it) {
    const ir::Op& op = **it;
    if (op.code == OpCode::Yield) continue;
    std::span<ir::Value* const> results(op.results), operands(op.operands);
    if (op.code == OpCode::Loop) {
      const ir::Region& body = *op.regions[0];
      useCarries(results, std::span(body.args).subspan(1), operands.subspan(1), body.yields());
    } else if (op.code == OpCode::While) {
      const ir::Region& body = *op.regions[1];
      size_t count = operands.size();
      useCarries(results.first(count), body.args, operands, body.yields());
      useCarries(results.subspan(count + 1), {}, {}, std::span(body.yields()).subspan(count));
    } else if (op.code == OpCode::If || op.code == OpCode::Try) {
      for (size_t k = 0; k < results.size(); ++k)
        if (useful_.contains(results[k]))
          for (const auto& nested : op.regions) use(nested->yields()[k]);
    }
    useOperands(op);
    if (op.code == OpCode::Root) continue;  // differentiated as a function of its own
    for (const auto& nested : op.regions) findUseful(*nested);
  }
}

// Carries first, then outs (which have neither argument nor start).
void Activity::useCarries(std::span<ir::Value* const> results, std::span<ir::Value* const> args,
                          std::span<ir::Value* const> inits, std::span<ir::Value* const> yields) {
  for (size_t k = 0; k < results.size() && k < yields.size(); ++k) {
    bool carried = k < args.size();
    if (!useful_.contains(results[k]) && !(carried && useful_.contains(args[k]))) continue;
    use(results[k]);
    use(yields[k]);
    if (!carried) continue;
    use(args[k]);
    use(inits[k]);
  }
}

void Activity::useOperands(const ir::Op& op) {
  bool is_useful = std::any_of(op.results.begin(), op.results.end(),
                               [&](const ir::Value* v) { return useful_.contains(v); });
  size_t count = op.operands.size();
  switch (op.code) {
    case OpCode::Loop:
    case OpCode::While:
    case OpCode::TieSide:
    case OpCode::ReportTie: return;
    case OpCode::ChooseTie:
    case OpCode::PickTie: count = 4; break;
    case OpCode::If: count = std::min<size_t>(count, 3); break;
    case OpCode::Call:  // of a probed function: what follows is its probe (ad/calls.h)
      if (op.attrs.ints.size() >= 2) count = static_cast<size_t>(op.attrs.ints[0]);
      break;
    case OpCode::Root:
      if (is_useful)
        for (const ir::Value* value : ir::captures(*op.regions[1])) use(value);
      return;
    default: break;
  }
  for (size_t k = 0; is_useful && k < count; ++k) use(op.operand(k));
}

}  // namespace dini::analysis
