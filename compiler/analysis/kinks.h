// Unification of kinks: switches p - q that are equal up to sign and positive scale form one class,
// share one tie weight, and are oriented relative to the class's first kink in program order.
// A switch is a `choose` (p - q) or an `if` on a comparison of reals (a - b for gt and ge, b - a for
// lt and le). Switches are compared as affine forms over numbered values, so relu(x), relu(-x),
// max(2*x, 0) and abs(x) are one class. Mathematics: docs/maths.md, section "Ties".
// Not here: weights (ad/ties.h).
#pragma once

#include <vector>

#include "analysis/value_numbers.h"
#include "ir/ir.h"

namespace dini::analysis {

// Sets attrs.ints of every switch, and of every pick made by an earlier differentiation, to
// {class id, orientation +1 or -1}.
void unifyKinks(ir::Function& function);

// Whether the operation is an `if` on a comparison of reals (operands: condition, a, b and, where a probe decided it,
// the weight of the first region).
bool isComparisonIf(const ir::Op& op);

// Per result of a kink g where a - b is g times the switch; NaN: no such number is known. Of an `if`
// the sides are compared as affine forms.
std::vector<double> gapsOf(ValueNumbers& numbers, const ir::Op& kink);
// a - b for gt and ge, b - a for lt and le.
AffineForm switchForm(ValueNumbers& numbers, const ir::Op& kink);

}  // namespace dini::analysis
