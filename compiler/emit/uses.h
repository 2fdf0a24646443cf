// Who reads a value, which operations are written inside the expression of their only reader, and
// where an array may be overwritten because nothing reads it afterwards.
#pragma once

#include <functional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "ir/ir.h"

namespace dini::emit {

class Uses {
 public:
  // `inlinable(op, reader)`: the operation may stand in the reader's expression.
  using Rule = std::function<bool(const ir::Op& op, const ir::Op& reader)>;
  // `shown(uses, op, k)`: the text of the operation shows its operand k, as far as its results and
  // those around it are read.
  using Shown = std::function<bool(const Uses& uses, const ir::Op& op, size_t k)>;
  Uses(const ir::Function& function, const Rule& inlinable, const Shown& shown);

  const std::vector<const ir::Op*>& readers(const ir::Value* value) const;
  bool unused(const ir::Value* value) const { return readers(value).empty(); }
  // Without effect, and nothing that is written reads it.
  bool isDead(const ir::Op& op) const { return dead_.contains(&op); }
  bool isInlined(const ir::Op& op) const { return inlined_.contains(&op); }
  // Nothing reads the value after `op`, which is written in the value's own region and reads it once.
  bool endsAt(const ir::Value* value, const ir::Op& op) const;

 private:
  void forget(const ir::Value* value, const ir::Op& reader);
  void bury(const ir::Op& op);
  const ir::Op& written(const ir::Op& op, const ir::Region* region) const;

  std::unordered_map<const ir::Value*, std::vector<const ir::Op*>> readers_;
  std::unordered_map<const ir::Op*, size_t> order_;
  std::unordered_set<const ir::Op*> inlined_, dead_;
};

// A constant scalar: written as a literal wherever it is read.
inline bool isLiteral(const ir::Value* value) {
  return value->def != nullptr && value->def->code == ir::OpCode::Const && value->type.isScalar();
}
inline bool isRealLiteral(const ir::Value* value, double number) {
  return isLiteral(value) && value->type.isReal() && value->def->attrs.f == number;
}

// A carry that gets another value at the end of an iteration. All change at once: `aside` where the new
// value reads carries and others change too.
struct CarryMove {
  size_t carry = 0;
  const ir::Value* next = nullptr;
  bool reads_carries = false, aside = false;
};
std::vector<CarryMove> carryMoves(const Uses& uses, const ir::Region& region, std::span<ir::Value* const> args);

}  // namespace dini::emit
