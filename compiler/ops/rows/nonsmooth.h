// Rows of the one nonsmooth primitive, its derivative, selections and jumps.
#pragma once

#include <cmath>
#include <limits>

#include "dini/math.h"
#include "ops/row.h"
#include "ops/rows/arithmetic.h"

namespace dini::ops {

// choose(p, q, a, b): a where p > q, b where p < q, a (which equals b) at a tie, NaN where the
// comparison is undefined. parameter f: the gap c, a - b = c (p - q), or NaN. Its derivative is a
// pick of the tangents with a tie weight, which is the differentiation pass's to decide.
template <>
struct Row<OpCode::Choose> {
  static constexpr Facts facts{.signature = "rrrr:r", .regularity = Regularity::Kink,
                               .kinks = "%0 = %1", .domain = kAnywhere, .sampling = kModerate,
                               .linear = notLinear(), .partials = 0u, .algebraic = kNoFact,
                               .dini = "if %0 >= %1 { %2 } else { %3 }",
                               .cpp = "dini_choose(%0, %1, %2, %3)", .vector = ""};
  static double kernel(const Parameters&, double p, double q, double a, double b) {
    if (p > q) return a;
    if (p < q) return b;
    return p == q ? a : std::numeric_limits<double>::quiet_NaN();
  }
};

// pick(p, q, a, b): a where p > q, b where p < q, t a + (1 - t) b at a tie, with t the parameter f;
// t = 1 reads a only and t = 0 reads b only. NaN where the comparison is undefined, unless the
// parameter i is not 0: then b, as the comparison of an `if` gave.
template <>
struct Row<OpCode::Pick> {
  static constexpr Facts facts{.signature = "rrrr:r", .regularity = Regularity::Jump,
                               .kinks = "%0 = %1", .domain = kAnywhere, .sampling = kModerate,
                               .linear = joint(0b1100), .partials = 0u, .algebraic = kNoFact,
                               .dini = "if %0 >= %1 { %2 } else { %3 }",
                               .cpp = "dini_pick(%0, %1, %2, %3)", .vector = ""};
  static double kernel(const Parameters& parameters, double p, double q, double a, double b) {
    if (p > q) return a;
    if (p < q) return b;
    if (p != q)
      return parameters.i != 0 ? b : std::numeric_limits<double>::quiet_NaN();
    double t = parameters.f;
    if (t == 1) return a;
    if (t == 0) return b;
    return t * a + (1 - t) * b;
  }
};

template <>
struct Row<OpCode::Select> {
  static constexpr Facts facts{.signature = "btt:t", .regularity = Regularity::Jump,
                               .kinks = "where %0 changes", .domain = kAnywhere,
                               .sampling = kModerate, .linear = joint(0b110), .partials = 0u,
                               .algebraic = kNoFact, .dini = "where(%0, %1, %2)",
                               .cpp = "(%0 ? %1 : %2)", .vector = ""};
  template <class T>
  static T kernel(const Parameters&, bool c, T a, T b) {
    return c ? a : b;
  }
};

// The identity, whose derivative is taken to be zero.
template <>
struct Row<OpCode::Stop> {
  static constexpr Facts facts{.signature = "t:t", .regularity = Regularity::Smooth, .kinks = "",
                               .domain = kAnywhere, .sampling = kModerate, .linear = notLinear(),
                               .partials = 0u, .algebraic = kIdempotent, .dini = "stop(%0)",
                               .cpp = "%0", .vector = ""};
  template <class T>
  static T kernel(const Parameters&, T x) {
    return x;
  }
};

template <>
struct Row<OpCode::Floor> {
  static constexpr Facts facts{.signature = "r:r", .regularity = Regularity::Jump,
                               .kinks = "integers", .domain = kAnywhere, .sampling = kModerate,
                               .linear = notLinear(), .partials = 0u,
                               .algebraic = kIdempotent | kIncreasing, .dini = "floor(%0)",
                               .cpp = "std::floor(%0)", .vector = ""};
  static double kernel(const Parameters&, double x) { return std::floor(x); }
};

template <>
struct Row<OpCode::Ceil> {
  static constexpr Facts facts{.signature = "r:r", .regularity = Regularity::Jump,
                               .kinks = "integers", .domain = kAnywhere, .sampling = kModerate,
                               .linear = notLinear(), .partials = 0u,
                               .algebraic = kIdempotent | kIncreasing, .dini = "ceil(%0)",
                               .cpp = "std::ceil(%0)", .vector = ""};
  static double kernel(const Parameters&, double x) { return std::ceil(x); }
};

// Half to even.
template <>
struct Row<OpCode::Round> {
  static constexpr Facts facts{.signature = "r:r", .regularity = Regularity::Jump,
                               .kinks = "halves", .domain = kAnywhere, .sampling = kModerate,
                               .linear = notLinear(), .partials = 0u,
                               .algebraic = kIdempotent | kOdd | kIncreasing, .dini = "round(%0)",
                               .cpp = "std::nearbyint(%0)", .vector = ""};
  static double kernel(const Parameters&, double x) { return std::nearbyint(x); }
};

// Zeros, with their signs, and NaN are kept.
template <>
struct Row<OpCode::Sign> {
  static constexpr Facts facts{.signature = "r:r", .regularity = Regularity::Jump,
                               .kinks = "%0 = 0", .domain = kAnywhere, .sampling = kModerate,
                               .linear = notLinear(), .partials = 0u,
                               .algebraic = kIdempotent | kOdd | kIncreasing, .dini = "sign(%0)",
                               .cpp = "dini_sign(%0)", .vector = ""};
  static double kernel(const Parameters&, double x) { return x > 0 ? 1.0 : x < 0 ? -1.0 : x; }
};

}  // namespace dini::ops
