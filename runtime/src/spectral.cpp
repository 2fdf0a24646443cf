// spectral of the library: routines/spectral.inc.
#include <algorithm>
#include <cmath>
#include <limits>

#include "dini/linalg.h"
#include "dini/projections.h"
#include "dini/routines/tangents.h"
#include "dini/status.h"

#define DINI_ROUTINE
#include "dini/routines/spectral.inc"
