// Functions: declarations, anonymous ones, and functions as values at compile time.
#include <fmt/format.h>

#include "sema/checker.h"

namespace dini::sema {
namespace {

// The size names that bindings own, replaced by fresh flexible ones.
class Renaming {
 public:
  explicit Renaming(SizeTable& sizes) : sizes_(sizes) {}
  void add(const ast::BindingPtr& binding) {
    if (!binding || !binding->size) return;
    auto names = binding->size->names();
    if (names.size() != 1) return;
    renamed_.emplace(names[0].id, Size::named(sizes_.flexible(binding->name)));
  }
  std::optional<Size> operator()(types::SizeName name) const {
    auto found = renamed_.find(name.id);
    return found == renamed_.end() ? std::nullopt : std::optional<Size>(found->second);
  }

 private:
  SizeTable& sizes_;
  std::unordered_map<uint32_t, Size> renamed_;
};

Signature signatureOfParameters(const std::vector<ast::Parameter>& parameters,
                                const std::vector<ast::BindingPtr>& sizes, const TypePtr& result,
                                SizeTable& table) {
  Renaming renaming(table);
  for (const auto& size : sizes) renaming.add(size);
  for (const auto& parameter : parameters) renaming.add(parameter.binding);
  Signature signature;
  for (const auto& parameter : parameters) {
    Parameter p;
    p.name = parameter.name.text;
    p.type = parameter.binding ? types::substitute(parameter.binding->type, renaming)
                               : types::errorType();
    p.span = parameter.name.span;
    p.has_default = parameter.default_value != nullptr;
    if (parameter.binding && parameter.binding->size)
      p.size = parameter.binding->size->substitute(renaming);
    signature.parameters.push_back(std::move(p));
  }
  signature.result = types::substitute(result, renaming);
  return signature;
}

}  // namespace

void Checker::setSignature(const ast::Expr& expr, Signature signature) {
  std::vector<TypePtr> elements;
  for (const Parameter& parameter : signature.parameters) elements.push_back(parameter.type);
  const_cast<ast::Expr&>(expr).type = types::function(std::move(elements), signature.result);
  signatures_[&expr] = std::move(signature);
}

void Checker::declareFunction(ast::FnDecl& decl) {
  scopes_.clear();
  ScopeGuard scope(*this, ScopeKind::Function);
  declareParameters(decl.parameters, decl.result.get(), decl.sizes);
  std::vector<TypePtr> parameters;
  for (auto& parameter : decl.parameters) {
    if (!parameter.binding)  // a hole, or a missing type
      parameter.binding = bind(ast::BindingKind::Parameter, parameter.name, types::errorType());
    parameters.push_back(parameter.binding->type);
  }
  TypePtr result = decl.result ? resolveType(*decl.result) : types::errorType();
  if (result->kind == Kind::Function)
    result = error(DiagCode::TypeMismatch, decl.result->span,
                   "a function is no value: it cannot be a result");
  if (!decl.result && !sink_.hasErrors())
    report(DiagCode::NeedsTypeAnnotation, decl.name.span,
           fmt::format("`{}` does not say what its result is", decl.name.text))
        .help = "write `-> real`, or another type, after the parameters";
  decl.type = types::function(std::move(parameters), result);
}

Signature Checker::instantiate(const ast::FnDecl& decl) {
  Signature signature =
      signatureOfParameters(decl.parameters, decl.sizes, decl.type->result, sizes_);
  signature.name = decl.name.text;
  return signature;
}

Signature Checker::signatureOf(const ast::Expr& expr) {
  auto found = signatures_.find(&expr);
  if (found != signatures_.end()) return found->second;
  Signature signature;
  for (const TypePtr& element : expr.type->elements)
    signature.parameters.push_back({"", element, {}, false, std::nullopt});
  signature.result = expr.type->result;
  if (expr.kind == ast::ExprKind::Name) signature.name = ast::as<ast::NameExpr>(expr).name;
  return signature;
}

void Checker::checkBody(ast::FnDecl& decl) {
  scopes_.clear();
  function_ = &decl;
  ScopeGuard scope(*this, ScopeKind::Function);
  TypePtr result = decl.type->result;
  scopes_.back().result = result;
  for (const auto& size : decl.sizes) scopes_.back().names[size->name] = size;
  // A default may use sizes and the parameters before it.
  for (auto& parameter : decl.parameters) {
    if (parameter.binding->size) scopes_.back().names[parameter.name.text] = parameter.binding;
  }
  for (auto& parameter : decl.parameters) {
    if (parameter.default_value) {
      check(parameter.default_value, parameter.binding->type);
      fit(parameter.binding->type, *parameter.default_value,
          fmt::format("the default of `{}`", parameter.name.text), parameter.name.span,
          "declared here");
    }
    scopes_.back().names[parameter.name.text] = parameter.binding;
  }
  checkAttributes(decl.attributes, true);
  calls_[&decl];
  if (decl.body) {
    checkFunctionBody(decl, result);
    finish();
  }
  function_ = nullptr;
}

void Checker::checkFunctionBody(ast::FnDecl& decl, const TypePtr& result) {
  TypePtr type = check(decl.body, result);
  if (type->kind == Kind::Unit && result->kind != Kind::Unit) {
    if (alwaysReturns(decl.body.get()) || result->isError()) return;
    auto& d =
        report(DiagCode::MissingResult, decl.name.span,
               fmt::format("the function ends without a value, where {} is declared", str(result)));
    if (decl.block_body) d.help = "the last expression of a block is its value; or `return` one";
    return;
  }
  // Labels name the value itself, not the block around it.
  ast::Expr* value = decl.body.get();
  while (value->kind == ast::ExprKind::Block && ast::as<ast::BlockExpr>(*value).result)
    value = ast::as<ast::BlockExpr>(*value).result.get();
  fit(result, *value, "the result", declaredResult(decl), "declared here");
}

Span Checker::declaredResult(const ast::FnDecl& decl) {
  return decl.result ? decl.result->span : decl.name.span;
}

TypePtr Checker::checkLambda(ast::LambdaExpr& expr, const TypePtr& expected) {
  ScopeGuard scope(*this, ScopeKind::Lambda);
  scopes_.back().lambda = &expr;
  expr.captures.clear();
  expr.sizes.clear();
  declareParameters(expr.parameters, nullptr, expr.sizes);
  bool hinted = expected && expected->kind == Kind::Function &&
                expected->elements.size() == expr.parameters.size();
  for (size_t k = 0; k < expr.parameters.size(); ++k) {
    ast::Parameter& parameter = expr.parameters[k];
    if (!parameter.type) {
      TypePtr type = hinted ? expected->elements[k] : types::errorType();
      if (!hinted) {
        auto& d = report(DiagCode::NeedsTypeAnnotation, parameter.name.span,
                         fmt::format("nothing here tells the type of `{}`", parameter.name.text));
        d.help = fmt::format("write `{}: real`, or another type", parameter.name.text);
      }
      parameter.binding = bind(ast::BindingKind::Parameter, parameter.name, type);
      noteValue(parameter.binding, nullptr);
    }
    if (parameter.default_value) {
      check(parameter.default_value, parameter.binding->type);
      fit(parameter.binding->type, *parameter.default_value,
          fmt::format("the default of `{}`", parameter.name.text));
    }
  }
  TypePtr result = check(expr.body, hinted ? expected->result : nullptr);
  if (TypePtr returned = scopes_.back().result) {
    bool type_differs = false;
    TypePtr joined = result->kind == Kind::Unit ? returned : join(returned, result, type_differs);
    if (joined)
      result = joined;
    else
      result = error(
          DiagCode::TypeMismatch, expr.body->span,
          fmt::format("the function returns {} and ends with {}", str(returned), str(result)));
  } else if (result->kind == Kind::Unit) {
    result = error(DiagCode::MissingResult, expr.span, "the anonymous function has no value");
  }
  if (!isStorable(result, expr.body ? expr.body->span : expr.span, "the result of a function"))
    result = types::errorType();
  setSignature(expr, signatureOfParameters(expr.parameters, expr.sizes, result, sizes_));
  return expr.type;
}

std::optional<Signature> Checker::builtinSignature(Builtin builtin) {
  auto scalars = [&](std::vector<std::string> names) {
    Signature s{spelling(builtin), {}, types::realType()};
    for (std::string& name : names)
      s.parameters.push_back({std::move(name), types::realType(), {}, false, std::nullopt});
    return s;
  };
  if (isRealElementwise(builtin)) return scalars({"x"});
  switch (builtin) {
    case Builtin::Pow:
    case Builtin::Atan2:
    case Builtin::Max:
    case Builtin::Min:
      return scalars({"a", "b"});
    case Builtin::Soft:
      return scalars({"x", "t"});
    case Builtin::Clamp:
      return scalars({"x", "lo", "hi"});
    case Builtin::Sum:
    case Builtin::Prod:
    case Builtin::Mean:
    case Builtin::Norm:
    case Builtin::Norm1:
    case Builtin::NormInf:
    case Builtin::Dot: {
      TypePtr vector = types::realType({Size::named(sizes_.flexible("n"))});
      Signature s{spelling(builtin), {{"x", vector, {}, false, std::nullopt}}, types::realType()};
      if (builtin == Builtin::Dot)
        s.parameters = {{"a", vector, {}, false, std::nullopt},
                        {"b", vector, {}, false, std::nullopt}};
      return s;
    }
    case Builtin::Sort:
    case Builtin::ProjSimplex:  // of radius 1
    case Builtin::ProjL1:
    case Builtin::ProjL2:
    case Builtin::ProjSoc: {
      TypePtr vector = types::realType({Size::named(sizes_.flexible("n"))});
      const std::string& name = builtinParameters(builtin)[0];
      return Signature{spelling(builtin), {{name, vector, {}, false, std::nullopt}}, vector};
    }
    case Builtin::ProjPsd: {
      Size n = Size::named(sizes_.flexible("n"));
      TypePtr matrix = types::realType({n, n});
      return Signature{spelling(builtin), {{"A", matrix, {}, false, std::nullopt}}, matrix};
    }
    case Builtin::NormNuc: {
      TypePtr matrix =
          types::realType({Size::named(sizes_.flexible("m")), Size::named(sizes_.flexible("n"))});
      return Signature{spelling(builtin), {{"A", matrix, {}, false, std::nullopt}},
                       types::realType()};
    }
    default:
      return std::nullopt;
  }
}

bool Checker::checkFunctionArgument(ast::ExprPtr& value, const TypePtr& expected,
                                    const std::string& what, Span place) {
  // A builtin takes the types that are wanted of it, whatever their rank.
  if (value->kind == ast::ExprKind::Name) {
    auto& name = ast::as<ast::NameExpr>(*value);
    auto builtin = builtinNamed(name.name);
    if (builtin && !lookUp(name.name) && !world_.function(name.span.file, name.name)) {
      name.referent = ast::Referent::Builtin;
      name.builtin = static_cast<int>(*builtin);
      TypePtr result = builtinApplied(*builtin, expected->elements, name.span);
      if (result->isError()) {
        name.type = result;
        return false;
      }
      name.type = types::function(expected->elements, result);
      unfinished_.push_back(value.get());
      return fit(expected, *value, what, place, "declared here");
    }
  }
  if (value->kind == ast::ExprKind::Lambda) {
    size_t has = ast::as<ast::LambdaExpr>(*value).parameters.size();
    if (has != expected->elements.size()) {
      value->type = error(DiagCode::TypeMismatch, value->span,
                          fmt::format("{} takes {}, where {} is expected", what,
                                      counted(has, "parameter"), str(expected)));
      return false;
    }
  }
  TypePtr type = check(value, expected);
  if (type->isError()) return false;
  bool type_differs =
      type->kind != Kind::Function || type->elements.size() != expected->elements.size();
  bool good = !type_differs;
  for (size_t k = 0; good && k < expected->elements.size(); ++k) {
    // The function will be called with what the parameter's type says: it has to take that.
    good = fits(type->elements[k], expected->elements[k], value->span, type_differs);
  }
  good = good && fits(expected->result, type->result, value->span, type_differs);
  if (good) return true;
  auto& d = report(type_differs ? DiagCode::TypeMismatch : DiagCode::ShapeMismatch, value->span,
                   fmt::format("{} is {}, where {} is expected", what, str(type), str(expected)),
                   fmt::format("this is {}", str(type)));
  if (place.valid()) d.labels.push_back({place, "declared here"});
  if (type->kind != Kind::Function && type->isScalar())
    d.help = "a function is passed by its name, without a call: `f`, not `f(x)`";
  return false;
}

}  // namespace dini::sema
