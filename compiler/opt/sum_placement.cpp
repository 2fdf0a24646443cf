// A function's value is a sum over the same large arrays that its gradient is then written from.
// The sum moves down to just before the array is written, where code generation
// (codegen/updates.cpp) makes one pass through memory of the two.
#include <algorithm>
#include <unordered_set>

#include "ir/builder.h"
#include "opt/passes.h"

namespace dini::opt {
namespace {

using ir::Op;
using ir::OpCode;
using ir::Region;
using ir::Value;

constexpr int64_t kLarge = 1 << 13;  // elements: beyond the nearest memory
constexpr int64_t kMostApart = 64;   // difference of the lengths
constexpr size_t kMostSources = 200;

bool isLargeSum(const Op& op) {
  if (op.code != OpCode::Reduce || op.attrs.str != "sum") return false;
  const ir::Type& type = op.operand(0)->type;
  return type.isReal() && type.rank() == 1 && type.isStatic() && type.dims[0] >= kLarge;
}

// Writes an array about as long as what the sum reads.
bool isWriteAlong(const Op& op, const Op& sum) {
  if (op.code != OpCode::Concat || op.result()->type.rank() != 1) return false;
  return op.result()->type.isReal() && std::ranges::any_of(op.operands, [&](const Value* part) {
           return part->type.isStatic() &&
                  std::abs(part->type.dims[0] - sum.operand(0)->type.dims[0]) <= kMostApart;
         });
}

// The arrays that an array is computed from, element by element.
std::unordered_set<const Value*> sourcesOf(const Value* value) {
  std::unordered_set<const Value*> sources;
  std::vector<const Value*> pending{value};
  while (!pending.empty() && sources.size() < kMostSources) {
    const Value* next = pending.back();
    pending.pop_back();
    if (next->type.isScalar() || !sources.insert(next).second || next->def == nullptr) continue;
    const OpCode code = next->def->code;
    if (!ir::isElementwise(code) && code != OpCode::Slice && code != OpCode::Concat) continue;
    for (const Value* operand : next->def->operands) pending.push_back(operand);
  }
  return sources;
}

bool shareSources(const Value* a, const Value* b) {
  const auto of_a = sourcesOf(a), of_b = sourcesOf(b);
  return std::ranges::any_of(of_a, [&](const Value* source) { return of_b.contains(source); });
}

bool reads(const Op& op, const Value* value) {
  if (std::ranges::find(op.operands, value) != op.operands.end()) return true;
  for (const auto& region : op.regions)
    for (const auto& nested : region->ops)
      if (reads(*nested, value)) return true;
  return false;
}

bool visit(Region& region) {
  bool changed = false;
  for (size_t at = region.ops.size(); at-- > 0;) {
    Op& sum = *region.ops[at];
    for (auto& nested : sum.regions) changed |= visit(*nested);
    if (!isLargeSum(sum)) continue;
    size_t to = at + 1;
    while (to < region.ops.size() && !isWriteAlong(*region.ops[to], sum) &&
           !reads(*region.ops[to], sum.result()))
      ++to;
    if (to == at + 1 || to >= region.ops.size() || !isWriteAlong(*region.ops[to], sum) ||
        !shareSources(sum.operand(0), region.ops[to]->result()))
      continue;
    const auto first = region.ops.begin() + static_cast<ptrdiff_t>(at);
    std::rotate(first, first + 1, region.ops.begin() + static_cast<ptrdiff_t>(to));
    changed = true;
  }
  return changed;
}

}  // namespace

bool placeSums(ir::Function& function) { return visit(function.body); }

}  // namespace dini::opt
