#include "opt/opt.h"

#include "batch/vmap.h"
#include "ir/verifier.h"
#include "opt/passes.h"

namespace dini::opt {
namespace {

template <bool (*pass)(ir::Function&)>
void runOnce(ir::Module&, ir::Function& function) {
  pass(function);
}

constexpr Pass kPasses[] = {
    {"constant-folding", "operations of constants, exact identities, decided branches",
     runOnce<foldConstants>},
    {"subexpression-sharing", "one computation for equal operations", runOnce<shareSubexpressions>},
    {"dead-code-removal", "unused operations, results and carries", runOnce<removeDeadCode>},
    {"invariant-code-motion", "out of loops, what does not change in them",
     runOnce<hoistInvariants>},
    {"branch-selection", "branches that compute nothing become selections",
     runOnce<selectBranches>},
    {"map-batching", "loops of independent iterations become operations on whole arrays",
     batch::vmap},
    {"conditional-updates", "additions to an element of an array, out of branches",
     runOnce<moveConditionalUpdates>},
    {"slice-sums", "zeros to which slices are added become the parts they consist of",
     runOnce<joinSliceSums>},
    {"product-sums", "sums of the results of large products, before the product",
     runOnce<sumBeforeProducts>},
    {"axis-order", "the axis of many points last, where sums run over short ones",
     runOnce<orderAxes>},
    {"sum-placement", "large sums just before an array is written from what they read",
     runOnce<placeSums>},
    {"factorisation-sharing", "one factorisation for all solves with a matrix",
     runOnce<shareFactorisations>},
};

// Runs a pass and, in checked builds, verifies what it made.
bool apply(const char* name, bool (*pass)(ir::Function&), ir::Function& function,
           const ir::Module& module) {
  bool changed = pass(function);
#ifdef DINI_VERIFY_EACH
  if (changed) ir::verifyOrFail(function, name, &module);
#else
  (void)name;
  (void)module;
#endif
  return changed;
}

// Each round can expose more; two suffice for most functions, and more rarely pay.
constexpr int kRounds = 4;

}  // namespace

std::span<const Pass> allPasses() { return kPasses; }

const Pass* findPass(std::string_view name) {
  for (const Pass& pass : kPasses)
    if (pass.name == name) return &pass;
  return nullptr;
}

void simplify(ir::Module& module, ir::Function& function) {
  for (int round = 0; round < kRounds; ++round) {
    bool changed = apply("dead-code-removal", removeDeadCode, function, module);
    changed |= apply("constant-folding", foldConstants, function, module);
    changed |= apply("subexpression-sharing", shareSubexpressions, function, module);
    if (!changed) return;
  }
  apply("dead-code-removal", removeDeadCode, function, module);
}

void prepareForCodegen(ir::Module& module, ir::Function& function) {
  simplify(module, function);
  apply("branch-selection", selectBranches, function, module);
  batch::vmap(module, function);
#ifdef DINI_VERIFY_EACH
  ir::verifyOrFail(function, "map-batching", &module);
#endif
  simplify(module, function);
  bool changed = apply("conditional-updates", moveConditionalUpdates, function, module);
  changed |= apply("slice-sums", joinSliceSums, function, module);
  changed |= apply("product-sums", sumBeforeProducts, function, module);
  changed |= apply("axis-order", orderAxes, function, module);
  changed |= apply("factorisation-sharing", shareFactorisations, function, module);
  changed |= apply("invariant-code-motion", hoistInvariants, function, module);
  if (changed) simplify(module, function);
  apply("sum-placement", placeSums, function, module);
}

}  // namespace dini::opt
