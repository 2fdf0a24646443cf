// W5: value and gradient of a Gaussian mixture's log likelihood with diagonal precisions: d
// dimensions, k components, n points, parameters alpha [k], mu [k, d], log scales q [k, d]. Points
// are worked on eight at a time, as structure of arrays, forward and backward fused per block.
#include <immintrin.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "timing.h"

extern "C" __m512d _ZGVeN8v_exp(__m512d);
extern "C" __m512d _ZGVeN8v_log(__m512d);

namespace {

struct Mixture {
  int64_t d, k, n;
  std::vector<double> alpha, mu, q, points;  // points [d, n]
  std::vector<double> scale, alpha_bar, mu_bar, q_bar;

  Mixture(int64_t dims, int64_t components, int64_t count) : d(dims), k(components), n(count) {
    const auto fill = [](std::vector<double>& v, int64_t size, double step) {
      v.resize(static_cast<size_t>(size));
      for (int64_t i = 0; i < size; ++i)
        v[static_cast<size_t>(i)] = std::sin(step * static_cast<double>(i));
    };
    fill(alpha, k, 1.1);
    fill(mu, k * d, 0.7);
    fill(q, k * d, 0.3);
    fill(points, d * n, 0.37);
    scale.resize(q.size());
    alpha_bar.resize(alpha.size());
    mu_bar.resize(mu.size());
    q_bar.resize(q.size());
  }

  // sum over points of logsumexp_c(alpha_c + sum q_c - 1/2 |exp(q_c) (x - mu_c)|^2)
  __attribute__((target("avx512f,avx512dq"))) double gradient() {
    std::vector<double> offset(alpha);
    for (int64_t c = 0; c < k; ++c)
      for (int64_t j = 0; j < d; ++j) {
        scale[c * d + j] = std::exp(q[c * d + j]);
        offset[c] += q[c * d + j];
      }
    std::vector<__m512d> alpha_acc(k, _mm512_setzero_pd()), mu_acc(k * d, _mm512_setzero_pd()),
        q_acc(k * d, _mm512_setzero_pd()), logit(k), gap(k * d);
    __m512d total = _mm512_setzero_pd();
    for (int64_t first = 0; first < n; first += 8) {
      __m512d largest = _mm512_set1_pd(-HUGE_VAL);
      for (int64_t c = 0; c < k; ++c) {
        __m512d square = _mm512_setzero_pd();
        for (int64_t j = 0; j < d; ++j) {
          const __m512d x = _mm512_loadu_pd(&points[j * n + first]);
          const __m512d u = _mm512_mul_pd(_mm512_sub_pd(x, _mm512_set1_pd(mu[c * d + j])),
                                          _mm512_set1_pd(scale[c * d + j]));
          gap[c * d + j] = u;
          square = _mm512_fmadd_pd(u, u, square);
        }
        logit[c] = _mm512_fnmadd_pd(_mm512_set1_pd(0.5), square, _mm512_set1_pd(offset[c]));
        largest = _mm512_max_pd(largest, logit[c]);
      }
      __m512d sum = _mm512_setzero_pd();
      for (int64_t c = 0; c < k; ++c) {
        logit[c] = _ZGVeN8v_exp(_mm512_sub_pd(logit[c], largest));
        sum = _mm512_add_pd(sum, logit[c]);
      }
      total = _mm512_add_pd(total, _mm512_add_pd(largest, _ZGVeN8v_log(sum)));
      const __m512d inverse = _mm512_div_pd(_mm512_set1_pd(1), sum);
      for (int64_t c = 0; c < k; ++c) {
        const __m512d weight = _mm512_mul_pd(logit[c], inverse);
        alpha_acc[c] = _mm512_add_pd(alpha_acc[c], weight);
        for (int64_t j = 0; j < d; ++j) {
          const __m512d u = gap[c * d + j], wu = _mm512_mul_pd(weight, u);
          mu_acc[c * d + j] = _mm512_add_pd(mu_acc[c * d + j], wu);
          q_acc[c * d + j] = _mm512_fmadd_pd(wu, u, q_acc[c * d + j]);
        }
      }
    }
    for (int64_t c = 0; c < k; ++c) {
      alpha_bar[c] = _mm512_reduce_add_pd(alpha_acc[c]);
      for (int64_t j = 0; j < d; ++j) {
        mu_bar[c * d + j] = _mm512_reduce_add_pd(mu_acc[c * d + j]) * scale[c * d + j];
        q_bar[c * d + j] = alpha_bar[c] - _mm512_reduce_add_pd(q_acc[c * d + j]);
      }
    }
    return _mm512_reduce_add_pd(total);
  }
};

}  // namespace

int main() {
  if (!__builtin_cpu_supports("avx512dq")) {
    std::puts("mixture: skipped, this CPU has no AVX-512");
    return 0;
  }
  for (int64_t d : {10, 64}) {
    Mixture mixture(d, 25, 1000);
    double value = mixture.gradient();
    char name[40];
    std::snprintf(name, sizeof name, "GMM d %d k 25 n 1000", static_cast<int>(d));
    bench::measure(name, value + mixture.mu_bar[7],
                   [&] { bench::keep(value = mixture.gradient()); });
  }
}
