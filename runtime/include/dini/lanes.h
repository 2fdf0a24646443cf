/* Small problems in eight lanes: element k of lane l of an array is at [8 k + l]. Each lane gives the
 * bits of the scalar function of linalg.h or math.h. Lanes whose bit of `mask` is 0 are left alone. */
#ifndef DINI_LANES_H
#define DINI_LANES_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Doubles of work memory for each of these, where it takes any. */
int64_t dini_lanes_work(int64_t n, int64_t m);
void dini_lanes_linear_solve(int64_t structure, int transposed, int64_t n, int64_t m,
                             const double* a, const double* b, double* x, double rcond[8],
                             int64_t status[8], int mask, double* work);
void dini_lanes_factor(int64_t structure, int64_t n, const double* a, double* factors,
                       int64_t* pivots, double rcond[8], int64_t status[8], int mask, double* work);
void dini_lanes_solve_factored(int64_t structure, int transposed, int64_t n, int64_t m,
                               const double* factors, const int64_t* pivots, const double* b,
                               double* x, int mask, double* work);
void dini_lanes_norm(const double* x, int64_t n, double out[8], int mask, double* work);

#ifdef __cplusplus
}
#endif
#endif
