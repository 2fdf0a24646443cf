// The progress of long runs on stderr: on a terminal one line that is drawn again and again, elsewhere a
// plain line every now and then, rarer as the run grows older.
#pragma once

#include <chrono>
#include <string>

#include "session/progress.h"

namespace dini::driver {

class ProgressDisplay {
 public:
  ProgressDisplay();
  void show(const SourceFile& file, const session::Progress& progress);
  // Takes the drawn line away: something else is about to be written.
  void clear();

 private:
  void draw(const std::string& line);

  bool terminal_;
  bool drawn_ = false;
  bool said_ = false;  // a plain line of the running loop
  std::chrono::steady_clock::time_point last_;  // what was shown last,
  double pause_ = 0;                            // and seconds until the next plain line
};

// As text, without the newline: place, iterations of how many, rate, time left, residual.
std::string progressLine(const SourceFile& file, const session::Progress& progress);

}  // namespace dini::driver
