// The probe's rule of `if` on a comparison of reals. At a tie both sides run once more, quietly: where
// their values agree, the side that the weight points to supplies the tangent.
#include <utility>

#include "ad/comparisons.h"
#include "ad/forward.h"
#include "ir/run_notes.h"

namespace dini::ad {

using ir::OpCode;
using ir::Value;
using Values = std::vector<Value*>;

namespace {

Value* code(ir::Builder& b, ir::TieKind kind) { return b.integer(static_cast<int64_t>(kind)); }

bool isFinal(const Value* weight) {
  return weight->def != nullptr && weight->def->code == OpCode::ReportTie;
}

}  // namespace

// Whether the sides agree in value, whether their tangents differ, then the tangents of both.
Values Forward::sidesAtTie(ir::Builder& b, const ir::Op& op) {
  size_t count = op.results.size();
  bool outer_blends = std::exchange(blends_, false);
  auto copied_primal = primal_;
  auto copied_dots = dots_;
  Values sides[2];
  for (size_t k = 0; k < 2; ++k) sides[k] = forcedRegion(b, op, k);
  primal_ = std::move(copied_primal);
  dots_ = std::move(copied_dots);
  blends_ = outer_blends;
  Values made{sidesAgree(b, op, sides[0], sides[1]), b.boolean(false)};
  for (size_t k = count; k < sides[0].size(); ++k)
    made[1] = b.op(OpCode::Or, {made[1], anyOf(b, differ(b, sides[0][k], sides[1][k]))});
  for (const Values& side : sides)
    made.insert(made.end(), side.begin() + static_cast<ptrdiff_t>(count), side.end());
  return made;
}

void Forward::probeComparison(ir::Builder& b, const ir::Op& op) {
  bool has_weight = op.operands.size() == 4;
  bool decides = blends_ && forcedSide(op) == 0 && (has_weight || probeDecides(op)) &&
                 mayBlend(op) && (dot(op.operand(1)) != nullptr || dot(op.operand(2)) != nullptr);
  if (!decides) return plainComparison(b, op);
  bool swapped = op.attrs.str == "lt" || op.attrs.str == "le";
  Switch s = switchOf(b, op, swapped ? 2 : 1, swapped ? 1 : 2);
  Value* tie = b.op(OpCode::FEq, {s.p, s.q});
  size_t moving = 0;
  for (const Value* result : op.results) moving += active(result) ? 1 : 0;
  auto none = [&](ir::Builder& in, std::span<Value* const>) {
    Values values{in.boolean(false), in.boolean(false)};
    for (size_t side = 0; side < 2; ++side)
      for (const Value* result : op.results)
        if (active(result)) values.push_back(dummyOf(in, result->type));
    return values;
  };
  auto both = [&](ir::Builder& in, std::span<Value* const>) { return sidesAtTie(in, op); };
  Values at_tie = b.ifElse(
      tie,
      [&](ir::Builder& in, std::span<Value* const> args) {
        return mayRaise(op) ? in.tryElse(both, none) : both(in, args);
      },
      none);
  Value *smooth = at_tie[0], *differs = at_tie[1];
  bool is_final = has_weight && isFinal(x(op.operand(3)));
  Value* t = is_final ? x(op.operand(3))
                      : decided(b, op, s, has_weight ? x(op.operand(3)) : nullptr);
  if (!is_final)
    t = withToleranceDistance(b, op, s, has_weight ? x(op.operand(3)) : nullptr, t);
  if (!is_final && stage_ != ProbeStage::First) {
    Value* open = b.op(OpCode::And, {b.op(OpCode::IsNan, {t}), differs});
    Value* kind = b.select(open, code(b, ir::TieKind::Undecided), code(b, ir::TieKind::Decided));
    t = settled(b, op, s, t, b.select(smooth, kind, code(b, ir::TieKind::Jump)));
  }
  auto side = [&](size_t k) {
    return [this, &op, k](ir::Builder& in, auto) { return forcedRegion(in, op, k); };
  };
  // The condition depends on the weight, so that the report is not lost where the value does not.
  Value* condition = x(op.operand(0));
  if (!is_final && stage_ != ProbeStage::First)
    condition = b.op(OpCode::NoteTie, {b.op(OpCode::IsNan, {t}), condition});
  Values made = b.ifElse(condition, side(0), side(1), op.attrs,
                         {x(op.operand(1)), x(op.operand(2)), t});
  Value* from_sides = b.op(OpCode::And, {tie, smooth});
  Value* then = b.op(OpCode::FLt, {b.real(0.5), t});
  size_t count = op.results.size();
  Values dots;
  for (size_t k = 0; k < moving; ++k)
    dots.push_back(b.select(
        from_sides, b.select(then, at_tie[2 + k], at_tie[2 + moving + k]), made[count + k]));
  size_t at = 0;
  takePrimal(op.results, made, at);
  at = 0;
  takeDots(op.results, dots, at);
}

}  // namespace dini::ad
