// Implicit Euler of the Brusselator by hand: u' = 1 + u^2 v - 4.4 u + d lap u, v' = 3.4 u - u^2 v + d lap v on a periodic
// n by n grid, d = 0.002, steps of 0.1. Newton with KLU: one analysis for all steps, and a search for pivots at each step or at
// each factorisation.
// The value is the variance of u at the end; its gradient in the starting values by the adjoint of the trajectory, with
// one transposed solve for each step.
#pragma once

#include <cstdint>
#include <vector>

#include <suitesparse/klu.h>

namespace dini::bench {

class BrusselatorByHand {
 public:
  BrusselatorByHand(int64_t n, int64_t steps, std::vector<double> start, bool always_search = false);
  ~BrusselatorByHand();
  BrusselatorByHand(const BrusselatorByHand&) = delete;
  BrusselatorByHand& operator=(const BrusselatorByHand&) = delete;
  // False where Newton does not converge.
  bool run();
  bool runAndGradient();
  double value() const { return value_; }
  const std::vector<double>& gradient() const { return bar_; }

 private:
  bool factor(bool search);
  bool step(const std::vector<double>& old);
  void jacobian();
  double residual(const std::vector<double>& old);
  void finish();

  int64_t n_, m_, steps_;
  std::vector<double> start_, z_, r_, bar_;
  bool always_search_;
  double value_ = 0;
  std::vector<int64_t> starts_, rows_;  // by columns
  std::vector<double> entries_;
  std::vector<std::vector<double>> path_;
  klu_l_common common_{};
  klu_l_symbolic* symbolic_ = nullptr;
  klu_l_numeric* numeric_ = nullptr;
};

}  // namespace dini::bench
