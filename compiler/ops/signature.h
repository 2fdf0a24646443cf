// Element types of an elementwise operation, as text: "rr:r" takes two reals and gives a real; i is
// an integer, b a boolean, t any element type (all t of one operation are the same).
#pragma once

#include <string_view>

#include "ops/opcode.h"

namespace dini::ops {

// Elementwise operations only.
std::string_view signature(ir::OpCode code);

}  // namespace dini::ops
