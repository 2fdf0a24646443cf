// Rows of the arithmetic of reals. Partials are with respect to operand k at operands x, result y.
#pragma once

#include <cmath>

#include "dini/math.h"
#include "ops/row.h"

namespace dini::ops {

using ir::OpCode;

inline constexpr Box kAnywhere{{kReals, kReals, kReals, kReals, kReals}};
inline constexpr Box kModerate{{{-3, 3}, {-3, 3}, {-3, 3}, {-3, 3}, {-3, 3}}};

template <>
struct Row<OpCode::Add> {
  static constexpr Facts facts{.signature = "rr:r", .regularity = Regularity::Smooth, .kinks = "",
                               .domain = kAnywhere, .sampling = kModerate, .linear = joint(0b11),
                               .partials = 0u, .algebraic = kCommutative, .dini = "%0 + %1",
                               .cpp = "%0 + %1", .vector = ""};
  static double kernel(const Parameters&, double a, double b) { return a + b; }
};

template <>
struct Row<OpCode::Sub> {
  static constexpr Facts facts{.signature = "rr:r", .regularity = Regularity::Smooth, .kinks = "",
                               .domain = kAnywhere, .sampling = kModerate, .linear = joint(0b11),
                               .partials = 0u, .algebraic = kNoFact, .dini = "%0 - %1",
                               .cpp = "%0 - %1", .vector = ""};
  static double kernel(const Parameters&, double a, double b) { return a - b; }
};

template <>
struct Row<OpCode::Mul> {
  static constexpr Facts facts{.signature = "rr:r", .regularity = Regularity::Smooth, .kinks = "",
                               .domain = kAnywhere, .sampling = kModerate, .linear = bilinear(),
                               .partials = 0b11u, .algebraic = kCommutative, .dini = "%0 * %1",
                               .cpp = "%0 * %1", .vector = ""};
  static double kernel(const Parameters&, double a, double b) { return a * b; }
  template <Algebra A>
  static auto partial(A&, const Parameters&, size_t k, const typename A::Real* x,
                      typename A::Real) {
    return x[1 - k];
  }
};

template <>
struct Row<OpCode::Div> {
  static constexpr Facts facts{.signature = "rr:r", .regularity = Regularity::Pole,
                               .kinks = "%1 = 0", .domain = kAnywhere,
                               .sampling = Box{{{-3, 3}, {0.3, 3}}}, .linear = joint(0b1),
                               .partials = 0b11u, .algebraic = kNoFact, .dini = "%0 / %1",
                               .cpp = "%0 / %1", .vector = ""};
  static double kernel(const Parameters&, double a, double b) { return a / b; }
  template <Algebra A>
  static auto partial(A& a, const Parameters&, size_t k, const typename A::Real* x,
                      typename A::Real y) {
    if (k == 0) return a.div(a.constant(1), x[1]);
    return a.neg(a.div(y, x[1]));
  }
};

// A divisor of 0 gives 0, with derivative 0.
template <>
struct Row<OpCode::SafeDiv> {
  static constexpr Facts facts{.signature = "rr:r", .regularity = Regularity::Pole,
                               .kinks = "%1 = 0", .domain = kAnywhere,
                               .sampling = Box{{{-3, 3}, {0.3, 3}}}, .linear = joint(0b1),
                               .partials = 0b11u, .algebraic = kNoFact,
                               .dini = "if %1 == 0 { 0 } else { %0 / %1 }",
                               .cpp = "(%1 == 0 ? 0.0 : %0 / %1)", .vector = ""};
  static double kernel(const Parameters&, double a, double b) { return b == 0 ? 0.0 : a / b; }
  template <Algebra A>
  static auto partial(A& a, const Parameters&, size_t k, const typename A::Real* x,
                      typename A::Real y) {
    if (k == 0) return a.call(OpCode::SafeDiv, {a.constant(1), x[1]});
    return a.neg(a.call(OpCode::SafeDiv, {y, x[1]}));
  }
};

// A factor t of 0 gives 0, whatever the coefficient is: linear in t.
template <>
struct Row<OpCode::SafeMul> {
  static constexpr Facts facts{.signature = "rr:r", .regularity = Regularity::Smooth, .kinks = "",
                               .domain = kAnywhere, .sampling = kModerate, .linear = joint(0b10),
                               .partials = 0b11u, .algebraic = kNoFact,
                               .dini = "if %1 == 0 { 0 } else { %0 * %1 }",
                               .cpp = "(%1 == 0 ? 0.0 : %0 * %1)", .vector = ""};
  static double kernel(const Parameters&, double c, double t) { return t == 0 ? 0.0 : c * t; }
  template <Algebra A>
  static auto partial(A&, const Parameters&, size_t k, const typename A::Real* x,
                      typename A::Real) {
    return x[1 - k];
  }
};

template <>
struct Row<OpCode::Neg> {
  static constexpr Facts facts{.signature = "r:r", .regularity = Regularity::Smooth, .kinks = "",
                               .domain = kAnywhere, .sampling = kModerate, .linear = joint(0b1),
                               .partials = 0u, .algebraic = kOdd | kDecreasing | kInvolution,
                               .dini = "-%0", .cpp = "-%0", .vector = ""};
  static double kernel(const Parameters&, double x) { return -x; }
};

// d/dx: y x^(y - 1), and 0 where y = 0 (not 0 * infinity at x = 0).
// d/dy: log(x) x^y, and 0 where x = 0 < y, its limit; the logarithm is not taken there, so that
// derivatives of this expression are finite too.
template <>
struct Row<OpCode::Pow> {
  static constexpr Facts facts{.signature = "rr:r", .regularity = Regularity::Pole,
                               .kinks = "%0 = 0", .domain = Box{{{0, kInf}, kReals}},
                               .sampling = Box{{{0.2, 3}, {-3, 3}}}, .linear = notLinear(),
                               .partials = 0b11u, .algebraic = kNoFact, .dini = "%0^%1",
                               .cpp = "std::pow(%0, %1)", .vector = "pow"};
  static double kernel(const Parameters&, double x, double y) { return dini_pow(x, y); }
  template <Algebra A>
  static auto partial(A& a, const Parameters&, size_t k, const typename A::Real* x,
                      typename A::Real y) {
    auto zero = a.constant(0), one = a.constant(1);
    if (k == 0) {
      auto slope = a.call(OpCode::Pow, {x[0], a.sub(x[1], one)});
      return a.call(OpCode::SafeMul, {slope, x[1]});
    }
    auto at_zero = a.both(a.equal(x[0], zero), a.less(zero, x[1]));
    return a.mul(a.call(OpCode::Log, {a.select(at_zero, one, x[0])}), y);
  }
};

template <>
struct Row<OpCode::PowI> {
  static constexpr Facts facts{.signature = "r:r", .regularity = Regularity::Pole,
                               .kinks = "%0 = 0 where the exponent is negative",
                               .domain = kAnywhere, .sampling = Box{{{0.3, 2}}},
                               .linear = notLinear(), .partials = 0b1u, .algebraic = kNoFact,
                               .dini = "%0^%i", .cpp = "dini_powi(%0, %i)", .vector = ""};
  static double kernel(const Parameters& p, double x) { return dini_powi(x, p.i); }
  template <Algebra A>
  static auto partial(A& a, const Parameters& p, size_t, const typename A::Real* x,
                      typename A::Real) {
    if (p.i == 0) return a.constant(0);
    if (p.i == 1) return a.constant(1);
    auto factor = a.constant(static_cast<double>(p.i));
    if (p.i == 2) return a.mul(factor, x[0]);
    return a.mul(factor, a.call(OpCode::PowI, {x[0]}, Parameters{p.i - 1, 0}));
  }
};

template <>
struct Row<OpCode::Sqrt> {
  static constexpr Facts facts{.signature = "r:r", .regularity = Regularity::Pole,
                               .kinks = "%0 = 0", .domain = Box{{{0, kInf}}},
                               .sampling = Box{{{0.1, 5}}}, .linear = notLinear(),
                               .partials = 0b1u, .algebraic = kIncreasing, .dini = "sqrt(%0)",
                               .cpp = "std::sqrt(%0)", .vector = ""};
  static double kernel(const Parameters&, double x) { return std::sqrt(x); }
  template <Algebra A>
  static auto partial(A& a, const Parameters&, size_t, const typename A::Real*,
                      typename A::Real y) {
    return a.div(a.constant(0.5), y);
  }
};

template <>
struct Row<OpCode::Cbrt> {
  static constexpr Facts facts{.signature = "r:r", .regularity = Regularity::Pole,
                               .kinks = "%0 = 0", .domain = kAnywhere,
                               .sampling = Box{{{0.1, 5}}}, .linear = notLinear(),
                               .partials = 0b1u, .algebraic = kOdd | kIncreasing,
                               .dini = "cbrt(%0)", .cpp = "std::cbrt(%0)", .vector = "cbrt"};
  static double kernel(const Parameters&, double x) { return dini_cbrt(x); }
  template <Algebra A>
  static auto partial(A& a, const Parameters&, size_t, const typename A::Real*,
                      typename A::Real y) {
    return a.div(a.constant(1), a.mul(a.constant(3), a.mul(y, y)));
  }
};

}  // namespace dini::ops
