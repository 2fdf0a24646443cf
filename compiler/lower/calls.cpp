// Calls: binding of arguments to parameters and sizes, and expansion of the callee in place.
#include <fmt/format.h>

#include "base/check.h"
#include "lower/assignments.h"
#include "lower/scopes.h"
#include "lower/tie_policy.h"

namespace dini::lower {

using sema::Builtin;

namespace {

constexpr int kMaxDepth = 400;

std::optional<Form> formOf(Builtin builtin) {
  switch (builtin) {
    case Builtin::Grad:
      return Form::Grad;
    case Builtin::ValueAndGrad:
      return Form::ValueAndGrad;
    case Builtin::Jac:
      return Form::Jac;
    case Builtin::Hess:
      return Form::Hess;
    case Builtin::Hvp:
      return Form::Hvp;
    case Builtin::Jvp:
      return Form::Jvp;
    case Builtin::Vjp:
      return Form::Vjp;
    case Builtin::DirDeriv:
      return Form::DirDeriv;
    case Builtin::GradCheck:
      return Form::GradCheck;
    case Builtin::Certificate:
      return Form::Certificate;
    case Builtin::Certified:
      return Form::Certified;
    case Builtin::Ties:
      return Form::Ties;
    default:
      return std::nullopt;
  }
}

// The size name of a parameter such as `n: int` that is also a dimension.
std::optional<types::SizeName> sizeParameter(const ast::Parameter& parameter) {
  if (parameter.binding == nullptr || !parameter.binding->size) return std::nullopt;
  std::vector<types::SizeName> names = parameter.binding->size->names();
  if (names.size() != 1 || *parameter.binding->size != types::Size::named(names[0]))
    return std::nullopt;
  return names[0];
}

}  // namespace

std::shared_ptr<const FunctionValue> Emitter::evalFunction(const ast::Expr& e) {
  Val value = eval(e);
  if (!value.isFunction()) fail(DiagCode::NotCallable, e.span, "a call of what is not a function");
  return value.function;
}

std::vector<NamedVal> Emitter::evalArguments(const std::vector<ast::Argument>& arguments) {
  std::vector<NamedVal> values;
  for (const ast::Argument& argument : arguments)
    values.push_back({argument.name ? argument.name->text : "", eval(*argument.value)});
  return values;
}

Val Emitter::evalCall(const ast::CallExpr& e) {
  if (e.callee->kind == ast::ExprKind::Name) {
    const auto& name = ast::as<ast::NameExpr>(*e.callee);
    if (name.referent == ast::Referent::Builtin)
      if (auto form = formOf(static_cast<Builtin>(name.builtin))) return derivativeForm(e, *form);
  }
  std::shared_ptr<const FunctionValue> f = evalFunction(*e.callee);
  return callFunction(*f, evalArguments(e.arguments));
}

// grad(f), grad(f, wrt = x), grad(f, wrt = (a, b)): a function value.
Val Emitter::derivativeForm(const ast::CallExpr& e, Form form) {
  auto f = std::make_shared<FunctionValue>();
  f->kind = FunctionValue::Kind::Derivative;
  f->form = form;
  for (const ast::Argument& argument : e.arguments) {
    if (!argument.name) {
      f->base = evalFunction(*argument.value);
      continue;
    }
    auto select = [&](const ast::Expr& name) {
      if (name.kind != ast::ExprKind::Name)
        fail(DiagCode::BadDerivative, name.span, "`wrt` takes names of parameters");
      f->wrt.push_back(ast::as<ast::NameExpr>(name).name);
    };
    if (argument.value->kind == ast::ExprKind::Tuple)
      for (const auto& element : ast::as<ast::TupleExpr>(*argument.value).elements)
        select(*element);
    else
      select(*argument.value);
  }
  check(f->base != nullptr, "a derivative of no function");
  return Val::of(std::move(f));
}

Val Emitter::callFunction(const FunctionValue& f, std::vector<NamedVal> arguments) {
  if (shared_.depth > kMaxDepth)
    fail(DiagCode::TooLarge, span_, fmt::format("calls are nested more than {} deep", kMaxDepth),
         "is there a recursion that never ends?");
  switch (f.kind) {
    case FunctionValue::Kind::User:
      return callUser(*f.decl, std::move(arguments));
    case FunctionValue::Kind::Lambda:
      return callLambda(f, std::move(arguments));
    case FunctionValue::Kind::Builtin:
      return callBuiltin(f.builtin, std::move(arguments));
    case FunctionValue::Kind::Derivative:
      return callDerivative(f, std::move(arguments));
    case FunctionValue::Kind::Native: {
      std::vector<Val> values;
      for (NamedVal& argument : arguments) values.push_back(std::move(argument.value));
      return f.native(*this, values);
    }
  }
  failCheck("unknown kind of function");
}

void Emitter::bindParameters(const std::vector<ast::Parameter>& parameters,
                             std::vector<NamedVal> arguments, Frame& callee,
                             const std::string& name) {
  std::vector<std::optional<Val>> values(parameters.size());
  for (size_t k = 0; k < arguments.size(); ++k) {
    size_t at = k;
    if (!arguments[k].name.empty())
      for (at = 0; at < parameters.size() && parameters[at].name.text != arguments[k].name;) ++at;
    if (at >= parameters.size())
      fail(DiagCode::BadArguments, span_,
           fmt::format("`{}` takes {} arguments", name, parameters.size()));
    values[at] = std::move(arguments[k].value);
  }
  bool in_prelude = callee.fn != nullptr && callee.fn->in_prelude;
  FrameScope scope(*this, callee, in_prelude);
  for (size_t k = 0; k < parameters.size(); ++k)
    if (auto size = sizeParameter(parameters[k]); size && values[k])
      callee.sizes[size->id] = values[k]->value;
  for (int round = 0; round < 2; ++round)  // a size may be given by a later parameter
    for (size_t k = 0; k < parameters.size(); ++k)
      if (values[k] && parameters[k].binding->type != nullptr)
        bindSizes(*parameters[k].binding->type, *values[k]);
  for (size_t k = 0; k < parameters.size(); ++k) {
    const ast::Parameter& parameter = parameters[k];
    if (!values[k]) {
      if (parameter.default_value == nullptr)
        fail(DiagCode::BadArguments, span_,
             fmt::format("`{}` lacks its argument `{}`", name, parameter.name.text));
      values[k] = eval(*parameter.default_value);
      if (auto size = sizeParameter(parameter)) callee.sizes[size->id] = values[k]->value;
      if (parameter.binding->type != nullptr) bindSizes(*parameter.binding->type, *values[k]);
    }
    callee.env[parameter.binding.get()] = coerce(*values[k], parameter.binding->type.get());
  }
  for (const ast::Parameter& parameter : parameters) {
    const Val& value = callee.env.at(parameter.binding.get());
    if (!value.isFunction() && parameter.binding->type != nullptr)
      checkSizes(*parameter.binding->type, value, "`" + parameter.name.text + "`");
  }
}

Val Emitter::callUser(const ast::FnDecl& fn, std::vector<NamedVal> arguments, Env* bound) {
  Frame callee;
  callee.fn = &fn;
  callee.tie_mark = tieMarkOf(fn);
  callee.result = fn.type != nullptr ? fn.type->result : nullptr;
  bindParameters(fn.parameters, std::move(arguments), callee, fn.name.text);
  if (bound != nullptr) *bound = callee.env;
  if (fn.recursive) return callRecursive(fn, callee);
  FrameScope scope(*this, callee, fn.in_prelude);
  return functionBody(fn);
}

Val Emitter::functionBody(const ast::FnDecl& fn) {
  Val value = tailBlock(fn.body.get(), Rest{});
  if (frame_->result != nullptr && !value.isFunction())
    checkSizes(*frame_->result, value, "the result of `" + fn.name.text + "`");
  return value;
}

Val Emitter::callLambda(const FunctionValue& f, std::vector<NamedVal> arguments) {
  Frame callee;
  callee.env = f.captured;
  callee.sizes = f.sizes;
  callee.tie_mark = f.tie_mark;
  if (f.lambda->type != nullptr) callee.result = f.lambda->type->result;
  bindParameters(f.lambda->parameters, std::move(arguments), callee, "the anonymous function");
  FrameScope scope(*this, callee, false);
  return mayLeave(*f.lambda->body) || f.lambda->body->kind == ast::ExprKind::Block
             ? tailBlock(f.lambda->body.get(), Rest{})
             : eval(*f.lambda->body);
}

std::vector<std::string> Emitter::parameterNames(const FunctionValue& f) const {
  std::vector<std::string> names;
  switch (f.kind) {
    case FunctionValue::Kind::User:
      for (const ast::Parameter& parameter : f.decl->parameters)
        names.push_back(parameter.name.text);
      break;
    case FunctionValue::Kind::Lambda:
      for (const ast::Parameter& parameter : f.lambda->parameters)
        names.push_back(parameter.name.text);
      break;
    case FunctionValue::Kind::Native:
      return f.native_parameters;
    case FunctionValue::Kind::Builtin:
      return sema::builtinParameters(f.builtin);
    case FunctionValue::Kind::Derivative: {
      names = parameterNames(*f.base);
      std::vector<std::string> selected = f.wrt;
      std::vector<const types::Type*> types = parameterTypes(*f.base);
      for (size_t k = 0; f.wrt.empty() && k < names.size(); ++k)
        if (types[k] == nullptr || types::holdsReals(*types[k])) selected.push_back(names[k]);
      if (f.form == Form::Jvp || f.form == Form::Hvp || f.form == Form::DirDeriv || f.form == Form::Maps)
        for (const std::string& name : selected) names.push_back("d_" + name);
      if (f.form == Form::Vjp || f.form == Form::Maps) names.push_back("ybar");
      break;
    }
  }
  return names;
}

// Of the parameters that a declaration gives types; null where the arguments decide.
std::vector<const types::Type*> Emitter::parameterTypes(const FunctionValue& f) const {
  std::vector<const types::Type*> result;
  auto collect = [&](const std::vector<ast::Parameter>& parameters) {
    for (const ast::Parameter& parameter : parameters)
      result.push_back(parameter.binding != nullptr ? parameter.binding->type.get() : nullptr);
  };
  if (f.kind == FunctionValue::Kind::User) collect(f.decl->parameters);
  if (f.kind == FunctionValue::Kind::Lambda) collect(f.lambda->parameters);
  if (f.kind == FunctionValue::Kind::Native) result.resize(f.native_parameters.size(), nullptr);
  if (f.kind == FunctionValue::Kind::Builtin)
    result.resize(sema::builtinParameters(f.builtin).size(), nullptr);
  if (f.kind == FunctionValue::Kind::Derivative) {
    result = parameterTypes(*f.base);
    result.resize(parameterNames(f).size(), nullptr);
  }
  return result;
}

}  // namespace dini::lower
