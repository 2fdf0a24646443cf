// p matrix of the library: routines/p_matrix.inc.
#include <algorithm>
#include <cmath>

#include "dini/complementarity.h"
#include "dini/routines/array.h"

#define DINI_ROUTINE
#include "dini/routines/p_matrix.inc"
