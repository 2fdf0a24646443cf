// W4 by hand: batches of quadratic programs, minimise x'Q x/2 + q'x where A x == b and G x <= h, Q positive
// definite, and the cotangents of all data from those of the minimisers. Eight programs at a time, one in
// each lane of a vector; n, p, m are multiples of 5 (tiles of 5 x 5 stay in registers).
#pragma once

#include <cstdint>
#include <vector>

namespace dini::bench {

struct QpProblem {
  int64_t count = 0, n = 0, p = 0, m = 0;  // programs, a multiple of 8; unknowns, equalities, inequalities
  std::vector<double> Q, q, A, b, G, h;    // row-major, one program after the other
  std::vector<double> x_bar;
};

class QpByHand {
 public:
  explicit QpByHand(QpProblem problem);
  // False where a factorisation fails or the iterations do not end.
  bool solve();
  bool solveAndPull();
  const QpProblem& problem() const { return problem_; }
  const std::vector<double>& x() const { return x_; }
  double value() const;  // dot(x_bar, x)
  // The cotangents of Q, q, A, b, G, h; that of Q is symmetric.
  const QpProblem& cotangents() const { return bars_; }

 private:
  struct Eight;
  bool run(bool pull);
  void outer(int64_t program, int64_t lane, const Eight& eight);

  QpProblem problem_, bars_;
  std::vector<double> x_;
};

}  // namespace dini::bench
