// W1: z(x) with tanh(z) + relu(-z) + z - relu(z) = x (that is z = atanh(x)) and dz/dx for a million
// x, by Newton in eight lanes with libmvec's tanh and by scalar code.
#include <immintrin.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "timing.h"

extern "C" __m512d _ZGVeN8v_tanh(__m512d);

namespace {

constexpr double kTolerance = 1e-10;

__attribute__((target("avx512f,avx512dq"))) void lanes(const double* x, double* z_out,
                                                       double* slope_out, int64_t n) {
  const __m512d one = _mm512_set1_pd(1), tolerance = _mm512_set1_pd(kTolerance);
  for (int64_t i = 0; i < n; i += 8) {
    const __m512d target = _mm512_loadu_pd(x + i);
    __m512d z = _mm512_setzero_pd(), slope = one;
    for (int k = 0; k < 100; ++k) {
      const __m512d t = _ZGVeN8v_tanh(z);
      // relu(-z) + z - relu(z) is 0 on both sides.
      const __m512d r = _mm512_sub_pd(t, target);
      slope = _mm512_mul_pd(_mm512_sub_pd(one, t), _mm512_add_pd(one, t));
      z = _mm512_sub_pd(z, _mm512_div_pd(r, slope));
      if (_mm512_cmp_pd_mask(_mm512_abs_pd(r), tolerance, _CMP_GT_OQ) == 0) break;
    }
    _mm512_storeu_pd(z_out + i, z);
    _mm512_storeu_pd(slope_out + i, _mm512_div_pd(one, slope));
  }
}

void scalars(const double* x, double* z_out, double* slope_out, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    double z = 0, slope = 1;
    for (int k = 0; k < 100; ++k) {
      const double t = std::tanh(z), r = t - x[i];
      slope = (1 - t) * (1 + t);
      z -= r / slope;
      if (std::fabs(r) <= kTolerance) break;
    }
    z_out[i] = z;
    slope_out[i] = 1 / slope;
  }
}

}  // namespace

int main() {
  const int64_t n = 1'000'000;
  std::vector<double> x(n), z(n), slope(n);
  for (int64_t i = 0; i < n; ++i)
    x[static_cast<size_t>(i)] = -0.9 + 1.8 * static_cast<double>(i) / static_cast<double>(n);
  const auto checksum = [&] { return z[12345] + slope[987654]; };
  scalars(x.data(), z.data(), slope.data(), n);
  bench::measure("roots, scalar", checksum(),
                 [&] { scalars(x.data(), z.data(), slope.data(), n); });
  if (__builtin_cpu_supports("avx512dq")) {
    lanes(x.data(), z.data(), slope.data(), n);
    bench::measure("roots, eight lanes", checksum(),
                   [&] { lanes(x.data(), z.data(), slope.data(), n); });
  }
}
