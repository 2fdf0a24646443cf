// The projection on positive semidefinite matrices and its derivatives, from eigenvalues and vectors.
#include <algorithm>
#include <cmath>
#include <limits>

#include "dini/linalg.h"
#include "dini/projections.h"
#include "dini/status.h"
#include "tangents.h"

namespace {

using dini::runtime::Decisions;

// An eigenvalue as a sum of orders e^0, e^1, e^2 of which the first nonzero one counts.
struct Rank {
  double value = 0;
  int64_t order = 3;  // 3: all are zero
};

// The eigenbasis, turned within the null space until the decisions' null blocks are diagonal.
struct Basis {
  int64_t n = 0;
  double* vectors = nullptr;  // [n, n], columns
  double* values = nullptr;   // of the order
  double* orders = nullptr;
  double* scratch = nullptr;
  Rank at(int64_t k) const { return {values[k], static_cast<int64_t>(orders[k])}; }
};

// out = V' C V for the symmetric part of C (or C itself), by columns `first`..`first + m` of V.
void congruence(int64_t n, const double* v, int64_t first, int64_t m, const double* c,
                bool symmetric, double* product, double* out) {
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < m; ++j) {
      double sum = 0;
      for (int64_t k = 0; k < n; ++k) {
        const double entry = symmetric ? 0.5 * (c[i * n + k] + c[k * n + i]) : c[i * n + k];
        sum += entry * v[k * n + first + j];
      }
      product[i * m + j] = sum;
    }
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < m; ++j) {
      double sum = 0;
      for (int64_t k = 0; k < n; ++k) sum += v[k * n + first + i] * product[k * m + j];
      out[i * m + j] = sum;
    }
}

// Columns first..first + m of V times Q.
void turnColumns(const Basis& basis, int64_t first, int64_t m, const double* q, double* row) {
  for (int64_t i = 0; i < basis.n; ++i) {
    double* entries = basis.vectors + i * basis.n + first;
    for (int64_t j = 0; j < m; ++j) {
      row[j] = 0;
      for (int64_t k = 0; k < m; ++k) row[j] += entries[k] * q[k * m + j];
    }
    std::copy_n(row, m, entries);
  }
}

double largest(const double* x, int64_t n) {
  double size = 0;
  for (int64_t k = 0; k < n; ++k) size = std::max(size, std::fabs(x[k]));
  return size;
}

// Eigenvalues are ascending, so those that are zero stand together; the same within a decision.
int decide(const Basis& basis, const Decisions& decisions) {
  const int64_t n = basis.n;
  int64_t first = 0, count = n;
  double* block = basis.scratch;
  double* product = block + n * n;
  double* mu = product + n * n;
  double* q = mu + n;
  double* work = q + n * n;
  double scale = largest(basis.values, n);
  for (int64_t order = 0;; ++order) {
    int64_t zero_first = first, zeros = 0;
    for (int64_t k = first; k < first + count; ++k) {
      if (dini::runtime::isZeroTangent(basis.values[k], scale)) {
        if (zeros++ == 0) zero_first = k;
        basis.values[k] = 0;
        basis.orders[k] = 3;
      } else {
        basis.orders[k] = static_cast<double>(order);
      }
    }
    if (zeros == 0 || order == decisions.count) return DINI_OK;
    first = zero_first;
    count = zeros;
    const double* h = decisions.h[order];
    congruence(n, basis.vectors, first, count, h, true, product, block);
    const int status = dini_eigh(count, block, mu, q, work);
    if (status != DINI_OK) return status;
    turnColumns(basis, first, count, q, work);
    std::copy_n(mu, count, basis.values + first);
    scale = largest(h, n * n);
  }
}

// The divided difference of max(., 0); 1 and 0 where the signs agree, t where both are zero.
double slope(const Rank& a, const Rank& b, double t) {
  const int64_t order = std::min(a.order, b.order);
  if (order == 3) return t;
  const double x = a.order == order ? a.value : 0, y = b.order == order ? b.value : 0;
  if (x >= 0 && y >= 0) return 1;
  if (x <= 0 && y <= 0) return 0;
  return std::max(x, y) / (std::fabs(x) + std::fabs(y));
}

double part(const Rank& a, double t) { return a.order == 3 ? t : a.value > 0 ? 1 : 0; }

// out = V M V'.
void assemble(int64_t n, const double* v, const double* m, double* product, double* out) {
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) {
      double sum = 0;
      for (int64_t k = 0; k < n; ++k) sum += v[i * n + k] * m[k * n + j];
      product[i * n + j] = sum;
    }
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) {
      double sum = 0;
      for (int64_t k = 0; k < n; ++k) sum += product[i * n + k] * v[j * n + k];
      out[i * n + j] = sum;
    }
}

void symmetrise(int64_t n, double* m) {
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < i; ++j)
      m[i * n + j] = m[j * n + i] = 0.5 * (m[i * n + j] + m[j * n + i]);
}

void project(int64_t n, const double* a, const double* w, const double* v, double* out) {
  const bool inside = n == 0 || w[0] >= 0;
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) {
      double sum = 0;
      for (int64_t k = n; k-- > 0 && w[k] > 0;) sum += w[k] * (v[i * n + k] * v[j * n + k]);
      out[i * n + j] = inside ? 0.5 * (a[i * n + j] + a[j * n + i]) : sum;
    }
}

}  // namespace

// Vectors, values, orders; then a matrix and a product; then what decide() needs.
int64_t dini_spectral_work(int64_t n) {
  return 2 * n * n + 2 * n + (3 * n * n + n) + std::max(dini_eigh_work(n), n);
}

int dini_spectral(int64_t kind, double t, int64_t n, const double* a, const double* w,
                  const double* v, const double* c, int64_t decisions, const double* h1,
                  const double* h2, double* out, double* work) {
  if (kind == DINI_SPECTRAL_PROJECT) {
    project(n, a, w, v, out);
    return DINI_OK;
  }
  const Basis basis{n, work, work + n * n, work + n * n + n, work + 2 * n * n + 2 * n};
  double* inner = work + n * n + 2 * n;
  std::copy_n(v, n * n, basis.vectors);
  std::copy_n(w, n, basis.values);
  if (const int status = decide(basis, {decisions, {h1, h2}}); status != DINI_OK) return status;
  double* product = basis.scratch;
  if (kind == DINI_SPECTRAL_PROJECTOR)
    std::fill_n(inner, n * n, 0.0);
  else
    congruence(n, basis.vectors, 0, n, c, kind == DINI_SPECTRAL_TANGENT, product, inner);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) {
      const Rank p = basis.at(i), q = basis.at(j);
      double& entry = inner[i * n + j];
      if (kind == DINI_SPECTRAL_PROJECTOR) {
        if (i == j) entry = part(p, t);
      } else if (kind == DINI_SPECTRAL_TANGENT) {
        entry *= slope(p, q, t);
      } else if (part(p, t) == part(q, t)) {
        entry = 0;
      } else if (p.order > 0 && q.order > 0) {
        return DINI_DOMAIN;
      } else {
        entry /= (p.order == 0 ? p.value : 0) - (q.order == 0 ? q.value : 0);
      }
    }
  assemble(n, basis.vectors, inner, product, out);
  if (kind != DINI_SPECTRAL_GAP) symmetrise(n, out);
  return DINI_OK;
}
