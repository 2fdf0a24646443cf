// The passes, one per file. All keep every bit of every result, large products aside, whose terms
// docs/ir.md lets be added in any order. Each gives whether it changed anything, so that pipelines
// can stop at a fixed point.
#pragma once

#include "ir/ir.h"

namespace dini::opt {

// Operations of constants, identities of arithmetic that hold to the last bit, branches and loops
// decided at compile time. (folding.cpp, identities.cpp)
bool foldConstants(ir::Function& function);
// One computation for equal pure operations, the first that dominates. (subexpressions.cpp)
bool shareSubexpressions(ir::Function& function);
// Unused operations, and unused results and carries of loops and branches. (dead_code.cpp)
bool removeDeadCode(ir::Function& function);
// `if` whose branches only yield values of around -> select. (branch_selection.cpp)
bool selectBranches(ir::Function& function);
// Out of loops, what they compute the same in every iteration. (invariant_code.cpp)
bool hoistInvariants(ir::Function& function);
// Additions to one element of an array out of branches. (conditional_updates.cpp)
bool moveConditionalUpdates(ir::Function& function);
// Arrays of zeros to which slices are added, as the parts they consist of. (slice_sums.cpp)
bool joinSliceSums(ir::Function& function);
// Sums of the results of large products, before the product. (product_sums.cpp)
bool sumBeforeProducts(ir::Function& function);
// Large sums, just before an array is written from what they read. (sum_placement.cpp)
bool placeSums(ir::Function& function);
// The axis of many points last, where sums run over short ones. (axis_order.cpp)
bool orderAxes(ir::Function& function);

// Whether the operation, or one in its regions, can end the call with a status, print, or not end.
bool mayFail(const ir::Op& op);
// Whether the operation may run although the program would not have run it: no failure, no index
// out of bounds.
bool isSpeculable(const ir::Op& op);

}  // namespace dini::opt
