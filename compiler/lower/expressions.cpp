// Names, literals, records, and control that gives a value.
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "base/check.h"
#include "lower/assignments.h"
#include "lower/scopes.h"

namespace dini::lower {

using ast::ExprKind;

std::string Shared::freshName(const std::string& base) {
  return fmt::format("{}.{}", base, ++made);
}

Emitter::Emitter(Shared& shared, ir::Function& function, const Lowerer::Environment* environment)
    : shared_(shared),
      function_(function),
      environment_(environment),
      body_builder_(function, function.body),
      builder_(&body_builder_),
      frame_(&top_frame_) {}

void Emitter::fail(DiagCode code, Span span, std::string message, std::string help) {
  if (shared_.attempts == 0)
    shared_.sink.add(code, span, std::move(message)).help = std::move(help);
  throw LowerFailure{};
}

void Emitter::setSpan(Span span) {
  span_ = span;
  builder_->setSpan(span);
}

void Emitter::yield(const Val& value) { b().yield(leavesOf(value)); }

Val Emitter::eval(const ast::Expr& e) {
  if (!frame_->evaluated.empty())
    if (auto it = frame_->evaluated.find(&e); it != frame_->evaluated.end()) return it->second;
  SpanScope span(*this, e.span);
  switch (e.kind) {
    case ExprKind::Number: {
      const auto& number = ast::as<ast::NumberExpr>(e);
      return Val::leaf(number.is_int ? b().integer(number.int_value) : b().real(number.value));
    }
    case ExprKind::Bool:
      return Val::leaf(b().boolean(ast::as<ast::BoolExpr>(e).value));
    case ExprKind::String:
      fail(DiagCode::MisplacedString, e.span, "a string where a value is needed");
    case ExprKind::Name:
      return evalName(ast::as<ast::NameExpr>(e));
    case ExprKind::ArrayLiteral:
      return evalArrayLiteral(ast::as<ast::ArrayLiteralExpr>(e));
    case ExprKind::Tuple: {
      std::vector<Val> elements;
      for (const auto& element : ast::as<ast::TupleExpr>(e).elements)
        elements.push_back(eval(*element));
      return Val::tuple(std::move(elements));
    }
    case ExprKind::RecordLiteral:
      return evalRecordLiteral(ast::as<ast::RecordLiteralExpr>(e));
    case ExprKind::Comprehension:
      return evalComprehension(ast::as<ast::ComprehensionExpr>(e));
    case ExprKind::Reduction:
      return evalReduction(ast::as<ast::ReductionExpr>(e));
    case ExprKind::Unary:
      return evalUnary(ast::as<ast::UnaryExpr>(e));
    case ExprKind::Binary:
      return evalBinary(ast::as<ast::BinaryExpr>(e));
    case ExprKind::Transpose:
      return evalTranspose(ast::as<ast::TransposeExpr>(e));
    case ExprKind::Call:
      return evalCall(ast::as<ast::CallExpr>(e));
    case ExprKind::Index:
      return evalIndex(ast::as<ast::IndexExpr>(e));
    case ExprKind::Field: {
      const auto& field = ast::as<ast::FieldExpr>(e);
      Val base = eval(*field.base);
      int at = base.field(field.name.text);
      check(at >= 0, "a field that the record does not have");
      return base.elements[static_cast<size_t>(at)];
    }
    case ExprKind::If:
      return evalIf(ast::as<ast::IfExpr>(e));
    case ExprKind::Try:
      return evalTry(ast::as<ast::TryExpr>(e));
    case ExprKind::Block:
      return block(ast::as<ast::BlockExpr>(e));
    case ExprKind::Lambda: {
      const auto& lambda = ast::as<ast::LambdaExpr>(e);
      auto f = std::make_shared<FunctionValue>();
      f->kind = FunctionValue::Kind::Lambda;
      f->lambda = &lambda;
      f->sizes = frame_->sizes;
      f->tie_mark = frame_->tie_mark;
      for (const ast::BindingPtr& captured : lambda.captures) {
        if (auto it = frame_->env.find(captured.get()); it != frame_->env.end())
          f->captured.emplace(captured.get(), it->second);
        else if (captured->kind == ast::BindingKind::TopLevel && captured->alias == nullptr)
          f->captured.emplace(captured.get(), topLevel(*captured));
      }
      return Val::of(std::move(f));
    }
    case ExprKind::Solve:
      return evalSolve(ast::as<ast::SolveExpr>(e));
    case ExprKind::Argmin:
      return evalArgmin(ast::as<ast::ArgminExpr>(e));
  }
  failCheck("unknown expression kind");
}

// --- names

Val Emitter::evalName(const ast::NameExpr& e) {
  switch (e.referent) {
    case ast::Referent::Binding:
      return evalBinding(*e.binding, e);
    case ast::Referent::Function: {
      auto f = std::make_shared<FunctionValue>();
      f->kind = FunctionValue::Kind::User;
      f->decl = e.function;
      return Val::of(std::move(f));
    }
    case ast::Referent::Builtin: {
      auto builtin = static_cast<sema::Builtin>(e.builtin);
      switch (builtin) {
        case sema::Builtin::Pi:
          return Val::leaf(b().real(std::numbers::pi));
        case sema::Builtin::Inf:
          return Val::leaf(b().real(std::numeric_limits<double>::infinity()));
        case sema::Builtin::Nan:
          return Val::leaf(b().real(std::numeric_limits<double>::quiet_NaN()));
        case sema::Builtin::Eps:
          return Val::leaf(b().real(std::numeric_limits<double>::epsilon()));
        default:
          break;
      }
      auto f = std::make_shared<FunctionValue>();
      f->kind = FunctionValue::Kind::Builtin;
      f->builtin = builtin;
      return Val::of(std::move(f));
    }
    case ast::Referent::Unresolved:
      break;
  }
  failCheck("a name that the checker did not resolve: " + e.name);
}

Val Emitter::evalBinding(const ast::Binding& binding, const ast::NameExpr& e) {
  if (auto it = frame_->env.find(&binding); it != frame_->env.end()) return it->second;
  if (binding.alias != nullptr) return eval(*binding.alias);
  if (binding.kind == ast::BindingKind::TopLevel) return topLevel(binding);
  if (binding.size) {
    ir::Value* size = evalSize(*binding.size);
    if (size != nullptr) return Val::leaf(size);
  }
  failCheck("a name without a value: " + e.name);
}

// A script's variable: a parameter of the function being made. Int scalars are constants, so that
// sizes made of them are known.
Val Emitter::topLevel(const ast::Binding& binding) {
  check(environment_ != nullptr, "a script's variable outside a script: " + binding.name);
  auto host = environment_->find(binding.name);
  check(host != environment_->end(), "a script's variable without a value: " + binding.name);
  const types::Type& type = *host->second.type;
  bool is_int = type.isScalar() && type.scalar == types::Scalar::Int;
  if (is_int && !host->second.varies && host->second.leaves.size() == 1)
    return Val::leaf(b().integer(host->second.leaves[0].ints.at(0)));
  auto known = input_values_.find(binding.name);
  if (known != input_values_.end()) return known->second;
  inputs_.push_back(binding.name);
  return input_values_.emplace(binding.name, parameterFor(type, binding.name)).first->second;
}

// --- literals

Val Emitter::evalArrayLiteral(const ast::ArrayLiteralExpr& e) {
  std::vector<Val> elements;
  bool real = e.type != nullptr && e.type->isReal();
  for (const auto& element : e.elements) {
    elements.push_back(eval(*element));
    real = real || elements.back().type().isReal();
  }
  check(!elements.empty(), "an empty array literal");
  std::vector<double> reals;
  std::vector<int64_t> ints;
  bool constant = true;
  for (const Val& element : elements)
    constant = constant && constantElements(element, real, reals, ints);
  if (constant) {
    ir::Type type = elements[0].type();
    if (real) type.elem = ir::Elem::F64;
    type.dims.insert(type.dims.begin(), static_cast<int64_t>(elements.size()));
    return Val::leaf(real ? b().constant(type, std::move(reals))
                          : b().constantInts(type, std::move(ints)));
  }
  std::vector<ir::Value*> parts;
  for (const Val& element : elements) {
    parts.push_back(real ? toReal(element.value) : element.value);
    if (parts.size() > 1) requireEqualShapes(parts[0], parts.back());
  }
  return Val::leaf(b().pack(std::move(parts)));
}

// Appends the elements of a constant; false if the value is not one.
bool Emitter::constantElements(const Val& value, bool real, std::vector<double>& reals,
                               std::vector<int64_t>& ints) {
  const ir::Op* def = value.value->def;
  if (def == nullptr || def->code != ir::OpCode::Const) return false;
  const ir::Attrs& attrs = def->attrs;
  if (value.type().isReal()) {
    if (value.type().isScalar())
      reals.push_back(attrs.f);
    else
      reals.insert(reals.end(), attrs.data->begin(), attrs.data->end());
    return true;
  }
  std::vector<int64_t> own = value.type().isScalar() ? std::vector<int64_t>{attrs.i} : attrs.ints;
  if (real)
    reals.insert(reals.end(), own.begin(), own.end());
  else
    ints.insert(ints.end(), own.begin(), own.end());
  return true;
}

Val Emitter::evalRecordLiteral(const ast::RecordLiteralExpr& e) {
  check(e.decl != nullptr, "an unchecked record literal");
  std::vector<Val> fields(e.decl->fields.size());
  for (const ast::FieldInit& init : e.fields)
    for (size_t k = 0; k < fields.size(); ++k)
      if (e.decl->fields[k].name.text == init.name.text)
        fields[k] = coerce(eval(*init.value),
                           k < e.decl->resolved.size() ? e.decl->resolved[k].type.get() : nullptr);
  return Val::recordOf(e.decl, std::move(fields));
}

// --- transpose

Val Emitter::evalTranspose(const ast::TransposeExpr& e) { return transposed(eval(*e.operand)); }

Val Emitter::transposed(const Val& value) {
  if (isSparse(value)) return callPrelude("sparse_transpose", {{"A", value}});
  if (value.rank() == 0) return value;
  if (value.rank() == 1) return Val::leaf(value.value, !value.covector);
  check(value.rank() == 2, "transpose of a value that is no matrix");
  Val result = Val::leaf(b().transpose(value.value, {1, 0}));
  using ir::Structure;
  result.structure = value.structure == Structure::Lower   ? Structure::Upper
                     : value.structure == Structure::Upper ? Structure::Lower
                                                           : value.structure;
  return result;
}

// --- control that gives a value

Val Emitter::branch(Branching how, const ast::Expr* condition, ir::Value* flag,
                    const std::vector<const ast::Binding*>& merged, const types::Type* type,
                    const Side& first, const Side& second) {
  ir::Attrs attrs;
  std::vector<ir::Value*> compared;
  if (how == Branching::If) {
    if (condition != nullptr) compared = comparedReals(*condition, flag, attrs);
    if (auto known = ir::constantInt(flag)) return coerce(*known ? first() : second(), type);
  }
  std::vector<Val> before;
  for (const ast::Binding* binding : merged) before.push_back(variable(*binding));
  Val skeleton;
  std::vector<Val> after;
  auto side = [&](const Side& emit, bool keep) {
    return [&, keep](ir::Builder& inner, std::span<ir::Value* const>) {
      BuilderScope scope(*this, inner);
      Val value = coerce(emit(), type);
      check(!value.isFunction(), "a function chosen when the program runs");
      std::vector<ir::Value*> leaves = leavesOf(value);
      for (size_t k = 0; k < merged.size(); ++k) {
        const Val& changed = variable(*merged[k]);
        if (keep) after.push_back(changed);
        for (ir::Value* leaf : leavesOf(changed)) leaves.push_back(leaf);
        variable(*merged[k]) = before[k];
      }
      if (keep) skeleton = value;
      return leaves;
    };
  };
  std::vector<ir::Value*> results = how == Branching::If
                                        ? b().ifElse(flag, side(first, true), side(second, false),
                                                     std::move(attrs), std::move(compared))
                                        : b().tryElse(side(first, true), side(second, false));
  std::span<ir::Value* const> rest = results;
  size_t own = leavesOf(skeleton).size();
  Val value = withLeaves(skeleton, rest.first(own));
  rest = rest.subspan(own);
  for (size_t k = 0; k < merged.size(); ++k) {
    size_t count = leavesOf(after[k]).size();
    variable(*merged[k]) = withLeaves(after[k], rest.first(count));
    rest = rest.subspan(count);
  }
  return value;
}

std::vector<ir::Value*> Emitter::comparedReals(const ast::Expr& condition, ir::Value*& flag,
                                               ir::Attrs& attrs) {
  const ast::BinaryExpr* comparison =
      condition.kind == ExprKind::Binary ? &ast::as<ast::BinaryExpr>(condition) : nullptr;
  const char* relation = nullptr;
  if (comparison != nullptr) switch (comparison->op) {
      case ast::BinaryOp::Gt:
        relation = "gt";
        break;
      case ast::BinaryOp::Ge:
        relation = "ge";
        break;
      case ast::BinaryOp::Lt:
        relation = "lt";
        break;
      case ast::BinaryOp::Le:
        relation = "le";
        break;
      default:
        break;
    }
  if (relation == nullptr) {
    flag = eval(condition).value;
    return {};
  }
  SpanScope span(*this, condition.span);
  Val lhs = eval(*comparison->lhs), rhs = eval(*comparison->rhs);
  flag = compare(comparison->op, lhs, rhs).value;
  if (!lhs.type().isReal() && !rhs.type().isReal()) return {};
  attrs.str = relation;
  attrs.i = frame_->tie_mark;
  return {toReal(lhs.value), toReal(rhs.value)};
}

Val Emitter::evalIf(const ast::IfExpr& e) {
  bool has_value =
      e.else_block != nullptr && e.type != nullptr && e.type->kind != types::Kind::Unit;
  if (mayLeave(*e.condition) && evaluateAhead(*e.condition))
    return unlessLeft(exited(), assignedIn(e), [&] { return evalIf(e); });
  bool first = has_value && alwaysReturns(e.then_block.get());
  if (first || (has_value && alwaysReturns(e.else_block.get()))) {
    const ast::Expr& leaving = first ? *e.then_block : *e.else_block;
    const ast::Expr& other = first ? *e.else_block : *e.then_block;
    auto leave = [&] { return eval(leaving), Val{}; };
    auto stay = [] { return Val{}; };
    branch(Branching::If, e.condition.get(), nullptr, assignedIn(leaving), nullptr,
           first ? Side(leave) : Side(stay), first ? Side(stay) : Side(leave));
    return unlessLeft(exited(), assignedIn(other),
                      [&] { return coerce(eval(other), e.type.get()); });
  }
  auto side = [&](const ast::ExprPtr& taken) {
    return [&] {
      Val value = taken != nullptr ? eval(*taken) : Val{};
      return has_value ? value : Val{};
    };
  };
  return branch(Branching::If, e.condition.get(), nullptr, assignedIn(e),
                has_value ? e.type.get() : nullptr, side(e.then_block), side(e.else_block));
}

Val Emitter::evalTry(const ast::TryExpr& e) {
  return branch(
      Branching::Try, nullptr, nullptr, assignedIn(e), e.type.get(), [&] { return eval(*e.body); },
      [&] { return eval(*e.fallback); });
}

}  // namespace dini::lower
