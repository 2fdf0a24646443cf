// What the rule of roots is made of, internal to this folder: the equations at the solution with
// their derivatives, the set of tied switches, and the weights of those.
// Mathematics: docs/maths.md, "Ties inside equations"; the rule itself: root_rules.cpp.
#pragma once

#include "ad/ad.h"
#include "ad/linear_map.h"
#include "ad/tied_equations.h"
#include "ir/builder.h"

namespace dini::ad {

// A root that is differentiated.
struct RootPoint {
  const ir::Op& op;
  std::vector<ir::Value*> captured;   // by the equations, in the function that is differentiated
  std::vector<ir::Value*> arguments;  // their copies, then the solutions
  std::vector<bool> active;           // of the arguments
  std::vector<ir::Value*> tangents;   // of the active ones: of captured values, null for unknowns
  std::vector<ir::Value*> shapes;     // of the tangents
  ir::Value* multiple = nullptr;      // what the root's solver says
  size_t moving = 0;                  // active captured values
  bool isImplicit() const;
  EquationForm form() const {
    return isImplicit() ? EquationForm::Residual : EquationForm::FixedPoint;
  }
  size_t unknowns() const { return arguments.size() - captured.size(); }
  std::span<ir::Value* const> solutions() const {
    return std::span(arguments).subspan(captured.size());
  }
};

// Weights for the lifted equations: per group, in its dimensions.
struct TieWeights {
  std::vector<ir::Value*> tied, weights;
};

// The equations at the solution: their value, the switches, and the derivatives of both. Operations
// go where the builder stands; what along() gives is linear, the matrices are not.
class RootSystem {
 public:
  // The equations as they stand.
  RootSystem(ir::Builder& b, ir::Module& module, const RootPoint& point, const Request& request,
             const TiedEquations& equations);
  // The lifted ones, with these weights.
  RootSystem(ir::Builder& b, ir::Module& module, const RootPoint& point, const Request& request,
             const TiedEquations& equations, const TieWeights& weights, EquationForm form);

  ir::Value* residual() const { return values_[0]; }
  ir::Value* switchValue(size_t group) const { return values_[1 + group]; }
  // Per result (F, then switches) its derivatives by the unknowns: rows are unknowns.
  std::vector<ir::Value*> byUnknowns(ir::Builder& b) const {
    return rows(b, moving_, moving_ + unknowns_);
  }
  // Of the lifted form, by the term added to each switch's relu.
  std::vector<ir::Value*> byTerms(ir::Builder& b) const {
    return rows(b, moving_ + unknowns_, moving_ + unknowns_ + terms_);
  }
  // Per result, along tangents of the captured values and, where given, of the unknowns.
  std::vector<ir::Value*> along(ir::Builder& b, std::span<ir::Value* const> moving,
                                std::span<ir::Value* const> unknowns = {}) const;

 private:
  void place(ir::Builder& b, ir::Module& module, std::unique_ptr<ir::Function> function,
             const Request& request, std::vector<ir::Value*> arguments,
             std::vector<ir::Value*> shapes);
  std::vector<ir::Value*> rows(ir::Builder& b, size_t first, size_t last) const;

  size_t moving_, unknowns_, terms_, outs_;
  std::optional<LinearMap> map_;
  std::vector<ir::Value*> values_;
};

// Which switches are tied at the solution.
class TieSet {
 public:
  // `system`: the equations as they stand; `images`: its byUnknowns().
  TieSet(ir::Builder& b, const RootPoint& point, const TiedEquations& equations,
         const TieOptions& ties, const RootSystem& system, std::vector<ir::Value*> images);

  // A switch vanishes up to the rounding of its terms.
  ir::Value* roundsToTie(ir::Builder& b) const;
  // Sets the bound: |s_i| <= ||ds_i/dz||_1 e + 64 eps scale(s_i).
  void setCorrection(ir::Builder& b, ir::Value* e);
  // Switches that exactly vanish and have weights by now.
  void setExact(ir::Builder& b);
  ir::Value* any(ir::Builder& b) const { return anyOf(b, near_); }
  const std::vector<ir::Value*>& near() const { return near_; }        // per group, flat
  const std::vector<ir::Value*>& bounds() const { return bounds_; }    // after setCorrection()
  const std::vector<ir::Value*>& earlier() const { return earlier_; }  // weights, NaN: none
  static ir::Value* anyOf(ir::Builder& b, std::span<ir::Value* const> conditions);

 private:
  const RootSystem& system_;
  double tolerance_;
  std::vector<ir::Value*> images_, rounding_, earlier_, near_, bounds_;
};

// Of the tied switches: weights, the derivative of the solution along the direction, and what the
// test for P-matrices says. Flat vectors.
struct TieDecision {
  ir::Value *weights = nullptr, *z_dot = nullptr, *verdict = nullptr;
};
struct TieAnswer : TieDecision {
  std::vector<TieDecision> inner;  // of joined roots, one by one: for their verdicts
};
// `held`: weights that stand already, NaN elsewhere. `direction`: tangents of the moving captured
// values, or empty: no direction, no decision.
TieAnswer decideTies(ir::Builder& b, ir::Module& module, const RootPoint& point,
                     const Request& request, const TiedEquations& equations,
                     std::span<ir::Value* const> near, ir::Value* held,
                     std::span<ir::Value* const> direction);
// Ends the call with the status Irregular where the verdict is a refutation.
void refuseIrregular(ir::Builder& b, const RootPoint& point, const TiedEquations& equations,
                     const TieAnswer& answer);

// Whether there are kinks that the groups do not count, which note ties of their own.
bool hasOtherKinks(const ir::Region& equations);
std::vector<ir::Type> groupTypes(const TiedEquations& equations, ir::Elem elem);
ir::Value* largestMagnitude(ir::Builder& b, ir::Value* vector);

}  // namespace dini::ad
