/* What a derivative through tied equations needs (docs/nonsmooth.md): the test for P-matrices, the
 * linear complementarity problem, and both for the kinks of a solve. Double precision: an enclosed
 * proof is `dini certify`'s business. Matrices are row-major. These functions allocate; they run
 * only where a solve has a tie. Same inputs, same bits. */
#ifndef DINI_COMPLEMENTARITY_H
#define DINI_COMPLEMENTARITY_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum dini_verdict { DINI_REFUTED = -1, DINI_UNKNOWN = 0, DINI_PROVED = 1 };

/* Whether all principal minors of M [k, k] are positive. For k <= 12 every answer is REFUTED or
 * PROVED; beyond, diagonal entries, 2 x 2 minors, a positive definite symmetric part, and diagonal
 * dominance up to scaling are tried. M is the identity less a response: a pivot below 1e-12 of the
 * terms it was formed from, 1 among them, counts as not positive. REFUTED: det(I - diag(e) (I - M)) = 0 at the weights e = `witness` [k], all 0 or 1
 * but the one at *index. */
int dini_p_matrix(int64_t k, const double* m, double* witness, int64_t* index);

/* u >= 0 with y = q + M u >= 0 and u'y = 0, for a P-matrix M [k, k]: the solution is unique then and
 * the method finite. sides[i]: 1 where u_i > 0, 0 where y_i > 0, -1 where both are 0 to 1e-12 of
 * the terms they are formed from. 0: no solution was found. */
int dini_lcp(int64_t k, const double* m, const double* q, double* u, int64_t* sides);

/* The one-sided derivative of the solution z [n] of equations F = 0 with k switches s.
 * `jacobian` [n + k + 1, n + k]: the derivatives of (F, s) by z, by a term added to each switch's
 * relu, and along the direction asked, all with tied switches at weight 0. `tied` [k]: the others
 * do not count. `held` [k]: weights that are fixed, NaN where the direction decides.
 * `weights` [k]: 1 or 0 where the switch's derivative is positive or negative, the held weight,
 * NaN where it stays open or is not tied; if REFUTED, the witness. `z_dot` [n]: the derivative.
 * `verdict` [2]: dini_verdict on invertibility for all weights of the tied switches (held or not),
 * and the number of the witness's switch, -1 if all of its weights are 0. */
void dini_root_ties(int64_t n, int64_t k, const double* jacobian, const uint8_t* tied,
                    const double* held, double* weights, double* z_dot, double* verdict);

#ifdef __cplusplus
}
#endif
#endif
