// Maps (loops without carries) become operations on whole arrays where their bodies allow it; a map
// that cannot be batched whole is cut into parts, so that a batch of equations still gets its
// products as matrix products. Results keep every bit, but for products that an engine hands to
// BLAS. Not here: lanes of vector registers for the maps that stay loops (codegen/).
#pragma once

#include "ir/ir.h"

namespace dini::batch {

// Before differentiation an `if` on a comparison must stay one: it is a kink (docs/maths.md).
enum class Comparisons { Keep, Batch };
void batchMaps(ir::Function& function, Comparisons comparisons);
// For code that will not be differentiated again: selects are made of branches, kinks included.
void vmap(ir::Module& module, ir::Function& function);

// The loops that ad makes over basis vectors carry this mark (attrs.str).
inline constexpr const char* kBasisLoop = "basis";
void batchBasisLoops(ir::Function& function);

// Sums of products of (broadcast) arrays become einsums; products with an identity matrix become
// transpositions. Same bits, less memory.
void contractProducts(ir::Function& function);

}  // namespace dini::batch
