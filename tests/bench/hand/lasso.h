// The Lasso by hand: b minimises norm(X b - y)^2/2 + penalty norm1(b), the value is norm(V b - t)^2/2, and
// the slope its derivative in the penalty. Columns are contiguous, which a caller who writes this by
// hand would arrange once. Working sets with their Gram matrix, coordinate descent on it, Cholesky on the
// support; ends when no column outside correlates with the residual by more than the penalty.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace dini::bench {

struct LassoProblem {
  int64_t m = 0, n = 0, k = 0;       // rows and columns of X; rows of V
  std::vector<double> X, y, V, t;    // row-major
  double penalty = 0;
};

class LassoByHand {
 public:
  explicit LassoByHand(const LassoProblem& problem);
  // False where a support has dependent columns, or sets do not settle.
  bool solve(double penalty);
  bool solveAndSlope(double penalty);
  const std::vector<double>& b() const { return b_; }
  double value() const { return value_; }
  double slope() const { return slope_; }

 private:
  void enlarge(std::size_t size);
  void addToGram(std::size_t from);
  bool minimiseOnSet();
  bool newton(bool& settled);
  bool factor();
  void solveFactored();
  void residual();
  double loss();

  int64_t m_, n_, k_;
  std::vector<double> X_, y_, V_, t_;  // columns contiguous
  double penalty_ = 0, value_ = 0, slope_ = 0;
  std::vector<double> b_, r_, c_;      // solution, residual y - X b, X'r
  std::vector<int64_t> set_, order_;
  std::vector<char> in_set_;
  std::vector<double> gram_, u_, beta_;  // of the set: stride n_; q - G beta; coefficients
  std::vector<std::size_t> support_;          // places in the set
  std::vector<double> factor_, step_, miss_;
};

}  // namespace dini::bench
