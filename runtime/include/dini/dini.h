/* What a program that calls compiled Dini functions includes, through the header made for them.
 *
 * Every function NAME has the form
 *   int NAME(const void *const *in, void *const *out, const int64_t *sizes, void *work,
 *            dini_info *info);
 *   size_t NAME_work_bytes(const int64_t *sizes);
 * `in` and `out` hold one pointer per leaf (records and tuples flattened in declaration order):
 * doubles for reals, int64_t for ints, uint8_t for bools, arrays row-major and contiguous; the
 * header of the library states each one's shape. `sizes` holds the values of the size names in the
 * order stated there (NULL where there are none). Buffers do not overlap. `work` is scratch memory
 * of NAME_work_bytes(sizes) bytes, without alignment. `info` may be NULL.
 * The value is a status, 0 for success; then, and only then, `out` holds the results. A library built
 * with --on-failure=nan goes on where a solve fails, with NaN for what depends on it: info->failed tells.
 * A function in two steps has instead
 *   int NAME_fwd(const void *const *in, void *const *out, const int64_t *sizes, void *tape, void *work,
 *                dini_info *info);
 *   int NAME_bwd(const void *tape, const void *const *out_bar, void *const *in_bar,
 *                const int64_t *sizes, void *work, dini_info *info);
 *   int NAME_tan(const void *tape, const void *const *in_dot, void *const *out_dot,
 *                const int64_t *sizes, void *work, dini_info *info);
 *   size_t NAME_tape_bytes(const int64_t *sizes);
 * and NAME_fwd_work_bytes and so on. NAME_fwd gives the value and writes the tape, with all that the
 * derivatives need, factorisations included; NAME_bwd and NAME_tan read it, as often and in as many
 * threads as one likes. A tape is aligned like a double, holds no addresses and may be moved and
 * copied; one of another function, another CPU or other sizes is the status DINI_TAPE.
 * A call allocates nothing, keeps no state and may run in several threads, each with memory of its
 * own. Code that was compiled with BLAS loads OpenBLAS at its first large matrix: dini_init() does
 * that, and the allocations that go with it, beforehand. */
#ifndef DINI_DINI_H
#define DINI_DINI_H

#include <stddef.h>
#include <stdint.h>

#include "dini/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dini_info {
  /* From the caller; zero where there is nothing to say. */
  const volatile uint8_t *cancel; /* polled in loops: when it becomes nonzero the call ends */
  size_t work_bytes; /* of `work`, where it is more than NAME_work_bytes(sizes); 0: just that */
  size_t tape_bytes; /* of `tape`, where it is not NAME_tape_bytes(sizes); 0: just that */
  int *member_status; /* `members` elements, all written: DINI_OK, or how the first solve that failed
                       * in this member of a batch (by the innermost comprehension) ended. NULL: not wanted */
  int64_t members;
  /* From every call. */
  int status;
  int64_t failed; /* solves that failed: where the library makes their values NaN (--on-failure=nan) all of
                   * them, else the one that ended the call. A member counts once if it has an element of
                   * member_status, otherwise with each of its solves */
  /* Of the failure, of the first if there are several. */
  const char *file;    /* place in the Dini source; NULL: none */
  int64_t line;        /* from 1 */
  int64_t column;      /* from 1, in characters */
  const char *text;    /* more about it, such as the name of a failing solver's reason; or "" */
  int64_t batch_index; /* member of the innermost comprehension, -1: not in one */
  int64_t iterations;  /* of a solve */
  double residual;     /* largest |left side - right side| of its equations */
  double scale;        /* largest |side|; success would be residual <= tolerance (1 + scale) */
  double tolerance;
  size_t needed_bytes; /* after DINI_MEMORY: of the tape where that was too small, else 0 */
  /* From a call that succeeded. */
  int64_t tie;  /* 1: a derivative was taken exactly at a kink */
  int64_t ties; /* how many of them the probe of `locked` met */
  double rcond; /* smallest reciprocal condition estimate of a linear system outside solvers, -1: none */
} dini_info;

/* "the solver did not converge" */
const char *dini_status_text(int status);
/* Gets ready what would otherwise be done at first use. May be called from any thread. */
void dini_init(void);

#ifdef __cplusplus
}
#endif
#endif
