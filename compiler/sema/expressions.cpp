// Expressions other than operators, indices and calls.
#include <fmt/format.h>

#include "sema/checker.h"

namespace dini::sema {
namespace {
// Beyond this nesting the tree is refused: the checker and what follows it are recursive.
constexpr size_t kMaxDepth = 2000;
}  // namespace

TypePtr Checker::check(ast::ExprPtr& expr, const TypePtr& expected) {
  return expr ? checkTyped(*expr, expected) : types::errorType();
}

TypePtr Checker::checkTyped(ast::Expr& expr, const TypePtr& expected) {
  if (depth_ >= kMaxDepth) {
    expr.type = error(DiagCode::TooLarge, expr.span,
                      fmt::format("an expression is nested more than {} levels deep", kMaxDepth));
    return expr.type;
  }
  ++depth_;
  TypePtr type = checkKind(expr, expected);
  --depth_;
  bool function = type->kind == Kind::Function;
  if (function && expr.kind != ast::ExprKind::Name && expr.kind != ast::ExprKind::Call &&
      expr.kind != ast::ExprKind::Lambda)
    type = error(DiagCode::TypeMismatch, expr.span,
                 "a function is chosen here, and functions are known when the program is compiled");
  expr.type = type;
  if (sizes_.hasFlexible(*type)) unfinished_.push_back(&expr);
  return type;
}

TypePtr Checker::checkKind(ast::Expr& expr, const TypePtr& expected) {
  switch (expr.kind) {
    case ast::ExprKind::Number:
      return ast::as<ast::NumberExpr>(expr).is_int ? types::intType() : types::realType();
    case ast::ExprKind::Bool:
      return types::boolType();
    case ast::ExprKind::String:
      return error(DiagCode::MisplacedString, expr.span,
                   "a string stands here, where no value can be one",
                   "strings stand in import, test, load, save, plot and print");
    case ast::ExprKind::Name:
      return checkName(ast::as<ast::NameExpr>(expr));
    case ast::ExprKind::ArrayLiteral:
      return checkArrayLiteral(ast::as<ast::ArrayLiteralExpr>(expr));
    case ast::ExprKind::Tuple: {
      auto& tuple = ast::as<ast::TupleExpr>(expr);
      std::vector<TypePtr> elements;
      bool hinted = expected && expected->kind == Kind::Tuple &&
                    expected->elements.size() == tuple.elements.size();
      for (size_t k = 0; k < tuple.elements.size(); ++k) {
        TypePtr type = check(tuple.elements[k], hinted ? expected->elements[k] : nullptr);
        if (tuple.elements[k] &&
            !isStorable(type, tuple.elements[k]->span, "an element of a tuple"))
          type = types::errorType();
        elements.push_back(type);
      }
      return types::tuple(std::move(elements));
    }
    case ast::ExprKind::RecordLiteral:
      return checkRecordLiteral(ast::as<ast::RecordLiteralExpr>(expr));
    case ast::ExprKind::Comprehension:
      return checkComprehension(ast::as<ast::ComprehensionExpr>(expr));
    case ast::ExprKind::Reduction:
      return checkReduction(ast::as<ast::ReductionExpr>(expr));
    case ast::ExprKind::Unary:
      return checkUnary(ast::as<ast::UnaryExpr>(expr));
    case ast::ExprKind::Binary:
      return checkBinary(ast::as<ast::BinaryExpr>(expr));
    case ast::ExprKind::Transpose:
      return checkTranspose(ast::as<ast::TransposeExpr>(expr));
    case ast::ExprKind::Call:
      return checkCall(ast::as<ast::CallExpr>(expr), expected);
    case ast::ExprKind::Index:
      return checkIndex(ast::as<ast::IndexExpr>(expr));
    case ast::ExprKind::Field:
      return checkField(ast::as<ast::FieldExpr>(expr));
    case ast::ExprKind::If:
      return checkIf(ast::as<ast::IfExpr>(expr), expected);
    case ast::ExprKind::Try:
      return checkTry(ast::as<ast::TryExpr>(expr), expected);
    case ast::ExprKind::Block:
      return checkBlock(ast::as<ast::BlockExpr>(expr), expected);
    case ast::ExprKind::Lambda:
      return checkLambda(ast::as<ast::LambdaExpr>(expr), expected);
    case ast::ExprKind::Solve:
      return checkSolve(ast::as<ast::SolveExpr>(expr));
    case ast::ExprKind::Argmin:
      return checkArgmin(ast::as<ast::ArgminExpr>(expr));
  }
  return types::errorType();
}

TypePtr Checker::checkArrayLiteral(ast::ArrayLiteralExpr& expr) {
  if (expr.elements.empty()) {
    report(DiagCode::NeedsTypeAnnotation, expr.span, "an empty array does not tell its type").help =
        "write `zeros(0)`";
    return types::errorType();
  }
  TypePtr common;
  bool failed = false;
  for (auto& element : expr.elements) {
    TypePtr type = check(element);
    if (type->isError()) {
      failed = true;
      continue;
    }
    if (type->kind != Kind::Array) {
      auto& d = report(DiagCode::TypeMismatch, element->span,
                       fmt::format("an element of an array is {}", str(type)));
      d.help = type->kind == Kind::Covector ? "a covector cannot be an element: drop the `'`"
                                            : "arrays hold reals, ints or bools";
      failed = true;
      continue;
    }
    bool type_differs = false;
    TypePtr joined = common ? join(common, type, type_differs) : type;
    if (!joined) {
      auto& d = report(
          type_differs ? DiagCode::TypeMismatch : DiagCode::ShapeMismatch, element->span,
          fmt::format("an element is {}, where those before it are {}", str(type), str(common)),
          fmt::format("this is {}", str(type)));
      d.labels.push_back({expr.elements[0]->span, fmt::format("this is {}", str(common))});
      failed = true;
      continue;
    }
    common = joined;
  }
  if (failed || !common) return types::errorType();
  std::vector<Size> dims = {Size(static_cast<int64_t>(expr.elements.size()))};
  dims.insert(dims.end(), common->dims.begin(), common->dims.end());
  return types::array(common->scalar, std::move(dims));
}

TypePtr Checker::checkRecordLiteral(ast::RecordLiteralExpr& expr) {
  ast::TypeDecl* decl = world_.type(expr.span.file, expr.name.text);
  if (!decl) {
    auto& d = report(DiagCode::UnknownName, expr.name.span,
                     fmt::format("there is no type `{}`", expr.name.text));
    suggest(d, expr.name.text, world_.typeNames(expr.span.file));
    for (auto& field : expr.fields) check(field.value);
    return types::errorType();
  }
  declareType(*decl);
  expr.decl = decl;
  std::vector<Size> arguments;
  for (const ast::Name& name : decl->sizes)
    arguments.push_back(Size::named(sizes_.flexible(name.text)));
  TypePtr record = recordOf(*decl, arguments);
  std::unordered_map<std::string, Span> given;
  bool complete = true;
  for (auto& init : expr.fields) {
    auto [first, fresh] = given.emplace(init.name.text, init.name.span);
    if (!fresh) {
      auto& d = report(DiagCode::DuplicateName, init.name.span,
                       fmt::format("the field `{}` is given twice", init.name.text));
      d.labels.push_back({first->second, "first here"});
    }
    size_t k = 0;
    while (k < record->fields.size() && record->fields[k].name != init.name.text) ++k;
    if (k == record->fields.size()) {
      check(init.value);
      complete = false;
      std::vector<std::string> names;
      for (const auto& field : record->fields) names.push_back(field.name);
      auto& d = report(DiagCode::UnknownField, init.name.span,
                       fmt::format("`{}` has no field `{}`", decl->name.text, init.name.text));
      d.labels.push_back({decl->name.span, "declared here"});
      suggest(d, init.name.text, names);
      continue;
    }
    TypePtr wanted = record->fields[k].type;
    check(init.value, wanted);
    if (init.value)
      fit(wanted, *init.value, fmt::format("the field `{}`", init.name.text),
          decl->fields[k].name.span, "declared here");
  }
  for (const auto& field : record->fields)
    if (complete && !given.count(field.name)) {
      auto& d =
          report(DiagCode::UnknownField, expr.span,
                 fmt::format("the field `{}` of `{}` is not given", field.name, decl->name.text));
      d.labels.push_back({decl->name.span, "declared here"});
      break;
    }
  return sizes_.resolve(record);
}

void Checker::checkIterators(std::vector<ast::Iterator>& iterators, std::vector<Size>& dims,
                             bool rectangular) {
  std::vector<types::SizeName> indices;
  for (ast::Iterator& iterator : iterators) {
    Size lo, hi;
    auto bound = [&](ast::ExprPtr& expr, Size& size) {
      TypePtr type = check(expr);
      if (!type->isError() && !(type->isScalar() && type->scalar == Scalar::Int))
        report(DiagCode::TypeMismatch, expr->span,
               fmt::format("a range has the end {}, where an int is expected", str(type)));
      size = sizeOrUnknown(expr);
    };
    if (iterator.lo) bound(iterator.lo, lo);
    bound(iterator.hi, hi);
    Size extent = hi - lo;
    if (extent.constant() && *extent.constant() < 0) extent = Size(0);
    for (types::SizeName name : extent.names())
      for (types::SizeName index : indices)
        if (rectangular && name == index) {
          auto& d = report(DiagCode::BadDimension, iterator.name.span,
                           fmt::format("the range of `{}` depends on `{}`: the rows would differ "
                                       "in length",
                                       iterator.name.text, sizes_.spell(index)));
          d.help = "use the longest range, and `if` in the body";
        }
    dims.push_back(extent);
    iterator.binding = bind(ast::BindingKind::Iterator, iterator.name, types::intType());
    noteValue(iterator.binding, nullptr);
    auto value = values_.find(iterator.binding);
    if (value != values_.end()) indices.push_back(value->second.names()[0]);
  }
}

TypePtr Checker::checkComprehension(ast::ComprehensionExpr& expr) {
  ScopeGuard scope(*this, ScopeKind::Comprehension);
  std::vector<Size> dims;
  checkIterators(expr.iterators, dims, true);
  TypePtr body = check(expr.body);
  return batched(body, dims, expr.body ? expr.body->span : expr.span);
}

// D ++ S for every leaf.
TypePtr Checker::batched(const TypePtr& body, const std::vector<Size>& dims, Span span) {
  switch (body->kind) {
    case Kind::Error:
      return body;
    case Kind::Array: {
      std::vector<Size> all = dims;
      all.insert(all.end(), body->dims.begin(), body->dims.end());
      return types::array(body->scalar, std::move(all));
    }
    case Kind::Tuple: {
      std::vector<TypePtr> elements;
      for (const TypePtr& element : body->elements)
        elements.push_back(batched(element, dims, span));
      return types::tuple(std::move(elements));
    }
    case Kind::Record: {
      std::vector<Size> arguments = dims;
      arguments.insert(arguments.end(), body->arguments.begin(), body->arguments.end());
      std::vector<types::Field> fields;
      for (const auto& field : body->fields)
        fields.push_back({field.name, batched(field.type, dims, span)});
      std::string name = body->name.starts_with("[") ? body->name : "[" + body->name + "]";
      return types::record(std::move(name), std::move(arguments), std::move(fields));
    }
    case Kind::Covector: {
      auto& d = report(DiagCode::TypeMismatch, span, "an element of an array is a covector");
      d.help = "a covector cannot be an element: drop the `'`";
      return types::errorType();
    }
    default:
      return error(DiagCode::TypeMismatch, span,
                   fmt::format("the body of a comprehension is {}", str(body)));
  }
}

TypePtr Checker::checkReduction(ast::ReductionExpr& expr) {
  ScopeGuard scope(*this, ScopeKind::Comprehension);
  std::vector<Size> dims;
  checkIterators(expr.iterators, dims, false);
  TypePtr body = check(expr.body);
  if (body->isError()) return body;
  bool logical = expr.op.text == "any" || expr.op.text == "all";
  if (body->kind != Kind::Array || (body->scalar == Scalar::Bool) != logical) {
    auto& d = report(DiagCode::TypeMismatch, expr.body->span,
                     fmt::format("`{}` is over {}, where {} are expected", expr.op.text, str(body),
                                 logical ? "bools" : "reals or ints"));
    if (body->isArray(Scalar::Bool)) d.help = "`real(b)` is 1 where b is true, and 0 elsewhere";
    return types::errorType();
  }
  if (expr.op.text == "mean") return types::realType(body->dims);
  return body;
}

bool Checker::checkCondition(ast::ExprPtr& expr, const std::string& what) {
  TypePtr type = check(expr);
  if (type->isError()) return false;
  if (type->isScalar() && type->scalar == Scalar::Bool) return true;
  auto& d = report(DiagCode::TypeMismatch, expr->span,
                   fmt::format("{} is {}, where a bool is expected", what, str(type)));
  if (type->isArray(Scalar::Bool))
    d.help = "`all(...)` and `any(...)` make one bool of an array; `where(c, a, b)` is elementwise";
  return false;
}

TypePtr Checker::checkIf(ast::IfExpr& expr, const TypePtr& expected) {
  checkCondition(expr.condition, "the condition");
  TypePtr then_type = check(expr.then_block, expected);
  if (!expr.else_block) {
    if (then_type->kind != Kind::Unit && !then_type->isError()) {
      auto& d = report(DiagCode::MissingResult, expr.then_block->span,
                       fmt::format("this `if` gives {} and has no `else`", str(then_type)));
      d.help = "add `else { ... }` with the other value";
    }
    return types::unitType();
  }
  TypePtr else_type = check(expr.else_block, expected);
  // A side that always returns has no value to compare.
  if (then_type->kind == Kind::Unit && alwaysReturns(expr.then_block.get())) return else_type;
  if (else_type->kind == Kind::Unit && alwaysReturns(expr.else_block.get())) return then_type;
  bool type_differs = false;
  if (TypePtr joined = join(then_type, else_type, type_differs)) return joined;
  auto& d = report(
      type_differs ? DiagCode::TypeMismatch : DiagCode::ShapeMismatch, expr.else_block->span,
      fmt::format("one side of this `if` is {}, the other {}", str(then_type), str(else_type)),
      fmt::format("this is {}", str(else_type)));
  d.labels.push_back({expr.then_block->span, fmt::format("this is {}", str(then_type))});
  return types::errorType();
}

TypePtr Checker::checkTry(ast::TryExpr& expr, const TypePtr& expected) {
  ScopeGuard scope(*this, ScopeKind::Try);
  TypePtr body = check(expr.body, expected);
  TypePtr fallback = check(expr.fallback, expected);
  bool type_differs = false;
  if (TypePtr joined = join(body, fallback, type_differs)) return joined;
  auto& d =
      report(type_differs ? DiagCode::TypeMismatch : DiagCode::ShapeMismatch, expr.fallback->span,
             fmt::format("`try` is {}, what stands for it {}", str(body), str(fallback)),
             fmt::format("this is {}", str(fallback)));
  d.labels.push_back({expr.body->span, fmt::format("this is {}", str(body))});
  return types::errorType();
}

TypePtr Checker::checkBlock(ast::BlockExpr& expr, const TypePtr& expected) {
  ScopeGuard scope(*this, ScopeKind::Block);
  for (auto& statement : expr.statements)
    if (statement) checkStatement(*statement);
  if (!expr.result) return types::unitType();
  return check(expr.result, expected);
}

TypePtr Checker::checkField(ast::FieldExpr& expr) {
  TypePtr base = check(expr.base);
  if (base->isError() || expr.name.text.empty()) return types::errorType();
  if (base->kind != Kind::Record)
    return error(DiagCode::UnknownField, expr.name.span,
                 fmt::format("{} has no fields, so no `{}`", str(base), expr.name.text));
  std::vector<std::string> names;
  for (const auto& field : base->fields) {
    if (field.name == expr.name.text) return field.type;
    names.push_back(field.name);
  }
  auto& d = report(DiagCode::UnknownField, expr.name.span,
                   fmt::format("{} has no field `{}`", str(base), expr.name.text));
  suggest(d, expr.name.text, names);
  return types::errorType();
}

}  // namespace dini::sema
