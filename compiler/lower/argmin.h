// An `argmin` block as a block of equations over its lifted unknowns: its own unknowns x, one unknown
// per row, and those multipliers that the block's value shows. A row is a constraint, or a nonsmooth
// term of something that is not an unknown itself:
//   slack s(x) in K: s = P_K(v), multiplier y = P_K(v) - v   (equalities: y itself is the unknown)
//   term g(E(x)): E(x) = prox_g(v), y = prox_g(v) - v
// Stationarity: grad f(x) = s'(x)' y summed over the rows; for an unknown x_k with a term g(x_k),
// x_k = prox(x_k - gamma (grad f - s'y)_k) with step gamma. Derivation: docs/maths.md, "Optimality
// systems". A solver's point is lifted, and Newton's method on these equations ends the solve.
// Not here: what solvers are given and which is taken (argmin_data.cpp).
#pragma once

#include <unordered_map>
#include <utility>

#include "analysis/polynomial_degree.h"
#include "lower/argmin_objective.h"
#include "lower/scopes.h"
#include "lower/solve_lowering.h"

namespace dini::lower {

// The cone's word in `e in CONE`.
std::string argminCone(const ast::Expr& cone);

// What the base class reads: unknowns and clauses of the lifted block.
struct LiftedBlock {
  ast::SolveExpr lifted_;
};

class ArgminLowering : private LiftedBlock, public SolveLowering {
 public:
  ArgminLowering(Emitter& emitter, const ast::ArgminExpr& block);
  Val lowerBlock();

 private:
  using Degree = analysis::Degree;
  using Expression = std::function<ir::Value*()>;  // evaluated where the unknowns have values
  enum class RowKind { Equality, Nonneg, SecondOrder, Semidefinite, Exponential, Ball1, Term };
  struct Row {
    RowKind kind = RowKind::Equality;
    const ast::BinaryExpr* relation = nullptr;  // of a constraint
    const ast::Expr* bounded = nullptr;         // e of norm(e) <= r and norm1(e) <= r
    const NonsmoothTerm* term = nullptr;
    Span span;
    bool labelled = false;  // its multiplier is part of the value, and an unknown of its own
  };
  // s = left - right; right may be null.
  struct Slack {
    ir::Value *left, *right;
  };

  // --- argmin.cpp
  void collectRows();
  Row rowOf(const ast::ArgminConstraint& constraint);
  void collectComposites();
  bool isUnknownItself(const NonsmoothTerm& term, size_t& unknown);
  void liftUnknowns();
  [[noreturn]] void refuse(const ast::Expr& e, const std::string& what, const std::string& help);
  void refuseKinks();
  bool isSymmetric(size_t unknown) const;
  // What `evaluate` gives where the unknowns have the values x.
  template <class F>
  auto at(std::span<ir::Value* const> x, const F& evaluate);
  // --- argmin_rows.cpp
  ir::Value* scaled(const Scaled& term, ir::Value* value);
  ir::Value* smoothObjective();
  Slack slackOf(const Row& row);
  ir::Value* slackValue(const Row& row);
  ir::Value* termArgument(const NonsmoothTerm& term);
  ir::Value* termWeight(const NonsmoothTerm& term);
  ir::Value* projected(const Row& row, ir::Value* v, ir::Value* step = nullptr);
  ir::Value* proxOf(const NonsmoothTerm& term, ir::Value* v, ir::Value* step);
  ir::Value* multiplier(const Row& row, ir::Value* v);
  ir::Value* symmetric(ir::Value* matrix);
  // --- argmin.cpp
  void classify();
  void prepareWeights();
  std::shared_ptr<const FunctionValue> functionOfX(const std::function<ir::Value*()>& body);
  Val callDerivative(Form form, std::shared_ptr<const FunctionValue> of, ir::Value* z);
  Values gradient(const Expression& of, std::span<ir::Value* const> x);
  Values slacksAt(std::span<ir::Value* const> x);
  std::vector<Equation> stationarity(std::span<ir::Value* const> x, const Values& y);

  Values starts() override;
  std::vector<Equation> equations(std::span<ir::Value* const> unknowns, bool) override;
  Reached runSolver(const Values& starts) override;
  Val value(const Values& solutions) override;
  bool isNewton() override { return false; }
  int64_t kindOfSystem() const override;

  // --- argmin_data.cpp
  std::string defaultSolver();
  Val supplied(const ast::Parameter& parameter, const Values& starts);
  std::shared_ptr<const FunctionValue> rowMap(bool equalities);
  Val rowMatrix(bool equalities, ir::Value* x);
  Val rowVector(bool equalities, ir::Value* x);
  std::shared_ptr<const FunctionValue> proxMap();
  struct LeastSquares {
    const Scaled* term = nullptr;
    const ast::Expr* square = nullptr;  // e
  };
  LeastSquares leastSquaresTerm();
  Val leastSquares(bool matrix);
  Val penalty(const ast::Parameter& parameter);
  [[noreturn]] void missing(const std::string& form, const std::string& why);
  Val callSolver(const ast::FnDecl& decl, const Values& starts, ir::Value*& tolerance);
  ir::Value* solverPoint(const Values& starts, ir::Value*& tolerance, ir::Value*& reason,
                         ir::Value*& iterations);
  ir::Value* liftedPoint(const Val& reached, bool knows_rows);
  ir::Value* unlessConvex(ir::Value* reason);
  Val splitting(ir::Value*& reason, ir::Value*& iterations);
  std::shared_ptr<const FunctionValue> splittingProx(const Values& like);
  ir::Value* liftedSplitting(ir::Value* x, ir::Value* v);
  ir::Value* countOf(ir::Value* array);
  bool hasOnly(std::initializer_list<RowKind> kinds) const;
  bool hasComposites() const;
  bool isPlain() const;  // equalities and inequalities alone
  bool hasNoTerms() const;  // among the rows
  bool isQuadraticProgram() const;

  const ast::ArgminExpr& block_;
  ObjectiveTerms terms_;
  std::vector<Row> rows_;
  std::vector<const NonsmoothTerm*> composites_;  // per unknown, null: none
  std::unordered_map<const NonsmoothTerm*, ir::Value*> weights_;
  Values reference_;  // the gradient of a quadratic objective at 0, subtracted from both sides
  ir::Value* gamma_ = nullptr;
  Values x_start_;
  Degree objective_degree_ = Degree::Beyond, row_degree_ = Degree::Constant;
};

template <class F>
auto ArgminLowering::at(std::span<ir::Value* const> x, const F& evaluate) {
  Emitter::FrameScope scope(e_, *home_, false);
  int saved = std::exchange(e_.prelude_depth_, home_prelude_);
  for (size_t k = 0; k < x.size(); ++k)
    home_->env[block_.unknowns[k].binding.get()] =
        Val::leaf(isSymmetric(k) ? symmetric(x[k]) : x[k]);
  for (const auto& let : block_.lets) e_.exec(*let);
  auto result = evaluate();
  e_.prelude_depth_ = saved;
  return result;
}

}  // namespace dini::lower
