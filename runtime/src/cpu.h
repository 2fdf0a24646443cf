// The level of runtime/include/dini/cpu.h, found once, for code that asks at each call: a load and
// well-predicted branches.
#pragma once

#include <atomic>

#include "dini/cpu.h"

namespace dini::cpu {

extern std::atomic<int> known_level;  // 0: not yet
int findLevel();

inline int level() {
  const int known = known_level.load(std::memory_order_relaxed);
  return known != 0 ? known : findLevel();
}

}  // namespace dini::cpu
