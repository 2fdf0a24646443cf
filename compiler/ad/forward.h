// Forward mode, internal to this folder: one Forward object copies a function and puts beside every
// active value its tangent. Rules are grouped by stratum: forward.cpp (dispatch, elementwise),
// array_rules.cpp, control_rules.cpp, comparison_rules.cpp, solve_rules.cpp, matrix_rules.cpp,
// projection_rules.cpp.
// A rule gets the builder positioned after the copied primal operation, reads primal values through
// x(), tangents through dot() (null: zero), and stores the tangent of a result with setDot().
#pragma once

#include <unordered_map>

#include "ad/ad.h"
#include "analysis/activity.h"
#include "analysis/guarded.h"
#include "ir/builder.h"
#include "ir/clone.h"

namespace dini::ad {

class Forward {
 public:
  Forward(ir::Module& module, const ir::Function& f, const Request& request,
          analysis::Caller caller);
  std::unique_ptr<ir::Function> run(const std::string& name);

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
  bool arrayRule(ir::Builder& b, const ir::Op& op);
  void reduceRule(ir::Builder& b, const ir::Op& op);
  void einsumRule(ir::Builder& b, const ir::Op& op);
  void normRules(ir::Builder& b, const ir::Op& op);
  bool matrixRule(ir::Builder& b, const ir::Op& op);
  void linearSolveRule(ir::Builder& b, const ir::Op& op);
  void solveFactoredRule(ir::Builder& b, const ir::Op& op);
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
  void ifRule(ir::Builder& b, const ir::Op& op);
  void comparisonIfRule(ir::Builder& b, const ir::Op& op);
  void tryRule(ir::Builder& b, const ir::Op& op);
  void callRule(ir::Builder& b, const ir::Op& op);
  void rootRule(ir::Builder& b, const ir::Op& op);
  std::vector<ir::Value*> regionWithDots(ir::Builder& b, const ir::Region& region,
                                         std::span<ir::Value* const> flags);

  // Comparison.
  struct Sides {
    std::vector<ir::Value*> then, otherwise;  // primal values, then tangents
  };
  bool isBlended(const ir::Op& op) const;
  std::vector<ir::Value*> forcedRegion(ir::Builder& b, const ir::Op& op, size_t side);
  Sides bothSides(ir::Builder& b, const ir::Op& op, ir::Value* tie);
  void guardedComparison(ir::Builder& b, const ir::Op& op);
  ir::Value* blended(ir::Builder& b, const ir::Op& op, ir::Value* then, ir::Value* otherwise);
  // Whether the class of this switch has a side fixed by an enclosing one: +1 its branch a, -1 its
  // branch b, 0 not fixed.
  int forcedSide(const ir::Op& op) const;

  ir::Module& module_;
  const ir::Function& source_;
  Request request_;
  analysis::Activity activity_;
  analysis::Guarded guarded_;
  std::unique_ptr<ir::Function> result_;
  ir::ValueMap primal_;
  std::vector<std::pair<int64_t, int>> forced_;  // kink class, side in the class's orientation
  bool blends_ = true;  // false in the copy of a side that runs only at a tie
  std::unordered_map<const ir::Value*, ir::Value*> dots_;
};

// jvp of a function whose kinks are already unified (attributes kept from the enclosing function).
std::unique_ptr<ir::Function> forward(ir::Module& module, const ir::Function& f,
                                      const Request& request, const std::string& name,
                                      analysis::Caller caller = analysis::Caller::UsesEverything);

}  // namespace dini::ad
