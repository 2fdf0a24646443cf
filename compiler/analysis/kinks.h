// Unification of kinks: switches p - q that are equal up to sign and positive scale form one class,
// share one tie weight, and are oriented relative to the class's first kink in program order.
// A switch is a `choose` (p - q) or an `if` on a comparison of reals (a - b for gt and ge, b - a for
// lt and le). Switches are compared as affine forms over numbered values, so relu(x), relu(-x),
// max(2*x, 0) and abs(x) are one class. Mathematics: docs/maths.md, section "Ties".
// Not here: weights (ad/ties.h).
#pragma once

#include "ir/ir.h"

namespace dini::analysis {

// Sets attrs.ints of every switch, and of every pick made by an earlier differentiation, to
// {class id, orientation +1 or -1}.
void unifyKinks(ir::Function& function);

// Whether the operation is an `if` on a comparison of reals (operands: condition, a, b and, where a probe decided it,
// the weight of the first region).
bool isComparisonIf(const ir::Op& op);

}  // namespace dini::analysis
