// Runs functions the way a program linked with a library of `dini build` does: compiled to object
// files, called through the exported C function with a workspace of exactly the size it asks for.
// Slower to start than jit.h; there to test that path with every program.
#pragma once

#include <memory>
#include <span>

#include "ir/ir.h"
#include "ir/tensor.h"
#include "jit/jit.h"

namespace dini::jit {

class LibraryEngine {
 public:
  LibraryEngine();
  ~LibraryEngine();
  LibraryEngine(const LibraryEngine&) = delete;
  LibraryEngine& operator=(const LibraryEngine&) = delete;

  // nullopt: results of dynamic size, which a library does not give. Prints nothing. The module must
  // have been through opt::prepareForCodegen.
  std::optional<ir::Outcome> run(const ir::Module& module, const ir::Function& function,
                                 std::span<const ir::Tensor> arguments, const RunOptions& options);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dini::jit
