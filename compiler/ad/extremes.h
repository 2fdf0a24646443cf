// The extreme of an array inside the equations of a root as a tree of choices. Each is a switch that
// the lifted equations can hold (tied_equations.h), which a set of tied entries is not.
#pragma once

#include "ad/ad.h"

namespace dini::ad {

// Of reductions max and min of reals of at most 256 entries, where the policy is `locked`: constant policies
// speak of the lowest and the highest index.
void extremesAsChoices(ir::Function& function, const TieOptions& ties);

}  // namespace dini::ad
