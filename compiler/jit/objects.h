// Ahead-of-time compilation: IR functions to object files, archives and shared libraries.
// Not here: which functions a library has and its headers (library/).
#pragma once

#include <string>
#include <vector>

#include "codegen/exports.h"
#include "jit/jit.h"

namespace dini::jit {

struct Object {
  std::string name;  // of the archive's member
  std::string bytes;
};

// Compiles a function that went through opt::prepareForCodegen; `variant` gets its memory and the
// places of its statuses.
Object compileEntry(const ir::Module& module, const ir::Function& function, const std::string& cpu,
                    OptLevel level, const std::string& symbol, codegen::MemoryBound& memory,
                    std::vector<codegen::Site>& sites);
Object compileExport(const codegen::Export& exported);
// The level of the x86-64 ABI that code for this CPU needs: "native", "x86-64-v2", ...; 0: no such
// CPU.
int cpuLevel(const std::string& cpu);

// Empty, or why it could not be written.
std::string writeFile(const std::string& path, const std::string& bytes);
std::string writeArchive(const std::string& path, const std::vector<Object>& members);
// Members of an archive file, to be put into another one; empty where it cannot be read.
std::vector<Object> readArchive(const std::string& path);

}  // namespace dini::jit
