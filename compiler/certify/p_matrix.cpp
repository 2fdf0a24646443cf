#include "certify/p_matrix.h"

#include <fmt/format.h>

#include "certify/enclosure.h"

namespace dini::certify {

// With D = diag(M's row scales) nothing is assumed about symmetry: sym(M) = (M + M')/2 is enclosed
// entry by entry, and interval Cholesky that ends with positive pivots proves every member positive
// definite.
bool symmetricPartPositiveDefinite(const IntervalMatrix& M) {
  size_t n = M.n;
  IntervalMatrix L(n);
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j <= i; ++j) L.at(i, j) = Interval(0.5) * (M.at(i, j) + M.at(j, i));
  for (size_t k = 0; k < n; ++k) {
    Interval pivot = L.at(k, k);
    if (!pivot.positive()) return false;
    for (size_t i = k + 1; i < n; ++i) {
      Interval factor = L.at(i, k) / pivot;
      for (size_t j = k + 1; j <= i; ++j) L.at(i, j) = L.at(i, j) - factor * L.at(j, k);
    }
  }
  return true;
}

// d by a few sweeps of Jacobi on |M| d, then checked with rounding: M_ii d_i > sum_j |M_ij| d_j.
bool hMatrixWithPositiveDiagonal(const IntervalMatrix& M) {
  size_t n = M.n;
  for (size_t i = 0; i < n; ++i)
    if (!M.at(i, i).positive()) return false;
  std::vector<double> d(n, 1.0), next(n);
  for (int sweep = 0; sweep < 30; ++sweep) {
    bool dominant = true;
    for (size_t i = 0; i < n; ++i) {
      Interval off = 0.0;
      for (size_t j = 0; j < n; ++j)
        if (j != i) off = off + Interval(M.at(i, j).magnitude()) * Interval(d[j]);
      Interval own = Interval(M.at(i, i).lo) * Interval(d[i]);
      dominant = dominant && off.hi < own.lo;
      next[i] = 0.5 * d[i] + 0.5 * (off.hi + 1e-3) / M.at(i, i).lo;
    }
    if (dominant) return true;
    double largest = 0;
    for (double x : next) largest = std::max(largest, x);
    if (!(largest > 0) || !std::isfinite(largest)) return false;
    for (size_t i = 0; i < n; ++i) d[i] = std::max(next[i] / largest, 1e-12);
  }
  return false;
}

// S' from (M + I)' S' = 2 (M - I)'; then I - |S| / 2 is to be an H-matrix.
bool centredResponseIsSmall(const IntervalMatrix& M) {
  size_t n = M.n;
  Matrix sum(n, n), difference(n, n);
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) {
      Interval unit = i == j ? 1.0 : 0.0;
      sum.at(j, i) = M.at(i, j) + unit;
      difference.at(j, i) = Interval(2) * (M.at(i, j) - unit);
    }
  std::optional<Preconditioner> p = precondition(sum);
  if (!p || !(p->eta < 1)) return false;
  Matrix s = encloseSolution(*p, sum, difference);
  IntervalMatrix rest(n);
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j)
      rest.at(i, j) = Interval(i == j ? 1.0 : 0.0) - Interval(s.at(j, i).magnitude() / 2);
  return hMatrixWithPositiveDiagonal(rest);
}

namespace {

class Recursion {
 public:
  Recursion(size_t k, uint64_t node_limit) : node_limit_(node_limit), pivoted_(k, 0) {
    levels_.reserve(k + 1);
    for (size_t n = 0; n <= k; ++n) levels_.emplace_back(n);
  }

