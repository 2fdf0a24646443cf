// Forward rule of roots. Derivations: docs/maths.md, "Solutions of equations" and "Ties inside
// equations". Three ways: without kinks; in the fast variant, which takes every tie at its policy's
// weight (`locked`: 0) and notes whether a switch is tied that is not exactly so, or whose weight
// matters; and in the probing one, where tied switches get weights and the equations are lifted.
#include <algorithm>
#include <cmath>
#include <limits>

#include "ad/forward.h"
#include "ad/linear.h"
#include "ad/probe.h"
#include "ad/root_ties.h"
#include "base/check.h"
#include "ir/walk.h"
#include "ir/run_notes.h"

namespace dini::ad {

using ir::OpCode;
using ir::Value;
using Values = std::vector<Value*>;
using Kinks = TiedEquations::Kinks;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr size_t kFinal = 6;  // of attrs.ints: whether both stages of the probe have decided

std::vector<ir::Type> unknownTypes(const RootPoint& point) {
  std::vector<ir::Type> types;
  for (const Value* solution : point.solutions()) types.push_back(solution->type);
  return types;
}

Value* constantVector(ir::Builder& b, double value, int64_t count) {
  return b.fill(b.real(value), Values{b.integer(count)});
}

// Weights of the policies, NaN where the direction decides.
Value* policyWeights(ir::Builder& b, const TiedEquations& equations, bool by_direction) {
  Values parts;
  for (const TieGroup& group : equations.groups())
    parts.push_back(constantVector(b, by_direction ? kNaN : group.weight, group.count()));
  return joined(b, parts);
}

// NaN replaced.
Value* withoutNaN(ir::Builder& b, Value* weights, double open) {
  return b.select(b.op(OpCode::IsNan, {weights}), b.real(open), weights);
}

int64_t unknownElements(const RootSystem& system) { return system.residual()->type.dims[0]; }

// Size of one Newton correction at the solution; of z == T(z) of one step. `guard`: 0 where the
// system is singular, which the test of the ties then says better. For one unknown it is a
// division, without a status.
enum class Guard { Off, On };
Value* correction(ir::Builder& b, const RootPoint& point, const RootSystem& system, Value* matrix,
                  Guard guard) {
  if (!point.isImplicit()) {
    Values flat_solutions;
    for (Value* solution : point.solutions()) flat_solutions.push_back(flat(b, solution));
    return largestMagnitude(b, b.sub(system.residual(), joined(b, flat_solutions)));
  }
  if (unknownElements(system) == 1) {
    Value* zero = b.integer(0);
    Value* e =
        absolute(b, b.div(b.index(system.residual(), {zero}), b.index(matrix, {zero, zero})));
    return guard == Guard::Off ? e : b.select(b.op(OpCode::IsFinite, {e}), e, b.real(0.0));
  }
  auto size = [&](ir::Builder& in) {
    Value* step = in.linearSolve(matrix, system.residual(), ir::Structure::General, true);
    if (guard == Guard::Off) step->def->attrs.str = singularText(point.op);
    return largestMagnitude(in, step);
  };
  if (guard == Guard::Off) return size(b);
  return b.tryElse([&](ir::Builder& in, auto) { return Values{size(in)}; },
                   [&](ir::Builder& in, auto) { return Values{in.real(0.0)}; })[0];
}

// What the mode of differentiation makes of the equations, flat. `matrix`: A', where it is
// implicit.
Value* rootTangent(ir::Builder& b, ir::Module& module, const RootPoint& point, const RootSystem& system,
                   Value* matrix) {
  Value* moved = system.along(b, std::span(point.tangents).first(point.moving))[0];
  b.setSpan(point.op.span);  // what follows concerns the block, not the operations just copied
  if (point.isImplicit()) return solveSystem(b, module, point.op, point.multiple, matrix, moved);
  if (point.op.attrs.str != "neumann") return moved;
  int64_t terms = point.op.attrs.ints.empty() ? 0 : point.op.attrs.ints[0];
  return b.loop(b.integer(terms), {moved}, [&](ir::Builder& in, std::span<Value* const> args) {
    Values still(point.moving, nullptr), steps = unflattened(in, args[1], unknownTypes(point));
    return Values{in.add(system.along(in, still, steps)[0], moved)};
  })[0];
}

// How far from its tie a kink may be that the lifted equations do not hold: the solver's tolerance.
double undecidedWithin(const ir::Op& root) {
  constexpr double kDefault = 1e-10;
  return std::isfinite(root.attrs.f) && root.attrs.f > 0 ? root.attrs.f : kDefault;
}

// The test of tied switches takes matrices of all unknowns. Beyond this, ties inside are told as
// undecided.
bool tooLargeForTies(const ir::Op& root) {
  constexpr int64_t kMost = 3000;
  int64_t total = 0;
  for (const Value* unknown : root.regions[1]->args) total += unknown->type.elementCount();
  return total > kMost;
}

}  // namespace

