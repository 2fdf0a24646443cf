#include "sema/checker.h"

#include <algorithm>
#include <cstdlib>
#include <limits>

#include <fmt/format.h>

namespace dini::sema {

namespace {

// A coefficient that reached the largest number: what was meant may be more.
bool isBeyond(const Size& size) {
  return std::any_of(size.terms().begin(), size.terms().end(), [](const auto& term) {
    return std::abs(term.second) == std::numeric_limits<int64_t>::max();
  });
}

}  // namespace

std::string counted(size_t count, const std::string& noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

bool isNumeric(const Type& type) { return type.kind == Kind::Array && type.scalar != Scalar::Bool; }

Diagnostic& Checker::report(DiagCode code, Span span, std::string message, std::string label) {
  return sink_.add(code, span, std::move(message), std::move(label));
}

TypePtr Checker::error(DiagCode code, Span span, std::string message, std::string label) {
  report(code, span, std::move(message), std::move(label));
  return types::errorType();
}

void Checker::suggest(Diagnostic& diagnostic, const std::string& name,
                      const std::vector<std::string>& candidates) {
  std::string near = closest(name, candidates);
  if (!near.empty()) diagnostic.help = fmt::format("did you mean `{}`?", near);
}

// ---------------------------------------------------------------- names

ast::BindingPtr Checker::bind(ast::BindingKind kind, const ast::Name& name, TypePtr type) {
  auto binding = std::make_shared<ast::Binding>();
  binding->kind = kind;
  binding->name = name.text;
  binding->span = name.span;
  binding->type = std::move(type);
  if (!name.text.empty()) scopes_.back().names[name.text] = binding;
  return binding;
}

// Innermost scope first. A name found outside lambdas is a capture of each of them.
ast::BindingPtr Checker::lookUp(const std::string& name) {
  std::vector<ast::LambdaExpr*> crossed;
  ast::BindingPtr found;
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend() && !found; ++scope) {
    auto it = scope->names.find(name);
    if (it != scope->names.end())
      found = it->second;
    else if (scope->kind == ScopeKind::Lambda)
      crossed.push_back(scope->lambda);
  }
  if (!found && top_) {
    auto it = top_->values.find(name);
    if (it != top_->values.end()) found = it->second;
  }
  if (!found) return nullptr;
  for (ast::LambdaExpr* lambda : crossed) {
    auto& captures = lambda->captures;
    if (std::find(captures.begin(), captures.end(), found) == captures.end())
      captures.push_back(found);
  }
  return found;
}

// Remembers the value of an immutable int as a size, so that zeros(k) and x[0..k] agree.
void Checker::noteValue(const ast::BindingPtr& binding, const ast::Expr* value) {
  unfinished_bindings_.push_back(binding);
  if (!binding->type->isScalar() || binding->type->scalar != Scalar::Int || binding->assignable)
    return;
  std::optional<Size> size = value ? sizeOf(*value) : std::nullopt;
  if (size && isBeyond(*size)) size.reset();
  if (size && !sizes_.hasUnknown(*size))
    binding->size = sizes_.resolve(*size);
  else
    values_[binding] = size ? *size : Size::named(sizes_.unknown(binding->name));
}

std::vector<std::string> Checker::visibleNames(FileId file) {
  std::vector<std::string> names = world_.functionNames(file);
  for (const Scope& scope : scopes_)
    for (const auto& [name, binding] : scope.names) names.push_back(name);
  if (top_)
    for (const auto& [name, binding] : top_->values) names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

void Checker::reportUnknownName(const ast::NameExpr& expr) {
  const Namespace& space = world_.of(expr.span.file);
  if (space.lost.count(expr.name)) return;  // its definition has an error already
  auto defined = space.top_level.find(expr.name);
  if (defined != space.top_level.end() && !top_) {
    auto& d = report(DiagCode::TopLevelNameInFunction, expr.span,
                     fmt::format("`{}` is a variable of the script, which functions and tests do "
                                 "not see",
                                 expr.name),
                     "used here");
    d.labels.push_back({defined->second, "defined here, at the top level"});
    d.help = fmt::format("make it a parameter, or a function `fn {}() -> ... = ...`", expr.name);
    return;
  }
  auto& d = report(DiagCode::UnknownName, expr.span, fmt::format("`{}` is not defined", expr.name));
  if (world_.type(expr.span.file, expr.name))
    d.help = fmt::format("`{}` is a type: a record is built with `{} {{ field = value }}`",
                         expr.name, expr.name);
  else
    suggest(d, expr.name, visibleNames(expr.span.file));
}

TypePtr Checker::checkName(ast::NameExpr& expr) {
  if (expr.name.empty()) return types::errorType();
  if (ast::BindingPtr binding = lookUp(expr.name)) {
    expr.referent = ast::Referent::Binding;
    expr.binding = binding;
    if (binding->kind == ast::BindingKind::Unknown) ++unknown_uses_;
    if (binding->type->kind != Kind::Function) return binding->type;
    auto known = alias_signatures_.find(binding);
    if (known == alias_signatures_.end()) return binding->type;
    // Sizes that the definition left open are open again at each use.
    Signature signature = known->second;
    std::unordered_map<uint32_t, types::SizeName> renamed;
    for (Parameter& parameter : signature.parameters) {
      parameter.type = sizes_.generalised(parameter.type, renamed);
      if (parameter.size) parameter.size = sizes_.generalised(*parameter.size, renamed);
    }
    signature.result = sizes_.generalised(signature.result, renamed);
    signature.name = expr.name;
    setSignature(expr, std::move(signature));
    return expr.type;
  }
  if (ast::FnDecl* function = world_.function(expr.span.file, expr.name)) {
    expr.referent = ast::Referent::Function;
    expr.function = function;
    if (function_) calls_[function_].push_back(function);
    if (!function->type) return types::errorType();  // its signature was not understood
    setSignature(expr, instantiate(*function));
    return expr.type;
  }
  auto builtin = builtinNamed(expr.name);
  if (!builtin) {
    reportUnknownName(expr);
    return types::errorType();
  }
  expr.referent = ast::Referent::Builtin;
  expr.builtin = static_cast<int>(*builtin);
  switch (*builtin) {
    case Builtin::Pi:
    case Builtin::Inf:
    case Builtin::Nan:
    case Builtin::Eps:
      return types::realType();
    default:
      break;
  }
  if (auto signature = builtinSignature(*builtin)) {
    setSignature(expr, *signature);
    return expr.type;
  }
  return error(
      DiagCode::NeedsTypeAnnotation, expr.span,
      fmt::format("`{}` is a builtin that takes several types, and nothing here says which",
                  expr.name));
}

// ---------------------------------------------------------------- types that fit

Verdict Checker::unifyDims(const std::vector<Size>& a, const std::vector<Size>& b, Span where) {
  Verdict verdict = Verdict::Same;
  for (size_t k = 0; k < a.size() && k < b.size(); ++k)
    verdict = worse(verdict, sizes_.unify(a[k], b[k], where));
  return verdict;
}

bool Checker::fits(const TypePtr& expected, const TypePtr& actual, Span where, bool& type_differs) {
  const Type &e = *expected, &a = *actual;
  if (e.isError() || a.isError()) return true;
  auto differ = [&] {
    type_differs = true;
    return false;
  };
  auto same_sizes = [&](const std::vector<Size>& x, const std::vector<Size>& y) {
    if (x.size() != y.size()) return differ();
    return unifyDims(x, y, where) != Verdict::Different;
  };
  if (e.kind != a.kind) return differ();
  switch (e.kind) {
    case Kind::Error:
    case Kind::Unit:
      return true;
    case Kind::Array:
      if (e.scalar != a.scalar && !(e.scalar == Scalar::Real && a.scalar == Scalar::Int))
        return differ();
      return same_sizes(e.dims, a.dims);
    case Kind::Covector:
      return same_sizes(e.dims, a.dims);
    case Kind::Record:
      if (e.name != a.name) return differ();
      return same_sizes(e.arguments, a.arguments);
    case Kind::Tuple:
    case Kind::Function: {
      if (e.elements.size() != a.elements.size()) return differ();
      bool all = true;
      for (size_t k = 0; k < e.elements.size(); ++k)
        all = fits(e.elements[k], a.elements[k], where, type_differs) && all;
      if (e.kind == Kind::Function) all = fits(e.result, a.result, where, type_differs) && all;
      return all;
    }
  }
  return false;
}

bool Checker::fit(const TypePtr& expected, ast::Expr& value, const std::string& what, Span place,
                  const std::string& place_label) {
  if (!value.type) return false;
  bool type_differs = false;
  if (fits(expected, value.type, value.span, type_differs)) return true;
  DiagCode code = type_differs ? DiagCode::TypeMismatch : DiagCode::ShapeMismatch;
  auto& d =
      report(code, value.span,
             fmt::format("{} is {}, where {} is expected", what, str(value.type), str(expected)),
             fmt::format("this is {}", str(value.type)));
  // Where the size names of the expected type got their values.
  for (const auto& dim : expected->dims)
    for (types::SizeName name : dim.names()) {
      Span bound = sizes_.boundAt(name);
      if (!bound.valid() || bound == value.span) continue;
      d.labels.push_back({bound, fmt::format("`{}` is {} here", sizes_.spell(name),
                                             sizes_.str(Size::named(name)))});
    }
  if (place.valid()) d.labels.push_back({place, place_label});
  const Type &e = *expected, &a = *value.type;
  if (e.isArray(Scalar::Int) && a.isReal() && e.rank() == a.rank())
    d.help = "a real never becomes an int by itself: `int(x)` truncates";
  else if (e.isReal() && a.isArray(Scalar::Bool) && e.rank() == a.rank())
    d.help = "`real(b)` is 1 where b is true, and 0 elsewhere";
  else if (a.kind == Kind::Covector && e.kind == Kind::Array)
    d.help = "a covector `x'` stays inside expressions: pass the vector itself";
  return false;
}

TypePtr Checker::join(const TypePtr& a, const TypePtr& b, bool& type_differs) {
  if (a->isError()) return a;
  if (b->isError()) return b;
  if (a->kind == Kind::Tuple && b->kind == Kind::Tuple &&
      a->elements.size() == b->elements.size()) {
    std::vector<TypePtr> elements;
    for (size_t k = 0; k < a->elements.size(); ++k) {
      elements.push_back(join(a->elements[k], b->elements[k], type_differs));
      if (!elements.back()) return nullptr;
    }
    return types::tuple(std::move(elements));
  }
  bool widen = isNumeric(*a) && isNumeric(*b) && a->scalar != b->scalar;
  const TypePtr wide = widen && a->scalar == Scalar::Int ? types::realType(a->dims) : a;
  if (!fits(wide, widen ? types::realType(b->dims) : b, {}, type_differs)) return nullptr;
  auto undecided = [&](const Type& t) {
    return std::any_of(t.dims.begin(), t.dims.end(),
                       [&](const Size& dim) { return sizes_.hasUnknown(dim); });
  };
  // Of two sizes that run time will compare, the one that is known.
  if (undecided(*wide) && !undecided(*b)) return types::array(wide->scalar, b->dims);
  return wide;
}

// ---------------------------------------------------------------- values as sizes

std::optional<Size> Checker::sizeOfBinary(const ast::BinaryExpr& expr) {
  auto a = sizeOf(*expr.lhs), b = sizeOf(*expr.rhs);
  if (!a || !b) return std::nullopt;
  switch (expr.op) {
    case ast::BinaryOp::Add:
      return *a + *b;
    case ast::BinaryOp::Sub:
      return *a - *b;
    case ast::BinaryOp::Mul:
    case ast::BinaryOp::ElemMul:
      return *a * *b;
    case ast::BinaryOp::Pow: {
      auto exponent = b->constant();
      if (!exponent || *exponent < 0 || *exponent > 8) return std::nullopt;
      Size result(1);
      for (int64_t k = 0; k < *exponent; ++k) result = result * *a;
      return result;
    }
    default:
      return std::nullopt;
  }
}

// len(x), div(a, b), mod(a, b).
std::optional<Size> Checker::sizeOfCall(const ast::CallExpr& call) {
  if (!call.callee || call.callee->kind != ast::ExprKind::Name) return std::nullopt;
  const auto& callee = ast::as<ast::NameExpr>(*call.callee);
  if (callee.referent != ast::Referent::Builtin) return std::nullopt;
  auto builtin = static_cast<Builtin>(callee.builtin);
  const ast::Expr* first = argument(call, 0, "");
  if (!first || !first->type) return std::nullopt;
  if (builtin == Builtin::Len && !first->type->dims.empty()) return first->type->dims[0];
  if (builtin != Builtin::Div && builtin != Builtin::Mod) return std::nullopt;
  const ast::Expr* second = argument(call, 1, "");
  auto a = sizeOf(*first), b = second ? sizeOf(*second) : std::nullopt;
  if (!a || !b) return std::nullopt;
  Size x = sizes_.resolve(*a), y = sizes_.resolve(*b);
  if (x.constant() && y.constant() && *y.constant() > 0 && *x.constant() >= 0)
    return builtin == Builtin::Div ? *x.constant() / *y.constant() : *x.constant() % *y.constant();
  return sizes_.derived(builtin == Builtin::Div ? "div" : "mod", x, y);
}

std::optional<Size> Checker::sizeOf(const ast::Expr& expr) {
  if (!expr.type || !expr.type->isScalar() || expr.type->scalar != Scalar::Int) return std::nullopt;
  switch (expr.kind) {
    case ast::ExprKind::Number:
      return Size(ast::as<ast::NumberExpr>(expr).int_value);
    case ast::ExprKind::Name: {
      const auto& name = ast::as<ast::NameExpr>(expr);
      if (!name.binding) return std::nullopt;
      if (name.binding->size) return name.binding->size;
      auto found = values_.find(name.binding);
      return found == values_.end() ? std::nullopt : std::optional<Size>(found->second);
    }
    case ast::ExprKind::Unary: {
      auto value = sizeOf(*ast::as<ast::UnaryExpr>(expr).operand);
      return value ? std::optional<Size>(Size() - *value) : std::nullopt;
    }
    case ast::ExprKind::Binary:
      return sizeOfBinary(ast::as<ast::BinaryExpr>(expr));
    case ast::ExprKind::Call:
      return sizeOfCall(ast::as<ast::CallExpr>(expr));
    default:
      return std::nullopt;
  }
}

Size Checker::sizeOrUnknown(const ast::ExprPtr& expr) {
  if (expr)
    if (auto size = sizeOf(*expr)) return sizes_.resolve(*size);
  return Size::named(sizes_.unknown("?"));
}

Size Checker::checkSize(ast::ExprPtr& expr, const std::string& what) {
  TypePtr type = check(expr);
  if (!type->isError() && !(type->isScalar() && type->scalar == Scalar::Int)) {
    report(DiagCode::BadDimension, expr->span,
           fmt::format("{} is {}, where an int is expected", what, str(type)));
    return Size::named(sizes_.unknown("?"));
  }
  Size size = sizeOrUnknown(expr);
  if (isBeyond(size)) {
    report(DiagCode::TooLarge, expr->span, fmt::format("{} with a factor of 2^63 or more", what));
    return Size::named(sizes_.unknown("?"));
  }
  auto constant = size.constant();
  if (constant && *constant < 0) {
    report(DiagCode::BadDimension, expr->span, fmt::format("{} is negative: {}", what, *constant));
    return Size::named(sizes_.unknown("?"));
  }
  return size;
}

void Checker::finish() {
  sizes_.retryPending();
  for (ast::Expr* expr : unfinished_) expr->type = sizes_.resolve(expr->type);
  unfinished_.clear();
  for (const ast::BindingPtr& binding : unfinished_bindings_) {
    binding->type = sizes_.resolve(binding->type);
    if (!binding->size) continue;
    binding->size = sizes_.resolve(*binding->size);
    if (sizes_.isRigidOnly(*binding->size)) continue;
    values_[binding] = *binding->size;
    binding->size.reset();
  }
  unfinished_bindings_.clear();
  signatures_.clear();
}

}  // namespace dini::sema
