/* Between the code that `dini build` emits and the runtime: tables that describe an exported
 * function, and the functions behind its C interface. Not for users of a library (dini.h is). The
 * layout is known to compiler/codegen (exports.cpp). */
#ifndef DINI_LIBRARY_H
#define DINI_LIBRARY_H

#include "dini/dini.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef int64_t (*dini_entry)(const void *const *in, void *const *out, const int64_t *sizes,
                              void *work, dini_run *run);

enum dini_site_kind {
  DINI_SITE_OTHER = 0,
  DINI_SITE_ROOT = 1,  /* its status is worded by the solver's reason */
  DINI_SITE_NOTICE = 2 /* tells that a solve failed and its value is NaN */
};

typedef struct dini_site {
  const char *file;
  const char *text;
  int64_t line;
  int64_t column;
  int64_t kind; /* dini_site_kind */
} dini_site;

/* The same function compiled for one CPU. */
typedef struct dini_variant {
  dini_entry entry;
  const dini_site *sites;
  const int64_t *pieces; /* polynomials: bytes of workspace beyond the frame */
  int64_t n_pieces;
  int64_t frame;     /* bytes */
  int64_t cpu_level; /* of the x86-64 ABI: 1 to 4; the CPU must have it */
} dini_variant;

/* One array of a tape. */
typedef struct dini_slot {
  int64_t element_bytes;
  int64_t count; /* product of the constant dimensions */
  int64_t rank;  /* number of the others */
} dini_slot;

/* A tape is: the hash, the level of the CPU, the bytes used, a checksum of these and the following; the
 * exported sizes; the dimensions that are not constant, in order; the slots of constant size, then the
 * others, each on a multiple of eight bytes. */
typedef struct dini_tape {
  int64_t hash; /* of the function's code */
  int64_t n_sizes; /* exported */
  int64_t n_slots;
  const dini_slot *slots;
  int64_t n_dims;
  const int64_t *dims; /* polynomials in the exported sizes: the most that each dimension can be, 0
                        * where there is no such bound */
} dini_tape;

/* Polynomials are written as: number of terms, and per term its coefficient, the number of its
 * factors and their positions. Those of `sizes` are in the exported sizes, the others in the sizes
 * that the entry takes. */
typedef struct dini_function {
  const dini_variant *variants; /* the first that the CPU can run is used */
  int64_t n_variants;
  int64_t n_in;         /* parameters of the entry */
  const int64_t *in;    /* each: its position in the caller's `in`, or ~j: the j-th exported size */
  int64_t n_sizes;      /* that the entry takes */
  const int64_t *sizes; /* polynomials */
  int64_t n_out;
  const int64_t *out_rank;  /* of each result: dynamic axes, or 0 */
  const int64_t *out_sizes; /* polynomials: per dynamic result its elements' number, then each
                             * dynamic size */
  const int64_t *out_bytes; /* of an element of each result */
  const struct dini_function *probe; /* runs instead where a derivative met a tie of `locked`, or 0 */
  /* Of a function in two steps. The first writes the tape: its last results are the slots. The others
   * read it: their first parameters are the slots, their first sizes the tape's dimensions. */
  const dini_tape *tape;
  int64_t reads_tape;
} dini_function;

int dini_library_call(const dini_function *function, const void *const *in, void *const *out,
                      const int64_t *sizes, void *work, dini_info *info);
int dini_library_forward(const dini_function *function, const void *const *in, void *const *out,
                         const int64_t *sizes, void *tape, void *work, dini_info *info);
int dini_library_linear(const dini_function *function, const void *tape, const void *const *in,
                        void *const *out, const int64_t *sizes, void *work, dini_info *info);
size_t dini_library_tape(const dini_function *function, const int64_t *sizes);
size_t dini_library_work(const dini_function *function, const int64_t *sizes);

#ifdef __cplusplus
}
#endif
#endif
