/* Dense linear algebra: factorisations, solves, decompositions. Small problems use the code here,
 * larger ones OpenBLAS, which is loaded at the first such call (or by dini_init) with one thread and
 * the kernels that suit the CPU, whatever its own detection says.
 *
 * Matrices are row-major and contiguous. `structure` is the IR's declared structure: 0 general,
 * 1 symmetric, 2 positive definite, 3 lower, 4 upper, 5 unit lower, 6 diagonal; only the declared
 * part is read (of 1 and 2 the lower triangle for 2, everything for 1). `work` has at least
 * dini_*_work(...) doubles; nothing here allocates after OpenBLAS is loaded.
 * Results: 0, or the status codes of status.h. Same inputs, same bits, whoever calls. */
#ifndef DINI_LINALG_H
#define DINI_LINALG_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Loads OpenBLAS now rather than at first use. Safe to call from several threads. */
void dini_init(void);

/* factors [n, n], pivots [n]: general and symmetric P A = L U (unit lower L and U in `factors`,
 * row k exchanged with pivots[k] >= k); positive definite A = L L'; else a copy of A's part.
 * *rcond: reciprocal 1-norm condition (of 0 to 2 with 2 to 8 unknowns that of the inverse; else
 * Higham's estimate; diagonal: smallest over largest entry).
 * DINI_SINGULAR where it is below 1e-14 or not a number (diagonal: where an entry is 0 or not
 * finite), or where a positive definite matrix is not. */
int dini_factor(int64_t structure, int64_t n, const double* a, double* factors, int64_t* pivots,
                double* rcond, double* work);
int64_t dini_factor_work(int64_t n);
/* X with A X = B, or A' X = B where `transposed`; B and X are [n, m] and may be the same array. */
void dini_solve_factored(int64_t structure, int transposed, int64_t n, int64_t m,
                         const double* factors, const int64_t* pivots, const double* b, double* x);
/* Both at once. */
int dini_linear_solve(int64_t structure, int transposed, int64_t n, int64_t m, const double* a,
                      const double* b, double* x, double* rcond, double* work);
int64_t dini_linear_solve_work(int64_t n);

/* Of (A + A') / 2. `l` [n, n] is lower triangular with zeros above. DINI_DOMAIN unless positive
 * definite. */
int dini_cholesky(int64_t n, const double* a, double* l);
/* Of (A + A') / 2: values ascending, vectors in columns, each with its largest entry positive. */
int dini_eigh(int64_t n, const double* a, double* values, double* vectors, double* work);
int64_t dini_eigh_work(int64_t n);
/* Thin: A [m, n] = U diag(s) V', k = min(m, n), U [m, k], V [n, k]; s descending; the largest entry
 * of each column of U is positive. */
int dini_svd(int64_t m, int64_t n, const double* a, double* u, double* s, double* v, double* work);
int64_t dini_svd_work(int64_t m, int64_t n);
/* Thin: A [m, n] = Q R, k = min(m, n), Q [m, k], R [k, n] with diagonal >= 0. */
int dini_qr(int64_t m, int64_t n, const double* a, double* q, double* r, double* work);
int64_t dini_qr_work(int64_t m, int64_t n);
/* Minimum-norm least squares: A [m, n], B [m, k], X [n, k]; singular values below
 * max(m, n) eps s_max count as 0. */
int dini_lstsq(int64_t m, int64_t n, int64_t k, const double* a, const double* b, double* x,
               double* work);
int64_t dini_lstsq_work(int64_t m, int64_t n, int64_t k);

/* C [m, n] = op(A) op(B) through BLAS; lda, ldb: row lengths as stored. */
void dini_gemm(int transpose_a, int transpose_b, int64_t m, int64_t n, int64_t k, const double* a,
               int64_t lda, const double* b, int64_t ldb, double* c);
/* C [m, n] = A [m, k] B [k, n] where element (i, j) of a matrix is at i * row + j * column, C's
 * columns being adjacent: code of our own for small and thin products, OpenBLAS for large ones. C
 * overlaps neither A nor B. Products are summed in an order that depends on the sizes and the CPU. */
void dini_matmul(int64_t m, int64_t n, int64_t k, const double* a, int64_t a_row, int64_t a_column,
                 const double* b, int64_t b_row, int64_t b_column, double* c, int64_t c_row);

#ifdef __cplusplus
}
#endif
#endif