// The operands of the rule: none where no captured value moves.
std::optional<RootPoint> Forward::rootPoint(const ir::Op& op, const ir::Op& copy) {
  const ir::Region& equations = *op.regions[1];
  RootPoint point{op, ir::captures(equations), {}, {}, {}, {}, copy.results.back(), 0};
  for (const Value* value : point.captured) {
    point.arguments.push_back(x(value));
    point.active.push_back(dot(value) != nullptr);
    if (dot(value) == nullptr) continue;
    point.tangents.push_back(dot(value));
    point.shapes.push_back(x(value));
  }
  point.moving = point.tangents.size();
  if (point.moving == 0) return std::nullopt;
  for (size_t k = 0; k < equations.args.size(); ++k) {
    point.arguments.push_back(copy.results[k]);
    point.shapes.push_back(copy.results[k]);
    point.active.push_back(true);
    point.tangents.push_back(nullptr);
  }
  return point;
}

void Forward::setRootDots(ir::Builder& b, const RootPoint& point, Value* z_dot) {
  Values parts = unflattened(b, z_dot, unknownTypes(point));
  for (size_t k = 0; k < parts.size(); ++k) setDot(point.op.results[k], parts[k]);
}

// F(z, x) = 0. implicit: A z_dot = B x_dot with A = -F_z, B = F_x at the returned solution.
// one_step: z_dot = T_x x_dot; neumann(k): z_dot = sum of T_z^j T_x x_dot over j = 0..k.
void Forward::rootRule(ir::Builder& b, const ir::Op& op) {
  bool fixed_sizes = true;
  bool done = probing() && op.attrs.ints.size() > kFinal && op.attrs.ints[kFinal] != 0;
  for (const Value* unknown : op.regions[1]->args)
    fixed_sizes = fixed_sizes && unknown->type.isStatic();
  const Request outside = request_;
  if (!probing()) request_.ties.undecided = undecidedWithin(op);
  countedRootRule(b, op, fixed_sizes && !done);
  request_ = outside;
}

void Forward::countedRootRule(ir::Builder& b, const ir::Op& op, bool counts) {
  if (!counts) return plainRootRule(b, op);
  Kinks kinks = stage_ == ProbeStage::Second ? Kinks::All : Kinks::Open;
  TiedEquations equations(op, ir::captures(*op.regions[1]), request_.ties, kinks);
  bool fast = request_.ties.variant == TieOptions::Variant::Fast && !probing();
  if (equations.groups().empty() || (!fast && tooLargeForTies(op))) return plainRootRule(b, op);
  const ir::Op& copy = ir::cloneOp(b, op, primal_);
  std::optional<RootPoint> point = rootPoint(op, copy);
  if (!point) return;
  if (probing()) return probeRoot(b, copy, *point, equations);
  if (fast && reducedRoot(b, op, copy, NearTies::Noted)) return;
  RootSystem system(b, module_, *point, request_, equations);
  b.setSpan(op.span);
  Values images = system.byUnknowns(b);
  TieSet set(b, *point, equations, request_.ties, system, images);
  Value* matrix = b.sub(b.real(0.0), images[0]);
  if (fast) return notedRoot(b, *point, system, set, matrix);
  set.setCorrection(b, correction(b, *point, system, matrix, Guard::On));
  // Where the probe has been and a weight of `locked` is still open, the root stands inside another's
  // equations, which were probed without it.
  Value* policy = policyWeights(b, equations, false);
  Value* held = request_.ties.policy == TieOptions::Policy::Locked
                    ? reportedWeights(b, op, equations, system, joined(b, set.near()), policy, b.real(0.0))
                    : withoutNaN(b, policy, 0);
  requireRegular(b, *point, equations, set, held);
  TieWeights weights{unflattened(b, joined(b, set.near()), groupTypes(equations, ir::Elem::I1)),
                     unflattened(b, held, groupTypes(equations, ir::Elem::F64))};
  RootSystem lifted(b, module_, *point, request_, equations, weights, point->form());
  if (point->isImplicit()) matrix = b.sub(b.real(0.0), lifted.byUnknowns(b)[0]);
  setRootDots(b, *point, rootTangent(b, module_, *point, lifted, matrix));
}

