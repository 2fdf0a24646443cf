// The interpreter's machine: functions are translated once into flat steps (slots instead of
// values, a handler instead of a code), and steps are executed over a frame of slots.
// A handler gives false where the call ends: with a status, or because the budget is spent.
#pragma once

#include <memory>
#include <unordered_map>

#include "ir/interp_value.h"
#include "ir/interpreter.h"
#include "ir/ir.h"

namespace dini::ir::interp {

class Machine;
struct Step;
using Handler = bool (*)(Machine&, const Step&, Slot* frame);

struct RegionPlan {
  std::vector<uint32_t> args;
  std::vector<Step> steps;
  std::vector<uint32_t> yields;
  std::vector<bool> yield_is_last;  // the slot is not read again: it may be moved from
};

struct Step {
  const Op* op = nullptr;
  Handler handler = nullptr;
  ops::Evaluator evaluator = nullptr;  // elementwise
  ops::Parameters parameters;
  std::vector<uint32_t> operands;
  std::vector<uint32_t> results;
  uint32_t last_uses = 0;  // bit k: operand k is not read again in its region
  std::vector<RegionPlan> regions;

  const Slot& in(const Slot* frame, size_t k) const { return frame[operands[k]]; }
  Slot& out(Slot* frame, size_t k = 0) const { return frame[results[k]]; }
  // Operand k for modification: moved where this is its last use.
  Slot take(Slot* frame, size_t k) const {
    Slot& slot = frame[operands[k]];
    return k < 32 && (last_uses >> k & 1u) != 0 ? std::move(slot) : slot;
  }
};

struct FunctionPlan {
  const Function* function = nullptr;
  uint32_t slots = 0;
  RegionPlan body;
};
FunctionPlan makePlan(const Function& function);
Handler handlerOf(OpCode code);

class Machine {
 public:
  Machine(const Module& module, const InterpretOptions& options)
      : module_(module), options_(options),
        limit_(options.budget == 0 ? UINT64_MAX : options.budget) {}

  bool run(const RegionPlan& region, Slot* frame) {
    for (const Step& step : region.steps) {
      if (++spent_ > limit_) return false;
      if (!step.handler(*this, step, frame)) return false;
    }
    return true;
  }
  // The callee's results, in `results`.
  bool call(const FunctionPlan& plan, std::span<Slot> arguments, std::vector<Slot>& results);
  const FunctionPlan& plan(const Function& function);

  bool fail(StatusInfo status) {
    status_ = std::move(status);
    return false;
  }
  bool fail(Status status, const Op& op, std::string text = "");
  bool interrupted(const Op& op);  // polls; true: the status is set
  void charge(int64_t operations) { spent_ += static_cast<uint64_t>(operations); }
  bool budgetSpent() const { return spent_ > limit_; }

  const Module& module() const { return module_; }
  const InterpretOptions& options() const { return options_; }
  StatusInfo& status() { return status_; }
  // Null where nobody asked, and inside solvers, whose iterations concern nobody.
  RunNotes* notes() { return solver_depth_ == 0 ? options_.notes : nullptr; }
  bool runSolver(const RegionPlan& region, Slot* frame) {
    ++solver_depth_;
    bool ok = run(region, frame);
    --solver_depth_;
    return ok;
  }

 private:
  const Module& module_;
  const InterpretOptions& options_;
  uint64_t limit_;
  uint64_t spent_ = 0;
  int64_t depth_ = 0;
  int solver_depth_ = 0;
  StatusInfo status_;
  std::unordered_map<const Function*, std::unique_ptr<FunctionPlan>> plans_;
};

// Sizes of a result: constants of its type, the dynamic ones from operands `first`, ...
std::vector<int64_t> resultSizes(const Step& step, const Slot* frame, size_t first);

// Handlers, by family; entries of the dispatch table.
struct HandlerEntry {
  OpCode code;
  Handler handler;
};
std::span<const HandlerEntry> arrayHandlers();
std::span<const HandlerEntry> reductionHandlers();
std::span<const HandlerEntry> controlHandlers();
std::span<const HandlerEntry> solveHandlers();
std::span<const HandlerEntry> projectionHandlers();

}  // namespace dini::ir::interp
