#include "ad/active_rows.h"

#include <algorithm>

#include "ad/probe.h"

namespace dini::ad {

using ir::OpCode;
using ir::Value;
using Values = std::vector<Value*>;
using Kind = Movement::Kind;

namespace {

bool isSwitch(const ir::Op& op) {
  return op.code == OpCode::Choose || op.code == OpCode::ChooseTie;
}

// The sum of the magnitudes of the terms of sums and differences; a product or a function is one term.
Value* termsOf(ir::Builder& b, Value* v, int depth = 0) {
  constexpr int kMaxDepth = 8;
  const ir::Op* op = v->def;
  if (op != nullptr && depth < kMaxDepth) {
    if (op->code == OpCode::Neg) return termsOf(b, op->operand(0), depth + 1);
    if (op->code == OpCode::Add || op->code == OpCode::Sub)
      return b.add(termsOf(b, op->operand(0), depth + 1), termsOf(b, op->operand(1), depth + 1));
  }
  return absolute(b, v);
}

}  // namespace

ActiveRows::ActiveRows(ir::Builder& b, const ir::Region& equations, ir::ValueMap map,
                       std::span<Value* const> moving, double tie_bound)
    : map_(std::move(map)), bound_(tie_bound > 0 ? b.real(tie_bound) : nullptr) {
  for (const Value* value : equations.args) by_unknowns_[value] = {Kind::All, nullptr};
  for (const Value* value : moving) by_captured_[value] = {Kind::All, nullptr};
  for (const auto& op : equations.ops)
    if (op->code != OpCode::Yield) enter(b, *op);
}

Movement ActiveRows::of(const Movements& movements, const Value* value) {
  auto found = movements.find(value);
  return found != movements.end() ? found->second : Movement{};
}

Value* ActiveRows::nearTie(ir::Builder& b, Value* relative, double absolute_bound) const {
  Value* any = nullptr;
  for (const Switch& s : switches_) {
    Value* bound = b.mul(relative, s.magnitude);
    if (absolute_bound > 0) bound = b.add(bound, b.real(absolute_bound));
    // Not beyond: what is not a number counts as a tie.
    Value* near = b.op(OpCode::Not, {b.op(OpCode::FLt, {bound, absolute(b, s.difference)})});
    if (!near->type.isScalar()) {
      std::vector<int64_t> axes;
      for (size_t axis = 0; axis < near->type.rank(); ++axis)
        axes.push_back(static_cast<int64_t>(axis));
      near = b.reduce("any", near, std::move(axes));
    }
    any = any == nullptr ? near : b.op(OpCode::Or, {any, near});
  }
  return any != nullptr ? any : b.boolean(false);
}

void ActiveRows::enter(ir::Builder& b, const ir::Op& op) {
  b.setSpan(op.span);
  ir::cloneOp(b, op, map_);
  if (isSwitch(op)) {
    Value *p = valueOf(op.operand(0)), *q = valueOf(op.operand(1));
    switches_.push_back({b.sub(p, q), b.add(termsOf(b, p), termsOf(b, q))});
  }
  visit(b, op, by_unknowns_);
  visit(b, op, by_captured_);
}

void ActiveRows::visit(ir::Builder& b, const ir::Op& op, Movements& movements) {
  Movement bound = whole(op, movements);
  if (bound.kind == Kind::None) return;
  if (op.results.size() == 1 && op.result()->type.isReal()) {
    Movement movement = ir::isElementwise(op.code) ? elementwise(b, op, movements)
                                                   : moved(b, op, movements);
    if (movement.kind != Kind::None) movements[op.result()] = movement;
    return;
  }
  for (const Value* result : op.results)
    if (result->type.isReal()) movements[result] = bound;
}

Movement ActiveRows::whole(const ir::Op& op, const Movements& movements) const {
  auto moves = [&](const Value* value) { return of(movements, value).kind != Kind::None; };
  bool any = std::any_of(op.operands.begin(), op.operands.end(), moves);
  for (const auto& region : op.regions) {
    Values captured = ir::captures(*region);
    any = any || std::any_of(captured.begin(), captured.end(), moves);
  }
  return {any ? Kind::All : Kind::None, nullptr};
}

Value* ActiveRows::spread(ir::Builder& b, Movement movement, Value* like) {
  if (movement.some()) return movement.condition;
  Value* constant = b.boolean(movement.kind == Kind::All);
  return like->type.isScalar() ? constant : b.fill(constant, b.dims(like));
}

Movement ActiveRows::either(ir::Builder& b, Movement first, Movement second, Value* like) {
  if (first.kind == Kind::All || second.kind == Kind::All) return {Kind::All, nullptr};
  if (first.kind == Kind::None) return second;
  if (second.kind == Kind::None) return first;
  return {Kind::Some, combined(b, OpCode::Or, spread(b, first, like), spread(b, second, like))};
}

Value* ActiveRows::combined(ir::Builder& b, OpCode code, Value* first, Value* second) {
  Value*& made = combined_[{code, first, second}];
  if (made == nullptr)
    made = b.op(code, second != nullptr ? Values{first, second} : Values{first});
  return made;
}

// A condition of the result's shape from an operand's, which may be a scalar that repeats.
static Movement fitted(Movement movement, const Value* operand, const Value* result) {
  bool repeats = operand->type.isScalar() && !result->type.isScalar();
  return repeats && movement.some() ? Movement{Kind::All, nullptr} : movement;
}

Movement ActiveRows::elementwise(ir::Builder& b, const ir::Op& op, const Movements& movements) {
  Value* result = valueOf(op.result());
  auto at = [&](size_t k) { return fitted(of(movements, op.operand(k)), op.operand(k), op.result()); };
  switch (op.code) {
    case OpCode::Stop: return {};
    case OpCode::Choose:
    case OpCode::ChooseTie: return branches(b, op, at(2), at(3));
    case OpCode::Select: {
      bool fits = op.operand(0)->type.rank() == op.result()->type.rank();
      if (!fits || (!at(1).some() && !at(2).some() && at(1).kind == at(2).kind))
        return either(b, at(1), at(2), result);
      return {Kind::Some, b.op(OpCode::Select, {valueOf(op.operand(0)), spread(b, at(1), result),
                                                spread(b, at(2), result)})};
    }
    case OpCode::Mul: {
      // Beside a factor that is zero where it rests, the other does not count.
      Movement sides[2] = {at(0), at(1)};
      for (size_t k = 0; k < 2; ++k) {
        if (sides[k].kind == Kind::None || !at(1 - k).some()) continue;
        Value* factor = valueOf(op.operand(1 - k));
        Value* counts = b.op(OpCode::FNe, {factor, b.real(0.0)});
        sides[k] = {Kind::Some, combined(b, OpCode::And, spread(b, sides[k], result), counts)};
      }
      return either(b, sides[0], sides[1], result);
    }
    default: {
      Movement all;
      for (size_t k = 0; k < op.operands.size(); ++k) all = either(b, all, at(k), result);
      return all;
    }
  }
}

// Of the branch that is taken; on the tie, and where the sides are not ordered, of both.
Movement ActiveRows::branches(ir::Builder& b, const ir::Op& op, Movement first, Movement second) {
  Value *p = valueOf(op.operand(0)), *q = valueOf(op.operand(1));
  if (first.kind == second.kind && !first.some()) return first;
  if (p->type.isScalar() && q->type.isScalar() && !op.result()->type.isScalar())
    return {Kind::All, nullptr};
  Value *above = q, *below = q;
  if (bound_ != nullptr) {
    above = combined(b, OpCode::Add, q, bound_);
    below = combined(b, OpCode::Sub, q, bound_);
  }
  Value* result = valueOf(op.result());
  // Not the second branch alone, respectively not the first.
  auto notBelow = [&](Value* u, Value* v) {
    return combined(b, OpCode::Not, combined(b, OpCode::FLt, u, v));
  };
  Value *takes_first = notBelow(p, below), *takes_second = notBelow(above, p);
  auto where = [&](Value* taken, Movement side) {
    if (side.kind == Kind::None) return side;
    if (side.kind == Kind::All) return Movement{Kind::Some, taken};
    return Movement{Kind::Some, combined(b, OpCode::And, taken, side.condition)};
  };
  return either(b, where(takes_first, first), where(takes_second, second), result);
}

// Array operations that move elements move their conditions; sums move where a term does.
Movement ActiveRows::moved(ir::Builder& b, const ir::Op& op, const Movements& movements) {
  Movement bound = whole(op, movements);
  switch (op.code) {
    case OpCode::ProjSimplex: {
      if (bound.kind == Kind::None) return bound;
      Values operands;
      for (Value* operand : op.operands) operands.push_back(valueOf(operand));
      ir::Attrs attrs = op.attrs;
      attrs.f = 0.5;  // what is tied counts
      Value* weights = b.op(OpCode::SimplexWeights, std::move(operands), std::move(attrs));
      return {Kind::Some, b.op(OpCode::FNe, {weights, b.real(0.0)})};
    }
    case OpCode::Index:
    case OpCode::Slice:
    case OpCode::Gather:
    case OpCode::Fill:
    case OpCode::Reshape:
    case OpCode::Transpose:
    case OpCode::Broadcast:
    case OpCode::Flip: {
      Movement source = of(movements, op.operand(0));
      if (!source.some()) return bound;
      Values operands{source.condition};
      for (size_t k = 1; k < op.operands.size(); ++k) operands.push_back(valueOf(op.operand(k)));
      ir::Type type = op.result()->type.withElem(ir::Elem::I1);
      return {Kind::Some, b.emit(op.code, std::move(operands), op.attrs, {type}).result()};
    }
    case OpCode::Concat:
    case OpCode::Pack: {
      auto some = [&](const Value* value) { return of(movements, value).kind != Kind::All; };
      if (std::none_of(op.operands.begin(), op.operands.end(), some)) return bound;
      Values operands;
      for (Value* operand : op.operands)
        operands.push_back(spread(b, of(movements, operand), valueOf(operand)));
      return {Kind::Some, b.op(op.code, std::move(operands), op.attrs)};
    }
    case OpCode::Reduce: {
      Movement source = of(movements, op.operand(0));
      if (!source.some()) return bound;
      return {Kind::Some, b.reduce("any", source.condition, op.attrs.ints)};
    }
    default: return bound;
  }
}

}  // namespace dini::ad
