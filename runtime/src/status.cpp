// The words of the statuses.
#include "dini/dini.h"

const char* dini_status_text(int status) {
  switch (status) {
    case DINI_OK:
      return "success";
    case DINI_NOT_CONVERGED:
      return "the solver did not converge";
    case DINI_NON_FINITE:
      return "a value is infinite or NaN";
    case DINI_SINGULAR:
      return "a matrix is singular";
    case DINI_START_OUT_OF_DOMAIN:
      return "the equations cannot be evaluated at the start";
    case DINI_MULTIPLE_ROOT:
      return "the root is multiple: it has no derivative";
    case DINI_ASSERTION:
      return "an assertion does not hold";
    case DINI_BOUNDS:
      return "an index is out of bounds";
    case DINI_BOUND:
      return "more iterations or deeper calls than allowed";
    case DINI_SHAPE:
      return "sizes do not fit";
    case DINI_INTERRUPTED:
      return "interrupted";
    case DINI_MEMORY:
      return "the workspace is too small";
    case DINI_DOMAIN:
      return "an argument is outside the domain";
    case DINI_IRREGULAR:
      return "the equations define no derivative: their Jacobian is singular for some tie weights";
    case DINI_CPU:
      return "this CPU lacks instructions that the library was compiled for";
    case DINI_TAPE:
      return "the tape does not belong to this function, CPU and sizes";
    default:
      return "unknown status";
  }
}
