// Reads of arrays at the index of a loop, recognised for transposition.
#pragma once

#include "ir/ir.h"

namespace dini::ad {

// An index that is i + c for the loop's index i: c is a constant or a value from outside the body.
struct IndexOffset {
  bool affine = false;
  int64_t constant = 0;
  ir::Value* outside = nullptr;
  bool operator==(const IndexOffset&) const = default;
};
IndexOffset offsetOf(const ir::Region& body, const ir::Value* index);

// Moves nested reads X[i + c, ...] of captured linear arrays to the top of the loop's body.
void hoistRowReads(ir::Function& function);

}  // namespace dini::ad
