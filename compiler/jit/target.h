// The host CPU as a compilation target, LLVM's pass pipelines, and machine code as object files.
// Everything here is a pure function of its arguments and the CPU.
#pragma once

#include <memory>

#include <llvm/IR/Module.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Target/TargetMachine.h>

#include "codegen/codegen.h"
#include "jit/jit.h"

namespace dini::jit {

// Once per process, before anything else here.
void initialiseTarget();
codegen::Target hostTarget();
std::unique_ptr<llvm::TargetMachine> makeTargetMachine(OptLevel level);
// The same for "native" or a level of the x86-64 ABI: "x86-64-v2", "x86-64-v3", "x86-64-v4".
codegen::Target targetOf(const std::string& cpu);
std::unique_ptr<llvm::TargetMachine> makeTargetMachine(OptLevel level, const std::string& cpu);

// O0: nothing but inlining marked so; O1: scalars in registers, simplification; O2: the whole of
// LLVM's pipeline but its vectorisers and loop reassociation, which would find nothing left to do.
// No pass may change a bit of a result: no fast-math flag is ever set.
void optimise(llvm::Module& module, llvm::TargetMachine& machine, OptLevel level);

std::unique_ptr<llvm::MemoryBuffer> objectCode(llvm::Module& module, llvm::TargetMachine& machine);
std::string assemblyText(llvm::Module& module, llvm::TargetMachine& machine);

}  // namespace dini::jit
