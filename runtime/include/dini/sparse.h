/* Sparse direct linear algebra: matrices given by their entries, factorised by KLU (SuiteSparse), which
 * is opened at the first call. Where it is not installed, and in the portable runtime, the matrix is
 * factorised densely: the same answers to rounding, n^2 doubles and n^3 work.
 *
 * A thread keeps its last few factorisations: a call with the same pattern reuses the ordering, one with
 * the same values too reuses the factors, so that a value and its derivatives factorise once. Unlike the
 * dense routines this one allocates (with malloc, freed when the thread ends). */
#ifndef DINI_SPARSE_H
#define DINI_SPARSE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* X with A X = B, or A' X = B where `transposed`; A [n, n] has the value values[e] at (rows[e], cols[e]),
 * e < count, in any order; values at one place add up. B and X are [n, m], row-major.
 * *rcond: reciprocal 1-norm condition estimate of A'. Results: 0; DINI_SINGULAR where it is below 1e-14 or
 * not a number; DINI_BOUNDS where an index is outside of 0..n; DINI_MEMORY. */
int dini_sparse_solve(int transposed, int64_t n, int64_t m, int64_t count, const double* values,
                      const int64_t* rows, const int64_t* cols, const double* b, double* x,
                      double* rcond);

#ifdef __cplusplus
}
#endif
#endif
