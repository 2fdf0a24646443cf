// Forward rule of `if` on a comparison of reals. Off ties only the side taken runs. At an exact tie
// both sides are compared: where they agree to 1e-12 relative the derivative is their mean by the
// tie weight; else it is a jump, and the comparison's branch supplies the derivative.
#include <utility>

#include "ad/comparisons.h"
#include "ad/forward.h"

#include "ad/linear.h"
#include "ad/residuals.h"
#include "ad/ties.h"
#include "analysis/kinks.h"
#include "ir/run_notes.h"
#include "ir/walk.h"

namespace dini::ad {

using ir::OpCode;
using ir::Value;
using Values = std::vector<Value*>;

namespace {

constexpr double kAgreement = 1e-12;
constexpr double kTolerances = 100;  // how far sides may be apart within a tie tolerance of 1

bool mayRaiseIn(const ir::Region& region) {
  bool raises = false;
  ir::walk(region, [&](const ir::Op& op) {
    if (op.code == OpCode::Yield) return;
    raises = raises || ir::mayHaveEffect(op.code) || ir::shape(op.code).stratum == ir::Stratum::Solve;
  });
  return raises;
}

bool prints(const ir::Op& op) {
  bool found = false;
  for (const auto& region : op.regions)
    ir::walk(*region, [&](const ir::Op& nested) { found = found || nested.code == OpCode::Print; });
  return found;
}

Value* agree(ir::Builder& b, Value* u, Value* v, double tolerance) {
  Value* close = nullptr;
  if (u->type.isReal()) {
    Value* gap = absolute(b, b.sub(u, v));
    auto within = [&](Value* w) {
      Value* bound = b.mul(b.real(kAgreement), absolute(b, w));
      if (tolerance > 0) bound = b.add(bound, b.real(kTolerances * tolerance));
      return b.op(OpCode::FLe, {gap, bound});
    };
    // An infinite side is within its own bound of anything.
    close = b.op(OpCode::And, {b.op(OpCode::Or, {within(u), within(v)}), b.op(OpCode::IsFinite, {gap})});
  } else if (u->type.elem == ir::Elem::I64) {
    close = b.op(OpCode::IEq, {u, v});
  } else {
    Value* both = b.op(OpCode::And, {u, v});
    Value* none = b.op(OpCode::Not, {b.op(OpCode::Or, {u, v})});
    close = b.op(OpCode::Or, {both, none});
  }
  return b.op(OpCode::Not, {anyOf(b, b.op(OpCode::Not, {close}))});
}

}  // namespace

bool mayRaise(const ir::Op& op) {
  return mayRaiseIn(*op.regions[0]) || mayRaiseIn(*op.regions[1]);
}

bool mayBlend(const ir::Op& op) {
  if (prints(op)) return false;
  for (const Value* result : op.results)
    if (!result->type.isStatic()) return false;
  return true;
}

Value* anyOf(ir::Builder& b, Value* condition) {
  if (condition->type.isScalar()) return condition;
  std::vector<int64_t> axes;
  for (size_t k = 0; k < condition->type.rank(); ++k) axes.push_back(static_cast<int64_t>(k));
  return b.reduce("any", condition, std::move(axes));
}

// Of the results that anything is differentiated by: a probe's tangents beside them do not count.
Value* Forward::sidesAgree(ir::Builder& b, const ir::Op& op, std::span<Value* const> u,
                           std::span<Value* const> v) {
  Value* all = b.boolean(true);
  for (size_t k = 0; k < op.results.size(); ++k)
    if (!op.results[k]->type.isReal() || activity_.useful(op.results[k]))
      all = b.op(OpCode::And, {all, agree(b, u[k], v[k], request_.ties.tolerance)});
  return all;
}

Value* dummyOf(ir::Builder& b, const ir::Type& type) { return dummy(b, type, false); }

namespace {

Values dummiesLike(ir::Builder& b, std::span<Value* const> values) {
  Values made;
  for (const Value* value : values) made.push_back(dummy(b, value->type, value->linear));
  return made;
}

// Types and flags of what a side yields, without a side at hand: primal results, then tangents.
struct Slot {
  ir::Type type;
  bool linear;
};

// Of frameworks: mixes nothing and unifies nothing, but whether the sides differ is told of.
bool takesBranch(const TieOptions& ties, const ir::Op& op) {
  return !isLocked(ties, op) && !blendsComparisons(ties, op);
}

Values dummies(ir::Builder& b, const std::vector<Slot>& slots) {
  Values made;
  for (const Slot& slot : slots) made.push_back(dummy(b, slot.type, slot.linear));
  return made;
}

}  // namespace

int Forward::forcedSide(const ir::Op& op) const {
  if (op.attrs.ints.size() < 2) return 0;
  for (auto it = forced_.rbegin(); it != forced_.rend(); ++it)
    if (it->first == op.attrs.ints[0]) return it->second * static_cast<int>(op.attrs.ints[1]);
  return 0;
}

bool Forward::comparesSides(const ir::Op& op) const {
  bool told = takesBranch(request_.ties, op) || blendsComparisons(request_.ties, op);
  if (!blends_ || !told || !mayBlend(op)) return false;
  return active(op.operand(1)) || active(op.operand(2));
}

// A side of the comparison, in which kinks of its class stand on the same side.
Values Forward::forcedRegion(ir::Builder& b, const ir::Op& op, size_t side) {
  bool forces = request_.ties.unify && op.attrs.ints.size() >= 2 && !takesBranch(request_.ties, op);
  if (forces) {
    int sign = op.attrs.ints[1] > 0 ? 1 : -1;
    forced_.emplace_back(op.attrs.ints[0], side == 0 ? sign : -sign);
  }
  Values yielded = regionWithDots(b, *op.regions[side], op.results);
  if (forces) forced_.pop_back();
  return yielded;
}

// Runs a side where it is taken and at a tie; dummies elsewhere.
Forward::Sides Forward::bothSides(ir::Builder& b, const ir::Op& op, Value* tie) {
  std::vector<Slot> slots;
  for (const Value* result : op.results) slots.push_back({result->type, false});
  for (const Value* result : op.results)
    if (active(result)) slots.push_back({result->type, true});
  auto none = [&](ir::Builder& in, std::span<Value* const>) { return dummies(in, slots); };
  bool outside = std::exchange(both_sides_, true);
  auto run = [&](size_t side) {
    Value* taken = x(op.operand(0));
    if (side == 1) taken = b.op(OpCode::Not, {taken});
    return b.ifElse(b.op(OpCode::Or, {taken, tie}),
                    [&](ir::Builder& in, std::span<Value* const>) {
                      return forcedRegion(in, op, side);
                    },
                    none);
  };
  Sides sides;
  sides.then = run(0);
  sides.otherwise = run(1);
  both_sides_ = outside;
  return sides;
}

// A comparison with a weight stays one in the primal part, so that derivatives of this derivative
// take the same weight.
ir::Attrs Forward::decidedAttrs(const ir::Op& op) const {
  return op.operands.size() == 4 ? op.attrs : ir::Attrs{};
}
Values Forward::decidedOperands(const ir::Op& op) const {
  Values operands;
  for (size_t k = 1; op.operands.size() == 4 && k < 4; ++k) operands.push_back(x(op.operand(k)));
  return operands;
}

Value* Forward::blended(ir::Builder& b, const ir::Op& op, Value* then, Value* otherwise) {
  ir::Attrs attrs;
  int side = forcedSide(op);
  attrs.f = side != 0 ? (side > 0 ? 1 : 0) : tieWeight(request_.ties, op);
  attrs.i = 1;
  attrs.ints = op.attrs.ints;
  bool swapped = op.attrs.str == "lt" || op.attrs.str == "le";
  Value *p = x(op.operand(swapped ? 2 : 1)), *q = x(op.operand(swapped ? 1 : 2));
  p = snapped(b, p, q, request_.ties.tolerance);
  if (op.operands.size() == 4 && side == 0)
    return b.op(OpCode::PickTie, {p, q, then, otherwise, x(op.operand(3))}, std::move(attrs));
  return b.op(OpCode::Pick, {p, q, then, otherwise}, std::move(attrs));
}

// Off blending the side taken supplies the derivative. In the fast variant of `locked` the condition
// notes a tie; the copy stays a comparison for the derivatives of this derivative.
void Forward::plainComparison(ir::Builder& b, const ir::Op& op) {
  bool fast = request_.ties.variant == TieOptions::Variant::Fast;
  bool open = request_.ties.undecided > 0 && op.operands.size() == 3;
  bool moves = active(op.operand(1)) || active(op.operand(2));
  bool locked = !probing() && moves && isLocked(request_.ties, op) && forcedSide(op) == 0;
  if (locked && open)
    return branchRule(b, op, leftOpen(b, op, x(op.operand(0))), op.attrs,
                      {x(op.operand(1)), x(op.operand(2))});
  if (!locked || !fast) return branchRule(b, op, x(op.operand(0)), {}, {});
  Value *p = x(op.operand(1)), *q = x(op.operand(2));
  Value* tie = tied(b, p, q, request_.ties.tolerance);
  Value* condition = b.op(OpCode::NoteTie, {tie, x(op.operand(0))});
  branchRule(b, op, condition, op.attrs, {p, q});
}

// Whether the sides are to be mixed: `smooth`, never for frameworks. Reports where the sides differ at a
// tie: no other run looks there under a policy without a probe. (A weight operand is the probe's.)
Value* Forward::jumpTold(ir::Builder& b, const ir::Op& op, Value* tie, Value* smooth) {
  if (op.operands.size() == 4) return smooth;
  auto kind = [&](ir::TieKind k) { return b.integer(static_cast<int64_t>(k)); };
  Value* jumps = b.op(OpCode::And, {tie, b.op(OpCode::Not, {smooth})});
  Value* which = b.select(jumps, kind(ir::TieKind::Jump), kind(ir::TieKind::None));
  ir::Attrs attrs;
  attrs.str = "if";
  attrs.i = 1;
  Value* zero = b.real(0.0);
  Value* row = b.op(OpCode::ReportTie, {which, zero, zero, b.integer(0)}, std::move(attrs));
  Value* mixes = takesBranch(request_.ties, op) ? b.boolean(false) : smooth;
  return b.op(OpCode::NoteTie, {b.op(OpCode::IsNan, {row}), mixes});
}

void Forward::comparisonIfRule(ir::Builder& b, const ir::Op& op) {
  if (probing()) return probeComparison(b, op);
  if (!comparesSides(op)) return plainComparison(b, op);
  if (mayRaise(op)) return guardedComparison(b, op);
  Value* taken = x(op.operand(0));
  Value* tie = tied(b, x(op.operand(1)), x(op.operand(2)), request_.ties.tolerance);
  Sides sides = bothSides(b, op, tie);
  size_t count = op.results.size();
  auto primal = [&](const Values& all) { return std::span(all).first(count); };
  auto dots = [&](const Values& all) { return std::span(all).subspan(count); };
  auto values = [](std::span<Value* const> all) { return Values(all.begin(), all.end()); };
  Values made = b.ifElse(taken,
                         [&](ir::Builder&, auto) { return values(primal(sides.then)); },
                         [&](ir::Builder&, auto) { return values(primal(sides.otherwise)); },
                         decidedAttrs(op), decidedOperands(op));
  Value* smooth = b.ifElse(
      tie,
      [&](ir::Builder& in, auto) {
        return Values{sidesAgree(in, op, sides.then, sides.otherwise)};
      },
      [&](ir::Builder& in, auto) { return Values{in.boolean(false)}; })[0];
  smooth = jumpTold(b, op, tie, smooth);
  Values tangents = b.ifElse(
      smooth,
      [&](ir::Builder& in, auto) {
        Values mixed;
        for (size_t k = 0; k < dots(sides.then).size(); ++k)
          mixed.push_back(blended(in, op, dots(sides.then)[k], dots(sides.otherwise)[k]));
        return mixed;
      },
      [&](ir::Builder& in, auto) {
        return in.ifElse(taken,
                         [&](ir::Builder&, auto) { return values(dots(sides.then)); },
                         [&](ir::Builder&, auto) { return values(dots(sides.otherwise)); });
      });
  size_t at = 0;
  takePrimal(op.results, made, at);
  at = 0;
  takeDots(op.results, tangents, at);
}

// Sides that may end in a status: the side taken runs as ever; at a tie the other one runs once
// more inside a `try`, and a status there means that it does not agree.
void Forward::guardedComparison(ir::Builder& b, const ir::Op& op) {
  Value* taken = x(op.operand(0));
  Value* tie = tied(b, x(op.operand(1)), x(op.operand(2)), request_.ties.tolerance);
  auto side = [&](size_t k) {
    return [this, &op, k](ir::Builder& in, auto) { return forcedRegion(in, op, k); };
  };
  bool outside = std::exchange(both_sides_, true);
  Values made = b.ifElse(taken, side(0), side(1), decidedAttrs(op), decidedOperands(op));
  auto none = [&](ir::Builder& in, std::span<Value* const>) {
    Values values{in.boolean(false)};
    for (Value* value : dummiesLike(in, made)) values.push_back(value);
    return values;
  };
  bool outer_blends = std::exchange(blends_, false);
  auto copied_primal = primal_;
  auto copied_dots = dots_;
  Values other = b.ifElse(
      tie,
      [&](ir::Builder& in, auto) {
        return in.tryElse(
            [&](ir::Builder& deep, auto) {
              Values values = deep.ifElse(taken, side(1), side(0));
              values.insert(values.begin(), deep.boolean(true));
              return values;
            },
            none);
      },
      none);
  primal_ = std::move(copied_primal);
  dots_ = std::move(copied_dots);
  blends_ = outer_blends;
  both_sides_ = outside;
  size_t count = op.results.size();
  Value* smooth = b.ifElse(
      other[0],
      [&](ir::Builder& in, auto) {
        return Values{sidesAgree(in, op, made, std::span(other).subspan(1))};
      },
      [&](ir::Builder& in, auto) { return Values{in.boolean(false)}; })[0];
  smooth = jumpTold(b, op, tie, smooth);
  Values plain(made.begin() + static_cast<ptrdiff_t>(count), made.end());
  Values tangents = b.ifElse(
      smooth,
      [&](ir::Builder& in, auto) {
        Values mixed;
        for (size_t k = 0; k < plain.size(); ++k) {
          // The side taken may be either: order them as then, otherwise.
          Values ordered = in.ifElse(taken,
                                     [&](ir::Builder&, auto) { return Values{plain[k], other[1 + count + k]}; },
                                     [&](ir::Builder&, auto) { return Values{other[1 + count + k], plain[k]}; });
          mixed.push_back(blended(in, op, ordered[0], ordered[1]));
        }
        return mixed;
      },
      [&](ir::Builder&, auto) { return plain; });
  size_t at = 0;
  takePrimal(op.results, made, at);
  at = 0;
  takeDots(op.results, tangents, at);
}

}  // namespace dini::ad
