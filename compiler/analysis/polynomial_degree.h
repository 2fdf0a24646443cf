// Of which degree a function's results are in chosen parameters: what makes a problem linear or
// quadratic. Conservative: a result that is called quadratic is a polynomial of degree at most two
// of those parameters for all values of the others; one called `Beyond` may be one all the same.
// Not here: kinks and smoothness; a function with kinks is `Beyond`.
#pragma once

#include <vector>

#include "ir/ir.h"

namespace dini::analysis {

enum class Degree { Constant, Affine, Quadratic, Beyond };

// Of each result. `parameters` says of each parameter whether the degree in it counts.
std::vector<Degree> degreesOf(const ir::Function& function, const std::vector<bool>& parameters);

}  // namespace dini::analysis
