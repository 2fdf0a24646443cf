// argmin blocks: unknowns, objective, constraints and cones, labels, what a solver is given.
// Not here: which problems the block's objective and constraints make (lower/argmin.cpp).
#include <algorithm>

#include <fmt/format.h>

#include "sema/checker.h"

namespace dini::sema {

TypePtr Checker::checkArgmin(ast::ArgminExpr& expr) {
  checkUnknowns(expr.unknowns);
  {
    ScopeGuard scope(*this, ScopeKind::Solve);
    for (auto& unknown : expr.unknowns)
      if (!unknown.name.text.empty()) scopes_.back().names[unknown.name.text] = unknown.binding;
    checkLets(expr.lets);
    checkObjective(expr);
    for (ast::ArgminConstraint& constraint : expr.constraints)
      if (constraint.relation) constraint.relation->type = checkConstraint(constraint);
    checkLabels(expr);
  }
  checkArgminSolver(expr);
  if (expr.differentiate) {
    checkDifferentiate(*expr.differentiate);
    if (expr.differentiate->mode.text != "implicit")
      report(DiagCode::NotYet, expr.differentiate->mode.span,
             fmt::format("`differentiate {}` of an `argmin` block is not there yet",
                         expr.differentiate->mode.text))
          .help = "`differentiate implicit`, the default, needs no words";
  }
  return checkWith(expr);
}

void Checker::checkObjective(ast::ArgminExpr& expr) {
  if (!expr.objective) return;
  TypePtr type = check(expr.objective);
  if (type->isError() || (isNumeric(*type) && type->rank() == 0)) return;
  auto& d = report(DiagCode::BadEquation, expr.objective->span,
                   fmt::format("the objective is {}, where a real is expected", str(type)));
  if (isNumeric(*type)) d.help = "`sum(...)` or `norm(...)` make one number of it";
}

void Checker::checkLabels(ast::ArgminExpr& expr) {
  for (size_t k = 0; k < expr.constraints.size(); ++k) {
    const auto& label = expr.constraints[k].label;
    if (!label) continue;
    auto clash = [&](const ast::Name& other) {
      if (other.text != label->text) return;
      auto& d = report(DiagCode::DuplicateName, label->span,
                       fmt::format("`{}` is the name of two things in this block", label->text));
      d.labels.push_back({other.span, "first here"});
    };
    for (const ast::Unknown& unknown : expr.unknowns) clash(unknown.name);
    for (size_t j = 0; j < k; ++j)
      if (expr.constraints[j].label) clash(*expr.constraints[j].label);
  }
}

// The shape of the constraint's slack and multiplier, as an array of reals.
TypePtr Checker::checkConstraint(ast::ArgminConstraint& constraint) {
  auto& relation = ast::as<ast::BinaryExpr>(*constraint.relation);
  if (relation.op == ast::BinaryOp::In) return checkCone(relation);
  TypePtr lhs = check(relation.lhs), rhs = check(relation.rhs);
  if (lhs->isError() || rhs->isError()) return types::errorType();
  if (!isNumeric(*lhs) || !isNumeric(*rhs)) {
    auto& d = report(DiagCode::BadEquation, relation.op_span,
                     fmt::format("a constraint between {} and {}, where reals or arrays of reals "
                                 "are expected",
                                 str(lhs), str(rhs)));
    if (lhs->kind == Kind::Covector && rhs->kind == Kind::Covector) d.help = "transpose both sides";
    return types::errorType();
  }
  return elementwise(relation, Scalar::Real);
}

// E in zero, nonneg, soc(k), psd(k), exp. The cone is a word here, no name.
TypePtr Checker::checkCone(ast::BinaryExpr& relation) {
  TypePtr type = check(relation.lhs);
  ast::Expr& cone = *relation.rhs;
  cone.type = types::unitType();
  bool call = cone.kind == ast::ExprKind::Call;
  ast::Expr* head = call ? ast::as<ast::CallExpr>(cone).callee.get() : &cone;
  std::string word = head->kind == ast::ExprKind::Name ? ast::as<ast::NameExpr>(*head).name : "";
  head->type = types::unitType();
  bool sized = word == "soc" || word == "psd";
  if (!sized && word != "zero" && word != "nonneg" && word != "exp") {
    auto& d = report(DiagCode::BadEquation, cone.span, "no cone stands after `in`");
    d.help = "the cones are zero, nonneg, soc(k), psd(k) and exp";
    return types::errorType();
  }
  auto* arguments = call ? &ast::as<ast::CallExpr>(cone).arguments : nullptr;
  bool fine = sized ? call && arguments->size() == 1 && !arguments->front().name : !call;
  if (!fine) {
    if (call) checkLeftovers(*arguments);
    report(DiagCode::BadEquation, cone.span,
           sized ? fmt::format("`{}` takes its size: `{}(3)`", word, word)
                 : fmt::format("`{}` takes no argument", word));
    return types::errorType();
  }
  std::vector<Size> dims = {Size(3)};
  if (sized) dims = {checkSize(arguments->front().value, fmt::format("the size of `{}`", word))};
  if (word == "psd") dims.push_back(dims[0]);
  if (type->isError()) return type;
  bool shaped = isNumeric(*type);
  if (sized || word == "exp")
    shaped = shaped && type->rank() == dims.size() &&
             unifyDims(type->dims, dims) != Verdict::Different;
  if (shaped) return types::realType(type->dims);
  auto& d = report(DiagCode::ShapeMismatch, relation.op_span,
                   fmt::format("{} in `{}`", str(type), word));
  d.labels.push_back({relation.lhs->span, fmt::format("this is {}", str(type))});
  bool any = word == "zero" || word == "nonneg";
  d.labels.push_back({cone.span, any ? std::string("takes reals and arrays of reals")
                                     : "takes " + str(types::realType(dims))});
  return types::errorType();
}

// The block's value: all unknowns, or what `with` names.
TypePtr Checker::checkWith(ast::ArgminExpr& expr) {
  std::vector<TypePtr> all;
  std::vector<std::string> names;
  for (const ast::Unknown& unknown : expr.unknowns) {
    names.push_back(unknown.name.text);
    if (expr.with.empty()) all.push_back(unknown.binding->type);
  }
  for (const auto& constraint : expr.constraints)
    if (constraint.label) names.push_back(constraint.label->text);
  for (const ast::Name& name : expr.with) {
    for (const ast::Unknown& unknown : expr.unknowns)
      if (unknown.name.text == name.text) all.push_back(unknown.binding->type);
    for (const auto& constraint : expr.constraints)
      if (constraint.label && constraint.label->text == name.text && constraint.relation)
        all.push_back(constraint.relation->type);
    if (std::find(names.begin(), names.end(), name.text) != names.end()) continue;
    suggest(report(DiagCode::UnknownName, name.span,
                   fmt::format("`{}` is no unknown and no label of this block", name.text)),
            name.text, names);
    return types::errorType();
  }
  bool broken = all.empty() || !expr.objective || reportedInside(expr.span);
  for (const TypePtr& type : all) broken = broken || type->isError();
  if (broken) return types::errorType();
  return all.size() == 1 ? all[0] : types::tuple(std::move(all));
}

void Checker::checkArgminSolver(ast::ArgminExpr& expr) {
  if (!expr.solver) return;
  ast::SolverClause& clause = *expr.solver;
  ast::FnDecl* solver = world_.function(clause.name.span.file, clause.name.text);
  if (!solver && clause.name.text == "given") {
    checkLeftovers(clause.arguments);
    report(DiagCode::NotYet, clause.name.span, "`given` of an `argmin` block is not there yet");
    return;
  }
  if (!solver) return reportNoSolver(clause);
  clause.function = solver;
  if (function_) calls_[function_].push_back(solver);
  if (!solver->type) return;
  Signature signature = instantiate(*solver);
  if (!suppliesData(expr, signature)) return;
  auto given = [&](const std::string& name) {
    return std::any_of(clause.arguments.begin(), clause.arguments.end(),
                       [&](const auto& a) { return a.name && a.name->text == name; });
  };
  auto supplied = [&](size_t k) {
    const std::string& name = signature.parameters[k].name;
    return isSuppliedByArgmin(name) && !given(name);
  };
  if (!matchArguments(signature, clause.arguments, clause.span, clause.order, supplied))
    return checkLeftovers(clause.arguments);
  checkArguments(signature, clause.arguments, clause.span, clause.order,
                 "`" + solver->name.text + "`");
}

bool isSuppliedByArgmin(const std::string& name) {
  static const std::vector<std::string> names = {
      "f", "prox", "X", "y",  "penalty",  "Q",         "q", "A",
      "b", "G",    "h", "z0", "equality", "inequality", "F"};
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Whether the types of the solver's parameters are those of what the block supplies by their names.
bool Checker::suppliesData(ast::ArgminExpr& expr, const Signature& signature) {
  ast::SolverClause& clause = *expr.solver;
  auto sized = [&](const std::string& name) { return Size::named(sizes_.flexible(name)); };
  Size n = unknownElements(expr.unknowns), p = sized("p"), m = sized("m"), k = sized("k");
  TypePtr vector = types::realType({n}), real = types::realType();
  bool wants_residual = std::any_of(signature.parameters.begin(), signature.parameters.end(),
                                    [](const Parameter& q) { return q.name == "F"; });
  TypePtr lifted = types::realType({wants_residual ? sized("N") : n});
  const std::vector<std::pair<std::string, TypePtr>> supplied = {
      {"f", types::function({vector}, real)},
      {"equality", types::function({vector}, types::realType({p}))},
      {"inequality", types::function({vector}, types::realType({m}))},
      {"prox", types::function({vector, real}, vector)},
      {"X", types::realType({k, n})},  {"y", types::realType({k})},
      {"Q", types::realType({n, n})},  {"q", vector},
      {"A", types::realType({p, n})},  {"b", types::realType({p})},
      {"G", types::realType({m, n})},  {"h", types::realType({m})},
      {"F", types::function({lifted}, lifted)}, {"z0", lifted}};
  bool wants_data = false;
  for (const Parameter& parameter : signature.parameters) {
    if (parameter.name == "T" || parameter.name == "cones") {
      badSolver(clause,
                fmt::format("the solver `{}` wants `{}`, which an `argmin` block does not supply",
                            signature.name, parameter.name),
                parameter.span, "declared here");
      return false;
    }
    wants_data |= parameter.name != "z0" && isSuppliedByArgmin(parameter.name);
    for (const auto& [name, type] : supplied) {
      bool type_differs = false;
      if (parameter.name != name || fits(parameter.type, type, {}, type_differs)) continue;
      badSolver(clause,
                fmt::format("the solver `{}` takes `{}` as {}, where the block supplies {}",
                            signature.name, name, str(parameter.type), str(type)),
                parameter.span, "declared here");
      return false;
    }
  }
  if (wants_data) return true;
  badSolver(clause,
            fmt::format("`{}` is no solver of `argmin` blocks: it takes neither an objective nor "
                        "its data",
                        signature.name),
            clause.function->name.span, "declared here")
      .help = "a solver takes some of f, prox, X, y, penalty, Q, q, A, b, G, h, equality, "
             "inequality, F by these names";
  return false;
}

}  // namespace dini::sema
