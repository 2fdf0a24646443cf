// Derivatives of elementwise operations, as IR: the rows of ops/rows/ instantiated with the builder.
// `op` is an operation whose operands and results are values of the builder's function, available
// where the builder stands (AD passes the copied primal operation). Shared subexpressions are left
// to the common-subexpression pass.
// Not here: choose (its derivative needs a tie weight: ad/), arrays, control, solves.
#pragma once

#include <span>
#include <vector>

#include "ir/builder.h"

namespace dini::ir {

// d result / d operand k, with the shape of the result or a scalar. Null where it is identically
// zero or does not exist as a number (an integer or boolean operand, floor, sign, stop, ...), and
// for operations that are jointly linear in the operand (add, sub, neg, select, pick: apply the
// operation itself to the tangents).
Value* partial(Builder& builder, const Op& op, size_t k);
std::vector<Value*> partials(Builder& builder, const Op& op);

// The whole rule: the tangent of the result, given that of each operand (null: zero). Null: zero.
// The result is flagged linear as the tangents are. Handles every elementwise operation but choose.
Value* elementwiseTangent(Builder& builder, const Op& op, std::span<Value* const> operand_dots);

}  // namespace dini::ir
