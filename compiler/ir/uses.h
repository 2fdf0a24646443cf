// How often each value is an operand, at any depth of a function.
#pragma once

#include <unordered_map>

#include "ir/walk.h"

namespace dini::ir {

using UseCounts = std::unordered_map<const Value*, size_t>;

inline UseCounts countUses(const Function& function) {
  UseCounts uses;
  walk(function.body, [&](const Op& op) {
    for (const Value* operand : op.operands) ++uses[operand];
  });
  return uses;
}

}  // namespace dini::ir
