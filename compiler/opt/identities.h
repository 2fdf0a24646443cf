// Identities of single operations that hold to the last bit (NaN payloads aside): x * 1 = x, but
// not x + 0 = x, which is wrong for x = -0, nor x * 0 = 0.
#pragma once

#include "ir/builder.h"

namespace dini::opt {

// A value equal to `op`'s single result, made before `op` where needed; null: none is known.
ir::Value* simplified(ir::Builder& builder, const ir::Op& op);

}  // namespace dini::opt
