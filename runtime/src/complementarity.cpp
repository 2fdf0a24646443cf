// complementarity of the library: routines/complementarity.inc.
#include <algorithm>
#include <cmath>
#include <limits>

#include "dini/complementarity.h"
#include "dini/linalg.h"
#include "dini/routines/array.h"

#define DINI_ROUTINE
#include "dini/routines/complementarity.inc"
