#include "lower/argmin_objective.h"

#include <algorithm>

#include "sema/sema.h"
#include "syntax/ast_visit.h"

namespace dini::lower {

using ast::BinaryOp;
using ast::ExprKind;
using sema::Builtin;

namespace {

// The builtin that a call names; nothing for other calls.
std::optional<Builtin> builtinOf(const ast::Expr& e) {
  if (e.kind != ExprKind::Call) return std::nullopt;
  const ast::Expr& callee = *ast::as<ast::CallExpr>(e).callee;
  if (callee.kind != ExprKind::Name) return std::nullopt;
  const auto& name = ast::as<ast::NameExpr>(callee);
  if (name.referent != ast::Referent::Builtin) return std::nullopt;
  return static_cast<Builtin>(name.builtin);
}

// The operand of a call of a builtin with one, or null.
const ast::Expr* operandOf(const ast::Expr& e, Builtin builtin) {
  if (builtinOf(e) != builtin) return nullptr;
  const auto& arguments = ast::as<ast::CallExpr>(e).arguments;
  return arguments.size() == 1 ? arguments[0].value.get() : nullptr;
}

bool isScalar(const ast::Expr& e) { return e.type && e.type->isScalar(); }

bool hasKink(Builtin builtin) {
  switch (builtin) {
    case Builtin::Abs:
    case Builtin::Max:
    case Builtin::Min:
    case Builtin::Relu:
    case Builtin::Clamp:
    case Builtin::Soft:
    case Builtin::Hinge:
    case Builtin::Norm:
    case Builtin::Norm1:
    case Builtin::NormInf:
    case Builtin::NormNuc:
    case Builtin::Sort:
    case Builtin::MaxPool:
    case Builtin::ProjNonneg:
    case Builtin::ProjBox:
    case Builtin::ProjSimplex:
    case Builtin::ProjL1:
    case Builtin::ProjL2:
    case Builtin::ProjSoc:
    case Builtin::ProjPsd:
    case Builtin::Floor:
    case Builtin::Ceil:
    case Builtin::Round:
    case Builtin::Sign:
      return true;
    default:
      return false;
  }
}

// f(e)^2 with f one of norm, abs, relu, hinge: a function with a continuous derivative. Its operand.
const ast::Expr* squareWithoutKink(const ast::Expr& e) {
  if (e.kind != ExprKind::Binary) return nullptr;
  const auto& power = ast::as<ast::BinaryExpr>(e);
  if (power.op != BinaryOp::Pow && power.op != BinaryOp::ElemPow) return nullptr;
  if (power.rhs->kind != ExprKind::Number ||
      ast::as<ast::NumberExpr>(*power.rhs).value != 2.0)
    return nullptr;
  for (Builtin f : {Builtin::Norm, Builtin::Abs, Builtin::Relu, Builtin::Hinge})
    if (const ast::Expr* operand = operandOf(*power.lhs, f)) return operand;
  return nullptr;
}

}  // namespace

ObjectiveTerms::ObjectiveTerms(const ast::ArgminExpr& block) : block_(block) {
  for (const ast::Unknown& unknown : block.unknowns) dependent_.insert(unknown.binding.get());
  for (const auto& statement : block.lets) {
    const auto& let = ast::as<ast::LetStmt>(*statement);
    if (!let.isPattern() && let.bindings.size() == 1)
      lets_.emplace(let.bindings[0].get(), let.value.get());
    if (dependsOnUnknowns(*let.value))
      for (const auto& binding : let.bindings) dependent_.insert(binding.get());
  }
  split({block.objective.get(), block.maximize, {}});
  for (const Scaled& term : smooth_)
    if (kink_ == nullptr) kink_ = kinkIn(*term.expression);
}

bool ObjectiveTerms::dependsOnUnknowns(const ast::Expr& e) const {
  if (e.kind == ExprKind::Name)
    return dependent_.contains(ast::as<ast::NameExpr>(e).binding.get());
  bool found = false;
  ast::forEachChild(e, [&](const ast::Expr& part) { found = found || dependsOnUnknowns(part); });
  return found;
}

// What a `let` of the block stands for.
const ast::Expr& ObjectiveTerms::resolved(const ast::Expr& e) const {
  if (e.kind != ExprKind::Name) return e;
  auto found = lets_.find(ast::as<ast::NameExpr>(e).binding.get());
  return found == lets_.end() ? e : resolved(*found->second);
}

std::optional<size_t> ObjectiveTerms::unknownOf(const ast::Expr& e) const {
  const ast::Expr& seen = resolved(e);
  if (seen.kind != ExprKind::Name) return std::nullopt;
  for (size_t k = 0; k < block_.unknowns.size(); ++k)
    if (ast::as<ast::NameExpr>(seen).binding == block_.unknowns[k].binding) return k;
  return std::nullopt;
}

void ObjectiveTerms::split(Scaled term) {
  const ast::Expr& e = resolved(*term.expression);
  term.expression = &e;
  if (!dependsOnUnknowns(e)) {
    smooth_.push_back(term);
    return;
  }
  if (e.kind == ExprKind::Unary && ast::as<ast::UnaryExpr>(e).op == ast::UnaryOp::Neg) {
    term.expression = ast::as<ast::UnaryExpr>(e).operand.get();
    term.negative = !term.negative;
    return split(term);
  }
  if (e.kind == ExprKind::Binary) {
    const auto& binary = ast::as<ast::BinaryExpr>(e);
    if (binary.op == BinaryOp::Add || binary.op == BinaryOp::Sub) {
      Scaled left = term, right = term;
      left.expression = binary.lhs.get();
      right.expression = binary.rhs.get();
      if (binary.op == BinaryOp::Sub) right.negative = !right.negative;
      split(left);
      return split(right);
    }
    if (splitProduct(term)) return;
  }
  if (!matchNonsmooth(term)) smooth_.push_back(term);
}

// c*e, e*c and e/c with scalars c that do not depend on the unknowns.
bool ObjectiveTerms::splitProduct(const Scaled& term) {
  const auto& binary = ast::as<ast::BinaryExpr>(*term.expression);
  if (binary.op != BinaryOp::Mul && binary.op != BinaryOp::Div) return false;
  auto factor = [&](const ast::Expr& e) { return isScalar(e) && !dependsOnUnknowns(e); };
  Scaled rest = term;
  if (factor(*binary.rhs) && isScalar(*binary.lhs)) {
    rest.factors.push_back({binary.rhs.get(), binary.op == BinaryOp::Div});
    rest.expression = binary.lhs.get();
  } else if (binary.op == BinaryOp::Mul && factor(*binary.lhs) && isScalar(*binary.rhs)) {
    rest.factors.push_back({binary.lhs.get(), false});
    rest.expression = binary.rhs.get();
  } else {
    return false;
  }
  split(rest);
  return true;
}

bool ObjectiveTerms::matchNonsmooth(const Scaled& term) {
  NonsmoothTerm made;
  made.weight = term;
  made.weight.expression = nullptr;
  made.span = term.expression->span;
  return matchBody(*term.expression, made) || matchSummed(*term.expression, made);
}

// One of the functions, of one argument.
bool ObjectiveTerms::matchBody(const ast::Expr& e, NonsmoothTerm made) {
  const std::pair<Builtin, Nonsmooth> known[] = {
      {Builtin::Norm1, Nonsmooth::Abs},     {Builtin::Abs, Nonsmooth::Abs},
      {Builtin::Relu, Nonsmooth::Relu},     {Builtin::Norm, Nonsmooth::Norm},
      {Builtin::Max, Nonsmooth::Largest},   {Builtin::NormNuc, Nonsmooth::Nuclear}};
  for (const auto& [builtin, kind] : known) {
    const ast::Expr* operand = operandOf(e, builtin);
    if (operand == nullptr || !isScalar(e) || kinkIn(*operand) != nullptr) continue;
    if (builtin == Builtin::Max && operand->type->rank() != 1) continue;
    made.kind = kind;
    made.argument = operand;
    nonsmooth_.push_back(made);
    return true;
  }
  return false;
}

// sum(abs(e)), sum(w .* abs(e)), w'*abs(e), and sum(c*f(e) for i in a..b).
bool ObjectiveTerms::matchSummed(const ast::Expr& e, NonsmoothTerm made) {
  if (e.kind == ExprKind::Reduction) {
    const auto& sum = ast::as<ast::ReductionExpr>(e);
    if (sum.op.text != "sum" || sum.iterators.size() != 1) return false;
    const ast::Iterator& iterator = sum.iterators[0];
    if (dependsOnUnknowns(*iterator.lo) || dependsOnUnknowns(*iterator.hi)) return false;
    made.iterator = &iterator;
    const ast::Expr* body = sum.body.get();
    while (body->kind == ExprKind::Binary) {
      const auto& product = ast::as<ast::BinaryExpr>(*body);
      bool left = product.op == BinaryOp::Mul && !dependsOnUnknowns(*product.lhs);
      bool right = (product.op == BinaryOp::Mul || product.op == BinaryOp::Div) &&
                   !dependsOnUnknowns(*product.rhs);
      if (!left && !right) return false;
      made.inner.push_back({left ? product.lhs.get() : product.rhs.get(),
                            product.op == BinaryOp::Div});
      body = left ? product.rhs.get() : product.lhs.get();
    }
    return !operandOf(*body, Builtin::Norm1) && !operandOf(*body, Builtin::NormNuc) &&
           !operandOf(*body, Builtin::Max) && matchBody(*body, made);
  }
  const ast::Expr* inner = operandOf(e, Builtin::Sum);
  const ast::Expr* weights = nullptr;
  auto product = [&](const ast::Expr& a, const ast::Expr& c) {
    bool first = !dependsOnUnknowns(a);
    weights = first ? &a : &c;
    inner = first ? &c : &a;
  };
  if (inner != nullptr && inner->kind == ExprKind::Binary &&
      ast::as<ast::BinaryExpr>(*inner).op == BinaryOp::ElemMul) {
    product(*ast::as<ast::BinaryExpr>(*inner).lhs, *ast::as<ast::BinaryExpr>(*inner).rhs);
  } else if (e.kind == ExprKind::Binary && ast::as<ast::BinaryExpr>(e).op == BinaryOp::Mul &&
             ast::as<ast::BinaryExpr>(e).lhs->kind == ExprKind::Transpose) {
    const auto& dot = ast::as<ast::BinaryExpr>(e);
    product(*ast::as<ast::TransposeExpr>(*dot.lhs).operand, *dot.rhs);
  } else if (builtinOf(e) == Builtin::Dot) {
    const auto& arguments = ast::as<ast::CallExpr>(e).arguments;
    product(*arguments[0].value, *arguments[1].value);
  }
  if (inner == nullptr || (weights != nullptr && dependsOnUnknowns(*weights))) return false;
  for (Builtin builtin : {Builtin::Abs, Builtin::Relu}) {
    const ast::Expr* operand = operandOf(*inner, builtin);
    if (operand == nullptr || kinkIn(*operand) != nullptr) continue;
    made.kind = builtin == Builtin::Abs ? Nonsmooth::Abs : Nonsmooth::Relu;
    made.argument = operand;
    made.weight.expression = weights;
    nonsmooth_.push_back(made);
    return true;
  }
  return false;
}

const ast::Expr* ObjectiveTerms::kinkIn(const ast::Expr& e) const {
  if (!dependsOnUnknowns(e)) return nullptr;
  const ast::Expr& seen = resolved(e);
  if (&seen != &e) return kinkIn(seen);
  if (const ast::Expr* operand = squareWithoutKink(e)) return kinkIn(*operand);
  if (e.kind == ExprKind::Call)
    if (const ast::Expr* kink = kinkInCall(ast::as<ast::CallExpr>(e))) return kink;
  const ast::Expr* found = nullptr;
  ast::forEachChild(e, [&](const ast::Expr& part) {
    if (found == nullptr) found = kinkIn(part);
  });
  return found;
}

// A builtin with a kink, or a function of the program whose body calls one.
const ast::Expr* ObjectiveTerms::kinkInCall(const ast::CallExpr& call) const {
  if (auto builtin = builtinOf(call)) return hasKink(*builtin) ? &call : nullptr;
  if (call.callee->kind != ExprKind::Name) return nullptr;
  const ast::FnDecl* first = ast::as<ast::NameExpr>(*call.callee).function;
  std::unordered_set<const ast::FnDecl*> seen;
  bool kinked = false;
  const std::function<void(const ast::Expr&)> search = [&](const ast::Expr& e) {
    if (kinked) return;
    if (const ast::Expr* operand = squareWithoutKink(e)) return search(*operand);
    if (auto builtin = builtinOf(e); builtin && hasKink(*builtin)) kinked = true;
    if (e.kind == ExprKind::Name) {
      const ast::FnDecl* called = ast::as<ast::NameExpr>(e).function;
      if (called != nullptr && called->body && seen.insert(called).second) search(*called->body);
    }
    ast::forEachChild(e, search);
  };
  if (first != nullptr && first->body && seen.insert(first).second) search(*first->body);
  return kinked ? &call : nullptr;
}

}  // namespace dini::lower
