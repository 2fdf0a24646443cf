// Laws of runtime/include/dini/complementarity.h: the P-matrix test against all principal minors,
// the complementarity problem against all complementary cones, derivatives at ties against all
// vertices of the weights. Integers, so that the brute force is exact.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "dini/complementarity.h"
#include "dini/linalg.h"

namespace {

using Vector = std::vector<double>;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::mt19937_64 bits{20240611};
double integer(int64_t bound) {
  return static_cast<double>(static_cast<int64_t>(bits() % static_cast<uint64_t>(2 * bound + 1)) - bound);
}

// By elimination with pivoting; matrices of small integers.
double determinant(Vector a, size_t n) {
  double product = 1;
  for (size_t k = 0; k < n; ++k) {
    size_t best = k;
    for (size_t i = k + 1; i < n; ++i)
      if (std::fabs(a[i * n + k]) > std::fabs(a[best * n + k])) best = i;
    if (a[best * n + k] == 0) return 0;
    if (best != k) {
      for (size_t j = 0; j < n; ++j) std::swap(a[best * n + j], a[k * n + j]);
      product = -product;
    }
    product *= a[k * n + k];
    for (size_t i = k + 1; i < n; ++i) {
      double factor = a[i * n + k] / a[k * n + k];
      for (size_t j = k; j < n; ++j) a[i * n + j] -= factor * a[k * n + j];
    }
  }
  return product;
}

double leastMinor(const Vector& m, size_t k) {
  double least = std::numeric_limits<double>::infinity();
  for (uint32_t set = 1; set < (1u << k); ++set) {
    std::vector<size_t> rows;
    for (size_t i = 0; i < k; ++i)
      if (set >> i & 1u) rows.push_back(i);
    Vector part;
    for (size_t i : rows)
      for (size_t j : rows) part.push_back(m[i * k + j]);
    least = std::min(least, determinant(part, rows.size()));
  }
  return least;
}

Vector randomMatrix(size_t rows, size_t columns, int64_t bound) {
  Vector m(rows * columns);
  for (double& x : m) x = integer(bound);
  return m;
}

Vector randomPMatrix(size_t k) {
  for (;;) {
    Vector m = randomMatrix(k, k, 3);
    for (size_t i = 0; i < k; ++i) m[i * k + i] = 1 + std::fabs(integer(4));
    if (leastMinor(m, k) > 0.5) return m;
  }
}

// |det(I - diag(e) (I - M))| over the product of its rows' norms.
double relativeDeterminant(const Vector& m, size_t k, const Vector& e) {
  Vector a(k * k);
  double size = 1;
  for (size_t i = 0; i < k; ++i) {
    double norm = 0;
    for (size_t j = 0; j < k; ++j) {
      double unit = i == j ? 1 : 0;
      a[i * k + j] = unit - e[i] * (unit - m[i * k + j]);
      norm += std::fabs(a[i * k + j]);
    }
    size *= norm;
  }
  return std::fabs(determinant(a, k)) / size;
}

// x with A x = b; empty where A is singular.
Vector solved(const Vector& a, Vector b) {
  auto n = static_cast<int64_t>(b.size());
  Vector work(static_cast<size_t>(dini_linear_solve_work(n)));
  double rcond = 0;
  if (dini_linear_solve(0, 0, n, 1, a.data(), b.data(), b.data(), &rcond, work.data()) != 0) return {};
  return b;
}

}  // namespace

