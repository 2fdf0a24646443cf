// A gradient of an expression of neighbours, x[i + 1] - x[i], is made of shifted slices added to an
// array of zeros, one pass through memory for each. Cut where slices begin and end, the array is a
// concatenation of sums, each computed and written once.
//   add_slice(add_slice(fill(0), v, 0), w, 1)  =>  concat(0 + v[0 .. 1], 0 + v[1 ..] + w[.. n-2], 0
//   + w[n-2 ..])
// The sums keep their order, from 0, and so every bit.
#include <algorithm>
#include <bit>
#include <optional>
#include <set>

#include "ir/builder.h"
#include "ir/clone.h"
#include "ir/uses.h"
#include "opt/passes.h"

namespace dini::opt {
namespace {

using ir::Builder;
using ir::Op;
using ir::OpCode;
using ir::Region;
using ir::UseCounts;
using ir::Value;

constexpr size_t kMostParts = 7;
constexpr int64_t kFewElements = 64;  // not worth the code

struct Added {
  Value* slice = nullptr;
  int64_t begin = 0, end = 0;  // along the axis
};

struct SliceSum {
  std::vector<Added> added;  // in order
  size_t axis = 0;
};

// Whether `op` adds a slice that is whole along every axis but one, which `axis` is then.
bool isAlongOneAxis(const Op& op, std::optional<size_t>& axis, Added& added) {
  const ir::Type& whole = op.result()->type;
  const ir::Type& part = op.operand(1)->type;
  if (!whole.isStatic() || !part.isStatic() || !whole.isReal()) return false;
  added.slice = op.operand(1);
  for (size_t k = 0; k < whole.rank(); ++k) {
    const auto start = ir::constantInt(op.operand(2 + k));
    if (!start) return false;
    if (part.dims[k] == 0) return false;
    if (part.dims[k] == whole.dims[k]) continue;
    if (axis && *axis != k) return false;
    axis = k;
    added.begin = *start;
    added.end = *start + part.dims[k];
  }
  return true;
}

bool isZeros(const Value* value) {
  if (value->def == nullptr || value->def->code != OpCode::Fill) return false;
  const auto filling = ir::constantReal(value->def->operand(0));
  return filling && std::bit_cast<uint64_t>(*filling) == 0;
}

// The chain that ends with `last`, if it is one.
std::optional<SliceSum> sliceSumOf(const Op& last, const UseCounts& uses) {
  SliceSum sum;
  std::optional<size_t> axis;
  const Op* op = &last;
  for (;;) {
    Added added;
    if (!isAlongOneAxis(*op, axis, added)) return std::nullopt;
    sum.added.push_back(added);
    Value* array = op->operand(0);
    if (isZeros(array)) break;
    if (array->def == nullptr || array->def->code != OpCode::AddSlice ||
        array->def->parent != last.parent || uses.at(array) != 1)
      return std::nullopt;
    op = array->def;
  }
  if (!axis || last.result()->type.elementCount() < kFewElements) return std::nullopt;
  sum.axis = *axis;
  for (Added& added : sum.added)
    if (added.end == 0) added.end = last.result()->type.dims[*axis];  // whole
  std::reverse(sum.added.begin(), sum.added.end());
  return sum;
}

Value* zeros(Builder& b, const ir::Type& type) {
  std::vector<Value*> sizes;
  for (int64_t size : type.dims) sizes.push_back(b.integer(size));
  return b.fill(b.real(0.0), sizes);
}

// What the array holds from `begin` to `end` along the axis.
Value* partOf(Builder& b, const SliceSum& sum, const ir::Type& whole, int64_t begin, int64_t end) {
  ir::Type type = whole;
  type.dims[sum.axis] = end - begin;
  Value* total = nullptr;
  for (const Added& added : sum.added) {
    if (added.begin > begin || added.end < end) continue;
    std::vector<Value*> starts, sizes;
    for (size_t k = 0; k < type.rank(); ++k) {
      starts.push_back(b.integer(k == sum.axis ? begin - added.begin : 0));
      sizes.push_back(b.integer(type.dims[k]));
    }
    Value* slice = added.slice->type == type ? added.slice : b.slice(added.slice, starts, sizes);
    total = b.add(total ? total : b.real(0.0), slice);
  }
  return total ? total : zeros(b, type);
}

bool visit(ir::Function& function, Region& region, const UseCounts& uses) {
  bool changed = false;
  for (size_t at = 0; at < region.ops.size(); ++at) {
    Op& op = *region.ops[at];
    for (auto& nested : op.regions) changed |= visit(function, *nested, uses);
    if (op.code != OpCode::AddSlice || op.result()->linear) continue;
    const auto feedsAnother = [&] {
      const auto next =
          std::find_if(region.ops.begin() + static_cast<ptrdiff_t>(at) + 1, region.ops.end(),
                       [&](const auto& later) {
                         return later->code == OpCode::AddSlice && later->operand(0) == op.result();
                       });
      return next != region.ops.end();
    };
    const auto found = uses.find(op.result());
    if (found == uses.end() || (found->second == 1 && feedsAnother())) continue;
    const auto sum = sliceSumOf(op, uses);
    if (!sum) continue;
    const ir::Type whole = op.result()->type;
    std::set<int64_t> cuts{0, whole.dims[sum->axis]};
    for (const Added& added : sum->added) cuts.insert({added.begin, added.end});
    if (cuts.size() > kMostParts + 1) continue;
    const size_t before = region.ops.size();
    Builder b(function, region);
    b.setSpan(op.span);
    b.insertAt(at);
    std::vector<Value*> parts;
    for (auto cut = cuts.begin(); std::next(cut) != cuts.end(); ++cut)
      parts.push_back(partOf(b, *sum, whole, *cut, *std::next(cut)));
    Value* joined = parts.size() == 1 ? parts[0] : b.concat(parts, static_cast<int64_t>(sum->axis));
    ir::replaceUses(function, op.result(), joined);
    at += region.ops.size() - before;
    changed = true;
  }
  return changed;
}

}  // namespace

bool joinSliceSums(ir::Function& function) {
  return visit(function, function.body, ir::countUses(function));
}

}  // namespace dini::opt
