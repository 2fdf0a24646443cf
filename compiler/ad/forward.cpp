// Forward mode: the copy, dispatch, and the elementwise rules. jvp() itself is in jvp.cpp.
#include "ad/forward.h"

#include "ad/linear.h"
#include "ad/ties.h"
#include "base/check.h"
#include "ir/partials.h"
#include "ir/run_notes.h"

namespace dini::ad {

using ir::OpCode;
using ir::Value;

Forward::Forward(ir::Module& module, const ir::Function& f, const Request& request,
                 analysis::Caller caller, size_t results, std::optional<ProbeStage> stage)
    : module_(module),
      source_(f),
      request_(request),
      activity_(f, request.active, results),
      guarded_(f, caller),
      stage_(stage) {}

std::unique_ptr<ir::Function> forward(ir::Module& module, const ir::Function& f,
                                      const Request& request, const std::string& name,
                                      analysis::Caller caller, size_t results) {
  return Forward(module, f, request, caller, results).run(name);
}

std::unique_ptr<ir::Function> Forward::run(const std::string& name) {
  result_ = std::make_unique<ir::Function>(name);
  result_->span = source_.span;
  for (const Value* parameter : source_.body.args)
    primal_[parameter] = result_->addParameter(parameter->type, parameter->name);
  for (size_t k = 0; k < source_.body.args.size(); ++k) {
    if (!request_.active[k]) continue;
    const Value* parameter = source_.body.args[k];
    Value* tangent = result_->addParameter(parameter->type);
    tangent->linear = true;
    setDot(parameter, tangent);
  }
  ir::Builder b(*result_, result_->body);
  b.setSpan(source_.span);
  visitOps(b, source_.body);
  std::vector<Value*> results;
  appendPrimal(results, source_.body.yields());
  for (const Value* old : source_.body.yields())
    if (old->type.isReal()) results.push_back(dotOrZero(b, old));
  b.yield(std::move(results));
  return std::move(result_);
}

Value* Forward::x(const Value* old) const {
  auto it = primal_.find(old);
  check(it != primal_.end(), "a value that was not copied");
  return it->second;
}

Value* Forward::dot(const Value* old) const {
  auto it = dots_.find(old);
  return it == dots_.end() ? nullptr : it->second;
}

Value* Forward::dotOrZero(ir::Builder& b, const Value* old) {
  Value* tangent = dot(old);
  if (tangent != nullptr) return tangent;
  return probing() ? b.zerosLike(x(old)) : linearZeros(b, x(old));
}

void Forward::setDot(const Value* old, Value* tangent) {
  if (tangent == nullptr) return;
  if (tangent->name.empty() && !old->name.empty()) tangent->name = old->name + "_dot";
  dots_[old] = tangent;
}

Value* Forward::expanded(ir::Builder& b, Value* tangent, Value* like) {
  if (tangent == nullptr || !tangent->type.isScalar() || like->type.isScalar()) return tangent;
  return b.fill(tangent, b.dims(like));
}

Value* Forward::scaled(ir::Builder& b, Value* coefficient, Value* tangent, const Value* result) {
  if (coefficient == nullptr || tangent == nullptr) return nullptr;
  if (auto constant = ir::constantReal(coefficient)) {
    if (*constant == 1) return tangent;
    if (*constant == -1) return b.neg(tangent);
    return b.mul(coefficient, tangent);
  }
  return b.op(isGuarded(result) ? OpCode::SafeMul : OpCode::Mul, {coefficient, tangent});
}

Value* Forward::sum(ir::Builder& b, Value* s, Value* t) {
  if (s == nullptr) return t;
  return t == nullptr ? s : b.add(s, t);
}

void Forward::visitOps(ir::Builder& b, const ir::Region& region) {
  for (const auto& op : region.ops)
    if (op->code != OpCode::Yield) visit(b, *op);
}

void Forward::visit(ir::Builder& b, const ir::Op& op) {
  b.setSpan(op.span);
  bool moves = activity_.active(op);
  if (!moves && !maySwitch(op)) {
    ir::cloneOp(b, op, primal_);
    return;
  }
  if (!moves && op.code == OpCode::Select) return selectBetweenConstants(b, op);
  if (probing() && (op.code == OpCode::Choose || op.code == OpCode::ChooseTie))
    return probeChoose(b, op);
  if (probing() && isIrreducible(op) && probeIrreducible(b, op)) return;
  if (probing() && sortOnceMore(b, op)) return;
  if (controlRule(b, op)) return;
  ir::cloneOp(b, op, primal_);
  if (ir::isElementwise(op.code)) return elementwise(b, op);
  if (arrayRule(b, op) || matrixRule(b, op) || projectionRule(b, op)) return;
  throw Unsupported(std::string("no derivative rule for ") + ir::shape(op.code).mnemonic, op.span);
}

void Forward::appendPrimal(std::vector<Value*>& out, std::span<Value* const> values) const {
  for (const Value* old : values) out.push_back(x(old));
}

void Forward::appendDots(ir::Builder& b, std::vector<Value*>& out, std::span<Value* const> values,
                         std::span<Value* const> flags) {
  for (size_t k = 0; k < values.size(); ++k)
    if (active(flags[k])) out.push_back(dotOrZero(b, values[k]));
}

void Forward::takePrimal(std::span<Value* const> olds, std::span<Value* const> values, size_t& at) {
  for (const Value* old : olds) {
    if (values[at]->name.empty()) values[at]->name = old->name;
    primal_[old] = values[at++];
  }
}

void Forward::takeDots(std::span<Value* const> olds, std::span<Value* const> values, size_t& at) {
  for (const Value* old : olds)
    if (active(old)) setDot(old, values[at++]);
}

// --- elementwise

// Products and quotients, of the copied operation's operands.
Value* Forward::productTangent(ir::Builder& b, const ir::Op& op) {
  const Value* old = op.result();
  Value *u = x(op.operand(0)), *v = x(op.operand(1)), *y = x(old);
  Value *s = dot(op.operand(0)), *t = dot(op.operand(1));
  switch (op.code) {
    case OpCode::Mul:
      if (op.operand(0) == op.operand(1) && s != nullptr)
        return scaled(b, b.mul(b.real(2.0), u), s, old);
      return sum(b, scaled(b, v, s, old), scaled(b, u, t, old));
    case OpCode::Div: {  // (u / v)_dot = (u_dot - y v_dot) / v
      if (Value* moved = scaled(b, y, t, old)) s = s != nullptr ? b.sub(s, moved) : b.neg(moved);
      if (s == nullptr) return nullptr;
      if (!isGuarded(old) || ir::constantReal(v)) return b.div(s, v);
      return scaled(b, b.div(b.real(1.0), v), s, old);
    }
    case OpCode::SafeDiv: {
      Value* tangent = s != nullptr ? b.op(OpCode::SafeDiv, {s, v}) : nullptr;
      Value* moved = scaled(b, y, t, old);
      return moved == nullptr ? tangent : sum(b, tangent, b.neg(b.op(OpCode::SafeDiv, {moved, v})));
    }
    default: {  // SafeMul
      Value* tangent = t != nullptr ? b.op(OpCode::SafeMul, {u, t}) : nullptr;
      return s == nullptr ? tangent : sum(b, tangent, b.op(OpCode::SafeMul, {v, s}));
    }
  }
}

void Forward::elementwise(ir::Builder& b, const ir::Op& op) {
  const Value* old = op.result();
  Value* y = x(old);
  Value* tangent = nullptr;
  auto operandDot = [&](size_t k) { return dot(op.operand(k)); };
  auto operandX = [&](size_t k) { return x(op.operand(k)); };
  switch (op.code) {
    case OpCode::Choose:
    case OpCode::ChooseTie: return chooseRule(b, op);
    case OpCode::Add: tangent = sum(b, operandDot(0), operandDot(1)); break;
    case OpCode::Neg: tangent = operandDot(0) ? b.neg(operandDot(0)) : nullptr; break;
    case OpCode::Sub: {
      Value *s = operandDot(0), *t = operandDot(1);
      if (t != nullptr) t = s != nullptr ? b.sub(s, t) : b.neg(t);
      tangent = t != nullptr ? t : s;
      break;
    }
    case OpCode::Mul:
    case OpCode::Div:
    case OpCode::SafeDiv:
    case OpCode::SafeMul: tangent = productTangent(b, op); break;
    case OpCode::NoteTie:
      if (operandDot(1)) tangent = b.op(OpCode::NoteTie, {operandX(0), operandDot(1)}, op.attrs);
      break;
    case OpCode::Select:
    case OpCode::Pick:
    case OpCode::PickTie: {
      size_t first = op.code == OpCode::Select ? 1 : 2;
      if (operandDot(first) == nullptr && operandDot(first + 1) == nullptr) break;
      std::vector<Value*> operands;
      for (size_t k = 0; k < first; ++k) operands.push_back(operandX(k));
      operands.push_back(dotOrZero(b, op.operand(first)));
      operands.push_back(dotOrZero(b, op.operand(first + 1)));
      if (op.code == OpCode::PickTie) operands.push_back(operandX(4));
      tangent = b.op(op.code, std::move(operands), op.attrs);
      break;
    }
    default:
      for (size_t k = 0; k < op.operands.size(); ++k) {
        if (operandDot(k) == nullptr) continue;
        Value* coefficient = ir::partial(b, *y->def, k);
        tangent = sum(b, tangent, scaled(b, coefficient, operandDot(k), old));
      }
  }
  setDot(old, expanded(b, tangent, y));
}

namespace {

// The tangent `t` on the side of a kink class where its switch is positive (side > 0, in the
// orientation of the class) or negative: picks of the class are replaced by their branch. Follows
// elementwise linear operations of the same region; gives t itself where nothing changes.
class OneSided {
 public:
  OneSided(ir::Builder& builder, int64_t class_id, int side)
      : b_(builder), class_id_(class_id), side_(side) {}

