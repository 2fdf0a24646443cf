// libmvec behind the functions of math.h. The variant is chosen at each call from the CPU's level
// (a load and well-predicted branches), so there is no static constructor.
#include "dini/math.h"

#include <immintrin.h>

#include <bit>
#include <cmath>

#include "cpu.h"

namespace {

using V2 = __m128d;
using V4 = __m256d;
using V8 = __m512d;

bool haveAvx512() { return dini::cpu::level() >= DINI_CPU_AVX512; }
bool haveAvx2() { return dini::cpu::level() >= DINI_CPU_AVX2; }

}  // namespace

#define DINI_MATH1(name)                                             \
  extern "C" V2 _ZGVbN2v_##name(V2);                                 \
  extern "C" V4 _ZGVdN4v_##name(V4) __attribute__((target("avx2"))); \
  extern "C" V8 _ZGVeN8v_##name(V8) __attribute__((target("avx512f")));
#define DINI_MATH2(name)                                                  \
  extern "C" V2 _ZGVbN2vv_##name(V2, V2);                                 \
  extern "C" V4 _ZGVdN4vv_##name(V4, V4) __attribute__((target("avx2"))); \
  extern "C" V8 _ZGVeN8vv_##name(V8, V8) __attribute__((target("avx512f")));
#include "dini/math_functions.def"
#undef DINI_MATH1
#undef DINI_MATH2

#define DINI_MATH1(name)                                                                         \
  namespace {                                                                                    \
  __attribute__((target("avx512f"), noinline)) double wide_##name(double x) {                    \
    return _mm512_cvtsd_f64(_ZGVeN8v_##name(_mm512_set1_pd(x)));                                 \
  }                                                                                              \
  __attribute__((target("avx2"), noinline)) double half_##name(double x) {                       \
    return _mm256_cvtsd_f64(_ZGVdN4v_##name(_mm256_set1_pd(x)));                                 \
  }                                                                                              \
  __attribute__((target("avx512f"), noinline)) void wide8_##name(const double* x, double* out) { \
    _mm512_storeu_pd(out, _ZGVeN8v_##name(_mm512_loadu_pd(x)));                                  \
  }                                                                                              \
  __attribute__((target("avx2"), noinline)) void half8_##name(const double* x, double* out) {    \
    const V4 low = _ZGVdN4v_##name(_mm256_loadu_pd(x));                                          \
    _mm256_storeu_pd(out + 4, _ZGVdN4v_##name(_mm256_loadu_pd(x + 4)));                          \
    _mm256_storeu_pd(out, low);                                                                  \
  }                                                                                              \
  }                                                                                              \
  double dini_##name(double x) {                                                                 \
    if (haveAvx512()) return wide_##name(x);                                                     \
    if (haveAvx2()) return half_##name(x);                                                       \
    return _mm_cvtsd_f64(_ZGVbN2v_##name(_mm_set1_pd(x)));                                       \
  }                                                                                              \
  void dini_v8_##name(const double x[8], double out[8]) {                                        \
    if (haveAvx512()) return wide8_##name(x, out);                                               \
    if (haveAvx2()) return half8_##name(x, out);                                                 \
    for (int k = 0; k < 8; k += 2) _mm_storeu_pd(out + k, _ZGVbN2v_##name(_mm_loadu_pd(x + k))); \
  }
