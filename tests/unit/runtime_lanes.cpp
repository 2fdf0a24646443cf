// Laws of runtime/include/dini/lanes.h: a lane has the bits of the scalar function, whatever stands
// in the others, and lanes outside the mask stay as they were. And what linalg.h says of 2 to 8
// unknowns: the condition is that of the inverse.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "dini/lanes.h"
#include "dini/linalg.h"
#include "dini/math.h"
#include "dini/status.h"

namespace {

using Numbers = std::vector<double>;
using Ints = std::vector<int64_t>;
std::mt19937_64 bits{11};

double randomNumber() {
  return static_cast<double>(static_cast<int64_t>(bits())) * 0x1p-63;
}

// Of lane `kind`: ordinary ones, equal pivots, singular, indefinite, not finite, huge and tiny.
Numbers matrix(int64_t structure, int64_t n, int kind) {
  Numbers a(n * n);
  for (double& v : a) v = kind == 1 ? (randomNumber() < 0 ? -1 : 1) : randomNumber();
  for (int64_t i = 0; i < n; ++i) {
    if (structure == 2 || kind == 0) a[i * n + i] += static_cast<double>(n);
    if (kind == 2) a[i * n + n - 1] = a[i * n];
    if (kind == 3) a[i * n + i] = 0;
  }
  if (kind == 2)
    for (int64_t j = 0; j < n; ++j) a[(n - 1) * n + j] = a[j];
  if (structure != 0)
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = i + 1; j < n; ++j) a[i * n + j] = a[j * n + i];
  if (kind == 4) a[n] = std::numeric_limits<double>::quiet_NaN();
  if (kind == 5) a[n + 1] = std::numeric_limits<double>::infinity();
  for (double& v : a) v *= kind == 6 ? 1e290 : kind == 7 ? 1e-290 : 1;
  return a;
}

template <class T>
std::vector<T> interleaved(const std::vector<std::vector<T>>& lanes) {
  std::vector<T> all(8 * lanes[0].size());
  for (size_t k = 0; k < all.size(); ++k) all[k] = lanes[k % 8][k / 8];
  return all;
}

template <class T>
std::vector<T> lane(const std::vector<T>& all, size_t which) {
  std::vector<T> one;
  for (size_t k = which; k < all.size(); k += 8) one.push_back(all[k]);
  return one;
}

