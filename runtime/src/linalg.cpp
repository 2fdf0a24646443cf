// Factorisations and solves. Up to 8 unknowns small_systems.h; below kSmall the loops here, whose
// inner loops run over contiguous rows; above, LAPACK on transposed copies and BLAS's triangular solves. No fused multiply-add:
// results do not depend on the instruction set here, only on BLAS's kernels above.
#include "dini/linalg.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "blas.h"
#include "dini/status.h"
#include "small_systems.h"

#define DINI_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))

namespace {

using dini::blas::table;

constexpr int64_t kSmall = 48;
constexpr double kSmallestRcond = 1e-14;

enum Structure : int64_t {
  General,
  Symmetric,
  PositiveDefinite,
  Lower,
  Upper,
  UnitLower,
  Diagonal
};

// Symmetric systems large enough for LAPACK take L D L', which costs half of LU.
bool usesLdl(int64_t structure, int64_t n) { return structure == Symmetric && n >= kSmall; }
bool usesLu(int64_t structure, int64_t n) {
  return structure == General || (structure == Symmetric && n < kSmall);
}

// y[0..n) -= c * x[0..n)
DINI_CLONES void subtractMultiple(int64_t n, double c, const double* x, double* y) {
  for (int64_t j = 0; j < n; ++j) y[j] -= c * x[j];
}

// The sum of x[j] y[j]: eight interleaved partial sums, combined pairwise, then the rest in order.
DINI_CLONES double dotProduct(int64_t n, const double* x, const double* y) {
  using Lanes = double __attribute__((vector_size(64)));
  Lanes sums = {};
  int64_t j = 0;
  for (; j + 8 <= n; j += 8) {
    Lanes a, b;
    std::memcpy(&a, x + j, sizeof a);
    std::memcpy(&b, y + j, sizeof b);
    sums += a * b;
  }
  double total = ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
  for (; j < n; ++j) total += x[j] * y[j];
  return total;
}

void swapRows(double* a, int64_t width, int64_t i, int64_t k) {
  if (i != k) std::swap_ranges(a + i * width, a + (i + 1) * width, a + k * width);
}

void transposeSquare(int64_t n, double* a) {
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = i + 1; j < n; ++j) std::swap(a[i * n + j], a[j * n + i]);
}

void luSmall(int64_t n, double* a, int64_t* pivots) {
  for (int64_t k = 0; k < n; ++k) {
    int64_t best = k;
    for (int64_t i = k + 1; i < n; ++i)
      if (std::fabs(a[i * n + k]) > std::fabs(a[best * n + k])) best = i;
    pivots[k] = best;
    swapRows(a, n, k, best);
    const double pivot = a[k * n + k];
    for (int64_t i = k + 1; i < n; ++i) {
      const double multiplier = a[i * n + k] / pivot;
      a[i * n + k] = multiplier;
      subtractMultiple(n - k - 1, multiplier, a + k * n + k + 1, a + i * n + k + 1);
    }
  }
}

// LAPACK wrote ints, counted from 1, into the memory of `pivots`: widened in place, from the end. A
// negative one (of a 2 x 2 block) keeps its sign.
void widenPivots(int64_t n, int64_t* pivots) {
  for (int64_t k = n - 1; k >= 0; --k) {
    int one_based;
    std::memcpy(&one_based, reinterpret_cast<char*>(pivots) + k * sizeof(int), sizeof(int));
    pivots[k] = one_based > 0 ? one_based - 1 : one_based;
  }
}

void luLarge(int64_t n, double* a, int64_t* pivots) {
  transposeSquare(n, a);
  const int order = static_cast<int>(n);
  int info = 0;
  table().dgetrf(&order, &order, a, &order, reinterpret_cast<int*>(pivots), &info);
  widenPivots(n, pivots);
  transposeSquare(n, a);
}

// A = L D L' with symmetric pivoting (Bunch and Kaufman, Math. Comp. 31 (1977)), by LAPACK on the
// lower triangle by columns, which is the upper one by rows: L_ik, i > k, stands at a[k n + i].
// `work` has 2 n elements. False: D is singular.
bool ldlInPlace(int64_t n, double* a, int64_t* pivots, double* work) {
  const int order = static_cast<int>(n), length = 2 * order;
  int info = 0;
  table().dsytrf("L", &order, a, &order, reinterpret_cast<int*>(pivots), work, &length, &info);
  widenPivots(n, pivots);
  return info == 0;
}

