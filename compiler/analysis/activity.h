// Which values depend differentiably on chosen parameters. A value that does not gets no tangent.
// Flow-insensitive inside loops: a carry is active if any iteration could make it so.
#pragma once

#include <unordered_set>
#include <vector>

#include "ir/ir.h"

namespace dini::analysis {

class Activity {
 public:
  Activity(const ir::Function& function, const std::vector<bool>& active_parameters);
  bool active(const ir::Value* value) const { return active_.contains(value); }
  // Whether a result of the operation is active.
  bool active(const ir::Op& op) const;

 private:
  void visitRegion(const ir::Region& region);
  void visit(const ir::Op& op);
  void visitLoop(const ir::Op& op);
  void visitWhile(const ir::Op& op);
  bool mark(const ir::Value* value);
  bool any(std::span<ir::Value* const> values) const;
  std::unordered_set<const ir::Value*> active_;
  bool changed_ = false;
};

}  // namespace dini::analysis
