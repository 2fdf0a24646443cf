#include "ad/equation_copy.h"

#include <cmath>
#include <limits>

#include "ad/probe.h"
#include "ir/walk.h"

namespace dini::ad {

using ir::OpCode;
using ir::Value;
using Values = std::vector<Value*>;

bool isIf(const ir::Op& op) { return op.code == OpCode::If; }
bool isSwapped(const ir::Op& op) {
  return isIf(op) && (op.attrs.str == "lt" || op.attrs.str == "le");
}
Value* switchLeft(const ir::Op& op) { return op.operand(isIf(op) ? (isSwapped(op) ? 2 : 1) : 0); }
Value* switchRight(const ir::Op& op) { return op.operand(isIf(op) ? (isSwapped(op) ? 1 : 2) : 1); }

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// The sum of the magnitudes of the terms that are added to form v, as far as sums, differences,
// products with one another and reads of arrays show it.
class Magnitudes {
 public:
  explicit Magnitudes(ir::Builder& builder) : b_(builder) {}

  Value* operator()(Value* v, int depth = 0) {
    auto [it, fresh] = known_.try_emplace(v, nullptr);
    if (!fresh && it->second != nullptr) return it->second;
    Value* made = compute(v, depth);
    return known_[v] = made;
  }

 private:
  static constexpr int kMaxDepth = 12;

  Value* compute(Value* v, int depth) {
    const ir::Op* op = v->def;
    if (op == nullptr || depth > kMaxDepth) return absolute(b_, v);
    auto of = [&](size_t k) { return (*this)(op->operand(k), depth + 1); };
    auto moved = [&]() {
      Values operands = op->operands;
      operands[0] = of(0);
      ir::Attrs attrs = op->attrs;
      return b_.emit(op->code, std::move(operands), std::move(attrs), {v->type}).result();
    };
    switch (op->code) {
      case OpCode::Add:
      case OpCode::Sub:
        return b_.add(of(0), of(1));
      case OpCode::Neg:
        return of(0);
      case OpCode::Mul:
        return b_.mul(of(0), of(1));
      case OpCode::Einsum:
        return b_.einsum(op->attrs.str, of(0), of(1));
      case OpCode::Index:
      case OpCode::Slice:
      case OpCode::Fill:
      case OpCode::Reshape:
      case OpCode::Transpose:
      case OpCode::Broadcast:
        return moved();
      case OpCode::Reduce:
        return op->attrs.str == "sum" ? moved() : absolute(b_, v);
      default:
        return absolute(b_, v);
    }
  }

  ir::Builder& b_;
  std::unordered_map<Value*, Value*> known_;
};

Value* spread(ir::Builder& b, Value* v, Value* like) {
  return v->type.isScalar() && !like->type.isScalar() ? b.fill(v, b.dims(like)) : v;
}

// The fields that `now` has and `before` has not.
void fresh(const EquationCopy::Found& before, EquationCopy::Found& now,
           std::vector<Value**>& slots) {
  if (before.s == nullptr && now.s != nullptr) slots.push_back(&now.s);
  if (before.magnitude == nullptr && now.magnitude != nullptr) slots.push_back(&now.magnitude);
  if (before.weight == nullptr && now.weight != nullptr) slots.push_back(&now.weight);
}

size_t depthOf(const TieGroup& group) {
  const Value *p = switchLeft(group.first()), *q = switchRight(group.first());
  return group.dims.size() - std::max(p->type.rank(), q->type.rank());
}

}  // namespace

EquationCopy::EquationCopy(const std::vector<TieGroup>& groups, ir::ValueMap& map, Want want,
                           std::span<const TiedEquations::Decision> decisions)
    : map_(map),
      want_(want),
      groups_(groups),
      decisions_(decisions),
      found_(groups.size()),
      snapped_(groups.size()) {
  for (size_t g = 0; g < groups.size(); ++g)
    for (const TieMember& member : groups[g].members) member_of_[member.op] = {g, &member};
  for (const auto& [op, where] : member_of_)
    for (const ir::Region* r = op->parent; r != nullptr;
         r = r->parent ? r->parent->parent : nullptr)
      holds_kinks_.insert(r);
}

