// The kinks inside the equations of a root, grouped by class of switches, and the equations as
// functions whose further results are the switches. In the lifted form each class has two more
// parameters per element: a tie weight, which replaces the comparison where the switch is tied, and
// a free term u that is added to the class's relu, so that the derivative by u is the response that
// the P-matrix test needs (docs/maths.md, "Ties inside equations").
// Counted are kinks at any depth of loops with constant trip counts and of branches. Kinks inside
// `while`, `try`, recursive calls and inner roots keep their own rules.
#pragma once

#include <memory>
#include <vector>

#include "ad/ad.h"
#include "analysis/value_numbers.h"
#include "ir/builder.h"
#include "ir/clone.h"

namespace dini::ad {

// What the kink contributes: `factor` u, and the class's switch times `scale`.
struct TieMember {
  const ir::Op* op;
  double scale = 1;             // its switch by the class's, with sign
  std::vector<double> factors;  // per result; NaN: no gap is known
};

// One class. An element has a number for each iteration of the loops around the first member.
struct TieGroup {
  std::vector<TieMember> members;
  std::vector<int64_t> dims;  // trips of the loops, then the switch's sizes
  int orientation = 1;        // of the first member's switch in the class's orientation
  bool has_gap = true;
  double weight = 0;  // the policy's, NaN where the direction decides
  const ir::Op& first() const { return *members[0].op; }
  int64_t count() const;
};

enum class EquationForm { Residual, FixedPoint };

class TiedEquations {
 public:
  enum class Kinks { Open, All };  // those without a weight as an operand; all
  TiedEquations(const ir::Op& root, std::vector<ir::Value*> captured, const TieOptions& ties,
                Kinks kinks);

  const std::vector<TieGroup>& groups() const { return groups_; }
  // (captured..., unknowns...) -> F flat (of the fixed-point form of z == T(z): T), then per group
  // its switch. Throws Unsupported where the equations do not have the form.
  std::unique_ptr<ir::Function> plain(EquationForm form) const;
  // The same -> per group: the sum of magnitudes of the terms of its switch, and the weight that
  // was decided before (NaN: none).
  std::unique_ptr<ir::Function> description() const;
  // (captured..., unknowns..., then per group tied i1, weight, u) -> F flat, then per group its
  // switch.
  std::unique_ptr<ir::Function> lifted(EquationForm form) const;
  // Region 1 of a root with weights: per group `tied` and `weight` from the region around.
  struct Decision {
    ir::Value *tied, *weight, *u;  // u null: nothing is added
  };
  // `around`: the copies of captured values.
  std::vector<ir::Value*> decided(ir::Builder& b, const ir::ValueMap& around,
                                  std::span<ir::Value* const> unknowns,
                                  std::span<const Decision> decisions) const;

 private:
  void scan(const ir::Region& region, std::vector<int64_t>& trips);
  void enter(const ir::Op& op, const std::vector<int64_t>& trips);
  TieGroup* groupOf(const ir::Op& op);
  TieMember memberOf(const ir::Op& op, const TieGroup& group);

  const ir::Op& root_;
  std::vector<ir::Value*> captured_;
  TieOptions ties_;
  Kinks kinks_;
  analysis::ValueNumbers numbers_;
  std::vector<TieGroup> groups_;
};

// A vector cut into parts of the given types, in order, and back.
std::vector<ir::Value*> unflattened(ir::Builder& b, ir::Value* vector,
                                    std::span<const ir::Type> types);
ir::Value* flat(ir::Builder& b, ir::Value* v);
ir::Value* joined(ir::Builder& b, std::span<ir::Value* const> flat_parts);

}  // namespace dini::ad
