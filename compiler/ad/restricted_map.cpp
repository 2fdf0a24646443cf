#include "ad/restricted_map.h"

#include <algorithm>

#include "ad/linear.h"
#include "base/check.h"
#include "ir/type_rules.h"

namespace dini::ad {

using ir::OpCode;
using ir::Value;
using Values = std::vector<Value*>;

// --- parts of arrays

namespace {

Values sizesOf(ir::Builder& b, const ir::Type& type, Part part) {
  Values sizes;
  for (size_t axis = 0; axis < type.rank(); ++axis) {
    bool cut = !part.whole() && part.axis == axis;
    sizes.push_back(cut ? part.set->count : b.integer(type.dims[axis]));
  }
  return sizes;
}

// The axis of each axis once `axis` is in front.
std::vector<int64_t> inFront(size_t axis, size_t rank) {
  std::vector<int64_t> order{static_cast<int64_t>(axis)};
  for (size_t k = 0; k < rank; ++k)
    if (k != axis) order.push_back(static_cast<int64_t>(k));
  return order;
}

std::vector<int64_t> inverse(const std::vector<int64_t>& order) {
  std::vector<int64_t> back(order.size());
  for (size_t k = 0; k < order.size(); ++k)
    back[static_cast<size_t>(order[k])] = static_cast<int64_t>(k);
  return back;
}

}  // namespace

// Along an inner axis by row-major positions: nothing but the entries is read.
Value* gathered(ir::Builder& b, Value* array, Part part) {
  if (part.axis == 0) return b.gather(array, part.set->positions);
  Values sizes = b.dims(array);
  std::span<Value* const> all(sizes);
  Value* outer = product(b, all.first(part.axis));
  Value* inner = product(b, all.subspan(part.axis + 1));
  Value* size = sizes[part.axis];
  sizes[part.axis] = part.set->count;
  Values box{outer, part.set->count, inner};
  Value* rows = b.op(OpCode::IMul, {b.iota(outer), b.op(OpCode::IMul, {size, inner})});
  Value* places = b.op(OpCode::IMul, {part.set->positions, inner});
  Value* numbers = b.op(OpCode::IAdd, {b.broadcast(rows, {0}, box), b.broadcast(places, {1}, box)});
  numbers = b.op(OpCode::IAdd, {numbers, b.broadcast(b.iota(inner), {2}, box)});
  Value* total = product(b, b.dims(array));
  Value* flat_numbers = b.reshape(numbers, {product(b, box)});
  return b.reshape(b.gather(b.reshape(array, {total}), flat_numbers), sizes);
}

Value* zerosOf(ir::Builder& b, const ir::Type& type, Part part) {
  Value* zero = b.real(0.0);
  zero->linear = true;
  return type.isScalar() ? zero : b.fill(zero, sizesOf(b, type, part));
}

Value* spreadOut(ir::Builder& b, Value* array, Part part, const ir::Type& type) {
  if (part.axis == 0)
    return b.op(OpCode::ScatterAdd, {zerosOf(b, type, {}), part.set->positions, array});
  std::vector<int64_t> order = inFront(part.axis, type.rank());
  ir::Type turned = type;
  for (size_t k = 0; k < order.size(); ++k) turned.dims[k] = type.dims[static_cast<size_t>(order[k])];
  Value* front = spreadOut(b, b.transpose(array, order), {part.set, 0}, turned);
  return b.transpose(front, inverse(order));
}

// --- the plan

RestrictedMap::RestrictedMap(ir::Builder& b, const LinearMap& map,
                             std::vector<std::optional<Part>> tangents,
                             std::vector<std::optional<Part>> results)
    : function_(map.function()),
      primal_(map.primal()),
      first_tangent_(map.function().body.args.size() - map.tangents()),
      first_result_(map.function().body.yields().size() - map.outs()),
      results_(std::move(results)) {
  check(tangents.size() == map.tangents() && results_.size() == map.outs(), "parts of a linear map");
  for (size_t k = 0; k < tangents.size(); ++k)
    if (tangents[k]) nonzero_[function_.body.args[first_tangent_ + k]] = *tangents[k];
  findNonzero();
  findDemands();
  for (const auto& op : function_.body.ops)
    if (hasLinearResult(*op) && computed(*op)) {
      Plan plan = planned(b, *op);
      for (const Value* result : op->results) nonzero_[result] = plan.result;
      plans_[op.get()] = std::move(plan);
    }
}

namespace {

size_t axisOf(const std::string& letters, char letter) { return letters.find(letter); }
bool has(const std::string& letters, char letter) { return axisOf(letters, letter) != std::string::npos; }

bool isSum(const ir::Op& op) { return op.code == OpCode::Reduce && op.attrs.str == "sum"; }

// The axis of the operand of a broadcast or a sum that axis `axis` of the result is, or none.
std::optional<size_t> sourceAxis(const ir::Op& op, size_t axis) {
  if (op.code == OpCode::Transpose) return static_cast<size_t>(op.attrs.ints[axis]);
  if (op.code == OpCode::Broadcast) {
    for (size_t k = 0; k < op.attrs.ints.size(); ++k)
      if (static_cast<size_t>(op.attrs.ints[k]) == axis) return k;
    return std::nullopt;
  }
  if (!isSum(op)) return std::nullopt;
  std::vector<size_t> kept;
  for (size_t k = 0; k < op.operand(0)->type.rank(); ++k)
    if (std::find(op.attrs.ints.begin(), op.attrs.ints.end(), static_cast<int64_t>(k)) == op.attrs.ints.end())
      kept.push_back(k);
  return kept[axis];
}

std::optional<size_t> resultAxis(const ir::Op& op, size_t source) {
  for (size_t axis = 0; axis < op.result()->type.rank(); ++axis)
    if (sourceAxis(op, axis) == source) return axis;
  return std::nullopt;
}

bool movesAxes(const ir::Op& op) {
  return op.code == OpCode::Transpose || op.code == OpCode::Broadcast || isSum(op);
}

}  // namespace

void RestrictedMap::findNonzero() {
  for (const auto& op : function_.body.ops) {
    if (!hasLinearResult(*op)) continue;
    Values inputs = linearInputs(*op);
    bool any = std::any_of(inputs.begin(), inputs.end(), [&](Value* v) { return !zero(v); });
    if (!any) continue;
    for (const Value* result : op->results) nonzero_.try_emplace(result, Part{});
  }
}

void RestrictedMap::demand(const Value* value, Part part) {
  if (!value->linear) return;
  auto [it, fresh] = demands_.try_emplace(value, part);
  if (!fresh && !(it->second == part)) it->second = {};
}

bool RestrictedMap::computed(const ir::Op& op) const {
  return std::any_of(op.results.begin(), op.results.end(), [&](const Value* result) {
    return nonzero_.contains(result) && demands_.contains(result);
  });
}

void RestrictedMap::findDemands() {
  const Values& yields = function_.body.yields();
  for (size_t k = 0; k < results_.size(); ++k)
    if (results_[k]) demand(yields[first_result_ + k], *results_[k]);
  for (auto it = function_.body.ops.rbegin(); it != function_.body.ops.rend(); ++it) {
    const ir::Op& op = **it;
    if (!hasLinearResult(op) || !computed(op)) continue;
    Part wanted = op.results.size() == 1 ? demands_.at(op.result()) : Part{};
    demandOfOperands(op, wanted);
  }
}

void RestrictedMap::demandOfOperands(const ir::Op& op, Part wanted) {
  if (ir::isElementwise(op.code)) {
    for (const Value* operand : op.operands)
      demand(operand, operand->type.isScalar() ? Part{} : wanted);
    return;
  }
  Part part;
  if (!wanted.whole() && op.code == OpCode::Einsum) {
    ir::EinsumSpec spec = ir::parseEinsum(op.attrs.str);
    const std::string& letters = op.operand(0)->linear ? spec.a : spec.b;
    char letter = spec.result[wanted.axis];
    if (has(letters, letter)) part = {wanted.set, axisOf(letters, letter)};
  } else if (!wanted.whole() && movesAxes(op)) {
    if (auto axis = sourceAxis(op, wanted.axis)) part = {wanted.set, *axis};
  }
  for (const Value* input : linearInputs(op)) demand(input, part);
}

Part RestrictedMap::form(const Value* value) const { return nonzero_.at(value); }

Value* RestrictedMap::factor(ir::Builder& b, Value* old, const std::vector<Part>& parts) {
  Value* value = ir::mapped(primal_, old);
  for (const Part& part : parts) {
    Value*& made = factors_[{value, part.set, part.axis}];
    if (made == nullptr) made = gathered(b, value, part);
    value = made;
  }
  return value;
}

RestrictedMap::Plan RestrictedMap::planned(ir::Builder& b, const ir::Op& op) {
  if (op.results.size() == 1 && ir::isElementwise(op.code)) return elementwise(b, op);
  if (op.code == OpCode::Einsum) return einsum(b, op);
  Plan plan;
  plan.operands.assign(op.operands.size(), Part{});
  plan.primal.assign(op.operands.size(), nullptr);
  if (op.results.size() != 1) return plan;
  Part asked = wanted(op.result());
  if (movesAxes(op) && op.operand(0)->linear) {
    if (!asked.whole()) {
      plan.result = asked;
      if (auto axis = sourceAxis(op, asked.axis)) plan.operands[0] = {asked.set, *axis};
      else if (op.code != OpCode::Broadcast) plan.result = {};
    } else {
      Part given = form(op.operand(0));
      plan.operands[0] = given;
      if (!given.whole())
        if (auto axis = resultAxis(op, given.axis)) plan.result = {given.set, *axis};
    }
  } else if (op.code == OpCode::Fill) {
    plan.result = asked;
  }
  return plan;
}

RestrictedMap::Plan RestrictedMap::elementwise(ir::Builder& b, const ir::Op& op) {
  Part part = wanted(op.result());
  if (part.whole() && !op.result()->type.isScalar()) {
    // Zero outside the set where all terms are.
    bool first = true, same = true;
    for (const Value* operand : op.operands) {
      if (!operand->linear || zero(operand)) continue;
      Part given = operand->type.isScalar() ? Part{} : form(operand);
      same = same && (first || given == part);
      part = given;
      first = false;
    }
    if (!same) part = {};
  }
  Plan plan;
  plan.result = part;
  for (Value* operand : op.operands) {
    bool scalar = operand->type.isScalar();
    plan.operands.push_back(scalar ? Part{} : part);
    bool gathers = !operand->linear && !scalar && !part.whole();
    plan.primal.push_back(gathers ? factor(b, operand, {part}) : nullptr);
  }
  return plan;
}

RestrictedMap::Plan RestrictedMap::einsum(ir::Builder& b, const ir::Op& op) {
  ir::EinsumSpec spec = ir::parseEinsum(op.attrs.str);
  size_t which = op.operand(0)->linear ? 0 : 1;
  const std::string& letters = which == 0 ? spec.a : spec.b;
  const std::string& others = which == 0 ? spec.b : spec.a;
  Part asked = wanted(op.result()), given = form(op.operand(which)), taken = given;
  std::vector<Part> cuts;
  auto cut = [&](const PositionSet* set, char letter) {
    if (has(others, letter)) cuts.push_back({set, axisOf(others, letter)});
  };
  if (!asked.whole()) {
    char letter = spec.result[asked.axis];
    if (has(letters, letter)) taken = {asked.set, axisOf(letters, letter)};
    cut(asked.set, letter);
  }
  bool asked_of_tangent = !asked.whole() && has(letters, spec.result[asked.axis]);
  if (!asked_of_tangent && !taken.whole()) {
    // A result has one axis of which a part is there.
    if (!asked.whole() && has(spec.result, letters[taken.axis])) taken = {};
    else cut(taken.set, letters[taken.axis]);
  }
  Plan plan;
  plan.operands.assign(2, Part{});
  plan.operands[which] = taken;
  plan.primal.assign(2, nullptr);
  if (!cuts.empty()) plan.primal[1 - which] = factor(b, op.operand(1 - which), cuts);
  plan.result = asked;
  if (asked.whole() && !taken.whole() && has(spec.result, letters[taken.axis]))
    plan.result = {taken.set, axisOf(spec.result, letters[taken.axis])};
  return plan;
}

// --- the copy

Value* RestrictedMap::operand(ir::Builder& b, Value* old, Part as, Arrays& values) const {
  if (zero(old)) return zerosOf(b, old->type, as);
  Value* value = values.at(old);
  Part from = form(old);
  if (from == as) return value;
  if (!from.whole()) value = spreadOut(b, value, from, old->type);
  return as.whole() ? value : gathered(b, value, as);
}

void RestrictedMap::copyWhole(ir::Builder& b, const ir::Op& op, Arrays& values) const {
  ir::ValueMap map = primal_;
  for (Value* input : linearInputs(op)) map[input] = operand(b, input, {}, values);
  ir::cloneOp(b, op, map);
  for (const Value* result : op.results) values[result] = map.at(result);
}

void RestrictedMap::copy(ir::Builder& b, const ir::Op& op, Arrays& values) const {
  const Plan& plan = plans_.at(&op);
  b.setSpan(op.span);
  bool is_sum = op.code == OpCode::Add || op.code == OpCode::Sub;
  bool resizes = op.code == OpCode::Broadcast || op.code == OpCode::Fill;
  if (!ir::isElementwise(op.code) && op.code != OpCode::Einsum && !movesAxes(op) && !resizes)
    return copyWhole(b, op, values);
  if (is_sum && op.operand(0)->type == op.operand(1)->type) {
    // Terms that are zero are left out.
    for (size_t k = 0; k < 2; ++k) {
      if (!zero(op.operand(k))) continue;
      Value* other = operand(b, op.operand(1 - k), plan.operands[1 - k], values);
      values[op.result()] = op.code == OpCode::Sub && k == 0 ? b.neg(other) : other;
      return;
    }
  }
  Values operands;
  size_t count = resizes ? 1 : op.operands.size();
  for (size_t k = 0; k < count; ++k) {
    Value* old = op.operand(k);
    if (old->linear) operands.push_back(operand(b, old, plan.operands[k], values));
    else operands.push_back(plan.primal[k] ? plan.primal[k] : ir::mapped(primal_, old));
  }
  Value*& made = values[op.result()];
  if (!resizes) {
    made = b.op(op.code, std::move(operands), op.attrs);
    return;
  }
  Values sizes = sizesOf(b, op.result()->type, plan.result);
  made = op.code == OpCode::Fill ? b.fill(operands[0], sizes)
                                 : b.broadcast(operands[0], op.attrs.ints, sizes);
}

Values RestrictedMap::apply(ir::Builder& b, std::span<Value* const> tangents) const {
  Arrays values;
  for (size_t k = 0; k < tangents.size(); ++k)
    if (tangents[k] != nullptr) values[function_.body.args[first_tangent_ + k]] = tangents[k];
  for (const auto& op : function_.body.ops)
    if (plans_.contains(op.get())) copy(b, *op, values);
  Values made;
  const Values& yields = function_.body.yields();
  for (size_t k = 0; k < results_.size(); ++k)
    made.push_back(results_[k] ? operand(b, yields[first_result_ + k], *results_[k], values) : nullptr);
  return made;
}

}  // namespace dini::ad