TEST_CASE("runtime P-matrix test: all principal minors") {
  int refuted = 0, proved = 0;
  for (int round = 0; round < 3000; ++round) {
    size_t k = 1 + bits() % 6;
    Vector m = randomMatrix(k, k, 3);
    for (size_t i = 0; i < k; ++i) m[i * k + i] = integer(2) + 3;
    Vector e(k);
    int64_t index = -1;
    int verdict = dini_p_matrix(static_cast<int64_t>(k), m.data(), e.data(), &index);
    CHECK(verdict == (leastMinor(m, k) > 0.5 ? DINI_PROVED : DINI_REFUTED));
    (verdict == DINI_PROVED ? proved : refuted)++;
    if (verdict != DINI_REFUTED) continue;
    CHECK(relativeDeterminant(m, k, e) < 1e-10);
    for (size_t i = 0; i < k; ++i) {
      CHECK((e[i] >= 0 && e[i] <= 1));
      if (static_cast<int64_t>(i) != index) CHECK((e[i] == 0 || e[i] == 1));
    }
  }
  CHECK(refuted > 300);
  CHECK(proved > 300);
}

TEST_CASE("runtime P-matrix test: beyond the exact size, by sufficient tests") {
  const int64_t k = 20;
  Vector m(400), e(20);
  int64_t index = -1;
  for (int64_t i = 0; i < k; ++i)
    for (int64_t j = 0; j < k; ++j) m[i * k + j] = i == j ? 1 : j > i ? 0.2 : 0;
  CHECK(dini_p_matrix(k, m.data(), e.data(), &index) == DINI_PROVED);  // triangular: an H-matrix
  for (int64_t i = 0; i < k; ++i)
    for (int64_t j = 0; j < k; ++j) m[i * k + j] = i == j ? 1 : j > i ? 3 : -3;
  CHECK(dini_p_matrix(k, m.data(), e.data(), &index) == DINI_PROVED);  // identity plus skew
  m[3 * k + 7] = m[7 * k + 3] = -3;
  CHECK(dini_p_matrix(k, m.data(), e.data(), &index) == DINI_REFUTED);
  CHECK(index == 7);
  CHECK(relativeDeterminant(m, 20, e) < 1e-12);
  m[7 * k + 3] = 3;
  m[11 * k + 11] = -1;
  CHECK(dini_p_matrix(k, m.data(), e.data(), &index) == DINI_REFUTED);
  CHECK(index == 11);
  CHECK(e[11] == 0.5);
  // A block of 3 whose only bad minor is its determinant: not seen, and not claimed.
  for (int64_t i = 0; i < k; ++i)
    for (int64_t j = 0; j < k; ++j) m[i * k + j] = i == j ? 1 : 0;
  const double block[3][3] = {{1, 0, -1.5}, {-1.5, 1, 0}, {0, -1.5, 1}};
  for (int64_t i = 0; i < 3; ++i)
    for (int64_t j = 0; j < 3; ++j) m[i * k + j] = block[i][j];
  CHECK(dini_p_matrix(k, m.data(), e.data(), &index) == DINI_UNKNOWN);
}

TEST_CASE("complementarity: the one cone that holds q, by trying all") {
  for (int round = 0; round < 2000; ++round) {
    size_t k = 1 + bits() % 6;
    Vector m = randomPMatrix(k), q(k), u(k);
    for (double& x : q) x = integer(3);
    std::vector<int64_t> sides(k);
    REQUIRE(dini_lcp(static_cast<int64_t>(k), m.data(), q.data(), u.data(), sides.data()) == 1);
    // The solution is unique: whichever cone fits gives it.
    bool found = false;
    for (uint32_t set = 0; set < (1u << k) && !found; ++set) {
      Vector a(k * k), b(k);  // rows: y_i = 0 for i in the set, u_i = 0 otherwise
      for (size_t i = 0; i < k; ++i) {
        bool on = set >> i & 1u;
        for (size_t j = 0; j < k; ++j) a[i * k + j] = on ? m[i * k + j] : i == j ? 1 : 0;
        b[i] = on ? -q[i] : 0;
      }
      Vector x = solved(a, b);
      if (x.empty()) continue;
      found = true;
      for (size_t i = 0; i < k; ++i) {
        double y = q[i];
        for (size_t j = 0; j < k; ++j) y += m[i * k + j] * x[j];
        found = found && x[i] > -1e-9 && y > -1e-9;
      }
      if (!found) continue;
      for (size_t i = 0; i < k; ++i) {
        double y = q[i];
        for (size_t j = 0; j < k; ++j) y += m[i * k + j] * x[j];
        CHECK(std::fabs(u[i] - x[i]) < 1e-9);
        CHECK(sides[i] == (x[i] > 1e-9 ? 1 : y > 1e-9 ? 0 : -1));
      }
    }
    CHECK(found);
  }
}

