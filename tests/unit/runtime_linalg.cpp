// Laws of runtime/include/dini/linalg.h: A X = B for every structure on both sides of the size
// where LAPACK takes over, condition estimates, singular inputs, decompositions multiply back.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "dini/linalg.h"
#include "dini/status.h"

namespace {

using Matrix = std::vector<double>;
std::mt19937_64 bits{7};

Matrix random(int64_t count) {
  Matrix a(static_cast<size_t>(count));
  for (double& v : a) v = static_cast<double>(static_cast<int64_t>(bits())) * 0x1p-63;
  return a;
}

// The matrix that a structure declares, with entries outside of its part that must not be read.
struct Sample {
  Matrix stored, meant;
};
Sample sample(int64_t structure, int64_t n) {
  Matrix a = random(n * n);
  for (int64_t i = 0; i < n; ++i) a[i * n + i] += 2;
  Matrix meant = a;
  const double junk = std::numeric_limits<double>::quiet_NaN();
  if (structure == 1 || structure == 2) {
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j) meant[i * n + j] = a[std::max(i, j) * n + std::min(i, j)];
    for (int64_t i = 0; i < n; ++i) meant[i * n + i] += structure == 2 ? static_cast<double>(n) : 0;
    a = meant;
    if (structure == 2)
      for (int64_t i = 0; i < n; ++i)
        for (int64_t j = i + 1; j < n; ++j) a[i * n + j] = junk;
  }
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) {
      const bool outside = (structure == 3 && j > i) || (structure == 4 && j < i) ||
                           (structure == 5 && j >= i) || (structure == 6 && j != i);
      if (outside) {
        a[i * n + j] = junk;
        meant[i * n + j] = structure == 5 && i == j ? 1 : 0;
      } else if (i != j && structure >= 3) {
        a[i * n + j] = meant[i * n + j] = a[i * n + j] / static_cast<double>(n);
      }
    }
  return {a, meant};
}

}  // namespace

TEST_CASE("linear_solve: residuals for every structure, size and side") {
  for (int64_t structure = 0; structure <= 6; ++structure)
    for (int64_t n : {1, 2, 3, 7, 16, 47, 48, 90})
      for (int64_t m : {1, 3, 9})
        for (int transposed : {0, 1}) {
          CAPTURE(structure);
          CAPTURE(n);
          CAPTURE(m);
          CAPTURE(transposed);
          const Sample a = sample(structure, n);
          const Matrix b = random(n * m);
          Matrix x(static_cast<size_t>(n * m));
          Matrix work(static_cast<size_t>(dini_linear_solve_work(n)));
          double rcond = -1;
          REQUIRE(dini_linear_solve(structure, transposed, n, m, a.stored.data(), b.data(),
                                    x.data(), &rcond, work.data()) == DINI_OK);
          CHECK(rcond > 1e-6);
          CHECK(rcond <= 1 + 1e-12);
          double worst = 0;
          for (int64_t i = 0; i < n; ++i)
            for (int64_t c = 0; c < m; ++c) {
              double sum = 0;
              for (int64_t j = 0; j < n; ++j)
                sum += (transposed ? a.meant[j * n + i] : a.meant[i * n + j]) * x[j * m + c];
              worst = std::fmax(worst, std::fabs(sum - b[i * m + c]));
            }
          CHECK(worst < 1e-10);
        }
}

TEST_CASE("singular matrices are a status, the condition estimate is close") {
  double rcond = 0, x[2], work[64];
  const double b[] = {1, 2};
  const double singular[] = {1, 2, 2, 4}, nan[] = {1, NAN, 0, 1}, indefinite[] = {1, 2, 2, 1};
  const double graded[] = {1, 0, 0, 1e-15}, fine[] = {1, 0, 0, 1e-10};
  CHECK(dini_linear_solve(0, 0, 2, 1, singular, b, x, &rcond, work) == DINI_SINGULAR);
  CHECK(dini_linear_solve(0, 0, 2, 1, nan, b, x, &rcond, work) == DINI_SINGULAR);
  CHECK(dini_linear_solve(2, 0, 2, 1, indefinite, b, x, &rcond, work) == DINI_SINGULAR);
  CHECK(dini_linear_solve(0, 0, 2, 1, graded, b, x, &rcond, work) == DINI_SINGULAR);
  CHECK(dini_linear_solve(6, 0, 2, 1, graded, b, x, &rcond, work) == DINI_OK);
  CHECK(dini_linear_solve(0, 0, 2, 1, fine, b, x, &rcond, work) == DINI_OK);
  CHECK(rcond == doctest::Approx(1e-10).epsilon(0.5));
  // Hilbert matrix of order 6: condition 2.9e7 in the 1-norm.
  double hilbert[36], y[6] = {}, big_work[128];
  for (int i = 0; i < 6; ++i)
    for (int j = 0; j < 6; ++j) hilbert[i * 6 + j] = 1.0 / (i + j + 1);
  CHECK(dini_linear_solve(0, 0, 6, 1, hilbert, y, y, &rcond, big_work) == DINI_OK);
  CHECK(1 / rcond > 1e7);
  CHECK(1 / rcond < 3e7);
}

