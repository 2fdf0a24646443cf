#include "session/status_report.h"

#include <array>
#include <cmath>

#include <fmt/format.h>

#include "base/check.h"

namespace dini::session {
namespace {

struct Row {
  ir::Status status;
  DiagCode code;
  const char* message;  // where the status brings no text of its own
  const char* help;
};

// One row per status, in the order of their numbers from 1.
constexpr std::array kRows = {
    Row{ir::Status::NotConverged, DiagCode::NotConverged, "this solve did not converge",
        "try another start, a looser `tol`, or check that the equations have a solution"},
    Row{ir::Status::NonFinite, DiagCode::NonFinite, "a value in this solve is not finite",
        "start closer to the solution, or keep the unknowns where every function is defined"},
    Row{ir::Status::Singular, DiagCode::SingularSystem, "this linear system is singular",
        "remove dependent equations; `lstsq(A, b)` gives a minimum-norm answer"},
    Row{ir::Status::StartOutOfDomain, DiagCode::StartOutOfDomain,
        "the equations have no finite value at the start", "give a start: `solve z: real = 1.0 { ... }`"},
    Row{ir::Status::MultipleRoot, DiagCode::MultipleRoot,
        "this solve ended at a multiple root, where the solution has no derivative",
        "the value is right; rewrite the equation so that its root is simple to differentiate it"},
    Row{ir::Status::Assertion, DiagCode::AssertionFailed, "this assertion does not hold", ""},
    Row{ir::Status::Bounds, DiagCode::IndexOutOfBounds, "an index is outside its array",
        "indices go from 0 to the length minus 1"},
    Row{ir::Status::Bound, DiagCode::BoundExceeded, "more iterations or calls than the bound allows",
        ""},
    Row{ir::Status::Shape, DiagCode::RuntimeShape, "sizes that must be equal differ", ""},
    Row{ir::Status::Interrupted, DiagCode::Interrupted, "interrupted", ""},
    Row{ir::Status::Memory, DiagCode::OutOfMemory, "not enough memory", ""},
    Row{ir::Status::Domain, DiagCode::DomainError, "an operation is not defined at its argument", ""},
    Row{ir::Status::Irregular, DiagCode::IrregularTie,
        "the equations do not define a derivative here: their Jacobian is singular for some weights of "
        "the kinks tied at the solution",
        "the value is right; `dini certify` gives the weights and the kernel"},
};

bool isSolve(ir::Status status) {
  return status == ir::Status::NotConverged || status == ir::Status::NonFinite ||
         status == ir::Status::Singular || status == ir::Status::StartOutOfDomain ||
         status == ir::Status::MultipleRoot;
}

const Row& rowOf(const ir::StatusInfo& status) {
  size_t number = static_cast<size_t>(status.status);
  check(number >= 1 && number <= kRows.size(), "a status without a row");
  const Row& row = kRows[number - 1];
  check(row.status == status.status, "the rows of the statuses are out of order");
  return row;
}

std::string numbers(const ir::StatusInfo& status) {
  std::string text;
  auto append = [&](std::string part) {
    if (!text.empty()) text += ", ";
    text += part;
  };
  // A singular system or a multiple root that a derivative met: there was no iteration.
  bool linear = (status.status == ir::Status::Singular || status.status == ir::Status::NotConverged ||
                 status.status == ir::Status::NonFinite || status.status == ir::Status::MultipleRoot) &&
                status.residual == 0 && status.iterations == 0;
  if (!linear && std::isnan(status.residual))
    append("residual not evaluated");
  else if (!linear)
    append(fmt::format("residual {:.3g}", status.residual));
  if (!linear && status.tolerance > 0)
    append(fmt::format("allowed {:.3g}", status.tolerance * (1 + status.scale)));
  if (!linear)
    append(fmt::format("{} iteration{}", status.iterations, status.iterations == 1 ? "" : "s"));
  if (status.rcond == 0)
    append("condition estimate infinite");
  else if (status.rcond > 0)
    append(fmt::format("condition estimate {:.2g}", 1 / status.rcond));
  return text;
}

// The weight at which the equations have a singular Jacobian.
std::string tieWeight(const ir::StatusInfo& status) {
  if (!(status.residual > 0)) return "with weight 0 of every tied kink";
  return fmt::format("with weight {:.6g} of this kink, 0 or 1 of the others", status.residual);
}

}  // namespace

std::string statusMessage(const ir::StatusInfo& status) {
  const Row& row = rowOf(status);
  std::string message = row.message;
  if (status.text.empty()) return message;
  // A solver's own words explain its status; a check's text is the message.
  if (isSolve(row.status)) return message + ": " + status.text;
  return row.status == ir::Status::Assertion ? fmt::format("{}: {}", message, status.text) : status.text;
}

void reportStatus(const ir::StatusInfo& status, Span fallback, DiagnosticSink& sink) {
  const Row& row = rowOf(status);
  bool solve = isSolve(row.status), irregular = row.status == ir::Status::Irregular;
  std::string message = statusMessage(status);
  Span span = status.span.valid() ? status.span : fallback;
  Diagnostic& made = sink.add(row.code, span, message, solve ? numbers(status)
                                                    : irregular ? tieWeight(status) : "");
  if (solve && !span.valid()) made.notes.push_back(numbers(status));
  if (status.batch_index >= 0)
    made.notes.push_back(fmt::format("in member {} of the batch", status.batch_index));
  const bool proved = status.text.starts_with("the problem is");  // no start would help
  made.help = proved ? "" : row.help;
}

}  // namespace dini::session
