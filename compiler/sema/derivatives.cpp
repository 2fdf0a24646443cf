// grad, value_and_grad, jac, hess, hvp, jvp, vjp, dirderiv, gradcheck, and certificate, certified: functions of
// functions.
#include <algorithm>

#include <fmt/format.h>

#include "sema/checker.h"

namespace dini::sema {
namespace {

// What a jacobian's tuple runs through: elements, or fields, that hold reals; empty for an array.
std::vector<TypePtr> parts(const Type& type) {
  std::vector<TypePtr> all;
  if (type.kind == Kind::Tuple) all = type.elements;
  for (const auto& field : type.fields) all.push_back(field.type);
  std::erase_if(all, [](const TypePtr& t) { return !types::holdsReals(*t); });
  return all;
}

}  // namespace

// out ++ in; tuples and records: outer over results, inner over parameters.
TypePtr Checker::jacobian(const TypePtr& out, const TypePtr& in) {
  auto composite = [](const Type& t) { return t.kind == Kind::Tuple || t.kind == Kind::Record; };
  std::vector<TypePtr> elements;
  if (composite(*out)) {
    for (const TypePtr& part : parts(*out)) elements.push_back(jacobian(part, in));
    return types::tuple(std::move(elements));
  }
  if (composite(*in)) {
    for (const TypePtr& part : parts(*in)) elements.push_back(jacobian(out, part));
    return types::tuple(std::move(elements));
  }
  std::vector<Size> dims = out->dims;
  dims.insert(dims.end(), in->dims.begin(), in->dims.end());
  return types::realType(std::move(dims));
}

bool Checker::selectParameters(ast::CallExpr& expr, const Signature& f,
                               std::vector<size_t>& selected) {
  ast::Expr* wrt = nullptr;
  for (ast::Argument& argument : expr.arguments)
    if (argument.name && argument.name->text == "wrt") wrt = argument.value.get();
  if (!wrt) {
    for (size_t k = 0; k < f.parameters.size(); ++k)
      if (types::holdsReals(*f.parameters[k].type)) selected.push_back(k);
    if (!selected.empty()) return true;
    report(DiagCode::BadDerivative, expr.arguments[0].value->span,
           "no parameter of this function holds reals, so there is nothing to differentiate by");
    return false;
  }
  std::vector<ast::Expr*> words;
  if (wrt->kind == ast::ExprKind::Tuple)
    for (auto& element : ast::as<ast::TupleExpr>(*wrt).elements) words.push_back(element.get());
  else
    words.push_back(wrt);
  std::vector<std::string> names;
  for (const Parameter& parameter : f.parameters) names.push_back(parameter.name);
  std::vector<TypePtr> chosen;
  for (ast::Expr* word : words) {
    if (!word) return false;
    if (word->kind != ast::ExprKind::Name) {
      report(DiagCode::BadDerivative, word->span, "`wrt` takes names of parameters");
      return false;
    }
    const std::string& name = ast::as<ast::NameExpr>(*word).name;
    auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) {
      auto& d = report(DiagCode::BadDerivative, word->span,
                       fmt::format("{} has no parameter `{}`",
                                   f.name.empty() ? "the function" : "`" + f.name + "`", name));
      suggest(d, name, names);
      return false;
    }
    auto k = static_cast<size_t>(found - names.begin());
    if (!types::holdsReals(*f.parameters[k].type)) {
      report(DiagCode::BadDerivative, word->span,
             fmt::format("`{}` is {}, which holds no reals", name, str(f.parameters[k].type)));
      return false;
    }
    word->type = f.parameters[k].type;
    chosen.push_back(word->type);
    selected.push_back(k);
  }
  if (wrt->kind == ast::ExprKind::Tuple) wrt->type = types::tuple(std::move(chosen));
  return true;
}

