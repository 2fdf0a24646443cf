#include "ad/ties.h"

namespace dini::ad {
namespace {

using Policy = TieOptions::Policy;

// What the frameworks compute at a tie, by the function the choose came from (attrs.str). The gap
// (attrs.f) tells the lower bound of a clamp (a max, gap 1) from its upper bound (a min, gap -1).
double frameworkWeight(Policy policy, const ir::Op& op) {
  const std::string& kind = op.attrs.str;
  if (kind == "relu") return 0;
  if (kind == "abs") return policy == Policy::Torch ? 0.5 : 1;
  if (kind == "clamp" && policy == Policy::Torch) return op.attrs.f > 0 ? 1 : 0;
  return 0.5;
}

}  // namespace

double tieWeight(const TieOptions& ties, const ir::Op& op) {
  if (ties.policy != Policy::Weight) return frameworkWeight(ties.policy, op);
  bool turned = ties.unify && op.attrs.ints.size() >= 2 && op.attrs.ints[1] < 0;
  return turned ? 1 - ties.weight : ties.weight;
}

bool blendsComparisons(const TieOptions& ties) { return ties.policy == Policy::Weight; }

double extremeWeight(const TieOptions& ties) {
  return ties.policy == Policy::Weight ? ties.weight : 0.5;
}

double sortWeight(const TieOptions& ties) {
  return ties.policy == Policy::Weight ? ties.weight : 1;
}

}  // namespace dini::ad
