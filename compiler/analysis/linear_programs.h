// Linear programs whose cost a derivative moves: their solution stays where it is, a vertex, so the
// derivative is zero almost everywhere, which is right and seldom what was meant (W0509).
#pragma once

#include <vector>

#include "ir/ir.h"

namespace dini::analysis {

// The roots among the function's operations that are linear programs (attrs.i, docs/ir.md) and whose
// cost depends differentiably on the active parameters, in program order.
std::vector<const ir::Op*> movingCosts(const ir::Function& function,
                                       const std::vector<bool>& active);

}  // namespace dini::analysis
