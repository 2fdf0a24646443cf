// Forward mode, internal to this folder: one Forward object copies a function and puts beside every
// active value its tangent. Rules are grouped by stratum: forward.cpp (dispatch, elementwise),
// array_rules.cpp, control_rules.cpp, comparison_rules.cpp, solve_rules.cpp, matrix_rules.cpp,
// projection_rules.cpp.
// A rule gets the builder positioned after the copied primal operation, reads primal values through
// x(), tangents through dot() (null: zero), and stores the tangent of a result with setDot().
// With a stage the same sweep is a probe (probe.h): its tangents are ordinary values along a given
// direction, and what it adds to the copy are the weights of kinks that have none.
#pragma once

#include <optional>
#include <unordered_map>

#include "ad/ad.h"
#include "ad/probe.h"
#include "analysis/activity.h"
#include "analysis/guarded.h"
#include "ir/builder.h"
#include "ir/clone.h"

namespace dini::ad {

// What the status of a singular Jacobian says of a root; empty where the status says it all.
std::string singularText(const ir::Op& root);
// A z_dot = moved with the matrix A', by the factorisation or iteration that the root asks for, with its statuses.
ir::Value* solveSystem(ir::Builder& b, ir::Module& module, const ir::Op& root, ir::Value* multiple,
                       ir::Value* matrix, ir::Value* moved);

struct RootPoint;
class RootSystem;
class TieSet;
class TiedEquations;

class Forward {
 public:
  // The first `results` results are differentiated, the tangents of others are zero.
  Forward(ir::Module& module, const ir::Function& f, const Request& request,
          analysis::Caller caller, size_t results = SIZE_MAX,
          std::optional<ProbeStage> stage = std::nullopt);
  std::unique_ptr<ir::Function> run(const std::string& name);
  // probe.h
  std::unique_ptr<ir::Function> runProbe(const std::string& name, ProbeSeeds seeds);

 private:
  // Access to the copy.
  ir::Value* x(const ir::Value* old) const;    // the copied primal value
  ir::Value* dot(const ir::Value* old) const;  // its tangent, or null
  ir::Value* dotOrZero(ir::Builder& b, const ir::Value* old);
  void setDot(const ir::Value* old, ir::Value* tangent);
  bool active(const ir::Value* old) const { return activity_.active(old); }
  // A tangent grown to the shape of `like` where it is a scalar beside an array.
  ir::Value* expanded(ir::Builder& b, ir::Value* tangent, ir::Value* like);
  // coefficient * tangent; zero where the tangent is, if `result` may be dropped downstream.
  ir::Value* scaled(ir::Builder& b, ir::Value* coefficient, ir::Value* tangent,
                    const ir::Value* result);
  // Sum of tangents, nulls skipped; null if all are.
  ir::Value* sum(ir::Builder& b, ir::Value* s, ir::Value* t);

  // Copies operations with their tangents; then yields are read through x() and dot().
  void visitOps(ir::Builder& b, const ir::Region& region);
  void visit(ir::Builder& b, const ir::Op& op);
  // x() of `values`, then dotOrZero() of the active among `flags`.
  void appendPrimal(std::vector<ir::Value*>& out, std::span<ir::Value* const> values) const;
  void appendDots(ir::Builder& b, std::vector<ir::Value*>& out,
                  std::span<ir::Value* const> values, std::span<ir::Value* const> flags);
  // Takes the next entries of `values` as x() (as dot() of the active ones) of `olds`.
  void takePrimal(std::span<ir::Value* const> olds, std::span<ir::Value* const> values, size_t& at);
  void takeDots(std::span<ir::Value* const> olds, std::span<ir::Value* const> values, size_t& at);

  void elementwise(ir::Builder& b, const ir::Op& op);
  ir::Value* productTangent(ir::Builder& b, const ir::Op& op);
  void chooseRule(ir::Builder& b, const ir::Op& op);
  ir::Value* kinkTangent(ir::Builder& b, const ir::Op& op, ir::Value* a_dot, ir::Value* b_dot);
  bool arrayRule(ir::Builder& b, const ir::Op& op);
  void reduceRule(ir::Builder& b, const ir::Op& op);
  void einsumRule(ir::Builder& b, const ir::Op& op);
  void normRules(ir::Builder& b, const ir::Op& op);
  bool matrixRule(ir::Builder& b, const ir::Op& op);
  void linearSolveRule(ir::Builder& b, const ir::Op& op);
  void solveFactoredRule(ir::Builder& b, const ir::Op& op);
  void sparseSolveRule(ir::Builder& b, const ir::Op& op);
  void leastSquaresRule(ir::Builder& b, const ir::Op& op);
  void choleskyRule(ir::Builder& b, const ir::Op& op);
  void eighRule(ir::Builder& b, const ir::Op& op);
  void svdRule(ir::Builder& b, const ir::Op& op);
  void qrRule(ir::Builder& b, const ir::Op& op);
  bool projectionRule(ir::Builder& b, const ir::Op& op);
  void simplexRule(ir::Builder& b, const ir::Op& op);
  void socMapRule(ir::Builder& b, const ir::Op& op);
  ir::Value* socCurvature(ir::Builder& b, const ir::Op& op, ir::Value* v_dot);
  void spectralRule(ir::Builder& b, const ir::Op& op);

