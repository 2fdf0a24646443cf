#include "batch/batcher.h"

#include <algorithm>

#include "analysis/kinks.h"
#include "base/check.h"
#include "ir/walk.h"

namespace dini::batch {

using ir::OpCode;
using ir::Value;
using Values = std::vector<Value*>;

namespace {

constexpr int64_t kMaxElements = 1 << 22;  // of one batched value: beyond, the loop is kept

std::vector<int64_t> axesFrom(int64_t first, size_t count) {
  std::vector<int64_t> axes;
  for (size_t k = 0; k < count; ++k) axes.push_back(first + static_cast<int64_t>(k));
  return axes;
}

// Run where the loop would have run zero times, these could read out of bounds or not return.
bool needsAnIteration(const ir::Op& op) {
  switch (op.code) {
    case OpCode::Index:
    case OpCode::Slice:
    case OpCode::Gather:
    case OpCode::Update:
    case OpCode::UpdateSlice:
    case OpCode::AddAt:
    case OpCode::AddSlice:
    case OpCode::ScatterAdd:
      return true;
    default:
      return !op.regions.empty() || ir::shape(op.code).stratum == ir::Stratum::Solve;
  }
}

}  // namespace

Batcher::Batcher(ir::Builder& builder, const ir::Op& loop, Comparisons comparisons)
    : builder_(builder), loop_(loop), comparisons_(comparisons) {
  lanes_[loop.regions[0]->args[0]] = {Lane::Kind::Affine, nullptr};
  dependent_.insert(loop.regions[0]->args[0]);
  for (size_t before = 0; before != dependent_.size();) {
    before = dependent_.size();
    findDependent(*loop.regions[0]);
  }
}

bool Batcher::dependsOnIndex(const ir::Op& op) const {
  for (const Value* operand : op.operands)
    if (dependent(operand)) return true;
  for (const auto& region : op.regions)
    for (const Value* value : ir::captures(*region))
      if (dependent(value)) return true;
  return false;
}

void Batcher::findDependent(const ir::Region& region) {
  for (const auto& op : region.ops) {
    if (op->code == OpCode::Loop) {
      const ir::Region& body = *op->regions[0];
      size_t carries = op->operands.size() - 1;
      for (size_t k = 0; k < carries; ++k)
        if (dependent(op->operands[k + 1])) dependent_.insert(body.args[k + 1]);
      findDependent(body);
      for (size_t k = 0; k < op->results.size(); ++k) {
        if (!dependent(body.yields()[k])) continue;
        dependent_.insert(op->results[k]);
        if (k < carries) dependent_.insert(body.args[k + 1]);
      }
      for (size_t k = 0; k < carries; ++k)
        if (dependent(body.args[k + 1])) dependent_.insert(op->results[k]);
      continue;
    }
    for (const auto& nested : op->regions) findDependent(*nested);
    if (dependsOnIndex(*op))
      for (const Value* result : op->results) dependent_.insert(result);
  }
}

Value* Batcher::batchSize(ir::Builder& b) const {
  if (auto constant = ir::constantInt(loop_.operand(0))) return b.integer(*constant);
  return loop_.operand(0);
}

Values Batcher::run() {
  const ir::Region& body = *loop_.regions[0];
  visitOps(builder_, body);
  Values results;
  for (Value* yielded : body.yields()) results.push_back(batched(builder_, yielded));
  return results;
}

Value* Batcher::place(Value* old) {
  ir::Type type = old->type;
  type.dims.insert(type.dims.begin(), ir::constantInt(loop_.operand(0)).value_or(ir::kDynamic));
  Value* stand_in = builder_.function().newValue(std::move(type));
  stand_in->linear = old->linear;
  dependent_.insert(old);
  lanes_[old] = {Lane::Kind::Batched, stand_in};
  return stand_in;
}

Value* Batcher::member(ir::Builder& b, Value* old, Value* index) {
  Lane found = lane(old);
  switch (found.kind) {
    case Lane::Kind::Uniform:
      return found.value;
    case Lane::Kind::Batched:
      return b.index(found.value, {index});
    case Lane::Kind::Affine:
      return found.value != nullptr ? b.op(OpCode::IAdd, {index, found.value}) : index;
  }
  failCheck("a kind of lane");
}

Batcher::Lane Batcher::lane(Value* old) const {
  auto found = lanes_.find(old);
  return found != lanes_.end() ? found->second : Lane{Lane::Kind::Uniform, old};  // captured
}

Value* Batcher::uniform(Value* old) const {
  Lane found = lane(old);
  if (found.kind != Lane::Kind::Uniform) throw NotBatchable{};
  return found.value;
}

Values Batcher::uniforms(std::span<Value* const> olds) const {
  Values found;
  for (Value* old : olds) found.push_back(uniform(old));
  return found;
}

void Batcher::set(const Value* old, Value* value) {
  if (value->type.isStatic() && value->type.elementCount() > kMaxElements) throw NotBatchable{};
  if (value->name.empty()) value->name = old->name;
  value->linear = value->linear || old->linear;
  lanes_[old] = {Lane::Kind::Batched, value};
}

void Batcher::setUniform(const Value* old, Value* value) {
  lanes_[old] = {Lane::Kind::Uniform, value};
}

Value* Batcher::batched(ir::Builder& b, Value* old) {
  Lane found = lane(old);
  if (found.kind == Lane::Kind::Batched) return found.value;
  Value* size = batchSize(b);
  if (found.kind == Lane::Kind::Affine) {
    Value* index = b.iota(size);
    return found.value != nullptr ? b.op(OpCode::IAdd, {index, found.value}) : index;
  }
  if (found.value->type.isScalar()) return b.fill(found.value, {&size, 1});
  Values sizes = b.dims(found.value);
  sizes.insert(sizes.begin(), size);
  return b.broadcast(found.value, axesFrom(1, sizes.size() - 1), sizes);
}

void Batcher::visitOps(ir::Builder& b, const ir::Region& region) {
  for (const auto& op : region.ops)
    if (op->code != OpCode::Yield) visit(b, *op);
}

void Batcher::visit(ir::Builder& b, const ir::Op& op) {
  b.setSpan(op.span);
  if (ir::hasEffect(op)) throw NotBatchable{};
  if (!dependsOnIndex(op) &&
      std::none_of(op.results.begin(), op.results.end(), [&](auto* v) { return dependent(v); }))
    return hoist(b, op);
  if (affine(b, op)) return;
  if (ir::isElementwise(op.code)) return elementwise(b, op);
  if (op.code == OpCode::Loop) return loopRule(b, op);
  if (op.code == OpCode::If) return ifRule(b, op);
  if (!arrayRule(b, op)) throw NotBatchable{};
}

void Batcher::hoist(ir::Builder& b, const ir::Op& op) {
  bool runs = ir::constantInt(loop_.operand(0)).value_or(0) > 0;
  if (!runs && needsAnIteration(op)) throw NotBatchable{};
  ir::ValueMap map;
  for (Value* operand : op.operands) map[operand] = uniform(operand);
  for (const auto& region : op.regions)
    for (Value* value : ir::captures(*region)) map[value] = uniform(value);
  ir::cloneOp(b, op, map);
  for (Value* result : op.results) setUniform(result, map.at(result));
}

// i + c and i - c stay symbolic.
bool Batcher::affine(ir::Builder& b, const ir::Op& op) {
  if (op.code != OpCode::IAdd && op.code != OpCode::ISub) return false;
  Lane first = lane(op.operand(0)), second = lane(op.operand(1));
  if (op.code == OpCode::IAdd && second.kind == Lane::Kind::Affine) std::swap(first, second);
  if (first.kind != Lane::Kind::Affine || second.kind != Lane::Kind::Uniform ||
      !second.value->type.isScalar())
    return false;
  Value* offset = second.value;
  auto constant = ir::constantInt(offset);
  auto before = first.value ? ir::constantInt(first.value) : std::optional<int64_t>(0);
  if (constant && before) {
    int64_t sum = op.code == OpCode::IAdd ? *before + *constant : *before - *constant;
    offset = sum != 0 ? b.integer(sum) : nullptr;
  } else {
    Value* start = first.value != nullptr ? first.value : b.integer(0);
    offset = b.op(op.code, {start, offset});
  }
  lanes_[op.result()] = {Lane::Kind::Affine, offset};
  return true;
}

// Operands must be scalars or of the result's shape with the batch axis in front.
void Batcher::elementwise(ir::Builder& b, const ir::Op& op) {
  size_t rank = 0;
  for (Value* operand : op.operands) rank = std::max(rank, operand->type.rank());
  Values operands;
  Value* full = nullptr;  // an operand with all axes, to read sizes off
  for (Value* operand : op.operands)
    if (isBatched(operand) && operand->type.rank() == rank) full = batched(b, operand);
  for (Value* operand : op.operands) {
    bool is_uniform = isUniform(operand);
    if (is_uniform && operand->type.isScalar()) {
      operands.push_back(uniform(operand));
    } else if (operand->type.rank() == rank) {
      operands.push_back(batched(b, operand));
    } else {  // a batched scalar beside arrays
      Value* column = batched(b, operand);
      Values sizes;
      if (full != nullptr)
        sizes = b.dims(full);
      else
        for (Value* other : op.operands)
          if (other->type.rank() == rank) sizes = b.dims(batched(b, other));
      operands.push_back(b.broadcast(column, {0}, sizes));
    }
  }
  set(op.result(), b.op(op.code, std::move(operands), op.attrs));
}

namespace {

// Batching a loop with carries pays where its body has products that become matrix products.
bool hasContraction(const ir::Region& region) {
  bool found = false;
  ir::walk(region, [&](const ir::Op& op) { found = found || op.code == OpCode::Einsum; });
  return found;
}

}  // namespace

// A loop of uniform trip count: carries that depend on the member get the batch axis; stacked outs
// come as [trip, batch, ...] and are turned.
void Batcher::loopRule(ir::Builder& b, const ir::Op& op) {
  const ir::Region& body = *op.regions[0];
  if (!hasContraction(body)) throw NotBatchable{};
  size_t carries = op.operands.size() - 1;
  Values inits;
  for (size_t k = 0; k < carries; ++k) {
    bool carried = dependent(body.args[k + 1]);
    inits.push_back(carried ? batched(b, op.operands[k + 1]) : uniform(op.operands[k + 1]));
  }
  auto step = [&](ir::Builder& in, std::span<Value* const> args) {
    setUniform(body.args[0], args[0]);
    for (size_t k = 0; k < carries; ++k) {
      if (dependent(body.args[k + 1]))
        set(body.args[k + 1], args[k + 1]);
      else
        setUniform(body.args[k + 1], args[k + 1]);
    }
    visitOps(in, body);
    Values yielded;
    for (size_t k = 0; k < body.yields().size(); ++k) {
      Value* old = body.yields()[k];
      bool carried = dependent(k < carries ? body.args[k + 1] : old);
      yielded.push_back(carried ? batched(in, old) : uniform(old));
    }
    return yielded;
  };
  Values made = b.loop(uniform(op.operand(0)), inits, step);
  for (size_t k = 0; k < made.size(); ++k) {
    if (!dependent(op.results[k])) {
      setUniform(op.results[k], made[k]);
    } else if (k < carries) {
      set(op.results[k], made[k]);
    } else {
      std::vector<int64_t> order = axesFrom(0, made[k]->type.rank());
      std::swap(order[0], order[1]);
      set(op.results[k], b.transpose(made[k], std::move(order)));
    }
  }
}

// Only sides that are elementwise: both run and a select chooses, so that the NaN of the side not
// taken is not seen.
void Batcher::ifRule(ir::Builder& b, const ir::Op& op) {
  if (isUniform(op.operand(0))) throw NotBatchable{};
  if (comparisons_ == Comparisons::Keep && analysis::isComparisonIf(op)) throw NotBatchable{};
  for (const auto& region : op.regions)
    for (const auto& nested : region->ops)
      if (!ir::isElementwise(nested->code) && nested->code != OpCode::Const &&
          nested->code != OpCode::Yield)
        throw NotBatchable{};
  for (const Value* result : op.results)
    if (!result->type.isScalar()) throw NotBatchable{};
  visitOps(b, *op.regions[0]);
  visitOps(b, *op.regions[1]);
  Value* condition = batched(b, op.operand(0));
  for (size_t k = 0; k < op.results.size(); ++k) {
    auto side = [&](size_t s) {
      Value* old = op.regions[s]->yields()[k];
      return isUniform(old) ? uniform(old) : batched(b, old);
    };
    set(op.results[k], b.select(condition, side(0), side(1)));
  }
}

}  // namespace dini::batch
