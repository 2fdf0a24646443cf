/* What a call of compiled code ends with. */
#ifndef DINI_STATUS_H
#define DINI_STATUS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum dini_status {
  DINI_OK = 0,
  DINI_NOT_CONVERGED = 1,
  DINI_NON_FINITE = 2,
  DINI_SINGULAR = 3,
  DINI_START_OUT_OF_DOMAIN = 4,
  DINI_MULTIPLE_ROOT = 5,
  DINI_ASSERTION = 6,
  DINI_BOUNDS = 7,
  DINI_BOUND = 8,
  DINI_SHAPE = 9,
  DINI_INTERRUPTED = 10,
  DINI_MEMORY = 11,
  DINI_DOMAIN = 12,
  DINI_IRREGULAR = 13,
  /* Of a library: */
  DINI_CPU = 32, /* the CPU lacks instructions that it was compiled for */
  DINI_TAPE = 33 /* what was given as a tape is none of this function, CPU and these sizes */
};

/* What a run met, whether it failed or not. */
typedef struct dini_notes {
  int64_t tie;        /* 1: a derivative of the fast variant met a tie */
  double rcond;       /* smallest reciprocal condition of a system outside solvers; starts from 1 */
  int64_t rcond_site; /* of that system */
  double residual;    /* largest, relative, of a solve outside solvers; starts from -1 */
} dini_notes;

/* Compiled code reads the fields of the first group and writes the others. Its layout is known to
 * compiler/codegen (abi.h). */
typedef struct dini_run {
  /* From the caller. */
  const volatile uint8_t* cancel; /* polled on loop back-edges; never null */
  char* work_end;                 /* end of the workspace */
  int64_t depth_left;             /* of calls */
  void* context;                  /* of `print` */
  /* Prints one value list: `site` numbers the operation, `values` point at its operands, `dims` are
   * the sizes of their dynamic axes. */
  void (*print)(void* context, int64_t site, const void* const* values, const int64_t* dims);
  /* Of the failure, defaults where they do not apply. */
  int64_t status;
  int64_t site;        /* the operation: index of the function's table of sites */
  int64_t batch_index; /* member of the innermost comprehension, -1 */
  int64_t iterations;
  double residual;
  double scale;
  double rcond;
  char* work_top; /* end of the results that live in the workspace */
  int64_t reason; /* of a root that did not converge: as its solver gave it */
  double tolerance; /* of a root */
  dini_notes* notes; /* from the caller; never null */
  /* From the caller: a tie for the report (ir::TieKind, switch value, weight, element). */
  void (*report)(void* context, int64_t site, int64_t kind, double value, double weight,
                 int64_t element);
  /* Starts from -1. Of the batch around the function that runs, set where it is called: what the
   * batch_index of a notice is that does not stand in a batch itself. */
  int64_t member;
} dini_run;

#ifdef __cplusplus
}
#endif
#endif
