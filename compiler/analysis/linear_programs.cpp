#include "analysis/linear_programs.h"

#include <algorithm>
#include <unordered_set>

#include "analysis/activity.h"
#include "ir/walk.h"

namespace dini::analysis {
namespace {

// Whether a value of the region is made from an active one outside of it. `seen`: found not to be.
bool readsActive(const ir::Value* value, const ir::Region& region, const Activity& activity,
                 std::unordered_set<const ir::Value*>& seen) {
  if (!seen.insert(value).second) return false;
  if (value->def == nullptr || !ir::isInside(value->def->parent, &region))
    return !(value->isArgument() && value->region == &region) && activity.depends(value);
  const auto& operands = value->def->operands;
  return std::any_of(operands.begin(), operands.end(), [&](const ir::Value* operand) {
    return readsActive(operand, region, activity, seen);
  });
}

}  // namespace

std::vector<const ir::Op*> movingCosts(const ir::Function& function,
                                       const std::vector<bool>& active) {
  Activity activity(function, active);
  std::vector<const ir::Op*> found;
  ir::walk(function.body, [&](const ir::Op& op) {
    if (op.code != ir::OpCode::Root) return;
    const auto& sides = op.regions[1]->yields();
    std::unordered_set<const ir::Value*> seen;
    bool moves = false;  // the left sides of the first attrs.i - 1 equations are the cost
    for (size_t k = 0; static_cast<int64_t>(k) + 1 < op.attrs.i; ++k)
      moves = moves || readsActive(sides[2 * k], *op.regions[1], activity, seen);
    if (moves) found.push_back(&op);
  });
  return found;
}

}  // namespace dini::analysis
