// Solves inside the equations of a solve. A kink of the inner one is a kink of the outer equations, but
// no operation of them: the set of ties, their weights and the test of those need it in one system.
// So behind a root that holds others a second one is put, which starts at its solution and stays
// there. Its unknowns are those of all of them, its equations all of theirs; derivatives go through it.
// By block elimination they are those of the nested form. Mathematics: docs/maths.md, "Ties inside
// equations".
#pragma once

#include <vector>

#include "ir/ir.h"

namespace dini::ad {

// Joined are inner roots with kinks, differentiated by the implicit rule, in loops with constant trip
// counts and in branches on conditions that are no switch. Others stay nested.
void joinNestedRoots(ir::Function& function);

// Whether the derivative of the root is that of the equations at its solution.
bool isImplicitRoot(const ir::Op& root);

// Where the unknowns and the equations of an inner root stand among those of a joined one.
struct RootBlock {
  int64_t first = 0, count = 0;
};
std::vector<RootBlock> blocksOf(const ir::Op& root);

}  // namespace dini::ad
