// Which functions of a C++ file are imported: the annotated ones, those named, and annotated templates on
// double, which are instantiated if the file does not.
#pragma once

#include <clang/Frontend/CompilerInstance.h>

#include "clang_frontend/annotations.h"

namespace dini::clang_frontend {

// In the order of the file. `named`: without annotation.
std::vector<const clang::FunctionDecl*> importedFunctions(clang::CompilerInstance& compiler, Reporter& reporter,
                                                          const std::vector<std::string>& named);

}  // namespace dini::clang_frontend
