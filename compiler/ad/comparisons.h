// Parts that the rules of `if` on a comparison share, internal to this folder.
#pragma once

#include <span>

#include "ir/builder.h"

namespace dini::ad {

// Whether running a side of the `if` could end the call: such a side may not run untaken.
bool mayRaise(const ir::Op& op);
// Whether a side may run once more at a tie at all: it prints nothing, and sizes are known.
bool mayBlend(const ir::Op& op);
ir::Value* anyOf(ir::Builder& b, ir::Value* condition);
// Zeros of the type.
ir::Value* dummyOf(ir::Builder& b, const ir::Type& type);

}  // namespace dini::ad
