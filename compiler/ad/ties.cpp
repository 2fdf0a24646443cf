#include "ad/ties.h"

#include <bit>

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

// A weight w in [0, 1] is the double 2 + w, a framework 4 or 5, `locked` 6: never zero.
int64_t tieMark(const TieOptions& ties) {
  double code = 2 + ties.weight;
  if (ties.policy == Policy::Torch) code = 4;
  if (ties.policy == Policy::Jax) code = 5;
  if (ties.policy == Policy::Locked) code = 6;
  return std::bit_cast<int64_t>(code);
}

TieOptions tiesFor(const TieOptions& request, const ir::Op& op) {
  if (op.attrs.i == 0 || op.code == ir::OpCode::Norm) return request;  // of a norm it says something else
  auto code = std::bit_cast<double>(op.attrs.i);
  TieOptions own = request;
  own.policy = code == 4   ? Policy::Torch
               : code == 5 ? Policy::Jax
               : code == 6 ? Policy::Locked
                           : Policy::Weight;
  if (own.policy == Policy::Weight) own.weight = code - 2;
  return own;
}

double tieWeight(const TieOptions& request, const ir::Op& op) {
  TieOptions ties = tiesFor(request, op);
  if (ties.policy == Policy::Torch || ties.policy == Policy::Jax)
    return frameworkWeight(ties.policy, op);
  double weight = ties.policy == Policy::Locked ? 0 : ties.weight;
  bool turned = ties.unify && op.attrs.ints.size() >= 2 && op.attrs.ints[1] < 0;
  return turned ? 1 - weight : weight;
}

bool isLocked(const TieOptions& request, const ir::Op& op) {
  return tiesFor(request, op).policy == Policy::Locked;
}

bool blendsComparisons(const TieOptions& ties, const ir::Op& op) {
  return op.operands.size() == 4 || tiesFor(ties, op).policy == Policy::Weight;
}

double extremeWeight(const TieOptions& request, const ir::Op& op) {
  TieOptions ties = tiesFor(request, op);
  if (ties.policy == Policy::Locked) return 1;
  return ties.policy == Policy::Weight ? ties.weight : 0.5;
}

double sortWeight(const TieOptions& request, const ir::Op& argsort) {
  TieOptions ties = tiesFor(request, argsort);
  return ties.policy == Policy::Weight ? ties.weight : 1;
}

double irreducibleWeight(const TieOptions& request, const ir::Op& op) {
  return extremeWeight(request, op);
}

}  // namespace dini::ad
