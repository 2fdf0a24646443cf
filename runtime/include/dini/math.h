/* Elementary and special functions: one implementation per machine, which the interpreter and
 * compiled code at every level share, so that they agree to the last bit.
 *
 * The functions of math_functions.def are glibc's libmvec in the widest variant the CPU has (8
 * lanes with AVX-512, 4 with AVX2, else 2; cpu.h); dini_exp(x) is a lane of it. The variants differ
 * in the last bits: of cbrt, tan, cosh, tanh, asinh in a third to a half of all values between
 * AVX-512 and the others, of exp, erf, pow hardly ever. A lane does not depend on
 * its neighbours (tests/unit/runtime_math.cpp samples this), and special values (NaN, infinities,
 * zeros with their signs, subnormals, huge arguments) are those of libm. Accuracy: 4 ulp at worst,
 * mostly below 1.
 * sqrt, fabs, floor, ceil, rint are exact in IEEE arithmetic: use them directly.
 * No function here allocates or sets errno on purpose. */
#ifndef DINI_MATH_H
#define DINI_MATH_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DINI_MATH1(name)      \
  double dini_##name(double); \
  void dini_v8_##name(const double x[8], double out[8]); /* lane by lane dini_name; may alias */
#define DINI_MATH2(name)              \
  double dini_##name(double, double); \
  void dini_v8_##name(const double x[8], const double y[8], double out[8]);
#include "dini/math_functions.def"
#undef DINI_MATH1
#undef DINI_MATH2

/* Lanes of the vector variant in use: 8, 4 or 2. */
int dini_vector_lanes(void);

/* log |Gamma(x)|; +inf at the poles. */
double dini_lgamma(double x);
/* The order-th derivative of digamma = polygamma of order 0; order >= 0. NaN at the poles of
 * digamma, +-inf elsewhere as the limit; relative error about 1e-14 away from zeros. */
double dini_polygamma(int order, double x);
/* x^n by repeated squaring: result = 1, base = x; while n: if n odd result *= base; base *= base;
 * n /= 2. A negative n: 1 / x^-n. */
double dini_powi(double x, int64_t n);
/* 1 / (1 + e^-x), computed from e^-|x|; log(1 + e^x) as max(x, 0) + log1p(e^-|x|). */
double dini_sigmoid(double x);
double dini_softplus(double x);

/* Sums in the documented order: p[k mod 8] += x[k], then ((p0+p1)+(p2+p3))+((p4+p5)+(p6+p7)). */
double dini_sum(const double* x, int64_t n);
/* sqrt of the sum of squares (same order); scaled by a power of two where that sum over- or
 * underflows. inf where an element is infinite and none is NaN. */
double dini_norm(const double* x, int64_t n);

/* SplitMix64 finaliser of a counter in the stream that `key` selects. */
int64_t dini_hash(int64_t key, int64_t counter);
/* The top 53 bits, the lowest of them set, as a real of (0, 1). */
double dini_bits_to_unit(int64_t bits);
/* Truncation, saturated at the ends of the range; NaN gives 0. */
int64_t dini_real_to_int(double x);

#ifdef __cplusplus
}
#endif
#endif