  Value* operator()(Value* t) {
    if (!t->linear || t->def == nullptr || t->region != &b_.region() || ++steps_ > kMaxSteps)
      return t;
    auto [it, fresh] = known_.try_emplace(t, t);
    if (!fresh) return it->second;
    const ir::Op& op = *t->def;
    if (op.code == OpCode::Pick && op.attrs.ints.size() >= 2 && op.attrs.ints[0] == class_id_) {
      bool first = op.attrs.ints[1] * side_ > 0;
      Value* branch = op.operand(first ? 2 : 3);
      if (branch->type == t->type) return known_[t] = (*this)(branch);
      return t;
    }
    if (!ir::isElementwise(op.code)) return t;
    std::vector<Value*> operands = op.operands;
    for (Value*& operand : operands) operand = (*this)(operand);
    if (operands == op.operands) return t;
    return known_[t] = b_.op(op.code, std::move(operands), op.attrs);
  }

 private:
  static constexpr int kMaxSteps = 64;
  ir::Builder& b_;
  int64_t class_id_;
  int side_;
  int steps_ = 0;
  std::unordered_map<Value*, Value*> known_;
};

}  // namespace

// choose(p, q, a, b)_dot = pick(p, q, a_dot, b_dot), with the weight of the policy at p == q.
// Inside branch a, an inner kink of the same class stands on the side of a: with the tie at both,
// the slope of z - 4 relu(z) + 4 choose(z; relu(z), 0) is t, not t^2, of the inner one.
void Forward::chooseRule(ir::Builder& b, const ir::Op& op) {
  Value *a_dot = dot(op.operand(2)), *b_dot = dot(op.operand(3));
  if (a_dot == nullptr && b_dot == nullptr) return;
  a_dot = dotOrZero(b, op.operand(2));
  b_dot = dotOrZero(b, op.operand(3));
  if (int side = forcedSide(op)) {
    setDot(op.result(), expanded(b, side > 0 ? a_dot : b_dot, x(op.result())));
    return;
  }
  setDot(op.result(), expanded(b, kinkTangent(b, op, a_dot, b_dot), x(op.result())));
}

Value* Forward::kinkTangent(ir::Builder& b, const ir::Op& op, Value* a_dot, Value* b_dot) {
  Value* q = x(op.operand(1));
  Value* p = snapped(b, x(op.operand(0)), q, request_.ties.tolerance);
  ir::Attrs attrs;
  if (op.code == OpCode::ChooseTie) {
    attrs.ints = op.attrs.ints;
    return b.op(OpCode::PickTie, {p, q, a_dot, b_dot, x(op.operand(4))}, std::move(attrs));
  }
  attrs.f = tieWeight(request_.ties, op);
  if (request_.ties.unify && op.attrs.ints.size() >= 2) {
    attrs.ints = op.attrs.ints;
    int sign = op.attrs.ints[1] > 0 ? 1 : -1;
    a_dot = OneSided(b, op.attrs.ints[0], sign)(a_dot);
    b_dot = OneSided(b, op.attrs.ints[0], -sign)(b_dot);
  }
  bool locked = isLocked(request_.ties, op);
  if (locked && !probing() && request_.ties.undecided > 0)
    return leftOpen(b, op, b.op(OpCode::Pick, {p, q, a_dot, b_dot}, std::move(attrs)));
  if (request_.ties.report && !locked && !probing()) {
    Value* s = b.sub(x(op.operand(0)), q);
    Value* t = reported(b, op, s, tieKind(b, s, p, q), b.real(attrs.f));
    return b.op(OpCode::PickTie, {p, q, a_dot, b_dot, t}, std::move(attrs));
  }
  if (locked && request_.ties.variant == TieOptions::Variant::Fast) attrs.str = ir::kNote;
  return b.op(OpCode::Pick, {p, q, a_dot, b_dot}, std::move(attrs));
}

}  // namespace dini::ad
