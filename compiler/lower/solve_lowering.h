// How a block of equations becomes a Root operation: the solver region is a solver's Dini function
// expanded over the residual as a function value, the residual region holds the equations. The
// equations are lowered anew wherever the solver evaluates them.
// `solve` blocks are solve.cpp; an `argmin` block is a block over its lifted unknowns (argmin.h), which
// replaces the virtual parts.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lower/emitter.h"

namespace dini::lower {

inline constexpr double kDefaultTolerance = 1e-10;

class SolveLowering {
 public:
  SolveLowering(Emitter& emitter, const ast::SolveExpr& e)
      : e_(emitter), solve_(e), home_(emitter.frame_), home_prelude_(emitter.prelude_depth_) {
    orderFixedPoint();
  }
  virtual ~SolveLowering() = default;
  SolveLowering(const SolveLowering&) = delete;
  Val lower();

 protected:
  struct Equation {
    ir::Value* lhs;
    ir::Value* rhs;
  };
  using Values = std::vector<ir::Value*>;

  ir::Builder& b() { return e_.b(); }
  void orderFixedPoint();
  virtual Values starts();
  virtual std::vector<Equation> equations(std::span<ir::Value* const> unknowns,
                                          bool as_fixed_point);
  ir::Value* flat(std::span<ir::Value* const> values);
  Values unflatten(ir::Value* z, std::span<ir::Value* const> like);
  std::shared_ptr<const FunctionValue> function(const std::string& kind, const Values& like,
                                                bool scalar);
  static ir::Type argumentType(const Values& like, bool scalar);
  struct Reached {
    Values solutions;
    ir::Value *iterations, *reason, *multiple;
    ir::Value* rcond = nullptr;      // null: the solver has no estimate
    ir::Value* tolerance = nullptr;  // that the block tests with
  };
  // The largest |lhs - rhs| of the equations, and of all sides.
  struct Sizes {
    ir::Value *residual, *scale;
  };
  virtual Reached runSolver(const Values& starts);
  // solve_sparse.cpp: adds `step` and `damped` of newton_by_steps where the Jacobian is sparse.
  bool sparseSteps(const Values& starts, std::vector<NamedVal>& arguments);
  Reached readSolution(const Val& result, const Values& like, bool scalar);
  Reached given();
  Sizes sizesAt(const Values& solutions);
  ir::Value* passes(const Sizes& sizes, ir::Value* tolerance);
  void estimateCondition(Reached& reached, const Values& like, ir::Value* fine = nullptr);
  const ast::Expr* solverArgument(const std::string& name);
  virtual Val value(const Values& solutions);
  Val unrolled(const Reached& start);
  Values simpleRoots(const Reached& reached);
  Val root(const Reached& start);
  Val orNan(const std::function<Val()>& solve);
  const ast::FnDecl* preludeFunction(const std::string& name) {
    const ast::FnDecl* decl = e_.shared_.program.preludeFunction(name);
    check(decl != nullptr, "the prelude lacks a function that solves need");
    return decl;
  }
  bool isGiven() const { return solve_.solver && solve_.solver->function == nullptr; }
  const ast::FnDecl& solver() {
    return solve_.solver ? *solve_.solver->function : *preludeFunction("newton");
  }
  virtual bool isNewton() { return !isGiven() && solver().in_prelude && solver().name.text == "newton"; }
  bool hasToleranceOnly();
  // attrs.i of the Root: what the equations are, beyond equations.
  virtual int64_t kindOfSystem() const { return 0; }
  const ast::Expr* differentiateArgument(const char* name) const;
  // The word of `linear`, empty where there is none.
  std::string linearMethod() const;
  ir::Structure factorisation() const;
  std::string differentiation(const Values& starts);
  void addMethod(const std::string& name, const std::string& word, const ir::Type& vector, double tol);
  std::string mode() const {
    return solve_.differentiate ? solve_.differentiate->mode.text : "implicit";
  }
  Emitter& e_;
  const ast::SolveExpr& solve_;
  Frame* home_;  // the activation that the block stands in
  int home_prelude_;
  // Of a block in which every equation is `unknown == expression`: per unknown its equation, and
  // whether the unknown is on the left. Empty otherwise.
  struct FixedPointForm {
    size_t equation;
    bool left;
  };
  std::vector<FixedPointForm> fixed_point_;
};

}  // namespace dini::lower
