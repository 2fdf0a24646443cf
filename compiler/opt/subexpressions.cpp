#include <algorithm>
#include <bit>
#include <unordered_map>

#include "ir/clone.h"
#include "ir/walk.h"
#include "ops/table.h"
#include "opt/passes.h"

namespace dini::opt {
namespace {

using ir::Op;
using ir::OpCode;
using ir::Region;
using ir::Value;

bool shareable(const Op& op) {
  return op.regions.empty() && !op.results.empty() && op.code != OpCode::Call && op.code != OpCode::Inspect;
}

size_t combine(size_t hash, size_t value) { return (hash ^ value) * 0x9E3779B97F4A7C15u; }

size_t hashOf(const Op& op) {
  size_t hash = static_cast<size_t>(op.code);
  for (const Value* operand : op.operands) hash = combine(hash, operand->id);
  hash = combine(hash, static_cast<size_t>(op.attrs.i));
  hash = combine(hash, std::bit_cast<size_t>(op.attrs.f));
  hash = combine(hash, std::hash<std::string>()(op.attrs.str));
  for (int64_t value : op.attrs.ints) hash = combine(hash, static_cast<size_t>(value));
  return hash;
}

bool sameBits(const std::vector<double>& a, const std::vector<double>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](double x, double y) {
    return std::bit_cast<uint64_t>(x) == std::bit_cast<uint64_t>(y);
  });
}

bool sameAttributes(const ir::Attrs& a, const ir::Attrs& b) {
  if (a.i != b.i || std::bit_cast<uint64_t>(a.f) != std::bit_cast<uint64_t>(b.f) ||
      a.str != b.str || a.ints != b.ints)
    return false;
  if (a.data == b.data) return true;
  return a.data && b.data && sameBits(*a.data, *b.data);
}

bool equal(const Op& a, const Op& b) {
  if (a.code != b.code || a.operands != b.operands || !sameAttributes(a.attrs, b.attrs)) return false;
  if (a.results.size() != b.results.size()) return false;
  for (size_t k = 0; k < a.results.size(); ++k)
    if (!(a.results[k]->type == b.results[k]->type) || a.results[k]->linear != b.results[k]->linear)
      return false;
  return true;
}

class Sharing {
 public:
  bool run(ir::Function& function) {
    visit(function.body);
    return changed_;
  }

 private:
  void visit(Region& region) {
    std::vector<std::pair<size_t, Op*>> here;  // what leaves scope at the end of the region
    std::vector<std::unique_ptr<Op>> kept;
    for (auto& owned : region.ops) {
      Op& op = *owned;
      for (Value*& operand : op.operands) operand = ir::mapped(map_, operand);
      if (ir::isElementwise(op.code) && (ops::facts(op.code).algebraic & ops::kCommutative) != 0 &&
          op.operand(1)->id < op.operand(0)->id)
        std::swap(op.operands[0], op.operands[1]);
      if (!shareable(op)) {
        for (auto& nested : op.regions) visit(*nested);
        kept.push_back(std::move(owned));
        continue;
      }
      size_t hash = hashOf(op);
      if (Op* earlier = find(hash, op)) {
        for (size_t k = 0; k < op.results.size(); ++k) {
          map_[op.results[k]] = earlier->results[k];
          if (earlier->results[k]->name.empty()) earlier->results[k]->name = op.results[k]->name;
        }
        changed_ = true;
        continue;
      }
      known_.emplace(hash, &op);
      here.emplace_back(hash, &op);
      kept.push_back(std::move(owned));
    }
    region.ops = std::move(kept);
    for (auto& [hash, op] : here) forget(hash, op);
  }

  Op* find(size_t hash, const Op& op) {
    auto [begin, end] = known_.equal_range(hash);
    for (auto it = begin; it != end; ++it)
      if (equal(*it->second, op)) return it->second;
    return nullptr;
  }
  void forget(size_t hash, Op* op) {
    auto [begin, end] = known_.equal_range(hash);
    for (auto it = begin; it != end; ++it)
      if (it->second == op) {
        known_.erase(it);
        return;
      }
  }

  std::unordered_multimap<size_t, Op*> known_;  // of this region and those around it
  ir::ValueMap map_;
  bool changed_ = false;
};

}  // namespace

bool shareSubexpressions(ir::Function& function) { return Sharing().run(function); }

}  // namespace dini::opt
