// The inputs of the workloads: pseudo-random, the same at every run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "hand/gmm.h"
#include "hand/lasso.h"
#include "hand/mlp.h"
#include "hand/qp.h"

namespace dini::bench {

// Uniform in (low, high).
std::vector<double> uniform(uint64_t seed, size_t count, double low, double high);

struct RootsProblem {
  std::vector<double> x, x_dot;
};
RootsProblem rootsProblem(size_t count);
RootsProblem systemsProblem(size_t count);
std::vector<double> rosenbrockPoint(size_t count);
GmmProblem gmmProblem(int64_t n, int64_t d, int64_t K);
MlpProblem mlpProblem(int64_t rows);
// u and v of a Brusselator on an n by n grid, interleaved: waves.
std::vector<double> brusselatorStart(int64_t n);
// Programs that have points inside all inequalities; about half of those are active.
QpProblem qpProblem(int64_t count, int64_t n, int64_t p, int64_t m);
// Of twenty columns and noise; the penalty is the largest that leaves anything, divided.
LassoProblem lassoProblem(int64_t m, int64_t n, int64_t k, double divisor);

}  // namespace dini::bench
