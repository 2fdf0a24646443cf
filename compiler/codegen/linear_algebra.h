// Which operations are calls of the runtime's linear algebra.
#pragma once

#include "ops/opcode.h"

namespace dini::codegen {

// Systems, decompositions and what tied equations need: calls of the runtime on whole arrays.
inline bool isLinearAlgebra(ir::OpCode code) {
  return ir::shape(code).stratum == ir::Stratum::Solve && code != ir::OpCode::Root &&
         code != ir::OpCode::Spectral && code != ir::OpCode::SpectralMap;
}

}  // namespace dini::codegen
