#include "emit/uses.h"

#include <algorithm>

#include "ir/walk.h"

namespace dini::emit {
namespace {

constexpr size_t kLargestExpression = 7;  // operations in one expression

}  // namespace

void Uses::forget(const ir::Value* value, const ir::Op& reader) {
  auto& all = readers_[value];
  if (auto found = std::find(all.begin(), all.end(), &reader); found != all.end()) all.erase(found);
}

void Uses::bury(const ir::Op& op) {
  dead_.insert(&op);
  for (const ir::Value* operand : op.operands) forget(operand, op);
  for (const auto& region : op.regions)
    for (const auto& nested : region->ops) bury(*nested);
}

Uses::Uses(const ir::Function& function, const Rule& inlinable, const Shown& shown) {
  std::vector<const ir::Op*> ops;
  ir::walk(function.body, [&](const ir::Op& op) {
    order_.emplace(&op, order_.size());
    ops.push_back(&op);
    for (const ir::Value* operand : op.operands) readers_[operand].push_back(&op);
  });
  // Readers first: those of an operation's results are after it, regions included.
  for (size_t k = ops.size(); k-- > 0;) {
    const ir::Op& op = *ops[k];
    if (dead_.contains(&op)) continue;
    bool read = std::any_of(op.results.begin(), op.results.end(), [&](const ir::Value* result) { return !unused(result); });
    if (op.code != ir::OpCode::Yield && !read && !ir::hasEffect(op)) bury(op);
    else
      for (size_t j = 0; j < op.operands.size(); ++j)
        if (!shown(*this, op, j)) forget(op.operands[j], op);
  }
  std::unordered_map<const ir::Op*, size_t> weights;
  ir::walk(function.body, [&](const ir::Op& op) {
    if (isDead(op)) return;
    size_t weight = 1;
    for (const ir::Value* operand : op.operands)
      if (operand->def != nullptr && inlined_.contains(operand->def)) weight += weights[operand->def];
    weights[&op] = weight;
    if (op.results.size() != 1 || !op.result()->name.empty() || isLiteral(op.result())) return;
    const auto& all = readers(op.result());
    if (all.size() != 1 || all[0]->parent != op.parent || weight >= kLargestExpression) return;
    if (inlinable(op, *all[0])) inlined_.insert(&op);
  });
}

const std::vector<const ir::Op*>& Uses::readers(const ir::Value* value) const {
  static const std::vector<const ir::Op*> none;
  auto found = readers_.find(value);
  return found == readers_.end() ? none : found->second;
}

// The operation of `region` in whose text `op` stands.
const ir::Op& Uses::written(const ir::Op& op, const ir::Region* region) const {
  const ir::Op* at = &op;
  for (;;) {
    while (isInlined(*at)) at = readers(at->result())[0];
    if (at->parent == region) return *at;
    at = at->parent->parent;
  }
}

bool Uses::endsAt(const ir::Value* value, const ir::Op& op) const {
  if (op.parent != value->region) return false;
  size_t here = 0;
  for (const ir::Op* reader : readers(value)) {
    const ir::Op& place = written(*reader, value->region);
    if (order_.at(&place) > order_.at(&op)) return false;
    if (&place == &op) ++here;
  }
  return here == 1;
}

std::vector<CarryMove> carryMoves(const Uses& uses, const ir::Region& region, std::span<ir::Value* const> args) {
  std::vector<CarryMove> moves;
  for (size_t k = 0; k < args.size(); ++k) {
    const ir::Value* next = region.yields()[k];
    if (next == args[k]) continue;
    bool expression = next->def != nullptr && uses.isInlined(*next->def);
    moves.push_back({k, next, expression || std::find(args.begin(), args.end(), next) != args.end()});
  }
  for (CarryMove& move : moves) move.aside = move.reads_carries && moves.size() > 1;
  return moves;
}

}  // namespace dini::emit
