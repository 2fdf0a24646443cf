// Calls: which argument goes with which parameter, and whether it fits.
#include <fmt/format.h>

#include "sema/checker.h"

namespace dini::sema {

TypePtr Checker::checkCall(ast::CallExpr& expr, const TypePtr& expected) {
  if (expr.callee && expr.callee->kind == ast::ExprKind::Name) {
    auto& name = ast::as<ast::NameExpr>(*expr.callee);
    auto builtin = builtinNamed(name.name);
    if (builtin && !lookUp(name.name) && !world_.function(name.span.file, name.name)) {
      name.referent = ast::Referent::Builtin;
      name.builtin = static_cast<int>(*builtin);
      TypePtr type = checkBuiltinCall(expr, *builtin, expected);
      name.type = types::function({}, type);  // its parameters are told by the call alone
      return type;
    }
  }
  TypePtr callee = check(expr.callee);
  if (callee->kind != Kind::Function) {
    checkLeftovers(expr.arguments);
    if (callee->isError()) return callee;
    auto& d = report(DiagCode::NotCallable, expr.callee->span,
                     fmt::format("{} is called, which is no function", str(callee)));
    if (callee->kind == Kind::Array && callee->rank() > 0) d.help = "square brackets index: `x[i]`";
    return types::errorType();
  }
  Signature signature = signatureOf(*expr.callee);
  std::string name = signature.name.empty() ? "the function" : "`" + signature.name + "`";
  expr.order.clear();
  if (!matchArguments(signature, expr.arguments, expr.span, expr.order)) {
    checkLeftovers(expr.arguments);
    return types::errorType();
  }
  if (!checkArguments(signature, expr.arguments, expr.span, expr.order, name)) {
    // The result is known all the same, unless its sizes hang on what is wrong.
    return signature.result->isScalar() ? signature.result : types::errorType();
  }
  return sizes_.resolve(signature.result);
}

// Arguments of a call that was given up: what is wrong inside them is still reported.
void Checker::checkLeftovers(std::vector<ast::Argument>& arguments) {
  for (ast::Argument& argument : arguments)
    if (argument.value && !argument.value->type && argument.value->kind != ast::ExprKind::Lambda)
      check(argument.value);
}

bool Checker::matchArguments(const Signature& signature, std::vector<ast::Argument>& arguments,
                             Span call, std::vector<int>& order,
                             const std::function<bool(size_t)>& skip) {
  const auto& parameters = signature.parameters;
  std::string callee = signature.name.empty() ? "the function" : "`" + signature.name + "`";
  order.assign(parameters.size(), -1);
  std::vector<size_t> open;
  for (size_t k = 0; k < parameters.size(); ++k) {
    if (skip && skip(k))
      order[k] = -2;
    else
      open.push_back(k);
  }
  size_t positional = 0;
  bool named_seen = false, good = true;
  for (size_t a = 0; a < arguments.size(); ++a) {
    const ast::Argument& argument = arguments[a];
    Span span = argument.value ? argument.value->span : call;
    if (argument.to) {
      report(DiagCode::BadArguments, argument.to->span, fmt::format("{} does not take a range", callee));
      return false;
    }
    if (!argument.name) {
      if (named_seen) {
        report(DiagCode::BadArguments, span, "a positional argument follows a named one");
        return false;
      }
      if (positional >= open.size()) {
        size_t count = 0;
        for (const auto& other : arguments) count += other.name ? 0 : 1;
        report(DiagCode::BadArguments, span,
               fmt::format("{} is given {}, where it takes {}", callee, counted(count, "argument"),
                           open.size()),
               "one too many");
        return false;
      }
      order[open[positional++]] = static_cast<int>(a);
      continue;
    }
    named_seen = true;
    size_t k = 0;
    while (k < parameters.size() && parameters[k].name != argument.name->text) ++k;
    if (k == parameters.size() || order[k] == -2) {
      std::vector<std::string> names;
      for (size_t o : open) names.push_back(parameters[o].name);
      auto& d = report(DiagCode::BadArguments, argument.name->span,
                       fmt::format("{} has no parameter `{}`", callee, argument.name->text));
      suggest(d, argument.name->text, names);
      good = false;
    } else if (order[k] >= 0) {
      auto& d = report(DiagCode::BadArguments, argument.name->span,
                       fmt::format("the argument `{}` is given twice", argument.name->text));
      if (const auto& first = arguments[static_cast<size_t>(order[k])].value)
        d.labels.push_back({first->span, "first here"});
      good = false;
    } else {
      order[k] = static_cast<int>(a);
    }
  }
  return good && nothingMissing(signature, call, order);
}

bool Checker::nothingMissing(const Signature& signature, Span call, const std::vector<int>& order) {
  const auto& parameters = signature.parameters;
  std::string callee = signature.name.empty() ? "the function" : "`" + signature.name + "`";
  for (size_t k = 0; k < parameters.size(); ++k) {
    if (order[k] != -1 || parameters[k].has_default) continue;
    std::string which = parameters[k].name.empty()
                            ? fmt::format("argument {}", k + 1)
                            : fmt::format("argument `{}`", parameters[k].name);
    auto& d = report(DiagCode::BadArguments, call,
                     fmt::format("{} is called without its {}", callee, which));
    if (parameters[k].span.valid()) d.labels.push_back({parameters[k].span, "declared here"});
    return false;
  }
  return true;
}

bool Checker::checkArguments(const Signature& signature, std::vector<ast::Argument>& arguments,
                             Span call, const std::vector<int>& order, const std::string& callee) {
  bool good = true;
  // Functions last: the values tell the sizes that their parameters have.
  for (bool functions : {false, true})
    for (size_t k = 0; k < order.size(); ++k) {
      if (order[k] < 0) continue;
      bool is_function = signature.parameters[k].type->kind == Kind::Function;
      if (is_function != functions) continue;
      ast::ExprPtr& value = arguments[static_cast<size_t>(order[k])].value;
      if (value) good = fitArgument(signature, k, value, callee) && good;
    }
  if (sizes_.retryPending() == Verdict::Different && good) {
    report(DiagCode::ShapeMismatch, call,
           fmt::format("the sizes of the arguments of {} contradict one another", callee));
    good = false;
  }
  return good;
}

bool Checker::fitArgument(const Signature& signature, size_t k, ast::ExprPtr& value,
                          const std::string& callee) {
  const Parameter& parameter = signature.parameters[k];
  std::string what = parameter.name.empty()
                         ? fmt::format("argument {} of {}", k + 1, callee)
                         : fmt::format("the argument `{}` of {}", parameter.name, callee);
  std::string place = fmt::format("`{}` is declared here", parameter.name);
  if (parameter.type->kind == Kind::Function)
    return checkFunctionArgument(value, sizes_.resolve(parameter.type), what, parameter.span);
  TypePtr type = check(value, sizes_.resolve(parameter.type));
  if (type->isError()) return true;
  if (!fit(parameter.type, *value, what, parameter.span, place)) return false;
  if (!parameter.size) return true;
  Size given = sizeOrUnknown(value);
  if (sizes_.unify(*parameter.size, given, value->span) != Verdict::Different) return true;
  auto& d = report(DiagCode::ShapeMismatch, value->span,
                   fmt::format("{} is {}, where the other arguments make it {}", what,
                               sizes_.str(given), sizes_.str(*parameter.size)));
  for (types::SizeName name : parameter.size->names())
    if (sizes_.boundAt(name).valid())
      d.labels.push_back({sizes_.boundAt(name), fmt::format("`{}` is {} here", sizes_.spell(name),
                                                            sizes_.str(Size::named(name)))});
  return false;
}

}  // namespace dini::sema
