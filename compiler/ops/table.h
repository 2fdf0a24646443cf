// The op table: the rows of all elementwise operations, by code. Everything that is particular to a
// mathematical function is asked here; no other part of the compiler switches over them (code
// generation apart).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "ops/row.h"
#include "ops/type.h"

namespace dini::ops {

// Elementwise operations only, here and below.
const Facts& facts(ir::OpCode code);
std::vector<ir::OpCode> elementwiseOps();
int arity(ir::OpCode code);

// --- evaluation on machine numbers
// The elements of an operand: contiguous, or one for all.
struct Elements {
  const void* data = nullptr;  // double, int64_t, or uint8_t 0 / 1
  bool scalar = false;
};
using Evaluator = void (*)(const Parameters& parameters, const Elements* operands, void* result,
                           int64_t count);
// `any`: the element type that t stands for in the signature.
Evaluator evaluator(ir::OpCode code, ir::Elem any = ir::Elem::F64);

// One real operation of reals.
double evaluate(ir::OpCode code, std::span<const double> operands, const Parameters& parameters = {});

// --- derivatives
// Partial derivative with respect to operand k, which must be among facts(code).partials.
double partial(ir::OpCode code, size_t k, std::span<const double> operands,
               const Parameters& parameters = {});
// The same as text over %0, %1, ... and y, the result: "(-(y / %1))".
std::string partialText(ir::OpCode code, size_t k, const Parameters& parameters = {});

}  // namespace dini::ops
