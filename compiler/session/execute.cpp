#include "session/execute.h"

#include "base/check.h"
#include "opt/opt.h"

namespace dini::session {
namespace {

// About 20 ms of interpretation: less than LLVM needs to start and compile a small solve.
constexpr uint64_t kBudget = 400'000;

void collectCallees(const ir::Module& module, const ir::Region& region, ir::Module& into) {
  for (const auto& op : region.ops) {
    if (op->code == ir::OpCode::Call && !into.find(op->attrs.str)) {
      const ir::Function* callee = module.find(op->attrs.str);
      check(callee != nullptr, "a call of a function that the module does not have");
      const ir::Function& added = into.add(ir::clone(*callee, callee->name));
      collectCallees(module, added.body, into);
    }
    for (const auto& inner : op->regions) collectCallees(module, *inner, into);
  }
}

}  // namespace

Prepared prepare(const ir::Module& module, const ir::Function& function) {
  Prepared prepared;
  prepared.function = &prepared.module.add(ir::clone(function, function.name));
  collectCallees(module, function.body, prepared.module);
  std::vector<ir::Function*> all;
  for (auto& [name, made] : prepared.module.functions) all.push_back(made.get());
  for (ir::Function* made : all) {
    opt::prepareForCodegen(prepared.module, *made);
  }
  return prepared;
}

jit::Jit& Executor::jit() {
  if (!jit_) jit_ = std::make_unique<jit::Jit>();
  return *jit_;
}

ir::Outcome Executor::compileAndRun(const ir::Module& module, const ir::Function& function,
                                    std::span<const ir::Tensor> arguments) {
  Prepared prepared = prepare(module, function);
  jit::RunOptions run;
  run.level = options_.level;
  run.interrupt = options_.interrupt;
  run.print = options_.print;
  return jit().run(prepared.module, *prepared.function, arguments, run);
}

ir::Outcome Executor::run(const ir::Module& module, const ir::Function& function,
                          std::span<const ir::Tensor> arguments) {
  if (options_.engine == Engine::Jit) return compileAndRun(module, function, arguments);
  ir::InterpretOptions interpretation;
  ir::RunNotes notes;
  interpretation.notes = options_.notes ? &notes : nullptr;
  interpretation.interrupt = options_.interrupt;
  if (options_.engine == Engine::Interpreter) {
    interpretation.print = options_.print;
    ir::Outcome outcome = std::move(*ir::interpret(module, function, arguments, interpretation));
    if (options_.notes) *options_.notes = notes;
    return outcome;
  }
  std::vector<std::string> held;
  interpretation.budget = kBudget;
  interpretation.print = [&](const std::string& line) { held.push_back(line); };
  std::optional<ir::Outcome> outcome = ir::interpret(module, function, arguments, interpretation);
  if (!outcome) return compileAndRun(module, function, arguments);
  if (options_.notes) *options_.notes = notes;
  if (options_.print)
    for (const std::string& line : held) options_.print(line);
  return std::move(*outcome);
}

}  // namespace dini::session
