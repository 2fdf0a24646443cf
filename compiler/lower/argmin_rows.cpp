// The rows of an `argmin` block at values of its unknowns: slacks of constraints, nonsmooth terms,
// projections and proximal maps.
#include "base/check.h"
#include "lower/argmin.h"
#include "lower/scopes.h"

namespace dini::lower {

using ast::BinaryOp;
using ir::OpCode;
using sema::Builtin;

std::string argminCone(const ast::Expr& cone) {
  const ast::Expr& head =
      cone.kind == ast::ExprKind::Call ? *ast::as<ast::CallExpr>(cone).callee : cone;
  return ast::as<ast::NameExpr>(head).name;
}

ir::Value* ArgminLowering::scaled(const Scaled& term, ir::Value* value) {
  for (const Scaled::Factor& factor : term.factors) {
    ir::Value* f = e_.toReal(e_.eval(*factor.expression).value);
    value = factor.divides ? b().div(value, f) : b().mul(value, f);
  }
  return term.negative ? b().neg(value) : value;
}

ir::Value* ArgminLowering::smoothObjective() {
  ir::Value* sum = nullptr;
  for (const Scaled& term : terms_.smooth()) {
    Emitter::SpanScope span(e_, term.expression->span);
    ir::Value* part = scaled(term, e_.toReal(e_.eval(*term.expression).value));
    sum = sum == nullptr ? part : b().add(sum, part);
  }
  return sum == nullptr ? b().real(0.0) : sum;
}

ir::Value* ArgminLowering::symmetric(ir::Value* matrix) {
  return b().mul(b().real(0.5), b().add(matrix, b().transpose(matrix, {1, 0})));
}

ArgminLowering::Slack ArgminLowering::slackOf(const Row& row) {
  Emitter::SpanScope span(e_, row.span);
  if (row.kind == RowKind::Term) return {termArgument(*row.term), nullptr};
  const ast::BinaryExpr& relation = *row.relation;
  if (row.bounded != nullptr) {
    ir::Value* e = e_.toReal(e_.eval(*row.bounded).value);
    if (row.kind == RowKind::Ball1) return {flat(Values{e}), nullptr};
    const ast::Expr& bound = relation.op == BinaryOp::Le ? *relation.rhs : *relation.lhs;
    ir::Value* r = e_.toReal(e_.eval(bound).value);
    return {flat(Values{r, e}), nullptr};
  }
  ir::Value* lhs = e_.toReal(e_.eval(*relation.lhs).value);
  if (relation.op == BinaryOp::In) {
    if (argminCone(*relation.rhs) == "soc" || argminCone(*relation.rhs) == "psd") {
      ir::Value* k = e_.eval(*ast::as<ast::CallExpr>(*relation.rhs).arguments[0].value).value;
      for (size_t axis = 0; axis < lhs->type.rank(); ++axis)
        if (e_.knownDifference(e_.sizeOf(lhs, axis), k) != 0)
          e_.require(e_.intOp(OpCode::IEq, e_.sizeOf(lhs, axis), k), ir::Status::Shape,
                     "the size of the cone is not that of the constraint");
    }
    return {row.kind == RowKind::Semidefinite ? symmetric(lhs) : lhs, nullptr};
  }
  ir::Value* rhs = e_.toReal(e_.eval(*relation.rhs).value);
  e_.requireEqualShapes(lhs, rhs);
  if (lhs->type.isScalar() && !rhs->type.isScalar()) lhs = b().fill(lhs, b().dims(rhs));
  if (rhs->type.isScalar() && !lhs->type.isScalar()) rhs = b().fill(rhs, b().dims(lhs));
  return relation.op == BinaryOp::Ge ? Slack{lhs, rhs} : Slack{rhs, lhs};
}

ir::Value* ArgminLowering::slackValue(const Row& row) {
  Slack slack = slackOf(row);
  return slack.right == nullptr ? slack.left : b().sub(slack.left, slack.right);
}

// E of g(E), or all E of a sum over an iterator along a first axis.
ir::Value* ArgminLowering::termArgument(const NonsmoothTerm& term) {
  auto evaluate = [&] { return Val::leaf(e_.toReal(e_.eval(*term.argument).value)); };
  if (term.iterator == nullptr) return evaluate().value;
  return e_.mapOver(std::span(term.iterator, 1), evaluate).value;
}

// The term's weight, of which the unknowns are no part: one number, or one per value of g.
ir::Value* ArgminLowering::termWeight(const NonsmoothTerm& term) {
  ir::Value* weight = b().real(1.0);
  if (term.weight.expression != nullptr)
    weight = e_.toReal(e_.eval(*term.weight.expression).value);
  if (!term.inner.empty())
    weight = e_.mapOver(std::span(term.iterator, 1), [&] {
                 Scaled one{nullptr, false, term.inner};
                 return Val::leaf(scaled(one, b().real(1.0)));
               }).value;
  Scaled outer = term.weight;
  outer.negative = false;
  return scaled(outer, weight);
}

// --- proximal maps and projections

ir::Value* ArgminLowering::proxOf(const NonsmoothTerm& term, ir::Value* v, ir::Value* step) {
  ir::Value* t = b().mul(step, weights_.at(&term));
  auto builtin = [&](Builtin which, std::vector<ir::Value*> operands) {
    std::vector<NamedVal> arguments;
    for (ir::Value* operand : operands) arguments.push_back({"", Val::leaf(operand)});
    return e_.callBuiltin(which, std::move(arguments)).value;
  };
  auto reshaped = [&](ir::Value* x) { return unflatten(x, std::span(&v, 1))[0]; };
  bool each = term.iterator != nullptr, scalars = v->type.rank() == (each ? 1u : 0u);
  if (term.kind == Nonsmooth::Relu)
    return b().sub(v, builtin(Builtin::Clamp, {v, b().real(0.0), t}));
  if (term.kind == Nonsmooth::Abs || (term.kind == Nonsmooth::Norm && scalars)) {
    if (each && v->type.rank() > 1 && !t->type.isScalar())
      t = b().broadcast(t, {0}, b().dims(v));
    return builtin(Builtin::Soft, {v, t});
  }
  if (term.kind == Nonsmooth::Norm && !each) {
    ir::Value* u = flat(Values{v});
    return reshaped(b().sub(u, builtin(Builtin::ProjL2, {u, t})));
  }
  if (term.kind == Nonsmooth::Largest)
    return b().sub(v, builtin(Builtin::ProjSimplex, {v, t}));
  if (term.kind == Nonsmooth::Nuclear)
    return e_.callUser(*preludeFunction("prox_nuclear"), {{"V", Val::leaf(v)}, {"t", Val::leaf(t)}})
        .value;
  ir::Value *rows = e_.sizeOf(v, 0), *columns = e_.integer(1);
  for (size_t axis = 1; axis < v->type.rank(); ++axis)
    columns = e_.imul(columns, e_.sizeOf(v, axis));
  if (t->type.isScalar()) t = b().fill(t, Values{rows});
  ir::Value* matrix = b().reshape(v, {rows, columns});
  Val result = e_.callUser(*preludeFunction("prox_rows"),
                           {{"V", Val::leaf(matrix)}, {"t", Val::leaf(t)}});
  return b().reshape(result.value, b().dims(v));
}

// P_K(v), or prox_g(v) with a step, 1 where there is none.
ir::Value* ArgminLowering::projected(const Row& row, ir::Value* v, ir::Value* step) {
  Emitter::SpanScope span(e_, row.span);
  switch (row.kind) {
    case RowKind::Equality:
      break;
    case RowKind::Nonneg:
      return e_.relu(v, "proj_nonneg");
    case RowKind::SecondOrder:
      return e_.irreducible(OpCode::ProjSoc, {v});
    case RowKind::Semidefinite:
      return e_.positivePart(v);
    case RowKind::Exponential:
      return e_.callUser(*preludeFunction("proj_exp"), {{"v", Val::leaf(v)}}).value;
    case RowKind::Ball1: {
      const ast::BinaryExpr& relation = *row.relation;
      const ast::Expr& bound = relation.op == BinaryOp::Le ? *relation.rhs : *relation.lhs;
      return e_.projectedOnL1(v, e_.radiusOf(e_.eval(bound)));
    }
    case RowKind::Term:
      return proxOf(*row.term, v, step != nullptr ? step : b().real(1.0));
  }
  failCheck("an equality is projected");
}

// y of a row, from its unknown.
ir::Value* ArgminLowering::multiplier(const Row& row, ir::Value* v) {
  if (row.kind == RowKind::Equality) return v;
  return b().sub(projected(row, v), row.kind == RowKind::Semidefinite ? symmetric(v) : v);
}

}  // namespace dini::lower
