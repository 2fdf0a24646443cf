// A controller at 1 kHz: at every tick the force that the model's quadratic program gives, and its
// derivative by the state and the bound, which an adaptive scheme would use. Prints how long the
// calls took and how late the ticks were; ends with status 1 if the cart does not come to rest.
#include <time.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <vector>

#include <embed_cpp.hpp>

namespace {

constexpr long kTick = 1'000'000;  // ns
constexpr int kTicks = 2000;

double microseconds(const timespec& from, const timespec& to) {
  return static_cast<double>(to.tv_sec - from.tv_sec) * 1e6 +
         static_cast<double>(to.tv_nsec - from.tv_nsec) * 1e-3;
}

void histogram(const char* title, std::vector<double> values) {
  std::sort(values.begin(), values.end());
  std::printf("%s: median %.0f us, 99%% %.0f us, largest %.0f us\n", title,
              values[values.size() / 2], values[values.size() * 99 / 100], values.back());
  const double edges[] = {10, 20, 50, 100, 200, 500, 1000, 1e9};
  double low = 0;
  for (const double high : edges) {
    const auto inside = [&](double v) { return v >= low && v < high; };
    const auto count = std::count_if(values.begin(), values.end(), inside);
    if (count > 0)
      std::printf("  %5.0f us and more: %5ld %s\n", low, static_cast<long>(count),
                  std::string(static_cast<size_t>(1 + 50 * count / kTicks), '#').c_str());
    low = high;
  }
}

}  // namespace

int main() {
  dini::workspace work;
  std::array<double, 2> state{1.0, 0.0};
  const double limit = 20, horizon_step = 0.02, q = 10, r = 0.1, s = 1e-4;
  std::vector<double> took, late;
  double largest_force = 0;
  timespec next;
  clock_gettime(CLOCK_MONOTONIC, &next);
  for (int tick = 0; tick < kTicks; ++tick) {
    next.tv_nsec += kTick;
    if (next.tv_nsec >= 1'000'000'000) {
      next.tv_nsec -= 1'000'000'000;
      ++next.tv_sec;
    }
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, nullptr);
    timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    double force = 0, slope_limit = 0, slope_step = 0, slope_q = 0, slope_r = 0, slope_s = 0;
    std::array<double, 2> slope_state{};
    const dini::status ended = embed_cpp::force_value_and_grad(
        work, state, limit, horizon_step, q, r, s, force, slope_state, slope_limit, slope_step,
        slope_q, slope_r, slope_s);
    clock_gettime(CLOCK_MONOTONIC, &end);
    if (!ended) {
      std::fprintf(stderr, "tick %d: %s\n", tick, ended.message().c_str());
      return 1;
    }
    took.push_back(microseconds(begin, end));
    late.push_back(microseconds(next, begin));
    largest_force = std::max(largest_force, std::fabs(force));
    // The cart itself, a millisecond on; at a bound the force does not answer to the state.
    if (std::fabs(force) >= limit * (1 - 1e-12) && slope_state[0] != 0) return 1;
    const double dt = 1e-3;
    state[0] += dt * state[1] + 0.5 * dt * dt * force;
    state[1] += dt * force;
  }
  std::printf("%d ticks; position %.2e, velocity %.2e, largest force %.3g of %.3g\n", kTicks,
              state[0], state[1], largest_force, limit);
  histogram("value and derivatives", took);
  histogram("ticks late by", late);
  const bool at_rest = std::fabs(state[0]) < 1e-2 && std::fabs(state[1]) < 1e-1;
  return at_rest && largest_force == limit ? 0 : 1;
}
