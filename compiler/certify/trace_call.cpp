// The trace of a whole call: its real arguments are the parameters of the graph.
#include "base/large_stack.h"
#include "certify/tracer.h"

namespace dini::certify {

using namespace ir::interp;
using ir::Elem;

namespace {

constexpr size_t kTraceStack = size_t{512} << 20;  // reserved, not used: recursion of the program

}  // namespace

void Tracer::program(const FunctionPlan& plan, std::span<const ir::Tensor> arguments,
                     std::vector<NodeId>& results) {
  noteSwitches(plan.body);
  std::vector<Slot> slots(plan.slots);
  Frame frame = makeFrame(slots.data(), plan.slots);
  for (size_t k = 0; k < arguments.size(); ++k) {
    uint32_t slot = plan.body.args[k];
    slots[slot] = fromTensor(arguments[k]);
    if (arguments[k].type.elem != Elem::F64) continue;
    Slot ids = Slot::make(Elem::I64, slots[slot].dims());
    for (int64_t j = 0; j < ids.count(); ++j)
      writable(ids)[j] = system_.graph.parameter(slots[slot].reals()[j]);
    setIds(frame, slot, std::move(ids));
  }
  region(plan.body, frame);
  for (size_t k = 0; k < plan.body.yields.size(); ++k) {
    if (plan.function->body.yields()[k]->type.elem != Elem::F64) continue;
    uint32_t slot = plan.body.yields[k];
    Slot ids = frame.has_ids[slot] ? frame.ids[slot] : constants(slots[slot]);
    for (int64_t j = 0; j < ids.count(); ++j) results.push_back(idAt(ids, j));
  }
}

CallTrace traceCall(const ir::Module& module, const ir::Function& function,
                    std::span<const ir::Tensor> arguments, const ir::InterpretOptions& options, Sides sides) {
  CallTrace trace;
  trace.system.span = function.span;
  Machine machine(module, options);
  runOnLargeStack(kTraceStack, [&] {
    try {
      Tracer(machine, trace.system, sides).program(machine.plan(function), arguments, trace.results);
    } catch (const Obstacle& obstacle) {
      trace.system.obstacle = obstacle.what;
      trace.system.obstacle_span = obstacle.span;
    }
  });
  if (trace.system.obstacle.empty() && !trace.system.blocks.empty()) {
    trace.system.obstacle = "a kink of rank above one, or a projection by eigenvalues, is followed in certificates only";
    trace.system.obstacle_span = trace.system.blocks.front().span;
  }
  return trace;
}

}  // namespace dini::certify
