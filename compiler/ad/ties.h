// Tie weights: what attrs.f of a pick, reduce_pick or sort_pick is under a policy.
// Derivations: docs/maths.md, section "Ties".
#pragma once

#include "ad/ad.h"
#include "ir/ir.h"

namespace dini::ad {

// What counts as zero beside the sum of the magnitudes of the terms that were added.
inline constexpr double kTieRounding = 64 * 0x1p-52;

// A policy as a nonzero attrs.i of a `choose`, a comparison `if` or a `reduce`: that of the function
// which the kink was written in (@ties), which overrides the request's. Such kinks are unified among
// themselves only.
int64_t tieMark(const TieOptions& ties);
// What the operation's mark says, otherwise the request's.
TieOptions tiesFor(const TieOptions& request, const ir::Op& op);

// Of branch a of a `choose`, or of the then-side of an `if` on a comparison. The operation carries
// its class and orientation (analysis::unifyKinks).
double tieWeight(const TieOptions& ties, const ir::Op& op);
// Whether the probe decides the operation's ties. Without one (the fast variant) their weight is 0.
bool isLocked(const TieOptions& request, const ir::Op& op);
// Whether an `if` on a comparison blends its sides at a tie at all (frameworks take the branch).
bool blendsComparisons(const TieOptions& ties, const ir::Op& op);
// Of reduce max / min: 1 lowest index, 0 highest index, 1/2 all tied ones equally.
double extremeWeight(const TieOptions& ties, const ir::Op& op);
// Of sort: 1 stable, 0 stable from the right, 1/2 the mean of each block of equal elements.
double sortWeight(const TieOptions& ties, const ir::Op& argsort);
// Of a projection: 1 the larger derivative, 0 the smaller (docs/nonsmooth.md). Frameworks: one half.
double irreducibleWeight(const TieOptions& ties, const ir::Op& op);

}  // namespace dini::ad
