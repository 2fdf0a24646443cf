// Diagnostics as typed data. A stage builds them through a DiagnosticSink; rendering for people,
// JSON and the catalogue that `dini explain` prints are apart (render.h, catalogue.h).
// Codes are listed once, in diagnostics.def; every code has a page in docs/errors/ and a test.
#pragma once

#include <string>
#include <vector>

#include "source/source.h"

namespace dini {

// DINI_DIAGNOSTIC(enumerator, "E0301", Severity, Class, "title")
enum class DiagCode {
#define DINI_DIAGNOSTIC(name, code, severity, klass, title) name,
#include "diag/diagnostics.def"
#undef DINI_DIAGNOSTIC
};

enum class Severity { Error, Warning, Note };
// Three classes that are never mixed: the program is wrong (exit 1), a known limitation of this
// version (exit 2), a run-time status of a function call (exit 1).
enum class DiagClass { Program, Limitation, Status };

struct DiagInfo {
  const char* name;   // the enumerator
  const char* code;   // "E0301"
  Severity severity;
  DiagClass klass;
  const char* title;  // one line for the catalogue
};
const DiagInfo& diagInfo(DiagCode code);
std::vector<DiagCode> allDiagCodes();

// A place in the source and what is to be seen there. The first label is the primary one.
struct Label {
  Span span;
  std::string text;  // may be empty
};

struct Diagnostic {
  DiagCode code;
  std::string message;        // lower case, what was seen before the rule, no final stop
  std::vector<Label> labels;  // may be empty (a missing file)
  std::vector<std::string> notes;
  std::string help;           // at most one
};

// Collects diagnostics in order; exact duplicates (code and primary span) are dropped.
class DiagnosticSink {
 public:
  // Adds a diagnostic and returns it so that labels, notes and help can be attached.
  Diagnostic& add(DiagCode code, Span primary, std::string message, std::string label = "");
  bool hasErrors() const { return errors_ > 0; }
  size_t errorCount() const { return errors_; }
  const std::vector<Diagnostic>& all() const { return diagnostics_; }
  void clear();

 private:
  std::vector<Diagnostic> diagnostics_;
  size_t errors_ = 0;
  Diagnostic scratch_{};  // receives what is attached to a dropped duplicate
};

// The exit code of a command that ended with these diagnostics: 0, 1 or 2.
int exitCode(const std::vector<Diagnostic>& diagnostics);

}  // namespace dini