TEST_CASE("decompositions multiply back, signs are fixed") {
  for (auto [m, n] : {std::pair<int64_t, int64_t>{1, 1}, {5, 5}, {7, 3}, {3, 7}, {60, 20}}) {
    CAPTURE(m);
    CAPTURE(n);
    const int64_t k = std::min(m, n);
    const Matrix a = random(m * n);
    Matrix u(m * k), s(k), v(n * k), q(m * k), r(k * n),
        work(dini_svd_work(m, n) + dini_qr_work(m, n));
    REQUIRE(dini_svd(m, n, a.data(), u.data(), s.data(), v.data(), work.data()) == DINI_OK);
    REQUIRE(dini_qr(m, n, a.data(), q.data(), r.data(), work.data()) == DINI_OK);
    double worst = 0;
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j) {
        double from_svd = 0, from_qr = 0;
        for (int64_t t = 0; t < k; ++t) {
          from_svd += u[i * k + t] * s[t] * v[j * k + t];
          from_qr += q[i * k + t] * r[t * n + j];
        }
        worst = std::fmax(worst, std::fabs(from_svd - a[i * n + j]));
        worst = std::fmax(worst, std::fabs(from_qr - a[i * n + j]));
      }
    CHECK(worst < 1e-12);
    for (int64_t t = 0; t < k; ++t) CHECK(r[t * n + t] >= 0);
  }
  const int64_t n = 12;
  const Matrix a = random(n * n);
  Matrix values(n), vectors(n * n), work(dini_eigh_work(n));
  REQUIRE(dini_eigh(n, a.data(), values.data(), vectors.data(), work.data()) == DINI_OK);
  double worst = 0;
  for (int64_t i = 0; i < n; ++i)
    for (int64_t t = 0; t < n; ++t) {
      double av = 0;
      for (int64_t j = 0; j < n; ++j)
        av += 0.5 * (a[i * n + j] + a[j * n + i]) * vectors[j * n + t];
      worst = std::fmax(worst, std::fabs(av - values[t] * vectors[i * n + t]));
    }
  CHECK(worst < 1e-12);
}

TEST_CASE("cholesky, least squares, gemm") {
  const double a[] = {4, 1, 3, 3}, minus[] = {-1, 0, 0, 1};
  double l[4];
  REQUIRE(dini_cholesky(2, a, l) == DINI_OK);
  CHECK(l[0] == 2);
  CHECK(l[1] == 0);
  CHECK(l[2] == 1);
  CHECK(l[3] == doctest::Approx(std::sqrt(2.0)));
  CHECK(dini_cholesky(2, minus, l) == DINI_DOMAIN);
  // Rank one: the minimum-norm solution has equal entries.
  const double flat[] = {1, 1, 1, 1, 1, 1}, b[] = {1, 2, 3};
  double x[2];
  Matrix work(dini_lstsq_work(3, 2, 1));
  REQUIRE(dini_lstsq(3, 2, 1, flat, b, x, work.data()) == DINI_OK);
  CHECK(x[0] == doctest::Approx(1));
  CHECK(x[1] == doctest::Approx(1));
  const double p[] = {1, 2, 3, 4, 5, 6}, q[] = {1, 0, 2, 1, 0, 3};
  double c[4], d[4];
  dini_gemm(0, 0, 2, 2, 3, p, 3, q, 2, c);
  CHECK(c[0] == 5);
  CHECK(c[3] == 23);
  dini_gemm(1, 0, 2, 2, 3, p, 2, q, 2, d);  // p' as [2, 3] of p [3, 2]
  CHECK(d[0] == 1 * 1 + 3 * 2 + 5 * 0);
}

TEST_CASE("symmetric indefinite systems with nothing on the diagonal: blocks of two") {
  const int64_t n = 60;
  Matrix a = random(n * n);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j <= i; ++j) a[j * n + i] = a[i * n + j] = i == j ? 0 : a[i * n + j];
  const Matrix b = random(n * 3);
  std::vector<Matrix> solutions;
  for (int64_t structure : {0, 1}) {
    Matrix x(b.size()), work(static_cast<size_t>(dini_linear_solve_work(n)));
    std::vector<int64_t> pivots(static_cast<size_t>(n));
    double rcond = 0;
    Matrix factors(a.size());
    REQUIRE(dini_factor(structure, n, a.data(), factors.data(), pivots.data(), &rcond,
                        work.data()) == DINI_OK);
    dini_solve_factored(structure, 0, n, 3, factors.data(), pivots.data(), b.data(), x.data());
    solutions.push_back(x);
    CHECK(rcond > 1e-8);
  }
  for (size_t k = 0; k < b.size(); ++k)
    CHECK(std::abs(solutions[0][k] - solutions[1][k]) <= 1e-9 * (1 + std::abs(solutions[0][k])));
}
