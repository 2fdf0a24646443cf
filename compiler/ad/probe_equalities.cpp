// Conditions on reals that are no switches: `==`, compound ones, those of `while`. Their derivative is
// that of the side taken; where what they compare is equal, the other side may have another one, and
// the report says so (W0501).
#include <algorithm>
#include <unordered_set>

#include "ad/comparisons.h"
#include "ad/forward.h"
#include "ir/run_notes.h"

namespace dini::ad {

using ir::OpCode;
using ir::Value;
using Values = std::vector<Value*>;

namespace {

// The comparisons of reals that a condition is made of.
void comparisonsIn(const Value* condition, std::unordered_set<const ir::Op*>& seen,
                   std::vector<const ir::Op*>& found) {
  const ir::Op* op = condition->def;
  if (op == nullptr || !seen.insert(op).second) return;
  switch (op->code) {
    case OpCode::FLt:
    case OpCode::FLe:
    case OpCode::FEq:
    case OpCode::FNe: found.push_back(op); return;
    case OpCode::And:
    case OpCode::Or:
    case OpCode::Not:
      for (const Value* operand : op->operands) comparisonsIn(operand, seen, found);
      return;
    default: return;
  }
}

}  // namespace

// Whether a value depends on what is differentiated by; in the condition of a `while`, which the
// activity analysis does not enter, by way of its carries.
bool Forward::comparesMoving(const Value* value, const ir::Op* loop) const {
  if (activity_.depends(value)) return true;
  if (loop == nullptr || value->region != loop->regions[0].get()) return false;
  if (value->def == nullptr) {
    const auto& carries = loop->regions[0]->args;
    auto at = static_cast<size_t>(std::find(carries.begin(), carries.end(), value) - carries.begin());
    return activity_.depends(loop->results[at]);
  }
  return std::any_of(value->def->operands.begin(), value->def->operands.end(),
                     [&](const Value* operand) { return comparesMoving(operand, loop); });
}

// An `if` or `where` between values that do not move, on reals that do: a jump where these are equal.
bool Forward::maySwitch(const ir::Op& op) const {
  bool selects = op.code == OpCode::If || op.code == OpCode::Select;
  bool read = selects && std::any_of(op.results.begin(), op.results.end(),
                                                   [&](const Value* v) { return activity_.useful(v); });
  if (!read) return false;
  std::unordered_set<const ir::Op*> seen;
  std::vector<const ir::Op*> found;
  comparisonsIn(op.operand(0), seen, found);
  return std::any_of(found.begin(), found.end(), [&](const ir::Op* compares) {
    return comparesMoving(compares->operand(0), nullptr) || comparesMoving(compares->operand(1), nullptr);
  });
}

void Forward::selectBetweenConstants(ir::Builder& b, const ir::Op& op) {
  Value* told = conditionTold(b, op.operand(0), nullptr);
  primal_[op.result()] = b.op(OpCode::Select, {told, x(op.operand(1)), x(op.operand(2))}, op.attrs);
}

Value* Forward::conditionTold(ir::Builder& b, const Value* condition, const ir::Op* loop) {
  Value* told = x(condition);
  if (probing() || !blends_) return told;
  std::unordered_set<const ir::Op*> seen;
  std::vector<const ir::Op*> found;
  comparisonsIn(condition, seen, found);
  for (const ir::Op* op : found) {
    if (!comparesMoving(op->operand(0), loop) && !comparesMoving(op->operand(1), loop)) continue;
    Value *p = x(op->operand(0)), *q = x(op->operand(1));
    Value* equal = anyOf(b, b.op(OpCode::FEq, {p, q}));
    auto kind = [&](ir::TieKind k) { return b.integer(static_cast<int64_t>(k)); };
    Span outside = b.span();
    b.setSpan(op->span);
    ir::Attrs attrs;
    attrs.str = "condition";
    attrs.i = 1;
    Value* zero = b.real(0.0);
    Value* which = b.select(equal, kind(ir::TieKind::Equal), kind(ir::TieKind::None));
    Value* row = b.op(OpCode::ReportTie, {which, zero, zero, b.integer(0)}, std::move(attrs));
    told = b.op(OpCode::NoteTie, {b.op(OpCode::IsNan, {row}), told});
    b.setSpan(outside);
  }
  return told;
}

}  // namespace dini::ad
