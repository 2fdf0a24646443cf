#include "certify/trace.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/check.h"
#include "certify/tracer.h"
#include "ir/walk.h"

namespace dini::certify {

using namespace ir::interp;
using ir::Elem;
using ir::Op;
using ir::OpCode;
using ir::Value;

namespace {

uint32_t highestSlot(const RegionPlan& plan) {
  uint32_t highest = 0;
  auto see = [&](const std::vector<uint32_t>& slots) {
    for (uint32_t slot : slots) highest = std::max(highest, slot);
  };
  see(plan.args);
  see(plan.yields);
  for (const Step& step : plan.steps) {
    see(step.operands);
    see(step.results);
    for (const RegionPlan& nested : step.regions) highest = std::max(highest, highestSlot(nested));
  }
  return highest;
}

// Whether a value is the same whatever the function's arguments are.
bool isConstant(const Value* value) {
  if (value->isArgument() || !value->def->regions.empty()) return false;
  const Op& op = *value->def;
  bool pure = ir::isElementwise(op.code) || ir::shape(op.code).stratum == ir::Stratum::Array;
  return pure && std::all_of(op.operands.begin(), op.operands.end(), isConstant);
}

bool isReal(const Value* value) { return value->type.elem == Elem::F64; }

bool isComparison(OpCode code) {
  return code == OpCode::FLt || code == OpCode::FLe || code == OpCode::FEq || code == OpCode::FNe;
}

}  // namespace

// ---------------------------------------------------------------- ids
Slot Tracer::constants(const Slot& values) {
  Slot ids = Slot::make(Elem::I64, values.dims());
  int64_t* to = writable(ids);
  for (int64_t k = 0; k < values.count(); ++k) to[k] = system_.graph.constant(values.reals()[k]);
  return ids;
}

void Tracer::setIds(Frame& frame, uint32_t slot, Slot ids) {
  frame.ids[slot] = std::move(ids);
  frame.has_ids[slot] = 1;
}

void Tracer::copyIds(const Frame& from, uint32_t source, Frame& to, uint32_t target) {
  bool has = from.has_ids[source] != 0;
  if (has) setIds(to, target, from.ids[source]);
  else clearIds(to, target);
}

Slot Tracer::idsOf(const Step& step, Frame& frame, size_t k) {
  uint32_t slot = step.operands[k];
  return frame.has_ids[slot] ? frame.ids[slot] : constants(step.in(frame.values, k));
}

bool Tracer::anyIds(const Step& step, const Frame& frame) const {
  return std::any_of(step.operands.begin(), step.operands.end(),
                     [&](uint32_t slot) { return frame.has_ids[slot] != 0; });
}

Slot Tracer::newUnknowns(const Slot& values) {
  Slot ids = Slot::make(Elem::I64, values.dims());
  int64_t* to = writable(ids);
  for (int64_t k = 0; k < values.count(); ++k) to[k] = system_.graph.unknown(values.reals()[k]);
  return ids;
}

void Tracer::bounded(const Step& step) {
  if (system_.graph.size() > kNodeLimit)
    stop(step, "the equations have more than two million scalar operations");
}

// ---------------------------------------------------------------- regions
void Tracer::region(const RegionPlan& plan, Frame& frame) {
  for (const Step& one : plan.steps) step(one, frame);
}

void Tracer::execute(const Step& step, Frame& frame) {
  if (!step.handler(machine_, step, frame.values))
    stop(step, speculation_ > 0 ? "the side of an `if` that was not taken cannot be evaluated"
                                : "the equations cannot be evaluated again at the solution");
}

void Tracer::step(const Step& step, Frame& frame) {
  bounded(step);
  switch (step.op->code) {
    case OpCode::Loop: return loop(step, frame);
    case OpCode::While: return whileLoop(step, frame);
    case OpCode::If: return branch(step, frame);
    case OpCode::Call: return call(step, frame);
    case OpCode::Try: return tryElse(step, frame);
    case OpCode::Root: return nestedRoot(step, frame);
    case OpCode::Print: return;
    default: break;
  }
  if (!anyIds(step, frame)) {
    execute(step, frame);
    for (uint32_t slot : step.results) clearIds(frame, slot);
    return;
  }
  if (ir::isElementwise(step.op->code)) return elementwise(step, frame);
  if (step.op->code == OpCode::Check || step.op->code == OpCode::Dim) return execute(step, frame);
  if (!arrays(step, frame))
    stop(step, "this operation of matrices or sorted arrays is not followed");
}

void Tracer::comparison(const Step& step, Frame& frame) {
  OpCode code = step.op->code;
  if (code == OpCode::IsFinite || code == OpCode::IsNan) return execute(step, frame);
  if (!isComparison(code)) stop(step, "a real becomes an integer");
  Slot p = idsOf(step, frame, 0), q = idsOf(step, frame, 1);
  execute(step, frame);
  if (switches_.contains(step.op->result())) return;
  const Slot& outcome = step.out(frame.values);
  for (int64_t k = 0; k < outcome.count(); ++k)
    system_.guards.push_back(
        {code, idAt(p, k), idAt(q, k), outcome.booleans()[k] != 0, step.op->span});
}

void Tracer::elementwise(const Step& step, Frame& frame) {
  if (step.op->code == OpCode::NoteTie && !isReal(step.op->result())) return execute(step, frame);
  if (!isReal(step.op->result())) return comparison(step, frame);
  OpCode code = step.op->code;
  size_t arity = step.operands.size();
  if (code == OpCode::TieSide || code == OpCode::ReportTie) {  // weights: constant
    execute(step, frame);
    return clearIds(frame, step.results[0]);
  }
  Slot operands[ops::kMaxArity];
  for (size_t k = 0; k < arity; ++k)
    operands[k] = isReal(step.op->operand(k)) ? idsOf(step, frame, k) : step.in(frame.values, k);
  execute(step, frame);
  Slot ids = Slot::make(Elem::I64, step.out(frame.values).dims());
  int64_t* to = writable(ids);
  Graph& graph = system_.graph;
  Span span = step.op->span;
  for (int64_t k = 0; k < ids.count(); ++k) {
    NodeId at[ops::kMaxArity] = {-1, -1, -1, -1, -1};
    for (size_t j = code == OpCode::Select ? 1 : 0; j < arity; ++j) at[j] = idAt(operands[j], k);
    if (code == OpCode::Select) {
      const Slot& c = operands[0];
      to[k] = c.booleans()[c.isTensor() ? k : 0] ? at[1] : at[2];
    } else if (code == OpCode::NoteTie) {
      to[k] = at[1];
    } else if (code == OpCode::Pick || code == OpCode::PickTie) {  // a derivative inside the equations
      bool first = graph.node(at[0]).value > graph.node(at[1]).value;
      NodeId less = first ? at[1] : at[0], more = first ? at[0] : at[1];
      system_.guards.push_back({OpCode::FLt, less, more, true, span});
      to[k] = first ? at[2] : at[3];
    } else if (arity == 1) {
      to[k] = graph.op(code, {at[0]}, span, step.parameters);
    } else if (arity == 2) {
      to[k] = graph.op(code, {at[0], at[1]}, span, step.parameters);
    } else {
      check(code == OpCode::Choose || code == OpCode::ChooseTie,
            "an elementwise operation of reals that the tracer lacks");
      to[k] = graph.op(OpCode::Choose, {at[0], at[1], at[2], at[3]}, span, step.parameters);
    }
  }
  setIds(frame, step.results[0], std::move(ids));
}

// ---------------------------------------------------------------- control
namespace {

// Values stacked along a new axis 0.
Slot stacked(const std::vector<Slot>& rows, const ir::Type& type) {
  std::vector<int64_t> dims{static_cast<int64_t>(rows.size())};
  for (size_t k = 1; k < type.dims.size(); ++k)
    dims.push_back(rows.empty() ? std::max<int64_t>(type.dims[k], 0) : rows[0].dims()[k - 1]);
  Slot result = Slot::make(type.elem, dims);
  size_t size = elementSize(type.elem);
  auto* to = static_cast<char*>(result.own());
  for (const Slot& row : rows) {
    size_t bytes = static_cast<size_t>(row.count()) * size;
    if (bytes > 0) std::memcpy(to, row.data(), bytes);
    to += bytes;
  }
  return result;
}

}  // namespace

void Tracer::loop(const Step& step, Frame& frame) {
  const RegionPlan& body = step.regions[0];
  int64_t trip = std::max<int64_t>(step.in(frame.values, 0).integer(), 0);
  size_t carries = step.operands.size() - 1;
  std::vector<Slot> values(carries), ids(carries);
  std::vector<char> has(carries);
  for (size_t k = 0; k < carries; ++k) {
    values[k] = step.in(frame.values, k + 1);
    has[k] = frame.has_ids[step.operands[k + 1]];
    ids[k] = frame.ids[step.operands[k + 1]];
  }
  size_t outs = body.yields.size() - carries;
  std::vector<std::vector<Slot>> out_values(outs), out_ids(outs);
  std::vector<char> out_has(outs, 0);
  for (int64_t i = 0; i < trip; ++i) {
    frame.values[body.args[0]] = Slot::integer(i);
    clearIds(frame, body.args[0]);
    for (size_t k = 0; k < carries; ++k) {
      frame.values[body.args[k + 1]] = values[k];
      frame.ids[body.args[k + 1]] = ids[k];
      frame.has_ids[body.args[k + 1]] = has[k];
    }
    region(body, frame);
    for (size_t k = 0; k < outs; ++k) {
      uint32_t slot = body.yields[carries + k];
      out_values[k].push_back(frame.values[slot]);
      bool real = isReal(step.op->results[carries + k]);
      out_has[k] |= frame.has_ids[slot];
      out_ids[k].push_back(frame.has_ids[slot] ? frame.ids[slot]
                           : real              ? constants(frame.values[slot])
                                               : Slot());
    }
    for (size_t k = 0; k < carries; ++k) {
      values[k] = frame.values[body.yields[k]];
      ids[k] = frame.ids[body.yields[k]];
      has[k] = frame.has_ids[body.yields[k]];
    }
  }
  for (size_t k = 0; k < carries; ++k) {
    frame.values[step.results[k]] = values[k];
    frame.ids[step.results[k]] = ids[k];
    frame.has_ids[step.results[k]] = has[k];
  }
  for (size_t k = 0; k < outs; ++k) {
    uint32_t slot = step.results[carries + k];
    const ir::Type& type = step.op->results[carries + k]->type;
    frame.values[slot] = stacked(out_values[k], type);
    clearIds(frame, slot);
    if (out_has[k]) setIds(frame, slot, stacked(out_ids[k], type));
  }
}

void Tracer::whileLoop(const Step& step, Frame& frame) {
  const RegionPlan& condition = step.regions[0];
  const RegionPlan& body = step.regions[1];
  size_t carries = step.operands.size();
  if (body.yields.size() > carries) stop(step, "a derivative of a `while` inside the equations is not followed");
  for (size_t k = 0; k < carries; ++k) {
    Slot value = step.in(frame.values, k);
    frame.values[step.results[k]] = std::move(value);
    copyIds(frame, step.operands[k], frame, step.results[k]);
  }
  for (int64_t trips = 0;; ++trips) {
    auto pass = [&](const std::vector<uint32_t>& args) {
      for (size_t k = 0; k < carries; ++k) {
        frame.values[args[k]] = frame.values[step.results[k]];
        copyIds(frame, step.results[k], frame, args[k]);
      }
    };
    pass(condition.args);
    region(condition, frame);
    if (!frame.values[condition.yields[0]].boolean()) {
      frame.values[step.results[carries]] = Slot::integer(trips);
      return;
    }
    if (step.op->attrs.i > 0 && trips >= step.op->attrs.i) stop(step, "a `while` of a side that was not taken does not end");
    if (machine_.interrupted(*step.op)) stop(step, "interrupted");
    pass(body.args);
    region(body, frame);
    std::vector<Slot> values, ids;
    std::vector<char> has;
    for (uint32_t slot : body.yields) {
      values.push_back(frame.values[slot]);
      ids.push_back(frame.ids[slot]);
      has.push_back(frame.has_ids[slot]);
    }
    for (size_t k = 0; k < carries; ++k) {
      frame.values[step.results[k]] = values[k];
      frame.ids[step.results[k]] = ids[k];
      frame.has_ids[step.results[k]] = has[k];
    }
  }
}

// An `if` on a comparison of reals within this relative distance of its tie is followed on both
// sides; further away the taken side stands, with a guard.
constexpr double kNear = 1e-6;

void Tracer::branch(const Step& step, Frame& frame) {
  bool taken = step.in(frame.values, 0).boolean();
  if (step.operands.size() >= 3 && (frame.has_ids[step.operands[1]] || frame.has_ids[step.operands[2]])) {
    double a = step.in(frame.values, 1).real(), b = step.in(frame.values, 2).real();
    if (sides_ == Sides::Both || std::abs(a - b) <= kNear * (1 + std::abs(a) + std::abs(b)))
      return bothBranches(step, frame, step.op->attrs.str[0] == 'g');
    NodeId p = idAt(idsOf(step, frame, 1), 0), q = idAt(idsOf(step, frame, 2), 0);
    if (a > b) std::swap(p, q);
    system_.guards.push_back({OpCode::FLt, p, q, true, step.op->span, taken});
  }
  const RegionPlan& side = step.regions[taken ? 0 : 1];
  region(side, frame);
  for (size_t k = 0; k < step.results.size(); ++k) {
    frame.values[step.results[k]] = frame.values[side.yields[k]];
    copyIds(frame, side.yields[k], frame, step.results[k]);
  }
}

void Tracer::bothBranches(const Step& step, Frame& frame, bool greater) {
  bool taken = step.in(frame.values, 0).boolean();
  NodeId a = idAt(idsOf(step, frame, 1), 0), b = idAt(idsOf(step, frame, 2), 0);
  NodeId p = greater ? a : b, q = greater ? b : a;
  std::vector<Slot> values[2], ids[2];
  for (int side = 0; side < 2; ++side) {
    bool speculative = (side == 0) != taken;
    speculation_ += speculative;
    const RegionPlan& plan = step.regions[static_cast<size_t>(side)];
    region(plan, frame);
    for (size_t k = 0; k < plan.yields.size(); ++k) {
      uint32_t slot = plan.yields[k];
      values[side].push_back(frame.values[slot]);
      bool real = isReal(step.op->results[k]);
      ids[side].push_back(frame.has_ids[slot] ? frame.ids[slot]
                          : real              ? constants(frame.values[slot])
                                              : Slot());
    }
    speculation_ -= speculative;
  }
  for (size_t k = 0; k < step.results.size(); ++k) {
    const Slot &yes = values[0][k], &no = values[1][k];
    bool real = isReal(step.op->results[k]);
    if (!std::ranges::equal(yes.dims(), no.dims()))
      stop(step, "the sides of an `if` near its tie give arrays of different sizes");
    size_t bytes = static_cast<size_t>(yes.count()) * elementSize(step.op->results[k]->type.elem);
    if (!real && bytes > 0 && std::memcmp(yes.data(), no.data(), bytes) != 0)
      stop(step, "the sides of an `if` near its tie give different integers or booleans");
    frame.values[step.results[k]] = taken ? yes : no;
    clearIds(frame, step.results[k]);
    if (!real) continue;
    Slot merged = Slot::make(Elem::I64, yes.dims());
    for (int64_t j = 0; j < merged.count(); ++j) {
      NodeId first = idAt(ids[0][k], j), second = idAt(ids[1][k], j);
      writable(merged)[j] =
          first == second ? first
                          : system_.graph.op(OpCode::Choose, {p, q, first, second}, step.op->span,
                                             {1, std::numeric_limits<double>::quiet_NaN()});
    }
    setIds(frame, step.results[k], std::move(merged));
  }
}

void Tracer::call(const Step& step, Frame& frame) {
  const ir::Function* callee = machine_.module().find(step.op->attrs.str);
  check(callee != nullptr, "a call of a function that the module does not have");
  const FunctionPlan& plan = machine_.plan(*callee);
  noteSwitches(plan.body);
  std::vector<Slot> slots(plan.slots);
  Frame inner = makeFrame(slots.data(), plan.slots);
  for (size_t k = 0; k < step.operands.size(); ++k) {
    slots[plan.body.args[k]] = step.in(frame.values, k);
    copyIds(frame, step.operands[k], inner, plan.body.args[k]);
  }
  region(plan.body, inner);
  for (size_t k = 0; k < step.results.size(); ++k) {
    frame.values[step.results[k]] = slots[plan.body.yields[k]];
    copyIds(inner, plan.body.yields[k], frame, step.results[k]);
  }
}

void Tracer::tryElse(const Step& step, Frame& frame) {
  if (captureHasIds(step, frame)) stop(step, "`try` inside the equations is not followed");
  execute(step, frame);
  for (uint32_t slot : step.results) clearIds(frame, slot);
}

bool Tracer::captureHasIds(const Step& step, const Frame& frame) const {
  if (anyIds(step, frame)) return true;
  for (const RegionPlan& plan : step.regions)
    for (const Step& nested : plan.steps)
      if (captureHasIds(nested, frame)) return true;
  return false;
}

// ---------------------------------------------------------------- equations
// A comparison that only its own `if` reads is a switch and needs no guard.
void Tracer::noteSwitches(const RegionPlan& plan) {
  std::unordered_set<const Value*> by_if, otherwise;
  auto see = [&](auto&& self, const RegionPlan& region) -> void {
    for (const Step& step : region.steps) {
      for (size_t k = 0; k < step.op->operands.size(); ++k) {
        bool own = (step.op->code == OpCode::If && step.op->operands.size() >= 3 && k == 0) ||
                   step.op->code == OpCode::NoteTie;
        (own ? by_if : otherwise).insert(step.op->operand(k));
      }
      for (const RegionPlan& nested : step.regions) self(self, nested);
    }
  };
  see(see, plan);
  for (const Value* value : by_if)
    if (!otherwise.contains(value)) switches_.insert(value);
}

void Tracer::equations(const RegionPlan& plan, Frame& frame) {
  noteSwitches(plan);
  region(plan, frame);
  for (size_t k = 0; k < plan.yields.size(); k += 2) {
    auto ids = [&](uint32_t slot) {
      return frame.has_ids[slot] ? frame.ids[slot] : constants(frame.values[slot]);
    };
    Slot lhs = ids(plan.yields[k]), rhs = ids(plan.yields[k + 1]);
    for (int64_t j = 0; j < std::max(lhs.count(), rhs.count()); ++j)
      system_.equations.push_back(
          system_.graph.op(OpCode::Sub, {idAt(lhs, j), idAt(rhs, j)}, system_.span));
  }
}

// Reals from outside of the residual are parameters, unless they are the same for all arguments.
void Tracer::seedCaptures(const Step& step, Frame& frame) {
  const ir::Region* residual = step.op->regions[1].get();
  auto seed = [&](const Value* value, uint32_t slot) {
    if (frame.has_ids[slot] || !isReal(value) || isConstant(value)) return;
    if (ir::isInside(value->isArgument() ? value->region : value->def->parent, residual)) return;
    const Slot& reals = frame.values[slot];
    Slot ids = Slot::make(Elem::I64, reals.dims());
    for (int64_t j = 0; j < reals.count(); ++j)
      writable(ids)[j] = system_.graph.parameter(reals.reals()[j]);
    setIds(frame, slot, std::move(ids));
  };
  auto see = [&](auto&& self, const RegionPlan& plan, const ir::Region& region) -> void {
    for (const Step& one : plan.steps) {
      for (size_t k = 0; k < one.operands.size(); ++k) seed(one.op->operand(k), one.operands[k]);
      for (size_t k = 0; k < one.regions.size(); ++k) self(self, one.regions[k], *one.op->regions[k]);
    }
    for (size_t k = 0; k < plan.yields.size(); ++k) seed(region.yields()[k], plan.yields[k]);
  };
  see(see, step.regions[1], *residual);
}

void Tracer::root(const Step& step, Slot* values) {
  const RegionPlan& residual = step.regions[1];
  uint32_t slots = highestSlot(residual) + 1;
  Frame frame = makeFrame(values, slots);
  for (uint32_t slot : residual.args) setIds(frame, slot, newUnknowns(values[slot]));
  system_.own_unknowns = system_.graph.unknowns().size();
  seedCaptures(step, frame);
  equations(residual, frame);
}

// Its solution is a group of unknowns, its residual a group of equations of the whole system.
void Tracer::nestedRoot(const Step& step, Frame& frame) {
  bool follow = captureHasIds(step, frame);
  execute(step, frame);
  for (uint32_t slot : step.results) clearIds(frame, slot);
  if (!follow) return;
  const RegionPlan& residual = step.regions[1];
  for (size_t k = 0; k < residual.args.size(); ++k) {
    setIds(frame, step.results[k], newUnknowns(frame.values[step.results[k]]));
    frame.values[residual.args[k]] = frame.values[step.results[k]];
    copyIds(frame, step.results[k], frame, residual.args[k]);
  }
  equations(residual, frame);
}

bool isPartOfRoot(const ir::SolvedRoot& root) {
  if (std::isinf(root.step.op->attrs.f)) return true;  // takes over what another one found
  for (const ir::Region* region = root.step.op->parent; region && region->parent; region = region->parent->parent)
    if (region->parent->code == OpCode::Root) return true;
  return false;
}

System traceRoot(const ir::SolvedRoot& root) {
  System system;
  system.span = root.step.op->span;
  try {
    Tracer(root.machine, system).root(root.step, root.frame);
  } catch (const Obstacle& obstacle) {
    system.obstacle = obstacle.what;
    system.obstacle_span = obstacle.span;
    root.machine.status() = {};  // of a side that was not taken
    return system;
  }
  if (system.equations.size() != system.graph.unknowns().size())
    system.obstacle = "the equations and the unknowns differ in number";
  return system;
}

}  // namespace dini::certify
