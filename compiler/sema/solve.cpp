// solve blocks: unknowns, equations and their number, solvers, how to differentiate.
#include <algorithm>

#include <fmt/format.h>

#include "sema/checker.h"

namespace dini::sema {

Size elements(const std::vector<Size>& dims) {
  Size count(1);
  for (const Size& dim : dims) count = count * dim;
  return count;
}

Size unknownElements(const std::vector<ast::Unknown>& unknowns) {
  Size total;
  for (const auto& unknown : unknowns)
    if (unknown.binding) total = total + elements(unknown.binding->type->dims);
  return total;
}

namespace {

bool contains(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// What the parameters of solvers of `argmin` blocks are called.
const std::vector<std::string> kArgminForms = {"f", "prox", "X", "y", "penalty", "Q",
                                               "q", "A",    "b", "G", "h",       "cones"};

}  // namespace

TypePtr Checker::checkSolve(ast::SolveExpr& expr) {
  checkUnknowns(expr.unknowns);
  bool counted = true;
  {
    ScopeGuard scope(*this, ScopeKind::Solve);
    for (auto& unknown : expr.unknowns)
      if (!unknown.name.text.empty()) scopes_.back().names[unknown.name.text] = unknown.binding;
    counted = checkEquations(expr);
  }
  checkSolver(expr);
  if (expr.differentiate) {
    checkDifferentiate(*expr.differentiate);
    checkNeumann(expr);
  }
  if (expr.unknowns.empty() || !counted) return types::errorType();
  if (expr.unknowns.size() == 1) return expr.unknowns[0].binding->type;
  std::vector<TypePtr> all;
  for (const auto& unknown : expr.unknowns) all.push_back(unknown.binding->type);
  return types::tuple(std::move(all));
}

// Types and starts, which do not see the unknowns.
void Checker::checkUnknowns(std::vector<ast::Unknown>& unknowns) {
  for (size_t k = 0; k < unknowns.size(); ++k) {
    ast::Unknown& unknown = unknowns[k];
    TypePtr type = unknown.type ? resolveType(*unknown.type) : types::errorType();
    if (!type->isError() && !type->isReal()) {
      type = error(DiagCode::BadEquation, unknown.type->span,
                   fmt::format("the unknown `{}` is {}, where a real or an array of reals is "
                               "expected",
                               unknown.name.text, str(type)));
    }
    if (unknown.start) {
      check(unknown.start, type);
      fit(type, *unknown.start, fmt::format("the start of `{}`", unknown.name.text),
          unknown.type ? unknown.type->span : Span{}, "declared here");
    }
    for (size_t j = 0; j < k; ++j)
      if (unknowns[j].name.text == unknown.name.text && !unknown.name.text.empty()) {
        auto& d = report(DiagCode::DuplicateName, unknown.name.span,
                         fmt::format("two unknowns are called `{}`", unknown.name.text));
        d.labels.push_back({unknowns[j].name.span, "first here"});
      }
    unknown.binding = std::make_shared<ast::Binding>();
    unknown.binding->kind = ast::BindingKind::Unknown;
    unknown.binding->name = unknown.name.text;
    unknown.binding->span = unknown.name.span;
    unknown.binding->type = type;
  }
}

void Checker::checkLets(std::vector<ast::StmtPtr>& lets) {
  for (auto& let : lets) {
    if (!let) continue;
    if (let->kind != ast::StmtKind::Let) {
      report(DiagCode::BadEquation, let->span, "only `let` and equations stand in a `solve` block");
      continue;
    }
    checkStatement(*let);
  }
}

bool Checker::checkEquations(ast::SolveExpr& expr) {
  checkLets(expr.lets);
  Size total;
  bool all_known = !expr.equations.empty() || !expr.unknowns.empty();
  for (auto& equation : expr.equations) {
    auto count = checkEquation(expr, equation);
    if (count)
      total = total + *count;
    else
      all_known = false;
  }
  for (const auto& unknown : expr.unknowns)
    all_known = all_known && !unknown.binding->type->isError();
  return !all_known || reportedInside(expr.span) || countEquations(expr, total);
}

// A line that was not understood may have been an equation.
bool Checker::reportedInside(Span span) const {
  return std::any_of(sink_.all().begin(), sink_.all().end(), [&](const Diagnostic& d) {
    if (d.labels.empty() || diagInfo(d.code).severity != Severity::Error) return false;
    const Span& seen = d.labels[0].span;
    return seen.file == span.file && seen.begin >= span.begin && seen.end <= span.end;
  });
}

// The number of scalar equations in one line; nothing if that was not understood.
std::optional<Size> Checker::checkEquation(ast::SolveExpr&, ast::ExprPtr& equation) {
  if (!equation) return std::nullopt;
  bool is_equation = equation->kind == ast::ExprKind::Binary &&
                     ast::as<ast::BinaryExpr>(*equation).op == ast::BinaryOp::Eq;
  if (!is_equation) {
    TypePtr type = check(equation);
    if (type->isError()) return std::nullopt;
    auto& d = report(DiagCode::BadEquation, equation->span,
                     fmt::format("a line of the `solve` block is {}, not an equation", str(type)));
    d.help = "an equation is `left == right`";
    return std::nullopt;
  }
  auto& binary = ast::as<ast::BinaryExpr>(*equation);
  TypePtr lhs = check(binary.lhs), rhs = check(binary.rhs);
  binary.type = types::errorType();
  if (lhs->isError() || rhs->isError()) return std::nullopt;
  if (!isNumeric(*lhs) || !isNumeric(*rhs)) {
    auto& d =
        report(DiagCode::BadEquation, binary.op_span,
               fmt::format("an equation between {} and {}, where reals or arrays of reals are "
                           "expected",
                           str(lhs), str(rhs)));
    if (lhs->kind == Kind::Covector && rhs->kind == Kind::Covector) d.help = "transpose both sides";
    return std::nullopt;
  }
  binary.type = elementwise(binary, Scalar::Bool);
  if (binary.type->isError()) return std::nullopt;
  return elements(binary.type->dims);
}

bool Checker::countEquations(ast::SolveExpr& expr, const Size& equations) {
  Size unknowns = unknownElements(expr.unknowns);
  if (sizes_.unify(unknowns, equations) != Verdict::Different) return true;
  bool scalar = true;
  for (const auto& unknown : expr.unknowns) scalar = scalar && unknown.binding->type->isScalar();
  for (const auto& equation : expr.equations) scalar = scalar && equation->type->isScalar();
  std::string message =
      scalar ? fmt::format("the block has {} and {}", counted(expr.unknowns.size(), "unknown"),
                           counted(expr.equations.size(), "equation"))
             : fmt::format("the block has {} scalar unknowns and {} scalar equations",
                           sizes_.str(unknowns), sizes_.str(equations));
  auto& d = report(DiagCode::EquationCount, expr.span, message);
  d.labels.clear();
  size_t many = expr.unknowns.size();
  for (size_t k = 0; k < many; ++k)
    d.labels.push_back({expr.unknowns[k].name.span, many == 1       ? "the unknown"
                                                    : k + 1 == many ? "unknowns"
                                                                    : ""});
  if (d.labels.empty()) d.labels.push_back({expr.span, ""});
  many = expr.equations.size();
  for (size_t k = 0; k < many; ++k)
    d.labels.push_back({expr.equations[k]->span, many == 1       ? "the only equation"
                                                 : k + 1 == many ? "equations"
                                                                 : ""});
  auto difference = (unknowns - equations).constant();
  if (!difference) return false;
  if (*difference > 0 && !expr.unknowns.empty())
    d.help = fmt::format("add an equation for `{}`, or make it a parameter",
                         expr.unknowns.back().name.text);
  else
    d.help = "drop an equation, or make one of its names an unknown";
  return false;
}

std::optional<std::string> Checker::notFixedPoint(const ast::SolveExpr& expr, Span& where) {
  std::vector<const ast::Binding*> seen;
  for (const auto& equation : expr.equations) {
    if (!equation || equation->kind != ast::ExprKind::Binary) return std::nullopt;  // reported
    where = equation->span;
    const auto& binary = ast::as<ast::BinaryExpr>(*equation);
    auto unknown = [&](const ast::ExprPtr& side) -> const ast::Binding* {
      if (!side || side->kind != ast::ExprKind::Name) return nullptr;
      const auto& name = ast::as<ast::NameExpr>(*side);
      for (const auto& u : expr.unknowns)
        if (name.binding == u.binding) return u.binding.get();
      return nullptr;
    };
    const ast::Binding* left = unknown(binary.lhs);
    if (!left || std::find(seen.begin(), seen.end(), left) != seen.end())
      left = unknown(binary.rhs);
    if (!left) return "no side of this equation is an unknown";
    if (std::find(seen.begin(), seen.end(), left) != seen.end())
      return fmt::format("`{}` has an equation already", left->name);
    seen.push_back(left);
  }
  return std::nullopt;
}

void Checker::reportNoSolver(ast::SolverClause& clause) {
  checkLeftovers(clause.arguments);
  auto& d = report(DiagCode::UnknownName, clause.name.span,
                   fmt::format("there is no solver `{}`", clause.name.text));
  std::vector<std::string> names = world_.functionNames(clause.name.span.file);
  names.push_back("given");
  suggest(d, clause.name.text, names);
}

void Checker::checkSolver(ast::SolveExpr& expr) {
  if (!expr.solver) return;  // newton
  ast::SolverClause& clause = *expr.solver;
  ast::FnDecl* solver = world_.function(clause.name.span.file, clause.name.text);
  if (!solver && clause.name.text == "given") return checkGiven(expr);
  if (!solver) {
    reportNoSolver(clause);
    return;
  }
  clause.function = solver;
  if (function_) calls_[function_].push_back(solver);
  if (!solver->type) return;
  checkProtocol(expr, clause, *solver);
}

// using given(z0, tol = 1e-8): only checked.
void Checker::checkGiven(ast::SolveExpr& expr) {
  ast::SolverClause& clause = *expr.solver;
  std::vector<TypePtr> all;
  for (const auto& unknown : expr.unknowns) all.push_back(unknown.binding->type);
  Signature signature{"given", {}, types::unitType()};
  signature.parameters = {
      {"z0", all.size() == 1 ? all[0] : types::tuple(all), {}, false, std::nullopt},
      {"tol", types::realType(), {}, true, std::nullopt}};
  if (!matchArguments(signature, clause.arguments, clause.span, clause.order))
    return checkLeftovers(clause.arguments);
  checkArguments(signature, clause.arguments, clause.span, clause.order, "`given`");
}

// Reports what is wrong between a solver and a block, at the clause and at another place.
Diagnostic& Checker::badSolver(ast::SolverClause& clause, const std::string& message, Span place,
                               const std::string& label) {
  checkLeftovers(clause.arguments);
  auto& d = report(DiagCode::BadSolver, clause.name.span, message);
  d.labels.push_back({place, label});
  return d;
}

// Whether the block can supply what the solver's parameters ask for by their names.
bool Checker::suppliesForms(ast::SolveExpr& expr, ast::SolverClause& clause,
                            const Signature& signature, const TypePtr& vector) {
  TypePtr map = types::function({vector}, vector);
  bool wants_equations = false;
  for (const Parameter& p : signature.parameters) {
    bool function = p.name == "F" || p.name == "T";
    if (function || p.name == "z0") {
      wants_equations |= function;
      const TypePtr& supplied = function ? map : vector;
      bool type_differs = false;
      if (!fits(p.type, supplied, {}, type_differs)) {
        badSolver(clause,
                  fmt::format("the solver `{}` takes `{}` as {}, where the block supplies {}",
                              signature.name, p.name, str(p.type), str(supplied)),
                  p.span, "declared here");
        return false;
      }
    }
    Span where;
    auto reason = p.name == "T" ? notFixedPoint(expr, where) : std::nullopt;
    if (reason) {
      badSolver(clause,
                fmt::format("the solver `{}` wants a fixed-point map `T`, and the equations do not "
                            "give one",
                            signature.name),
                where, *reason)
          .help = "write every equation as `unknown == expression`";
      return false;
    }
    bool given = std::any_of(clause.arguments.begin(), clause.arguments.end(),
                             [&](const auto& a) { return a.name && a.name->text == p.name; });
    if (!p.has_default && contains(kArgminForms, p.name) && !given) {
      badSolver(clause,
                fmt::format("the solver `{}` wants `{}`, which a `solve` block does not have",
                            signature.name, p.name),
                p.span, "declared here");
      return false;
    }
  }
  if (wants_equations) return true;
  badSolver(
      clause,
      fmt::format("`{}` is no solver: it has neither a parameter `F` nor `T`", signature.name),
      clause.function->name.span, "declared here")
      .help = "a solver takes `F: fn(real[n]) -> real[n]` (the residual) and `z0: real[n]`";
  return false;
}

void Checker::checkProtocol(ast::SolveExpr& expr, ast::SolverClause& clause,
                            const ast::FnDecl& solver) {
  Signature signature = instantiate(solver);
  TypePtr vector = types::realType({unknownElements(expr.unknowns)});
  if (!suppliesForms(expr, clause, signature, vector)) return;
  // Every solver's: Newton steps after it.
  bool own_polish = std::any_of(signature.parameters.begin(), signature.parameters.end(),
                                [](const Parameter& p) { return p.name == "polish"; });
  if (!own_polish)
    signature.parameters.push_back({"polish", types::boolType(), {}, true, std::nullopt});
  auto supplied = [&](size_t k) {
    const std::string& name = signature.parameters[k].name;
    return name == "F" || name == "T" || name == "z0";
  };
  if (!matchArguments(signature, clause.arguments, clause.span, clause.order, supplied))
    return checkLeftovers(clause.arguments);
  checkArguments(signature, clause.arguments, clause.span, clause.order,
                 "`" + solver.name.text + "`");
  TypePtr result = sizes_.resolve(signature.result);
  bool solution = result->kind == Kind::Record && result->name == "Solution";
  bool type_differs = false;
  if (!result->isError() && !solution && !fits(vector, result, {}, type_differs))
    badSolver(clause,
              fmt::format("the solver `{}` gives {}, where {} or Solution is expected",
                          solver.name.text, str(result), str(vector)),
              solver.result ? solver.result->span : solver.name.span, "declared here");
}

namespace {

// Words of `linear`.
const std::vector<std::string> kDirect = {"lu", "refine", "cholesky", "ldl"};
const std::vector<std::string> kIterative = {"cg", "minres", "gmres", "bicgstab"};

std::string linearWord(const ast::Argument& argument) {
  return argument.value && argument.value->kind == ast::ExprKind::Name
             ? ast::as<ast::NameExpr>(*argument.value).name
             : "";
}

}  // namespace

void Checker::checkDifferentiate(ast::DifferentiateClause& clause) {
  const std::string& mode = clause.mode.text;
  auto bad = [&](Span span, const std::string& message) -> Diagnostic& {
    return report(DiagCode::BadSolver, span, message);
  };
  const std::vector<std::string> modes = {"implicit", "unroll", "one_step", "neumann"};
  if (!contains(modes, mode)) {
    suggest(bad(clause.mode.span, fmt::format("there is no way `{}` to differentiate", mode)), mode,
            modes);
    return checkLeftovers(clause.arguments);
  }
  size_t positional = 0;
  for (ast::Argument& a : clause.arguments) {
    if (!a.value) continue;
    std::string name = a.name ? a.name->text : "";
    if (mode == "implicit" && name == "linear") {
      a.value->type = types::unitType();
      if (!contains(kDirect, linearWord(a)) && !contains(kIterative, linearWord(a)))
        bad(a.value->span, "`linear` takes lu, refine, cholesky, ldl, cg, minres, gmres or bicgstab");
    } else if (mode == "implicit" && name == "tol") {
      check(a.value, types::realType());
      fit(types::realType(), *a.value, "`tol`");
      const bool is_number = a.value->kind == ast::ExprKind::Number;
      const double tol = is_number ? ast::as<ast::NumberExpr>(*a.value).value : 0;
      const bool iterative = std::any_of(clause.arguments.begin(), clause.arguments.end(), [](const auto& other) {
        return other.name && other.name->text == "linear" && contains(kIterative, linearWord(other));
      });
      // A factorisation meets this, relative to the matrix and the solution, whatever the matrix.
      constexpr double kMet = 1e-12;
      // Smaller residuals are rounding.
      constexpr double kLeast = 1e-15;
      if (a.value->type && a.value->type->isScalar() && !(is_number && tol >= (iterative ? kLeast : kMet)))
        report(DiagCode::NotYet, a.value->span,
               iterative ? "a `tol` below 1e-15, or one that is not written as a number, is not there yet"
                         : "a `tol` below 1e-12, or one that is not written as a number, is not there yet")
            .help = iterative ? "1e-12 is the default" : "the factorisations reach 1e-12 without being asked";
    } else if (mode == "neumann" && !a.name && positional++ == 0) {
      check(a.value);
      auto k = sizeOf(*a.value);
      if (!k || !k->constant() || *k->constant() < 0)
        bad(a.value->span, "`neumann` takes the number of terms, written as a number");
    } else {
      bad(a.name ? a.name->span : a.value->span,
          fmt::format("`differentiate {}` does not take this argument", mode));
      if (!a.value->type) check(a.value);
    }
  }
  if (mode == "neumann" && positional == 0)
    bad(clause.span, "`neumann` takes the number of terms: `neumann(10)`");
}

void Checker::checkNeumann(const ast::SolveExpr& expr) {
  const ast::Name& mode = expr.differentiate->mode;
  if (mode.text != "neumann") return;
  Span where;
  if (auto reason = notFixedPoint(expr, where)) {
    auto& d = report(DiagCode::BadSolver, mode.span,
                     "`neumann` needs a fixed-point map, and the equations do not "
                     "give one");
    d.labels.push_back({where, *reason});
    d.help = "write every equation as `unknown == expression`";
  }
}

}  // namespace dini::sema
