#include "hand/systems.h"

#include <algorithm>

#include "hand/lanes.h"

namespace dini::bench {
namespace {

constexpr double kTolerance = 1e-10;
constexpr int kSteps = 60;

// The residual F(z) - p and the Jacobian of F, and the solution of a system with it by Cramer's rule.
struct Pair {
  static constexpr int kUnknowns = 2;
  Lanes j[2][2];

  void evaluate(const Lanes* z, const Lanes* p, Lanes* r) {
    r[0] = z[0] + 0.3 * z[1] * z[1] - p[0];
    r[1] = z[1] - 0.2 * z[0] * z[0] - p[1];
    j[0][0] = j[1][1] = splat(1);
    j[0][1] = 0.6 * z[1];
    j[1][0] = -0.4 * z[0];
  }
  void solve(const Lanes* b, Lanes* x) const {
    const Lanes scale = splat(1) / (j[0][0] * j[1][1] - j[0][1] * j[1][0]);
    x[0] = scale * (j[1][1] * b[0] - j[0][1] * b[1]);
    x[1] = scale * (j[0][0] * b[1] - j[1][0] * b[0]);
  }
};

struct Triple {
  static constexpr int kUnknowns = 3;
  Lanes j[3][3];

  void evaluate(const Lanes* z, const Lanes* p, Lanes* r) {
    r[0] = z[0] + 0.3 * z[1] * z[2] - p[0];
    r[1] = z[1] - 0.2 * z[2] * z[0] - p[1];
    r[2] = z[2] + 0.25 * z[0] * z[1] - p[2];
    for (int k = 0; k < 3; ++k) j[k][k] = splat(1);
    j[0][1] = 0.3 * z[2], j[0][2] = 0.3 * z[1];
    j[1][0] = -0.2 * z[2], j[1][2] = -0.2 * z[0];
    j[2][0] = 0.25 * z[1], j[2][1] = 0.25 * z[0];
  }
  void solve(const Lanes* b, Lanes* x) const {
    Lanes cofactor[3][3];
    for (int r = 0; r < 3; ++r)
      for (int c = 0; c < 3; ++c) {
        const int r1 = (r + 1) % 3, r2 = (r + 2) % 3, c1 = (c + 1) % 3, c2 = (c + 2) % 3;
        cofactor[r][c] = j[r1][c1] * j[r2][c2] - j[r1][c2] * j[r2][c1];
      }
    const Lanes scale =
        splat(1) / (j[0][0] * cofactor[0][0] + j[0][1] * cofactor[0][1] + j[0][2] * cofactor[0][2]);
    for (int c = 0; c < 3; ++c)
      x[c] = scale * (cofactor[0][c] * b[0] + cofactor[1][c] * b[1] + cofactor[2][c] * b[2]);
  }
};

// Column c of eight rows; rows past the end repeat the last.
template <int n>
Lanes column(std::span<const double> rows, size_t first, int c) {
  Lanes v;
  const size_t last = rows.size() / n - 1;
  for (size_t lane = 0; lane < kLanes; ++lane) v[lane] = rows[std::min(first + lane, last) * n + c];
  return v;
}
template <int n>
void putColumn(std::span<double> rows, size_t first, int c, Lanes v) {
  const size_t count = std::min<size_t>(kLanes, rows.size() / n - first);
  for (size_t lane = 0; lane < count; ++lane) rows[(first + lane) * n + c] = v[lane];
}

// One Newton step; whether the test held before it.
template <class System>
bool step(System& system, const Lanes* p, Lanes* z) {
  constexpr int n = System::kUnknowns;
  Lanes r[n], d[n], largest = splat(0);
  system.evaluate(z, p, r);
  system.solve(r, d);
  for (int k = 0; k < n; ++k) {
    largest = maxLanes(largest, absLanes(r[k]));
    z[k] -= d[k];
  }
  return all(largest <= splat(kTolerance));
}

template <class System>
bool solveRows(std::span<const double> p, std::span<const double> p_dot, std::span<double> z,
               std::span<double> z_dot) {
  constexpr int n = System::kUnknowns;
  bool good = true;
  for (size_t first = 0; first < p.size() / n; first += kLanes) {
    System system;
    Lanes ps[n], zs[n], ds[n], slopes[n];
    for (int k = 0; k < n; ++k) ps[k] = zs[k] = column<n>(p, first, k);
    bool done = false;
    for (int count = 0; count < kSteps && !done; ++count) done = step(system, ps, zs);
    good = good && done;
    for (int k = 0; k < n; ++k) putColumn<n>(z, first, k, zs[k]);
    if (p_dot.empty()) continue;
    system.evaluate(zs, ps, slopes);
    for (int k = 0; k < n; ++k) ds[k] = column<n>(p_dot, first, k);
    system.solve(ds, slopes);
    for (int k = 0; k < n; ++k) putColumn<n>(z_dot, first, k, slopes[k]);
  }
  return good;
}

}  // namespace

bool pairs(std::span<const double> p, std::span<double> z) { return solveRows<Pair>(p, {}, z, {}); }
bool pairs(std::span<const double> p, std::span<const double> p_dot, std::span<double> z,
           std::span<double> z_dot) {
  return solveRows<Pair>(p, p_dot, z, z_dot);
}
bool triples(std::span<const double> p, std::span<double> z) {
  return solveRows<Triple>(p, {}, z, {});
}
bool triples(std::span<const double> p, std::span<const double> p_dot, std::span<double> z,
             std::span<double> z_dot) {
  return solveRows<Triple>(p, p_dot, z, z_dot);
}

}  // namespace dini::bench
