#include "session/tie_report.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace dini::session {
namespace {

std::string placeOf(const SourceManager& sources, Span span) {
  if (!span.valid()) return "";
  const SourceFile& file = sources.file(span.file);
  LineColumn at = file.lineColumn(span.begin);
  return fmt::format("{}:{}:{}: ", file.path(), at.line, at.column);
}

std::string line(const SourceManager& sources, const ir::TieRow& tie) {
  std::string text = placeOf(sources, tie.span) + fmt::format("{}, element {}: ", tie.kink, tie.element);
  switch (tie.kind) {
    case ir::TieKind::Near:
      return text + fmt::format("no tie, but close to one: switch {:.3g}", tie.value);
    case ir::TieKind::Jump:
      return text + "the sides differ: that of the side taken";
    case ir::TieKind::Equal:
      return text + "no switch, and what it compares is equal: that of the side taken";
    case ir::TieKind::Unproved:
      return text + "whether all weights of its ties give invertible Jacobians is not decided";
    case ir::TieKind::Undecided:
      return text + fmt::format("switch {:.3g}, undecided, weight {:.17g}", tie.value, tie.weight);
    default:
      if (tie.weight == ir::kByTangent) return text + "decided by the probe's tangent";
      return text + fmt::format("switch {:.3g}, weight {:.17g}", tie.value, tie.weight);
  }
}

// Why no Clarke element is claimed; empty: it is one. Section 3 of docs/nonsmooth.md.
std::string doubt(const ir::RunNotes& notes, bool unproved) {
  auto any = [&](auto holds) { return std::any_of(notes.ties.begin(), notes.ties.end(), holds); };
  auto isTie = [](const ir::TieRow& tie) {
    return tie.kind != ir::TieKind::Near && tie.kind != ir::TieKind::Unproved &&
           tie.kind != ir::TieKind::Equal;
  };
  if (any([](auto& tie) { return tie.kind == ir::TieKind::Jump; })) return "a jump was differentiated";
  if (any([](auto& tie) { return tie.kind == ir::TieKind::Equal; }))
    return "a condition that is no switch was met where what it compares is equal";
  if (any([](auto& tie) { return tie.kind == ir::TieKind::Undecided; })) return "a tie is undecided";
  if (any([](auto& tie) { return tie.kind == ir::TieKind::Unproved; }))
    return "a solve with ties was not proved regular";
  if (any([&](auto& tie) { return isTie(tie) && !tie.clarke && tie.kink == "if"; }))
    return "an `if` was met at its tie, which states no gap";
  if (any([&](auto& tie) { return isTie(tie) && !tie.clarke; }))
    return "a policy other than `locked` weighted a tie";
  if (notes.further_ties > 0) return "not every tie was kept";
  return unproved ? "a solve has no certificate here (`dini certify`)" : "";
}

}  // namespace

std::string tieReport(const SourceManager& sources, const ir::RunNotes& notes, bool unproved) {
  auto isTie = [](const ir::TieRow& tie) {
    return tie.kind != ir::TieKind::Near && tie.kind != ir::TieKind::Unproved &&
           tie.kind != ir::TieKind::Equal;
  };
  auto count = static_cast<size_t>(std::count_if(notes.ties.begin(), notes.ties.end(), isTie));
  std::string text;
  for (const ir::TieRow& tie : notes.ties) text += line(sources, tie) + "\n";
  if (notes.further_ties > 0) text += fmt::format("and {} more\n", notes.further_ties);
  if (count == 0) return text + "no ties";
  std::string reason = doubt(notes, unproved);
  text += fmt::format("{} tie{}: ", count + notes.further_ties, count == 1 ? "" : "s");
  if (!reason.empty()) return text + "conservative, because " + reason;
  text += "the derivatives are Clarke elements";
  if (notes.distance == 0) return text;
  if (std::isinf(notes.distance))
    return text + " of points nearby (Goldstein elements), at a distance that is not known: a second direction "
                  "decided a tie";
  return text + fmt::format(" of points within {:.2g} of this one (Goldstein elements)", notes.distance);
}

}  // namespace dini::session
