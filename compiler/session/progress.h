// What a long run says of itself while it goes on. Not here: how it is shown (driver/progress.h).
#pragma once

#include <cstdint>

#include "source/source.h"

namespace dini::session {

struct Progress {
  enum class Kind { Begins, Continues, Ends };  // a statement; a loop continues after each part
  Kind kind = Kind::Begins;
  Span statement;
  double seconds = 0;       // since it began in this run
  int64_t done = -1;        // iterations of a loop that are over, in earlier runs too; -1: no loop
  int64_t count = -1;       // how many there will be at most; -1: not known
  int64_t done_before = 0;  // in earlier runs
  double residual = -1;     // largest of the equations that the last part solved, relative; -1: none
};

}  // namespace dini::session
