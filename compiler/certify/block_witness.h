// Search for singular lifted Jacobians with kinks of rank above one: members of the sets that the language
// allows whose determinants have opposite signs (or are 0), and, as the sets are convex, a singular one on
// the way between them. What is found is to be checked by its singular values.
#pragma once

#include "certify/block_regularity.h"

namespace dini::certify {

struct BlockWitness {
  std::vector<double> weights;     // of the tied classes
  LiftedJacobian::Thetas thetas;   // of the parts
  bool sign_change = false;        // else a member is singular itself
};

std::optional<BlockWitness> singularElement(const LiftedJacobian& j, const std::vector<Block>& blocks);

}  // namespace dini::certify
