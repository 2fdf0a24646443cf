#include <map>
#include <unordered_map>

#include "ir/builder.h"
#include "ir/walk.h"
#include "opt/opt.h"
#include "opt/passes.h"

namespace dini::opt {
namespace {

using ir::Builder;
using ir::Op;
using ir::OpCode;
using ir::Region;
using ir::Value;

using Key = std::pair<const Value*, int64_t>;  // matrix and declared structure

// Whether the solve stands in a loop that is entered after its matrix is known.
bool loopsOver(const Op& solve) {
  const Region* home = solve.operand(0)->region;
  for (const Region* region = solve.parent; region != nullptr && region != home;) {
    const Op* around = region->parent;
    if (around == nullptr) return false;
    if (around->code == OpCode::Loop || around->code == OpCode::While) return true;
    region = around->parent;
  }
  return false;
}

// One equation: a factorisation would only part the division from its test. Where the right side is
// linear the test must not wait for it.
bool isDivision(const Op& solve) { return solve.operand(0)->type == ir::f64({1, 1}); }

class Sharing {
 public:
  bool run(ir::Function& function) {
    ir::walk(function.body, [&](const Op& op) {
      if (op.code == OpCode::LinearSolve) ++uses_[{op.operand(0), op.attrs.i}];
    });
    visit(function, function.body);
    return changed_;
  }

 private:
  // `factored_` holds the factorisations of this region and those around it that dominate.
  void visit(ir::Function& function, Region& region) {
    std::vector<Key> here;
    for (size_t at = 0; at < region.ops.size(); ++at) {
      Op& op = *region.ops[at];
      for (auto& nested : op.regions) visit(function, *nested);
      if (op.code != OpCode::LinearSolve || (isDivision(op) && !op.result()->linear)) continue;
      Key key{op.operand(0), op.attrs.i};
      auto known = factored_.find(key);
      if (known == factored_.end()) {
        if (uses_[key] < 2 && !loopsOver(op) && !op.result()->linear) continue;
        const size_t before = region.ops.size();
        known = factored_.emplace(key, &tested(function, region, at)).first;
        at += region.ops.size() - before;
        here.push_back(key);
        changed_ = true;
      }
      if (isDivision(op)) continue;
      op.code = OpCode::SolveFactored;
      op.operands = {known->second->results[0], known->second->results[1], op.operand(1)};
      changed_ = true;
    }
    for (const Key& key : here) factored_.erase(key);
  }

  // Before the solve at a position: its factorisation, or the test of a division's matrix [a], whose
  // estimate |a| |1/a| of a condition is 1 where both are finite.
  static Op& tested(ir::Function& function, Region& region, size_t at) {
    const Op& op = *region.ops[at];
    Builder builder(function, region);
    builder.insertAt(at);
    builder.setSpan(op.span);
    if (isDivision(op)) {
      const auto finite = [&](Value* x) { return builder.op(OpCode::IsFinite, {x}); };
      Value* zero = builder.integer(0);
      Value* a = builder.index(op.operand(0), {zero, zero});
      Value* inverse = builder.div(builder.real(1.0), a);
      Value* ok = builder.op(OpCode::And, {finite(a), finite(inverse)});
      Value* none = builder.real(0.0);
      ir::Attrs attrs;
      attrs.i = static_cast<int64_t>(ir::Status::Singular);
      attrs.str = op.attrs.str;
      return builder.emit(OpCode::Check, {ok, none, none, none}, attrs);
    }
    ir::Attrs attrs;
    attrs.i = op.attrs.i;
    attrs.str = op.attrs.str;
    return builder.emit(OpCode::Factor, {op.operand(0)}, attrs);
  }

  std::map<Key, int> uses_;
  std::map<Key, const Op*> factored_;
  bool changed_ = false;
};

}  // namespace

bool shareFactorisations(ir::Function& function) { return Sharing().run(function); }

}  // namespace dini::opt