Values EquationCopy::copy(ir::Builder& b, const ir::Region& region) {
  for (const auto& op : region.ops)
    if (op->code != OpCode::Yield) visit(b, *op);
  Values yields;
  for (Value* value : region.yields()) yields.push_back(ir::mapped(map_, value));
  return yields;
}

bool EquationCopy::holdsKinks(const ir::Op& op) const {
  for (const auto& region : op.regions)
    if (holds_kinks_.contains(region.get())) return true;
  return false;
}

void EquationCopy::visit(ir::Builder& b, const ir::Op& op) {
  b.setSpan(op.span);
  auto it = member_of_.find(&op);
  if (it != member_of_.end()) observe(b, it->second);
  if (op.code == OpCode::Loop && holdsKinks(op)) return loop(b, op);
  bool kink = it != member_of_.end();
  if (isIf(op) && (holdsKinks(op) || (kink && decides())))
    return branches(b, op, kink ? &it->second : nullptr);
  if (kink && decides()) return choose(b, op, it->second);
  ir::cloneOp(b, op, map_);
}

// Of a group's parameter: loops outside of the first member only.
Value* EquationCopy::part(ir::Builder& b, const TieGroup& group, Value* of_group) {
  size_t depth = depthOf(group);
  if (depth == 0) return of_group;
  return b.index(of_group,
                 Values(indices_.begin(), indices_.begin() + static_cast<ptrdiff_t>(depth)));
}

// At the first member of a group: its switch, in the class's orientation, and what is wanted of it.
void EquationCopy::observe(ir::Builder& b, const Where& where) {
  const TieGroup& group = groups_[where.group];
  const ir::Op& op = *where.member->op;
  if (&op != &group.first()) return;
  Value *p = ir::mapped(map_, switchLeft(op)), *q = ir::mapped(map_, switchRight(op));
  Value* s = group.orientation > 0 ? b.sub(p, q) : b.sub(q, p);
  Found& found = found_[where.group];
  if (want_ == Want::Switches) found.s = s;
  if (want_ == Want::Description) {
    Magnitudes magnitudes(b);
    found.magnitude = b.add(magnitudes(p), magnitudes(q));
    found.weight = earlierWeight(b, op, group, s);
  }
  if (!decides()) return;
  Value* tied = part(b, group, decisions_[where.group].tied);
  snapped_[where.group] = b.select(tied, b.real(0.0), s);
}

// In the class's orientation; NaN where nothing was decided.
Value* EquationCopy::earlierWeight(ir::Builder& b, const ir::Op& op, const TieGroup& group,
                                   Value* s) {
  size_t at = isIf(op) ? 3 : 4;
  if (op.operands.size() <= at) return spread(b, b.real(kNaN), s);
  Value* t = ir::mapped(map_, op.operand(at));
  return spread(b, group.orientation > 0 ? t : b.sub(b.real(1.0), t), s);
}

// The member's own switch and weight from the class's; u's share is added to the results.
Value* EquationCopy::switchOf(ir::Builder& b, const Where& where) {
  Value* s = snapped_[where.group];
  double scale = where.member->scale;
  return scale == 1 ? s : b.mul(b.real(scale), s);
}

Value* EquationCopy::weightOf(ir::Builder& b, const Where& where) {
  Value* d = part(b, groups_[where.group], decisions_[where.group].weight);
  return where.member->scale > 0 ? d : b.sub(b.real(1.0), d);
}

Value* EquationCopy::withTerm(ir::Builder& b, const Where& where, size_t result, Value* y) {
  Value* u = decisions_[where.group].u;
  double factor = where.member->factors[result];
  if (u == nullptr || std::isnan(factor) || factor == 0) return y;
  u = part(b, groups_[where.group], u);
  return b.add(y, factor == 1 ? u : b.mul(b.real(factor), u));
}

void EquationCopy::choose(ir::Builder& b, const ir::Op& op, const Where& where) {
  Value *a = ir::mapped(map_, op.operand(2)), *c = ir::mapped(map_, op.operand(3));
  Value* y = b.op(OpCode::ChooseTie, {switchOf(b, where), b.real(0.0), a, c, weightOf(b, where)},
                  op.attrs);
  map_[op.result()] = withTerm(b, where, 0, y);
}

