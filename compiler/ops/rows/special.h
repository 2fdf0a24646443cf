// Rows of special functions. Partials are with respect to the operand, at operand x[0], result y.
#pragma once

#include "dini/math.h"
#include "ops/row.h"
#include "ops/rows/arithmetic.h"

namespace dini::ops {

// 2 / sqrt(pi) e^(-x^2): the derivative of erf.
template <Algebra A>
auto gaussian(A& a, typename A::Real x) {
  auto bell = a.call(OpCode::Exp, {a.neg(a.mul(x, x))});
  return a.mul(a.constant(1.1283791670955126), bell);
}

template <>
struct Row<OpCode::Erf> {
  static constexpr Facts facts{.signature = "r:r", .regularity = Regularity::Smooth,
                               .kinks = "", .domain = kAnywhere,
                               .sampling = kModerate, .linear = notLinear(),
                               .partials = 0b1u, .algebraic = kOdd | kIncreasing, .dini = "erf(%0)",
                               .cpp = "std::erf(%0)", .vector = "erf"};
  static double kernel(const Parameters&, double x) { return dini_erf(x); }
  template <Algebra A>
  static auto partial(A& a, const Parameters&, size_t, const typename A::Real* x,
                      typename A::Real) {
    return gaussian(a, x[0]);
  }
};

template <>
struct Row<OpCode::Erfc> {
  static constexpr Facts facts{.signature = "r:r", .regularity = Regularity::Smooth,
                               .kinks = "", .domain = kAnywhere,
                               .sampling = kModerate, .linear = notLinear(),
                               .partials = 0b1u, .algebraic = kDecreasing, .dini = "erfc(%0)",
                               .cpp = "std::erfc(%0)", .vector = "erfc"};
  static double kernel(const Parameters&, double x) { return dini_erfc(x); }
  template <Algebra A>
  static auto partial(A& a, const Parameters&, size_t, const typename A::Real* x,
                      typename A::Real) {
    return a.neg(gaussian(a, x[0]));
  }
};

template <>
struct Row<OpCode::Lgamma> {
  static constexpr Facts facts{.signature = "r:r", .regularity = Regularity::Pole,
                               .kinks = "%0 = 0, -1, -2, ...", .domain = kAnywhere,
                               .sampling = Box{{{0.2, 5}}}, .linear = notLinear(),
                               .partials = 0b1u, .algebraic = kNoFact, .dini = "lgamma(%0)",
                               .cpp = "std::lgamma(%0)", .vector = ""};
  static double kernel(const Parameters&, double x) { return dini_lgamma(x); }
  template <Algebra A>
  static auto partial(A& a, const Parameters&, size_t, const typename A::Real* x,
                      typename A::Real) {
    return a.call(OpCode::Polygamma, {x[0]}, Parameters{0, 0});
  }
};

template <>
struct Row<OpCode::Polygamma> {
  static constexpr Facts facts{.signature = "r:r", .regularity = Regularity::Pole,
                               .kinks = "%0 = 0, -1, -2, ...", .domain = kAnywhere,
                               .sampling = Box{{{0.3, 5}}}, .linear = notLinear(),
                               .partials = 0b1u, .algebraic = kNoFact, .dini = "polygamma(%i, %0)",
                               .cpp = "dini_polygamma(%i, %0)", .vector = ""};
  static double kernel(const Parameters& p, double x) { return dini_polygamma(static_cast<int>(p.i), x); }
  template <Algebra A>
  static auto partial(A& a, const Parameters& p, size_t, const typename A::Real* x,
                      typename A::Real) {
    return a.call(OpCode::Polygamma, {x[0]}, Parameters{p.i + 1, 0});
  }
};

}  // namespace dini::ops
