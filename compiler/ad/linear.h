// Small tools of the transforms that concern the `linear` flag of one differentiation level.
#pragma once

#include "ir/builder.h"
#include "ir/ir.h"

namespace dini::ad {

// Zeros shaped like x, flagged linear: the tangent of a value that does not move. Not shared, so
// that flags stay separate; common subexpressions merge later.
ir::Value* linearZeros(ir::Builder& builder, ir::Value* like);
// Whether the operation belongs to the linear part: a result is linear.
bool hasLinearResult(const ir::Op& op);
// Whether it also belongs to the primal part: a result that is not linear, or an effect.
bool isMixed(const ir::Op& op);
// Its linear operands and the linear values that its regions read.
std::vector<ir::Value*> linearInputs(const ir::Op& op);
// Whether the value is a constant zero, scalar or filled.
bool isZero(const ir::Value* value);
// einsum, or a plain product where nothing is contracted or repeated.
ir::Value* contracted(ir::Builder& builder, const std::string& spec, ir::Value* a, ir::Value* b);
void eraseLinearFlags(ir::Function& function);

}  // namespace dini::ad
