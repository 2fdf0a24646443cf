// The P-matrix test against brute force over all principal minors (exact, in integers), the
// witnesses against the determinant, and the cases that ran as counterexamples.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>

#include "certify/p_matrix.h"

using namespace dini::certify;

namespace {

using Matrix = std::vector<std::vector<int64_t>>;

// Fraction-free elimination (Bareiss): exact for small integers.
int64_t determinant(Matrix a) {
  size_t n = a.size();
  int64_t previous = 1, sign = 1;
  for (size_t k = 0; k + 1 < n; ++k) {
    if (a[k][k] == 0) {
      size_t r = k + 1;
      while (r < n && a[r][k] == 0) ++r;
      if (r == n) return 0;
      std::swap(a[k], a[r]);
      sign = -sign;
    }
    for (size_t i = k + 1; i < n; ++i)
      for (size_t j = k + 1; j < n; ++j) a[i][j] = (a[i][j] * a[k][k] - a[i][k] * a[k][j]) / previous;
    previous = a[k][k];
  }
  return n == 0 ? 1 : sign * a[n - 1][n - 1];
}

// The least principal minor.
int64_t leastMinor(const Matrix& a) {
  int64_t least = INT64_MAX;
  for (uint32_t set = 1; set < (1u << a.size()); ++set) {
    std::vector<size_t> rows;
    for (size_t i = 0; i < a.size(); ++i)
      if (set >> i & 1) rows.push_back(i);
    Matrix b(rows.size(), std::vector<int64_t>(rows.size()));
    for (size_t i = 0; i < rows.size(); ++i)
      for (size_t j = 0; j < rows.size(); ++j) b[i][j] = a[rows[i]][rows[j]];
    least = std::min(least, determinant(b));
  }
  return least;
}

IntervalMatrix points(const Matrix& a) {
  IntervalMatrix m(a.size());
  for (size_t i = 0; i < a.size(); ++i)
    for (size_t j = 0; j < a.size(); ++j) m.at(i, j) = static_cast<double>(a[i][j]);
  return m;
}

// |det(I - diag(e) (I - M))| over the product of its rows' norms.
double relativeDeterminant(const Matrix& M, const std::vector<double>& e) {
  size_t n = M.size();
  std::vector<std::vector<double>> a(n, std::vector<double>(n));
  double rows = 1;
  for (size_t i = 0; i < n; ++i) {
    double norm = 0;
    for (size_t j = 0; j < n; ++j) {
      double unit = i == j ? 1 : 0;
      a[i][j] = unit - e[i] * (unit - static_cast<double>(M[i][j]));
      norm += a[i][j] * a[i][j];
    }
    rows *= std::sqrt(norm);
  }
  double det = 1;
  for (size_t k = 0; k < n; ++k) {
    size_t p = k;
    for (size_t i = k; i < n; ++i)
      if (std::abs(a[i][k]) > std::abs(a[p][k])) p = i;
    std::swap(a[k], a[p]);
    det *= a[k][k];
    if (a[k][k] == 0) return 0;
    for (size_t i = k + 1; i < n; ++i)
      for (size_t j = n; j-- > k;) a[i][j] -= a[i][k] / a[k][k] * a[k][j];
  }
  return std::abs(det) / rows;
}

struct Draw {
  uint64_t state;
  int64_t operator()(int64_t bound) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return static_cast<int64_t>((state >> 33) % static_cast<uint64_t>(2 * bound + 1)) - bound;
  }
};

}  // namespace

TEST_CASE("P-matrices: agreement with all principal minors, witnesses checked") {
  Draw draw{2024};
  int proved = 0, refuted = 0;
  for (int trial = 0; trial < 6000; ++trial) {
    size_t n = 1 + static_cast<size_t>(trial % 8);
    Matrix a(n, std::vector<int64_t>(n));
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j < n; ++j) a[i][j] = draw(2) + (i == j ? 1 + trial % 5 : 0);
    int64_t least = leastMinor(a);
    PMatrixResult result = testPMatrix(points(a));
    INFO("trial " << trial << " n " << n << " least minor " << least << " " << result.how);
    if (result.verdict == Verdict::Proved) CHECK(least > 0);
    if (result.verdict == Verdict::Refuted) {
      CHECK(least <= 0);
      CHECK(relativeDeterminant(a, result.witness) <= 1e-12);
    }
    if (result.verdict == Verdict::Unknown) {  // within rounding only: a minor is 0
      CHECK(least <= 0);
      CHECK(relativeDeterminant(a, result.witness) <= 1e-12);
    }
    proved += result.verdict == Verdict::Proved;
    refuted += result.verdict == Verdict::Refuted;
  }
  CHECK(proved > 500);
  CHECK(refuted > 500);
}

TEST_CASE("P-matrices: the cyclic one that is neither H nor has a definite symmetric part") {
  PMatrixResult result = testPMatrix(points({{1, 0, 2}, {2, 1, 0}, {0, 2, 1}}));
  CHECK(result.verdict == Verdict::Proved);
  CHECK(result.how == "all principal minors are positive");
}

