// Sums of products as einsums, and einsums with an identity matrix as transpositions.
#include <algorithm>
#include <unordered_map>

#include "batch/batcher.h"
#include "ir/type_rules.h"
#include "ir/uses.h"

namespace dini::batch {

using ir::OpCode;
using ir::Value;

namespace {

// A factor of a product, seen through broadcasts: the array behind it and, for each of its axes,
// the axis of the product that it runs along.
struct Factor {
  Value* array;
  std::vector<int64_t> axes;
};

Factor factorOf(Value* value) {
  std::vector<int64_t> axes;
  for (size_t k = 0; k < value->type.rank(); ++k) axes.push_back(static_cast<int64_t>(k));
  while (value->def != nullptr) {
    const ir::Op& op = *value->def;
    std::vector<int64_t> inner;
    if (op.code == OpCode::Broadcast) {
      for (int64_t axis : op.attrs.ints) inner.push_back(axes[static_cast<size_t>(axis)]);
    } else if (op.code == OpCode::Transpose) {
      inner.resize(axes.size());
      for (size_t k = 0; k < axes.size(); ++k)
        inner[static_cast<size_t>(op.attrs.ints[k])] = axes[k];
    } else {
      break;
    }
    axes = std::move(inner);
    value = op.operand(0);
  }
  return {value, std::move(axes)};
}

bool contains(const std::vector<int64_t>& axes, int64_t axis) {
  return std::find(axes.begin(), axes.end(), axis) != axes.end();
}

// reduce sum of a product that nothing else reads -> einsum, where every axis summed over is one of
// both factors and their order of summation is the einsum's: the order of the letters in the first
// factor.
Value* contractedSum(ir::Function& function, ir::Region& region, size_t at, ir::UseCounts& uses) {
  const ir::Op& op = *region.ops[at];
  if (op.code != OpCode::Reduce || op.attrs.str != "sum" || op.operand(0)->def == nullptr)
    return nullptr;
  const ir::Op& times = *op.operand(0)->def;
  if (times.code != OpCode::Mul && times.code != OpCode::SafeMul) return nullptr;
  if (uses[op.operand(0)] != 1) return nullptr;
  size_t rank = op.operand(0)->type.rank();
  for (const Value* operand : times.operands)
    if (operand->type.rank() != rank) return nullptr;
  Factor a = factorOf(times.operand(0)), c = factorOf(times.operand(1));
  auto letter = [](int64_t axis) { return static_cast<char>('a' + axis); };
  std::vector<int64_t> order;
  for (int64_t axis : a.axes)
    if (contains(op.attrs.ints, axis)) order.push_back(axis);
  if (order != op.attrs.ints) return nullptr;
  std::string spec;
  for (int64_t axis : a.axes) spec += letter(axis);
  spec += ",";
  for (int64_t axis : c.axes) spec += letter(axis);
  spec += "->";
  for (int64_t axis = 0; axis < static_cast<int64_t>(rank); ++axis) {
    bool summed = contains(op.attrs.ints, axis);
    bool in_a = contains(a.axes, axis), in_c = contains(c.axes, axis);
    if (summed ? !(in_a && in_c) : !(in_a || in_c)) return nullptr;
    if (!summed) spec += letter(axis);
  }
  ir::Builder b(function, region);
  b.insertAt(at);
  b.setSpan(op.span);
  return b.einsum(spec, a.array, c.array);
}

bool isScalarConstant(const Value* value, double expected) {
  auto constant = ir::constantReal(value);
  return constant && *constant == expected;
}

// select(row number == column number, 1, 0), as linear_map.h builds it.
bool isIdentity(const Value* value) {
  if (value->def == nullptr || value->def->code != OpCode::Select || value->type.rank() != 2)
    return false;
  const ir::Op& select = *value->def;
  const ir::Op* equal = select.operand(0)->def;
  if (!isScalarConstant(select.operand(1), 1) || !isScalarConstant(select.operand(2), 0) ||
      equal == nullptr || equal->code != OpCode::IEq)
    return false;
  std::vector<int64_t> axes;
  for (const Value* side : equal->operands) {
    if (side->def == nullptr || side->def->code != OpCode::Broadcast ||
        side->def->operand(0)->def == nullptr || side->def->operand(0)->def->code != OpCode::Iota)
      return false;
    axes.push_back(side->def->attrs.ints.at(0));
  }
  return axes == std::vector<int64_t>{0, 1} || axes == std::vector<int64_t>{1, 0};
}

// A diagonal matrix: an identity scaled along its axes by vectors (each a broadcast to one axis).
struct Diagonal {
  bool found = false;
  std::vector<Value*> scales;  // vectors
};

Diagonal diagonalOf(Value* value) {
  Diagonal diagonal;
  while (!isIdentity(value)) {
    if (value->def == nullptr || value->type.rank() != 2) return {};
    const ir::Op& op = *value->def;
    if (op.code != OpCode::Mul && op.code != OpCode::SafeMul) return {};
    auto isVector = [](const Value* side) {
      return side->def != nullptr && side->def->code == OpCode::Broadcast &&
             side->def->operand(0)->type.rank() == 1;
    };
    size_t vector = isVector(op.operand(0)) ? 0 : 1;
    if (!isVector(op.operand(vector))) return {};
    diagonal.scales.push_back(op.operand(vector)->def->operand(0));
    value = op.operand(1 - vector);
  }
  diagonal.found = true;
  return diagonal;
}

// einsum of M with a diagonal matrix that renames one contracted letter: M with its axes in order,
// scaled along the renamed one.
Value* renamed(ir::Function& function, ir::Region& region, size_t at, ir::UseCounts&) {
  const ir::Op& op = *region.ops[at];
  if (op.code != OpCode::Einsum) return nullptr;
  ir::EinsumSpec spec = ir::parseEinsum(op.attrs.str);
  for (size_t side = 0; side < 2; ++side) {
    const std::string& unit = side == 0 ? spec.a : spec.b;
    std::string letters = side == 0 ? spec.b : spec.a;
    if (unit.size() != 2 || spec.contracted.size() != 1) continue;
    Diagonal diagonal = diagonalOf(op.operand(side));
    if (!diagonal.found) continue;
    char from = unit[0], to = unit[1];
    if (spec.contracted[0] == to) std::swap(from, to);
    if (spec.contracted[0] != from || letters.find(to) != std::string::npos) continue;
    std::replace(letters.begin(), letters.end(), from, to);
    std::vector<int64_t> order;
    for (char letter : spec.result) order.push_back(static_cast<int64_t>(letters.find(letter)));
    ir::Builder b(function, region);
    b.insertAt(at);
    b.setSpan(op.span);
    Value* matrix = op.operand(1 - side);
    if (!std::is_sorted(order.begin(), order.end())) matrix = b.transpose(matrix, std::move(order));
    auto axis = static_cast<int64_t>(spec.result.find(to));
    for (Value* scale : diagonal.scales) {
      Value* along = matrix->type.rank() == 1 ? scale : b.broadcast(scale, {axis}, b.dims(matrix));
      matrix = b.mul(matrix, along);
    }
    return matrix;
  }
  return nullptr;
}

void contractRegion(ir::Function& function, ir::Region& region, ir::UseCounts& uses) {
  for (size_t at = 0; at < region.ops.size(); ++at) {
    for (auto& nested : region.ops[at]->regions) contractRegion(function, *nested, uses);
    for (auto* rewrite : {contractedSum, renamed}) {
      size_t before = region.ops.size();
      Value* result = rewrite(function, region, at, uses);
      if (result == nullptr) continue;
      at += region.ops.size() - before;
      Value* old = region.ops[at]->result();
      result->linear = result->linear || old->linear;
      uses[result] += uses[old];
      ir::replaceUses(function, old, result);
    }
  }
}

}  // namespace

void contractProducts(ir::Function& function) {
  ir::eraseDead(function);
  ir::UseCounts uses = ir::countUses(function);
  contractRegion(function, function.body, uses);
}

}  // namespace dini::batch
