// Branches that compute nothing, only choose between values, become selections. Not before
// differentiation: an `if` on a comparison of reals carries the tie rule of its switch.
#include "ir/builder.h"
#include "ir/clone.h"
#include "opt/passes.h"

namespace dini::opt {
namespace {

using ir::Op;
using ir::OpCode;
using ir::Region;
using ir::Value;

bool onlyChooses(const Op& op) {
  if (op.code != OpCode::If || op.regions[0]->ops.size() != 1 || op.regions[1]->ops.size() != 1)
    return false;
  for (size_t k = 0; k < op.results.size(); ++k)
    for (const auto& region : op.regions) {
      const Value* value = region->yields()[k];
      if (!value->type.isStatic() || !(value->type == op.results[k]->type) ||
          value->linear != op.results[k]->linear)
        return false;
    }
  return true;
}

class Selection {
 public:
  explicit Selection(ir::Function& function) : function_(function) {}
  bool run() {
    visit(function_.body);
    return changed_;
  }

 private:
  void visit(Region& region) {
    auto ops = std::move(region.ops);
    region.ops.clear();
    for (auto& op : ops) {
      for (Value*& operand : op->operands) operand = ir::mapped(map_, operand);
      for (auto& nested : op->regions) visit(*nested);
      if (!onlyChooses(*op)) {
        region.ops.push_back(std::move(op));
        continue;
      }
      ir::Builder builder(function_, region);
      builder.setSpan(op->span);
      for (size_t k = 0; k < op->results.size(); ++k) {
        Value* a = op->regions[0]->yields()[k];
        Value* b = op->regions[1]->yields()[k];
        Value* chosen = a == b ? a : builder.select(op->operand(0), a, b);
        if (chosen->name.empty()) chosen->name = op->results[k]->name;
        map_[op->results[k]] = chosen;
      }
      changed_ = true;
    }
  }

  ir::Function& function_;
  ir::ValueMap map_;
  bool changed_ = false;
};

}  // namespace

bool selectBranches(ir::Function& function) { return Selection(function).run(); }

}  // namespace dini::opt
