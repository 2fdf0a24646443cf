// Rows of integers, booleans, comparisons and conversions: never differentiated.
// Integer arithmetic wraps around at 64 bits.
#pragma once

#include <cmath>
#include <cstdint>

#include "dini/math.h"
#include "ops/row.h"
#include "ops/rows/arithmetic.h"

namespace dini::ops {

// The columns that all of these share.
constexpr Facts discrete(const char* signature, const char* dini, const char* cpp,
                         unsigned algebraic = kNoFact) {
  return Facts{.signature = signature, .regularity = Regularity::Discrete, .kinks = "",
               .domain = kAnywhere, .sampling = kModerate, .linear = notLinear(), .partials = 0u,
               .algebraic = algebraic, .dini = dini, .cpp = cpp, .vector = ""};
}

constexpr int64_t wrapped(uint64_t value) { return static_cast<int64_t>(value); }
constexpr uint64_t bits(int64_t value) { return static_cast<uint64_t>(value); }

template <>
struct Row<OpCode::IAdd> {
  static constexpr Facts facts = discrete("ii:i", "%0 + %1", "%0 + %1", kCommutative);
  static int64_t kernel(const Parameters&, int64_t a, int64_t b) { return wrapped(bits(a) + bits(b)); }
};

template <>
struct Row<OpCode::ISub> {
  static constexpr Facts facts = discrete("ii:i", "%0 - %1", "%0 - %1");
  static int64_t kernel(const Parameters&, int64_t a, int64_t b) { return wrapped(bits(a) - bits(b)); }
};

template <>
struct Row<OpCode::IMul> {
  static constexpr Facts facts = discrete("ii:i", "%0 * %1", "%0 * %1", kCommutative);
  static int64_t kernel(const Parameters&, int64_t a, int64_t b) { return wrapped(bits(a) * bits(b)); }
};

// Rounds towards minus infinity; division by 0 gives 0.
template <>
struct Row<OpCode::IDiv> {
  static constexpr Facts facts = discrete("ii:i", "div(%0, %1)", "dini_idiv(%0, %1)");
  static int64_t kernel(const Parameters&, int64_t a, int64_t b) {
    if (b == 0) return 0;
    if (b == -1) return wrapped(0 - bits(a));
    int64_t quotient = a / b;
    return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
  }
};

// a - b floor(a / b): the sign of the divisor; division by 0 gives 0.
template <>
struct Row<OpCode::IMod> {
  static constexpr Facts facts = discrete("ii:i", "mod(%0, %1)", "dini_imod(%0, %1)");
  static int64_t kernel(const Parameters&, int64_t a, int64_t b) {
    if (b == 0 || b == -1) return 0;
    int64_t rest = a % b;
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
  }
};

template <>
struct Row<OpCode::IMin> {
  static constexpr Facts facts = discrete("ii:i", "min(%0, %1)", "std::min(%0, %1)", kCommutative);
  static int64_t kernel(const Parameters&, int64_t a, int64_t b) { return b < a ? b : a; }
};

template <>
struct Row<OpCode::IMax> {
  static constexpr Facts facts = discrete("ii:i", "max(%0, %1)", "std::max(%0, %1)", kCommutative);
  static int64_t kernel(const Parameters&, int64_t a, int64_t b) { return a < b ? b : a; }
};

template <>
struct Row<OpCode::FLt> {
  static constexpr Facts facts = discrete("rr:b", "%0 < %1", "%0 < %1");
  static bool kernel(const Parameters&, double a, double b) { return a < b; }
};

template <>
struct Row<OpCode::FLe> {
  static constexpr Facts facts = discrete("rr:b", "%0 <= %1", "%0 <= %1");
  static bool kernel(const Parameters&, double a, double b) { return a <= b; }
};

template <>
struct Row<OpCode::FEq> {
  static constexpr Facts facts = discrete("rr:b", "%0 == %1", "%0 == %1", kCommutative);
  static bool kernel(const Parameters&, double a, double b) { return a == b; }
};

template <>
struct Row<OpCode::FNe> {
  static constexpr Facts facts = discrete("rr:b", "%0 != %1", "%0 != %1", kCommutative);
  static bool kernel(const Parameters&, double a, double b) { return a != b; }
};

template <>
struct Row<OpCode::ILt> {
  static constexpr Facts facts = discrete("ii:b", "%0 < %1", "%0 < %1");
  static bool kernel(const Parameters&, int64_t a, int64_t b) { return a < b; }
};

template <>
struct Row<OpCode::ILe> {
  static constexpr Facts facts = discrete("ii:b", "%0 <= %1", "%0 <= %1");
  static bool kernel(const Parameters&, int64_t a, int64_t b) { return a <= b; }
};

template <>
struct Row<OpCode::IEq> {
  static constexpr Facts facts = discrete("ii:b", "%0 == %1", "%0 == %1", kCommutative);
  static bool kernel(const Parameters&, int64_t a, int64_t b) { return a == b; }
};

template <>
struct Row<OpCode::INe> {
  static constexpr Facts facts = discrete("ii:b", "%0 != %1", "%0 != %1", kCommutative);
  static bool kernel(const Parameters&, int64_t a, int64_t b) { return a != b; }
};

template <>
struct Row<OpCode::And> {
  static constexpr Facts facts = discrete("bb:b", "%0 and %1", "%0 && %1", kCommutative);
  static bool kernel(const Parameters&, bool a, bool b) { return a && b; }
};

template <>
struct Row<OpCode::Or> {
  static constexpr Facts facts = discrete("bb:b", "%0 or %1", "%0 || %1", kCommutative);
  static bool kernel(const Parameters&, bool a, bool b) { return a || b; }
};

template <>
struct Row<OpCode::Not> {
  static constexpr Facts facts = discrete("b:b", "not %0", "!%0", kInvolution);
  static bool kernel(const Parameters&, bool x) { return !x; }
};

template <>
struct Row<OpCode::IsFinite> {
  static constexpr Facts facts = discrete("r:b", "isfinite(%0)", "std::isfinite(%0)");
  static bool kernel(const Parameters&, double x) { return std::isfinite(x); }
};

template <>
struct Row<OpCode::IsNan> {
  static constexpr Facts facts = discrete("r:b", "isnan(%0)", "std::isnan(%0)");
  static bool kernel(const Parameters&, double x) { return std::isnan(x); }
};

template <>
struct Row<OpCode::IntToReal> {
  static constexpr Facts facts = discrete("i:r", "real(%0)", "static_cast<double>(%0)");
  static double kernel(const Parameters&, int64_t x) { return static_cast<double>(x); }
};

// Truncates; saturates at the ends of the range; NaN gives 0.
template <>
struct Row<OpCode::RealToInt> {
  static constexpr Facts facts = discrete("r:i", "int(%0)", "dini_real_to_int(%0)");
  static int64_t kernel(const Parameters&, double x) { return dini_real_to_int(x); }
};

template <>
struct Row<OpCode::BoolToReal> {
  static constexpr Facts facts = discrete("b:r", "real(%0)", "(%0 ? 1.0 : 0.0)");
  static double kernel(const Parameters&, bool x) { return x ? 1.0 : 0.0; }
};

template <>
struct Row<OpCode::BoolToInt> {
  static constexpr Facts facts = discrete("b:i", "int(%0)", "(%0 ? 1 : 0)");
  static int64_t kernel(const Parameters&, bool x) { return x ? 1 : 0; }
};

// The counter-based generator behind random numbers: key and counter.
template <>
struct Row<OpCode::Hash> {
  static constexpr Facts facts = discrete("ii:i", "", "dini_hash(%0, %1)");
  static int64_t kernel(const Parameters&, int64_t a, int64_t b) { return dini_hash(a, b); }
};

template <>
struct Row<OpCode::BitsToUnit> {
  static constexpr Facts facts = discrete("i:r", "", "dini_bits_to_unit(%0)");
  static double kernel(const Parameters&, int64_t x) { return dini_bits_to_unit(x); }
};

}  // namespace dini::ops
