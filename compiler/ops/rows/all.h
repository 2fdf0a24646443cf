// Every row of the op table, and dispatch from a code to its row.
#pragma once

#include <array>
#include <utility>

#include "base/check.h"
#include "ops/rows/arithmetic.h"
#include "ops/rows/discrete.h"
#include "ops/rows/exponential.h"
#include "ops/rows/nonsmooth.h"
#include "ops/rows/special.h"
#include "ops/rows/trigonometric.h"

namespace dini::ops {

// The elementwise operations are the first of opcodes.def.
inline constexpr size_t kElementwiseCount = 0
#define DINI_OP(name, mnemonic, stratum, operands, results, regions) \
  + (ir::Stratum::stratum == ir::Stratum::Elementwise ? 1 : 0)
#include "ops/opcodes.def"
#undef DINI_OP
    ;

template <Algebra A>
using PartialFn = typename A::Real (*)(A&, const Parameters&, size_t, const typename A::Real*,
                                       typename A::Real);

template <Algebra A, ir::OpCode code>
constexpr PartialFn<A> partialOf() {
  if constexpr (Row<code>::facts.partials.value != 0) return &Row<code>::template partial<A>;
  else return nullptr;
}

// d y / d x[k] in an algebra, where y is the operation's result at the operands x.
template <Algebra A>
typename A::Real partialIn(A& algebra, ir::OpCode code, const Parameters& parameters, size_t k,
                           const typename A::Real* x, typename A::Real y) {
  static constexpr auto table = []<size_t... indices>(std::index_sequence<indices...>) {
    return std::array{partialOf<A, static_cast<ir::OpCode>(indices)>()...};
  }(std::make_index_sequence<kElementwiseCount>());
  PartialFn<A> fn = table[static_cast<size_t>(code)];
  check(fn != nullptr, "an operation without partial derivatives");
  return fn(algebra, parameters, k, x, y);
}

}  // namespace dini::ops
