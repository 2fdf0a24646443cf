// The value of a solve that failed, under --on-failure=nan.
#pragma once

#include "ir/builder.h"

namespace dini::lower {

// A NaN whose derivative is NaN by everything real that `solve` reads from outside, and by nothing
// else: of an array that it reads at known places only these. So one member of a batch leaves the
// derivatives of the others alone though all read the same arrays.
ir::Value* poisonOf(ir::Builder& b, const ir::Region& solve);

}  // namespace dini::lower