void EquationCopy::loop(ir::Builder& b, const ir::Op& op) {
  const ir::Region& body = *op.regions[0];
  size_t carries = op.operands.size() - 1;
  Values operands;
  for (size_t k = 0; k < carries; ++k) operands.push_back(ir::mapped(map_, op.operand(k + 1)));
  std::vector<Found> outer = found_;
  std::vector<Value**> slots;
  Values made = b.loop(ir::mapped(map_, op.operand(0)), operands, [&](ir::Builder& in, auto args) {
    for (size_t k = 0; k < args.size(); ++k) map_[body.args[k]] = args[k];
    indices_.push_back(args[0]);
    Values yields = copy(in, body);
    indices_.pop_back();
    for (size_t g = 0; g < found_.size(); ++g) fresh(outer[g], found_[g], slots);
    for (Value** slot : slots) yields.push_back(*slot);
    return yields;
  });
  if (!made.empty()) made[0]->def->attrs = op.attrs;
  for (size_t k = 0; k < op.results.size(); ++k) map_[op.results[k]] = made[k];
  for (size_t k = 0; k < slots.size(); ++k) *slots[k] = made[op.results.size() + k];
}

// A kink on a side that is not taken counts as far from its tie.
void EquationCopy::branches(ir::Builder& b, const ir::Op& op, const Where* where) {
  Values compared;
  for (size_t k = 1; k < op.operands.size(); ++k)
    compared.push_back(ir::mapped(map_, op.operand(k)));
  if (where != nullptr && decides()) {
    Value *s = switchOf(b, *where), *zero = b.real(0.0);
    compared = {isSwapped(op) ? zero : s, isSwapped(op) ? s : zero, weightOf(b, *where)};
  }
  const std::vector<Found> outer = found_;
  auto side = [&](size_t k) {
    return [&, k](ir::Builder& in, std::span<Value* const>) {
      found_ = outer;
      Values yields = copy(in, *op.regions[k]);
      std::vector<Found> taken = found_;
      for (size_t g = 0; g < groups_.size(); ++g)
        giveSlots(in, *op.regions[k], op, g, taken[g], yields);
      return yields;
    };
  };
  Values made = b.ifElse(ir::mapped(map_, op.operand(0)), side(0), side(1), op.attrs, compared);
  for (size_t k = 0; k < op.results.size(); ++k)
    map_[op.results[k]] = where != nullptr && decides() ? withTerm(b, *where, k, made[k]) : made[k];
  found_ = outer;
  size_t at = op.results.size();
  for (size_t g = 0; g < groups_.size(); ++g)
    for (Value** slot : slotsIn(op, g)) *slot = made[at++];
}

// The fields of group g that its first member, inside `op`, gives.
std::vector<Value**> EquationCopy::slotsIn(const ir::Op& op, size_t g) {
  const ir::Region* home = groups_[g].first().parent;
  bool inside = false;
  for (const auto& region : op.regions) inside = inside || ir::isInside(home, region.get());
  if (!inside || want_ == Want::Nothing) return {};
  if (want_ == Want::Switches) return {&found_[g].s};
  return {&found_[g].magnitude, &found_[g].weight};
}

void EquationCopy::giveSlots(ir::Builder& b, const ir::Region& region, const ir::Op& op, size_t g,
                             const Found& taken, Values& yields) {
  if (slotsIn(op, g).empty()) return;
  bool here = ir::isInside(groups_[g].first().parent, &region);
  auto give = [&](Value* v, double otherwise) {
    yields.push_back(here ? v : absent(b, g, otherwise));
  };
  if (want_ == Want::Switches) return give(taken.s, std::numeric_limits<double>::infinity());
  give(taken.magnitude, 0);
  give(taken.weight, kNaN);
}

Value* EquationCopy::absent(ir::Builder& b, size_t g, double value) {
  Values sizes;
  for (size_t k = indices_.size(); k < groups_[g].dims.size(); ++k)
    sizes.push_back(b.integer(groups_[g].dims[k]));
  Value* scalar = b.real(value);
  return sizes.empty() ? scalar : b.fill(scalar, sizes);
}

}  // namespace dini::ad
