// Linear systems whose entries are known up to intervals: a verified test of regularity and enclosed
// solutions. Source: Rump, Verification methods, Acta Numerica 19 (2010), sections 3 and 10.
#pragma once

#include <optional>
#include <vector>

#include "certify/interval.h"

namespace dini::certify {

// Row-major, of intervals.
struct Matrix {
  size_t rows = 0, columns = 0;
  std::vector<Interval> entries;
  Matrix() = default;
  Matrix(size_t r, size_t c) : rows(r), columns(c), entries(r * c) {}
  Interval& at(size_t i, size_t j) { return entries[i * columns + j]; }
  const Interval& at(size_t i, size_t j) const { return entries[i * columns + j]; }
  bool finite() const;
};

// An approximate inverse of the middle of a square matrix with the bound eta >= ||I - R A||_inf for
// every A in it. eta < 1 proves them all regular.
struct Preconditioner {
  size_t n = 0;
  std::vector<double> r;
  double eta = 0;
};
std::optional<Preconditioner> precondition(const Matrix& a);

// Bounds for all A in `a` and B in `b`, by a preconditioner with eta < 1: every solution of A X = B.
Matrix encloseSolution(const Preconditioner& p, const Matrix& a, const Matrix& b);
// max over rows i of sum_j |X_ij| for these solutions, without the solutions: ||R B|| / (1 - eta).
double boundSolution(const Preconditioner& p, const Matrix& b);

// sigma_min / sigma_max of the middle after rows and columns are scaled to largest entry 1, and the
// right singular vector of sigma_min in the matrix's own columns, of largest entry 1.
struct Singularity {
  double ratio = 1;
  std::vector<double> kernel;
};
Singularity singularity(const Matrix& a);

}  // namespace dini::certify
