// W5 by hand: the log-likelihood of a Gaussian mixture of gmm.dini, and its gradient in alphas,
// means and icf. With u = x_i - mean_k and Q_k the lower triangular factor that icf_k holds:
//   term_ik = alpha_k + sum(log diag Q_k) - |Q_k u|^2 / 2,   value = sum_i logsumexp_k term_ik +
//   ...
// and, with w_ik = softmax_k term_ik, the statistics s_k = sum_i w_ik u, S_k = sum_i w_ik u u':
//   alpha_bar_k = sum_i w_ik - n softmax(alpha)_k,  mean_bar_k = Q' Q s,  Q_bar = -tril(Q S).
// Two versions: structure of arrays over the points with everything fused, for d = 10 and 64; and
// matrix products by OpenBLAS, for any d.
#pragma once

#include <cstdint>
#include <vector>

namespace dini::bench {

struct GmmProblem {
  int64_t n = 0, d = 0, K = 0, m = 0;
  double gamma = 1;
  std::vector<double> alphas, means, icf, x;  // [K], [K, d], [K, d (d + 1) / 2], [n, d]
};

struct GmmGradient {
  std::vector<double> alphas, means, icf;
  explicit GmmGradient(const GmmProblem& problem);
};

// Arrays between the passes, made once per size.
struct GmmScratch {
  std::vector<double> factors;        // [K, d, d], row-major, zeros above
  std::vector<double> log_diagonals;  // [K]
  std::vector<double> points, terms;  // structure of arrays: [d, padded n], [K, padded n]
  std::vector<double> u, v;           // BLAS: [n, d], [K, n, d]
  std::vector<double> statistic;      // [d, d]
  int64_t padded = 0;
  explicit GmmScratch(const GmmProblem& problem);
};

double gmmLanes(const GmmProblem& problem, GmmScratch& scratch);
double gmmLanes(const GmmProblem& problem, GmmScratch& scratch, GmmGradient& gradient);
double gmmBlas(const GmmProblem& problem, GmmScratch& scratch);
double gmmBlas(const GmmProblem& problem, GmmScratch& scratch, GmmGradient& gradient);

}  // namespace dini::bench
