// With A = [F_z F_w; -d s_z, I - d s_w] at weights d, vertex v and X = A_v^-1 [0; I]:
//   S = [s_z s_w] X,   M = I - diag(1 - 2v) S,
// every A_d is invertible if and only if M is a P-matrix; weights of M's test are e with
// d = v + (1 - 2v) e.
#include "certify/regularity.h"

#include <algorithm>
#include <cmath>

namespace dini::certify {
namespace {

constexpr size_t kVertexLimit = 10;  // switches whose vertices are all solved
constexpr double kInfinite = std::numeric_limits<double>::infinity();

Matrix identityColumns(size_t n, size_t k) {
  Matrix b(n + k, k);
  for (size_t c = 0; c < k; ++c) b.at(n + c, c) = 1.0;
  return b;
}

std::vector<Interval> anyWeights(size_t k) { return std::vector<Interval>(k, Interval(0, 1)); }

// (F, 0)
Matrix stacked(const Matrix& residual, size_t k) {
  Matrix b(residual.rows == 0 ? 0 : residual.rows + k, residual.rows == 0 ? 0 : 1);
  for (size_t i = 0; i < residual.rows; ++i) b.at(i, 0) = residual.at(i, 0);
  return b;
}

std::vector<double> rowSums(const Matrix& b) {
  std::vector<double> sums(b.rows, 0);
  for (size_t i = 0; i < b.rows; ++i)
    for (size_t j = 0; j < b.columns; ++j)
      if (double size = b.at(i, j).magnitude(); size > 0) sums[i] = roundUp(sums[i] + size);
  return sums;
}

// A_d^-1 b is a quotient of functions affine in each d_i, so its entries are extreme at vertices.
bool boundByVertices(const LiftedJacobian& j, const Matrix& residual, Regular& result) {
  if (j.k() > kVertexLimit) return false;
  for (uint32_t set = 0; set < (1u << j.k()); ++set) {
    Vertex v(j.k());
    for (size_t i = 0; i < j.k(); ++i) v[i] = set >> i & 1u;
    std::optional<Preconditioner> p = regularAt(j.at(pointWeights(v)));
    if (!p) return false;
    if (residual.rows > 0)
      result.correction = std::max(result.correction, boundSolution(*p, stacked(residual, j.k())));
    result.lipschitz = std::max(result.lipschitz, boundSolution(*p, j.parametersAt(pointWeights(v))));
  }
  return true;
}

}  // namespace

std::vector<Interval> pointWeights(const Vertex& v) { return {v.begin(), v.end()}; }

std::optional<Preconditioner> regularAt(const Matrix& a) {
  std::optional<Preconditioner> p = precondition(a);
  return p && p->eta < 1 ? p : std::nullopt;
}

IntervalMatrix pMatrixAt(const LiftedJacobian& j, const Vertex& v, const Matrix& a, const Preconditioner& p) {
  size_t n = j.n, k = j.k();
  Matrix x = encloseSolution(p, a, identityColumns(n, k));
  IntervalMatrix m(k);
  for (size_t i = 0; i < k; ++i)
    for (size_t c = 0; c < k; ++c) {
      Interval s = 0.0;
      for (size_t l = 0; l < n + k; ++l) {
        const Interval& slope = j.unknowns.at(n + i, l);
        if (slope.lo != 0 || slope.hi != 0) s = s + slope * x.at(l, c);
      }
      m.at(i, c) = Interval(i == c ? 1.0 : 0.0) - Interval(1 - 2 * v[i]) * s;
    }
  return m;
}

void tightenLipschitz(const LiftedJacobian& j, Regular& regular) {
  constexpr size_t kSmall = 60;
  if (!regular.bounded || j.n + j.k() > kSmall) return;
  Regular other = byNorm(j, Matrix());
  if (other.holds) regular.lipschitz = std::min(regular.lipschitz, other.lipschitz);
  Regular exact;
  if (boundByVertices(j, Matrix(), exact)) regular.lipschitz = std::min(regular.lipschitz, exact.lipschitz);
}

// ---------------------------------------------------------------- dominance
double Dominance::bound(const std::vector<double>& b) const {
  double ratio = 0, largest = 0;
  for (size_t i = 0; i < b.size(); ++i) ratio = std::max(ratio, b[i] == 0 ? 0 : roundUp(b[i] / slack[i]));
  for (double v : weights) largest = std::max(largest, v);
  return ratio == 0 ? 0 : roundUp(ratio * largest);
}

// v by sweeps of a damped Jacobi iteration for <A> v = 1, the comparison matrix's equation; what is
// found is checked with rounding.
std::optional<Dominance> dominance(const Matrix& a) {
  size_t n = a.rows;
  std::vector<double> diagonal(n), off(n * n, 0);
  for (size_t i = 0; i < n; ++i) {
    diagonal[i] = a.at(i, i).mignitude();
    if (!(diagonal[i] > 0)) return std::nullopt;
    for (size_t j = 0; j < n; ++j)
      if (j != i) off[i * n + j] = a.at(i, j).magnitude();
  }
  Dominance found{std::vector<double>(n, 1.0), std::vector<double>(n)};
  std::vector<double>& v = found.weights;
  for (int sweep = 0; sweep < 100; ++sweep) {
    bool dominant = true, settled = true;
    std::vector<double> next(n);
    for (size_t i = 0; i < n; ++i) {
      double sum = 0;
      for (size_t j = 0; j < n; ++j) sum += off[i * n + j] * v[j];
      // Each product and sum rounds by half a unit at most: n of each.
      double bound = roundUp(sum * (1 + 2 * static_cast<double>(n + 2) * 0x1p-53) + std::numeric_limits<double>::min());
      found.slack[i] = roundDown(roundDown(diagonal[i] * v[i]) - bound);
      dominant = dominant && found.slack[i] > 0;
      next[i] = 0.5 * v[i] + 0.5 * (sum + 1) / diagonal[i];
      settled = settled && std::abs(next[i] - v[i]) <= 0.003 * v[i];
    }
    if (dominant && (settled || sweep > 60)) return found;
    double largest = *std::max_element(next.begin(), next.end());
    if (!(largest > 0) || !(largest < 1e150)) return std::nullopt;
    v = std::move(next);
  }
  return std::nullopt;
}

Regular byDominance(const LiftedJacobian& j, const Matrix& residual) {
  Regular result;
  result.how = "weighted row sums (an absolute norm)";
  std::vector<Interval> any = anyWeights(j.k());
  std::optional<Dominance> found = dominance(j.at(any));
  if (!found) return result;
  result.holds = result.bounded = true;
  result.correction = found->bound(rowSums(stacked(residual, j.k())));
  Matrix b = j.parametersAt(any);
  result.lipschitz = b.finite() ? found->bound(rowSums(b)) : kInfinite;
  return result;
}

// ---------------------------------------------------------------- norm and minors
Regular byNorm(const LiftedJacobian& j, const Matrix& residual) {
  Regular result;
  std::vector<Interval> any = anyWeights(j.k());
  std::optional<Preconditioner> p = regularAt(j.at(any));
  result.how = "the interval Newton test (Krawczyk)";
  if (!p) return result;
  result.holds = result.bounded = true;
  if (residual.rows > 0) result.correction = boundSolution(*p, stacked(residual, j.k()));
  result.lipschitz = boundSolution(*p, j.parametersAt(any));
  return result;
}

Regular byMinors(const LiftedJacobian& j, const Matrix& residual, const std::vector<Vertex>& vertices,
                 uint64_t node_limit) {
  Regular result;
  for (const Vertex& v : vertices) {
    Matrix a = j.at(pointWeights(v));
    std::optional<Preconditioner> p = regularAt(a);
    if (!p) continue;
    PMatrixResult test = testPMatrix(pMatrixAt(j, v, a, *p), node_limit);
    result.how = test.how;
    if (test.verdict != Verdict::Proved) return result;
    result.holds = true;
    result.bounded = boundByVertices(j, residual, result);
    return result;
  }
  result.how = "no vertex was shown to be invertible";
  return result;
}

}  // namespace dini::certify
