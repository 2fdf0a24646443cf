// The vmap pass: maps, innermost first, become batched operations where their bodies allow it.
#include <algorithm>

#include "batch/batcher.h"
#include "batch/fission.h"

namespace dini::batch {

using ir::OpCode;
using ir::Value;

namespace {

bool isMap(const ir::Op& op) {
  return op.code == OpCode::Loop && op.operands.size() == 1 && !op.results.empty();
}

// Replaces the map at `at` by batched operations, and what cannot be batched by a smaller map. What
// was built goes again if that does not work or pay.
bool batch(ir::Function& function, ir::Region& region, size_t at, Comparisons comparisons) {
  ir::Op& op = *region.ops[at];
  ir::Builder b(function, region);
  b.insertAt(at);
  b.setSpan(op.span);
  size_t before = region.ops.size();
  std::vector<Value*> results;
  try {
    results = Batcher(b, op, comparisons).run();
  } catch (const NotBatchable&) {
    auto first = region.ops.begin() + static_cast<ptrdiff_t>(at);
    region.ops.erase(first, first + static_cast<ptrdiff_t>(region.ops.size() - before));
    results = Fission(function, region, at, comparisons).run();
    if (results.empty()) return false;
  }
  for (size_t k = 0; k < results.size(); ++k) ir::replaceUses(function, op.results[k], results[k]);
  size_t made = region.ops.size() - before;
  region.ops.erase(region.ops.begin() + static_cast<ptrdiff_t>(at + made));
  return true;
}

template <class Wanted>
void batchRegion(ir::Function& function, ir::Region& region, Comparisons comparisons,
                 const Wanted& wanted) {
  for (size_t k = region.ops.size(); k-- > 0;) {
    for (auto& nested : region.ops[k]->regions) batchRegion(function, *nested, comparisons, wanted);
    if (isMap(*region.ops[k]) && wanted(*region.ops[k])) batch(function, region, k, comparisons);
  }
}

}  // namespace

void batchMaps(ir::Function& function, Comparisons comparisons) {
  batchRegion(function, function.body, comparisons, [](const ir::Op&) { return true; });
  contractProducts(function);
  ir::eraseDead(function);
}

void vmap(ir::Module&, ir::Function& function) { batchMaps(function, Comparisons::Batch); }

void batchBasisLoops(ir::Function& function) {
  batchRegion(function, function.body, Comparisons::Keep,
              [](const ir::Op& op) { return op.attrs.str == kBasisLoop; });
  contractProducts(function);
  ir::eraseDead(function);
}

}  // namespace dini::batch
