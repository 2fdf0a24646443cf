// Liveness of single values: a result of a loop or branch is needed only if something reads it, and
// a carry of a loop only if its result is, or if another needed value of the body reads it.
#include <unordered_set>

#include "base/check.h"
#include "ir/clone.h"
#include "ir/walk.h"
#include "opt/passes.h"

namespace dini::opt {
namespace {

using ir::Op;
using ir::OpCode;
using ir::Region;
using ir::Value;

class Liveness {
 public:
  explicit Liveness(ir::Function& function) {
    for (const Value* value : function.body.yields()) need(value);
    ir::walk(function.body, [&](const Op& op) {
      if (ir::runsUnread(op)) needOp(op);
    });
    while (!pending_.empty()) {
      const Value* value = pending_.back();
      pending_.pop_back();
      if (value->def != nullptr) needResult(*value->def, value->index);
      else if (value->region->parent != nullptr) needArgument(*value->region->parent, *value);
    }
  }
  bool live(const Value* value) const { return values_.contains(value); }
  bool live(const Op& op) const { return ops_.contains(&op); }

 private:
  void need(const Value* value) {
    if (values_.insert(value).second) pending_.push_back(value);
  }

  // The operation runs: what it needs whichever of its results is read.
  void needOp(const Op& op) {
    if (!ops_.insert(&op).second) return;
    if (op.parent->parent != nullptr) needOp(*op.parent->parent);
    switch (op.code) {
      case OpCode::Loop: need(op.operand(0)); return;
      case OpCode::While:
        for (const Value* value : op.regions[0]->yields()) need(value);
        return;
      case OpCode::If:
        for (const Value* operand : op.operands) need(operand);
        return;
      case OpCode::Try: return;
      default: break;
    }
    for (const Value* operand : op.operands) need(operand);
    for (const auto& region : op.regions)
      for (const Value* value : region->yields()) need(value);
  }

  void needResult(const Op& op, size_t k) {
    needOp(op);
    if (op.code == OpCode::Loop) {
      size_t carries = op.operands.size() - 1;
      need(op.regions[0]->yields()[k]);
      if (k < carries) needCarry(op, 1, k);
    } else if (op.code == OpCode::While) {
      size_t carries = op.operands.size();
      if (k < carries) needCarry(op, 0, k);
      else if (k > carries) need(op.regions[1]->yields()[k - 1]);
    } else if (op.code == OpCode::If || op.code == OpCode::Try) {
      for (const auto& region : op.regions) need(region->yields()[k]);
    }
  }

  void needArgument(const Op& op, const Value& argument) {
    needOp(op);
    if (op.code == OpCode::Loop && argument.index > 0) needCarry(op, 1, argument.index - 1);
    if (op.code == OpCode::While) needCarry(op, 0, argument.index);
  }

  // Carry k, whose operand is first + k: start, result, every region's argument, the next value.
  void needCarry(const Op& op, size_t first, size_t k) {
    need(op.operand(first + k));
    need(op.results[k]);
    for (const auto& region : op.regions) need(region->args[first + k]);
    need(op.regions.back()->yields()[k]);
  }

  std::unordered_set<const Value*> values_;
  std::unordered_set<const Op*> ops_;
  std::vector<const Value*> pending_;
};

// Removes the positions of `values` for which `dead` holds and renumbers the rest.
template <class Dead>
bool removeAt(std::vector<Value*>& values, const Dead& dead, bool renumber) {
  std::vector<Value*> kept;
  for (size_t k = 0; k < values.size(); ++k)
    if (!dead(k)) kept.push_back(values[k]);
  bool changed = kept.size() != values.size();
  values = std::move(kept);
  for (size_t k = 0; renumber && k < values.size(); ++k) values[k]->index = static_cast<uint32_t>(k);
  return changed;
}

bool trimLoop(Op& op, const Liveness& liveness) {
  std::vector<bool> dead;
  for (const Value* result : op.results) dead.push_back(!liveness.live(result));
  size_t carries = op.operands.size() - 1;
  Region& body = *op.regions[0];
  auto of_carry = [&](size_t k) { return k > 0 && k <= carries && dead[k - 1]; };
  auto of_result = [&](size_t k) { return dead[k]; };
  removeAt(op.operands, of_carry, false);
  removeAt(body.args, of_carry, true);
  removeAt(body.terminator().operands, of_result, false);
  return removeAt(op.results, of_result, true);
}

bool trimWhile(Op& op, const Liveness& liveness) {
  std::vector<bool> dead;
  for (const Value* result : op.results) dead.push_back(!liveness.live(result));
  size_t carries = op.operands.size();
  dead[carries] = false;  // the trip count stays in its place
  auto of_carry = [&](size_t k) { return dead[k]; };
  auto of_yield = [&](size_t k) { return dead[k < carries ? k : k + 1]; };
  removeAt(op.operands, of_carry, false);
  for (auto& region : op.regions) removeAt(region->args, of_carry, true);
  removeAt(op.regions[1]->terminator().operands, of_yield, false);
  return removeAt(op.results, of_carry, true);
}

bool trimBranches(Op& op, const Liveness& liveness) {
  std::vector<bool> dead;
  for (const Value* result : op.results) dead.push_back(!liveness.live(result));
  auto of_result = [&](size_t k) { return dead[k]; };
  for (auto& region : op.regions) removeAt(region->terminator().operands, of_result, false);
  return removeAt(op.results, of_result, true);
}

bool sweep(Region& region, const Liveness& liveness) {
  size_t before = region.ops.size();
  std::erase_if(region.ops, [&](const auto& op) {
    return op->code != OpCode::Yield && !liveness.live(*op);
  });
  bool changed = region.ops.size() != before;
  for (auto& op : region.ops) {
    for (auto& nested : op->regions) changed |= sweep(*nested, liveness);
    if (op->code == OpCode::Loop) changed |= trimLoop(*op, liveness);
    if (op->code == OpCode::While) changed |= trimWhile(*op, liveness);
    if (op->code == OpCode::If || op->code == OpCode::Try) changed |= trimBranches(*op, liveness);
  }
  return changed;
}

}  // namespace

bool removeDeadCode(ir::Function& function) { return sweep(function.body, Liveness(function)); }

}  // namespace dini::opt
