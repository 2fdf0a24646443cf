// Virtual or stored, and for how long: two passes over the regions, uses before definitions.
#include "codegen/plan.h"

#include <algorithm>

#include "base/check.h"
#include "codegen/linear_algebra.h"
#include "ir/builder.h"
#include "ir/type_rules.h"

namespace dini::codegen {

using ir::Op;
using ir::OpCode;
using ir::Region;
using ir::Value;

namespace {

constexpr int kMaxTree = 400;      // operations in one element's expression
constexpr int kCheapAnywhere = 3;  // recomputing this much beats memory,
constexpr int kCheapInPasses = 8;  // this much where each of a few readers reads once
constexpr int kCheapInLarge = 24;  // and this much of arrays that only far memory holds
constexpr int64_t kLarge = 1 << 15;
constexpr size_t kFewReaders = 4;
constexpr int kMaxPadding = 3;  // boxes added to one array in one pass

// The operand is needed in memory: library calls, and operations that read elements repeatedly.
bool needsBuffer(const Op& op) {
  switch (op.code) {
    case OpCode::ReducePick:
    case OpCode::ReducePickT:
    case OpCode::ArgSort:
    case OpCode::SortPick:
    case OpCode::SortPickT:
    case OpCode::Norm:
    case OpCode::Normalize:
    case OpCode::ProjSimplex:
    case OpCode::SimplexWeights:
    case OpCode::ProjSoc:
    case OpCode::SocMap:
    case OpCode::Spectral:
    case OpCode::SpectralMap:
    case OpCode::Call:
    case OpCode::Print:
      return true;
    default:
      return isLinearAlgebra(op.code);
  }
}

}  // namespace

int costOf(const Op& op) {
  switch (op.code) {
    case OpCode::Const:
    case OpCode::Fill:
    case OpCode::Iota:
    case OpCode::Stop:
    case OpCode::Broadcast:
    case OpCode::Transpose:
    case OpCode::Reshape:
    case OpCode::Slice:
    case OpCode::Flip:
    case OpCode::Index:
    case OpCode::Gather:
      return 0;
    case OpCode::Add:
    case OpCode::Sub:
    case OpCode::Mul:
    case OpCode::Neg:
    case OpCode::IAdd:
    case OpCode::ISub:
    case OpCode::IMul:
    case OpCode::Not:
    case OpCode::And:
    case OpCode::Or:
    case OpCode::FLt:
    case OpCode::FLe:
    case OpCode::FEq:
    case OpCode::FNe:
    case OpCode::ILt:
    case OpCode::ILe:
    case OpCode::IEq:
    case OpCode::INe:
    case OpCode::Select:
    case OpCode::IntToReal:
    case OpCode::BoolToReal:
    case OpCode::BoolToInt:
    case OpCode::Sign:
      return 1;
    case OpCode::Choose:
    case OpCode::ChooseTie:
    case OpCode::Pick:
    case OpCode::PickTie:
    case OpCode::NoteTie:
    case OpCode::ReportTie:
    case OpCode::SafeMul:
      return 2;
    case OpCode::Div:
    case OpCode::SafeDiv:
    case OpCode::Sqrt:
      return 5;
    default:
      return 20;
  }
}

bool isIndexMap(OpCode code) {
  switch (code) {
    case OpCode::Fill:
    case OpCode::Iota:
    case OpCode::Slice:
    case OpCode::Reshape:
    case OpCode::Transpose:
    case OpCode::Broadcast:
    case OpCode::Flip:
    case OpCode::Gather:
    case OpCode::Index:
      return true;
    default:
      return false;
  }
}

bool isOuterProduct(const Op& op) {
  return op.code == OpCode::Einsum && !op.results[0]->type.isScalar() &&
         ir::parseEinsum(op.attrs.str).contracted.empty();
}

const Region* regionOf(const Value* value) { return value->region; }

const Op* enclosingIn(const Region* region, const Op* op) {
  while (op != nullptr && op->parent != region) op = op->parent->parent;
  return op;
}

Plan::Plan(const ir::Function& function) {
  collectUses(function.body);
  decideRegion(function.body);
  extendRegion(function.body);
}

size_t Plan::lastUse(const Value* value) const {
  auto found = last_use_.find(value);
  return found == last_use_.end() ? 0 : found->second;
}

size_t Plan::readsOf(const Value* value, const ir::Region* home, const Op& op) const {
  auto found = uses_.find(value);
  if (found == uses_.end()) return 0;
  size_t reads = 0;
  for (const Use& use : found->second) {
    if (enclosingIn(home, use.op) == &op)
      ++reads;
    else if (use.op->results.size() == 1 &&
             (isVirtual(use.op->results[0]) || isIndexMap(use.op->code)))
      reads += readsOf(use.op->results[0], home, op);
  }
  return reads;
}

bool Plan::soleUse(const Value* value, const Op& op) const {
  return readsOf(value, regionOf(value), op) == 1;
}

void Plan::collectUses(const Region& region) {
  for (size_t k = 0; k < region.ops.size(); ++k) {
    const Op& op = *region.ops[k];
    position_[&op] = k;
    for (size_t operand = 0; operand < op.operands.size(); ++operand)
      uses_[op.operands[operand]].push_back({&op, operand});
    for (const auto& nested : op.regions) collectUses(*nested);
  }
}

// Each element of the virtual result of `op` is evaluated at most about once.
bool Plan::readOnce(const Op& op, int depth) const {
  if (depth > 100) return false;
  auto found = uses_.find(op.results[0]);
  if (found == uses_.end() || found->second.empty()) return true;
  const Op* user = found->second[0].op;
  for (const Use& use : found->second)
    if (use.op != user) return false;
  if (user->parent != op.parent) return false;
  if (needsBuffer(*user)) return true;  // materialised there or here: the same
  if (ir::isElementwise(user->code))
    return !virtual_.contains(user->results[0]) || readOnce(*user, depth + 1);
  switch (user->code) {
    case OpCode::Slice:
    case OpCode::Reshape:
    case OpCode::Transpose:
    case OpCode::Flip:
      return readOnce(*user, depth + 1);
    case OpCode::Reduce:
    case OpCode::Concat:
    case OpCode::Pack:
    case OpCode::Yield:
      return true;
    case OpCode::Index:
      return true;
    case OpCode::Update:
    case OpCode::AddAt:
    case OpCode::UpdateSlice:
    case OpCode::AddSlice:
    case OpCode::ScatterAdd:
      return user->operands[0] != op.results[0];
    default:
      return false;
  }
}

// The whole expression down to arrays in memory is small: repeated rather than stored.
bool Plan::cheapToRepeat(const Op& op) const {
  const auto found = uses_.find(op.results[0]);
  if (found == uses_.end()) return true;
  std::unordered_set<const Op*> readers;
  bool once_each = true;
  for (const Use& use : found->second) {
    if (needsBuffer(*use.op)) return false;
    readers.insert(use.op);
    const bool pass = ir::isElementwise(use.op->code) || use.op->code == OpCode::Reduce ||
                      use.op->code == OpCode::Slice || use.op->code == OpCode::AddSlice ||
                      use.op->code == OpCode::Concat || use.op->code == OpCode::Yield;
    once_each = once_each && pass && use.op->parent == op.parent;
  }
  const ir::Type& type = op.results[0]->type;
  const bool large = type.isStatic() && type.elementCount() >= kLarge;
  const int in_passes = large ? kCheapInLarge : kCheapInPasses;
  const int limit = once_each && readers.size() <= kFewReaders ? in_passes : kCheapAnywhere;
  int total = 0;
  std::vector<const Op*> pending{&op};
  while (!pending.empty() && total <= limit) {
    const Op* next = pending.back();
    pending.pop_back();
    total += costOf(*next);
    for (const Value* operand : next->operands) {
      if (operand->type.isScalar() || operand->def == nullptr || operand->def->parent != op.parent)
        continue;
      const OpCode code = operand->def->code;
      if (ir::isElementwise(code) || isIndexMap(code)) pending.push_back(operand->def);
    }
  }
  return total <= limit;
}

// Terms of the sum, 0 where the operation is not of this kind.
int Plan::paddingDepth(const Op& op) const {
  if (op.code != OpCode::AddSlice || !op.results[0]->type.isStatic() ||
      !op.operand(1)->type.isStatic())
    return 0;
  if (op.results[0]->type.rank() > 2) return 0;
  for (size_t k = 2; k < op.operands.size(); ++k)
    if (!ir::constantInt(op.operand(k))) return 0;
  const Op* base = op.operand(0)->def;
  if (base == nullptr) return 0;
  if (base->code == OpCode::Fill) return 1;
  if (base->parent != op.parent || uses_.at(base->results[0]).size() != 1) return 0;
  const int depth = paddingDepth(*base);
  return depth > 0 && depth < kMaxPadding ? depth + 1 : 0;
}

// One term of a sum that its only reader writes as a whole.
bool Plan::paddedByUser(const Op& op) const {
  if (!isPadding(op)) return false;
  const auto found = uses_.find(op.results[0]);
  if (found == uses_.end() || found->second.size() != 1) return false;
  const Use& use = found->second[0];
  return use.operand == 0 && use.op->parent == op.parent && isPadding(*use.op);
}

// A transpose whose rows are read again and again: in order once it is stored.
bool Plan::repeatsTranspose(const Op& op) const {
  constexpr int64_t kTimes = 4;
  const ir::Type& type = op.results[0]->type;
  const auto found = uses_.find(op.results[0]);
  if (op.code != OpCode::Transpose || found == uses_.end() || !type.isStatic()) return false;
  return std::any_of(found->second.begin(), found->second.end(), [&](const Use& use) {
    return use.op->code == OpCode::Broadcast && use.op->results[0]->type.isStatic() &&
           use.op->results[0]->type.elementCount() >= kTimes * type.elementCount();
  });
}

bool Plan::shouldBeVirtual(const Op& op) const {
  if (op.results.size() != 1 || op.results[0]->type.isScalar()) return false;
  if (repeatsTranspose(op)) return false;
  const auto found = uses_.find(op.results[0]);
  const bool buffer_wanted =
      found != uses_.end() && std::any_of(found->second.begin(), found->second.end(),
                                          [](const Use& use) { return needsBuffer(*use.op); });
  if (buffer_wanted) return false;
  // Read through other sizes that are not constant, each element would cost divisions.
  const bool reshaped = found != uses_.end() && std::any_of(found->second.begin(), found->second.end(), [](const Use& use) {
    return use.op->code == OpCode::Reshape && !use.op->results[0]->type.isStatic();
  });
  if (reshaped && ir::isElementwise(op.code) && op.results[0]->type.rank() > 1) return false;
  if (isIndexMap(op.code) || isOuterProduct(op)) return true;
  return ir::isElementwise(op.code) && readOnce(op, 0);
}

void Plan::decideRegion(const Region& region) {
  for (size_t k = region.ops.size(); k-- > 0;) {
    const Op& op = *region.ops[k];
    for (const auto& nested : op.regions) decideRegion(*nested);
    if (op.results.size() != 1 || op.results[0]->type.isScalar()) continue;
    if (shouldBeVirtual(op)) {
      virtual_.insert(op.results[0]);
    } else if (ir::isElementwise(op.code) && cheapToRepeat(op)) {
      virtual_.insert(op.results[0]);
    } else if (paddedByUser(op)) {
      virtual_.insert(op.results[0]);
    }
  }
  // Long chains are cut: an expression of bounded size per loop nest.
  std::unordered_map<const Value*, int> size;
  for (const auto& op : region.ops) {
    if (op->results.size() != 1) continue;
    const Value* value = op->results[0];
    if (!virtual_.contains(value)) continue;
    int total = 1;
    for (const Value* operand : op->operands) {
      auto known = size.find(operand);
      if (known != size.end()) total += known->second;
    }
    if (total > kMaxTree && !isIndexMap(op->code))
      virtual_.erase(value);
    else
      size[value] = total;
  }
}

void Plan::noteUse(const Value* value, const Op* at) {
  const Op* op = enclosingIn(regionOf(value), at);
  if (op == nullptr) return;
  size_t& last = last_use_[value];
  last = std::max(last, position_.at(op));
}

// Operands of views and virtual values are read as long as their results are.
void Plan::extendRegion(const Region& region) {
  for (size_t k = region.ops.size(); k-- > 0;) {
    const Op& op = *region.ops[k];
    for (const auto& nested : op.regions) extendRegion(*nested);
    for (const Value* operand : op.operands) noteUse(operand, &op);
    for (const Value* result : op.results) {
      if (!virtual_.contains(result) && !isIndexMap(op.code) && op.code != OpCode::Stop) continue;
      if (result->type.isScalar()) continue;
      const Op* last = region.ops[std::max(lastUse(result), k)].get();
      for (const Value* operand : op.operands) noteUse(operand, last);
    }
  }
}

}  // namespace dini::codegen
