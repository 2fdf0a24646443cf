// Times of several functions in one run. They take turns in short slices, so that what the machine
// does meanwhile disturbs all of them alike, and time is that of the calling thread on its core:
// everything here is single-threaded.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace dini::bench {

// Keeps the process on one core; false where the system refuses.
bool pinToCore(int core);

struct Figure {
  double median = 0;            // seconds a call
  double lower = 0, upper = 0;  // quartiles
  size_t samples = 0;
};

// Each function is called again and again for `seconds`, after a warm-up.
std::vector<Figure> measure(std::span<const std::function<void()>> functions, double seconds);

}  // namespace dini::bench
