#include "clang_frontend/frontend.h"

#include <clang/AST/ASTConsumer.h>
#include <clang/Basic/DiagnosticIDs.h>
#include <clang/Frontend/CompilerInstance.h>
#include <clang/Frontend/FrontendActions.h>
#include <clang/Tooling/Tooling.h>
#include <fmt/format.h>

#include "clang_frontend/finder.h"
#include "clang_frontend/invocation.h"
#include "clang_frontend/unit.h"

namespace dini::clang_frontend {
namespace {

// What Clang says about the file, as findings; a note joins what it belongs to.
class Collector : public clang::DiagnosticConsumer {
 public:
  explicit Collector(clang_client::ImportAnswer& answer) : answer_(answer) {}

  void BeginSourceFile(const clang::LangOptions& language, const clang::Preprocessor*) override { language_ = &language; }
  void HandleDiagnostic(clang::DiagnosticsEngine::Level level, const clang::Diagnostic& info) override {
    DiagnosticConsumer::HandleDiagnostic(level, info);
    llvm::SmallString<256> text;
    info.FormatDiagnostic(text);
    clang_client::Place place;
    if (info.hasSourceManager() && info.getLocation().isValid() && language_) {
      const auto range = info.getNumRanges() > 0 ? info.getRange(0).getAsRange() : clang::SourceRange(info.getLocation());
      Reporter reporter(info.getSourceManager(), *language_, answer_);
      place = reporter.place(range.isValid() ? range : clang::SourceRange(info.getLocation()));
    }
    if (level == clang::DiagnosticsEngine::Note) {
      if (!answer_.findings.empty() && place.valid()) answer_.findings.back().marks.push_back({place, text.str().str()});
      return;
    }
    if (level < clang::DiagnosticsEngine::Error || answer_.findings.size() >= 20) return;
    const bool warning = !clang::DiagnosticIDs::getWarningOptionForDiag(info.getID()).empty();
    clang_client::Finding finding;
    finding.code = warning ? DiagCode::CppUndefined : DiagCode::CppError;
    finding.message = text.str().str();
    finding.marks.push_back({place, ""});
    if (warning) finding.help = "C++ says nothing of what this does: write what is meant";
    answer_.findings.push_back(std::move(finding));
  }

 private:
  clang_client::ImportAnswer& answer_;
  const clang::LangOptions* language_ = nullptr;
};

class Importer : public clang::ASTConsumer {
 public:
  Importer(clang::CompilerInstance& compiler, const clang_client::ImportRequest& request, clang_client::ImportAnswer& answer)
      : compiler_(compiler), request_(request), answer_(answer) {}

  void HandleTranslationUnit(clang::ASTContext& context) override {
    if (compiler_.getDiagnostics().hasErrorOccurred() || !answer_.findings.empty()) return;
    Unit unit(context, answer_);
    const std::vector<const clang::FunctionDecl*> functions = importedFunctions(compiler_, unit.reporter(), request_.functions);
    if (!answer_.findings.empty()) return;
    if (functions.empty()) {
      unit.reporter().add(DiagCode::CppAnnotation, {0, 0, 0}, fmt::format("`{}` has no function that is annotated for Dini", request_.path),
                          "write `[[clang::annotate(\"dini\")]]` before a function");
      return;
    }
    unit.import(functions);
  }

 private:
  clang::CompilerInstance& compiler_;
  const clang_client::ImportRequest& request_;
  clang_client::ImportAnswer& answer_;
};

class ImportAction : public clang::ASTFrontendAction {
 public:
  ImportAction(const clang_client::ImportRequest& request, clang_client::ImportAnswer& answer) : request_(request), answer_(answer) {}
  std::unique_ptr<clang::ASTConsumer> CreateASTConsumer(clang::CompilerInstance& compiler, llvm::StringRef) override {
    return std::make_unique<Importer>(compiler, request_, answer_);
  }

 private:
  const clang_client::ImportRequest& request_;
  clang_client::ImportAnswer& answer_;
};

}  // namespace

clang_client::ImportAnswer importFile(const clang_client::ImportRequest& request) {
  clang_client::ImportAnswer answer;
  answer.files.push_back(request.path);
  std::vector<std::string> words = compilerWords();
  // Nothing is a warning; what means undefined behaviour is an error.
  words.insert(words.end(), {"-Wno-everything", "-ferror-limit=20", "-fno-caret-diagnostics"});
  for (const char* flag : {"uninitialized", "sometimes-uninitialized", "uninitialized-const-reference", "division-by-zero", "array-bounds",
                           "integer-overflow", "return-type", "unsequenced", "shift-count-overflow", "shift-count-negative", "shift-overflow",
                           "null-dereference", "return-stack-address", "implicit-const-int-float-conversion", "literal-conversion",
                           "float-overflow-conversion", "infinite-recursion", "self-assign-overloaded", "out-of-scope-function",
                           "dangling", "dangling-gsl", "tautological-undefined-compare"})
    words.push_back(std::string("-Werror=") + flag);
  words.insert(words.end(), request.flags.begin(), request.flags.end());
  words.push_back(request.path);
  Collector collector(answer);
  runClang(std::move(words), collector, std::make_unique<ImportAction>(request, answer), {});
  return answer;
}

}  // namespace dini::clang_frontend
