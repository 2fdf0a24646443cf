// Forward rules of the array operations. Most are linear: the operation itself applied to tangents.
#include "ad/forward.h"

#include <fmt/format.h>

#include "ad/linear.h"
#include "ad/ties.h"
#include "ir/type_rules.h"

namespace dini::ad {

using ir::OpCode;
using ir::Value;

namespace {

// Letters for the axes of a tensor of this rank.
std::string letters(size_t rank) {
  std::string text;
  for (size_t k = 0; k < rank; ++k) text += static_cast<char>('a' + k);
  return text;
}

}  // namespace

bool Forward::arrayRule(ir::Builder& b, const ir::Op& op) {
  auto applied = [&](std::vector<Value*> operands) {
    std::vector<ir::Type> types;
    types.push_back(op.result()->type);
    Value* tangent = b.emit(op.code, std::move(operands), op.attrs, std::move(types)).result();
    setDot(op.result(), tangent);
  };
  // The operation with its first `linear` operands replaced by their tangents.
  auto linearIn = [&](size_t linear) {
    std::vector<Value*> operands;
    for (size_t k = 0; k < op.operands.size(); ++k)
      operands.push_back(k < linear ? dotOrZero(b, op.operand(k)) : x(op.operand(k)));
    applied(std::move(operands));
  };
  switch (op.code) {
    case OpCode::Fill:
    case OpCode::Index:
    case OpCode::Slice:
    case OpCode::Reshape:
    case OpCode::Transpose:
    case OpCode::Broadcast:
    case OpCode::Flip: linearIn(1); return true;
    case OpCode::Update:
    case OpCode::AddAt:
    case OpCode::UpdateSlice:
    case OpCode::AddSlice: linearIn(2); return true;
    case OpCode::Pack:
    case OpCode::Concat: linearIn(op.operands.size()); return true;
    case OpCode::ScatterAdd:
      applied({dotOrZero(b, op.operand(0)), x(op.operand(1)), dotOrZero(b, op.operand(2))});
      return true;
    case OpCode::Gather: {
      const Value* order = op.operand(1);
      bool sorts = order->def != nullptr && order->def->code == OpCode::ArgSort &&
                   order->def->operand(0) == op.operand(0);
      if (!sorts) return linearIn(1), true;
      ir::Attrs attrs;
      attrs.f = sortWeight(request_.ties, *order->def);
      Value* sorted = b.op(OpCode::SortPick, {x(op.operand(0)), dot(op.operand(0))}, attrs);
      setDot(op.result(), noted(b, op, sorted));
      return true;
    }
    case OpCode::ReducePick:
    case OpCode::ReducePickT:
    case OpCode::SortPick:
    case OpCode::SortPickT:  // the order of x is frozen
      if (dot(op.operand(1))) applied({x(op.operand(0)), dot(op.operand(1))});
      return true;
    case OpCode::Reduce: reduceRule(b, op); return true;
    case OpCode::Einsum: einsumRule(b, op); return true;
    case OpCode::Norm:
    case OpCode::Normalize: normRules(b, op); return true;
    default: return false;
  }
}

void Forward::reduceRule(ir::Builder& b, const ir::Op& op) {
  Value* x_dot = dot(op.operand(0));
  if (x_dot == nullptr) return;
  ir::Attrs attrs = op.attrs;
  if (op.attrs.str == "sum") {
    setDot(op.result(), b.op(OpCode::Reduce, {x_dot}, std::move(attrs)));
    return;
  }
  attrs.f = extremeWeight(request_.ties, op);
  attrs.i = 0;
  Value* picked = b.op(OpCode::ReducePick, {x(op.operand(0)), x_dot}, std::move(attrs));
  setDot(op.result(), noted(b, op, picked));
}

void Forward::einsumRule(ir::Builder& b, const ir::Op& op) {
  Value *s = dot(op.operand(0)), *t = dot(op.operand(1));
  Value *first = x(op.operand(0)), *second = x(op.operand(1));
  const std::string& spec = op.attrs.str;
  ir::EinsumSpec parts = ir::parseEinsum(spec);
  if (op.operand(0) == op.operand(1) && parts.a == parts.b && s != nullptr)  // a sum of squares
    return setDot(op.result(), contracted(b, spec, b.mul(b.real(2.0), first), s));
  if (s != nullptr) s = contracted(b, spec, s, second);
  if (t != nullptr) t = contracted(b, spec, first, t);
  setDot(op.result(), sum(b, s, t));
}

// With n = norm(v) and u = normalize(v) = v / n:  n_dot = <u, v_dot>,
// u_dot = (v_dot - u <u, v_dot>) / n. At v = 0 the first is 0 and the second a status, unless its value
// may be dropped. attrs.i: 1 that of the norm may; 2 it may not, a probe has put it in a select.
void Forward::normRules(ir::Builder& b, const ir::Op& op) {
  Value* v = x(op.operand(0));
  Value* v_dot = dot(op.operand(0));
  if (v_dot == nullptr) return;
  bool is_norm = op.code == OpCode::Norm;
  std::string all = letters(v->type.rank());
  ir::Attrs attrs;
  attrs.i = op.attrs.i == 0 && isGuarded(op.result()) ? 1 : op.attrs.i;
  Value* u = is_norm ? b.op(OpCode::Normalize, {v}, attrs) : x(op.result());
  Value* along = b.einsum(fmt::format("{},{}->", all, all), u, v_dot);
  if (is_norm) return setDot(op.result(), noted(b, op, along));
  if (attrs.i != 1)
    b.check(b.op(OpCode::FNe, {b.op(OpCode::Norm, {v}), b.real(0.0)}), ir::Status::Domain,
            "a second derivative of `norm` at zero");
  Value* across = b.sub(v_dot, b.mul(u, along));
  setDot(op.result(), b.op(OpCode::SafeDiv, {across, b.op(OpCode::Norm, {v})}));
}

}  // namespace dini::ad
