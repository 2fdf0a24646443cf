// Optimisation of IR functions, after differentiation. A pass is a record: name, one-line summary,
// function; pipelines are lists of passes, and each pass can be run and dumped alone.
#pragma once

#include <span>
#include <string_view>

#include "ir/ir.h"

namespace dini::opt {

struct Pass {
  std::string_view name;     // a noun phrase in kebab case, also the flag
  std::string_view summary;
  void (*run)(ir::Module&, ir::Function&);
};
std::span<const Pass> allPasses();
const Pass* findPass(std::string_view name);

// Cheap clean-up that keeps every bit of every result: constants folded, common subexpressions
// shared, dead code removed. Run on what AD makes before it is differentiated again.
void simplify(ir::Module& module, ir::Function& function);
// Everything before code generation: simplify, maps batched (batch/vmap), large products and sums put
// into the form that runs fast, factorisations shared, what loops do not change moved out of them.
void prepareForCodegen(ir::Module& module, ir::Function& function);

// linear_solve -> factor and solve_factored where several solves share a matrix, or where a loop does
// not change it (factor_sharing.cpp); between linearisation and its end (linear flags)
// also where a tangent's solve is the only one, so that the matrix is factored in the primal part.
bool shareFactorisations(ir::Function& function);

}  // namespace dini::opt
