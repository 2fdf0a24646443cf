// A controller at 1 kHz: at every tick the force that the model's quadratic program gives, and its
// derivative by the state, the bounds and the weights, which an adaptive scheme would use. Prints how
// long the calls took and how late the ticks were; ends with status 1 if the cart does not come to
// rest, a bound is broken, or a derivative is not what the active bounds say.
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

// What the force and its derivative must be where a bound decides them.
struct Phases {
  long at_force = 0, at_speed = 0, free = 0;
  bool right = true;
  double largest_force = 0, largest_speed = 0;

  void add(double force, double speed, double by_velocity, double by_limit, double by_top,
           double limit, double top, double step) {
    largest_force = std::max(largest_force, std::fabs(force));
    largest_speed = std::max(largest_speed, std::fabs(speed));
    const auto is = [](double value, double wanted) {
      return std::fabs(value - wanted) <= 1e-6 * (1 + std::fabs(wanted));
    };
    if (is(force, -limit)) {
      ++at_force;
      right = right && is(by_velocity, 0) && is(by_limit, -1) && is(by_top, 0);
    } else if (is(by_top, -1 / step)) {
      ++at_speed;
      right = right && is(speed + step * force, -top) && is(by_velocity, -1 / step) && is(by_limit, 0);
    } else if (is(by_limit, 0) && is(by_top, 0)) {
      ++free;
      right = right && by_velocity < 0;
    }
  }
};

}  // namespace

int main() {
  dini::workspace work;
  std::array<double, 2> state{1.0, 0.0};
  const double limit = 20, top = 0.95, horizon_step = 0.02, q = 10, r = 0.1, s = 1e-4;
  std::vector<double> took, late;
  Phases phases;
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
    double force = 0, by_limit = 0, by_top = 0, by_step = 0, by_q = 0, by_r = 0, by_s = 0;
    std::array<double, 2> by_state{};
    const dini::status ended = embed_cpp::force_value_and_grad(
        work, state, limit, top, horizon_step, q, r, s, force, by_state, by_limit, by_top, by_step,
        by_q, by_r, by_s);
    clock_gettime(CLOCK_MONOTONIC, &end);
    if (!ended) {
      std::fprintf(stderr, "tick %d: %s\n", tick, ended.message().c_str());
      return 1;
    }
    took.push_back(microseconds(begin, end));
    late.push_back(microseconds(next, begin));
    phases.add(force, state[1], by_state[1], by_limit, by_top, limit, top, horizon_step);
    // The cart itself, a millisecond on.
    const double dt = 1e-3;
    state[0] += dt * state[1] + 0.5 * dt * dt * force;
    state[1] += dt * force;
  }
  std::printf("%d ticks; position %.2e, velocity %.2e\n", kTicks, state[0], state[1]);
  std::printf("largest force %.6g of %g, largest speed %.6g of %g\n", phases.largest_force, limit,
              phases.largest_speed, top);
  std::printf("ticks at the force's bound %ld, at the speed limit %ld, at neither %ld\n",
              phases.at_force, phases.at_speed, phases.free);
  histogram("value and derivatives", took);
  histogram("ticks late by", late);
  const bool at_rest = std::fabs(state[0]) < 1e-3 && std::fabs(state[1]) < 1e-2;
  const bool within =
      phases.largest_force < limit * (1 + 1e-9) && phases.largest_speed < top * (1 + 1e-9);
  const bool all_met = phases.at_force > 10 && phases.at_speed > 100 && phases.free > 100;
  return at_rest && within && all_met && phases.right ? 0 : 1;
}
