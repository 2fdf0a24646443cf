// What a row of the op table states. There is one row per elementwise operation, in rows/*.h: a
// specialisation of Row with
//   facts    every column; the columns have no defaults, so a forgotten one does not compile;
//   kernel   the evaluation on machine numbers, which defines the operation to the last bit;
//   partial  the partial derivatives, as a template over an Algebra (algebra.h): instantiated with
//            doubles (tests), with the IR builder (differentiation, ir/partials.h) and with text
//            (documentation).
// Not here: array, control and solve operations (docs/ir.md, ad/).
#pragma once

#include <limits>

#include "ops/algebra.h"
#include "ops/linearity.h"
#include "ops/opcode.h"

namespace dini::ops {

// Of the operation as a function of its real operands, on its domain.
enum class Regularity {
  Smooth,    // infinitely differentiable
  Kink,      // continuous, with one-sided derivatives where `kinks` says
  Jump,      // discontinuous there; its derivative elsewhere is zero
  Pole,      // value or derivative infinite there, smooth elsewhere
  Discrete,  // integers or booleans are involved: never differentiated
};

// Facts that hold to the last bit, zeros' signs aside where the name says Real.
enum Algebraic : unsigned {
  kNoFact = 0,
  kCommutative = 1,
  kOdd = 2,          // f(-x) = -f(x)
  kEven = 4,         // f(-x) = f(x)
  kIncreasing = 8,   // as a real function
  kDecreasing = 16,
  kIdempotent = 32,  // f(f(x)) = f(x)
  kInvolution = 64,  // f(f(x)) = x
};

struct Interval {
  double lo = 0, hi = 0;
};
inline constexpr double kInf = std::numeric_limits<double>::infinity();
inline constexpr Interval kReals{-kInf, kInf};

inline constexpr int kMaxArity = 5;

// One interval per operand; those of integer and boolean operands are ignored.
struct Box {
  Interval operands[kMaxArity] = {};
};

// A column: no default, so that designated initialisers must name it.
template <class T>
struct Column {
  T value;
  constexpr Column(T v) : value(v) {}  // NOLINT: columns are written as plain values
  constexpr operator T() const { return value; }  // NOLINT
};

struct Facts {
  Column<const char*> signature;  // signature.h
  Column<Regularity> regularity;
  Column<const char*> kinks;      // where it is not smooth; "" if nowhere
  Column<Box> domain;             // closed hull of where it is a number
  Column<Box> sampling;           // where tests draw from: inside the domain, off the poles
  Column<LinearRule> linear;
  Column<unsigned> partials;      // operands for which the row has a partial derivative
  Column<unsigned> algebraic;
  Column<const char*> dini;       // spelling; %0, %1, ... operands, %i the integer attribute
  Column<const char*> cpp;
  Column<const char*> vector;     // libmvec's function name; "" if there is none
};

// Attributes that evaluation reads: exponent, order, tie weight, ...
struct Parameters {
  int64_t i = 0;
  double f = 0;
};

template <ir::OpCode code>
struct Row;  // a missing row does not compile (table.cpp instantiates all)

constexpr LinearRule joint(unsigned operands) { return {Linearity::Joint, operands}; }
constexpr LinearRule bilinear() { return {Linearity::Either, 0b11}; }
constexpr LinearRule notLinear() { return {}; }

}  // namespace dini::ops
