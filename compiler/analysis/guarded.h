// Which values may be dropped downstream: they flow into an operation that reads only a part of
// its operands (select, choose, index, a region that may not run, ...). Their cotangents may be
// exactly zero where their derivative is infinite or NaN, so products on their way back must be
// zero-preserving (safe_mul). Everything else uses plain products.
#pragma once

#include <unordered_set>

#include "ir/ir.h"

namespace dini::analysis {

enum class Caller { UsesEverything, MayDropResults };

class Guarded {
 public:
  explicit Guarded(const ir::Function& function, Caller caller = Caller::UsesEverything);
  bool contains(const ir::Value* value) const { return values_.contains(value); }
  bool anyResult(const ir::Op& op) const;

 private:
  void visitRegion(const ir::Region& region);
  void visit(const ir::Op& op);
  void mark(const ir::Value* value);
  std::unordered_set<const ir::Value*> values_;
  bool changed_ = false;
};

}  // namespace dini::analysis
