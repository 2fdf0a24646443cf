// Just-in-time compilation of IR functions and their execution. Compiled code is cached by the
// printed form of the function and the options, in memory and, if there is a folder for it, on disk
// (object_cache.h). LLVM is not visible here.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>

#include "ir/ir.h"
#include "ir/run_notes.h"
#include "ir/tensor.h"

namespace dini::jit {

enum class OptLevel { O0, O1, O2 };

struct RunOptions {
  OptLevel level = OptLevel::O2;
  const std::atomic<bool>* interrupt = nullptr;   // polled on loop back-edges
  std::function<void(const std::string&)> print;  // a line of `print` without its newline
  bool decided = false;  // print after a tie too
  ir::RunNotes* notes = nullptr;                  // filled; null: not wanted
};

// The folder for compiled code: what DINI_CACHE says (a folder, or `off`), else
// $XDG_CACHE_HOME/dini or ~/.cache/dini. Empty: none.
std::filesystem::path cacheFolder();

class Jit {
 public:
  // Without a folder nothing is kept on disk.
  explicit Jit(const std::filesystem::path& cache_folder = {});
  ~Jit();
  Jit(const Jit&) = delete;
  Jit& operator=(const Jit&) = delete;

  // Compiles `function` (and what it calls in `module`) unless it is cached, and runs it.
  // The module must have been through opt::prepareForCodegen.
  ir::Outcome run(const ir::Module& module, const ir::Function& function,
                  std::span<const ir::Tensor> arguments, const RunOptions& options = {});
  // The compiled function itself, for repeated calls: the caller gives memory, one pointer per
  // parameter and per result, all of static types; nothing is copied, allocated or looked up. The
  // Jit must outlive it.
  using Callable = std::function<ir::Status(const void* const* in, void* const* out)>;
  Callable compile(const ir::Module& module, const ir::Function& function,
                   const RunOptions& options = {});
  // LLVM IR and assembly after optimisation, for `dini emit`.
  std::string llvmText(const ir::Module& module, const ir::Function& function, OptLevel level);
  std::string assembly(const ir::Module& module, const ir::Function& function, OptLevel level);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dini::jit