// The lower factor in place, the strict upper triangle untouched. False: not positive definite.
bool choleskyInPlace(int64_t n, double* a) {
  if (n >= kSmall) {
    const int order = static_cast<int>(n);
    int info = 0;
    table().dpotrf("U", &order, a, &order, &info);  // upper, column-major: our lower one
    return info == 0;
  }
  for (int64_t j = 0; j < n; ++j) {
    double* row_j = a + j * n;
    double diagonal = row_j[j];
    for (int64_t k = 0; k < j; ++k) diagonal -= row_j[k] * row_j[k];
    if (!(diagonal > 0)) return false;
    row_j[j] = std::sqrt(diagonal);
    for (int64_t i = j + 1; i < n; ++i) {
      double* row_i = a + i * n;
      double v = row_i[j];
      for (int64_t k = 0; k < j; ++k) v -= row_i[k] * row_j[k];
      row_i[j] = v / row_j[j];
    }
  }
  return true;
}

struct Triangle {
  bool lower;
  bool transposed;
  bool unit;
};

// X = T^-1 X or T'^-1 X in place, T [n, n], X [n, m].
void triangularSolve(Triangle t, int64_t n, int64_t m, const double* a, double* x) {
  if (n >= kSmall && m >= 8) {
    // Row-major X is column-major X' [m, n]: X' T' = B' (T' as BLAS sees T).
    const int rows = static_cast<int>(m), order = static_cast<int>(n);
    const double one = 1;
    table().dtrsm("R", t.lower ? "U" : "L", t.transposed ? "T" : "N", t.unit ? "U" : "N", &rows,
                  &order, &one, a, &order, x, &rows);
    return;
  }
  const bool forward = t.lower != t.transposed;
  if (m == 1 && !t.transposed) {  // along the rows of T
    for (int64_t step = 0; step < n; ++step) {
      const int64_t k = forward ? step : n - 1 - step;
      const int64_t from = forward ? 0 : k + 1;
      const double v = x[k] - dotProduct(forward ? k : n - 1 - k, a + k * n + from, x + from);
      x[k] = t.unit ? v : v / a[k * n + k];
    }
    return;
  }
  for (int64_t step = 0; step < n; ++step) {
    const int64_t k = forward ? step : n - 1 - step;
    double* row = x + k * m;
    if (!t.unit)
      for (int64_t j = 0; j < m; ++j) row[j] /= a[k * n + k];
    const int64_t from = forward ? k + 1 : 0, to = forward ? n : k;
    if (m == 1 && t.transposed) {
      subtractMultiple(to - from, row[0], a + k * n + from, x + from);
    } else {
      for (int64_t i = from; i < to; ++i)
        subtractMultiple(m, t.transposed ? a[k * n + i] : a[i * n + k], row, x + i * m);
    }
  }
}

void applyPivots(int64_t n, int64_t m, const int64_t* pivots, double* x, bool inverse) {
  for (int64_t step = 0; step < n; ++step) {
    const int64_t k = inverse ? n - 1 - step : step;
    swapRows(x, m, k, pivots[k]);
  }
}

// x <- A^-1 x from ldlInPlace's factors; x has n rows of m. Rows k of L^-1, then D's block of one
// or two rows, then L' from the end; each with its exchange of rows.
void ldlSolve(int64_t n, int64_t m, const double* a, const int64_t* pivots, double* x) {
  const auto row = [&](int64_t k) { return x + k * m; };
  for (int64_t k = 0; k < n;) {
    const bool block = pivots[k] < 0;
    const int64_t last = block ? k + 1 : k;
    swapRows(x, m, last, block ? -pivots[k] - 1 : pivots[k]);
    for (int64_t c = k; c <= last; ++c)
      for (int64_t i = last + 1; i < n; ++i) subtractMultiple(m, a[c * n + i], row(c), row(i));
    if (!block) {
      for (int64_t j = 0; j < m; ++j) row(k)[j] /= a[k * n + k];
    } else {  // scaled by the off-diagonal element, the largest of the block
      const double off = a[k * n + k + 1];
      const double first = a[k * n + k] / off, second = a[(k + 1) * n + k + 1] / off;
      const double determinant = first * second - 1;
      for (int64_t j = 0; j < m; ++j) {
        const double u = row(k)[j] / off, v = row(k + 1)[j] / off;
        row(k)[j] = (second * u - v) / determinant;
        row(k + 1)[j] = (first * v - u) / determinant;
      }
    }
    k = last + 1;
  }
  for (int64_t k = n - 1; k >= 0;) {
    const bool block = pivots[k] < 0;
    const int64_t first = block ? k - 1 : k;
    for (int64_t c = first; c <= k; ++c)
      for (int64_t i = k + 1; i < n; ++i) subtractMultiple(m, a[c * n + i], row(i), row(c));
    swapRows(x, m, k, block ? -pivots[k] - 1 : pivots[k]);
    k = first - 1;
  }
}

