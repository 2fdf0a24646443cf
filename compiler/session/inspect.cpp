#include "session/inspect.h"

#include <algorithm>
#include <limits>

#include "base/check.h"
#include "certify/trace.h"
#include "ir/run_notes.h"

namespace dini::session {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();

ir::Outcome told(const CertifiedCall& call) {
  auto worst = certify::Verdict::Proved;
  double lipschitz = 0, radius = kInfinite;
  for (const certify::Certificate& c : call.certificates) {
    worst = std::min(worst, c.verdict);
    bool proved = c.verdict == certify::Verdict::Proved;
    lipschitz = std::max(lipschitz, proved && c.lipschitz >= 0 ? c.lipschitz : kInfinite);
    radius = std::min(radius, proved ? c.radius : 0.0);
  }
  return std::vector<ir::Tensor>{ir::Tensor::integer(static_cast<int64_t>(worst)), ir::Tensor::real(lipschitz),
                                 ir::Tensor::real(radius)};
}

}  // namespace

CertifiedCall certifyCall(const ir::Module& module, const ir::Function& function,
                          std::span<const ir::Tensor> arguments, const InspectOptions& options) {
  CertifiedCall result;
  bool busy = false;  // roots of the trace's own runs are not told again
  ir::InterpretOptions interpretation;
  interpretation.interrupt = options.interrupt;
  interpretation.inspect = [&](const ir::Function& callee, ir::Inspection what, std::vector<ir::Tensor> at) {
    return inspectCall(module, callee, what, at, options);
  };
  interpretation.solved = [&](const ir::SolvedRoot& root) {
    if (busy || certify::isPartOfRoot(root)) return;
    busy = true;
    result.certificates.push_back(certify::certify(certify::traceRoot(root), options.certification));
    busy = false;
  };
  std::optional<ir::Outcome> outcome = ir::interpret(module, function, arguments, interpretation);
  if (auto* status = std::get_if<ir::StatusInfo>(&*outcome)) result.status = *status;
  return result;
}

namespace {

// Ties, jumps at them, and switches near one, which have no weight.
ir::Tensor tieRows(const ir::RunNotes& notes, const SourceManager& sources) {
  ir::Tensor rows;
  int64_t count = 0;
  for (const ir::TieRow& tie : notes.ties) {
    if (tie.kind == ir::TieKind::Unproved || tie.kind == ir::TieKind::Equal) continue;
    LineColumn at = tie.span.valid() ? sources.file(tie.span.file).lineColumn(tie.span.begin) : LineColumn{};
    double weight = tie.kind == ir::TieKind::Near ? std::numeric_limits<double>::quiet_NaN() : tie.weight;
    rows.reals.insert(rows.reals.end(), {static_cast<double>(at.line), static_cast<double>(at.column),
                                         static_cast<double>(tie.element), tie.value, weight});
    ++count;
  }
  rows.type = ir::f64({count, 5});
  return rows;
}

ir::Outcome tiesOf(const ir::Module& module, const ir::Function& derivative,
                   std::span<const ir::Tensor> arguments, const InspectOptions& options) {
  check(options.sources != nullptr, "ties without the sources of their places");
  ir::RunNotes notes;
  ir::InterpretOptions interpretation;
  interpretation.interrupt = options.interrupt;
  interpretation.notes = &notes;
  interpretation.inspect = [&](const ir::Function& callee, ir::Inspection what, std::vector<ir::Tensor> at) {
    return inspectCall(module, callee, what, at, options);
  };
  std::optional<ir::Outcome> outcome = ir::interpret(module, derivative, arguments, interpretation);
  if (auto* status = std::get_if<ir::StatusInfo>(&*outcome)) return *status;
  return std::vector<ir::Tensor>{tieRows(notes, *options.sources)};
}

}  // namespace

ir::Outcome inspectCall(const ir::Module& module, const ir::Function& callee, ir::Inspection what,
                        std::span<const ir::Tensor> arguments, const InspectOptions& options) {
  if (what == ir::Inspection::Ties) return tiesOf(module, callee, arguments, options);
  CertifiedCall call = certifyCall(module, callee, arguments, options);
  if (call.status.status != ir::Status::Ok) return call.status;
  return told(call);
}

}  // namespace dini::session
