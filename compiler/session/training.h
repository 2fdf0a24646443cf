// What a session keeps for long runs: the checkpoint that it started from, the one that it will write next,
// and when it wrote the last. See training.cpp.
#pragma once

#include <chrono>

#include "session/checkpoint.h"

namespace dini::session {

using Clock = std::chrono::steady_clock;
inline double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

struct Training {
  std::optional<Checkpoint> start;  // while its statements are passed over
  Checkpoint next;                  // all but the variables
  bool written = false;             // the file says what `next` says
  Clock::time_point last = Clock::now();
  double cost = 0;  // seconds of the last write
};

}  // namespace dini::session
