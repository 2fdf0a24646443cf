// What a run met that deserves a warning or a report, outside of solvers' iterations. Both engines
// fill it.
#pragma once

#include <string>
#include <vector>

#include "ir/ir.h"
#include "source/source.h"

namespace dini::ir {

// Of a row of the report of ties; the number is an operand of report_tie.
enum class TieKind : int64_t {
  None = 0,
  Decided = 1,    // a tie, and a weight that a policy or the probe gave
  Undecided = 2,  // a tie that the probe left open
  Near = 3,       // not a tie, but within rounding of one
  Jump = 4,       // at equality the sides of a comparison differ
  Unproved = 5,   // of a solve with ties: whether all their weights give regular Jacobians is open
  Equal = 6,      // a condition that is no switch compares reals that are equal
  Within = 7,     // no row: s is how far along the direction a tie may be from where it was decided
};

// As a weight: the probe's tangent decided a kink that is no single switch (norm, sort, cones).
inline constexpr double kByTangent = -1;

struct TieRow {
  Span span;
  std::string kink;   // "relu", "abs", "if", ...
  bool clarke = true; // a table row, weighted by the probe: no override, no policy
  TieKind kind = TieKind::Decided;
  int64_t element = 0;  // row-major position in the kink's array, after the members around it
  double value = 0;     // of the switch
  double weight = 0;    // of the side where the switch is positive
  bool operator==(const TieRow&) const = default;
};

struct RunNotes {
  bool tie = false;  // the fast variant met a tie of `locked`: its derivatives are void
  double rcond = 1;  // smallest reciprocal condition of a linear system that was solved
  Span system_span;
  std::vector<TieRow> ties;  // in the order met, each once
  size_t further_ties = 0;   // beyond kMaxTies
  double distance = 0;       // the largest of the rows Within
  double residual = -1;      // largest, relative, that a solve outside of solvers ended with and that was
                             // measured; -1: none
  static constexpr size_t kMaxTies = 10'000;
  void addTie(TieRow row);
  void add(const RunNotes& other);     // its ties and their distance
  void addRun(const RunNotes& other);  // all of a further run of the same code
};

// attrs.str of a pick of the fast variant.
inline constexpr const char* kNote = "note";
// The row that a report_tie adds. attrs.str: the kink's name; attrs.i != 0: its weight is not the
// probe's.
TieRow tieRow(const Op& op, int64_t kind, double value, double weight, int64_t element);

}  // namespace dini::ir
