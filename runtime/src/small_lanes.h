// The numbers of small_systems.cpp: a double, or eight of them in a vector, with the same operations.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

namespace dini::small {

#define DINI_ALWAYS [[gnu::always_inline]] inline

struct Lanes {
  using Reals = double __attribute__((vector_size(64)));
  using Ints = int64_t __attribute__((vector_size(64)));
  Reals v;
};
struct LaneMask {
  Lanes::Ints v;  // all bits, or none
};

template <class Real>
struct MaskOf {
  using Type = bool;
};
template <>
struct MaskOf<Lanes> {
  using Type = LaneMask;
};
template <class Real>
using Mask = typename MaskOf<Real>::Type;

template <class Real>
Real splat(double x);
template <>
DINI_ALWAYS double splat<double>(double x) {
  return x;
}
template <>
DINI_ALWAYS Lanes splat<Lanes>(double x) {
  return {Lanes::Reals{x, x, x, x, x, x, x, x}};
}

DINI_ALWAYS Lanes operator+(Lanes a, Lanes b) { return {a.v + b.v}; }
DINI_ALWAYS Lanes operator-(Lanes a, Lanes b) { return {a.v - b.v}; }
DINI_ALWAYS Lanes operator*(Lanes a, Lanes b) { return {a.v * b.v}; }
DINI_ALWAYS Lanes operator/(Lanes a, Lanes b) { return {a.v / b.v}; }
DINI_ALWAYS LaneMask operator>(Lanes a, Lanes b) { return {a.v > b.v}; }
DINI_ALWAYS LaneMask operator>=(Lanes a, Lanes b) { return {a.v >= b.v}; }
DINI_ALWAYS LaneMask operator<=(Lanes a, Lanes b) { return {a.v <= b.v}; }
DINI_ALWAYS LaneMask operator==(Lanes a, Lanes b) { return {a.v == b.v}; }

DINI_ALWAYS bool both(bool a, bool b) { return a && b; }
DINI_ALWAYS LaneMask both(LaneMask a, LaneMask b) { return {a.v & b.v}; }
DINI_ALWAYS LaneMask either(LaneMask a, LaneMask b) { return {a.v | b.v}; }
DINI_ALWAYS double select(bool c, double a, double b) { return c ? a : b; }
DINI_ALWAYS Lanes select(LaneMask c, Lanes a, Lanes b) { return {c.v ? a.v : b.v}; }

DINI_ALWAYS double magnitude(double x) { return std::fabs(x); }
DINI_ALWAYS Lanes magnitude(Lanes x) {
  return {(Lanes::Reals)((Lanes::Ints)x.v & 0x7fffffffffffffff)};
}
DINI_ALWAYS double squareRoot(double x) { return std::sqrt(x); }
DINI_ALWAYS Lanes squareRoot(Lanes x) { return {__builtin_elementwise_sqrt(x.v)}; }

// Element k of an array.
template <class Real>
DINI_ALWAYS Real load(const double* p, int64_t k) {
  Real value;
  std::memcpy(&value, p + k * static_cast<int64_t>(sizeof(Real) / sizeof(double)), sizeof value);
  return value;
}
DINI_ALWAYS void store(double* p, int64_t k, double value, bool where) {
  if (where) p[k] = value;
}
DINI_ALWAYS void store(double* p, int64_t k, Lanes value, LaneMask where) {
  const Lanes kept = select(where, value, load<Lanes>(p, k));
  std::memcpy(p + 8 * k, &kept, sizeof kept);
}

// Ints that are small, held as reals.
template <class Real>
Real loadInt(const int64_t* p, int64_t k);
template <>
DINI_ALWAYS double loadInt<double>(const int64_t* p, int64_t k) {
  return static_cast<double>(p[k]);
}
template <>
DINI_ALWAYS Lanes loadInt<Lanes>(const int64_t* p, int64_t k) {
  Lanes::Ints value;
  std::memcpy(&value, p + 8 * k, sizeof value);
  return {__builtin_convertvector(value, Lanes::Reals)};
}
DINI_ALWAYS void storeInt(int64_t* p, int64_t k, double value, bool where) {
  if (where) p[k] = static_cast<int64_t>(value);
}
DINI_ALWAYS void storeInt(int64_t* p, int64_t k, Lanes value, LaneMask where) {
  Lanes::Ints kept;
  std::memcpy(&kept, p + 8 * k, sizeof kept);
  kept = where.v ? __builtin_convertvector(value.v, Lanes::Ints) : kept;
  std::memcpy(p + 8 * k, &kept, sizeof kept);
}

DINI_ALWAYS LaneMask maskOf(int bits) {
  const int64_t all = bits;
  const Lanes::Ints each = Lanes::Ints{all, all, all, all, all, all, all, all} &
                           Lanes::Ints{1, 2, 4, 8, 16, 32, 64, 128};
  return {each != 0};
}

}  // namespace dini::small
