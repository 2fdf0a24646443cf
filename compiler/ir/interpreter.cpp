#include "ir/interpreter.h"

#include <new>

#include "base/check.h"
#include "base/large_stack.h"
#include "ir/interp_machine.h"
#include "ir/type_rules.h"
#include "ir/walk.h"

namespace dini::ir {
namespace interp {

bool Machine::fail(Status status, const Op& op, std::string text) {
  StatusInfo info;
  info.status = status;
  info.span = op.span;
  info.text = std::move(text);
  return fail(std::move(info));
}

bool Machine::interrupted(const Op& op) {
  if (options_.interrupt == nullptr || !options_.interrupt->load(std::memory_order_relaxed))
    return false;
  fail(Status::Interrupted, op);
  return true;
}

const FunctionPlan& Machine::plan(const Function& function) {
  auto& plan = plans_[&function];
  if (!plan) plan = std::make_unique<FunctionPlan>(makePlan(function));
  return *plan;
}

bool Machine::call(const FunctionPlan& plan, std::span<Slot> arguments,
                   std::vector<Slot>& results) {
  if (depth_ >= options_.max_depth) {
    StatusInfo info;
    info.status = Status::Bound;
    info.text = "calls nest deeper than the limit";
    return fail(std::move(info));
  }
  ++depth_;
  std::vector<Slot> frame(plan.slots);
  for (size_t k = 0; k < arguments.size(); ++k) frame[plan.body.args[k]] = std::move(arguments[k]);
  bool ok = run(plan.body, frame.data());
  for (size_t k = 0; ok && k < plan.body.yields.size(); ++k)
    results.push_back(frame[plan.body.yields[k]]);
  --depth_;
  return ok;
}

namespace {

// Recursion of the program is recursion of the interpreter: each level of calls takes a few
// kilobytes of stack, so programs with calls run on a stack of their own.
constexpr size_t kStackPerCall = 32 * 1024;
constexpr size_t kStackBase = 8 << 20;

bool hasCalls(const Function& function) {
  bool found = false;
  walk(function.body, [&](const Op& op) { found |= op.code == OpCode::Call; });
  return found;
}

std::optional<Outcome> execute(const Module& module, const Function& function,
                               std::span<const Tensor> arguments, const InterpretOptions& options) {
  Machine machine(module, options);
  std::vector<Slot> slots, results;
  for (const Tensor& argument : arguments) slots.push_back(fromTensor(argument));
  if (!machine.call(machine.plan(function), slots, results)) {
    if (machine.budgetSpent() && machine.status().status == Status::Ok) return std::nullopt;
    return machine.status();
  }
  std::vector<Tensor> tensors;
  for (size_t k = 0; k < results.size(); ++k)
    tensors.push_back(toTensor(results[k], function.body.yields()[k]->type.elem));
  return tensors;
}

}  // namespace
}  // namespace interp

std::optional<Outcome> interpret(const Module& module, const Function& function,
                                 std::span<const Tensor> arguments,
                                 const InterpretOptions& options) {
  check(arguments.size() == function.body.args.size(), "wrong number of arguments");
  for (size_t k = 0; k < arguments.size(); ++k)
    check(compatible(arguments[k].type, function.body.args[k]->type),
          "argument " + std::to_string(k) + " of type " + str(arguments[k].type) +
              " for a parameter of type " + str(function.body.args[k]->type));
  std::optional<Outcome> outcome;
  auto run = [&] {
    try {
      outcome = interp::execute(module, function, arguments, options);
    } catch (const std::bad_alloc&) {
      StatusInfo info;
      info.status = Status::Memory;
      outcome = info;
    }
  };
  if (!interp::hasCalls(function))
    run();
  else
    runOnLargeStack(
        interp::kStackBase + interp::kStackPerCall * static_cast<size_t>(options.max_depth), run);
  return outcome;
}

}  // namespace dini::ir