  bool controlRule(ir::Builder& b, const ir::Op& op);
  void loopRule(ir::Builder& b, const ir::Op& op);
  void whileRule(ir::Builder& b, const ir::Op& op);
  void branchRule(ir::Builder& b, const ir::Op& op, ir::Value* condition, ir::Attrs attrs,
                  std::vector<ir::Value*> compared);
  void comparisonIfRule(ir::Builder& b, const ir::Op& op);
  void tryRule(ir::Builder& b, const ir::Op& op);
  void callRule(ir::Builder& b, const ir::Op& op);
  void inverseRule(ir::Builder& b, const ir::Op& op);
  void rootRule(ir::Builder& b, const ir::Op& op);
  void countedRootRule(ir::Builder& b, const ir::Op& op, bool counts);
  void plainRootRule(ir::Builder& b, const ir::Op& op);
  // --- reduced_root.cpp
  // What is done about switches that are near their ties: noted for a rerun, or, where they have been
  // decided or cannot be, told by the kinks themselves.
  enum class NearTies { Noted, Told };
  // The rule with the system of active rows only. False, and nothing done, where no branch can be
  // constant, or the equations do not have the form.
  bool reducedRoot(ir::Builder& b, const ir::Op& op, const ir::Op& copy, NearTies ties);
  // --- root_rules.cpp
  std::optional<RootPoint> rootPoint(const ir::Op& op, const ir::Op& copy);
  void setRootDots(ir::Builder& b, const RootPoint& point, ir::Value* z_dot);
  void requireRegular(ir::Builder& b, const RootPoint& point, const TiedEquations& equations,
                      const TieSet& set, ir::Value* held);
  void notedRoot(ir::Builder& b, const RootPoint& point, const RootSystem& system, TieSet& set,
                 ir::Value* matrix);
  void probeRoot(ir::Builder& b, const ir::Op& copy, const RootPoint& point,
                 const TiedEquations& equations);
  ir::Value* withDistances(ir::Builder& b, const RootPoint& point, const TiedEquations& equations,
                           const RootSystem& system, const TieSet& set, ir::Value* z_dot,
                           ir::Value* weights);
  ir::Value* reportedWeights(ir::Builder& b, const ir::Op& root, const TiedEquations& equations,
                             const RootSystem& system, ir::Value* near, ir::Value* weights,
                             ir::Value* verdict);
  void weighedRoot(ir::Builder& b, const ir::Op& copy, const RootPoint& point,
                   const TiedEquations& equations, ir::Value* near, ir::Value* weights);
  std::vector<ir::Value*> regionWithDots(ir::Builder& b, const ir::Region& region,
                                         std::span<ir::Value* const> flags);

  // Comparison.
  struct Sides {
    std::vector<ir::Value*> then, otherwise;  // primal values, then tangents
  };
  bool comparesSides(const ir::Op& op) const;
  std::vector<ir::Value*> forcedRegion(ir::Builder& b, const ir::Op& op, size_t side);
  // |u - v| <= 1e-12 max(|u|, |v|) + 100 tolerance everywhere; equality for integers and booleans.
  ir::Value* sidesAgree(ir::Builder& b, const ir::Op& op, std::span<ir::Value* const> u,
                        std::span<ir::Value* const> v);
  Sides bothSides(ir::Builder& b, const ir::Op& op, ir::Value* tie);
  // Whether what a result's tangent becomes may be thrown away again: no NaN may come from it then.
  bool isGuarded(const ir::Value* result) const { return both_sides_ || guarded_.contains(result); }
  ir::Value* jumpTold(ir::Builder& b, const ir::Op& op, ir::Value* tie, ir::Value* smooth);
  void guardedComparison(ir::Builder& b, const ir::Op& op);
  ir::Value* blended(ir::Builder& b, const ir::Op& op, ir::Value* then, ir::Value* otherwise);
  // Whether the class of this switch has a side fixed by an enclosing one: +1 its branch a, -1 its
  // branch b, 0 not fixed.
  int forcedSide(const ir::Op& op) const;

  void plainComparison(ir::Builder& b, const ir::Op& op);
  ir::Attrs decidedAttrs(const ir::Op& op) const;
  std::vector<ir::Value*> decidedOperands(const ir::Op& op) const;

