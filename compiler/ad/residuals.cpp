#include "ad/residuals.h"

#include <algorithm>

#include "ad/linear.h"
#include "base/check.h"
#include "ir/walk.h"

namespace dini::ad {

using ir::OpCode;
using ir::Value;

namespace {

constexpr int64_t kUnknownSize = 1 << 20;  // elements assumed of an array of dynamic size

int64_t elements(const Value* value) {
  return value->type.isStatic() ? value->type.elementCount() : kUnknownSize;
}

// Arithmetic and comparisons, not the functions that a library computes.
bool isArithmetic(OpCode code) {
  switch (code) {
    case OpCode::Add:
    case OpCode::Sub:
    case OpCode::Mul:
    case OpCode::Div:
    case OpCode::Neg:
    case OpCode::Sqrt:
    case OpCode::Floor:
    case OpCode::Ceil:
    case OpCode::Round:
    case OpCode::Sign:
    case OpCode::PowI: return true;
    // The rows from the selections to the conversions.
    default: return code >= OpCode::Choose && code <= OpCode::BoolToInt;
  }
}

bool isCheap(OpCode code) {
  if (ir::isElementwise(code)) return isArithmetic(code);
  switch (code) {
    case OpCode::Const:
    case OpCode::Fill:
    case OpCode::Iota:
    case OpCode::Dim:
    case OpCode::Index:
    case OpCode::Slice:
    case OpCode::Reshape:
    case OpCode::Transpose:
    case OpCode::Broadcast:
    case OpCode::Flip: return true;
    default: return false;
  }
}

// May run in another place, any number of times.
bool isMovable(const ir::Op& op) {
  return op.code != OpCode::While && op.code != OpCode::Call && !ir::hasEffect(op);
}

void erasePrints(ir::Op& op) {
  for (auto& region : op.regions) {
    std::erase_if(region->ops, [](const auto& nested) { return nested->code == OpCode::Print; });
    for (auto& nested : region->ops) erasePrints(*nested);
  }
}

}  // namespace

Residuals::Residuals(const ir::Region& region, Keep keep, std::unordered_set<const Value*> free,
                     std::vector<Value*> needs)
    : region_(region), keep_(keep), free_(std::move(free)), needs_(std::move(needs)) {
  findLive();
  collectNeeds();
  for (Value* value : needs_)
    for (Value* residual : saves(value))
      if (is_saved_.insert(residual).second) saved_.push_back(residual);
  dropDerived();
}

std::vector<Value*> Residuals::inputs(const ir::Op& op) const {
  std::vector<Value*> found;
  auto add = [&](Value* value) {
    if (isLocal(value)) found.push_back(value);
  };
  for (Value* operand : op.operands) add(operand);
  for (const auto& nested : op.regions)
    for (Value* value : ir::captures(*nested)) add(value);
  return found;
}

void Residuals::findLive() {
  std::vector<const ir::Op*> pending;
  auto mark = [&](const Value* value) {
    if (isLocal(value) && value->def && live_.insert(value->def).second)
      pending.push_back(value->def);
  };
  for (const Value* value : region_.yields())
    if (!value->linear) mark(value);
  for (const auto& op : region_.ops)
    if (!hasLinearResult(*op) && op->code != OpCode::Yield && ir::hasEffect(*op) &&
        live_.insert(op.get()).second)
      pending.push_back(op.get());
  while (!pending.empty()) {
    const ir::Op* op = pending.back();
    pending.pop_back();
    for (const Value* value : inputs(*op)) mark(value);
  }
}

void Residuals::collectNeeds() {
  std::unordered_set<const Value*> seen(needs_.begin(), needs_.end());
  auto need = [&](Value* value) {
    if (isLocal(value) && !value->linear && seen.insert(value).second) needs_.push_back(value);
  };
  for (const auto& op : region_.ops)
    if (hasLinearResult(*op))
      for (Value* value : inputs(*op)) need(value);
}

const Residuals::Set& Residuals::saves(Value* value) {
  auto found = memo_.find(value);
  if (found != memo_.end()) return found->second;
  Set computed = computeSaves(value);
  return memo_[value] = std::move(computed);
}

bool Residuals::canSave(const Value* value) const {
  return keep_ != Keep::Stacked || value->type.isStatic();
}

bool Residuals::mayMove(const ir::Op& op) const {
  return isMovable(op) && op.code != OpCode::Factor && (keep_ != Keep::Tape || isCheap(op.code));
}

Residuals::Set Residuals::computeSaves(Value* value) {
  if (free_.contains(value)) return {};
  bool must_recompute = !canSave(value) && value->def != nullptr;
  if (value->def == nullptr || (!mayMove(*value->def) && !must_recompute)) return {value};
  Set total;
  for (Value* input : inputs(*value->def))
    for (Value* residual : saves(input))
      if (std::find(total.begin(), total.end(), residual) == total.end()) total.push_back(residual);
  if (must_recompute) return total;
  if (live_.contains(value->def))
    return total.empty() && isCheap(value->def->code) ? total : Set{value};
  int64_t cost = 0;
  for (const Value* residual : total) cost += elements(residual);
  int64_t gain = 0;
  for (const Value* result : value->def->results) gain += elements(result);
  return cost <= gain ? total : Set{value};
}

// What the value is computed from in the end: values that cannot be computed again elsewhere, and
// those that the primal part computes anyway.
const Residuals::Set& Residuals::leaves(Value* value) {
  auto found = leaves_.find(value);
  if (found != leaves_.end()) return found->second;
  Set total;
  if (!free_.contains(value)) {
    bool fixed = value->def == nullptr || (canSave(value) && !mayMove(*value->def));
    if (fixed) total = {value};
    else
      for (Value* input : inputs(*value->def))
        for (Value* leaf : leaves(input))
          if (std::find(total.begin(), total.end(), leaf) == total.end()) total.push_back(leaf);
    bool kept = !fixed && canSave(value) && live_.contains(value->def);
    if (kept && !(total.empty() && isCheap(value->def->code))) total = {value};
  }
  return leaves_[value] = std::move(total);
}

// A value that follows from others that are saved anyway, and that the primal part does not need, is
// computed in the linear part: what a solve's tie test says moves beside the solve there, and both
// take one factorisation.
void Residuals::dropDerived() {
  std::erase_if(saved_, [&](Value* value) {
    if (value->def == nullptr || (canSave(value) && !mayMove(*value->def)) || live_.contains(value->def)) return false;
    const Set& from = leaves(value);
    bool follows = std::all_of(from.begin(), from.end(), [&](Value* leaf) { return is_saved_.contains(leaf); });
    if (follows) is_saved_.erase(value);
    return follows;
  });
}

Value* Residuals::materialise(ir::Builder& b, Value* value, ir::ValueMap& map) const {
  if (!isLocal(value)) return value;
  auto found = map.find(value);
  if (found != map.end()) return found->second;
  check(value->def != nullptr && !is_saved_.contains(value), "a residual that was not loaded");
  for (Value* input : inputs(*value->def)) materialise(b, input, map);
  erasePrints(ir::cloneOp(b, *value->def, map));
  return map.at(value);
}

void Residuals::copyLinear(ir::Builder& b, const ir::Op& op, ir::ValueMap& map) const {
  b.setSpan(op.span);
  for (Value* input : inputs(op)) materialise(b, input, map);
  ir::cloneOp(b, op, map);
}

void Residuals::copyLinear(ir::Builder& b, ir::ValueMap& map) const {
  for (const auto& op : region_.ops)
    if (hasLinearResult(*op)) copyLinear(b, *op, map);
}

void Residuals::copyPrimal(ir::Builder& b, ir::ValueMap& map) const {
  for (const auto& op : region_.ops)
    if (!hasLinearResult(*op) && op->code != OpCode::Yield) ir::cloneOp(b, *op, map);
}

Value* dummy(ir::Builder& b, const ir::Type& type, bool linear) {
  Value* scalar = type.elem == ir::Elem::F64   ? b.real(0.0)
                  : type.elem == ir::Elem::I64 ? b.integer(0)
                                               : b.boolean(false);
  scalar->linear = linear && type.isReal();
  if (type.isScalar()) return scalar;
  std::vector<Value*> sizes;
  for (int64_t dim : type.dims) sizes.push_back(b.integer(dim == ir::kDynamic ? 0 : dim));
  return b.fill(scalar, sizes);
}

}  // namespace dini::ad
