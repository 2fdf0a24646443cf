// Regularity of lifted Jacobians with kinks of rank above one:
//   A(d, Theta) = A_c - B Delta C,   Delta = diag(d - 1/2, Theta - centre),   ||Delta_g|| <= reach_g,
// d in [0, 1]^k and Theta in the sets of the blocks (block.h), A_c at the centres. With K = C A_c^-1 B,
//   det A = det A_c det(I - Delta K),
// so all are regular if A_c is and ||reach_g t_g K_gh / t_h|| < 1 (spectral norm) for some t > 0: the scaled
// upper bound of the structured singular value. For firmly nonexpansive maps (reach 1/2) this is the same as:
// sym(T (I - L)) positive definite for v = L y, because |y - v/2| <= |v|/2 means <y, v - y> >= 0. It decides
// a single Ball, and is sufficient else.
// Not here: refutations (block_witness.h).
#pragma once

#include "certify/regularity.h"

namespace dini::certify {

Regular byBlocks(const LiftedJacobian& j, const std::vector<Block>& blocks, const Matrix& residual);

LiftedJacobian::Thetas centres(const LiftedJacobian& j, const std::vector<Block>& blocks);
// B = [unit columns of the scalar weights, feeds] and C = [rows of the switches, reads].
Matrix feedColumns(const LiftedJacobian& j);
Matrix readRows(const LiftedJacobian& j);

}  // namespace dini::certify
