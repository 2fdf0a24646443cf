#include <clang/Format/Format.h>
#include <clang/Frontend/FrontendActions.h>

#include "clang_frontend/frontend.h"
#include "clang_frontend/invocation.h"

namespace dini::clang_frontend {
namespace {

constexpr const char* kPath = "/dini-emitted.cpp";

// Warnings and errors of the text itself, by line.
class Lines : public clang::DiagnosticConsumer {
 public:
  explicit Lines(clang_client::FormatAnswer& answer) : answer_(answer) {}
  void HandleDiagnostic(clang::DiagnosticsEngine::Level level, const clang::Diagnostic& info) override {
    DiagnosticConsumer::HandleDiagnostic(level, info);
    if (level < clang::DiagnosticsEngine::Warning) return;
    llvm::SmallString<256> text;
    info.FormatDiagnostic(text);
    uint32_t line = 0;
    if (info.hasSourceManager() && info.getLocation().isValid()) {
      const clang::SourceLocation at = info.getSourceManager().getExpansionLoc(info.getLocation());
      if (info.getSourceManager().isInMainFile(at)) line = info.getSourceManager().getExpansionLineNumber(at);
    }
    answer_.problems.push_back({line, text.str().str()});
  }

 private:
  clang_client::FormatAnswer& answer_;
};

clang::format::FormatStyle style() {
  clang::format::FormatStyle made = clang::format::getGoogleStyle(clang::format::FormatStyle::LK_Cpp);
  made.ColumnLimit = 100;
  made.SortIncludes = clang::format::FormatStyle::SI_Never;
  // Comments quote source lines, which stay as they are.
  made.ReflowComments = false;
  return made;
}

}  // namespace

clang_client::FormatAnswer formatText(const std::string& text) {
  clang_client::FormatAnswer answer;
  Lines lines(answer);
  std::vector<std::string> words = compilerWords();
  words.insert(words.end(), {"-Wall", "-Wextra", "-ffp-contract=off", "-fwrapv", "-fno-caret-diagnostics", kPath});
  runClang(std::move(words), lines, std::make_unique<clang::SyntaxOnlyAction>(), MemoryFile{kPath, text});
  const std::vector<clang::tooling::Range> everything = {{0, static_cast<unsigned>(text.size())}};
  auto changed = clang::tooling::applyAllReplacements(text, clang::format::reformat(style(), text, everything, kPath));
  if (changed) answer.text = *changed;
  else {
    llvm::consumeError(changed.takeError());
    answer.text = text;
  }
  return answer;
}

}  // namespace dini::clang_frontend
