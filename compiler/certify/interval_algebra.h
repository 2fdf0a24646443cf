// Interval values and partial derivatives of the elementwise operations, from the op table: an
// operation that its row calls increasing or decreasing is evaluated by the row's kernel at the ends,
// widened by the error that the runtime's functions may have; partial derivatives are the rows'
// templates over intervals. Where nothing is known the result is everything.
// Not here: choose, select and comparisons, which depend on how a tie is treated (lifted.h).
#pragma once

#include <initializer_list>
#include <optional>
#include <span>

#include "certify/interval.h"
#include "ops/row.h"

namespace dini::certify {

// Of an operation of reals.
Interval intervalValue(ir::OpCode code, std::span<const Interval> operands,
                       const ops::Parameters& parameters = {});
// d result / d operand k; `value` is an enclosure of the result.
Interval intervalPartial(ir::OpCode code, size_t k, std::span<const Interval> operands,
                         Interval value, const ops::Parameters& parameters = {});

// d result / d operand of a function of one real over all reals, where that is bounded.
std::optional<Interval> slopeOverReals(ir::OpCode code);

}  // namespace dini::certify
