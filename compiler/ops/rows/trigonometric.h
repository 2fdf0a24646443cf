// Rows of trigonometric and hyperbolic functions and their inverses. Partials are with respect to the operand, at operand x[0], result y.
#pragma once

#include "dini/math.h"
#include "ops/row.h"
#include "ops/rows/arithmetic.h"

namespace dini::ops {

// 1 - x^2 without cancellation.
template <Algebra A>
auto oneMinusSquare(A& a, typename A::Real x) {
  return a.mul(a.sub(a.constant(1), x), a.add(a.constant(1), x));
}

template <>
struct Row<OpCode::Sin> {
  static constexpr Facts facts{.signature = "r:r", .regularity = Regularity::Smooth,
                               .kinks = "", .domain = kAnywhere,
                               .sampling = kModerate, .linear = notLinear(),
                               .partials = 0b1u, .algebraic = kOdd, .dini = "sin(%0)",
                               .cpp = "std::sin(%0)", .vector = "sin"};
  static double kernel(const Parameters&, double x) { return dini_sin(x); }
  template <Algebra A>
  static auto partial(A& a, const Parameters&, size_t, const typename A::Real* x,
                      typename A::Real) {
    return a.call(OpCode::Cos, {x[0]});
  }
};

template <>
struct Row<OpCode::Cos> {
  static constexpr Facts facts{.signature = "r:r", .regularity = Regularity::Smooth,
                               .kinks = "", .domain = kAnywhere,
                               .sampling = kModerate, .linear = notLinear(),
                               .partials = 0b1u, .algebraic = kEven, .dini = "cos(%0)",
                               .cpp = "std::cos(%0)", .vector = "cos"};
  static double kernel(const Parameters&, double x) { return dini_cos(x); }
  template <Algebra A>
  static auto partial(A& a, const Parameters&, size_t, const typename A::Real* x,
                      typename A::Real) {
    return a.neg(a.call(OpCode::Sin, {x[0]}));
  }
};

template <>
struct Row<OpCode::Tan> {
  static constexpr Facts facts{.signature = "r:r", .regularity = Regularity::Pole,
                               .kinks = "cos(%0) = 0", .domain = kAnywhere,
                               .sampling = Box{{{-1.2, 1.2}}}, .linear = notLinear(),
                               .partials = 0b1u, .algebraic = kOdd, .dini = "tan(%0)",
                               .cpp = "std::tan(%0)", .vector = "tan"};
  static double kernel(const Parameters&, double x) { return dini_tan(x); }
  template <Algebra A>
  static auto partial(A& a, const Parameters&, size_t, const typename A::Real*,
                      typename A::Real y) {
    return a.add(a.constant(1), a.mul(y, y));
  }
};

template <>
struct Row<OpCode::Asin> {
  static constexpr Facts facts{.signature = "r:r", .regularity = Regularity::Pole,
                               .kinks = "%0 = -1 or 1", .domain = Box{{{-1, 1}}},
                               .sampling = Box{{{-0.9, 0.9}}}, .linear = notLinear(),
                               .partials = 0b1u, .algebraic = kOdd | kIncreasing, .dini = "asin(%0)",
                               .cpp = "std::asin(%0)", .vector = "asin"};
  static double kernel(const Parameters&, double x) { return dini_asin(x); }
  template <Algebra A>
  static auto partial(A& a, const Parameters&, size_t, const typename A::Real* x,
                      typename A::Real) {
    return a.div(a.constant(1), a.call(OpCode::Sqrt, {oneMinusSquare(a, x[0])}));
  }
};

template <>
struct Row<OpCode::Acos> {
  static constexpr Facts facts{.signature = "r:r", .regularity = Regularity::Pole,
                               .kinks = "%0 = -1 or 1", .domain = Box{{{-1, 1}}},
                               .sampling = Box{{{-0.9, 0.9}}}, .linear = notLinear(),
                               .partials = 0b1u, .algebraic = kDecreasing, .dini = "acos(%0)",
                               .cpp = "std::acos(%0)", .vector = "acos"};
  static double kernel(const Parameters&, double x) { return dini_acos(x); }
  template <Algebra A>
  static auto partial(A& a, const Parameters&, size_t, const typename A::Real* x,
                      typename A::Real) {
    return a.neg(a.div(a.constant(1), a.call(OpCode::Sqrt, {oneMinusSquare(a, x[0])})));
  }
};

template <>
struct Row<OpCode::Atan> {
  static constexpr Facts facts{.signature = "r:r", .regularity = Regularity::Smooth,
                               .kinks = "", .domain = kAnywhere,
                               .sampling = kModerate, .linear = notLinear(),
                               .partials = 0b1u, .algebraic = kOdd | kIncreasing, .dini = "atan(%0)",
                               .cpp = "std::atan(%0)", .vector = "atan"};
  static double kernel(const Parameters&, double x) { return dini_atan(x); }
  template <Algebra A>
  static auto partial(A& a, const Parameters&, size_t, const typename A::Real* x,
                      typename A::Real) {
    return a.div(a.constant(1), a.add(a.constant(1), a.mul(x[0], x[0])));
  }
};

// atan2(y, x): with r = x^2 + y^2, d/dy = x / r and d/dx = -y / r.
template <>
struct Row<OpCode::Atan2> {
  static constexpr Facts facts{.signature = "rr:r", .regularity = Regularity::Pole,
                               .kinks = "%0 = 0 and %1 <= 0", .domain = kAnywhere,
                               .sampling = Box{{{-3, 3}, {0.3, 3}}}, .linear = notLinear(),
                               .partials = 0b11u, .algebraic = kNoFact, .dini = "atan2(%0, %1)",
                               .cpp = "std::atan2(%0, %1)", .vector = "atan2"};
  static double kernel(const Parameters&, double y, double x) { return dini_atan2(y, x); }
  template <Algebra A>
  static auto partial(A& a, const Parameters&, size_t k, const typename A::Real* x,
                      typename A::Real) {
    auto r = a.add(a.mul(x[1], x[1]), a.mul(x[0], x[0]));
    return k == 0 ? a.div(x[1], r) : a.neg(a.div(x[0], r));
  }
};

template <>
struct Row<OpCode::Sinh> {
  static constexpr Facts facts{.signature = "r:r", .regularity = Regularity::Smooth,
                               .kinks = "", .domain = kAnywhere,
                               .sampling = kModerate, .linear = notLinear(),
                               .partials = 0b1u, .algebraic = kOdd | kIncreasing, .dini = "sinh(%0)",
                               .cpp = "std::sinh(%0)", .vector = "sinh"};
  static double kernel(const Parameters&, double x) { return dini_sinh(x); }
  template <Algebra A>
  static auto partial(A& a, const Parameters&, size_t, const typename A::Real* x,
                      typename A::Real) {
    return a.call(OpCode::Cosh, {x[0]});
  }
};

template <>
struct Row<OpCode::Cosh> {
  static constexpr Facts facts{.signature = "r:r", .regularity = Regularity::Smooth,
                               .kinks = "", .domain = kAnywhere,
                               .sampling = kModerate, .linear = notLinear(),
                               .partials = 0b1u, .algebraic = kEven, .dini = "cosh(%0)",
                               .cpp = "std::cosh(%0)", .vector = "cosh"};
  static double kernel(const Parameters&, double x) { return dini_cosh(x); }
  template <Algebra A>
  static auto partial(A& a, const Parameters&, size_t, const typename A::Real* x,
                      typename A::Real) {
    return a.call(OpCode::Sinh, {x[0]});
  }
};

template <>
struct Row<OpCode::Tanh> {
  static constexpr Facts facts{.signature = "r:r", .regularity = Regularity::Smooth,
                               .kinks = "", .domain = kAnywhere,
                               .sampling = kModerate, .linear = notLinear(),
                               .partials = 0b1u, .algebraic = kOdd | kIncreasing, .dini = "tanh(%0)",
                               .cpp = "std::tanh(%0)", .vector = "tanh"};
  static double kernel(const Parameters&, double x) { return dini_tanh(x); }
  template <Algebra A>
  static auto partial(A& a, const Parameters&, size_t, const typename A::Real*,
                      typename A::Real y) {
    return oneMinusSquare(a, y);
  }
};

template <>
struct Row<OpCode::Asinh> {
  static constexpr Facts facts{.signature = "r:r", .regularity = Regularity::Smooth,
                               .kinks = "", .domain = kAnywhere,
                               .sampling = kModerate, .linear = notLinear(),
                               .partials = 0b1u, .algebraic = kOdd | kIncreasing, .dini = "asinh(%0)",
                               .cpp = "std::asinh(%0)", .vector = "asinh"};
  static double kernel(const Parameters&, double x) { return dini_asinh(x); }
  template <Algebra A>
  static auto partial(A& a, const Parameters&, size_t, const typename A::Real* x,
                      typename A::Real) {
    auto square = a.add(a.mul(x[0], x[0]), a.constant(1));
    return a.div(a.constant(1), a.call(OpCode::Sqrt, {square}));
  }
};

template <>
struct Row<OpCode::Acosh> {
  static constexpr Facts facts{.signature = "r:r", .regularity = Regularity::Pole,
                               .kinks = "%0 = 1", .domain = Box{{{1, kInf}}},
                               .sampling = Box{{{1.2, 5}}}, .linear = notLinear(),
                               .partials = 0b1u, .algebraic = kIncreasing, .dini = "acosh(%0)",
                               .cpp = "std::acosh(%0)", .vector = "acosh"};
  static double kernel(const Parameters&, double x) { return dini_acosh(x); }
  template <Algebra A>
  static auto partial(A& a, const Parameters&, size_t, const typename A::Real* x,
                      typename A::Real) {
    auto square = a.mul(a.sub(x[0], a.constant(1)), a.add(x[0], a.constant(1)));
    return a.div(a.constant(1), a.call(OpCode::Sqrt, {square}));
  }
};

template <>
struct Row<OpCode::Atanh> {
  static constexpr Facts facts{.signature = "r:r", .regularity = Regularity::Pole,
                               .kinks = "%0 = -1 or 1", .domain = Box{{{-1, 1}}},
                               .sampling = Box{{{-0.9, 0.9}}}, .linear = notLinear(),
                               .partials = 0b1u, .algebraic = kOdd | kIncreasing, .dini = "atanh(%0)",
                               .cpp = "std::atanh(%0)", .vector = "atanh"};
  static double kernel(const Parameters&, double x) { return dini_atanh(x); }
  template <Algebra A>
  static auto partial(A& a, const Parameters&, size_t, const typename A::Real* x,
                      typename A::Real) {
    return a.div(a.constant(1), oneMinusSquare(a, x[0]));
  }
};

}  // namespace dini::ops
