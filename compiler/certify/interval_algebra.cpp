#include "certify/interval_algebra.h"

#include <numbers>

#include "base/check.h"
#include "ops/rows/all.h"
#include "ops/table.h"

namespace dini::certify {
namespace {

using ir::OpCode;

// libmvec's functions and the sums and quotients of them in the rows stay below 16 ulp (the worst
// single one is 4); results near the subnormal range may be flushed.
Interval widened(double low, double high) {
  constexpr double kRelative = 16 * std::numeric_limits<double>::epsilon();
  constexpr double kAbsolute = std::numeric_limits<double>::min();
  if (std::isnan(low) || std::isnan(high)) return Interval::everything();
  auto error = [](double x) { return std::isfinite(x) ? std::abs(x) * kRelative + kAbsolute : 0; };
  return {roundDown(low - error(low)), roundUp(high + error(high))};
}

// Outside of its domain nothing is known of an operation. At infinite ends the kernels give the limits.
bool insideDomain(const ops::Facts& facts, Interval x) {
  const ops::Interval domain = facts.domain.value.operands[0];
  return domain.lo <= x.lo && x.hi <= domain.hi;
}

Interval monotone(OpCode code, const ops::Facts& facts, Interval x) {
  if (!insideDomain(facts, x)) return Interval::everything();
  bool odd = (facts.algebraic & ops::kOdd) != 0;
  auto at = [&](double end) {
    if (odd && end == 0) return Interval(0.0);
    double value = ops::evaluate(code, {&end, 1});
    return widened(value, value);
  };
  Interval low = at(x.lo), high = at(x.hi);
  return (facts.algebraic & ops::kIncreasing) != 0 ? Interval(low.lo, high.hi)
                                                   : Interval(high.lo, low.hi);
}

// Jumps are exact in floating point; where an interval holds or touches one nothing is claimed.
Interval step(OpCode code, Interval x) {
  double below = roundDown(x.lo), above = roundUp(x.hi);
  double low = ops::evaluate(code, {&below, 1}), high = ops::evaluate(code, {&above, 1});
  if (low != high || !x.finite()) return Interval::everything();
  return low;
}

Interval power(Interval x, int64_t n) {
  if (n < 0) return reciprocal(power(x, -n));
  if (n == 0) return 1.0;
  if (n % 2 == 0 && x.contains(0)) {
    Interval half = power(Interval(0, x.magnitude()), n / 2);
    Interval whole = half * half;
    return {0, whole.hi};
  }
  Interval result = 1.0;
  for (Interval base = x; n > 0; n /= 2) {
    if (n % 2 != 0) result = result * base;
    base = base * base;
  }
  return result;
}

// sin at x + shift quarters of a turn. Extremes lie where (x - pi/2) / pi is an integer; the test
// for one is generous, the values at the ends are widened.
Interval wave(OpCode code, Interval x, double shift) {
  if (!x.finite() || x.magnitude() > 1e5) return {-1, 1};
  if (x.lo == 0 && x.hi == 0) return code == OpCode::Sin ? 0.0 : 1.0;
  double low = ops::evaluate(code, {&x.lo, 1}), high = ops::evaluate(code, {&x.hi, 1});
  Interval ends = widened(std::min(low, high), std::max(low, high));
  auto passes = [&](double phase) {  // an x with sin = 1 (phase 1/2) or -1 (phase 3/2)
    double turns_lo = x.lo / std::numbers::pi + shift - phase - 1e-9;
    double turns_hi = x.hi / std::numbers::pi + shift - phase + 1e-9;
    return std::floor(turns_hi / 2) != std::floor(turns_lo / 2) || turns_hi - turns_lo >= 2;
  };
  if (passes(0.5)) ends.hi = 1;
  if (passes(1.5)) ends.lo = -1;
  return {std::max(ends.lo, -1.0), std::min(ends.hi, 1.0)};
}

Interval cosh(Interval x) {
  double far = x.magnitude(), near = x.mignitude();
  double low = ops::evaluate(OpCode::Cosh, {&near, 1}), high = ops::evaluate(OpCode::Cosh, {&far, 1});
  Interval result = widened(low, high);
  return {std::max(result.lo, 1.0), result.hi};
}

// x^y = e^(y log x) for x > 0.
Interval realPower(Interval x, Interval y) {
  if (!x.positive() || !x.finite() || !y.finite()) return Interval::everything();
  Interval corners = Interval::everything();
  bool first = true;
  for (double base : {x.lo, x.hi})
    for (double exponent : {y.lo, y.hi}) {
      double operands[] = {base, exponent};
      double value = ops::evaluate(OpCode::Pow, operands);
      Interval here = widened(value, value);
      corners = first ? here : hull(corners, here);
      first = false;
    }
  // Monotone in x for a y of one sign, in y for a fixed x: the extremes are at corners, 1 included
  // where log x or y changes sign.
  bool through_one = x.contains(1) || y.contains(0);
  return through_one ? hull(corners, 1.0) : corners;
}

// atan(y / x) for x > 0.
Interval angle(Interval y, Interval x) {
  if (!x.positive()) return Interval::everything();
  Interval ratio = y / x;
  return monotone(OpCode::Atan, ops::facts(OpCode::Atan), ratio);
}

// The algebra of the rows over intervals. A condition may be undecided.
struct IntervalAlgebra {
  using Real = Interval;
  enum class Condition { No, Yes, Either };