TEST_CASE("complementarity: the matrix on which semismooth Newton cycles") {
  const Vector m{1, 0, 2, 2, 1, 0, 0, 2, 1}, q{-1, -1, -1};
  Vector u(3);
  std::vector<int64_t> sides(3);
  CHECK(dini_lcp(3, m.data(), q.data(), u.data(), sides.data()) == 1);
  for (size_t i = 0; i < 3; ++i) {
    CHECK(std::fabs(u[i] - 1.0 / 3) < 1e-15);
    CHECK(sides[i] == 1);
  }
  CHECK(dini_lcp(0, nullptr, nullptr, nullptr, nullptr) == 1);
  const double negative = -1, below = -1;
  CHECK(dini_lcp(1, &negative, &below, u.data(), sides.data()) == 0);  // y = -1 - u: none
}

namespace {

// Equations with k tied switches: the operand of dini_root_ties, and the same at other weights.
struct Tied {
  size_t n, k;
  Vector jacobian;  // [n + k + 1, n + k]
  double at(size_t input, size_t output) const { return jacobian[input * (n + k) + output]; }

  // s_dot and z_dot at weights d; false where the Jacobian is singular.
  bool solve(const Vector& d, Vector& z_dot, Vector& s_dot) const {
    size_t size = n + k;  // unknowns z_dot, s_dot; u = d s_dot
    Vector a(size * size), b(size);
    for (size_t row = 0; row < size; ++row) {
      for (size_t i = 0; i < n; ++i) a[row * size + i] = at(i, row);
      for (size_t j = 0; j < k; ++j)
        a[row * size + n + j] = at(n + j, row) * d[j] - (row == n + j ? 1 : 0);
      b[row] = -at(size, row);
    }
    Vector x = solved(a, b);
    if (x.empty()) return false;
    z_dot.assign(x.begin(), x.begin() + static_cast<ptrdiff_t>(n));
    s_dot.assign(x.begin() + static_cast<ptrdiff_t>(n), x.end());
    return true;
  }
  double determinantAt(const Vector& d) const {
    size_t size = n + k;
    Vector a(size * size);
    for (size_t row = 0; row < size; ++row) {
      for (size_t i = 0; i < n; ++i) a[row * size + i] = at(i, row);
      for (size_t j = 0; j < k; ++j)
        a[row * size + n + j] = at(n + j, row) * d[j] - (row == n + j ? 1 : 0);
    }
    return determinant(a, size);
  }
};

Tied randomTied() {
  Tied t{1 + bits() % 3, 1 + bits() % 4, {}};
  t.jacobian = randomMatrix(t.n + t.k + 1, t.n + t.k, 1);
  for (size_t i = 0; i < t.n; ++i) t.jacobian[i * (t.n + t.k) + i] += 2;
  return t;
}

// The weight 0 or 1 of every switch in `set`, else 0.
Vector vertex(uint32_t set, size_t k) {
  Vector d(k);
  for (size_t j = 0; j < k; ++j) d[j] = set >> j & 1u ? 1 : 0;
  return d;
}

}  // namespace

