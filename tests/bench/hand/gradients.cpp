// W5: value and gradient of the Rosenbrock function (a million unknowns) and of a small network's
// squared error (32 inputs, 32 hidden tanh units, 32 outputs, 32 examples), written by hand.
#include <cmath>
#include <cstdint>
#include <vector>

#include "timing.h"

namespace {

double rosenbrock(const double* __restrict x, double* __restrict g, int64_t n) {
  double sums[8] = {};
  const auto term = [&](int64_t i, double& left, double& right) {
    const double d = x[i + 1] - x[i] * x[i], e = 1 - x[i];
    sums[i & 7] += 100 * d * d + e * e;
    left = -400 * x[i] * d - 2 * e;
    right = 200 * d;
  };
  double left = 0, right = 0;
  term(0, left, right);
  g[0] = left;
  // Element i gets the right part of term i - 1, computed again, so that the loop has no
  // dependence.
  double lanes[8] = {};
  int64_t i = 1;
  for (; i + 8 <= n - 1; i += 8)
    for (int64_t k = 0; k < 8; ++k) {
      const double here = x[i + k], before = x[i + k - 1];
      const double d = x[i + k + 1] - here * here, e = 1 - here, d_before = here - before * before;
      lanes[k] += 100 * d * d + e * e;
      g[i + k] = 200 * d_before - 400 * here * d - 2 * e;
    }
  for (; i < n - 1; ++i) {
    const double d_before = x[i] - x[i - 1] * x[i - 1];
    term(i, left, right);
    g[i] = 200 * d_before + left;
  }
  g[n - 1] = 200 * (x[n - 1] - x[n - 2] * x[n - 2]);
  double total = 0;
  for (int k = 0; k < 8; ++k) total += sums[k] + lanes[k];
  return total;
}

constexpr int kSize = 32;
using Matrix = double[kSize][kSize];

// C = A B, or with the transposes named; plain loops that the compiler vectorises.
void multiply(const Matrix& a, const Matrix& b, Matrix& c) {
  for (int i = 0; i < kSize; ++i) {
    for (int j = 0; j < kSize; ++j) c[i][j] = 0;
    for (int k = 0; k < kSize; ++k)
      for (int j = 0; j < kSize; ++j) c[i][j] += a[i][k] * b[k][j];
  }
}
void multiplyTransposedLeft(const Matrix& a, const Matrix& b, Matrix& c) {
  for (int i = 0; i < kSize; ++i)
    for (int j = 0; j < kSize; ++j) c[i][j] = 0;
  for (int k = 0; k < kSize; ++k)
    for (int i = 0; i < kSize; ++i)
      for (int j = 0; j < kSize; ++j) c[i][j] += a[k][i] * b[k][j];
}

struct Network {
  Matrix w1, w2, x, y;  // examples in the columns of x and y
  Matrix w1_bar, w2_bar;
  double gradient() {
    Matrix u, h, out, out_bar, w2_t, h_bar, x_t, h_t;
    multiply(w1, x, u);
    for (int i = 0; i < kSize; ++i)
      for (int j = 0; j < kSize; ++j) h[i][j] = std::tanh(u[i][j]);
    multiply(w2, h, out);
    double loss = 0;
    for (int i = 0; i < kSize; ++i)
      for (int j = 0; j < kSize; ++j) {
        out_bar[i][j] = out[i][j] - y[i][j];
        loss += 0.5 * out_bar[i][j] * out_bar[i][j];
      }
    for (int i = 0; i < kSize; ++i)
      for (int j = 0; j < kSize; ++j)
        w2_t[i][j] = w2[i][j], h_t[j][i] = h[i][j], x_t[j][i] = x[i][j];
    multiply(out_bar, h_t, w2_bar);
    multiplyTransposedLeft(w2_t, out_bar, h_bar);
    for (int i = 0; i < kSize; ++i)
      for (int j = 0; j < kSize; ++j) h_bar[i][j] *= (1 - h[i][j]) * (1 + h[i][j]);
    multiply(h_bar, x_t, w1_bar);
    return loss;
  }
};

}  // namespace

int main() {
  const int64_t n = 1'000'000;
  std::vector<double> x(n), g(n);
  for (int64_t i = 0; i < n; ++i) x[static_cast<size_t>(i)] = std::sin(static_cast<double>(i));
  double value = rosenbrock(x.data(), g.data(), n);
  bench::measure("Rosenbrock 1e6", value + g[777],
                 [&] { bench::keep(value = rosenbrock(x.data(), g.data(), n)); });

  static Network network;
  for (int i = 0; i < kSize; ++i)
    for (int j = 0; j < kSize; ++j) {
      network.w1[i][j] = std::sin(i + 32 * j);
      network.w2[i][j] = std::cos(i - 32 * j);
      network.x[i][j] = std::sin(3 * i + j) / 8;
      network.y[i][j] = std::cos(i + j);
    }
  double loss = network.gradient();
  bench::measure("MLP 32", loss + network.w1_bar[3][4],
                 [&] { bench::keep(loss = network.gradient()); });
}
