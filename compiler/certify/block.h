// Kinks of rank above one, and maps that are no scalar operations: y = P(v) with P Lipschitz, whose
// Jacobians near the point are
//   base + left Theta right + E,   Theta in a convex set T,   norm(E) <= drift(radius)
// for all v within `radius` (Euclidean) of `at`. Where T is that of a projection or of a proximal map,
// Theta is symmetric with 0 <= Theta <= I, so norm(Theta - I/2) <= 1/2.
//   set         P, at the kink                         T contains                centre   reach
//   None        smooth (no Theta)
//   Ball        norm at 0 (one row)                    rows g, |g| <= 1          0        1
//   Order       sort, three and more equal entries     doubly stochastic         J / k    1
//   Cone        proj_soc at the apex                   0 <= Theta <= I           I/2      1/2
//   Spectral    proj_psd, on the null block,           0 <= Theta <= I           I/2      1/2
//               in coordinates where Frobenius is Euclidean
// For proofs T may be larger than the set that the language allows (docs/nonsmooth.md); refutations use
// `element`, which gives members of that one only. Ball and Order are exact, and so is Spectral with one
// zero eigenvalue, where Theta is a number.
// Not here: how blocks come from code (trace_blocks.cpp), what is proved of them (block_regularity.h).
#pragma once

#include "certify/graph.h"

namespace dini::certify {

inline constexpr double kNearKink = 1e-9;  // relative: within it a kink of rank above one is a block

// ||Theta - centre|| <= reach for all Theta in T.
double reach(BlockSet set);
// Row-major, block.rows x block.columns.
std::vector<double> centre(const Block& block);
// The derivative of the map at h (in the coordinates of Theta's columns): a member of the allowed set.
std::vector<double> element(const Block& block, const std::vector<double>& h);
// The member Theta, among those found, with the least <gain, Theta>; exact for Ball.
std::vector<double> leastElement(const Block& block, const std::vector<double>& gain);
// The bound on E.
double drift(const Block& block, double radius);
// "`norm` at 0" and the like, for reports.
std::string describe(const Block& block);

// The coordinates of a symmetric r x r matrix with the Euclidean norm equal to Frobenius', and back.
size_t symmetricSize(size_t r);
std::vector<double> toCoordinates(const std::vector<double>& matrix, size_t r);
std::vector<double> fromCoordinates(const std::vector<double>& coordinates, size_t r);

}  // namespace dini::certify