double largestOf(int64_t n, const double* v) {
  double largest = 0;
  for (int64_t j = 0; j < n; ++j)
    if (!(v[j] <= largest)) largest = v[j];  // NaN stays
  return largest;
}

double oneNorm(int64_t structure, int64_t n, const double* a, double* column_sums) {
  std::fill_n(column_sums, n, 0.0);
  if (structure == General || structure == Symmetric) {
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j) column_sums[j] += std::fabs(a[i * n + j]);
    return largestOf(n, column_sums);
  }
  const bool upper = structure == Upper, unit = structure == UnitLower;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = upper ? i + 1 : 0; j < (upper ? n : i); ++j) {
      const double size = std::fabs(a[i * n + j]);
      column_sums[j] += size;
      if (structure == PositiveDefinite) column_sums[i] += size;  // its mirror image
    }
    column_sums[i] += unit ? 1 : std::fabs(a[i * n + i]);
  }
  return largestOf(n, column_sums);
}

// An estimate (a lower bound, nearly always within a factor 3) of the 1-norm of the inverse:
// Higham, "FORTRAN codes for estimating the one-norm", ACM TOMS 14 (1988), algorithm 4.1.
double inverseNorm(int64_t structure, int64_t n, const double* factors, const int64_t* pivots,
                   double* work) {
  double* x = work;
  double* z = work + n;
  const auto solve = [&](int transposed, double* v) {
    dini_solve_factored(structure, transposed, n, 1, factors, pivots, v, v);
  };
  const auto norm1 = [n](const double* v) {
    double sum = 0;
    for (int64_t k = 0; k < n; ++k) sum += std::fabs(v[k]);
    return sum;
  };
  std::fill_n(x, n, 1.0 / static_cast<double>(n));
  solve(0, x);
  double estimate = norm1(x);
  if (n == 1 || !std::isfinite(estimate)) return estimate;
  int64_t last = -1;
  for (int round = 0; round < 5; ++round) {
    for (int64_t k = 0; k < n; ++k) z[k] = std::copysign(1.0, x[k]);
    solve(1, z);
    int64_t best = 0;
    for (int64_t k = 1; k < n; ++k)
      if (std::fabs(z[k]) > std::fabs(z[best])) best = k;
    if (best == last) break;
    last = best;
    std::fill_n(x, n, 0.0);
    x[best] = 1;
    solve(0, x);
    const double next = norm1(x);
    if (!std::isfinite(next)) return next;
    if (next <= estimate) break;
    estimate = next;
  }
  // A second guess against unlucky cancellation (same source).
  for (int64_t k = 0; k < n; ++k)
    x[k] = (k % 2 == 0 ? 1 : -1) * (1 + static_cast<double>(k) / static_cast<double>(n - 1));
  solve(0, x);
  return std::max(estimate, 2 * norm1(x) / (3 * static_cast<double>(n)));
}

int factorDiagonal(int64_t n, const double* a, double* factors, double* rcond) {
  double smallest = HUGE_VAL, largest = 0;
  bool regular = true;
  std::fill_n(factors, n * n, 0.0);
  for (int64_t k = 0; k < n; ++k) {
    const double d = factors[k * n + k] = a[k * n + k];
    regular = regular && d != 0 && std::isfinite(d);
    smallest = std::min(smallest, std::fabs(d));
    largest = std::max(largest, std::fabs(d));
  }
  *rcond = n == 0 ? 1 : regular ? smallest / largest : 0;
  return regular ? DINI_OK : DINI_SINGULAR;
}

bool hasZeroPivot(int64_t n, const double* factors) {
  for (int64_t k = 0; k < n; ++k)
    if (factors[k * n + k] == 0 || std::isnan(factors[k * n + k])) return true;
  return false;
}

}  // namespace

int64_t dini_factor_work(int64_t n) { return 2 * n; }