  // Whether the matrix at levels_[n], whose first index is `k - n` of the whole, is a P-matrix.
  // False: the result says refuted or that it could not be decided here.
  void test(size_t n) {
    if (n == 0 || stopped_) return;
    if (++result_.nodes > node_limit_) {
      stopped_ = limited_ = true;
      return;
    }
    const IntervalMatrix& M = levels_[n];
    size_t first = pivoted_.size() - n;
    for (size_t i = 0; i < n; ++i)
      if (M.at(i, i).nonpositive()) {
        refute(first + i, M.at(i, i));
        if (stopped_) return;
      }
    if (!M.at(0, 0).positive()) straddles(first, M.at(0, 0));
    if (n == 1 || pruned(M)) return;
    // Without index `first`: the trailing block. With it: the Schur complement.
    IntervalMatrix saved = M;
    trailing(saved, n);
    test(n - 1);
    if (stopped_ || !saved.at(0, 0).positive()) return;
    schur(saved, n);
    pivoted_[first] = 1;
    test(n - 1);
    pivoted_[first] = 0;
  }

  IntervalMatrix& top() { return levels_.back(); }
  PMatrixResult finish() {
    if (result_.verdict == Verdict::Refuted) return result_;
    if (limited_)
      result_.how = fmt::format("principal minors: the limit of {} nodes was reached", node_limit_);
    else if (undecided_)
      result_.how = "principal minors: an enclosed pivot contains 0";
    else {
      result_.verdict = Verdict::Proved;
      result_.how = "all principal minors are positive";
    }
    return result_;
  }

 private:
  // Worth its n^3 only where it can save 2^n nodes.
  bool pruned(const IntervalMatrix& M) const {
    return M.n >= 6 && (symmetricPartPositiveDefinite(M) || hMatrixWithPositiveDiagonal(M));
  }

  void trailing(const IntervalMatrix& M, size_t n) {
    IntervalMatrix& to = levels_[n - 1];
    for (size_t i = 1; i < n; ++i)
      for (size_t j = 1; j < n; ++j) to.at(i - 1, j - 1) = M.at(i, j);
  }

  void schur(const IntervalMatrix& M, size_t n) {
    IntervalMatrix& to = levels_[n - 1];
    for (size_t i = 1; i < n; ++i) {
      Interval factor = M.at(i, 0) / M.at(0, 0);
      for (size_t j = 1; j < n; ++j)
        to.at(i - 1, j - 1) = M.at(i, j) - factor * M.at(0, j);
    }
  }

  // det(I - diag(e)(I - M)) is affine in e_i: 1 (times the pivots before, all positive) at e_i = 0 and p at
  // e_i = 1; it vanishes at t = 1 / (1 - p).
  void setWitness(size_t index, Interval pivot) {
    result_.index = index;
    result_.witness.assign(pivoted_.begin(), pivoted_.end());
    result_.witness[index] = 1 / (1 - pivot.middle());
  }

  void refute(size_t index, Interval pivot) {
    bool zero = pivot.lo == 0;
    if (!zero && !(pivot.hi < 0)) return straddles(index, pivot);
    stopped_ = true;
    setWitness(index, pivot);
    result_.verdict = Verdict::Refuted;
    result_.refutation = zero ? Refutation::ExactZero : Refutation::SignChange;
    result_.how = zero ? "a vertex is singular" : "two vertices have determinants of opposite sign";
  }

  void straddles(size_t index, Interval pivot) {
    if (!undecided_) setWitness(index, pivot);
    undecided_ = true;
  }

  uint64_t node_limit_;
  std::vector<char> pivoted_;
  std::vector<IntervalMatrix> levels_;  // one matrix of each size: the recursion allocates only copies
  PMatrixResult result_;
  bool stopped_ = false, limited_ = false, undecided_ = false;
};

}  // namespace

PMatrixResult testPMatrix(const IntervalMatrix& M, uint64_t node_limit) {
  PMatrixResult result;
  if (symmetricPartPositiveDefinite(M)) {
    result.verdict = Verdict::Proved;
    result.how = "the symmetric part is positive definite";
    return result;
  }
  if (hMatrixWithPositiveDiagonal(M)) {
    result.verdict = Verdict::Proved;
    result.how = "an H-matrix with positive diagonal";
    return result;
  }
  if (centredResponseIsSmall(M)) {
    result.verdict = Verdict::Proved;
    result.how = "the spectral radius of the centred response";
    return result;
  }
  Recursion recursion(M.n, node_limit);
  recursion.top() = M;
  recursion.test(M.n);
  return recursion.finish();
}

}  // namespace dini::certify
