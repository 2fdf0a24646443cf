#include "analysis/linear_programs.h"

#include "analysis/activity.h"
#include "ir/walk.h"

namespace dini::analysis {

std::vector<const ir::Op*> movingCosts(const ir::Function& function,
                                       const std::vector<bool>& active) {
  Activity activity(function, active);
  std::vector<const ir::Op*> found;
  ir::walk(function.body, [&](const ir::Op& op) {
    if (op.code != ir::OpCode::Root) return;
    const auto& sides = op.regions[1]->yields();
    bool moves = false;  // the left sides of the first attrs.i - 1 equations are the cost
    for (size_t k = 0; static_cast<int64_t>(k) + 1 < op.attrs.i; ++k)
      moves = moves || activity.depends(sides[2 * k]);
    if (moves) found.push_back(&op);
  });
  return found;
}

}  // namespace dini::analysis
