#include "session/execute.h"

#include <algorithm>

#include "base/check.h"
#include "ir/walk.h"
#include "opt/opt.h"
#include "session/inspect.h"

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

bool inspects(const ir::Module& module, const ir::Function& function) {
  std::vector<const ir::Function*> found{&function};
  bool any = false;
  for (size_t k = 0; k < found.size() && !any; ++k)
    ir::walk(found[k]->body, [&](const ir::Op& op) {
      any |= op.code == ir::OpCode::Inspect;
      if (op.code != ir::OpCode::Call) return;
      const ir::Function* callee = module.find(op.attrs.str);
      if (std::find(found.begin(), found.end(), callee) == found.end()) found.push_back(callee);
    });
  return any;
}

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
  if (!jit_) jit_ = std::make_unique<jit::Jit>(options_.cache_folder);
  return *jit_;
}

ir::Outcome Executor::compileAndRun(const Prepared& prepared, std::span<const ir::Tensor> arguments) {
  jit::RunOptions run;
  run.level = options_.level;
  run.interrupt = options_.interrupt;
  run.print = options_.print;
  run.decided = options_.decided;
  run.notes = options_.notes;
  if (options_.engine == Engine::Library) {
    if (!library_) library_ = std::make_unique<jit::LibraryEngine>();
    // Results of dynamic size are not for libraries.
    if (auto outcome = library_->run(prepared.module, *prepared.function, arguments, run))
      return std::move(*outcome);
  }
  return jit().run(prepared.module, *prepared.function, arguments, run);
}

bool Executor::mustInterpret(const ir::Module& module, const ir::Function& function) const {
  return options_.engine == Engine::Interpreter || options_.audit != nullptr || inspects(module, function);
}

namespace {

void measureResiduals(const ir::Region& region) {
  constexpr size_t kVerified = 5;
  for (const auto& op : region.ops) {
    if (op->code == ir::OpCode::Root && op->attrs.ints.size() > kVerified) op->attrs.ints[kVerified] = 0;
    for (const auto& inner : op->regions) measureResiduals(*inner);
  }
}

}  // namespace

ir::Outcome Executor::runAgain(const ir::Module& module, const ir::Function& function,
                               std::span<const ir::Tensor> arguments, std::optional<Prepared>& kept) {
  if (mustInterpret(module, function)) return run(module, function, arguments);
  if (!kept) {
    kept = prepare(module, function);
    for (const auto& [name, made] : kept->module.functions) measureResiduals(made->body);
  }
  return compileAndRun(*kept, arguments);
}

ir::Outcome Executor::run(const ir::Module& module, const ir::Function& function,
                          std::span<const ir::Tensor> arguments) {
  bool interpreted = mustInterpret(module, function);
  bool compiled = options_.engine == Engine::Jit || options_.engine == Engine::Library;
  if (compiled && !interpreted) return compileAndRun(prepare(module, function), arguments);
  ir::InterpretOptions interpretation;
  ir::RunNotes notes;
  interpretation.notes = options_.notes ? &notes : nullptr;
  interpretation.interrupt = options_.interrupt;
  interpretation.inspect = [&](const ir::Function& callee, ir::Inspection what, std::vector<ir::Tensor> at) {
    return inspectCall(module, callee, what, at, {options_.certification, options_.interrupt, options_.sources});
  };
  if (options_.audit)
    interpretation.solved = [&](const ir::SolvedRoot& root) { options_.audit->solved(root); };
  if (interpreted) {
    interpretation.print = [&](const std::string& line) {
      if ((options_.decided || !notes.tie) && options_.print) options_.print(line);
    };
    ir::Outcome outcome = std::move(*ir::interpret(module, function, arguments, interpretation));
    if (options_.notes) *options_.notes = std::move(notes);
    return outcome;
  }
  std::vector<std::string> held;
  interpretation.budget = kBudget;
  interpretation.print = [&](const std::string& line) {
    if (options_.decided || !notes.tie) held.push_back(line);
  };
  std::optional<ir::Outcome> outcome = ir::interpret(module, function, arguments, interpretation);
  if (!outcome) return compileAndRun(prepare(module, function), arguments);
  if (options_.notes) *options_.notes = std::move(notes);
  if (options_.print)
    for (const std::string& line : held) options_.print(line);
  return std::move(*outcome);
}

}  // namespace dini::session
