// Rules that hold for all values of the unknowns: no box, no solution. Every scalar function of the
// equations is replaced by its slopes over all reals,
//   tanh(u) - tanh(u') = d (u - u'),  d in [0, 1];   relu, and every other kink, the same,
// so F(z, x) - F(z', x) = A_d (z - z') exactly, with A_d of the lifted form. If all A_d are regular,
// F(., x) is injective with a Lipschitz inverse, hence (invariance of domain, closed range) a
// homeomorphism of R^n: one root for every x, and it moves by at most L |dx|.
// That covers z == Phi(W z + v) with ||W|| < 1 in any absolute or the Euclidean norm, z == prox(z - g G(z))
// with G affine and strongly monotone and a prox made of kinks, and monotone scalar equations, whose slope may be unbounded.
// Parameters that multiply unknowns, or decide which code runs, stay as they are; all others are free.
#pragma once

#include "certify/regularity.h"

namespace dini::certify {

struct GlobalRule {
  bool holds = false;
  std::string how;
  double lipschitz = -1;  // in the free parameters, over all their values; -1: no bound
  size_t free = 0, held = 0;
};

GlobalRule globalRule(const System& system, Unification unification, uint64_t node_limit);

}  // namespace dini::certify
