// Splitting, the parts of it that other transforms use. The pass itself is ad::split.
#pragma once

#include "ir/ir.h"

namespace dini::ad {

// Ends one differentiation level: flags erased, maps of basis vectors batched, called functions made.
void closeLevel(ir::Module& module, ir::Function& function);
// Splits every mixed `try` in place: the tangent part leaves the protected region.
void splitTries(ir::Module& module, ir::Function& function);

}  // namespace dini::ad
