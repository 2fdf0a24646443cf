// What both hand-written versions of the Gaussian mixture share: the factors, and the terms of the
// value that do not depend on the points.
#pragma once

#include "hand/gmm.h"

namespace dini::bench {

// Row length of icf, and the place of Q's element (i, j), i > j, in it.
inline int64_t icfSize(int64_t d) { return d * (d + 1) / 2; }
inline int64_t icfIndex(int64_t d, int64_t i, int64_t j) {
  return d + j * (2 * d - j - 1) / 2 + i - j - 1;
}

void unpackFactors(const GmmProblem& problem, GmmScratch& scratch);
// The value's part without the likelihood of the points; likewise of the gradient, which is
// overwritten.
double gmmPrior(const GmmProblem& problem, const GmmScratch& scratch);
double gmmPrior(const GmmProblem& problem, const GmmScratch& scratch, GmmGradient& gradient);
// Adds Q_bar [d, d] of component k (its lower triangle) to icf's cotangent.
void addFactorCotangent(const GmmProblem& problem, const GmmScratch& scratch, int64_t k,
                        const double* q_bar, GmmGradient& gradient);

}  // namespace dini::bench