Signature Checker::derivedSignature(const Signature& f, const std::vector<size_t>& selected,
                                    Builtin builtin) {
  std::vector<TypePtr> inputs;
  for (size_t k : selected) inputs.push_back(f.parameters[k].type);
  TypePtr input = inputs.size() == 1 ? inputs[0] : types::tuple(inputs);
  Signature derived = f;
  derived.name = f.name.empty() ? "" : fmt::format("{}({})", spelling(builtin), f.name);
  auto append_tangents = [&] {
    for (size_t k : selected) {
      const Parameter& p = f.parameters[k];
      derived.parameters.push_back(
          {p.name.empty() ? "" : "d_" + p.name, p.type, {}, false, std::nullopt});
    }
  };
  switch (builtin) {
    case Builtin::Grad:
      derived.result = input;
      break;
    case Builtin::ValueAndGrad:
      derived.result = types::tuple({f.result, input});
      break;
    case Builtin::Jac:
      derived.result = jacobian(f.result, input);
      break;
    case Builtin::Hess:
      derived.result = jacobian(input, input);
      break;
    case Builtin::Hvp:
      append_tangents();
      derived.result = input;
      break;
    case Builtin::Jvp:
      append_tangents();
      derived.result = types::tuple({f.result, f.result});
      break;
    case Builtin::DirDeriv:
      append_tangents();
      break;
    case Builtin::Vjp:
      derived.parameters.push_back({"ybar", f.result, {}, false, std::nullopt});
      derived.result = input;
      break;
    default:
      derived.result = types::realType();
      break;  // gradcheck: the largest relative error
  }
  return derived;
}

// The function that a form is applied to.
bool Checker::checkFormOperand(ast::CallExpr& expr, Builtin builtin, Signature& f) {
  const char* name = spelling(builtin);
  ast::ExprPtr& operand = expr.arguments[0].value;
  TypePtr type = check(operand);
  if (type->isError()) return false;
  if (type->kind != Kind::Function) {
    auto& d = report(DiagCode::BadDerivative, operand->span,
                     fmt::format("`{}` of {}, where a function is expected", name, str(type)));
    d.help = fmt::format("write `{}(f)(x)`, not `{}(f(x))`", name, name);
    return false;
  }
  f = signatureOf(*operand);
  return !f.result->isError();
}

TypePtr Checker::checkInspection(ast::CallExpr& expr, Builtin builtin) {
  const char* name = spelling(builtin);
  if (expr.arguments.size() != 1 || expr.arguments[0].name) {
    auto& d = report(DiagCode::BadArguments, expr.span, fmt::format("`{}` takes one function", name));
    d.help = fmt::format("it gives a function, which takes the point: `{}(f)(x)`", name);
    return types::errorType();
  }
  Signature f;
  if (!checkFormOperand(expr, builtin, f)) return types::errorType();
  f.name = f.name.empty() ? "" : fmt::format("{}({})", name, f.name);
  if (builtin == Builtin::Certified) {
    f.result = types::boolType();
  } else if (builtin == Builtin::Ties) {
    f.result = types::realType({Size::named(sizes_.unknown("?")), Size(5)});
  } else {
    auto record = world_.prelude.types.find("Certificate");
    if (record == world_.prelude.types.end())
      return error(DiagCode::UnknownName, expr.span, "there is no prelude, which declares `Certificate`");
    declareType(*record->second);
    f.result = recordOf(*record->second, {});
  }
  setSignature(expr, std::move(f));
  return expr.type;
}

TypePtr Checker::checkDerivative(ast::CallExpr& expr, Builtin builtin) {
  const char* name = spelling(builtin);
  bool good = !expr.arguments.empty() && !expr.arguments[0].name;
  for (size_t k = 1; k < expr.arguments.size(); ++k)
    good = good && k == 1 && expr.arguments[k].name && expr.arguments[k].name->text == "wrt";
  if (!good) {
    auto& d = report(DiagCode::BadArguments, expr.span,
                     fmt::format("`{}` takes one function, and `wrt = ...`", name));
    d.help = fmt::format("it gives a function, which takes the point: `{}(f)(x)`", name);
    return types::errorType();
  }
  Signature f;
  if (!checkFormOperand(expr, builtin, f)) return types::errorType();
  ast::ExprPtr& operand = expr.arguments[0].value;
  std::vector<size_t> selected;
  if (!selectParameters(expr, f, selected)) return types::errorType();
  bool real_result = f.result->isScalar() && f.result->scalar == Scalar::Real;
  bool needs_real = builtin != Builtin::Jac && builtin != Builtin::Jvp && builtin != Builtin::Vjp &&
                    builtin != Builtin::GradCheck && builtin != Builtin::DirDeriv;
  if ((needs_real && !real_result) || !types::holdsReals(*f.result)) {
    auto& d = report(DiagCode::BadDerivative, operand->span,
                     fmt::format("`{}` of a function whose result is {}", name, str(f.result)));
    if (types::holdsReals(*f.result))
      d.help = fmt::format("`{}` needs a real result; `jac`, `jvp` and `vjp` take any", name);
    return types::errorType();
  }
  setSignature(expr, derivedSignature(f, selected, builtin));
  return expr.type;
}

}  // namespace dini::sema