  // --- probe_rules.cpp
  bool probing() const { return stage_.has_value(); }
  void seedDirection(ir::Builder& b);
  // A switch p - q with its tangent and the magnitude of the terms of that.
  struct Switch {
    ir::Value *p, *q;  // p moved onto q within the tie tolerance
    ir::Value *dot, *magnitude;
  };
  Switch switchOf(ir::Builder& b, const ir::Op& op, size_t p, size_t q);
  // The weight of branch a at a tie as this stage knows it, from what earlier stages left (or null).
  ir::Value* decided(ir::Builder& b, const ir::Op& op, const Switch& s, ir::Value* earlier);
  // Still undecided: whether the sides' tangents differ.
  ir::Value* differ(ir::Builder& b, ir::Value* a_dot, ir::Value* b_dot);
  bool statesGap(const ir::Op& op) const;
  // The weight of the last stage: what is open takes its default; the tie is reported.
  ir::Value* settled(ir::Builder& b, const ir::Op& op, const Switch& s, ir::Value* t,
                     ir::Value* kind_at_tie);
  void probeChoose(ir::Builder& b, const ir::Op& op);
  void probeComparison(ir::Builder& b, const ir::Op& op);
  std::vector<ir::Value*> sidesAtTie(ir::Builder& b, const ir::Op& op);
  bool probeDecides(const ir::Op& op) const;
  // Of a kink inside equations that the probe does not reach, `value` (a tangent, a condition): the
  // fast variant notes where it is near its tie, the other reports it as undecided.
  ir::Value* leftOpen(ir::Builder& b, const ir::Op& op, ir::Value* value);
  // t (any value), with the distance told within which ties that are decided by a bound may lie.
  ir::Value* withDistance(ir::Builder& b, const ir::Op& op, ir::Value* near, ir::Value* bound,
                          ir::Value* s_dot, ir::Value* t);
  ir::Value* withToleranceDistance(ir::Builder& b, const ir::Op& op, const Switch& s, ir::Value* earlier, ir::Value* t);
  ir::Value* withoutDistance(ir::Builder& b, const ir::Op& op, ir::Value* where, ir::Value* t);
  // --- probe_equalities.cpp
  // A condition that is no switch, with the places told where what it compares is equal.
  // `loop`: the `while` that it belongs to, or null.
  ir::Value* conditionTold(ir::Builder& b, const ir::Value* condition, const ir::Op* loop);
  bool comparesMoving(const ir::Value* value, const ir::Op* loop) const;
  bool maySwitch(const ir::Op& op) const;
  void selectBetweenConstants(ir::Builder& b, const ir::Op& op);
  // --- probe_irreducible.cpp
  ir::Value* onKink(ir::Builder& b, const ir::Op& op);
  ir::Value* noted(ir::Builder& b, const ir::Op& op, ir::Value* tangent);
  std::vector<ir::Value*> told(ir::Builder& b, const ir::Op& op, ir::Value* h,
                               std::vector<ir::Value*> values);
  bool probeIrreducible(ir::Builder& b, const ir::Op& op);
  bool sortOnceMore(ir::Builder& b, const ir::Op& op);
  bool decideIrreducible(ir::Builder& b, const ir::Op& op);
  void probeNorm(ir::Builder& b, const ir::Op& op, ir::Value* v, ir::Value* h);
  void probeExtreme(ir::Builder& b, const ir::Op& op, ir::Value* v, ir::Value* h);
  ir::Value* reported(ir::Builder& b, const ir::Op& op, ir::Value* s, ir::Value* kind,
                      ir::Value* t);
  ir::Value* elementNumbers(ir::Builder& b, ir::Value* like);

  ir::Module& module_;
  const ir::Function& source_;
  Request request_;
  analysis::Activity activity_;
  analysis::Guarded guarded_;
  bool both_sides_ = false;  // of an `if` are computed, of which only one is taken
  std::unique_ptr<ir::Function> result_;
  ir::ValueMap primal_;
  std::vector<std::pair<int64_t, int>> forced_;  // kink class, side in the class's orientation
  bool blends_ = true;  // false in the copy of a side that runs only at a tie
  std::optional<ProbeStage> stage_;
  std::vector<std::pair<ir::Value*, ir::Value*>> members_;  // index and trip of the maps around
  std::unordered_map<const ir::Value*, ir::Value*> dots_;
};

// jvp of a function whose kinks are already unified (attributes kept from the enclosing function).
std::unique_ptr<ir::Function> forward(ir::Module& module, const ir::Function& f,
                                      const Request& request, const std::string& name,
                                      analysis::Caller caller = analysis::Caller::UsesEverything,
                                      size_t results = SIZE_MAX);

}  // namespace dini::ad
