// What the solver of an `argmin` block is given, by the names of its parameters, and which solver
// is taken where the block names none.
#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"
#include "lower/argmin.h"
#include "lower/scopes.h"

namespace dini::lower {

using ast::BinaryOp;
using ast::ExprKind;
using ir::OpCode;
using sema::Builtin;

namespace {

// What rounding leaves of a residual, relative to its terms: times 3 and the square root of their number.
constexpr double kRounding = 1e-15;

// Solution.reason: the problem is not convex.
constexpr int64_t kNotConvex = 7;

// Whether a solver works on the optimality system itself.
bool takesResidual(const ast::FnDecl& solver) {
  return std::any_of(solver.parameters.begin(), solver.parameters.end(),
                     [](const ast::Parameter& p) { return p.name.text == "F"; });
}

}  // namespace

bool ArgminLowering::hasOnly(std::initializer_list<RowKind> kinds) const {
  return std::all_of(rows_.begin(), rows_.end(), [&](const Row& row) {
    return std::find(kinds.begin(), kinds.end(), row.kind) != kinds.end();
  });
}

bool ArgminLowering::hasComposites() const {
  return std::any_of(composites_.begin(), composites_.end(), [](const auto* c) { return c; });
}

bool ArgminLowering::hasNoTerms() const {
  return std::none_of(rows_.begin(), rows_.end(), [](const Row& row) { return row.kind == RowKind::Term; });
}

// A quadratic objective and affine rows.
bool ArgminLowering::isQuadraticProgram() const {
  return objective_degree_ <= Degree::Quadratic && row_degree_ <= Degree::Affine;
}

bool ArgminLowering::isPlain() const { return hasOnly({RowKind::Equality, RowKind::Nonneg}) && !hasComposites(); }

std::string ArgminLowering::defaultSolver() {
  if (hasComposites() && rows_.empty()) {
    const NonsmoothTerm* term = composites_[0];
    bool lasso = composites_.size() == 1 && leastSquaresTerm().square != nullptr &&
                 term->kind == Nonsmooth::Abs && weights_.at(term)->type.isScalar();
    return lasso ? "coordinate_descent" : "fista";
  }
  if (isQuadraticProgram()) return isPlain() ? "interior_point" : "splitting";
  if (isPlain()) return "nlp";
  if (row_degree_ <= Degree::Affine && !hasComposites() && hasNoTerms()) return "sequential_splitting";
  e_.fail(DiagCode::NotYet, block_.span,
          "constraints beyond affine together with cones, and objectives beyond quadratic with nonsmooth "
          "terms of expressions, are not there yet",
          "write the term as a cone over one more unknown: `norm(e) <= t`");
}

void ArgminLowering::missing(const std::string& form, const std::string& why) {
  e_.fail(DiagCode::BadSolver, block_.solver ? block_.solver->name.span : block_.span,
          fmt::format("the solver wants `{}`, and {}", form, why));
}

// x -> left - right of the rows of one kind, of inequalities right - left; one after the other.
std::shared_ptr<const FunctionValue> ArgminLowering::rowMap(bool equalities) {
  return functionOfX([this, equalities] {
    Values parts = {b().fill(b().real(0.0), Values{e_.integer(0)})};
    for (const Row& row : rows_) {
      if ((row.kind == RowKind::Equality) != equalities) continue;
      parts.push_back(flat(Values{b().neg(slackValue(row))}));
    }
    return parts.size() == 1 ? parts[0]
                             : flat(std::span(parts).subspan(1));
  });
}

// A of A x == b, or G of h - G x in the cones, where the rows are affine; their Jacobian at x else.
Val ArgminLowering::rowMatrix(bool equalities, ir::Value* x) {
  bool any = std::any_of(rows_.begin(), rows_.end(), [&](const Row& row) {
    return (row.kind == RowKind::Equality) == equalities;
  });
  if (any) return callDerivative(Form::Jac, rowMap(equalities), x);
  return Val::leaf(b().fill(b().real(0.0), Values{e_.integer(0), e_.sizeOf(x, 0)}));
}

Val ArgminLowering::rowVector(bool equalities, ir::Value* x) {
  return Val::leaf(b().neg(e_.callFunction(*rowMap(equalities), {{"", Val::leaf(x)}}).value));
}

// (v, step) -> prox of the nonsmooth terms, per unknown.
std::shared_ptr<const FunctionValue> ArgminLowering::proxMap() {
  auto f = std::make_shared<FunctionValue>();
  f->kind = FunctionValue::Kind::Native;
  f->native_parameters = {"v", "step"};
  f->native_arguments = {argumentType(x_start_, false), ir::f64()};
  f->native = [this](Emitter&, std::span<const Val> arguments) {
    Emitter::FrameScope scope(e_, *home_, false);
    Values x = unflatten(e_.toReal(arguments[0].value), x_start_);
    for (size_t k = 0; k < x.size(); ++k)
      if (composites_[k] != nullptr)
        x[k] = proxOf(*composites_[k], x[k], e_.toReal(arguments[1].value));
    return Val::leaf(flat(x));
  };
  return f;
}

// The objective's smooth part, if it is c*norm(e)^2 with e affine; else nothing.
ArgminLowering::LeastSquares ArgminLowering::leastSquaresTerm() {
  LeastSquares found;
  if (objective_degree_ != Degree::Quadratic) return found;
  for (const Scaled& term : terms_.smooth()) {
    if (!terms_.dependsOnUnknowns(*term.expression)) continue;
    if (found.term != nullptr || term.negative || term.expression->kind != ExprKind::Binary)
      return {};
    found.term = &term;
    found.square = e_.squaredNorm(ast::as<ast::BinaryExpr>(*term.expression));
  }
  return found.square != nullptr ? found : LeastSquares{};
}

// X and y of norm(X w - y)^2 / 2.
Val ArgminLowering::leastSquares(bool matrix) {
  auto [found, inner] = leastSquaresTerm();
  if (inner == nullptr)
    missing(matrix ? "X" : "y", "the objective is not written as `c*norm(X*w - y)^2` and a prox");
  auto residual = functionOfX([this, found = found, inner = inner] {
    ir::Value* e = e_.toReal(e_.eval(*inner).value);
    ir::Value* factor = b().op(OpCode::Sqrt, {b().mul(b().real(2.0), scaled(*found, b().real(1.0)))});
    return b().mul(factor, flat(Values{e}));
  });
  ir::Value* zero = b().zerosLike(flat(x_start_));
  if (matrix) return callDerivative(Form::Jac, residual, zero);
  return Val::leaf(b().neg(e_.callFunction(*residual, {{"", Val::leaf(zero)}}).value));
}

// The weights of a (weighted) l1 norm of all unknowns.
Val ArgminLowering::penalty(const ast::Parameter& parameter) {
  Values parts;
  for (size_t k = 0; k < composites_.size(); ++k) {
    const NonsmoothTerm* term = composites_[k];
    if (term == nullptr || term->kind != Nonsmooth::Abs)
      missing("penalty", "an unknown has no l1 norm in the objective");
    parts.push_back(weights_.at(term));
  }
  bool scalar = parameter.binding->type->isScalar();
  if (scalar && parts.size() == 1 && parts[0]->type.isScalar()) return Val::leaf(parts[0]);
  if (scalar) missing("penalty", "the weights are not one number");
  for (size_t k = 0; k < parts.size(); ++k)
    if (parts[k]->type.isScalar() && !x_start_[k]->type.isScalar())
      parts[k] = b().fill(parts[k], b().dims(x_start_[k]));
  return Val::leaf(flat(parts));
}

Val ArgminLowering::supplied(const ast::Parameter& parameter, const Values& starts) {
  const std::string& name = parameter.name.text;
  ir::Value* x = flat(x_start_);
  ir::Value* zero = b().zerosLike(x);
  auto objective = [&] { return functionOfX([this] { return smoothObjective(); }); };
  if (name == "F") return Val::of(function("F", starts, false));
  if (name == "f") return Val::of(objective());
  if (name == "z0") {
    bool lifted = block_.solver && takesResidual(*block_.solver->function);
    return Val::leaf(lifted ? flat(starts) : x);
  }
  if (name == "prox") {
    if (!rows_.empty()) missing(name, "the block has rows that are no prox of an unknown");
    return Val::of(proxMap());
  }
  if (name == "X" || name == "y") return leastSquares(name == "X");
  if (name == "penalty") return penalty(parameter);
  if (name == "Q" || name == "q") {
    if (objective_degree_ > Degree::Quadratic) missing(name, "the objective is not quadratic");
    return callDerivative(name == "Q" ? Form::Hess : Form::Grad, objective(), zero);
  }
  if (!hasOnly({RowKind::Equality, RowKind::Nonneg}))
    missing(name, "the block has cones or nonsmooth terms of expressions");
  if (name == "equality" || name == "inequality") return Val::of(rowMap(name == "equality"));
  if (row_degree_ > Degree::Affine) missing(name, "a constraint is not affine");
  bool equalities = name == "A" || name == "b";
  return name == "A" || name == "G" ? rowMatrix(equalities, zero) : rowVector(equalities, zero);
}

// The solver's result, expanded here.
Val ArgminLowering::callSolver(const ast::FnDecl& decl, const Values& starts,
                               ir::Value*& tolerance) {
  std::vector<NamedVal> arguments;
  auto takes = [&](const std::string& name) {
    return std::any_of(decl.parameters.begin(), decl.parameters.end(),
                       [&](const ast::Parameter& p) { return p.name.text == name; });
  };
  if (hasComposites() && !takes("F") && !takes("prox") && !takes("penalty"))
    missing("f", "the objective has a nonsmooth term, whose `prox` the solver does not take");
  for (size_t k = 0; k < decl.parameters.size(); ++k) {
    const ast::Parameter& parameter = decl.parameters[k];
    const std::string& name = parameter.name.text;
    int place = -1;
    const auto& clause = block_.solver;
    if (clause) {
      const auto& declared = clause->function->parameters;
      for (size_t j = 0; j < declared.size() && j < clause->order.size(); ++j)
        if (declared[j].name.text == name) place = clause->order[j];
    }
    if (place >= 0)
      arguments.push_back(
          {name, e_.eval(*clause->arguments[static_cast<size_t>(place)].value)});
    else if (sema::isSuppliedByArgmin(name))
      arguments.push_back({name, supplied(parameter, starts)});
  }
  Env bound;
  Val result = e_.callUser(decl, std::move(arguments), &bound);
  tolerance = b().real(kDefaultTolerance);
  for (const ast::Parameter& parameter : decl.parameters)
    if (parameter.name.text == "tol")
      tolerance = e_.toReal(bound.at(parameter.binding.get()).value);
  return result;
}

// The lifted unknowns, flat, from x (with multipliers y of the equalities and v of the other rows,
// if the solver knows them).
ir::Value* ArgminLowering::liftedPoint(const Val& reached, bool knows_rows) {
  ir::Value* x = reached.isLeaf() ? reached.value : reached.elements[0].value;
  if (rows_.empty()) return x;
  ir::Value *y = nullptr, *v = nullptr;
  if (knows_rows) {
    y = reached.elements[1].value;
    v = reached.elements[2].value;
  } else {
    Val slope = callDerivative(
        Form::Grad, functionOfX([this] { return smoothObjective(); }), x);
    Val estimate = e_.callUser(*preludeFunction("multiplier_estimate"),
                               {{"g", slope},
                                {"A", rowMatrix(true, x)},
                                {"G", rowMatrix(false, x)},
                                {"s", rowVector(false, x)}});
    y = estimate.elements[0].value;
    v = estimate.elements[1].value;
  }
  Values slacks = slacksAt(unflatten(x, x_start_));
  ir::Value *in_y = e_.integer(0), *in_v = e_.integer(0);
  Values parts = {x}, shown;
  for (size_t k = 0; k < rows_.size(); ++k) {
    bool equality = rows_[k].kind == RowKind::Equality;
    ir::Value*& from = equality ? in_y : in_v;
    ir::Value* count = countOf(slacks[k]);
    ir::Value* part = b().slice(equality ? y : v, {from}, {count});
    from = e_.iadd(from, count);
    parts.push_back(part);
    if (equality || !rows_[k].labelled) continue;
    ir::Value* shaped = unflatten(part, std::span(&slacks[k], 1))[0];
    shown.push_back(flat(Values{multiplier(rows_[k], shaped)}));
  }
  parts.insert(parts.end(), shown.begin(), shown.end());
  return b().concat(std::move(parts), 0);
}

ir::Value* ArgminLowering::countOf(ir::Value* array) {
  ir::Value* count = e_.integer(1);
  for (size_t axis = 0; axis < array->type.rank(); ++axis)
    count = e_.imul(count, e_.sizeOf(array, axis));
  return count;
}

// (v, step) -> prox over all rows, then over the unknowns with a term of their own; `like`: shapes.
std::shared_ptr<const FunctionValue> ArgminLowering::splittingProx(const Values& like) {
  auto f = std::make_shared<FunctionValue>();
  f->kind = FunctionValue::Kind::Native;
  f->native_parameters = {"v", "step"};
  f->native_arguments = {argumentType(like, false), ir::f64()};
  f->native = [this, like](Emitter&, std::span<const Val> arguments) {
    Values parts = unflatten(e_.toReal(arguments[0].value), like);
    ir::Value* step = e_.toReal(arguments[1].value);
    at(x_start_, [&] {
      size_t k = 0;
      for (const Row& row : rows_) {
        parts[k] = row.kind == RowKind::Equality ? b().zerosLike(parts[k])
                                                 : projected(row, parts[k], step);
        ++k;
      }
      for (const NonsmoothTerm* term : composites_)
        if (term != nullptr) {
          parts[k] = proxOf(*term, parts[k], step);
          ++k;
        }
      return 0;
    });
    return Val::leaf(flat(parts));
  };
  return f;
}

// The prelude's operator splitting: affine rows of every kind; an objective beyond quadratic by its models. (x, v).
Val ArgminLowering::splitting(ir::Value*& reason, ir::Value*& iterations) {
  Values like = slacksAt(x_start_), hard;
  for (size_t k = 0; k < rows_.size(); ++k)
    hard.push_back(b().fill(b().real(rows_[k].kind == RowKind::Equality ? 1.0 : 0.0),
                            Values{countOf(like[k])}));
  for (size_t k = 0; k < x_start_.size(); ++k)
    if (composites_[k] != nullptr) {
      like.push_back(x_start_[k]);
      hard.push_back(b().fill(b().real(0.0), Values{countOf(x_start_[k])}));
    }
  auto image = functionOfX([this] {
    Values parts;
    for (const Row& row : rows_) parts.push_back(slackValue(row));
    for (size_t k = 0; k < composites_.size(); ++k)
      if (composites_[k] != nullptr)
        parts.push_back(home_->env.at(block_.unknowns[k].binding.get()).value);
    return flat(parts);
  });
  ir::Value* zero = b().zerosLike(flat(x_start_));
  auto objective = functionOfX([this] { return smoothObjective(); });
  std::vector<NamedVal> arguments = {
      {"M", callDerivative(Form::Jac, image, zero)},
      {"c", e_.callFunction(*image, {{"", Val::leaf(zero)}})},
      {"hard", Val::leaf(hard.size() == 1 ? hard[0] : b().concat(hard, 0))},
      {"prox", Val::of(splittingProx(like))}};
  const bool quadratic = objective_degree_ <= Degree::Quadratic;
  if (quadratic) {
    arguments.push_back({"Q", callDerivative(Form::Hess, objective, zero)});
    arguments.push_back({"q", callDerivative(Form::Grad, objective, zero)});
    arguments.push_back({"indicator", Val::leaf(b().boolean(!hasComposites() && hasNoTerms()))});
  } else {
    arguments.push_back({"f", Val::of(objective)});
    arguments.push_back({"z0", Val::leaf(flat(x_start_))});
  }
  Val found = e_.callUser(*preludeFunction(quadratic ? "splitting" : "sequential_splitting"), std::move(arguments));
  iterations = found.elements[2].value;
  reason = found.elements[3].value;
  return found;
}

// The lifted point from what `splitting` gives: of equalities y = -v.
ir::Value* ArgminLowering::liftedSplitting(ir::Value* x, ir::Value* v) {
  Values slacks = slacksAt(unflatten(x, x_start_)), parts = {x}, shown;
  ir::Value* from = e_.integer(0);
  for (size_t k = 0; k < rows_.size(); ++k) {
    ir::Value* count = countOf(slacks[k]);
    ir::Value* part = b().slice(v, {from}, {count});
    from = e_.iadd(from, count);
    bool equality = rows_[k].kind == RowKind::Equality;
    parts.push_back(equality ? b().neg(part) : part);
    if (equality || !rows_[k].labelled) continue;
    ir::Value* shaped = unflatten(part, std::span(&slacks[k], 1))[0];
    shown.push_back(flat(Values{at(x_start_, [&] { return multiplier(rows_[k], shaped); })}));
  }
  parts.insert(parts.end(), shown.begin(), shown.end());
  return parts.size() == 1 ? parts[0] : b().concat(std::move(parts), 0);
}

// The reason "not convex" where the quadratic objective is not, for solvers that do not look.
ir::Value* ArgminLowering::unlessConvex(ir::Value* reason) {
  ir::Value* zero = b().zerosLike(flat(x_start_));
  ir::Value* n = e_.sizeOf(zero, 0);
  Val Q = callDerivative(Form::Hess, functionOfX([this] { return smoothObjective(); }), zero);
  Val none = Val::leaf(b().fill(b().real(0.0), Values{e_.integer(0), n}));
  Val convex = e_.callUser(*preludeFunction("is_convex"), {{"Q", Q}, {"A", none}});
  return b().select(convex.value, reason, e_.integer(kNotConvex));
}

// The point where the solver ends, lifted and flat.
ir::Value* ArgminLowering::solverPoint(const Values& starts, ir::Value*& tolerance,
                                       ir::Value*& reason, ir::Value*& iterations) {
  std::string name = block_.solver ? "" : defaultSolver();
  tolerance = b().real(kDefaultTolerance);
  if (name == "splitting" || name == "sequential_splitting") {
    Val found = splitting(reason, iterations);
    return liftedSplitting(found.elements[0].value, found.elements[1].value);
  }
  const ast::FnDecl* decl = block_.solver ? block_.solver->function : preludeFunction(name);
  const ast::FnDecl* better =
      decl->in_prelude ? e_.shared_.program.preludeFunction(decl->name.text + "_lifted") : nullptr;
  Val found = callSolver(better != nullptr ? *better : *decl, starts, tolerance);
  if (!found.isLeaf()) {
    iterations = found.elements[found.elements.size() - 2].value;
    reason = found.elements.back().value;
  }
  if (!block_.solver && hasComposites() && objective_degree_ == Degree::Quadratic &&
      leastSquaresTerm().square == nullptr)
    reason = unlessConvex(reason);
  if (takesResidual(*decl)) return found.isLeaf() ? found.value : found.elements[0].value;
  return liftedPoint(found, better != nullptr);
}

// The solver, then Newton's method on the optimality system from where it ended. A certificate
// that there is no solution (reasons from 4) is final: no point passes the block's test.
ArgminLowering::Reached ArgminLowering::runSolver(const Values& starts) {
  ir::Value *tolerance = nullptr, *iterations = e_.integer(0), *reason = e_.integer(0);
  ir::Value* z = solverPoint(starts, tolerance, reason, iterations);
  Sizes sizes = sizesAt(unflatten(z, starts));
  ir::Value* magnitude = b().add(b().real(1.0), sizes.scale);
  ir::Value* bound = b().mul(tolerance, magnitude);
  const bool piecewise_affine = isQuadraticProgram() && isPlain();
  ir::Value* rounding = b().real(-1.0);
  if (piecewise_affine) {
    ir::Value* spread = b().op(OpCode::Sqrt, {e_.toReal(e_.sizeOf(z, 0))});
    rounding = b().mul(b().mul(b().real(kRounding), b().add(b().real(3.0), spread)), magnitude);
  }
  Val polished = e_.callUser(*preludeFunction("optimal_point"),
                             {{"F", Val::of(function("F", starts, false))},
                              {"z0", Val::leaf(z)},
                              {"tol", Val::leaf(bound)},
                              {"iterations", Val::leaf(iterations)},
                              {"reason", Val::leaf(reason)},
                              {"rounding", Val::leaf(rounding)}});
  Reached reached = readSolution(polished, starts, false);
  // 6 says of Newton's steps that they met a multiple root.
  ir::Value* given_up = e_.logicalAnd(e_.intOp(OpCode::ILe, e_.integer(4), reached.reason),
                                      e_.logicalNot(reached.multiple));
  reached.tolerance = b().select(given_up, b().real(-1.0), tolerance);
  return reached;
}

}  // namespace dini::lower
