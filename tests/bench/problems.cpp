#include "problems.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "dini/math.h"
#include "hand/gmm_parts.h"

namespace dini::bench {

std::vector<double> uniform(uint64_t seed, size_t count, double low, double high) {
  std::vector<double> numbers(count);
  for (size_t i = 0; i < count; ++i)
    numbers[i] = low + (high - low) * dini_bits_to_unit(dini_hash(static_cast<int64_t>(seed),
                                                                  static_cast<int64_t>(i)));
  return numbers;
}

RootsProblem rootsProblem(size_t count) {
  return {uniform(1, count, -0.9, 0.9), std::vector<double>(count, 1.0)};
}

RootsProblem systemsProblem(size_t count) {
  return {uniform(20, count, 0.5, 1.5), uniform(21, count, -1, 1)};
}

std::vector<double> rosenbrockPoint(size_t count) { return uniform(2, count, -1.5, 1.5); }

GmmProblem gmmProblem(int64_t n, int64_t d, int64_t K) {
  GmmProblem problem;
  problem.n = n;
  problem.d = d;
  problem.K = K;
  problem.alphas = uniform(3, K, -1, 1);
  problem.means = uniform(4, K * d, -1, 1);
  problem.icf = uniform(5, K * icfSize(d), -0.3, 0.3);
  problem.x = uniform(6, n * d, -1, 1);
  return problem;
}

std::vector<double> brusselatorStart(int64_t n) {
  std::vector<double> z;
  for (int64_t p = 0; p < n * n; ++p) {
    const double x = static_cast<double>(p / n) / static_cast<double>(n), y = static_cast<double>(p % n) / static_cast<double>(n);
    z.push_back(1 + 0.5 * std::sin(2 * std::numbers::pi * x) * std::sin(4 * std::numbers::pi * y));
    z.push_back(3.4 + 0.3 * std::cos(2 * std::numbers::pi * (x + y)));
  }
  return z;
}

QpProblem qpProblem(int64_t count, int64_t n, int64_t p, int64_t m) {
  const auto size = [](int64_t number) { return static_cast<size_t>(number); };
  QpProblem problem;
  problem.count = count;
  problem.n = n;
  problem.p = p;
  problem.m = m;
  problem.q = uniform(50, size(count * n), -1.7, 1.7);
  problem.A = uniform(51, size(count * p * n), -1.7, 1.7);
  problem.G = uniform(52, size(count * m * n), -1.7, 1.7);
  problem.x_bar = uniform(53, size(count * n), -1.7, 1.7);
  problem.Q.resize(size(count * n * n));
  problem.b.resize(size(count * p));
  problem.h = uniform(54, size(count * m), 0, 1);
  const std::vector<double> roots = uniform(55, size(count * n * n), -0.17, 0.17), inside = uniform(56, size(count * n), -0.17, 0.17);
  for (int64_t k = 0; k < count; ++k) {
    double* Q = &problem.Q[size(k * n * n)];
    for (int64_t l = 0; l < n; ++l)
      for (int64_t i = 0; i < n; ++i)
        for (int64_t j = 0; j < n; ++j) Q[i * n + j] += roots[size((k * n + l) * n + i)] * roots[size((k * n + l) * n + j)];
    for (int64_t i = 0; i < n; ++i) Q[i * n + i] += 0.1;
    const auto addImages = [&](const std::vector<double>& rows, int64_t rows_each, std::vector<double>& side) {
      for (int64_t i = k * rows_each; i < (k + 1) * rows_each; ++i)
        for (int64_t j = 0; j < n; ++j) side[size(i)] += rows[size(i * n + j)] * inside[size(k * n + j)];
    };
    addImages(problem.A, p, problem.b);
    addImages(problem.G, m, problem.h);
  }
  return problem;
}

LassoProblem lassoProblem(int64_t m, int64_t n, int64_t k, double divisor) {
  LassoProblem problem;
  problem.m = m;
  problem.n = n;
  problem.k = k;
  problem.X = uniform(30, static_cast<size_t>(m * n), -1, 1);
  problem.V = uniform(31, static_cast<size_t>(k * n), -1, 1);
  const std::vector<double> truth = uniform(32, 20, -1, 1);
  const auto images = [&](const std::vector<double>& rows, int64_t count, uint64_t seed) {
    std::vector<double> y = uniform(seed, static_cast<size_t>(count), -0.05, 0.05);
    for (int64_t i = 0; i < count; ++i)
      for (int64_t j = 0; j < 20; ++j)
        y[static_cast<size_t>(i)] += rows[static_cast<size_t>(i * n + j * (n / 20))] * truth[static_cast<size_t>(j)];
    return y;
  };
  problem.y = images(problem.X, m, 33);
  problem.t = images(problem.V, k, 34);
  std::vector<double> c(static_cast<size_t>(n));
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j)
      c[static_cast<size_t>(j)] += problem.X[static_cast<size_t>(i * n + j)] * problem.y[static_cast<size_t>(i)];
  for (double v : c) problem.penalty = std::max(problem.penalty, std::fabs(v) / divisor);
  return problem;
}

MlpProblem mlpProblem(int64_t rows) {
  MlpProblem problem;
  problem.rows = rows;
  uint64_t seed = 7;
  for (auto* weights : {&problem.layers.W1, &problem.layers.b1, &problem.layers.W2,
                        &problem.layers.b2, &problem.layers.W3, &problem.layers.b3})
    *weights = uniform(seed++, weights->size(), -0.4, 0.4);
  problem.X = uniform(seed++, rows * kUnits, -1, 1);
  problem.Y = uniform(seed++, rows * kUnits, -1, 1);
  return problem;
}

}  // namespace dini::bench
