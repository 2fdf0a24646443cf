// Which elements of chosen parameters each element of a result can depend on: the pattern of a Jacobian. The
// function is run with sets in place of reals; integers that the program knows (sizes, loop counters, index
// arrays made of them) are run with, so `z[i + 1]` in a comprehension, slices, shifts and gathers by known indices
// are seen entry by entry. Conservative: a set may hold an element on which the derivative does not depend, as where
// an index or a condition is known only at run time. Sides of kinks are united, what decides them is not counted.
// Not here: the use of patterns, and when they are worth it (ad/sparse_jacobian.h).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "ir/ir.h"

namespace dini::analysis {

// Ascending numbers of elements; null: none.
using DependencySet = std::shared_ptr<const std::vector<int32_t>>;

struct Dependencies {
  int64_t columns = 0;
  std::vector<DependencySet> rows;  // per element of the result
};

// Of result 0, real, in the `count` parameters from `first` on, whose elements are numbered in their order. `outside`:
// per parameter the value of another function that it stands for, to be followed where it is made of constants.
// None: sizes that are known only at run time, or too much work.
std::optional<Dependencies> dependencies(const ir::Function& function, size_t first, size_t count,
                                         std::span<ir::Value* const> outside);

}  // namespace dini::analysis
