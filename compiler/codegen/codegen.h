// IR functions to LLVM modules. One LLVM function per IR function, called as
//   int64 f(ptr in, ptr out, ptr sizes, ptr work, ptr info)
// with one pointer per parameter in `in`, one per result in `out`, the dynamic sizes of the
// parameters in order in `sizes`, a workspace that ends at info->work_end, and dini_run
// (runtime/include/dini/status.h) in `info`. A result with dynamic sizes has a descriptor in `out`:
// a pointer into the workspace, which the function writes, then its dynamic sizes.
// Compiled code allocates nothing. Floating-point order is that of the IR (docs/ir.md): vectors of
// eight lanes are chosen here, explicitly, and LLVM may neither reassociate nor contract.
// Not here: optimisation, linking and execution (jit/).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <llvm/IR/Module.h>

#include "codegen/memory_bound.h"
#include "ir/ir.h"

namespace dini::codegen {

// What a site number of dini_run stands for.
struct Site {
  Span span;
  std::string text;      // of a check, of a print
  bool clarke = true;    // of a report_tie: the probe gave the weight
  ir::OpCode code = ir::OpCode::Yield;
  std::vector<ir::Type> types;  // of the operands of a print
};

struct Target {
  std::string triple;
  std::string data_layout;
  std::string cpu;
  std::string features;
  int vector_lanes = 2;  // of libmvec's widest variant on this CPU
};

struct Unit {
  std::unique_ptr<llvm::Module> module;
  std::string entry;
  std::vector<Site> sites;
  MemoryBound memory;  // of the entry with what it calls
};

// `function` and every function of `module` that it reaches.
Unit emit(llvm::LLVMContext& context, const ir::Module& module, const ir::Function& function,
          const Target& target);

// The C name under which compiled code refers to each function of the runtime, and its address.
struct RuntimeSymbol {
  const char* name;
  void* address;
};
std::vector<RuntimeSymbol> runtimeSymbols();

}  // namespace dini::codegen
