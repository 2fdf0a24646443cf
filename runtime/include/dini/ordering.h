/* Orders of reals and the derivatives of sort, max and min at ties (docs/ir.md, "Ties of reductions
 * and sorts"). Contiguous arrays; nothing allocates. */
#ifndef DINI_ORDERING_H
#define DINI_ORDERING_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Stable ascending order, NaN last; `work` has n elements. */
void dini_argsort(int64_t n, const double* x, int64_t* order, int64_t* work);
/* First position of the largest (smallest) element, of the first NaN if there is one; 0 if n = 0. */
int64_t dini_arg_extreme(int maximum, int64_t n, const double* x);
/* x, a [n] -> out [n]; `work` has 2 n elements. */
void dini_sort_pick(int transposed, double t, int64_t n, const double* x, const double* a,
                    double* out, int64_t* work);
/* x, a [groups, members] -> out [groups]. */
void dini_reduce_pick(int maximum, double t, int64_t groups, int64_t members, const double* x,
                      const double* a, double* out);
/* x [groups, members], a_bar [groups] -> out [groups, members]. */
void dini_reduce_pick_t(int maximum, double t, int64_t groups, int64_t members, const double* x,
                        const double* a_bar, double* out);

#ifdef __cplusplus
}
#endif
#endif
