// Copies the equations of a root, collecting what is said about each class of kinks on the way, and
// with the weights of a decision in place of comparisons. Internal to tied_equations.cpp.
#pragma once

#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "ad/tied_equations.h"

namespace dini::ad {

// Of a kink, an `if` on a comparison included: its switch is switchLeft - switchRight.
bool isIf(const ir::Op& op);
bool isSwapped(const ir::Op& op);  // an `if` whose switch is its second operand less the first
ir::Value* switchLeft(const ir::Op& op);
ir::Value* switchRight(const ir::Op& op);

class EquationCopy {
 public:
  // Of each class, those that are wanted: its switch; the magnitude of the terms of that and the
  // weight that was decided before. Flat over the loops around it.
  struct Found {
    ir::Value *s = nullptr, *magnitude = nullptr, *weight = nullptr;
  };
  enum class Want { Switches, Description, Nothing };

  // `decisions` empty: kinks stay as they stand.
  EquationCopy(const std::vector<TieGroup>& groups, ir::ValueMap& map, Want want,
               std::span<const TiedEquations::Decision> decisions);
  std::vector<ir::Value*> copy(ir::Builder& b, const ir::Region& region);
  const std::vector<Found>& found() const { return found_; }

 private:
  struct Where {
    size_t group;
    const TieMember* member;
  };
  bool holdsKinks(const ir::Op& op) const;
  bool decides() const { return !decisions_.empty(); }
  void visit(ir::Builder& b, const ir::Op& op);
  void observe(ir::Builder& b, const Where& where);
  ir::Value* earlierWeight(ir::Builder& b, const ir::Op& op, const TieGroup& group, ir::Value* s);
  void choose(ir::Builder& b, const ir::Op& op, const Where& where);
  void loop(ir::Builder& b, const ir::Op& op);
  void branches(ir::Builder& b, const ir::Op& op, const Where* where);
  std::vector<ir::Value**> slotsIn(const ir::Op& op, size_t group);
  void giveSlots(ir::Builder& b, const ir::Region& region, const ir::Op& op, size_t group,
                 const Found& taken, std::vector<ir::Value*>& yields);
  ir::Value* absent(ir::Builder& b, size_t group, double value);

  // The part of a group's parameter that belongs to the iterations around.
  ir::Value* part(ir::Builder& b, const TieGroup& group, ir::Value* of_group);
  // A member's switch and weight from its class's; a result with the member's share of u.
  ir::Value* switchOf(ir::Builder& b, const Where& where);
  ir::Value* weightOf(ir::Builder& b, const Where& where);
  ir::Value* withTerm(ir::Builder& b, const Where& where, size_t result, ir::Value* y);

  ir::ValueMap& map_;
  Want want_;
  const std::vector<TieGroup>& groups_;
  std::span<const TiedEquations::Decision> decisions_;
  std::vector<Found> found_;
  std::vector<ir::Value*> snapped_;  // per group: its switch, 0 where it is tied
  std::vector<ir::Value*> indices_;  // of the loops around
  std::unordered_map<const ir::Op*, Where> member_of_;
  std::unordered_set<const ir::Region*> holds_kinks_;
};

}  // namespace dini::ad
