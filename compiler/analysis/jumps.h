// Jumps that a derivative passes over: floor, ceil, round, sign and truncation of a value that
// depends differentiably on the active parameters, and reals made from a comparison of such values.
// Their derivative is 0 beside the jump, which is seldom what was meant (W0501), unless all that
// becomes of them is a `stop`.
// Not here: `if` on a comparison, which is a switch with a tie weight.
#pragma once

#include <vector>

#include "ir/ir.h"

namespace dini::analysis {

// In program order.
std::vector<const ir::Op*> jumps(const ir::Function& function, const std::vector<bool>& active);

}  // namespace dini::analysis
