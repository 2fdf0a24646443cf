// Eigenvalues, singular values, QR and least squares: LAPACK on transposed copies, with the signs
// that LAPACK leaves open fixed.
#include <algorithm>
#include <cmath>
#include <limits>

#include "blas.h"
#include "dini/linalg.h"
#include "dini/status.h"

namespace {

using dini::blas::table;

// Doubles that hold `count` Fortran integers.
int64_t intsAsDoubles(int64_t count) { return (count + 1) / 2; }

bool allFinite(const double* x, int64_t n) {
  return std::all_of(x, x + n, [](double v) { return std::isfinite(v); });
}

// out [n, m] = a' for a [m, n].
void transposeInto(int64_t m, int64_t n, const double* a, double* out) {
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) out[j * m + i] = a[i * n + j];
}

// -1 where the entry of largest magnitude (the first of them) of a strided vector is negative.
double orientation(const double* x, int64_t n, int64_t stride) {
  double largest = 0;
  for (int64_t k = 0; k < n; ++k)
    if (std::fabs(x[k * stride]) > std::fabs(largest)) largest = x[k * stride];
  return largest < 0 ? -1 : 1;
}

void scaleStrided(double* x, int64_t n, int64_t stride, double factor) {
  if (factor == 1) return;
  for (int64_t k = 0; k < n; ++k) x[k * stride] *= factor;
}

int64_t svdScratch(int64_t m, int64_t n) {
  const int64_t k = std::min(m, n);
  return 4 * k * k + 7 * k + 64 * (m + n) + 64;
}

}  // namespace

int64_t dini_eigh_work(int64_t n) {
  return n * n + (1 + 6 * n + 2 * n * n + 64 * n) + intsAsDoubles(3 + 5 * n);
}

int dini_eigh(int64_t n, const double* a, double* values, double* vectors, double* work) {
  if (n == 0) return DINI_OK;
  double* columns = work;
  double* scratch = work + n * n;
  const int order = static_cast<int>(n);
  const int scratch_size = static_cast<int>(1 + 6 * n + 2 * n * n + 64 * n);
  int* int_scratch = reinterpret_cast<int*>(scratch + scratch_size);
  const int int_size = static_cast<int>(3 + 5 * n);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) columns[i * n + j] = 0.5 * (a[i * n + j] + a[j * n + i]);
  if (!allFinite(columns, n * n)) return DINI_NON_FINITE;
  int info = 0;
  table().dsyevd("V", "L", &order, columns, &order, values, scratch, &scratch_size, int_scratch,
                 &int_size, &info);
  if (info != 0) return DINI_NOT_CONVERGED;
  for (int64_t k = 0; k < n; ++k)
    scaleStrided(columns + k * n, n, 1, orientation(columns + k * n, n, 1));
  transposeInto(n, n, columns, vectors);
  return DINI_OK;
}

int64_t dini_svd_work(int64_t m, int64_t n) {
  const int64_t k = std::min(m, n);
  return m * n + m * k + svdScratch(m, n) + intsAsDoubles(8 * k);
}

int dini_svd(int64_t m, int64_t n, const double* a, double* u, double* s, double* v, double* work) {
  const int64_t k = std::min(m, n);
  if (k == 0) return DINI_OK;
  if (!allFinite(a, m * n)) return DINI_NON_FINITE;
  double* columns = work;
  double* u_columns = columns + m * n;
  double* scratch = u_columns + m * k;
  const int rows = static_cast<int>(m), cols = static_cast<int>(n), rank = static_cast<int>(k);
  const int scratch_size = static_cast<int>(svdScratch(m, n));
  int* int_scratch = reinterpret_cast<int*>(scratch + scratch_size);
  transposeInto(m, n, a, columns);
  int info = 0;
  // Column-major V' [k, n] is row-major V [n, k].
  table().dgesdd("S", &rows, &cols, columns, &rows, s, u_columns, &rows, v, &rank, scratch,
                 &scratch_size, int_scratch, &info);
  if (info != 0) return DINI_NOT_CONVERGED;
  for (int64_t j = 0; j < k; ++j) {
    const double sign = orientation(u_columns + j * m, m, 1);
    scaleStrided(u_columns + j * m, m, 1, sign);
    scaleStrided(v + j, n, k, sign);
  }
  transposeInto(k, m, u_columns, u);
  return DINI_OK;
}

int64_t dini_qr_work(int64_t m, int64_t n) {
  return m * n + std::min(m, n) + 64 * std::max<int64_t>(std::max(m, n), 1);
}

int dini_qr(int64_t m, int64_t n, const double* a, double* q, double* r, double* work) {
  const int64_t k = std::min(m, n);
  if (k == 0) return DINI_OK;
  if (!allFinite(a, m * n)) return DINI_NON_FINITE;
  double* columns = work;
  double* tau = columns + m * n;
  double* scratch = tau + k;
  transposeInto(m, n, a, columns);
  // Columns of zeros at the end reflect nothing: so Q of [A 0] is cheap, whose other columns span what A's do not.
  int64_t used = n;
  while (used > 0 && std::all_of(columns + (used - 1) * m, columns + used * m, [](double x) { return x == 0; })) --used;
  const int rows = static_cast<int>(m), cols = static_cast<int>(used), rank = static_cast<int>(k);
  const int reflectors = static_cast<int>(std::min(k, used));
  const int scratch_size = static_cast<int>(64 * std::max(m, n));
  int info = 0;
  table().dgeqrf(&rows, &cols, columns, &rows, tau, scratch, &scratch_size, &info);
  for (int64_t i = 0; i < k; ++i)
    for (int64_t j = 0; j < n; ++j) r[i * n + j] = j < i ? 0 : columns[j * m + i];
  table().dorgqr(&rows, &rank, &reflectors, columns, &rows, tau, scratch, &scratch_size, &info);
  transposeInto(k, m, columns, q);
  for (int64_t i = 0; i < k; ++i) {
    const double sign = r[i * n + i] < 0 ? -1 : 1;
    scaleStrided(r + i * n, n, 1, sign);
    scaleStrided(q + i, m, k, sign);
  }
  return DINI_OK;
}

int64_t dini_lstsq_work(int64_t m, int64_t n, int64_t k) {
  const int64_t rank = std::min(m, n);
  return m * rank + rank + n * rank + rank * k + dini_svd_work(m, n);
}

// x = V diag(1/s) U' b over the singular values that count.
int dini_lstsq(int64_t m, int64_t n, int64_t k, const double* a, const double* b, double* x,
               double* work) {
  const int64_t rank = std::min(m, n);
  double* u = work;
  double* s = u + m * rank;
  double* v = s + rank;
  double* coefficients = v + n * rank;
  const int status = dini_svd(m, n, a, u, s, v, coefficients + rank * k);
  if (status != DINI_OK) return status;
  std::fill_n(coefficients, rank * k, 0.0);
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < rank; ++j)
      for (int64_t c = 0; c < k; ++c) coefficients[j * k + c] += u[i * rank + j] * b[i * k + c];
  const double threshold = rank == 0 ? 0
                                     : static_cast<double>(std::max(m, n)) *
                                           std::numeric_limits<double>::epsilon() * s[0];
  for (int64_t j = 0; j < rank; ++j)
    for (int64_t c = 0; c < k; ++c)
      coefficients[j * k + c] = s[j] > threshold ? coefficients[j * k + c] / s[j] : 0;
  std::fill_n(x, n * k, 0.0);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < rank; ++j)
      for (int64_t c = 0; c < k; ++c) x[i * k + c] += v[i * rank + j] * coefficients[j * k + c];
  return DINI_OK;
}
