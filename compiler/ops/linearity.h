// Where an operation may take linear values (tangents of the current differentiation level). The
// verifier checks it, the builder sets the flag of results by it, and transposition inverts it.
#pragma once

#include <cstddef>

#include "ops/opcode.h"

namespace dini::ops {

enum class Linearity {
  Never,   // no operand may be linear
  Joint,   // linear in all of `operands` together: all of them are linear (or zero), or none
  Either,  // bilinear: linear in one of `operands`, not both
  Zero,    // no operands; linear where the value is zero
  Control, // operands, regions and results correspond: verifier.cpp
};

struct LinearRule {
  Linearity kind = Linearity::Never;
  unsigned operands = 0;  // bit k: operand k; kAllOperands for variadic ones
  bool at(size_t k) const { return ((operands >> (k < 31 ? k : 31)) & 1u) != 0; }
};
inline constexpr unsigned kAllOperands = ~0u;

// Of Reduce: holds for "sum" only.
LinearRule linearRule(ir::OpCode code);

}  // namespace dini::ops
