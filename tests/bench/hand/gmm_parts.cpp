#include "hand/gmm_parts.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "hand/lanes.h"

namespace dini::bench {
namespace {

double logSumExp(const std::vector<double>& x) {
  const double top = *std::max_element(x.begin(), x.end());
  double sum = 0;
  for (const double each : x) sum += std::exp(each - top);
  return top + std::log(sum);
}

}  // namespace

GmmGradient::GmmGradient(const GmmProblem& problem)
    : alphas(problem.K), means(problem.K * problem.d), icf(problem.K * icfSize(problem.d)) {}

GmmScratch::GmmScratch(const GmmProblem& problem)
    : factors(problem.K * problem.d * problem.d),
      log_diagonals(problem.K),
      statistic(problem.d * problem.d) {
  constexpr int64_t kTile = 8 * kLanes;  // the largest tile of gmm_lanes.cpp
  padded = (problem.n + kTile - 1) / kTile * kTile;
  points.resize(problem.d * padded);
  terms.resize(problem.K * padded);
  u.resize(problem.n * problem.d);
  v.resize(problem.K * problem.n * problem.d);
}

void unpackFactors(const GmmProblem& problem, GmmScratch& scratch) {
  const int64_t d = problem.d;
  for (int64_t k = 0; k < problem.K; ++k) {
    const double* icf = &problem.icf[k * icfSize(d)];
    double* q = &scratch.factors[k * d * d];
    double sum = 0;
    const double* below = icf + d;
    for (int64_t j = 0; j < d; ++j) {
      sum += icf[j];
      q[j * d + j] = std::exp(icf[j]);
      for (int64_t i = j + 1; i < d; ++i) q[i * d + j] = *below++;
    }
    scratch.log_diagonals[k] = sum;
  }
}

double gmmPrior(const GmmProblem& problem, const GmmScratch& scratch) {
  const int64_t d = problem.d, p = icfSize(d);
  const double gamma = problem.gamma;
  double prior = 0;
  for (int64_t k = 0; k < problem.K; ++k) {
    double squares = 0;
    for (int64_t i = 0; i < d; ++i) {
      const double diagonal = scratch.factors[(k * d + i) * d + i];
      squares += diagonal * diagonal;
    }
    for (int64_t i = d; i < p; ++i) squares += problem.icf[k * p + i] * problem.icf[k * p + i];
    prior += 0.5 * gamma * gamma * squares - problem.m * scratch.log_diagonals[k];
  }
  const double pi = std::numbers::pi, freedom = static_cast<double>(d + problem.m + 1);
  double log_gamma = 0.25 * d * (d - 1) * std::log(pi);
  for (int64_t j = 0; j < d; ++j) log_gamma += std::lgamma(0.5 * (freedom - j));
  const double constant = freedom * d * (std::log(gamma) - 0.5 * std::log(2.0)) - log_gamma;
  return -problem.n * logSumExp(problem.alphas) - 0.5 * problem.n * d * std::log(2 * pi) +
         problem.K * constant - prior;
}

double gmmPrior(const GmmProblem& problem, const GmmScratch& scratch, GmmGradient& gradient) {
  const int64_t d = problem.d, p = icfSize(d);
  const double square = problem.gamma * problem.gamma, all = logSumExp(problem.alphas);
  for (int64_t k = 0; k < problem.K; ++k) {
    gradient.alphas[k] = -problem.n * std::exp(problem.alphas[k] - all);
    for (int64_t i = 0; i < d; ++i) {
      const double diagonal = scratch.factors[(k * d + i) * d + i];
      gradient.icf[k * p + i] = problem.m - square * diagonal * diagonal;
    }
    for (int64_t i = d; i < p; ++i) gradient.icf[k * p + i] = -square * problem.icf[k * p + i];
  }
  return gmmPrior(problem, scratch);
}

void addFactorCotangent(const GmmProblem& problem, const GmmScratch& scratch, int64_t k,
                        const double* q_bar, GmmGradient& gradient) {
  const int64_t d = problem.d;
  double* icf_bar = &gradient.icf[k * icfSize(d)];
  double* below = icf_bar + d;
  for (int64_t j = 0; j < d; ++j) {
    icf_bar[j] += q_bar[j * d + j] * scratch.factors[(k * d + j) * d + j];
    for (int64_t i = j + 1; i < d; ++i) *below++ += q_bar[i * d + j];
  }
}

}  // namespace dini::bench
