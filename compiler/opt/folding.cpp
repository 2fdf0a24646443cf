// Constant folding. Operations are taken in order, with the replacements so far applied to their
// operands, and moved to the rewritten region unless they are replaced or their body is inlined.
#include "base/check.h"
#include "ir/builder.h"
#include "ir/clone.h"
#include "ir/run_notes.h"
#include "ir/walk.h"
#include "opt/identities.h"
#include "opt/passes.h"

namespace dini::opt {
namespace {

using ir::Builder;
using ir::Op;
using ir::OpCode;
using ir::Region;
using ir::Value;

// Evaluating it may tell the run something, which a constant does not.
bool reachesNotes(const Op& op) {
  return op.code == OpCode::NoteTie || op.code == OpCode::ReportTie ||
         (op.code == OpCode::Pick && op.attrs.str == ir::kNote);
}

class Folding {
 public:
  explicit Folding(ir::Function& function) : function_(function) {}
  bool run() {
    rewrite(function_.body);
    return changed_;
  }

 private:
  void rewrite(Region& region) {
    auto ops = std::move(region.ops);
    region.ops.clear();
    for (auto& op : ops) place(std::move(op), region);
  }

  // Where an operation does not change types, its replacement does not either: linear flags agree.
  void replace(Value* from, Value* to) {
    map_[from] = to;
    if (to->name.empty()) to->name = from->name;
    changed_ = true;
  }

  void place(std::unique_ptr<Op> op, Region& region) {
    for (Value*& operand : op->operands) operand = ir::mapped(map_, operand);
    Builder builder(function_, region);
    builder.setSpan(op->span);
    if (op->code == OpCode::If && foldBranch(*op, region)) return;
    if (op->code == OpCode::Loop && foldLoop(*op, region, builder)) return;
    if (op->code == OpCode::Try && foldTry(*op, region)) return;
    if (op->code == OpCode::Check && ir::constantInt(op->operand(0)) == 1) {
      changed_ = true;
      return;
    }
    if (op->results.size() == 1 && op->regions.empty() && !reachesNotes(*op)) {
      Value* value = simplified(builder, *op);
      if (value != nullptr && value->linear == op->result()->linear) {
        replace(op->result(), value);
        return;
      }
    }
    op->parent = &region;
    for (Value* result : op->results) result->region = &region;
    Op& placed = *op;
    region.ops.push_back(std::move(op));
    if (placed.code == OpCode::Loop) foldCarries(placed);
    for (auto& nested : placed.regions) rewrite(*nested);
  }

  // Places the operations of `body` in `region` and maps `results` to what it yields.
  void inlineBody(Region& body, Region& region, std::span<Value* const> results) {
    auto ops = std::move(body.ops);
    body.ops.clear();
    for (size_t k = 0; k + 1 < ops.size(); ++k) place(std::move(ops[k]), region);
    const auto& yields = ops.back()->operands;
    for (size_t k = 0; k < results.size(); ++k) replace(results[k], ir::mapped(map_, yields[k]));
    changed_ = true;
    kept_.push_back(std::move(ops.back()));  // replaced values may still be looked up
  }

  // A result may be linear where a branch yields a plain zero: such operations stay.
  bool sameFlags(std::span<Value* const> a, std::span<Value* const> b) {
    for (size_t k = 0; k < a.size(); ++k)
      if (a[k]->linear != ir::mapped(map_, b[k])->linear) return false;
    return true;
  }

  bool foldBranch(Op& op, Region& region) {
    auto condition = ir::constantInt(op.operand(0));
    if (!condition) return false;
    Region& taken = *op.regions[*condition != 0 ? 0 : 1];
    if (!sameFlags(op.results, taken.yields())) return false;
    inlineBody(taken, region, op.results);
    return true;
  }

  bool foldTry(Op& op, Region& region) {
    for (const auto& nested : op.regions[0]->ops)
      if (mayFail(*nested)) return false;
    if (!sameFlags(op.results, op.regions[0]->yields())) return false;
    inlineBody(*op.regions[0], region, op.results);
    return true;
  }

  // A loop of one iteration is its body. (A map keeps its iteration's number for statuses.)
  bool foldLoop(Op& op, Region& region, Builder& builder) {
    auto trip = ir::constantInt(op.operand(0));
    size_t carries = op.operands.size() - 1;
    if (!trip || *trip != 1) return false;
    if (carries == 0)
      for (const auto& nested : op.regions[0]->ops)
        if (mayFail(*nested)) return false;
    Region& body = *op.regions[0];
    std::span<Value* const> starts = std::span(op.operands).subspan(1);
    if (!sameFlags(op.results, body.yields()) ||
        !sameFlags(std::span(body.args).subspan(1), starts))
      return false;
    map_[body.args[0]] = builder.integer(0);
    for (size_t k = 0; k < carries; ++k) map_[body.args[k + 1]] = op.operand(k + 1);
    inlineBody(body, region, op.results);
    for (size_t k = carries; k < op.results.size(); ++k) {
      Value* stacked = builder.pack({map_[op.results[k]]});
      stacked->linear = op.results[k]->linear;
      map_[op.results[k]] = stacked;
    }
    return true;
  }

  // A carry that every iteration passes on unchanged is its start.
  void foldCarries(Op& loop) {
    Region& body = *loop.regions[0];
    for (size_t k = 0; k + 1 < loop.operands.size(); ++k) {
      Value* start = loop.operand(k + 1);
      if (body.yields()[k] != body.args[k + 1] || start->linear != body.args[k + 1]->linear ||
          !(start->type == loop.results[k]->type) || !(start->type == body.args[k + 1]->type))
        continue;
      if (!map_.contains(loop.results[k])) {
        replace(body.args[k + 1], start);
        replace(loop.results[k], start);
      }
    }
  }

  ir::Function& function_;
  ir::ValueMap map_;
  std::vector<std::unique_ptr<Op>> kept_;
  bool changed_ = false;
};

}  // namespace

bool foldConstants(ir::Function& function) { return Folding(function).run(); }

}  // namespace dini::opt
