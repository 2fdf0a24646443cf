// Rows of exponentials and logarithms. Partials are with respect to the operand, at operand x[0], result y.
#pragma once

#include "dini/math.h"
#include "ops/row.h"
#include "ops/rows/arithmetic.h"

namespace dini::ops {

template <>
struct Row<OpCode::Exp> {
  static constexpr Facts facts{.signature = "r:r", .regularity = Regularity::Smooth,
                               .kinks = "", .domain = kAnywhere,
                               .sampling = kModerate, .linear = notLinear(),
                               .partials = 0b1u, .algebraic = kIncreasing, .dini = "exp(%0)",
                               .cpp = "std::exp(%0)", .vector = "exp"};
  static double kernel(const Parameters&, double x) { return dini_exp(x); }
  template <Algebra A>
  static auto partial(A&, const Parameters&, size_t, const typename A::Real*,
                      typename A::Real y) {
    return y;
  }
};

template <>
struct Row<OpCode::Log> {
  static constexpr Facts facts{.signature = "r:r", .regularity = Regularity::Pole,
                               .kinks = "%0 = 0", .domain = Box{{{0, kInf}}},
                               .sampling = Box{{{0.1, 5}}}, .linear = notLinear(),
                               .partials = 0b1u, .algebraic = kIncreasing, .dini = "log(%0)",
                               .cpp = "std::log(%0)", .vector = "log"};
  static double kernel(const Parameters&, double x) { return dini_log(x); }
  template <Algebra A>
  static auto partial(A& a, const Parameters&, size_t, const typename A::Real* x,
                      typename A::Real) {
    return a.div(a.constant(1), x[0]);
  }
};

template <>
struct Row<OpCode::Log1p> {
  static constexpr Facts facts{.signature = "r:r", .regularity = Regularity::Pole,
                               .kinks = "%0 = -1", .domain = Box{{{-1, kInf}}},
                               .sampling = Box{{{-0.8, 5}}}, .linear = notLinear(),
                               .partials = 0b1u, .algebraic = kIncreasing, .dini = "log1p(%0)",
                               .cpp = "std::log1p(%0)", .vector = "log1p"};
  static double kernel(const Parameters&, double x) { return dini_log1p(x); }
  template <Algebra A>
  static auto partial(A& a, const Parameters&, size_t, const typename A::Real* x,
                      typename A::Real) {
    return a.div(a.constant(1), a.add(a.constant(1), x[0]));
  }
};

// e^x rather than y + 1, which has no digits left for large negative x.
template <>
struct Row<OpCode::Expm1> {
  static constexpr Facts facts{.signature = "r:r", .regularity = Regularity::Smooth,
                               .kinks = "", .domain = kAnywhere,
                               .sampling = kModerate, .linear = notLinear(),
                               .partials = 0b1u, .algebraic = kIncreasing, .dini = "expm1(%0)",
                               .cpp = "std::expm1(%0)", .vector = "expm1"};
  static double kernel(const Parameters&, double x) { return dini_expm1(x); }
  template <Algebra A>
  static auto partial(A& a, const Parameters&, size_t, const typename A::Real* x,
                      typename A::Real) {
    return a.call(OpCode::Exp, {x[0]});
  }
};

// s'(x) = s(x) s(-x): 1 - s(x) has no digits left for large x.
template <>
struct Row<OpCode::Sigmoid> {
  static constexpr Facts facts{.signature = "r:r", .regularity = Regularity::Smooth,
                               .kinks = "", .domain = kAnywhere,
                               .sampling = kModerate, .linear = notLinear(),
                               .partials = 0b1u, .algebraic = kIncreasing, .dini = "sigmoid(%0)",
                               .cpp = "dini_sigmoid(%0)", .vector = ""};
  static double kernel(const Parameters&, double x) { return dini_sigmoid(x); }
  template <Algebra A>
  static auto partial(A& a, const Parameters&, size_t, const typename A::Real* x,
                      typename A::Real y) {
    return a.mul(y, a.call(OpCode::Sigmoid, {a.neg(x[0])}));
  }
};

template <>
struct Row<OpCode::Softplus> {
  static constexpr Facts facts{.signature = "r:r", .regularity = Regularity::Smooth,
                               .kinks = "", .domain = kAnywhere,
                               .sampling = kModerate, .linear = notLinear(),
                               .partials = 0b1u, .algebraic = kIncreasing, .dini = "softplus(%0)",
                               .cpp = "dini_softplus(%0)", .vector = ""};
  static double kernel(const Parameters&, double x) { return dini_softplus(x); }
  template <Algebra A>
  static auto partial(A& a, const Parameters&, size_t, const typename A::Real* x,
                      typename A::Real) {
    return a.call(OpCode::Sigmoid, {x[0]});
  }
};

}  // namespace dini::ops
