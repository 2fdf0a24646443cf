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

// choose and pick with the weight as a fifth operand; NaN, undecided, counts as 0.
template <>
struct Row<OpCode::ChooseTie> {
  static constexpr Facts facts{.signature = "rrrrr:r", .regularity = Regularity::Kink,
                               .kinks = "%0 = %1", .domain = kAnywhere, .sampling = kModerate,
                               .linear = notLinear(), .partials = 0u, .algebraic = kNoFact,
                               .dini = "if %0 >= %1 { %2 } else { %3 }",
                               .cpp = "dini_choose(%0, %1, %2, %3)", .vector = ""};
  static double kernel(const Parameters& parameters, double p, double q, double a, double b,
                       double) {
    return Row<OpCode::Choose>::kernel(parameters, p, q, a, b);
  }
};

template <>
struct Row<OpCode::PickTie> {
  static constexpr Facts facts{.signature = "rrrrr:r", .regularity = Regularity::Jump,
                               .kinks = "%0 = %1", .domain = kAnywhere, .sampling = kModerate,
                               .linear = joint(0b1100), .partials = 0u, .algebraic = kNoFact,
                               .dini = "if %0 >= %1 { %2 } else { %3 }",
                               .cpp = "dini_pick(%0, %1, %2, %3, %4)", .vector = ""};
  static double kernel(const Parameters& parameters, double p, double q, double a, double b,
                       double t) {
    return Row<OpCode::Pick>::kernel({parameters.i, std::isnan(t) ? 0 : t}, p, q, a, b);
  }
};

template <>
struct Row<OpCode::TieSide> {
  static constexpr Facts facts{.signature = "rr:r", .regularity = Regularity::Jump,
                               .kinks = "abs(%0) = 64*eps*%1", .domain = kAnywhere,
                               .sampling = kModerate, .linear = notLinear(), .partials = 0u,
                               .algebraic = kNoFact, .dini = "", .cpp = "dini_tie_side(%0, %1)",
                               .vector = ""};
  static constexpr double kRelative = 64 * std::numeric_limits<double>::epsilon();
  static double kernel(const Parameters&, double s_dot, double m) {
    double bound = kRelative * m;
    if (s_dot > bound) return 1;
    return s_dot < -bound ? 0 : std::numeric_limits<double>::quiet_NaN();
  }
};

// The second operand; the engines set the run's flag.
template <>
struct Row<OpCode::NoteTie> {
  static constexpr Facts facts{.signature = "bt:t", .regularity = Regularity::Discrete,
                               .kinks = "", .domain = kAnywhere, .sampling = kModerate,
                               .linear = joint(0b10), .partials = 0u, .algebraic = kNoFact,
                               .dini = "%1", .cpp = "%1", .vector = ""};
  template <class T>
  static T kernel(const Parameters&, bool, T v) {
    return v;
  }
};

// The third operand; the engines add a row to the run's report.
template <>
struct Row<OpCode::ReportTie> {
  static constexpr Facts facts{.signature = "irri:r", .regularity = Regularity::Discrete,
                               .kinks = "", .domain = kAnywhere, .sampling = kModerate,
                               .linear = notLinear(), .partials = 0u, .algebraic = kNoFact,
                               .dini = "%2", .cpp = "%2", .vector = ""};
  static double kernel(const Parameters&, int64_t, double, double t, int64_t) { return t; }
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
