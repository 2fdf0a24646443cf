// The test for P-matrices in double precision: Tsatsomeros and Li, A recursive test for P-matrices,
// BIT 40 (2000). M is one if and only if M_11 > 0 and both the rest of M and the Schur complement
// M / M_11 are. compiler/certify has the same recursion over intervals, as a proof.
#include <algorithm>
#include <cmath>

#include "array.h"
#include "dini/complementarity.h"

namespace {

constexpr int64_t kExact = 12;          // 2^k nodes: below a millisecond
constexpr double kSmallestPivot = 1e-12;  // of the terms it was formed from

struct Matrix {
  int64_t n = 0;
  dini::Array<double> entries, magnitude;  // magnitude [n]: of the terms of each diagonal entry
  explicit Matrix(int64_t size) : n(size), entries(size * size), magnitude(size) {}
  double& at(int64_t i, int64_t j) { return entries[i * n + j]; }
  double at(int64_t i, int64_t j) const { return entries[i * n + j]; }
  bool positive(int64_t i) const { return at(i, i) > kSmallestPivot * magnitude[i]; }
};

// The trailing block, or the Schur complement of the first entry.
enum class First { Dropped, Pivoted };
Matrix rest(const Matrix& m, First first) {
  Matrix to(m.n - 1);
  for (int64_t i = 1; i < m.n; ++i) {
    const double factor = first == First::Pivoted ? m.at(i, 0) / m.at(0, 0) : 0;
    for (int64_t j = 1; j < m.n; ++j) {
      const double moved = factor == 0 ? 0 : factor * m.at(0, j);
      to.at(i - 1, j - 1) = m.at(i, j) - moved;
      if (i == j) to.magnitude[i - 1] = std::max(m.magnitude[i], std::fabs(m.at(i, i)) + std::fabs(moved));
    }
  }
  return to;
}

// det(I - diag(e) (I - M)) is affine in e_i: where the indices pivoted so far have e = 1 and all
// other 0 but i, it is a positive number times 1 (at e_i = 0), times the pivot p (at e_i = 1). With
// p <= 0 it vanishes at e_i = 1 / (1 - p).
class Recursion {
 public:
  Recursion(double* witness, int64_t* index, int64_t k) : witness_(witness), index_(index), k_(k) {
    std::fill(witness, witness + k, 0.0);
  }

  bool holds(const Matrix& m) {
    if (m.n == 0) return true;
    const int64_t first = k_ - m.n;
    for (int64_t i = 0; i < m.n; ++i)
      if (!m.positive(i)) return refuted(first + i, m.at(i, i));
    if (!holds(rest(m, First::Dropped))) return false;
    witness_[first] = 1;
    if (!holds(rest(m, First::Pivoted))) return false;
    witness_[first] = 0;
    return true;
  }

  // Minors of one and of two indices alone.
  bool smallMinorsPositive(const Matrix& m) {
    for (int64_t i = 0; i < m.n; ++i)
      if (!m.positive(i)) return refuted(i, m.at(i, i));
    for (int64_t i = 0; i < m.n; ++i)
      for (int64_t j = i + 1; j < m.n; ++j) {
        const double moved = m.at(j, i) * m.at(i, j) / m.at(i, i), pivot = m.at(j, j) - moved;
        if (pivot > kSmallestPivot * (m.at(j, j) + std::fabs(moved))) continue;
        witness_[i] = 1;
        return refuted(j, pivot);
      }
    return true;
  }

 private:
  bool refuted(int64_t i, double pivot) {
    witness_[i] = 1 / (1 - std::min(pivot, 0.0));
    *index_ = i;
    return false;
  }

  double* witness_;
  int64_t* index_;
  int64_t k_;
};

// Cholesky of (M + M') / 2, with room for its rounding.
bool symmetricPartPositiveDefinite(const Matrix& m) {
  const int64_t n = m.n;
  dini::Array<double> l(n * n);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j <= i; ++j) {
      double sum = 0.5 * (m.at(i, j) + m.at(j, i)), size = std::fabs(sum);
      for (int64_t p = 0; p < j; ++p) {
        sum -= l[i * n + p] * l[j * n + p];
        size += std::fabs(l[i * n + p] * l[j * n + p]);
      }
      if (i != j) {
        l[i * n + j] = sum / l[j * n + j];
      } else {
        if (!(sum > kSmallestPivot * size)) return false;
        l[i * n + i] = std::sqrt(sum);
      }
    }
  return true;
}

// A positive d with M_ii d_i > sum over j != i of |M_ij| d_j, looked for by damped Jacobi sweeps:
// then M is an H-matrix with positive diagonal, and those are P-matrices.
bool dominantUpToScaling(const Matrix& m) {
  const int64_t n = m.n;
  dini::Array<double> d(n, 1.0), next(n);
  for (int sweep = 0; sweep < 30; ++sweep) {
    bool dominant = true;
    double largest = 0;
    for (int64_t i = 0; i < n; ++i) {
      double off = 0;
      for (int64_t j = 0; j < n; ++j)
        if (j != i) off += std::fabs(m.at(i, j)) * d[j];
      dominant = dominant && m.at(i, i) * d[i] > off * (1 + kSmallestPivot);
      next[i] = 0.5 * d[i] + 0.5 * (off + 1e-3) / m.at(i, i);
      largest = std::max(largest, next[i]);
    }
    if (dominant) return true;
    if (!std::isfinite(largest)) return false;
    for (int64_t i = 0; i < n; ++i) d[i] = std::max(next[i] / largest, 1e-12);
  }
  return false;
}

}  // namespace

int dini_p_matrix(int64_t k, const double* m, double* witness, int64_t* index) {
  Matrix top(k);
  std::copy(m, m + k * k, top.entries.begin());
  for (int64_t i = 0; i < k; ++i) top.magnitude[i] = std::max(1.0, std::fabs(top.at(i, i)));
  Recursion recursion(witness, index, k);
  if (k <= kExact) return recursion.holds(top) ? DINI_PROVED : DINI_REFUTED;
  if (!recursion.smallMinorsPositive(top)) return DINI_REFUTED;
  return symmetricPartPositiveDefinite(top) || dominantUpToScaling(top) ? DINI_PROVED : DINI_UNKNOWN;
}
