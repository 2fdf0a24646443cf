#include "ir/clone.h"

#include <unordered_set>

#include "base/check.h"
#include "ir/walk.h"

namespace dini::ir {

Value* mapped(const ValueMap& map, Value* value) {
  auto it = map.find(value);
  return it == map.end() ? value : it->second;
}

namespace {

std::vector<Value*> mappedAll(const ValueMap& map, std::span<Value* const> values) {
  std::vector<Value*> result;
  result.reserve(values.size());
  for (Value* value : values) result.push_back(mapped(map, value));
  return result;
}

void cloneRegion(Function& function, const Region& from, Region& to, ValueMap& map) {
  for (Value* argument : from.args) {
    Value* fresh = function.addArgument(to, argument->type, argument->name);
    fresh->linear = argument->linear;
    map[argument] = fresh;
  }
  Builder inner(function, to);
  for (const auto& op : from.ops) cloneOp(inner, *op, map);
}

}  // namespace

Op& cloneOp(Builder& builder, const Op& op, ValueMap& map) {
  Op& copy = builder.emitUnchecked(op.code, mappedAll(map, op.operands), op.attrs);
  copy.span = op.span;
  for (size_t k = 0; k < op.regions.size(); ++k)
    cloneRegion(builder.function(), *op.regions[k], *copy.regions[k], map);
  for (Value* result : op.results) {
    Value* fresh = builder.function().addResult(copy, result->type);
    fresh->linear = result->linear;
    fresh->name = result->name;
    map[result] = fresh;
  }
  return copy;
}

std::vector<Value*> inlineRegion(Builder& builder, const Region& from, ValueMap& map) {
  check(!from.ops.empty() && from.terminator().code == OpCode::Yield, "the region has no yield");
  for (size_t k = 0; k + 1 < from.ops.size(); ++k) cloneOp(builder, *from.ops[k], map);
  return mappedAll(map, from.yields());
}

std::vector<Value*> inlineCall(Builder& builder, const Function& callee,
                               std::span<Value* const> arguments) {
  check(arguments.size() == callee.body.args.size(), "argument count of an inlined call");
  ValueMap map;
  for (size_t k = 0; k < arguments.size(); ++k) map[callee.body.args[k]] = arguments[k];
  return inlineRegion(builder, callee.body, map);
}

std::vector<Value*> captures(const Region& region) {
  std::vector<Value*> found;
  std::unordered_set<const Value*> seen;
  walk(region, [&](const Op& op) {
    for (Value* operand : op.operands)
      if (!isInside(operand->region, &region) && seen.insert(operand).second)
        found.push_back(operand);
  });
  return found;
}

namespace {

// Marks what the function needs: operations with effects, the yields, and what those read.
class Liveness {
 public:
  explicit Liveness(Function& function) {
    markOp(function.body.terminator());
    walk(function.body, [&](const Op& op) {
      if (runsUnread(op)) markOp(op);
    });
    while (!pending_.empty()) {
      const Op* op = pending_.back();
      pending_.pop_back();
      for (const Value* operand : op->operands)
        if (operand->def != nullptr) markOp(*operand->def);
      for (const auto& region : op->regions) markOp(region->terminator());
      if (op->parent->parent != nullptr) markOp(*op->parent->parent);
    }
  }
  bool live(const Op& op) const { return live_.contains(&op); }

 private:
  void markOp(const Op& op) {
    if (live_.insert(&op).second) pending_.push_back(&op);
  }
  std::unordered_set<const Op*> live_;
  std::vector<const Op*> pending_;
};

void sweep(Region& region, const Liveness& liveness) {
  std::erase_if(region.ops, [&](const auto& op) { return !liveness.live(*op); });
  for (auto& op : region.ops)
    for (auto& nested : op->regions) sweep(*nested, liveness);
}

}  // namespace

void eraseDead(Function& function) { sweep(function.body, Liveness(function)); }

void replaceUses(Function& function, Value* from, Value* to) {
  walk(function.body, [&](const Op& op) {
    for (Value*& operand : const_cast<Op&>(op).operands)
      if (operand == from) operand = to;
  });
}

}  // namespace dini::ir
