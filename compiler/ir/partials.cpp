#include "ir/partials.h"

#include "base/check.h"
#include "ops/rows/all.h"
#include "ops/table.h"

namespace dini::ir {
namespace {

// The IR builder as the algebra of the op table's rows.
struct IrAlgebra {
  using Real = Value*;
  using Condition = Value*;
  Builder& builder;

  Value* constant(double value) { return builder.real(value); }
  Value* add(Value* a, Value* b) { return builder.add(a, b); }
  Value* sub(Value* a, Value* b) { return builder.sub(a, b); }
  Value* mul(Value* a, Value* b) { return builder.mul(a, b); }
  Value* div(Value* a, Value* b) { return builder.div(a, b); }
  Value* neg(Value* a) { return builder.neg(a); }
  Value* call(OpCode code, std::initializer_list<Value*> operands, ops::Parameters p = {}) {
    Attrs attrs;
    attrs.i = p.i;
    attrs.f = p.f;
    return builder.op(code, operands, std::move(attrs));
  }
  Value* equal(Value* a, Value* b) { return builder.op(OpCode::FEq, {a, b}); }
  Value* less(Value* a, Value* b) { return builder.op(OpCode::FLt, {a, b}); }
  Value* both(Value* a, Value* b) { return builder.op(OpCode::And, {a, b}); }
  Value* select(Value* c, Value* a, Value* b) { return builder.select(c, a, b); }
};

bool hasPartial(const Op& op, size_t k) { return (ops::facts(op.code).partials >> k & 1u) != 0; }

Value* sum(Builder& builder, Value* a, Value* b) {
  if (a == nullptr) return b;
  return b == nullptr ? a : builder.add(a, b);
}

// The tangent of a jointly linear operation with some operands' tangents missing: `op` applied to
// the tangents, zeros for the missing ones.
Value* applyLinear(Builder& builder, const Op& op, ops::LinearRule rule,
                   std::span<Value* const> dots) {
  if (op.code == OpCode::Add) return sum(builder, dots[0], dots[1]);
  if (op.code == OpCode::Sub && dots[1] == nullptr) return dots[0];
  if (op.code == OpCode::Sub && dots[0] == nullptr) return builder.neg(dots[1]);
  std::vector<Value*> operands = op.operands;
  for (size_t k = 0; k < operands.size(); ++k) {
    if (!rule.at(k)) continue;
    operands[k] = dots[k];
    if (operands[k] == nullptr) {
      operands[k] = builder.real(0.0);
      operands[k]->linear = true;
    }
  }
  return builder.op(op.code, std::move(operands), op.attrs);
}

}  // namespace

Value* partial(Builder& builder, const Op& op, size_t k) {
  check(isElementwise(op.code) && op.code != OpCode::Choose &&
            op.code != OpCode::ChooseTie, "partials of " +
                                                                 std::string(shape(op.code).name));
  if (!hasPartial(op, k)) return nullptr;
  IrAlgebra algebra{builder};
  ops::Parameters parameters{op.attrs.i, op.attrs.f};
  return ops::partialIn(algebra, op.code, parameters, k, op.operands.data(), op.result());
}

std::vector<Value*> partials(Builder& builder, const Op& op) {
  std::vector<Value*> result;
  for (size_t k = 0; k < op.operands.size(); ++k) result.push_back(partial(builder, op, k));
  return result;
}

Value* elementwiseTangent(Builder& builder, const Op& op, std::span<Value* const> operand_dots) {
  check(operand_dots.size() == op.operands.size(), "one tangent, or null, per operand");
  ops::LinearRule rule = ops::linearRule(op.code);
  Value* dot = nullptr;
  bool linear_part = false;
  for (size_t k = 0; k < operand_dots.size(); ++k)
    linear_part |= operand_dots[k] != nullptr && rule.kind == ops::Linearity::Joint && rule.at(k);
  // A tangent of a broadcast scalar must take the shape of the result.
  if (linear_part) {
    dot = applyLinear(builder, op, rule, operand_dots);
    if (dot->type.rank() < op.result()->type.rank())
      dot = builder.broadcast(dot, {}, builder.dims(op.result()));
  }
  for (size_t k = 0; k < operand_dots.size(); ++k) {
    bool done = rule.kind == ops::Linearity::Joint && rule.at(k);
    if (operand_dots[k] == nullptr || done || !hasPartial(op, k)) continue;
    Value* term = builder.mul(partial(builder, op, k), operand_dots[k]);
    if (term->type.rank() < op.result()->type.rank())
      term = builder.broadcast(term, {}, builder.dims(op.result()));
    dot = sum(builder, dot, term);
  }
  return dot;
}

}  // namespace dini::ir
