// The version with matrix products: V_k = U_k Q_k', and Q_bar_k = -tril((W_k V_k)' U_k).
#include <algorithm>
#include <cmath>

#include "dini/linalg.h"
#include "hand/gmm_parts.h"

namespace dini::bench {
namespace {

void differences(const GmmProblem& problem, GmmScratch& scratch, int64_t k) {
  for (int64_t i = 0; i < problem.n; ++i)
    for (int64_t j = 0; j < problem.d; ++j)
      scratch.u[i * problem.d + j] =
          problem.x[i * problem.d + j] - problem.means[k * problem.d + j];
}

double squaredNorm(const double* v, int64_t d) {
#pragma clang fp reassociate(on)
  double sum = 0;
  for (int64_t j = 0; j < d; ++j) sum += v[j] * v[j];
  return sum;
}

// terms [n, K]; V of every component is kept where `keep` is set.
void terms(const GmmProblem& problem, GmmScratch& scratch, bool keep) {
  const int64_t n = problem.n, d = problem.d, K = problem.K;
  for (int64_t k = 0; k < K; ++k) {
    differences(problem, scratch, k);
    double* v = &scratch.v[keep ? k * n * d : 0];
    dini_gemm(0, 1, n, d, d, scratch.u.data(), d, &scratch.factors[k * d * d], d, v);
    const double constant = problem.alphas[k] + scratch.log_diagonals[k];
    for (int64_t i = 0; i < n; ++i) {
      scratch.terms[i * K + k] = constant - 0.5 * squaredNorm(v + i * d, d);
    }
  }
}

// sum of the rows' logsumexp; the terms become their softmax.
double likelihood(const GmmProblem& problem, GmmScratch& scratch) {
  const int64_t K = problem.K;
  double total = 0;
  for (int64_t i = 0; i < problem.n; ++i) {
    double* row = &scratch.terms[i * K];
    const double top = *std::max_element(row, row + K);
    double sum = 0;
    for (int64_t k = 0; k < K; ++k) sum += row[k] = std::exp(row[k] - top);
    for (int64_t k = 0; k < K; ++k) row[k] /= sum;
    total += top + std::log(sum);
  }
  return total;
}

void backward(const GmmProblem& problem, GmmScratch& scratch, int64_t k, GmmGradient& bar) {
  const int64_t n = problem.n, d = problem.d;
  double* v = &scratch.v[k * n * d];
  std::vector<double> sums(d);
  double weight = 0;
  for (int64_t i = 0; i < n; ++i) {
    const double w = scratch.terms[i * problem.K + k];
    weight += w;
    for (int64_t j = 0; j < d; ++j) {
      v[i * d + j] *= -w;
      sums[j] -= v[i * d + j];
    }
  }
  bar.alphas[k] += weight;
  const double* q = &scratch.factors[k * d * d];
  for (int64_t j = 0; j < d; ++j) bar.means[k * d + j] = 0;
  for (int64_t i = 0; i < d; ++i) {
    bar.icf[k * icfSize(d) + i] += weight;
    for (int64_t j = 0; j < d; ++j) bar.means[k * d + j] += q[i * d + j] * sums[i];
  }
  differences(problem, scratch, k);
  dini_gemm(1, 0, d, d, n, v, d, scratch.u.data(), d, scratch.statistic.data());
  addFactorCotangent(problem, scratch, k, scratch.statistic.data(), bar);
}

}  // namespace

double gmmBlas(const GmmProblem& problem, GmmScratch& scratch) {
  unpackFactors(problem, scratch);
  terms(problem, scratch, false);
  return likelihood(problem, scratch) + gmmPrior(problem, scratch);
}

double gmmBlas(const GmmProblem& problem, GmmScratch& scratch, GmmGradient& gradient) {
  unpackFactors(problem, scratch);
  terms(problem, scratch, true);
  const double value = gmmPrior(problem, scratch, gradient) + likelihood(problem, scratch);
  for (int64_t k = 0; k < problem.K; ++k) backward(problem, scratch, k, gradient);
  return value;
}

}  // namespace dini::bench
