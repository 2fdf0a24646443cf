// The residual of a solved root as a System over scalars. The residual region is executed again by
// the interpreter's own handlers at the solution; beside the values runs a second frame that holds,
// instead of reals, the ids of nodes: operations that move elements move ids with the same code.
// Control flow is that of the solution: comparisons that decided become guards, an `if` on a
// comparison of reals that is near its tie becomes a choose of both sides. Calls, loops and nested
// solves are followed; a nested solve and a linear solve add their unknowns and equations.
// Operations that cannot be followed set the system's obstacle.
#pragma once

#include "certify/graph.h"
#include "ir/interpreter.h"

namespace dini::certify {

System traceRoot(const ir::SolvedRoot& root);

// The same of a whole call: its real arguments are the parameters, solves inside it give unknowns and
// equations. `results` holds its real results, element by element.
struct CallTrace {
  System system;
  std::vector<NodeId> results;
};
// Which sides of an `if` on a comparison of reals are followed: both near its tie and else the taken
// one, as in traceRoot, or both always.
enum class Sides { Taken, Both };
CallTrace traceCall(const ir::Module& module, const ir::Function& function,
                    std::span<const ir::Tensor> arguments, const ir::InterpretOptions& options = {},
                    Sides sides = Sides::Taken);
// Whether the root stands in the code of another one, whose own trace follows it, or is one that a
// derivative puts behind another (of infinite tolerance), which solves nothing.
bool isPartOfRoot(const ir::SolvedRoot& root);

}  // namespace dini::certify
