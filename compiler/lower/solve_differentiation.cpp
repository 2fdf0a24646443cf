// The `differentiate` clause of a solve: how the linear systems of its derivative are solved. What the
// modes mean: docs/language.md, "Equations"; the functions made here: ad/inverses.h.
#include <fmt/format.h>

#include "ad/inverses.h"
#include "base/check.h"
#include "lower/scopes.h"
#include "lower/solve_lowering.h"

namespace dini::lower {

using ir::OpCode;

namespace {

constexpr double kLinearTolerance = 1e-12;
// Of the system with a right side at random: below the part of it that lies in a kernel, over sqrt(n).
constexpr double kTestTolerance = 0.01;

}  // namespace

// What the `differentiate` clause gives for a name; null: nothing.
const ast::Expr* SolveLowering::differentiateArgument(const char* name) const {
  if (!solve_.differentiate) return nullptr;
  for (const ast::Argument& argument : solve_.differentiate->arguments)
    if (argument.name && argument.name->text == name) return argument.value.get();
  return nullptr;
}

std::string SolveLowering::linearMethod() const {
  const ast::Expr* word = differentiateArgument("linear");
  return word != nullptr ? ast::as<ast::NameExpr>(*word).name : "";
}

ir::Structure SolveLowering::factorisation() const {
  const std::string word = linearMethod();
  if (word == "cholesky") return ir::Structure::PositiveDefinite;
  return word == "ldl" ? ir::Structure::Symmetric : ir::Structure::General;
}

// attrs.str of the root: the mode, and the function of the module that solves the linear systems of its
// derivative where these are not factorised (ad/inverses.h).
std::string SolveLowering::differentiation(const Values& starts) {
  const std::string word = linearMethod();
  if (word == "refine") return ad::inverses::kRefined;
  const bool dense = e_.shared_.options.jacobians == Jacobians::Dense && word.empty() && mode() == "implicit";
  if (word == "lu" || dense) return ad::inverses::kDense;
  if (word.empty() || word == "cholesky" || word == "ldl") return mode();
  const ir::Type vector = argumentType(starts, false);
  const ast::Expr* given = differentiateArgument("tol");
  const double tol = given != nullptr ? ast::as<ast::NumberExpr>(*given).value : kLinearTolerance;
  const std::string name = fmt::format("linear.{}.{}.{}", word, vector.dims[0], tol);
  if (e_.shared_.module.find(name) == nullptr) addMethod(name, word, vector, tol);
  return "implicit:" + name;
}

void SolveLowering::addMethod(const std::string& name, const std::string& word, const ir::Type& vector,
                              double tol) {
  auto map = std::make_shared<FunctionValue>();
  map->kind = FunctionValue::Kind::Native;
  map->native_parameters = {"v"};
  map->native_arguments = {vector};
  map->native = [](Emitter& e, std::span<const Val> arguments) {
    ir::Value* v = arguments[0].value;
    ir::Attrs attrs;
    attrs.str = ad::inverses::kLinearMap;
    return Val::leaf(e.b().emit(OpCode::Call, {v}, std::move(attrs), {v->type}).result());
  };
  Val rhs = Val::leaf(e_.function_.newValue(vector));
  Emitter::Closed closed = e_.close(name, std::span(&rhs, 1), [&](std::span<const Val> at) {
    auto solved = [&](const Val& right, ir::Value* tolerance) {
      return e_.callUser(*preludeFunction(word), {{"A", Val::of(map)}, {"b", right}, {"tol", Val::leaf(tolerance)}});
    };
    Val x = solved(at[0], b().real(tol));
    Val test = e_.callUser(*preludeFunction("krylov_test"), {{"b", at[0]}});
    ir::Value* count = b().op(OpCode::IntToReal, {e_.sizeOf(at[0].value, 0)});
    Val y = solved(test, b().div(b().real(kTestTolerance), b().op(OpCode::Sqrt, {count})));
    return e_.callUser(*preludeFunction("krylov_told"), {{"A", Val::of(map)}, {"x", x}, {"t", test}, {"y", y}});
  });
  check(closed.operands.size() == 1, "a method for linear systems reads what it was not given");
  closed.function->name = name;
  e_.shared_.module.add(std::move(closed.function));
}

}  // namespace dini::lower
