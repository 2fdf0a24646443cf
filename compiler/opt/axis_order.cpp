// Where a program sums over a short axis for each of many points (a quadratic form per point), the
// batch of points is the first axis, and eight lanes along the short last one are mostly empty.
// Here the axis of the points becomes the last: lanes are points, sums over short axes add whole
// vectors, and products meet long rows.
//   einsum("Aij,BAj->BAi", Q, u), einsum("BAi,BAi->BA", v, v)
//     =>  einsum("Aij,AjB->AiB", Q, u'), einsum("AiB,AiB->AB", v', v')
// All arrays that are computed from one another element by element turn together: a web. It begins
// at a large product and ends where the points are summed, where an array has no other axis, and at
// arrays from outside, which are transposed if they are small beside what is computed from them.
// Every sum keeps its order.
#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "ir/builder.h"
#include "ir/type_rules.h"
#include "opt/passes.h"

namespace dini::opt {
namespace {

using ir::Builder;
using ir::EinsumSpec;
using ir::Op;
using ir::OpCode;
using ir::Region;
using ir::Value;

constexpr int64_t kPoints = 128;     // fewer are not worth it
constexpr int64_t kSourceShare = 4;  // what comes from outside is smaller by this factor

using Users = std::unordered_map<const Value*, std::vector<Op*>>;

class Web {
 public:
  Web(Region& region, const Users& users) : region_(region), users_(users) {}

  // False where an operation that cannot turn holds on to the web of `seed`.
  bool grow(Value* seed) {
    points_ = seed->type.dims[0];
    if (!add(seed)) return false;
    while (!pending_.empty()) {
      Value* value = pending_.back();
      pending_.pop_back();
      if (isSource(*value)) {
        sources_.push_back(value);
        continue;
      }
      members_.push_back(value);
      if (!take(*value->def, value)) return false;
      const auto users = users_.find(value);
      if (users == users_.end()) continue;
      for (Op* user : users->second)
        if (!take(*user, value)) return false;
    }
    return true;
  }

  bool pays() const {
    int64_t largest = 0, sources = 0;
    for (const Value* value : members_) largest = std::max(largest, value->type.elementCount());
    for (const Value* value : sources_) sources += value->type.elementCount();
    return sums_short_axis_ && sources * kSourceShare <= largest;
  }

  void turn(ir::Function& function) {
    std::unordered_map<const Value*, Value*> turned;
    for (Value* source : sources_) {
      const auto found = std::ranges::find_if(
          region_.ops, [&](const auto& op) { return op.get() == source->def; });
      Builder b(function, region_);
      b.insertAt(found == region_.ops.end() ? 0
                                            : static_cast<size_t>(found - region_.ops.begin()) + 1);
      std::vector<int64_t> order;
      for (size_t k = 1; k < source->type.rank(); ++k) order.push_back(static_cast<int64_t>(k));
      order.push_back(0);
      turned[source] = b.transpose(source, order);
    }
    for (Op* op : ops_) rewrite(*op, turned);
    for (Value* value : members_) {
      auto& dims = value->type.dims;
      std::rotate(dims.begin(), dims.begin() + 1, dims.end());
    }
  }

 private:
  static bool isReducedOver(const Op& op, int64_t axis) {
    return std::ranges::find(op.attrs.ints, axis) != op.attrs.ints.end();
  }

  // A value whose first axis is the points.
  bool add(Value* value) {
    if (value->type.rank() < 2 || seen_.contains(value)) return true;
    if (!value->type.isStatic() || value->type.dims[0] != points_ || value->linear) return false;
    seen_.insert(value);
    pending_.push_back(value);
    return true;
  }

  // Not made by an operation that could turn.
  bool isSource(const Value& value) const {
    const Op* def = value.def;
    if (def == nullptr || def->parent != &region_) return true;
    return !ir::isElementwise(def->code) && def->code != OpCode::Einsum &&
           def->code != OpCode::Broadcast && def->code != OpCode::Fill &&
           def->code != OpCode::Reduce;
  }

  // The operation has `value` of the web as an operand or as its result: everything else of it that
  // has the points joins.
  bool take(Op& op, const Value* value) {
    if (op.parent != &region_) return false;
    if (!known_.insert(&op).second) return true;
    ops_.push_back(&op);
    if (ir::isElementwise(op.code)) {
      if (!add(op.result())) return false;
      return std::ranges::all_of(
          op.operands, [&](Value* operand) { return operand->type.isScalar() || add(operand); });
    }
    switch (op.code) {
      case OpCode::Fill:
        return op.operands.size() == 1;
      case OpCode::Broadcast:
        return takeBroadcast(op);
      case OpCode::Reduce:
        return takeReduce(op, value);
      case OpCode::Einsum:
        return takeEinsum(op, value);
      default:
        return false;
    }
  }

