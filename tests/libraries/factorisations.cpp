// build: dense.dini
// build: dense.dini --no-blas
// compile: -std=c++20
// Factorisations by their defining equations, with OpenBLAS and with the portable code.
#include <vector>

#include "check.h"
#include "dense.hpp"

namespace {
using Matrix = std::vector<double>;

// The same pseudo-random numbers in every run.
Matrix numbers(size_t count, unsigned seed) {
  Matrix made(count);
  for (double& x : made) {
    seed = seed * 1664525u + 1013904223u;
    x = static_cast<double>(seed >> 8) / 8388608.0 - 1.0;
  }
  return made;
}

double largest(const Matrix& x) {
  double found = 0;
  for (const double v : x) found = std::fmax(found, std::fabs(v));
  return found;
}

// A B - C for A [m, n], B [n, k], or with A' for A [n, m].
Matrix residual(size_t m, size_t n, size_t k, const Matrix& a, bool transposed, const Matrix& b,
                const Matrix& c) {
  Matrix r(m * k);
  for (size_t i = 0; i < m; ++i)
    for (size_t j = 0; j < k; ++j) {
      r[i * k + j] = -c[i * k + j];
      for (size_t l = 0; l < n; ++l)
        r[i * k + j] += (transposed ? a[l * m + i] : a[i * n + l]) * b[l * k + j];
    }
  return r;
}

Matrix identity(size_t n) {
  Matrix made(n * n);
  for (size_t k = 0; k < n; ++k) made[k * n + k] = 1;
  return made;
}

void checkSize(size_t n) {
  dini::workspace work;
  const Matrix A = numbers(n * n, 1), b = numbers(n, 2);
  Matrix x(n), S(n * n), vectors(n * n), values(n), scaled(n * n);
  CHECK(dense::general(work, A, b, x));
  CHECK(largest(residual(n, n, 1, A, false, x, b)) < 1e-9);
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) S[i * n + j] = (A[i * n + j] + A[j * n + i]) / 2;
  CHECK(dense::symmetric(work, A, b, x));
  CHECK(largest(residual(n, n, 1, S, false, x, b)) < 1e-8);
  CHECK(dense::spectrum(work, A, values, vectors));
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) scaled[i * n + j] = vectors[i * n + j] * values[j];
  CHECK(largest(residual(n, n, n, S, false, vectors, scaled)) < 1e-11);
  CHECK(largest(residual(n, n, n, vectors, true, vectors, identity(n))) < 1e-12);
  for (size_t k = 1; k < n; ++k) CHECK(values[k - 1] <= values[k]);
  const Matrix P = residual(n, n, n, A, true, A, Matrix(n * n));  // A'A
  Matrix shifted = P;
  for (size_t k = 0; k < n; ++k) shifted[k * n + k] += 1;
  Matrix L(n * n), Lt(n * n);
  CHECK(dense::factor(work, static_cast<std::int64_t>(n), shifted, L));
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) Lt[j * n + i] = L[i * n + j];
  CHECK(largest(residual(n, n, n, L, false, Lt, shifted)) < 1e-11);
}

void checkTall(size_t m, size_t n) {
  dini::workspace work;
  Matrix A = numbers(m * n, 3);
  const Matrix b = numbers(m, 4);
  Matrix U(m * n), s(n), V(n * n), US(m * n), Vt(n * n), Q(m * n), R(n * n), x(n);
  CHECK(dense::singular(work, m, A, U, s, V));
  for (size_t i = 0; i < m; ++i)
    for (size_t j = 0; j < n; ++j) US[i * n + j] = U[i * n + j] * s[j];
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) Vt[j * n + i] = V[i * n + j];
  CHECK(largest(residual(m, n, n, US, false, Vt, A)) < 1e-12);
  CHECK(largest(residual(n, m, n, U, true, U, identity(n))) < 1e-12);
  CHECK(dense::orthogonal(work, m, n, A, Q, R));
  CHECK(largest(residual(m, n, n, Q, false, R, A)) < 1e-12);
  CHECK(largest(residual(n, m, n, Q, true, Q, identity(n))) < 1e-12);
  CHECK(dense::fitted(work, A, b, x));
  // A'(A x - b) = 0
  const Matrix r = residual(m, n, 1, A, false, x, b);
  CHECK(largest(residual(n, m, 1, A, true, r, Matrix(n))) < 1e-11);
  // A rank-deficient one: two columns equal. The least norm splits their coefficient evenly.
  for (size_t i = 0; i < m; ++i) A[i * n + 1] = A[i * n];
  CHECK(dense::fitted(work, A, b, x));
  CHECK(near(x[0], x[1], 1e-9));
  CHECK(dense::singular(work, m, A, U, s, V));
  CHECK(s[n - 1] < 1e-12 * s[0]);
  CHECK(largest(residual(n, m, n, U, true, U, identity(n))) < 1e-10);
}
}  // namespace

int main() {
  for (const size_t n : {1, 2, 7, 33, 60}) checkSize(n);
  checkTall(7, 3);
  checkTall(70, 40);
  dini::workspace work;
  const Matrix A = numbers(40 * 50, 5), B = numbers(50 * 60, 6);
  Matrix C(40 * 60);
  CHECK(dense::product(work, 40, 50, 60, A, B, C));
  CHECK(largest(residual(40, 50, 60, A, false, B, C)) < 1e-12);
  return 0;
}
