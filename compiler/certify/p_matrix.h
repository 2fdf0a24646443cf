// Whether a matrix, known entry by entry up to an interval, is a P-matrix: all principal minors
// positive. For the lifted Jacobian of an equation with k kinks this is the hypothesis of the
// nonsmooth implicit function theorem (docs/nonsmooth.md).
// Source: Tsatsomeros and Li, A recursive test for P-matrices, BIT 40 (2000): M is a P-matrix if
// and only if M_11 > 0 and both the rest of M and the Schur complement M / M_11 are. Each node of
// the recursion stands for a set of pivoted indices; sufficient tests prune it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "certify/interval.h"

namespace dini::certify {

// A square matrix of intervals, row-major.
struct IntervalMatrix {
  size_t n = 0;
  std::vector<Interval> entries;
  explicit IntervalMatrix(size_t size = 0) : n(size), entries(size * size) {}
  Interval& at(size_t i, size_t j) { return entries[i * n + j]; }
  const Interval& at(size_t i, size_t j) const { return entries[i * n + j]; }
};

enum class Verdict { Refuted = -1, Unknown = 0, Proved = 1 };
// What a refutation rests on.
enum class Refutation { None, SignChange, ExactZero };

struct PMatrixResult {
  Verdict verdict = Verdict::Unknown;
  Refutation refutation = Refutation::None;
  // Refuted: weights e in [0, 1]^k with det(I - diag(e) (I - M)) = 0 up to the enclosure's width.
  // All are 0 or 1 but one, at `index`, which is 1 / (1 - p) for the pivot p found there.
  // Unknown because an enclosed pivot contains 0: the weights of the first such pivot, for the caller to test
  // whether the Jacobian there is numerically singular. Else empty.
  std::vector<double> witness;
  size_t index = 0;
  std::string how;       // the test that decided, or what was tried
  uint64_t nodes = 0;    // of the recursion
};

// `node_limit` bounds the recursion; beyond it the answer is Unknown.
PMatrixResult testPMatrix(const IntervalMatrix& M, uint64_t node_limit = 1u << 24);

// The sufficient tests on their own, for every real matrix in M.
// x' M x > 0 for all x != 0: Cholesky of the middle of the symmetric part, less its radius.
bool symmetricPartPositiveDefinite(const IntervalMatrix& M);
// The comparison matrix (M_ii - |M_ij|) has a positive vector d with positive image: then M is an
// H-matrix with positive diagonal, and those are P-matrices.
bool hMatrixWithPositiveDiagonal(const IntervalMatrix& M);
// With S = 2 (M - I)(M + I)^-1, the response with every weight at 1/2: I + diag(e) S is regular for all
// |e_i| <= 1/2 if the spectral radius of |S| is below 2.
bool centredResponseIsSmall(const IntervalMatrix& M);

}  // namespace dini::certify
