// Copying operations and regions with values replaced: the tool that passes are made of.
#pragma once

#include <unordered_map>

#include "ir/builder.h"
#include "ir/ir.h"

namespace dini::ir {

// Old value -> new value. A value that is not in the map stands for itself (captured).
using ValueMap = std::unordered_map<const Value*, Value*>;

Value* mapped(const ValueMap& map, Value* value);
// Clones `op`, regions included, at the builder's position; its results enter the map.
Op& cloneOp(Builder& builder, const Op& op, ValueMap& map);
// Clones all operations of `from` but the Yield into the builder's region; gives the mapped
// operands of the Yield. `map` must hold the region's arguments.
std::vector<Value*> inlineRegion(Builder& builder, const Region& from, ValueMap& map);
// Inlines a function's body: arguments in, results out.
std::vector<Value*> inlineCall(Builder& builder, const Function& callee,
                               std::span<Value* const> arguments);
// Values defined outside `region` that operations inside it (at any depth) read, in first-use order.
std::vector<Value*> captures(const Region& region);
// Removes operations without effects whose results are not used, to a fixed point.
void eraseDead(Function& function);
// Replaces every use of `from` in the function by `to`.
void replaceUses(Function& function, Value* from, Value* to);

}  // namespace dini::ir
