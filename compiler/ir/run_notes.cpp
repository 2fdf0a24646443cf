#include "ir/run_notes.h"

#include <algorithm>

namespace dini::ir {

// One kink may be evaluated several times, by code that was duplicated or recomputes.
void RunNotes::addTie(TieRow row) {
  if (row.kind == TieKind::Within) {
    distance = std::max(distance, row.value);
    return;
  }
  constexpr size_t kLook = 64;
  auto recent = ties.end() - static_cast<ptrdiff_t>(std::min(kLook, ties.size()));
  if (std::find(recent, ties.end(), row) != ties.end()) return;
  if (ties.size() < kMaxTies)
    ties.push_back(std::move(row));
  else
    ++further_ties;
}

void RunNotes::add(const RunNotes& other) {
  for (const TieRow& row : other.ties) addTie(row);
  further_ties += other.further_ties;
  distance = std::max(distance, other.distance);
}

void RunNotes::addRun(const RunNotes& other) {
  add(other);
  tie |= other.tie;
  residual = std::max(residual, other.residual);
  if (!(other.rcond < rcond)) return;
  rcond = other.rcond;
  system_span = other.system_span;
}

TieRow tieRow(const Op& op, int64_t kind, double value, double weight, int64_t element) {
  return {op.span, op.attrs.str, op.attrs.i == 0, static_cast<TieKind>(kind), element, value, weight};
}

}  // namespace dini::ir