// The fast variant. Ties are noted before the status of a singular matrix, which a tie may cause.
void Forward::notedRoot(ir::Builder& b, const RootPoint& point, const RootSystem& system, TieSet& set,
                        Value* matrix) {
  bool divides = point.isImplicit() && unknownElements(system) == 1;
  if (!divides) matrix = b.op(OpCode::NoteTie, {set.roundsToTie(b), matrix});
  bool poisons = point.op.attrs.ints.size() > 4 && point.op.attrs.ints[4] == 1;
  set.setCorrection(b, correction(b, point, system, matrix, poisons ? Guard::On : Guard::Off));
  Value* any = set.any(b);
  if (divides) matrix = b.op(OpCode::NoteTie, {any, matrix});
  Value* z_dot = rootTangent(b, module_, point, system, matrix);
  setRootDots(b, point, divides ? z_dot : b.op(OpCode::NoteTie, {any, z_dot}));
}

// Only where a switch is tied, and for the rule that needs invertible Jacobians.
void Forward::requireRegular(ir::Builder& b, const RootPoint& point, const TiedEquations& equations,
                             const TieSet& set, Value* held) {
  if (!point.isImplicit()) return;
  b.ifElse(
      set.any(b),
      [&](ir::Builder& in, auto) {
        in.setSpan(point.op.span);
        TieAnswer answer =
            decideTies(in, module_, point, request_, equations, set.near(), held, {});
        refuseIrregular(in, point, equations, answer);
        return Values{};
      },
      [](ir::Builder&, auto) { return Values{}; });
}

namespace {

// Whether the first direction has left its weights in the equations.
bool holdsWeights(const ir::Op& root) {
  bool found = false;
  ir::walk(*root.regions[1], [&](const ir::Op& op) {
    found = found || op.code == OpCode::ChooseTie || (op.code == OpCode::If && op.operands.size() == 4);
  });
  return found;
}

}  // namespace

// The probe through a root: the one-sided derivative of the solution along the probe's direction,
// and the weights it points to. The root is followed by a second one that starts at its solution,
// stays there, and has the weights in its equations: what is differentiated later.
void Forward::probeRoot(ir::Builder& b, const ir::Op& copy, const RootPoint& point,
                        const TiedEquations& equations) {
  const ir::Op& op = point.op;
  size_t from = b.region().ops.size();
  bool second = stage_ == ProbeStage::Second;
  RootSystem system(b, module_, point, request_, equations);
  Values images = system.byUnknowns(b);
  b.setSpan(op.span);
  Value* matrix = b.sub(b.real(0.0), images[0]);
  TieSet set(b, point, equations, request_.ties, system, images);
  Value* held = policyWeights(b, equations, stage_ == ProbeStage::Only);
  if (second) {
    set.setExact(b);
    held = joined(b, set.earlier());
  } else {
    set.setCorrection(b, correction(b, point, system, matrix, Guard::On));
  }
  Value* near = joined(b, set.near());
  Value* open = second ? b.op(OpCode::And, {near, b.op(OpCode::IsNan, {held})}) : near;
  Values decided = b.ifElse(
      b.reduce("any", open, {0}),
      [&](ir::Builder& in, auto) {
        in.setSpan(op.span);
        TieAnswer answer = decideTies(in, module_, point, request_, equations, set.near(), held,
                                      std::span(point.tangents).first(point.moving));
        if (point.isImplicit()) refuseIrregular(in, point, equations, answer);
        return Values{answer.weights, answer.z_dot, in.index(answer.verdict, {in.integer(0)})};
      },
      [&](ir::Builder& in, auto) {
        in.setSpan(op.span);
        Value* z_dot = rootTangent(in, module_, point, system, matrix);
        clearFlagsFrom(in.region(), 0);
        return Values{held, z_dot, in.real(1.0)};
      });
  setRootDots(b, point, decided[1]);
  Value* weights = decided[0];
  if (stage_ == ProbeStage::First) {
    weights = withDistances(b, point, equations, system, set, decided[1], weights);
  } else if (!second || holdsWeights(op)) {
    if (second) {
      Value* late = b.op(OpCode::And, {open, b.op(OpCode::Not, {b.op(OpCode::IsNan, {weights})})});
      weights = withoutDistance(b, op, late, weights);
    }
    weights = reportedWeights(b, op, equations, system, near, weights, decided[2]);
  } else {  // the one in front, of which the first direction has made another: that one reports
    weights = withoutNaN(b, weights, 0);
  }
  weighedRoot(b, copy, point, equations, near, weights);
  clearFlagsFrom(b.region(), from);
}

