// Jumps that a derivative passes over: floor, ceil, round, sign and truncation of a value that
// depends differentiably on the active parameters, and reals made from a comparison of such values.
// Their derivative is 0 beside the jump, which is seldom what was meant (W0501), unless all that
// becomes of them is a `stop`.
// Not here: `if` on a comparison, which is a switch with a tie weight, as long as something else moves the
// result too: a function that only steps has nothing that could tell of a jump when it is met.
#pragma once

#include <vector>

#include "ir/ir.h"

namespace dini::analysis {

enum class Steps { Listed, Passed };

// In program order. Steps::Listed: where no result moves, `if` and `where` on comparisons that do as well.
std::vector<const ir::Op*> jumps(const ir::Function& function, const std::vector<bool>& active, Steps steps);

}  // namespace dini::analysis
