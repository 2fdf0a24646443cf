// Translation of a function into steps, and the dispatch table.
#include <algorithm>
#include <array>
#include <unordered_set>

#include "base/check.h"
#include "ir/interp_machine.h"
#include "ir/walk.h"
#include "ops/signature.h"

namespace dini::ir::interp {
namespace {

bool elementwise(Machine& machine, const Step& step, Slot* frame) {
  ops::Elements operands[ops::kMaxArity];
  const Slot* shaped = nullptr;
  for (size_t k = 0; k < step.operands.size(); ++k) {
    const Slot& slot = step.in(frame, k);
    operands[k] = slot.elements();
    if (!slot.isTensor()) continue;
    if (shaped == nullptr) shaped = &slot;
    else check(std::ranges::equal(shaped->dims(), slot.dims()), "elementwise operands differ in shape");
  }
  Slot& out = step.out(frame);
  if (shaped == nullptr) {
    Slot result;
    step.evaluator(step.parameters, operands, result.own(), 1);
    out = std::move(result);
    return true;
  }
  Slot result = Slot::make(step.op->result()->type.elem, shaped->dims());
  int64_t count = result.count();
  machine.charge(count);
  step.evaluator(step.parameters, operands, result.own(), count);
  out = std::move(result);
  return true;
}

// Operand element k, where a scalar stands for every element.
double realAt(const Slot& slot, int64_t k) { return slot.reals()[slot.isTensor() ? k : 0]; }

// The derivative of a kink whose weight the fast variant does not know: a tie of different sides is
// noted.
bool notedPick(Machine& machine, const Step& step, Slot* frame) {
  RunNotes* notes = machine.notes();
  if (notes != nullptr && !notes->tie) {
    const Slot &p = step.in(frame, 0), &q = step.in(frame, 1), &a = step.in(frame, 2),
               &b = step.in(frame, 3);
    int64_t count = std::max({p.count(), q.count(), a.count(), b.count()});
    for (int64_t k = 0; k < count && !notes->tie; ++k)
      notes->tie = realAt(p, k) == realAt(q, k) && realAt(a, k) != realAt(b, k);
  }
  return elementwise(machine, step, frame);
}

bool noteTie(Machine& machine, const Step& step, Slot* frame) {
  RunNotes* notes = machine.notes();
  const Slot& condition = step.in(frame, 0);
  for (int64_t k = 0; notes != nullptr && !notes->tie && k < condition.count(); ++k)
    notes->tie = condition.booleans()[k] != 0;
  return elementwise(machine, step, frame);
}

bool reportTie(Machine& machine, const Step& step, Slot* frame) {
  const Slot &kind = step.in(frame, 0), &s = step.in(frame, 1), &t = step.in(frame, 2),
             &element = step.in(frame, 3);
  int64_t count = std::max({kind.count(), s.count(), t.count(), element.count()});
  auto at = [](const Slot& slot, int64_t k) { return slot.isTensor() ? k : 0; };
  for (int64_t k = 0; machine.notes() != nullptr && k < count; ++k) {
    int64_t code = kind.integers()[at(kind, k)];
    if (code != 0)
      machine.notes()->addTie(tieRow(*step.op, code, realAt(s, k), realAt(t, k),
                                     element.integers()[at(element, k)]));
  }
  return elementwise(machine, step, frame);
}

Handler elementwiseHandler(const Op& op) {
  switch (op.code) {
    case OpCode::Pick: return op.attrs.str == kNote ? notedPick : elementwise;
    case OpCode::NoteTie: return noteTie;
    case OpCode::ReportTie: return reportTie;
    default: return elementwise;
  }
}

Elem genericElem(const Op& op) {
  std::string_view signature = ops::signature(op.code);
  size_t at = signature.find('t');
  return at == std::string_view::npos ? Elem::F64 : op.operand(at)->type.elem;
}

class Planner {
 public:
  FunctionPlan plan(const Function& function) {
    FunctionPlan plan;
    plan.function = &function;
    plan.body = region(function.body);
    plan.slots = static_cast<uint32_t>(slots_.size());
    return plan;
  }

 private:
  uint32_t slot(const Value* value) {
    return slots_.emplace(value, static_cast<uint32_t>(slots_.size())).first->second;
  }

  RegionPlan region(const Region& region) {
    RegionPlan plan;
    for (const Value* argument : region.args) plan.args.push_back(slot(argument));
    for (const auto& op : region.ops) {
      if (op->code == OpCode::Yield) break;
      plan.steps.push_back(step(*op));
    }
    for (const Value* value : region.yields()) plan.yields.push_back(slot(value));
    markLastUses(region, plan);
    return plan;
  }

  Step step(const Op& op) {
    Step step;
    step.op = &op;
    step.handler = isElementwise(op.code) ? elementwiseHandler(op) : handlerOf(op.code);
    if (isElementwise(op.code)) {
      step.evaluator = ops::evaluator(op.code, genericElem(op));
      step.parameters = {op.attrs.i, op.attrs.f};
    }
    for (const Value* operand : op.operands) step.operands.push_back(slot(operand));
    for (const auto& nested : op.regions) step.regions.push_back(region(*nested));
    for (const Value* result : op.results) step.results.push_back(slot(result));
    return step;
  }

  // Backwards: a use is the last one if nothing later, at any depth, reads the value, and the value
  // is of this region (a captured one is read again when the region runs again).
  static void markLastUses(const Region& region, RegionPlan& plan) {
    std::unordered_set<const Value*> read;
    auto isLast = [&](const Value* value) {
      return read.insert(value).second && value->region == &region;
    };
    const auto& yields = region.yields();
    plan.yield_is_last.resize(yields.size());
    for (size_t k = yields.size(); k-- > 0;) plan.yield_is_last[k] = isLast(yields[k]);
    for (size_t at = plan.steps.size(); at-- > 0;) {
      Step& step = plan.steps[at];
      for (const auto& nested : step.op->regions)
        walk(*nested, [&](const Op& op) { read.insert(op.operands.begin(), op.operands.end()); });
      for (size_t k = step.operands.size(); k-- > 0;)
        if (isLast(step.op->operand(k)) && k < 32) step.last_uses |= 1u << k;
    }
  }

  std::unordered_map<const Value*, uint32_t> slots_;
};

}  // namespace

FunctionPlan makePlan(const Function& function) { return Planner().plan(function); }

Handler handlerOf(OpCode code) {
  static const std::vector<Handler> table = [] {
    std::vector<Handler> handlers(static_cast<size_t>(opcodeCount()), nullptr);
    for (auto entries : {arrayHandlers(), reductionHandlers(), controlHandlers(), solveHandlers(),
                         projectionHandlers()})
      for (const HandlerEntry& entry : entries) handlers[static_cast<size_t>(entry.code)] = entry.handler;
    return handlers;
  }();
  if (isElementwise(code)) return elementwise;
  Handler handler = table[static_cast<size_t>(code)];
  check(handler != nullptr, "an operation that the interpreter does not know");
  return handler;
}

std::vector<int64_t> resultSizes(const Step& step, const Slot* frame, size_t first) {
  std::vector<int64_t> sizes = step.op->result()->type.dims;
  for (int64_t& size : sizes)
    if (size == kDynamic) size = step.in(frame, first++).integer();
  return sizes;
}

}  // namespace dini::ir::interp
