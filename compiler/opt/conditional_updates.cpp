// What a branch adds to one element of an array becomes an addition after the branch, of -0, the
// neutral element, where a side adds nothing: the array then passes by the branch and is updated in
// place instead of being copied to a result.
//   y = if c { add_at(x, v, i) } { x }   =>   (v', i') = if c { v, i } { -0.0, 0 };  y = add_at(x,
//   v', i')
#include <algorithm>

#include "ir/builder.h"
#include "ir/clone.h"
#include "ir/walk.h"
#include "opt/passes.h"

namespace dini::opt {
namespace {

using ir::Builder;
using ir::Op;
using ir::OpCode;
using ir::Region;
using ir::Value;

// What one side gives: the array itself, or the array with something added.
struct Side {
  Value* array = nullptr;  // null: neither
  const Op* addition = nullptr;
};

Side sideOf(const Op& branch, size_t side, size_t result) {
  const Region& region = *branch.regions[side];
  Value* yielded = region.yields()[result];
  if (!ir::isInside(yielded->region, &region)) return {yielded, nullptr};
  const Op* made = yielded->def;
  if (made == nullptr || made->code != OpCode::AddAt || made->parent != &region ||
      ir::isInside(made->operand(0)->region, &region))
    return {};
  return {made->operand(0), made};
}

bool hasElements(const ir::Type& type) {
  return type.isReal() && type.isStatic() && !type.isScalar() && type.elementCount() > 0;
}

void giveUpdate(ir::Function& function, Region& region, const Op* addition, const Op& other) {
  Op& yield = region.terminator();
  if (addition != nullptr) {
    yield.operands.insert(yield.operands.end(), addition->operands.begin() + 1,
                          addition->operands.end());
    return;
  }
  Builder b(function, region);
  b.insertAt(region.ops.size() - 1);
  const ir::Type& type = other.operand(1)->type;
  Value* nothing = b.real(-0.0);
  if (!type.isScalar()) {
    std::vector<Value*> sizes;
    for (int64_t size : type.dims) sizes.push_back(b.integer(size));
    nothing = b.fill(nothing, sizes);
  }
  std::vector<Value*> given{nothing};
  for (size_t k = 2; k < other.operands.size(); ++k) given.push_back(b.integer(0));
  Op& end = region.terminator();
  end.operands.insert(end.operands.end(), given.begin(), given.end());
}

// Rewrites one result of the branch at `position` of its region.
bool moveUpdate(ir::Function& function, Region& region, size_t position, size_t result) {
  Op& branch = *region.ops[position];
  Value* old = branch.result(result);
  if (!hasElements(old->type) || old->linear) return false;
  const Side sides[] = {sideOf(branch, 0, result), sideOf(branch, 1, result)};
  Value* array = sides[0].array;
  if (array == nullptr || array != sides[1].array || !hasElements(array->type)) return false;
  const Op* update = sides[0].addition ? sides[0].addition : sides[1].addition;
  if (update == nullptr || !update->operand(1)->type.isStatic()) return false;
  for (const Side& side : sides)
    if (side.addition && side.addition->operands.size() != update->operands.size()) return false;
  const ir::Type value_type = update->operand(1)->type;
  const size_t indices = update->operands.size() - 2;
  for (size_t side = 0; side < 2; ++side)
    giveUpdate(function, *branch.regions[side], sides[side].addition, *update);
  Value* value = function.addResult(branch, value_type);
  std::vector<Value*> places;
  for (size_t k = 0; k < indices; ++k) places.push_back(function.addResult(branch, ir::i64()));
  Builder b(function, region);
  b.setSpan(branch.span);
  b.insertAt(position + 1);
  Value* updated = b.addAt(array, value, std::move(places));
  ir::replaceUses(function, old, updated);
  return true;
}

bool visit(ir::Function& function, Region& region) {
  bool changed = false;
  for (size_t at = 0; at < region.ops.size(); ++at) {
    Op& op = *region.ops[at];
    for (auto& nested : op.regions) changed |= visit(function, *nested);
    if (op.code != OpCode::If) continue;
    const size_t results = op.results.size();
    for (size_t result = 0; result < results; ++result)
      changed |= moveUpdate(function, region, at, result);
  }
  return changed;
}

}  // namespace

bool moveConditionalUpdates(ir::Function& function) { return visit(function, function.body); }

}  // namespace dini::opt
