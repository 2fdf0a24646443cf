// Running Clang's front end in this process, on a file or on text in memory.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <clang/Basic/Diagnostic.h>
#include <clang/Frontend/FrontendAction.h>

namespace dini::clang_frontend {

// The compiler's words that every question shares: the language, and where Clang's own headers are.
std::vector<std::string> compilerWords();

struct MemoryFile {
  std::string path;
  std::string text;
};
void runClang(std::vector<std::string> words, clang::DiagnosticConsumer& collector, std::unique_ptr<clang::FrontendAction> action,
              const std::optional<MemoryFile>& file);

}  // namespace dini::clang_frontend
