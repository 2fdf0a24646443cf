#include "batch/fission.h"

#include <algorithm>

#include "base/check.h"
#include "ir/walk.h"

namespace dini::batch {

using ir::OpCode;
using ir::Value;
using Values = std::vector<Value*>;

namespace {

// Values of the body that an operation reads, nested regions included.
Values readsOf(const ir::Op& op, const ir::Region& body) {
  Values found;
  auto add = [&](Value* value) {
    if (value->region == &body) found.push_back(value);
  };
  for (Value* operand : op.operands) add(operand);
  for (const auto& region : op.regions)
    for (Value* value : ir::captures(*region)) add(value);
  return found;
}

bool isCheap(OpCode code) {
  return ir::isElementwise(code) || code == OpCode::Const || code == OpCode::Index ||
         code == OpCode::Slice || code == OpCode::Broadcast || code == OpCode::Reshape ||
         code == OpCode::Transpose || code == OpCode::Fill || code == OpCode::Iota;
}

}  // namespace

Fission::Fission(ir::Function& function, ir::Region& region, size_t at, Comparisons comparisons)
    : function_(function),
      region_(region),
      at_(at),
      before_(region.ops.size()),
      loop_(*region.ops[at]),
      body_(*loop_.regions[0]),
      comparisons_(comparisons) {
  for (const auto& op : body_.ops)
    if (op->code != OpCode::Yield && ir::hasEffect(*op)) core_.insert(op.get());
}

void Fission::eraseMade() {
  auto first = region_.ops.begin() + static_cast<ptrdiff_t>(at_);
  region_.ops.erase(first, first + static_cast<ptrdiff_t>(region_.ops.size() - before_));
}

bool Fission::dependsOn(const ir::Op& op, const Ops& ops) const {
  for (const Value* value : readsOf(op, body_))
    if (value->def != nullptr && ops.contains(value->def)) return true;
  return false;
}

// An operation between two of the core belongs to the core.
void Fission::closeCore() {
  Ops after = core_;  // those that need the core
  for (const auto& op : body_.ops)
    if (dependsOn(*op, after)) after.insert(op.get());
  for (auto it = body_.ops.rbegin(); it != body_.ops.rend(); ++it) {
    if (!core_.contains(it->get())) continue;
    for (const Value* value : readsOf(**it, body_))
      if (value->def != nullptr && after.contains(value->def)) core_.insert(value->def);
  }
}

// Cheap operations that only the core reads are done there, one member at a time: the matrices of a
// batch of systems are not all built at once.
bool Fission::sinkCheapReads() {
  size_t size = core_.size();
  for (auto it = body_.ops.rbegin(); it != body_.ops.rend(); ++it) {
    const ir::Op* op = it->get();
    if (core_.contains(op) || !isCheap(op->code)) continue;
    bool read = false, only_core = true;
    for (const auto& other : body_.ops) {
      Values reads = readsOf(*other, body_);
      if (std::find(reads.begin(), reads.end(), op->results[0]) == reads.end()) continue;
      read = true;
      only_core = only_core && core_.contains(other.get());
    }
    if (read && only_core) core_.insert(op);
  }
  return core_.size() != size;
}

// Values whose size is known when the program runs may differ in it between members: they are not
// stacked, what reads them in the core stays with it.
bool Fission::keepVaryingSizes() {
  size_t size = core_.size();
  for (const auto& op : body_.ops) {
    if (op->code == OpCode::Yield || core_.contains(op.get())) continue;
    for (const Value* value : readsOf(*op, body_))
      if (value->def != nullptr && core_.contains(value->def) && !value->type.isStatic())
        core_.insert(op.get());
  }
  return core_.size() != size;
}

// A loop of the linear part gives linear results only: what it computes for itself stays inside.
bool Fission::keepPrimalValues() {
  bool linear = std::any_of(loop_.results.begin(), loop_.results.end(), [](const Value* v) { return v->linear; });
  size_t size = core_.size();
  for (const auto& op : body_.ops) {
    if (!linear || op->code == OpCode::Yield || core_.contains(op.get())) continue;
    for (const Value* value : readsOf(*op, body_))
      if (value->def != nullptr && core_.contains(value->def) && !value->linear) core_.insert(op.get());
  }
  return core_.size() != size;
}

bool Fission::pays() const {
  bool found = false;
  for (const auto& op : body_.ops)
    if (!core_.contains(op.get()) && op->code == OpCode::Einsum && !readsOf(*op, body_).empty())
      found = true;
  return found;
}

// Results of the core that other parts of the body read.
Values Fission::coreResults() const {
  Values found;
  for (const auto& op : body_.ops) {
    if (core_.contains(op.get())) continue;
    for (Value* value : readsOf(*op, body_))
      if (value->def != nullptr && core_.contains(value->def) &&
          std::find(found.begin(), found.end(), value) == found.end())
        found.push_back(value);
  }
  return found;
}

// Batches everything but the core; an operation without a rule joins the core.
bool Fission::grow() {
  ir::Builder b(function_, region_);
  b.insertAt(at_);
  Batcher batcher(b, loop_, comparisons_);
  for (Value* value : coreResults()) batcher.place(value);
  for (const auto& op : body_.ops) {
    if (op->code == OpCode::Yield || core_.contains(op.get())) continue;
    try {
      batcher.visit(b, *op);
    } catch (const NotBatchable&) {
      core_.insert(op.get());
      eraseMade();
      return true;
    }
  }
  eraseMade();
  return false;
}

Values Fission::run() {
  do {
    closeCore();
  } while (pays() && (keepVaryingSizes() || keepPrimalValues() || grow() || sinkCheapReads()));
  if (!pays()) return {};
  ir::Builder b(function_, region_);
  b.insertAt(at_);
  Batcher batcher(b, loop_, comparisons_);
  std::unordered_map<const Value*, Value*> placeholders;
  for (Value* value : coreResults()) placeholders[value] = batcher.place(value);
  Ops after = core_;
  for (const auto& op : body_.ops)
    if (dependsOn(*op, after)) after.insert(op.get());
  for (const auto& op : body_.ops)
    if (op->code != OpCode::Yield && !after.contains(op.get())) batcher.visit(b, *op);
  buildCore(at_ + region_.ops.size() - before_, batcher, placeholders);
  b.insertAt(at_ + region_.ops.size() - before_);
  for (const auto& op : body_.ops)
    if (op->code != OpCode::Yield && after.contains(op.get()) && !core_.contains(op.get()))
      batcher.visit(b, *op);
  Values results;
  for (Value* yielded : body_.yields()) results.push_back(batcher.batched(b, yielded));
  return results;
}

// The loop over members: core operations in order; what they read of the batched part is indexed.
void Fission::buildCore(size_t position, Batcher& batcher,
                        const std::unordered_map<const Value*, Value*>& placeholders) {
  ir::Builder b(function_, region_);
  b.insertAt(position);
  b.setSpan(loop_.span);
  Values wanted = coreResults();
  Values made = b.loop(loop_.operand(0), {}, [&](ir::Builder& in, std::span<Value* const> args) {
    ir::ValueMap map;
    for (const auto& op : body_.ops) {
      if (!core_.contains(op.get())) continue;
      for (Value* value : readsOf(*op, body_))
        if (!map.contains(value)) map[value] = batcher.member(in, value, args[0]);
      ir::cloneOp(in, *op, map);
    }
    Values yielded;
    for (Value* value : wanted) yielded.push_back(map.at(value));
    return yielded;
  });
  for (size_t k = 0; k < wanted.size(); ++k) {
    batcher.set(wanted[k], made[k]);
    ir::replaceUses(function_, placeholders.at(wanted[k]), made[k]);
  }
}

}  // namespace dini::batch