  bool takeBroadcast(Op& op) {
    const bool has_points = !op.attrs.ints.empty() && op.attrs.ints[0] == 0;
    if (op.operands.size() != 1 || !add(op.result())) return false;
    return !has_points || add(op.operand(0));
  }

  bool takeReduce(Op& op, const Value* value) {
    if (isReducedOver(op, 0)) return value == op.operand(0) && op.attrs.ints.size() == 1;
    const auto last = static_cast<int64_t>(op.operand(0)->type.rank()) - 1;
    sums_short_axis_ |= isReducedOver(op, last);
    return add(op.operand(0)) && add(op.result());
  }

  bool takeEinsum(Op& op, const Value* value) {
    const EinsumSpec spec = ir::parseEinsum(op.attrs.str);
    const char points = value == op.result()     ? spec.result[0]
                        : value == op.operand(0) ? spec.a[0]
                                                 : spec.b[0];
    const auto joins = [&](const std::string& letters, Value* array) {
      const size_t at = letters.find(points);
      return at == std::string::npos || (at == 0 && add(array));
    };
    if (!joins(spec.a, op.operand(0)) || !joins(spec.b, op.operand(1)) ||
        !joins(spec.result, op.result()))
      return false;
    if (spec.contracted.find(points) != std::string::npos)
      return spec.contracted.size() == 1 || ir::isLargeProduct(op);
    sums_short_axis_ |= !spec.contracted.empty() && spec.contracted.back() == spec.a.back() &&
                        spec.contracted.back() == spec.b.back();
    return true;
  }

  bool isTurned(const Value* value) const { return seen_.contains(value); }

  void rewrite(Op& op, const std::unordered_map<const Value*, Value*>& turned) {
    if (op.code == OpCode::Einsum) {
      const EinsumSpec spec = ir::parseEinsum(op.attrs.str);
      const auto letters = [&](std::string text, const Value* array) {
        if (isTurned(array)) std::rotate(text.begin(), text.begin() + 1, text.end());
        return text;
      };
      op.attrs.str = letters(spec.a, op.operand(0)) + "," + letters(spec.b, op.operand(1)) + "->" +
                     letters(spec.result, op.result());
    } else if (op.code == OpCode::Broadcast) {
      const auto last = static_cast<int64_t>(op.result()->type.rank()) - 1;
      for (int64_t& axis : op.attrs.ints) axis = axis == 0 ? last : axis - 1;
      std::ranges::sort(op.attrs.ints);
    } else if (op.code == OpCode::Reduce) {
      const auto last = static_cast<int64_t>(op.operand(0)->type.rank()) - 1;
      for (int64_t& axis : op.attrs.ints) axis = axis == 0 ? last : axis - 1;
    }
    for (Value*& operand : op.operands)
      if (auto found = turned.find(operand); found != turned.end()) operand = found->second;
  }

  Region& region_;
  const Users& users_;
  int64_t points_ = 0;
  bool sums_short_axis_ = false;
  std::unordered_set<const Value*> seen_;
  std::unordered_set<const Op*> known_;
  std::vector<Value*> pending_, members_, sources_;
  std::vector<Op*> ops_;
};

void collectUsers(Region& region, Users& users) {
  for (auto& op : region.ops) {
    for (const Value* operand : op->operands) users[operand].push_back(op.get());
    for (auto& nested : op->regions) collectUsers(*nested, users);
  }
}

bool visit(ir::Function& function, Region& region, const Users& users) {
  bool changed = false;
  for (size_t at = 0; at < region.ops.size(); ++at) {
    Op& op = *region.ops[at];
    for (auto& nested : op.regions) changed |= visit(function, *nested, users);
    if (op.code != OpCode::Einsum || !ir::isLargeProduct(op)) continue;
    Value* seed = op.result();
    const ir::Type& type = seed->type;
    if (type.rank() < 3 || !type.isStatic() || type.dims[0] < kPoints ||
        type.dims[0] <= type.dims.back())
      continue;
    Web web(region, users);
    if (!web.grow(seed) || !web.pays()) continue;
    web.turn(function);
    return true;  // uses have changed; the caller comes again
  }
  return changed;
}

}  // namespace

bool orderAxes(ir::Function& function) {
  constexpr int kMostWebs = 8;
  bool changed = false;
  for (int k = 0; k < kMostWebs; ++k) {
    Users users;
    collectUsers(function.body, users);
    if (!visit(function, function.body, users)) break;
    changed = true;
  }
  return changed;
}

}  // namespace dini::opt
