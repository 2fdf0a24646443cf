#include "hand/roots.h"

#include <algorithm>
#include <cmath>

#include "hand/lanes.h"

namespace dini::bench {
namespace {

constexpr double kTolerance = 1e-10;
constexpr int kSteps = 60;

struct Scalar {
  double value, slope;
};

Scalar f(double z) {
  const double t = std::tanh(z);
  const double value = t + std::max(-z, 0.0) + z - std::max(z, 0.0);
  return {value, 1 - t * t - (z < 0 ? 1.0 : 0.0) + 1 - (z > 0 ? 1.0 : 0.0)};
}

bool solve(double x, double& z) {
  z = 0;
  for (int step = 0; step < kSteps; ++step) {
    const auto [value, slope] = f(z);
    const double residual = value - x;
    z -= residual / slope;
    if (std::abs(residual) <= kTolerance * (1 + std::max(std::abs(value), std::abs(x))))
      return true;
  }
  return false;
}

struct Vector {
  Lanes value, slope;
};

Vector f(Lanes z) {
  const Lanes zero = splat(0), one = splat(1);
  const Lanes t = tanhLanes(z);
  const Lanes value = t + maxLanes(-z, zero) + z - maxLanes(z, zero);
  return {value, one - t * t - (z < zero ? one : zero) + one - (z > zero ? one : zero)};
}

// One Newton step; whether the test held before it.
bool step(Lanes x, Lanes& z) {
  const auto [value, slope] = f(z);
  const Lanes residual = value - x;
  z -= residual / slope;
  return all(absLanes(residual) <=
             kTolerance * (splat(1) + maxLanes(absLanes(value), absLanes(x))));
}

template <int kVectors>
bool solveGroup(const double* x, double* z) {
  Lanes xs[kVectors], zs[kVectors];
  for (int v = 0; v < kVectors; ++v) {
    xs[v] = load(x + v * kLanes);
    zs[v] = splat(0);
  }
  bool done = false;
  for (int count = 0; count < kSteps && !done; ++count) {
    done = true;
    for (int v = 0; v < kVectors; ++v) done = step(xs[v], zs[v]) & done;
  }
  for (int v = 0; v < kVectors; ++v) store(z + v * kLanes, zs[v]);
  return done;
}

void slopes(const double* x_dot, const double* z, double* z_dot) {
  store(z_dot, load(x_dot) / f(load(z)).slope);
}

constexpr int kVectors = 4;
constexpr size_t kGroup = kVectors * kLanes;

}  // namespace

bool rootsScalar(std::span<const double> x, std::span<double> z) {
  bool good = true;
  for (size_t i = 0; i < x.size(); ++i) good = solve(x[i], z[i]) & good;
  return good;
}

bool rootsScalar(std::span<const double> x, std::span<const double> x_dot, std::span<double> z,
                 std::span<double> z_dot) {
  bool good = true;
  for (size_t i = 0; i < x.size(); ++i) {
    good = solve(x[i], z[i]) & good;
    z_dot[i] = x_dot[i] / f(z[i]).slope;
  }
  return good;
}

bool rootsLanes(std::span<const double> x, std::span<double> z) {
  bool good = true;
  size_t i = 0;
  for (; i + kGroup <= x.size(); i += kGroup)
    good = solveGroup<kVectors>(x.data() + i, z.data() + i) & good;
  return rootsScalar(x.subspan(i), z.subspan(i)) & good;
}

bool rootsLanes(std::span<const double> x, std::span<const double> x_dot, std::span<double> z,
                std::span<double> z_dot) {
  bool good = true;
  size_t i = 0;
  for (; i + kGroup <= x.size(); i += kGroup) {
    good = solveGroup<kVectors>(x.data() + i, z.data() + i) & good;
    for (size_t v = 0; v < kGroup; v += kLanes)
      slopes(x_dot.data() + i + v, z.data() + i + v, z_dot.data() + i + v);
  }
  return rootsScalar(x.subspan(i), x_dot.subspan(i), z.subspan(i), z_dot.subspan(i)) & good;
}

}  // namespace dini::bench
