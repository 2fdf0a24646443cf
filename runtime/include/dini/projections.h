/* Projections whose kinks are not switches, and their derivatives (docs/maths.md, "Irreducible
 * kinks"). Shared by every engine; nothing allocates.
 *
 * A derivative at a kink is decided by `decisions`: tangents of the operand, at most two, the first
 * that tells deciding (the limit along x + e h1 + e e h2); what none decides has the weight t.
 * Tangents that differ by less than 64 eps of their size are equal. */
#ifndef DINI_PROJECTIONS_H
#define DINI_PROJECTIONS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* x = the nearest point to v with x >= 0, sum(x) = radius >= 0. `work` has n elements. A NaN or an
 * infinite largest entry: all NaN. */
void dini_proj_simplex(int64_t n, const double* v, double radius, double* x, double* work);
/* The diagonal d of its derivative x_dot = d .* (v_dot - y), with y such that sum(x_dot) =
 * radius_dot: 1 where x > 0, 0 where v is below the threshold, decided or t where it is on it.
 * A decision is a tangent of v and one of the radius. `work` has 3 n elements. */
void dini_simplex_weights(double t, int64_t n, const double* v, double radius, int64_t decisions,
                          const double* v1, double radius1, const double* v2, double radius2,
                          double* d, double* work);

/* The nearest point of the cone of (t; x) with t >= norm(x). */
void dini_proj_soc(int64_t n, const double* v, double* out);
/* Its derivative at v (symmetric) times c. */
void dini_soc_map(double t, int64_t n, const double* v, int64_t decisions, const double* h1,
                  const double* h2, const double* c, double* out);

/* Of the symmetric part of A [n, n] with eigenvalues w (ascending) and eigenvectors V in columns.
 * An eigenvalue within 64 eps of the largest magnitude is zero. */
enum {
  DINI_SPECTRAL_PROJECT = 0,   /* the positive semidefinite part of A */
  DINI_SPECTRAL_PROJECTOR = 1, /* V pi V', pi = 1, t, 0 for positive, zero, negative eigenvalues */
  DINI_SPECTRAL_TANGENT = 2,   /* its derivative at A (symmetric) times C: V (W .* V'CV) V' */
  DINI_SPECTRAL_GAP = 3,       /* W_ij = 1 / (w_i - w_j) where pi_i, pi_j differ, else 0 */
};
/* DINI_DOMAIN where the gap of two zero eigenvalues is asked for. c: null for the first two. */
int dini_spectral(int64_t kind, double t, int64_t n, const double* a, const double* w,
                  const double* v, const double* c, int64_t decisions, const double* h1,
                  const double* h2, double* out, double* work);
int64_t dini_spectral_work(int64_t n);

#ifdef __cplusplus
}
#endif
#endif
