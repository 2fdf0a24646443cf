// Timing of the hand-written versions: repeats a run for at least a second and prints the median
// with its spread, in microseconds.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

namespace bench {

inline double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Keeps a computed value alive.
template <class T>
void keep(const T& value) {
  asm volatile("" : : "r"(&value) : "memory");
}

template <class Run>
double measure(const char* name, double checksum, const Run& run) {
  std::vector<double> times;
  for (const double start = seconds(); seconds() - start < 1.0 || times.size() < 5;) {
    const double before = seconds();
    run();
    times.push_back(seconds() - before);
  }
  std::sort(times.begin(), times.end());
  const double median = times[times.size() / 2];
  std::printf("%-28s median %10.1f us   (%.1f to %.1f)   check %.12g\n", name, median * 1e6,
              times.front() * 1e6, times[times.size() * 9 / 10] * 1e6, checksum);
  return median;
}

}  // namespace bench