#define DINI_MATH2(name)                                                                           \
  namespace {                                                                                      \
  __attribute__((target("avx512f"), noinline)) double wide_##name(double x, double y) {            \
    return _mm512_cvtsd_f64(_ZGVeN8vv_##name(_mm512_set1_pd(x), _mm512_set1_pd(y)));               \
  }                                                                                                \
  __attribute__((target("avx2"), noinline)) double half_##name(double x, double y) {               \
    return _mm256_cvtsd_f64(_ZGVdN4vv_##name(_mm256_set1_pd(x), _mm256_set1_pd(y)));               \
  }                                                                                                \
  __attribute__((target("avx512f"), noinline)) void wide8_##name(const double* x, const double* y, \
                                                                 double* out) {                    \
    _mm512_storeu_pd(out, _ZGVeN8vv_##name(_mm512_loadu_pd(x), _mm512_loadu_pd(y)));               \
  }                                                                                                \
  __attribute__((target("avx2"), noinline)) void half8_##name(const double* x, const double* y,    \
                                                              double* out) {                       \
    const V4 low = _ZGVdN4vv_##name(_mm256_loadu_pd(x), _mm256_loadu_pd(y));                       \
    _mm256_storeu_pd(out + 4, _ZGVdN4vv_##name(_mm256_loadu_pd(x + 4), _mm256_loadu_pd(y + 4)));   \
    _mm256_storeu_pd(out, low);                                                                    \
  }                                                                                                \
  }                                                                                                \
  double dini_##name(double x, double y) {                                                         \
    if (haveAvx512()) return wide_##name(x, y);                                                    \
    if (haveAvx2()) return half_##name(x, y);                                                      \
    return _mm_cvtsd_f64(_ZGVbN2vv_##name(_mm_set1_pd(x), _mm_set1_pd(y)));                        \
  }                                                                                                \
  void dini_v8_##name(const double x[8], const double y[8], double out[8]) {                       \
    if (haveAvx512()) return wide8_##name(x, y, out);                                              \
    if (haveAvx2()) return half8_##name(x, y, out);                                                \
    for (int k = 0; k < 8; k += 2)                                                                 \
      _mm_storeu_pd(out + k, _ZGVbN2vv_##name(_mm_loadu_pd(x + k), _mm_loadu_pd(y + k)));          \
  }
#include "dini/math_functions.def"
#undef DINI_MATH1
#undef DINI_MATH2

int dini_vector_lanes(void) { return haveAvx512() ? 8 : haveAvx2() ? 4 : 2; }

double dini_powi(double x, int64_t n) {
  uint64_t left = n < 0 ? 0 - static_cast<uint64_t>(n) : static_cast<uint64_t>(n);
  double result = 1, base = x;
  while (left != 0) {
    if (left & 1) result *= base;
    base *= base;
    left >>= 1;
  }
  return n < 0 ? 1 / result : result;
}

double dini_sigmoid(double x) {
  const double e = dini_exp(-std::fabs(x));
  return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

double dini_softplus(double x) { return (x > 0 ? x : 0.0) + dini_log1p(dini_exp(-std::fabs(x))); }

namespace {

double pairwise(const double p[8]) {
  return ((p[0] + p[1]) + (p[2] + p[3])) + ((p[4] + p[5]) + (p[6] + p[7]));
}

}  // namespace

double dini_sum(const double* x, int64_t n) {
  double p[8] = {};
  int64_t k = 0;
  for (; k + 8 <= n; k += 8)
    for (int lane = 0; lane < 8; ++lane) p[lane] += x[k + lane];
  for (int lane = 0; k < n; ++k, ++lane) p[lane] += x[k];
  return pairwise(p);
}

double dini_norm(const double* x, int64_t n) {
  const auto sumSquares = [&](double scale) {
    double p[8] = {};
    for (int64_t k = 0; k < n; ++k) {
      const double v = x[k] * scale;
      p[k & 7] += v * v;
    }
    return pairwise(p);
  };
  const double plain = sumSquares(1);
  if (plain >= 0x1p-900 && plain <= 0x1p1000) return std::sqrt(plain);
  double largest = 0;
  for (int64_t k = 0; k < n; ++k) {
    if (std::isnan(x[k])) return x[k];
    largest = std::fmax(largest, std::fabs(x[k]));
  }
  if (largest == 0 || std::isinf(largest)) return largest;
  const int exponent = std::ilogb(largest);
  // Two factors: 2^-exponent itself overflows for subnormals.
  const int low = exponent / 2, high = exponent - low;
  double p[8] = {};
  for (int64_t k = 0; k < n; ++k) {
    const double v = std::ldexp(std::ldexp(x[k], -low), -high);
    p[k & 7] += v * v;
  }
  return std::ldexp(std::sqrt(pairwise(p)), exponent);
}

int64_t dini_hash(int64_t key, int64_t counter) {
  const auto mix = [](uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  };
  const uint64_t golden = 0x9e3779b97f4a7c15u;
  const uint64_t stream = mix(static_cast<uint64_t>(key) + golden);
  return static_cast<int64_t>(mix(stream + golden * (static_cast<uint64_t>(counter) + 1)));
}

double dini_bits_to_unit(int64_t bits) {
  return static_cast<double>((static_cast<uint64_t>(bits) >> 11) | 1) * 0x1p-53;
}

int64_t dini_real_to_int(double x) {
  if (std::isnan(x)) return 0;
  if (x >= 0x1p63) return INT64_MAX;
  if (x <= -0x1p63) return INT64_MIN;
  return static_cast<int64_t>(x);
}