  Interval constant(double value) { return value; }
  Interval add(Interval a, Interval b) { return a + b; }
  Interval sub(Interval a, Interval b) { return a - b; }
  Interval mul(Interval a, Interval b) { return a * b; }
  Interval div(Interval a, Interval b) { return a / b; }
  Interval neg(Interval a) { return -a; }
  Interval call(OpCode code, std::initializer_list<Interval> operands, ops::Parameters p = {}) {
    return intervalValue(code, {operands.begin(), operands.size()}, p);
  }
  Condition equal(Interval a, Interval b) {
    if (disjoint(a, b)) return Condition::No;
    return a.isPoint() && b.isPoint() ? Condition::Yes : Condition::Either;
  }
  Condition less(Interval a, Interval b) {
    return a.hi < b.lo ? Condition::Yes : a.lo >= b.hi ? Condition::No : Condition::Either;
  }
  Condition both(Condition a, Condition b) {
    if (a == Condition::No || b == Condition::No) return Condition::No;
    return a == Condition::Yes ? b : a;
  }
  Interval select(Condition c, Interval a, Interval b) {
    return c == Condition::Yes ? a : c == Condition::No ? b : hull(a, b);
  }
};
static_assert(ops::Algebra<IntervalAlgebra>);

// Functions whose derivative is even and falls away from 0, to the limit 0.
bool hasBumpSlope(OpCode code) {
  return code == OpCode::Tanh || code == OpCode::Sigmoid || code == OpCode::Atan || code == OpCode::Asinh ||
         code == OpCode::Erf;
}

Interval bumpSlope(OpCode code, Interval x) {
  auto at = [&](double point) {
    IntervalAlgebra algebra;
    Interval operand = point, value = intervalValue(code, {&operand, 1});
    return ops::partialIn(algebra, code, {}, 0, &operand, value);
  };
  double far = x.magnitude();
  double least = std::isfinite(far) ? std::max(at(far).lo, 0.0) : 0;
  return {least, at(x.mignitude()).hi};
}

}  // namespace

Interval intervalValue(OpCode code, std::span<const Interval> x, const ops::Parameters& parameters) {
  for (const Interval& operand : x)
    if (std::isnan(operand.lo) || std::isnan(operand.hi)) return Interval::everything();
  switch (code) {
    case OpCode::Add: return x[0] + x[1];
    case OpCode::Sub: return x[0] - x[1];
    case OpCode::Mul: return x[0].isPoint() && x[1].isPoint() && x[0].lo == x[1].lo ? power(x[0], 2)
                                                                                   : x[0] * x[1];
    case OpCode::SafeMul: return x[0] * x[1];
    case OpCode::Div:
    case OpCode::SafeDiv: return x[0] / x[1];
    case OpCode::Neg: return -x[0];
    case OpCode::PowI: return power(x[0], parameters.i);
    case OpCode::Pow: return realPower(x[0], x[1]);
    case OpCode::Sin: return wave(code, x[0], 0);
    case OpCode::Cos: return wave(code, x[0], 0.5);
    case OpCode::Tan: return wave(OpCode::Sin, x[0], 0) / wave(OpCode::Cos, x[0], 0.5);
    case OpCode::Cosh: return cosh(x[0]);
    case OpCode::Atan2: return angle(x[0], x[1]);
    case OpCode::Floor:
    case OpCode::Ceil:
    case OpCode::Round:
    case OpCode::Sign: return step(code, x[0]);
    default: break;
  }
  const ops::Facts& facts = ops::facts(code);
  bool one_sided = (facts.algebraic & (ops::kIncreasing | ops::kDecreasing)) != 0;
  if (x.size() == 1 && one_sided) return monotone(code, facts, x[0]);
  return Interval::everything();
}

Interval intervalPartial(OpCode code, size_t k, std::span<const Interval> operands, Interval value,
                         const ops::Parameters& parameters) {
  switch (code) {
    case OpCode::Add: return 1.0;
    case OpCode::Sub: return k == 0 ? 1.0 : -1.0;
    case OpCode::Neg: return -1.0;
    default: break;
  }
  const ops::Facts& facts = ops::facts(code);
  if (facts.partials == 0u) return value.finite() ? Interval(0.0) : Interval::everything();
  check((facts.partials >> k & 1u) != 0, "a derivative that the row does not state");
  if (hasBumpSlope(code)) return bumpSlope(code, operands[0]);
  IntervalAlgebra algebra;
  return ops::partialIn(algebra, code, parameters, k, operands.data(), value);
}

std::optional<Interval> slopeOverReals(OpCode code) {
  switch (code) {
    case OpCode::Tanh:
    case OpCode::Sigmoid:
    case OpCode::Softplus:
    case OpCode::Atan:
    case OpCode::Asinh:
    case OpCode::Erf:
    case OpCode::Sin:
    case OpCode::Cos: break;
    default: return std::nullopt;
  }
  Interval everything = Interval::everything();
  return intervalPartial(code, 0, {&everything, 1}, intervalValue(code, {&everything, 1}));
}

}  // namespace dini::certify