int dini_factor(int64_t structure, int64_t n, const double* a, double* factors, int64_t* pivots,
                double* rcond, double* work) {
  if (dini::small::handles(structure, n))
    return dini::small::factor(structure, n, a, factors, pivots, rcond);
  *rcond = 0;
  for (int64_t k = 0; k < n; ++k) pivots[k] = k;
  if (structure == Diagonal) return factorDiagonal(n, a, factors, rcond);
  const double norm = oneNorm(structure, n, a, work);
  std::copy_n(a, n * n, factors);
  if (n == 0) {
    *rcond = 1;
    return DINI_OK;
  }
  if (!std::isfinite(norm)) return DINI_SINGULAR;
  if (structure == PositiveDefinite) {
    if (!choleskyInPlace(n, factors)) return DINI_SINGULAR;
  } else if (usesLdl(structure, n)) {
    if (!ldlInPlace(n, factors, pivots, work)) return DINI_SINGULAR;
  } else if (usesLu(structure, n)) {
    (n < kSmall ? luSmall : luLarge)(n, factors, pivots);
  }
  const bool pivots_on_diagonal = structure != UnitLower && !usesLdl(structure, n);
  if (pivots_on_diagonal && hasZeroPivot(n, factors)) return DINI_SINGULAR;
  *rcond = 1 / (norm * inverseNorm(structure, n, factors, pivots, work));
  return *rcond >= kSmallestRcond ? DINI_OK : DINI_SINGULAR;
}

void dini_solve_factored(int64_t structure, int transposed, int64_t n, int64_t m,
                         const double* factors, const int64_t* pivots, const double* b, double* x) {
  const bool t = transposed != 0;
  if (dini::small::handles(structure, n))
    return dini::small::solveFactored(structure, t, n, m, factors, pivots, b, x);
  if (x != b) std::copy_n(b, n * m, x);
  switch (structure) {
    case Symmetric:
      if (usesLdl(structure, n)) {
        ldlSolve(n, m, factors, pivots, x);
        break;
      }
      [[fallthrough]];
    case General:
      if (!t) {
        applyPivots(n, m, pivots, x, false);
        triangularSolve({.lower = true, .transposed = false, .unit = true}, n, m, factors, x);
        triangularSolve({.lower = false, .transposed = false, .unit = false}, n, m, factors, x);
      } else {
        triangularSolve({.lower = false, .transposed = true, .unit = false}, n, m, factors, x);
        triangularSolve({.lower = true, .transposed = true, .unit = true}, n, m, factors, x);
        applyPivots(n, m, pivots, x, true);
      }
      break;
    case PositiveDefinite:
      triangularSolve({.lower = true, .transposed = false, .unit = false}, n, m, factors, x);
      triangularSolve({.lower = true, .transposed = true, .unit = false}, n, m, factors, x);
      break;
    case Lower:
    case UnitLower:
      triangularSolve({.lower = true, .transposed = t, .unit = structure == UnitLower}, n, m,
                      factors, x);
      break;
    case Upper:
      triangularSolve({.lower = false, .transposed = t, .unit = false}, n, m, factors, x);
      break;
    default:  // diagonal
      for (int64_t i = 0; i < n; ++i)
        for (int64_t j = 0; j < m; ++j) x[i * m + j] /= factors[i * n + i];
  }
}

int64_t dini_linear_solve_work(int64_t n) { return n * n + n + dini_factor_work(n); }

int dini_linear_solve(int64_t structure, int transposed, int64_t n, int64_t m, const double* a,
                      const double* b, double* x, double* rcond, double* work) {
  if (dini::small::handles(structure, n))
    return dini::small::linearSolve(structure, transposed != 0, n, m, a, b, x, rcond);
  double* factors = work;
  int64_t* pivots = reinterpret_cast<int64_t*>(work + n * n);
  const int status = dini_factor(structure, n, a, factors, pivots, rcond, work + n * n + n);
  if (status != DINI_OK) return status;
  dini_solve_factored(structure, transposed, n, m, factors, pivots, b, x);
  return DINI_OK;
}

int dini_cholesky(int64_t n, const double* a, double* l) {
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j <= i; ++j) l[i * n + j] = 0.5 * (a[i * n + j] + a[j * n + i]);
  for (int64_t i = 0; i < n; ++i) std::fill(l + i * n + i + 1, l + (i + 1) * n, 0.0);
  for (int64_t i = 0; i < n * n; ++i)
    if (!std::isfinite(l[i])) return DINI_DOMAIN;
  return choleskyInPlace(n, l) ? DINI_OK : DINI_DOMAIN;
}

void dini_gemm(int transpose_a, int transpose_b, int64_t m, int64_t n, int64_t k, const double* a,
               int64_t lda, const double* b, int64_t ldb, double* c) {
  // Row-major C is column-major C' = op(B)' op(A)'.
  const int rows = static_cast<int>(n), columns = static_cast<int>(m), inner = static_cast<int>(k);
  const int stride_a = static_cast<int>(std::max<int64_t>(lda, 1));
  const int stride_b = static_cast<int>(std::max<int64_t>(ldb, 1));
  const double one = 1, zero = 0;
  table().dgemm(transpose_b ? "T" : "N", transpose_a ? "T" : "N", &rows, &columns, &inner, &one, b,
                &stride_b, a, &stride_a, &zero, c, &rows);
}
