#include "diag/diagnostic.h"

#include <algorithm>
#include <array>

namespace dini {
namespace {

constexpr std::array kInfos = {
#define DINI_DIAGNOSTIC(name, code, severity, klass, title) \
  DiagInfo{#name, code, Severity::severity, DiagClass::klass, title},
#include "diag/diagnostics.def"
#undef DINI_DIAGNOSTIC
};

}  // namespace

const DiagInfo& diagInfo(DiagCode code) { return kInfos[static_cast<size_t>(code)]; }

std::vector<DiagCode> allDiagCodes() {
  std::vector<DiagCode> codes;
  for (size_t i = 0; i < kInfos.size(); ++i) codes.push_back(static_cast<DiagCode>(i));
  return codes;
}

Diagnostic& DiagnosticSink::add(DiagCode code, Span primary, std::string message,
                                std::string label) {
  Diagnostic made{code, std::move(message), {}, {}, {}};
  if (primary.valid()) made.labels.push_back({primary, std::move(label)});
  bool seen =
      primary.valid() &&
      std::any_of(diagnostics_.begin(), diagnostics_.end(), [&](const Diagnostic& other) {
        return other.code == code && !other.labels.empty() && other.labels[0].span == primary;
      });
  if (seen) return scratch_ = std::move(made);
  if (diagInfo(code).severity == Severity::Error) ++errors_;
  diagnostics_.push_back(std::move(made));
  return diagnostics_.back();
}

void DiagnosticSink::clear() {
  diagnostics_.clear();
  errors_ = 0;
}

int exitCode(const std::vector<Diagnostic>& diagnostics) {
  int code = 0;
  for (const Diagnostic& d : diagnostics) {
    const DiagInfo& info = diagInfo(d.code);
    if (info.severity != Severity::Error) continue;
    if (info.klass != DiagClass::Limitation) return 1;
    code = 2;
  }
  return code;
}

}  // namespace dini
