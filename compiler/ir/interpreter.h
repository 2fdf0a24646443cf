// The reference interpreter: every other engine is compared with it. It follows the documented
// evaluation order to the last bit and checks what compiled code assumes (bounds, types).
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <span>

#include "ir/ir.h"
#include "ir/run_notes.h"
#include "ir/tensor.h"

namespace dini::ir {

namespace interp {
class Machine;
class Slot;
struct Step;
}  // namespace interp

// A root that has just been solved: its operation, and the frame that holds the values it captures
// and its unknowns (the arguments of region 1). The observer may run region 1 again.
struct SolvedRoot {
  interp::Machine& machine;
  const interp::Step& step;
  interp::Slot* frame;
};

struct InterpretOptions {
  // Give up after about this many scalar operations (0: never).
  uint64_t budget = 0;
  // Polled on loop back-edges; true ends the run with Status::Interrupted.
  const std::atomic<bool>* interrupt = nullptr;
  std::function<void(const std::string&)> print;  // a line of `print` without its newline
  int64_t max_depth = 10'000;                     // of calls; beyond: Status::Bound
  RunNotes* notes = nullptr;                      // null: not wanted
  std::function<void(const SolvedRoot&)> solved;  // told of every root, in program order
  // What an `inspect` tells of the call of a function. Null: such a program is not run.
  std::function<Outcome(const Function& callee, Inspection what, std::vector<Tensor> arguments)> inspect;
};

// nullopt: the budget is spent. Arguments are checked against the parameter types.
std::optional<Outcome> interpret(const Module& module, const Function& function,
                                 std::span<const Tensor> arguments,
                                 const InterpretOptions& options = {});

}  // namespace dini::ir
