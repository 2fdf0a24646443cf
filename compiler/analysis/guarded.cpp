#include "analysis/guarded.h"

#include <algorithm>

#include "ir/clone.h"

namespace dini::analysis {
namespace {

using ir::OpCode;

bool readsOnlyAPart(OpCode code) {
  switch (code) {
    case OpCode::Select:
    case OpCode::Choose:
    case OpCode::ChooseTie:
    case OpCode::Pick:
    case OpCode::PickTie:
    case OpCode::SafeDiv:
    case OpCode::SafeMul:
    case OpCode::Index:
    case OpCode::Slice:
    case OpCode::Update:
    case OpCode::UpdateSlice:
    case OpCode::Gather:
    case OpCode::ReducePick:
    case OpCode::SortPick: return true;
    default: return false;
  }
}

bool readsOnlyAPart(const ir::Op& op) {
  return readsOnlyAPart(op.code) || (op.code == OpCode::Reduce && op.attrs.str != "sum");
}

}  // namespace

Guarded::Guarded(const ir::Function& function, Caller caller) {
  if (caller == Caller::MayDropResults)
    for (const ir::Value* result : function.body.yields()) mark(result);
  do {
    changed_ = false;
    visitRegion(function.body);
  } while (changed_);
}

bool Guarded::anyResult(const ir::Op& op) const {
  return std::any_of(op.results.begin(), op.results.end(), [&](auto* v) { return contains(v); });
}

void Guarded::mark(const ir::Value* value) {
  if (value->type.isReal() && values_.insert(value).second) changed_ = true;
}

void Guarded::visitRegion(const ir::Region& region) {
  for (auto it = region.ops.rbegin(); it != region.ops.rend(); ++it) visit(**it);
}

void Guarded::visit(const ir::Op& op) {
  if (op.code == OpCode::Yield) return;
  bool dropped = anyResult(op);
  for (const auto& region : op.regions) {
    if (op.code != OpCode::Loop)  // the region may not run
      for (const ir::Value* value : ir::captures(*region)) mark(value);
    for (const ir::Value* argument : region->args) dropped = dropped || contains(argument);
  }
  if (dropped)
    for (const auto& region : op.regions)
      for (const ir::Value* value : region->yields()) mark(value);
  for (const auto& region : op.regions) visitRegion(*region);
  if (dropped || readsOnlyAPart(op))
    for (const ir::Value* operand : op.operands) mark(operand);
}

}  // namespace dini::analysis
