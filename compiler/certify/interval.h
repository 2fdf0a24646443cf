// Intervals with outward rounding: every operation's result contains the exact results for all
// values of its operands. Rounding is to nearest and then one unit in the last place outwards, so
// no rounding mode is changed (compilers move code across such changes). An empty set does not
// exist here; NaN in an end means that nothing is known, and every test on it is false.
// Not here: interval values of the language's functions (interval_algebra.h).
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace dini::certify {

// The next number up, as std::nextafter: neighbours have neighbouring bit patterns.
inline double roundUp(double x) {
  if (!(x < std::numeric_limits<double>::infinity())) return x;
  if (x == 0) return std::numeric_limits<double>::denorm_min();
  auto bits = std::bit_cast<int64_t>(x);
  return std::bit_cast<double>(x > 0 ? bits + 1 : bits - 1);
}
inline double roundDown(double x) { return -roundUp(-x); }

struct Interval {
  double lo = 0, hi = 0;

  Interval() = default;
  Interval(double point) : lo(point), hi(point) {}  // NOLINT: reals stand for themselves
  Interval(double low, double high) : lo(low), hi(high) {}
  static Interval everything() {
    return {-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
  }

  bool contains(double x) const { return lo <= x && x <= hi; }
  bool positive() const { return lo > 0; }
  bool nonpositive() const { return hi <= 0; }
  bool isPoint() const { return lo == hi; }
  double magnitude() const { return std::max(std::abs(lo), std::abs(hi)); }
  // The least absolute value of a member.
  double mignitude() const { return contains(0) ? 0 : std::min(std::abs(lo), std::abs(hi)); }
  double middle() const { return lo == hi ? lo : lo + (hi - lo) / 2; }
  double radius() const { return roundUp(std::max(middle() - lo, hi - middle())); }
  bool finite() const { return std::isfinite(lo) && std::isfinite(hi); }
};

// Sums and products of reals that are exact need no widening: x + 0, x * 1, x * 0.
inline Interval operator+(Interval a, Interval b) {
  if (a.lo == 0 && a.hi == 0) return b;
  if (b.lo == 0 && b.hi == 0) return a;
  return {roundDown(a.lo + b.lo), roundUp(a.hi + b.hi)};
}
inline Interval operator-(Interval a) { return {-a.hi, -a.lo}; }
inline Interval operator-(Interval a, Interval b) { return a + -b; }

inline Interval operator*(Interval a, Interval b) {
  auto is = [](Interval x, double value) { return x.lo == value && x.hi == value; };
  if ((is(a, 0) && b.finite()) || (is(b, 0) && a.finite())) return 0.0;
  if (is(a, 1)) return b;
  if (is(b, 1)) return a;
  double p[] = {a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi};
  // 0 * infinity bounds a product of finite numbers: it is 0.
  for (double& x : p)
    if (std::isnan(x) && !std::isnan(a.lo + a.hi) && !std::isnan(b.lo + b.hi)) x = 0;
  return {roundDown(*std::min_element(p, p + 4)), roundUp(*std::max_element(p, p + 4))};
}

inline Interval reciprocal(Interval a) {
  if (a.contains(0) || std::isnan(a.lo) || std::isnan(a.hi)) return Interval::everything();
  return {roundDown(1 / a.hi), roundUp(1 / a.lo)};
}
inline Interval operator/(Interval a, Interval b) {
  if (b.contains(0) || !a.finite() || !b.finite()) return Interval::everything();
  if (b.lo == 1 && b.hi == 1) return a;
  double q[] = {a.lo / b.lo, a.lo / b.hi, a.hi / b.lo, a.hi / b.hi};
  return {roundDown(*std::min_element(q, q + 4)), roundUp(*std::max_element(q, q + 4))};
}

inline Interval hull(Interval a, Interval b) { return {std::min(a.lo, b.lo), std::max(a.hi, b.hi)}; }
inline bool disjoint(Interval a, Interval b) { return a.hi < b.lo || b.hi < a.lo; }

}  // namespace dini::certify