template <class T>
bool same(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

struct Case {
  int64_t structure, n, m;
  int transposed, mask;
  std::vector<Numbers> a, b;
};

Case makeCase(int64_t structure, int64_t n, int64_t m) {
  Case made{structure, n, m, static_cast<int>(bits() % 2), static_cast<int>(bits() % 256), {}, {}};
  for (int kind = 0; kind < 8; ++kind) {
    made.a.push_back(matrix(structure, n, kind));
    made.b.emplace_back(n * m);
    for (double& v : made.b.back()) v = randomNumber();
  }
  return made;
}

void checkSolve(const Case& c) {
  const Numbers a = interleaved(c.a), b = interleaved(c.b);
  Numbers x(b.size(), 7), rcond(8, -1), work(dini_lanes_work(c.n, c.m));
  Ints status(8, -5);
  dini_lanes_linear_solve(c.structure, c.transposed, c.n, c.m, a.data(), b.data(), x.data(),
                          rcond.data(), status.data(), c.mask, work.data());
  for (size_t k = 0; k < 8; ++k) {
    Numbers alone(c.n * c.m, 7);
    double wanted_rcond = -1;
    int64_t wanted = -5;
    if (c.mask >> k & 1)
      wanted = dini_linear_solve(c.structure, c.transposed, c.n, c.m, c.a[k].data(), c.b[k].data(),
                                 alone.data(), &wanted_rcond, work.data());
    CHECK(status[k] == wanted);
    CHECK(std::memcmp(&rcond[k], &wanted_rcond, sizeof wanted_rcond) == 0);
    CHECK(same(lane(x, k), alone));
  }
}

void checkFactor(const Case& c) {
  const Numbers a = interleaved(c.a), b = interleaved(c.b);
  Numbers factors(a.size(), 3), rcond(8, -1), x(b.size(), 7), work(dini_lanes_work(c.n, c.m));
  Ints pivots(8 * c.n, 4), status(8, -5);
  dini_lanes_factor(c.structure, c.n, a.data(), factors.data(), pivots.data(), rcond.data(),
                    status.data(), c.mask, work.data());
  dini_lanes_solve_factored(c.structure, c.transposed, c.n, c.m, factors.data(), pivots.data(),
                            b.data(), x.data(), c.mask, work.data());
  for (size_t k = 0; k < 8; ++k) {
    Numbers own(c.n * c.n, 3), alone(c.n * c.m, 7);
    Ints own_pivots(c.n, 4);
    double wanted = -1;
    if (c.mask >> k & 1) {
      CHECK(status[k] == dini_factor(c.structure, c.n, c.a[k].data(), own.data(), own_pivots.data(),
                                     &wanted, work.data()));
      dini_solve_factored(c.structure, c.transposed, c.n, c.m, own.data(), own_pivots.data(),
                          c.b[k].data(), alone.data());
    }
    CHECK(std::memcmp(&rcond[k], &wanted, sizeof wanted) == 0);
    CHECK(same(lane(factors, k), own));
    CHECK(same(lane(pivots, k), own_pivots));
    CHECK(same(lane(x, k), alone));
  }
}

double oneNorm(int64_t n, const Numbers& a) {
  double largest = 0;
  for (int64_t j = 0; j < n; ++j) {
    double sum = 0;
    for (int64_t i = 0; i < n; ++i) sum += std::abs(a[i * n + j]);
    largest = std::max(largest, sum);
  }
  return largest;
}

}  // namespace

TEST_CASE("lanes: systems have the bits of the systems alone, for every structure and size") {
  for (int64_t structure : {0, 1, 2, 3, 6})
    for (int64_t n = 1; n <= 10; ++n)
      for (int64_t m = 1; m <= 3; ++m) {
        INFO("structure ", structure, ", ", n, " unknowns, ", m, " columns");
        checkSolve(makeCase(structure, n, m));
        checkFactor(makeCase(structure, n, m));
      }
}

TEST_CASE("lanes: norms of what is plain, zero, huge, tiny and not finite") {
  const double scales[8] = {1, 0, 1e200, 1e-200, HUGE_VAL, NAN, 5e-324, 1e-150};
  for (int64_t n = 0; n <= 11; ++n) {
    std::vector<Numbers> lanes;
    for (double scale : scales) {
      lanes.emplace_back(n);
      for (double& v : lanes.back()) v = std::isinf(scale) ? scale : scale * randomNumber();
    }
    Numbers out(8, -1), work(n);
    const int mask = 0xbf;
    dini_lanes_norm(interleaved(lanes).data(), n, out.data(), mask, work.data());
    for (size_t k = 0; k < 8; ++k) {
      const double wanted = mask >> k & 1 ? dini_norm(lanes[k].data(), n) : -1;
      CHECK(std::memcmp(&out[k], &wanted, sizeof wanted) == 0);
    }
  }
}

TEST_CASE("2 to 8 unknowns: the condition is that of the inverse") {
  for (int64_t structure : {0, 2})
    for (int64_t n = 2; n <= 8; ++n) {
      const Numbers a = matrix(structure, n, 0);
      Numbers inverse(n * n), work(dini_linear_solve_work(n));
      for (int64_t i = 0; i < n; ++i) inverse[i * n + i] = 1;
      double rcond = 0;
      REQUIRE(dini_linear_solve(structure, 0, n, n, a.data(), inverse.data(), inverse.data(), &rcond,
                                work.data()) == DINI_OK);
      CHECK(rcond == doctest::Approx(1 / (oneNorm(n, a) * oneNorm(n, inverse))).epsilon(1e-12));
    }
}
