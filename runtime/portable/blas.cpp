// The functions of BLAS and LAPACK that the runtime calls, in portable C++, for libraries built with
// --no-blas: plain unblocked algorithms (Golub and Van Loan, Matrix Computations, 4th ed.) that need
// nothing besides the C library. They take the place of src/blas.cpp. Conventions: src/blas.h.
#include "../src/blas.h"

#include <algorithm>
#include <cmath>

#include "dini/linalg.h"

namespace dini::blas {
namespace {

constexpr double kEpsilon = 2.220446049250313e-16;

// Column-major element access.
struct Columns {
  double* data;
  int64_t rows;
  double& operator()(int64_t i, int64_t j) const { return data[j * rows + i]; }
};

void dgemm(const char* ta, const char* tb, const int* m, const int* n, const int* k,
           const double* alpha, const double* a, const int* lda, const double* b, const int* ldb,
           const double* beta, double* c, const int* ldc) {
  const bool at = *ta == 'T', bt = *tb == 'T';
  for (int64_t j = 0; j < *n; ++j) {
    double* column = c + j * *ldc;
    for (int64_t i = 0; i < *m; ++i) column[i] = *beta == 0 ? 0 : *beta * column[i];
    for (int64_t l = 0; l < *k; ++l) {
      const double factor = *alpha * (bt ? b[l * *ldb + j] : b[j * *ldb + l]);
      for (int64_t i = 0; i < *m; ++i)
        column[i] += factor * (at ? a[i * *lda + l] : a[l * *lda + i]);
    }
  }
}

// X op(T) = alpha B, in place: the only side that the runtime uses.
void dtrsm(const char* /*side: R*/, const char* uplo, const char* trans, const char* diag,
           const int* m, const int* n, const double* alpha, const double* a, const int* lda,
           double* b, const int* ldb) {
  const bool transposed = *trans == 'T', unit = *diag == 'U';
  const auto entry = [&](int64_t i, int64_t j) {
    return transposed ? a[i * *lda + j] : a[j * *lda + i];
  };
  const bool upper = (*uplo == 'U') != transposed;
  for (int64_t step = 0; step < *n; ++step) {
    const int64_t j = upper ? step : *n - 1 - step;
    double* column = b + j * *ldb;
    for (int64_t i = 0; i < *m; ++i) column[i] *= *alpha;
    const int64_t from = upper ? 0 : j + 1, to = upper ? j : *n;
    for (int64_t l = from; l < to; ++l)
      for (int64_t i = 0; i < *m; ++i) column[i] -= b[l * *ldb + i] * entry(l, j);
    if (unit) continue;
    for (int64_t i = 0; i < *m; ++i) column[i] /= entry(j, j);
  }
}

// Square: P A = L U with partial pivoting.
void dgetrf(const int* /*m*/, const int* n, double* data, const int* lda, int* pivots, int* info) {
  const Columns a{data, *lda};
  *info = 0;
  for (int64_t k = 0; k < *n; ++k) {
    int64_t best = k;
    for (int64_t i = k + 1; i < *n; ++i)
      if (std::fabs(a(i, k)) > std::fabs(a(best, k))) best = i;
    pivots[k] = static_cast<int>(best) + 1;
    for (int64_t j = 0; j < *n && best != k; ++j) std::swap(a(k, j), a(best, j));
    if (a(k, k) == 0) {
      if (*info == 0) *info = static_cast<int>(k) + 1;
      continue;
    }
    for (int64_t i = k + 1; i < *n; ++i) a(i, k) /= a(k, k);
    for (int64_t j = k + 1; j < *n; ++j)
      for (int64_t i = k + 1; i < *n; ++i) a(i, j) -= a(i, k) * a(k, j);
  }
}

// A = U' U from the upper triangle.
void dpotrf(const char* /*uplo: U*/, const int* n, double* data, const int* lda, int* info) {
  const Columns a{data, *lda};
  *info = 0;
  for (int64_t j = 0; j < *n; ++j) {
    for (int64_t i = 0; i <= j; ++i) {
      double sum = a(i, j);
      for (int64_t k = 0; k < i; ++k) sum -= a(k, i) * a(k, j);
      if (i < j) {
        a(i, j) = sum / a(i, i);
        continue;
      }
      if (!(sum > 0)) {
        *info = static_cast<int>(j) + 1;
        return;
      }
      a(j, j) = std::sqrt(sum);
    }
  }
}

// Exchanges rows and columns p < q of a symmetric matrix of which the lower triangle is stored.
void exchange(const Columns& a, int64_t n, int64_t p, int64_t q) {
  for (int64_t i = q + 1; i < n; ++i) std::swap(a(i, p), a(i, q));
  for (int64_t i = p + 1; i < q; ++i) std::swap(a(i, p), a(q, i));
  std::swap(a(p, p), a(q, q));
}

// P A P' = L D L' from the lower triangle, D with blocks of one and two (Bunch and Kaufman, Math.
// Comp. 31 (1977)). A positive pivot is a block of one exchanged with that row, two equal negative
// ones a block of two whose second row was exchanged. L is stored without the exchanges that come
// after each column, as LAPACK does.
void dsytrf(const char* /*uplo: L*/, const int* order, double* data, const int* lda, int* pivots,
            double* /*work*/, const int* /*lwork*/, int* info) {
  const Columns a{data, *lda};
  const int64_t n = *order;
  const double alpha = (1 + std::sqrt(17.0)) / 8;
  *info = 0;
  for (int64_t k = 0; k < n;) {
    int64_t block = 1, pivot = k, largest = k;
    double column = 0;
    for (int64_t i = k + 1; i < n; ++i)
      if (std::fabs(a(i, k)) > column) {
        column = std::fabs(a(i, k));
        largest = i;
      }
    const double diagonal = std::fabs(a(k, k));
    if (std::max(diagonal, column) == 0 || std::isnan(diagonal)) {
      if (*info == 0) *info = static_cast<int>(k) + 1;
    } else if (diagonal < alpha * column) {
      double row = 0;
      for (int64_t j = k; j < largest; ++j) row = std::max(row, std::fabs(a(largest, j)));
      for (int64_t i = largest + 1; i < n; ++i) row = std::max(row, std::fabs(a(i, largest)));
      if (diagonal >= alpha * column * (column / row)) {
        pivot = k;
      } else if (std::fabs(a(largest, largest)) >= alpha * row) {
        pivot = largest;
      } else {
        pivot = largest;
        block = 2;
      }
    }
    const int64_t place = k + block - 1;
    if (pivot != place) {
      exchange(a, n, place, pivot);
      if (block == 2) std::swap(a(place, k), a(pivot, k));
    }
    if (block == 1 && a(k, k) != 0) {
      for (int64_t j = k + 1; j < n; ++j) {
        const double factor = a(j, k) / a(k, k);
        for (int64_t i = j; i < n; ++i) a(i, j) -= a(i, k) * factor;
      }
      for (int64_t i = k + 1; i < n; ++i) a(i, k) /= a(k, k);
    } else if (block == 2) {
      const double off = a(k + 1, k);
      const double first = a(k, k) / off, second = a(k + 1, k + 1) / off;
      const double scale = 1 / (off * (first * second - 1));
      for (int64_t j = k + 2; j < n; ++j) {
        const double u = scale * (second * a(j, k) - a(j, k + 1));
        const double v = scale * (first * a(j, k + 1) - a(j, k));
        for (int64_t i = j; i < n; ++i) a(i, j) -= a(i, k) * u + a(i, k + 1) * v;
        a(j, k) = u;
        a(j, k + 1) = v;
      }
    }
    if (block == 1) {
      pivots[k] = static_cast<int>(pivot) + 1;
    } else {
      pivots[k] = pivots[k + 1] = -static_cast<int>(pivot) - 1;
    }
    k += block;
  }
}

struct Rotation {
  double c, s;
};

// The rotation of the plane that diagonalises [p r; r q].
Rotation diagonalising(double p, double r, double q) {
  const double theta = (q - p) / (2 * r);
  const double t = (theta >= 0 ? 1 : -1) / (std::fabs(theta) + std::sqrt(1 + theta * theta));
  const double c = 1 / std::sqrt(1 + t * t);
  return {c, c * t};
}

// Jacobi's method, cyclic by rows; the eigenvectors replace the matrix, values ascending.
void dsyevd(const char* /*jobz: V*/, const char* /*uplo: L*/, const int* order, double* data,
            const int* lda, double* w, double* work, const int* /*lwork*/, int* /*iwork*/,
            const int* /*liwork*/, int* info) {
  const int64_t n = *order;
  const Columns v{data, *lda}, a{work, n};
  for (int64_t j = 0; j < n; ++j)
    for (int64_t i = 0; i < n; ++i) a(i, j) = i >= j ? v(i, j) : v(j, i);
  for (int64_t j = 0; j < n; ++j)
    for (int64_t i = 0; i < n; ++i) v(i, j) = i == j ? 1 : 0;
  *info = 1;
  for (int sweep = 0; sweep < 60 && *info != 0; ++sweep) {
    *info = 0;
    for (int64_t p = 0; p + 1 < n; ++p)
      for (int64_t q = p + 1; q < n; ++q) {
        const double off = a(p, q);
        if (std::fabs(off) <= 1e-300 ||
            std::fabs(off) <= 0.1 * kEpsilon * std::sqrt(std::fabs(a(p, p)) * std::fabs(a(q, q))))
          continue;
        *info = 1;
        const Rotation r = diagonalising(a(p, p), off, a(q, q));
        for (int64_t i = 0; i < n; ++i) {
          const double x = a(i, p), y = a(i, q);
          a(i, p) = r.c * x - r.s * y;
          a(i, q) = r.s * x + r.c * y;
          const double vx = v(i, p), vy = v(i, q);
          v(i, p) = r.c * vx - r.s * vy;
          v(i, q) = r.s * vx + r.c * vy;
        }
        for (int64_t i = 0; i < n; ++i) {
          const double x = a(p, i), y = a(q, i);
          a(p, i) = r.c * x - r.s * y;
          a(q, i) = r.s * x + r.c * y;
        }
        a(p, q) = a(q, p) = 0;
      }
  }
  // What 60 sweeps leave is rounding.
  *info = 0;
  for (int64_t j = 0; j < n; ++j) w[j] = a(j, j);
  for (int64_t j = 0; j < n; ++j) {
    const int64_t least = std::min_element(w + j, w + n) - w;
    if (least == j) continue;
    std::swap(w[j], w[least]);
    for (int64_t i = 0; i < n; ++i) std::swap(v(i, j), v(i, least));
  }
}

// k vectors of one length, each strided: the columns of a tall matrix or the rows of a wide one.
struct Vectors {
  double* data;
  int64_t count, length, between, stride;
  double& operator()(int64_t vector, int64_t i) const {
    return data[vector * between + i * stride];
  }
  double dot(int64_t p, int64_t q) const {
    double sum = 0;
    for (int64_t i = 0; i < length; ++i) sum += (*this)(p, i) * (*this)(q, i);
    return sum;
  }
  void rotate(int64_t p, int64_t q, Rotation r) const {
    for (int64_t i = 0; i < length; ++i) {
      const double x = (*this)(p, i), y = (*this)(q, i);
      (*this)(p, i) = r.c * x - r.s * y;
      (*this)(q, i) = r.s * x + r.c * y;
    }
  }
  void exchange(int64_t p, int64_t q) const {
    for (int64_t i = 0; i < length; ++i) std::swap((*this)(p, i), (*this)(q, i));
  }
};

// Makes vector `at` a unit vector orthogonal to those before it: its direction was lost with its
// singular value.
void complete(const Vectors& x, int64_t at) {
  for (int64_t basis = 0; basis < x.length; ++basis) {
    for (int64_t i = 0; i < x.length; ++i) x(at, i) = i == basis ? 1 : 0;
    for (int pass = 0; pass < 2; ++pass)
      for (int64_t p = 0; p < at; ++p) {
        const double along = x.dot(at, p);
        for (int64_t i = 0; i < x.length; ++i) x(at, i) -= along * x(p, i);
      }
    const double left = std::sqrt(x.dot(at, at));
    if (left < 0.5 / std::sqrt(static_cast<double>(x.length))) continue;
    for (int64_t i = 0; i < x.length; ++i) x(at, i) /= left;
    return;
  }
}

// One-sided Jacobi (Hestenes): rotations W make the vectors orthogonal; their lengths are the
// singular values. A = U S V': of a tall matrix U holds the directions and V = W, of a wide one the
// other way round.
void dgesdd(const char* /*jobz: S*/, const int* m, const int* n, double* data, const int* lda,
            double* s, double* u, const int* ldu, double* vt, const int* ldvt, double* work,
            const int* /*lwork*/, int* /*iwork*/, int* info) {
  const bool tall = *m >= *n;
  const int64_t k = tall ? *n : *m;
  const Vectors x{data, k, tall ? *m : *n, tall ? int64_t{*lda} : 1, tall ? 1 : int64_t{*lda}};
  const Vectors w{work, k, k, k, 1};
  for (int64_t p = 0; p < k; ++p)
    for (int64_t i = 0; i < k; ++i) w(p, i) = i == p ? 1 : 0;
  bool moved = true;
  for (int sweep = 0; sweep < 60 && moved; ++sweep) {
    moved = false;
    for (int64_t p = 0; p + 1 < k; ++p)
      for (int64_t q = p + 1; q < k; ++q) {
        const double pp = x.dot(p, p), qq = x.dot(q, q), pq = x.dot(p, q);
        if (std::fabs(pq) <= kEpsilon * std::sqrt(pp * qq) || std::fabs(pq) < 1e-300) continue;
        moved = true;
        const Rotation r = diagonalising(pp, pq, qq);
        x.rotate(p, q, r);
        w.rotate(p, q, r);
      }
  }
  for (int64_t p = 0; p < k; ++p) s[p] = std::sqrt(x.dot(p, p));
  for (int64_t p = 0; p < k; ++p) {
    const int64_t largest = std::max_element(s + p, s + k) - s;
    if (largest == p) continue;
    std::swap(s[p], s[largest]);
    x.exchange(p, largest);
    w.exchange(p, largest);
  }
  for (int64_t p = 0; p < k; ++p) {
    if (s[p] <= 1e-290 || s[p] <= kEpsilon * kEpsilon * s[0]) {
      s[p] = 0;
      complete(x, p);
      continue;
    }
    for (int64_t i = 0; i < x.length; ++i) x(p, i) /= s[p];
  }
  const Vectors left = tall ? x : w, right = tall ? w : x;
  for (int64_t p = 0; p < k; ++p) {
    for (int64_t i = 0; i < *m; ++i) u[p * *ldu + i] = left(p, i);
    for (int64_t i = 0; i < *n; ++i) vt[i * *ldvt + p] = right(p, i);
  }
  *info = 0;
}

// H = I - tau v v' with v_0 = 1 turns column j below row j into a multiple of e_0.
void dgeqrf(const int* m, const int* n, double* data, const int* lda, double* tau, double* /*work*/,
            const int* /*lwork*/, int* info) {
  const Columns a{data, *lda};
  *info = 0;
  for (int64_t j = 0; j < std::min(*m, *n); ++j) {
    double below = 0;
    for (int64_t i = j + 1; i < *m; ++i) below += a(i, j) * a(i, j);
    tau[j] = 0;
    if (below == 0) continue;
    const double beta = -std::copysign(std::sqrt(a(j, j) * a(j, j) + below), a(j, j));
    tau[j] = (beta - a(j, j)) / beta;
    for (int64_t i = j + 1; i < *m; ++i) a(i, j) /= a(j, j) - beta;
    a(j, j) = beta;
    for (int64_t c = j + 1; c < *n; ++c) {
      double along = a(j, c);
      for (int64_t i = j + 1; i < *m; ++i) along += a(i, j) * a(i, c);
      along *= tau[j];
      a(j, c) -= along;
      for (int64_t i = j + 1; i < *m; ++i) a(i, c) -= along * a(i, j);
    }
  }
}

// The first n columns of H_0 H_1 ... H_{k-1}, in place of the v's.
void dorgqr(const int* m, const int* n, const int* k, double* data, const int* lda,
            const double* tau, double* /*work*/, const int* /*lwork*/, int* info) {
  const Columns a{data, *lda};
  *info = 0;
  for (int64_t j = *k - 1; j >= 0; --j) {
    for (int64_t c = j + 1; c < *n; ++c) {
      double along = 0;  // column c of the product so far is e_c above row j + 1
      for (int64_t i = j + 1; i < *m; ++i) along += a(i, j) * a(i, c);
      along *= tau[j];
      a(j, c) = -along;
      for (int64_t i = j + 1; i < *m; ++i) a(i, c) -= along * a(i, j);
    }
    for (int64_t i = j + 1; i < *m; ++i) a(i, j) *= -tau[j];
    a(j, j) = 1 - tau[j];
    for (int64_t i = 0; i < j; ++i) a(i, j) = 0;
  }
}

constexpr Table kTable{dgemm, dtrsm, dgetrf, dpotrf, dsytrf, dsyevd, dgesdd, dgeqrf, dorgqr};

}  // namespace

const Table& table() { return kTable; }

}  // namespace dini::blas

void dini_init(void) {}
