// Whether all lifted Jacobians A_d of a box, d in [0, 1]^k, are regular, and how far A_d^-1 stretches:
// the rungs of the ladder (docs/nonsmooth.md), cheapest first. All of them are sufficient; byMinors is
// also necessary, up to rounding and the node limit.
// Not here: the root's enclosure, refutations (certificate.h).
#pragma once

#include "certify/lifted.h"
#include "certify/p_matrix.h"

namespace dini::certify {

// What is proved of a box: all lifted Jacobians regular, and two bounds over them.
struct Regular {
  bool holds = false;
  bool bounded = false;   // the bounds are known
  double correction = 0;  // of A^-1 (F, 0), the largest entry
  double lipschitz = 0;   // of A^-1 B, the largest row sum; infinite: no bound
  std::string how;        // the test that decided, or what was tried
};

inline constexpr size_t kSizeLimit = 400;         // unknowns and tied switches: dense inverses
inline constexpr size_t kDominanceLimit = 3000;   // the same where no inverse is formed

using Vertex = std::vector<double>;  // weights that are 0 or 1

// `residual` encloses F; an empty one asks for no correction.
// Weighted row sums: a vector v > 0 with |A_ii| v_i > sum_j |A_ij| v_j for every A.
Regular byDominance(const LiftedJacobian& j, const Matrix& residual);
// ||I - R A|| < 1 for an approximate inverse R of the middle (Krawczyk).
Regular byNorm(const LiftedJacobian& j, const Matrix& residual);
// M at the first vertex that is regular is a P-matrix.
Regular byMinors(const LiftedJacobian& j, const Matrix& residual, const std::vector<Vertex>& vertices,
                 uint64_t node_limit);

// Of regular Jacobians: the least of the bounds on A^-1 B that inverses give, for small systems.
void tightenLipschitz(const LiftedJacobian& j, Regular& regular);

// v > 0 and slack with A_ii v_i - sum_j |A_ij| v_j >= slack_i > 0 for every A in the square matrix,
// after rows with negative diagonal have changed sign; nothing where none is found.
struct Dominance {
  std::vector<double> weights, slack;
  // Of x = A^-1 b: |x_i| <= v_i max_j |b_j| / slack_j.
  double bound(const std::vector<double>& b) const;
};
std::optional<Dominance> dominance(const Matrix& a);

std::vector<Interval> pointWeights(const Vertex& v);
std::optional<Preconditioner> regularAt(const Matrix& a);  // eta < 1
// M at vertex v, from A_v and its preconditioner.
IntervalMatrix pMatrixAt(const LiftedJacobian& j, const Vertex& v, const Matrix& a, const Preconditioner& p);

}  // namespace dini::certify
