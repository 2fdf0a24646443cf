// Sparse systems of the runtime against dense ones.
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "dini/linalg.h"
#include "dini/sparse.h"
#include "dini/status.h"

namespace {

struct Entries {
  int64_t n;
  std::vector<double> values;
  std::vector<int64_t> rows, columns;

  void add(int64_t i, int64_t j, double value) {
    rows.push_back(i);
    columns.push_back(j);
    values.push_back(value);
  }
  int solve(int transposed, int64_t m, const std::vector<double>& b, std::vector<double>& x, double& rcond) const {
    x.assign(b.size(), 0);
    return dini_sparse_solve(transposed, n, m, static_cast<int64_t>(values.size()), values.data(),
                             rows.data(), columns.data(), b.data(), x.data(), &rcond);
  }
  // A (or A') times x [n, m].
  std::vector<double> times(int transposed, int64_t m, const std::vector<double>& x) const {
    std::vector<double> y(x.size(), 0);
    for (size_t e = 0; e < values.size(); ++e)
      for (int64_t k = 0; k < m; ++k) {
        int64_t to = transposed ? columns[e] : rows[e], from = transposed ? rows[e] : columns[e];
        y[static_cast<size_t>(to * m + k)] += values[e] * x[static_cast<size_t>(from * m + k)];
      }
    return y;
  }
};

// Entries in a scrambled order, some places twice, diagonally dominant.
Entries scrambled(int64_t n, uint64_t seed) {
  Entries a{n, {}, {}, {}};
  auto next = [&] { return (seed = seed * 6364136223846793005u + 1442695040888963407u) >> 33; };
  for (int64_t i = n - 1; i >= 0; --i) {
    for (int k = 0; k < 5; ++k)
      a.add(i, static_cast<int64_t>(next() % static_cast<uint64_t>(n)), 1e-9 * static_cast<double>(next() % 1000000000) - 0.5);
    a.add(i, i, 2);
    a.add(i, i, 3);
  }
  return a;
}

double distance(const std::vector<double>& a, const std::vector<double>& b) {
  double worst = 0;
  for (size_t k = 0; k < a.size(); ++k) worst = std::fmax(worst, std::fabs(a[k] - b[k]));
  return worst;
}

}  // namespace

TEST_CASE("sparse systems: any order, places twice, transposed, several right-hand sides") {
  for (int64_t n : {1, 2, 7, 60, 500})
    for (int transposed : {0, 1})
      for (int64_t m : {1, 3}) {
        Entries a = scrambled(n, static_cast<uint64_t>(n + 1));
        std::vector<double> x(static_cast<size_t>(n * m)), solved;
        for (size_t k = 0; k < x.size(); ++k) x[k] = std::sin(static_cast<double>(k + 1));
        double rcond = 0;
        REQUIRE(a.solve(transposed, m, a.times(transposed, m, x), solved, rcond) == DINI_OK);
        CHECK(distance(solved, x) < 1e-12);
        CHECK(rcond > 1e-3);
        CHECK(rcond <= 1);
      }
}

TEST_CASE("sparse systems: factors are kept for what is the same, and only for that") {
  std::vector<double> x, y;
  double rcond = 0;
  // More patterns than a thread keeps, in turn; then other values on one of the patterns.
  for (int round = 0; round < 3; ++round)
    for (int64_t n = 3; n < 10; ++n) {
      Entries a = scrambled(n, 5);
      for (double& value : a.values) value *= 1 + round;
      std::vector<double> ones(static_cast<size_t>(n), 1);
      REQUIRE(a.solve(0, 1, a.times(0, 1, ones), x, rcond) == DINI_OK);
      CHECK(distance(x, ones) < 1e-13);
      REQUIRE(a.solve(0, 1, a.times(0, 1, ones), y, rcond) == DINI_OK);
      CHECK(x == y);
      a.values.back() += 1;
      REQUIRE(a.solve(0, 1, a.times(0, 1, ones), x, rcond) == DINI_OK);
      CHECK(distance(x, ones) < 1e-13);
    }
}

TEST_CASE("sparse systems: statuses") {
  std::vector<double> x;
  double rcond = 1;
  Entries structural{2, {1, 1}, {0, 1}, {0, 0}};
  CHECK(structural.solve(0, 1, {1, 1}, x, rcond) == DINI_SINGULAR);
  Entries numerical{2, {1, 2, 2, 4}, {0, 0, 1, 1}, {0, 1, 0, 1}};
  CHECK(numerical.solve(0, 1, {1, 1}, x, rcond) == DINI_SINGULAR);
  Entries nearly{2, {1, 1e-15}, {0, 1}, {0, 1}};
  CHECK(nearly.solve(0, 1, {1, 1}, x, rcond) == DINI_SINGULAR);
  CHECK(rcond < 1e-14);
  Entries nan{2, {1, std::nan("")}, {0, 1}, {0, 1}};
  CHECK(nan.solve(0, 1, {1, 1}, x, rcond) == DINI_SINGULAR);
  Entries outside{2, {1, 1}, {0, 2}, {0, 1}};
  CHECK(outside.solve(0, 1, {1, 1}, x, rcond) == DINI_BOUNDS);
  outside.rows[1] = -1;
  CHECK(outside.solve(0, 1, {1, 1}, x, rcond) == DINI_BOUNDS);
  Entries nothing{0, {}, {}, {}};
  CHECK(nothing.solve(0, 1, {}, x, rcond) == DINI_OK);
  // After a failure the same pattern with good values works.
  numerical.values[3] = 5;
  REQUIRE(numerical.solve(0, 1, {3, 7}, x, rcond) == DINI_OK);
  CHECK(distance(x, {1, 1}) < 1e-14);
}
