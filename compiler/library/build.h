// Writes a library into a folder: include/NAME.h, NAME.hpp and dini/*, lib/libNAME.a (with the
// runtime), lib/libNAME.so, lib/NAME.o (without it), a pkg-config file and a CMake package.
#pragma once

#include <string>
#include <vector>

#include "jit/jit.h"
#include "library/headers.h"

namespace dini::library {

struct BuildOptions {
  std::string folder;
  std::vector<std::string> cpus = {"native"};  // or x86-64-v2, -v3, -v4; several: the best that runs
  jit::OptLevel level = jit::OptLevel::O2;
  std::string runtime;  // the archive of the runtime that goes into the library
};

struct BuildFailure {
  std::string message, help;  // no message: it went well
};

// Fills exact_work and exact_tape of the functions. The shared library needs a C compiler as its linker.
BuildFailure build(Library& library, session::Session& session, const BuildOptions& options);

}  // namespace dini::library
