// What is known at a solved point: the residual, one Newton correction, and the tie set (section 2 of
// the design: a switch is tied within its slope times the correction and 64 eps of its terms, or, with a
// tolerance, within that).
#pragma once

#include "certify/lifted.h"

namespace dini::certify {

struct TiedSwitch {
  Span span;
  double value = 0;
  double weight = 0;  // of a witness: slope of relu(switch)
  int class_id = -1;
  std::string kink;             // of a block: what it is; its value is the distance from the kink
  int block = -1;               // of rank above one: its number
  std::vector<double> element;  // of a witness: Theta, row by row
};

// How switches that no unknown moves are judged: like the others, or, in explicit code, by s == 0.
enum class ExplicitTies { Rounded, Exact };

struct Solution {
  std::string obstacle;    // empty, or why nothing can be said
  Matrix residual;         // F at the solution
  double correction = 0;   // the largest entry of a Newton step there
  std::vector<int> sides;  // of the classes (Lifted::classCount), 0 tied
  std::vector<TiedSwitch> tied;  // the classes among them, in order, then blocks of rank above one
  bool blocks_tied = true;       // all blocks of rank above one are
};

// Leaves `lifted` evaluated at the point. tie_tolerance < 0: none.
Solution atSolution(const System& system, const Switches& switches, Lifted& lifted, double tie_tolerance,
                    ExplicitTies explicit_ties = ExplicitTies::Rounded);

}  // namespace dini::certify
