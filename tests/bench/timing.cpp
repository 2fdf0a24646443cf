#include "timing.h"

#include <sched.h>
#include <time.h>

#include <algorithm>

namespace dini::bench {
namespace {

constexpr double kSlice = 0.05;     // of a function's turn
constexpr double kSample = 0.0005;  // calls are grouped to last at least so long

double now() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

struct Subject {
  const std::function<void()>* function = nullptr;
  int calls = 1;  // of a sample
  double spent = 0;
  std::vector<double> samples;

  double sample() {
    const double start = now();
    for (int k = 0; k < calls; ++k) (*function)();
    return (now() - start) / calls;
  }
  void warmUp() {
    (*function)();
    for (double once = sample(); once * calls < kSample; once = sample())
      calls = static_cast<int>(std::min(kSample / std::max(once, 1e-8), 1e5)) + 1;
  }
  void turn() {
    sample();  // the caches are another's
    for (double slice = 0; slice < kSlice;) {
      samples.push_back(sample());
      slice += samples.back() * calls;
      spent += samples.back() * calls;
    }
  }
  Figure figure() {
    std::sort(samples.begin(), samples.end());
    const size_t n = samples.size();
    return {samples[n / 2], samples[n / 4], samples[3 * n / 4], n};
  }
};

}  // namespace

bool pinToCore(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<size_t>(core), &set);
  return sched_setaffinity(0, sizeof set, &set) == 0;
}

std::vector<Figure> measure(std::span<const std::function<void()>> functions, double seconds) {
  std::vector<Subject> subjects(functions.size());
  for (size_t i = 0; i < functions.size(); ++i) {
    subjects[i].function = &functions[i];
    subjects[i].warmUp();
  }
  for (bool more = true; more;) {
    more = false;
    for (Subject& subject : subjects) {
      if (subject.spent >= seconds) continue;
      subject.turn();
      more = true;
    }
  }
  std::vector<Figure> figures;
  for (Subject& subject : subjects) figures.push_back(subject.figure());
  return figures;
}

}  // namespace dini::bench