TEST_CASE("P-matrices: I - [0 2; 2 0] is refuted with weights of a singular Jacobian") {
  PMatrixResult result = testPMatrix(points({{1, -2}, {-2, 1}}));
  REQUIRE(result.verdict == Verdict::Refuted);
  CHECK(result.witness[0] * result.witness[1] == doctest::Approx(0.25));
}

TEST_CASE("P-matrices: 20 kinks that no sufficient test decides, with and without a singular weight") {
  size_t n = 20;
  Matrix a(n, std::vector<int64_t>(n));
  Draw draw{20};
  for (size_t i = 0; i < n; ++i) {
    a[i][i] = 1;
    if (i >= 18) continue;
    a[i][i / 3 * 3 + (i + 2) % 3] = 2;  // the cyclic block: P, its symmetric part indefinite
    for (size_t j = i / 3 * 3 + 3; j < n; ++j) a[i][j] = draw(3);  // block triangular: the minors are products
  }
  IntervalMatrix m = points(a);
  CHECK_FALSE(symmetricPartPositiveDefinite(m));
  CHECK_FALSE(hMatrixWithPositiveDiagonal(m));
  PMatrixResult result = testPMatrix(m);
  CHECK(result.verdict == Verdict::Proved);
  CHECK(result.nodes > 1000);            // the recursion decided it
  CHECK(result.nodes <= (1u << 20));     // at a few nanoseconds each
  m.at(17, 16) = 4.0;  // the last block's minor of 17 and 15 stays positive, that of all three is not
  m.at(16, 15) = 4.0;
  m.at(15, 17) = -1.0;
  CHECK(testPMatrix(m).verdict != Verdict::Proved);
}

TEST_CASE("P-matrices: intervals that straddle are unknown, the node limit is honoured") {
  IntervalMatrix m(1);
  m.at(0, 0) = Interval(-1e-12, 1e-12);
  CHECK(testPMatrix(m).verdict == Verdict::Unknown);
  size_t n = 24;
  IntervalMatrix big(n);
  for (size_t i = 0; i < n; ++i) {  // cyclic: no sufficient test prunes it
    big.at(i, i) = 1.0;
    big.at(i, (i + 1) % n) = i % 2 ? 1.2 : -1.2;
    big.at(i, (i + 5) % n) = 0.9;
  }
  PMatrixResult result = testPMatrix(big, 1000);
  CHECK(result.nodes <= 1001);
}

TEST_CASE("sufficient tests") {
  CHECK(symmetricPartPositiveDefinite(points({{2, 5}, {-5, 1}})));
  CHECK_FALSE(symmetricPartPositiveDefinite(points({{1, 3}, {0, 1}})));
  CHECK(hMatrixWithPositiveDiagonal(points({{1, 100}, {0, 1}})));
  CHECK_FALSE(hMatrixWithPositiveDiagonal(points({{1, 1}, {1, 1}})));
  // Neither of the two, and all minors of M are positive: S = 2 (M - I)(M + I)^-1 = [8/5 4/15; 0 0].
  CHECK(centredResponseIsSmall(points({{9, 10}, {0, 1}})));
  CHECK_FALSE(symmetricPartPositiveDefinite(points({{9, 10}, {0, 1}})));
  CHECK_FALSE(centredResponseIsSmall(points({{1, 0, 2}, {2, 1, 0}, {0, 2, 1}})));
}

TEST_CASE("sufficient tests never hold where a principal minor is not positive") {
  Draw draw{99};
  int symmetric = 0, dominant = 0, centred = 0;
  for (int trial = 0; trial < 4000; ++trial) {
    size_t n = 2 + static_cast<size_t>(trial % 4);
    Matrix a(n, std::vector<int64_t>(n));
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j < n; ++j) a[i][j] = draw(2) + (i == j ? 1 + trial % 4 : 0);
    bool good = leastMinor(a) > 0;
    IntervalMatrix m = points(a);
    bool holds[] = {symmetricPartPositiveDefinite(m), hMatrixWithPositiveDiagonal(m), centredResponseIsSmall(m)};
    for (bool one : holds) CHECK((!one || good));
    symmetric += holds[0];
    dominant += holds[1];
    centred += holds[2];
  }
  CHECK(symmetric > 200);
  CHECK(dominant > 200);
  CHECK(centred > 200);
}

TEST_CASE("rounding outwards gives the neighbours") {
  constexpr double inf = std::numeric_limits<double>::infinity();
  for (double x : {0.0, -0.0, 1.0, -1.0, 0.1, -1e300, 1.7976931348623157e308, -1.7976931348623157e308, 5e-324,
                   -5e-324, 2.2250738585072014e-308, inf, -inf}) {
    CHECK(roundUp(x) == std::nextafter(x, inf));
    CHECK(roundDown(x) == std::nextafter(x, -inf));
  }
  CHECK(std::isnan(roundUp(std::nan(""))));
}

TEST_CASE("intervals contain the exact results") {
  Interval third = Interval(1) / Interval(3);
  CHECK(third.lo < third.hi);
  CHECK((third * Interval(3)).contains(1));
  CHECK((Interval(1) - third * Interval(3)).contains(0));
  CHECK((Interval(-1, 2) * Interval(-3, 1)).contains(-6));
  CHECK((Interval(-1, 2) * Interval(-3, 1)).contains(3));
  CHECK_FALSE((Interval(1) / Interval(-1, 1)).finite());
}