TEST_CASE("derivatives at ties: the vertex whose sides agree with its own switches") {
  int regular = 0, refuted = 0;
  for (int round = 0; round < 4000; ++round) {
    Tied t = randomTied();
    auto n = static_cast<int64_t>(t.n), k = static_cast<int64_t>(t.k);
    std::vector<uint8_t> tied(t.k, 1);
    Vector held(t.k, kNaN), weights(t.k), z_dot(t.n), verdict(2);
    dini_root_ties(n, k, t.jacobian.data(), tied.data(), held.data(), weights.data(), z_dot.data(),
                   verdict.data());
    // Proved if and only if the determinants of all vertices have one sign.
    bool one_sign = true;
    double base = t.determinantAt(vertex(0, t.k));
    for (uint32_t set = 0; set < (1u << t.k); ++set)
      one_sign = one_sign && base * t.determinantAt(vertex(set, t.k)) > 0.25;
    REQUIRE(static_cast<int>(verdict[0]) == (one_sign ? DINI_PROVED : DINI_REFUTED));
    (one_sign ? regular : refuted)++;
    if (!one_sign) {
      Vector d = verdict[1] < 0 ? vertex(0, t.k) : weights;
      CHECK(std::fabs(t.determinantAt(d)) < 1e-9);
      continue;
    }
    Vector d = weights, z, s;
    for (double& w : d) w = std::isnan(w) ? 0.5 : w;
    REQUIRE(t.solve(d, z, s));
    for (size_t i = 0; i < t.n; ++i) CHECK(std::fabs(z[i] - z_dot[i]) < 1e-10);
    for (size_t j = 0; j < t.k; ++j) {
      INFO(j, " ", weights[j], " ", s[j], " n ", t.n, " k ", t.k);
      CHECK((std::isnan(weights[j]) ? std::fabs(s[j]) < 1e-10 : weights[j] == (s[j] > 0 ? 1 : 0)));
    }
  }
  CHECK(regular > 500);
  CHECK(refuted > 500);
}

TEST_CASE("derivatives at ties: held weights, and switches that are not tied") {
  int tested = 0;
  for (int round = 0; round < 2000; ++round) {
    Tied t = randomTied();
    auto n = static_cast<int64_t>(t.n), k = static_cast<int64_t>(t.k);
    std::vector<uint8_t> tied(t.k, 1);
    Vector held(t.k, kNaN), weights(t.k), z_dot(t.n), verdict(2);
    for (size_t j = 0; j < t.k; ++j) {
      tied[j] = bits() % 4 != 0;
      if (bits() % 2 == 0) held[j] = 0.25 * static_cast<double>(bits() % 5);
    }
    dini_root_ties(n, k, t.jacobian.data(), tied.data(), held.data(), weights.data(), z_dot.data(),
                   verdict.data());
    if (static_cast<int>(verdict[0]) != DINI_PROVED) continue;
    ++tested;
    Vector d(t.k), z, s;
    for (size_t j = 0; j < t.k; ++j) {
      d[j] = !tied[j] ? 0 : std::isnan(weights[j]) ? 0.5 : weights[j];
      if (!tied[j]) CHECK(std::isnan(weights[j]));
      if (tied[j] && !std::isnan(held[j])) CHECK(weights[j] == held[j]);
    }
    REQUIRE(t.solve(d, z, s));
    for (size_t i = 0; i < t.n; ++i) CHECK(std::fabs(z[i] - z_dot[i]) < 1e-10);
    for (size_t j = 0; j < t.k; ++j)
      if (tied[j] && std::isnan(held[j]) && !std::isnan(weights[j]))
        CHECK(weights[j] == (s[j] > 0 ? 1 : 0));
  }
  CHECK(tested > 500);
}

TEST_CASE("derivatives at ties: nothing is claimed of what is not finite") {
  Vector jacobian{kNaN, 1, 1, 0, 1, 1}, held{kNaN}, weights(1), z_dot(1), verdict(2);
  const uint8_t tied = 1;
  dini_root_ties(1, 1, jacobian.data(), &tied, held.data(), weights.data(), z_dot.data(), verdict.data());
  CHECK(static_cast<int>(verdict[0]) == DINI_UNKNOWN);
  CHECK(std::isnan(weights[0]));
  CHECK(std::isnan(z_dot[0]));
}