// The report gets the distances within which the tied switches vanish along the direction.
Value* Forward::withDistances(ir::Builder& b, const RootPoint& point, const TiedEquations& equations,
                              const RootSystem& system, const TieSet& set, Value* z_dot,
                              Value* weights) {
  Values steps = unflattened(b, z_dot, unknownTypes(point));
  Values slopes = system.along(b, std::span(point.tangents).first(point.moving), steps);
  Values parts = unflattened(b, weights, groupTypes(equations, ir::Elem::F64)), flat_parts;
  for (size_t g = 0; g < parts.size(); ++g) {
    Value* part = flat(b, parts[g]);
    flat_parts.push_back(withDistance(b, equations.groups()[g].first(), set.near()[g], set.bounds()[g],
                                      slopes[1 + g], part));
  }
  return joined(b, flat_parts);
}

// Rows of the report for switches that are tied, or within the solver's tolerance of it; what is open
// takes weight 0.
Value* Forward::reportedWeights(ir::Builder& b, const ir::Op& root, const TiedEquations& equations,
                                const RootSystem& system, Value* near, Value* weights,
                                Value* verdict) {
  auto kindOf = [&](ir::TieKind kind) { return b.integer(static_cast<int64_t>(kind)); };
  Value* open = b.op(OpCode::IsNan, {weights});
  Values nears = unflattened(b, near, groupTypes(equations, ir::Elem::I1));
  Values opens = unflattened(b, open, groupTypes(equations, ir::Elem::I1));
  Values parts = unflattened(b, withoutNaN(b, weights, 0), groupTypes(equations, ir::Elem::F64));
  Value* unproved = b.op(OpCode::FLt, {verdict, b.real(0.5)});
  for (size_t g = 0; g < parts.size(); ++g) {
    const TieGroup& group = equations.groups()[g];
    // With a gap, a switch that does not move has sides whose derivatives agree. Without one, the
    // complementarity problem does not know what the weight changes.
    Value* undecided = group.has_gap ? b.op(OpCode::And, {opens[g], unproved}) : nears[g];
    Value* kind = b.select(undecided, kindOf(ir::TieKind::Undecided), kindOf(ir::TieKind::Decided));
    Value* s = unflattened(b, system.switchValue(g), std::vector{ir::f64(group.dims)})[0];
    Value* close = b.op(OpCode::FLe, {absolute(b, s), b.real(undecidedWithin(root))});
    Value* none = b.select(close, kindOf(ir::TieKind::Near), kindOf(ir::TieKind::None));
    kind = b.select(nears[g], kind, none);
    b.setSpan(group.first().span);
    parts[g] = flat(b, reported(b, group.first(), s, kind, parts[g]));
  }
  b.setSpan(root.span);
  return joined(b, parts);
}

void Forward::weighedRoot(ir::Builder& b, const ir::Op& copy, const RootPoint& point,
                          const TiedEquations& equations, Value* near, Value* weights) {
  Values tied = unflattened(b, near, groupTypes(equations, ir::Elem::I1));
  Values parts = unflattened(b, weights, groupTypes(equations, ir::Elem::F64));
  std::vector<TiedEquations::Decision> decisions;
  for (size_t g = 0; g < tied.size(); ++g) decisions.push_back({tied[g], parts[g], nullptr});
  size_t unknowns = point.unknowns();
  ir::Attrs attrs = copy.attrs;
  attrs.f = std::numeric_limits<double>::infinity();  // the root has been tested
  attrs.ints.resize(std::max(attrs.ints.size(), kFinal + 1), 0);
  attrs.ints[kFinal] = stage_ != ProbeStage::First ? 1 : 0;
  Values starts(copy.results.begin(), copy.results.begin() + static_cast<ptrdiff_t>(unknowns));
  ir::Op& made = b.emitUnchecked(OpCode::Root, starts, std::move(attrs));
  auto fill = [&](ir::Region& region, const auto& emit) {
    Values arguments;
    for (const Value* start : starts)
      arguments.push_back(result_->addArgument(region, start->type));
    ir::Builder in(*result_, region);
    in.setSpan(copy.span);
    in.yield(emit(in, arguments));
  };
  fill(*made.regions[0], [&](ir::Builder& in, Values yields) {
    yields.insert(yields.end(),
                  {copy.results[unknowns], in.integer(0), copy.results[unknowns + 1]});
    return yields;
  });
  fill(*made.regions[1], [&](ir::Builder& in, const Values& arguments) {
    return equations.decided(in, primal_, arguments, decisions);
  });
  for (const Value* old : point.op.results) {
    Value* result = result_->addResult(made, old->type);
    result->name = old->name;
    primal_[old] = result;
  }
}

}  // namespace dini::ad
