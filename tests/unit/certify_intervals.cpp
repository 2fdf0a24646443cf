// Interval values and slopes of every elementwise row of reals against point evaluation: what the rows
// give at points of a random box lies in the enclosures over the box. Boxes are points, narrow, wide,
// across kinks and zeros, and unbounded.
#include <doctest/doctest.h>

#include <random>

#include "certify/interval_algebra.h"
#include "ops/signature.h"
#include "ops/table.h"

using namespace dini;
using namespace dini::certify;
using ir::OpCode;

namespace {

std::vector<ops::Parameters> parametersOf(OpCode code) {
  if (code == OpCode::PowI) return {{0, 0}, {1, 0}, {2, 0}, {3, 0}, {6, 0}, {-1, 0}, {-2, 0}};
  if (code == OpCode::Polygamma) return {{0, 0}, {1, 0}};
  return {{}};
}

bool ofReals(OpCode code) {
  if (code == OpCode::Choose || code == OpCode::Pick) return false;  // certify/lifted.h
  for (char c : ops::signature(code))
    if (c != 'r' && c != ':') return false;
  return true;
}

struct Boxes {
  std::mt19937_64 random{20240611};
  double uniform(double lo, double hi) { return std::uniform_real_distribution<>(lo, hi)(random); }

  // Inside the row's sampling range, sometimes beyond it.
  Interval box(ops::Interval range, int trial) {
    double a = uniform(range.lo, range.hi), b = uniform(range.lo, range.hi);
    constexpr double inf = std::numeric_limits<double>::infinity();
    switch (trial % 8) {
      case 0: return a;
      case 1: return {a, a + std::abs(a) * 1e-9};
      case 2: return {a, std::nextafter(a, inf)};
      case 3: return {-std::abs(a), std::abs(b)};
      case 4: return {0, std::abs(b)};
      case 5: return {a, inf};
      case 6: return {-inf, b};
      default: return {std::min(a, b), std::max(a, b)};
    }
  }

  double inside(Interval x, int trial) {
    if (trial % 5 == 0 && std::isfinite(x.lo)) return x.lo;
    if (trial % 5 == 1 && std::isfinite(x.hi)) return x.hi;
    double lo = std::max(x.lo, -50.0), hi = std::min(x.hi, 50.0);
    return lo < hi ? uniform(lo, hi) : x.middle();
  }
};

}  // namespace

TEST_CASE("intervals: values and slopes of every row contain those at points") {
  Boxes boxes;
  int rows = 0, bounded = 0;
  for (OpCode code : ops::elementwiseOps()) {
    if (!ofReals(code)) continue;
    ++rows;
    const ops::Facts& facts = ops::facts(code);
    ops::Box box_of = facts.sampling;
    size_t arity = static_cast<size_t>(ops::arity(code));
    for (const ops::Parameters& parameters : parametersOf(code))
      for (int trial = 0; trial < 400; ++trial) {
        std::vector<Interval> box;
        for (size_t k = 0; k < arity; ++k)
          box.push_back(boxes.box(box_of.operands[k], trial / (k + 1)));
        Interval value = intervalValue(code, box, parameters);
        std::vector<double> point;
        for (size_t k = 0; k < arity; ++k) point.push_back(boxes.inside(box[k], trial / 3));
        double y = ops::evaluate(code, point, parameters);
        INFO(ir::shape(code).name << " at " << point[0] << " in [" << box[0].lo << ", " << box[0].hi << "]: " << y
                                  << " in [" << value.lo << ", " << value.hi << "]");
        bounded += value.finite();
        if (std::isfinite(y)) CHECK(value.contains(y));
        for (size_t k = 0; k < arity; ++k) {
          if ((facts.partials >> k & 1u) == 0) continue;
          double slope = ops::partial(code, k, point, parameters);
          Interval slopes = intervalPartial(code, k, box, value, parameters);
          double slack = 1e-13 * std::abs(slope);  // the point's own rounding
          INFO("slope " << k << ": " << slope << " in [" << slopes.lo << ", " << slopes.hi << "]");
          if (std::isfinite(slope) && std::isfinite(y)) CHECK((slopes.lo - slack <= slope && slope <= slopes.hi + slack));
        }
      }
  }
  CHECK(rows > 35);
  CHECK(bounded > 5000);
}

TEST_CASE("intervals: slopes over all reals are those of the textbooks") {
  auto slopes = [](OpCode code) { return slopeOverReals(code).value(); };
  CHECK(slopes(OpCode::Tanh).lo == 0);
  CHECK(slopes(OpCode::Tanh).hi == doctest::Approx(1).epsilon(1e-14));
  CHECK(slopes(OpCode::Tanh).hi >= 1);
  CHECK(slopes(OpCode::Sigmoid).hi == doctest::Approx(0.25).epsilon(1e-13));
  CHECK(slopes(OpCode::Softplus).lo >= -1e-300);
  CHECK(slopes(OpCode::Softplus).hi == doctest::Approx(1).epsilon(1e-14));
  CHECK(slopes(OpCode::Erf).hi == doctest::Approx(2 / std::sqrt(std::acos(-1.0))).epsilon(1e-13));
  CHECK(slopes(OpCode::Sin).lo == -1);
  CHECK_FALSE(slopeOverReals(OpCode::Exp).has_value());
  CHECK_FALSE(slopeOverReals(OpCode::Log).has_value());
}
