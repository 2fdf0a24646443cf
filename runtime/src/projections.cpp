// projections of the library: routines/projections.inc.
#include <algorithm>
#include <cmath>
#include <limits>

#include "dini/math.h"
#include "dini/projections.h"
#include "dini/routines/tangents.h"

#define DINI_ROUTINE
#include "dini/routines/projections.inc"
