// Runs an IR function by the engine that was asked for. `auto` interprets within a budget of
// operations, which answers small requests before a compiler would have started, and compiles when
// the budget is spent; starting again is safe because everything is pure and printed lines are held
// back until then. A function that inspects calls (certificate, certified) is always interpreted.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "certify/audit.h"
#include "ir/interpreter.h"
#include "ir/ir.h"
#include "ir/tensor.h"
#include "jit/jit.h"
#include "jit/library_engine.h"

namespace dini::session {

// Library: through the C interface of `dini build`, in memory; prints nothing.
enum class Engine { Auto, Interpreter, Jit, Library };

struct ExecuteOptions {
  Engine engine = Engine::Auto;
  jit::OptLevel level = jit::OptLevel::O2;
  std::filesystem::path cache_folder;  // of compiled code; empty: nothing is kept
  const std::atomic<bool>* interrupt = nullptr;
  std::function<void(const std::string&)> print;  // a printed line; none after the tie flag is set,
  bool decided = false;  // but all of a run that has decided its ties, though some may set the flag again
  ir::RunNotes* notes = nullptr;                  // filled by the engine that ran to the end
  certify::CertifyOptions certification;          // of certificate(f)(x)
  const SourceManager* sources = nullptr;         // of places in ties(f)(x)
  certify::Audit* audit = nullptr;                // told of every solve; then all is interpreted
};

// A copy of a function and of all that it calls, made ready for code generation.
struct Prepared {
  ir::Module module;
  ir::Function* function = nullptr;
};

class Executor {
 public:
  explicit Executor(ExecuteOptions options) : options_(std::move(options)) {}
  ir::Outcome run(const ir::Module& module, const ir::Function& function,
                  std::span<const ir::Tensor> arguments);
  // The same for a function that runs again and again: compiled at once, unless it must be interpreted,
  // from what the first run leaves in `kept`. Solves whose solver has tested their residual evaluate it
  // once more, for the notes.
  ir::Outcome runAgain(const ir::Module& module, const ir::Function& function,
                       std::span<const ir::Tensor> arguments, std::optional<Prepared>& kept);
  ExecuteOptions& options() { return options_; }
  jit::Jit& jit();  // made when first needed: LLVM starts slowly

 private:
  ir::Outcome compileAndRun(const Prepared& prepared, std::span<const ir::Tensor> arguments);
  bool mustInterpret(const ir::Module& module, const ir::Function& function) const;

  ExecuteOptions options_;
  std::unique_ptr<jit::Jit> jit_;
  std::unique_ptr<jit::LibraryEngine> library_;
};

// Whether a function, or what it calls, holds an `inspect`, which compiled code cannot answer.
bool inspects(const ir::Module& module, const ir::Function& function);
Prepared prepare(const ir::Module& module, const ir::Function& function);

}  // namespace dini::session
