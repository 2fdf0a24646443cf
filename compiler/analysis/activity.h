// Which values depend differentiably on chosen parameters. A value that does not gets no tangent.
// Flow-insensitive inside loops: a carry is active if any iteration could make it so.
#pragma once

#include <unordered_set>
#include <vector>

#include "ir/ir.h"

namespace dini::analysis {

class Activity {
 public:
  // The first `results` results are differentiated.
  Activity(const ir::Function& function, const std::vector<bool>& active_parameters,
           size_t results = SIZE_MAX);
  // Depends on the parameters, and the results depend on it other than through tie weights, which
  // are constant for differentiation.
  bool active(const ir::Value* value) const {
    return active_.contains(value) && useful_.contains(value);
  }
  // Of reals: whether the results depend on it other than through tie weights.
  bool useful(const ir::Value* value) const { return useful_.contains(value); }
  bool depends(const ir::Value* value) const { return active_.contains(value); }
  // Whether a result of the operation is active.
  bool active(const ir::Op& op) const;

 private:
  void visitRegion(const ir::Region& region);
  void visit(const ir::Op& op);
  void visitLoop(const ir::Op& op);
  void visitWhile(const ir::Op& op);
  bool mark(const ir::Value* value);
  bool any(std::span<ir::Value* const> values) const;
  void findUseful(const ir::Region& region);
  void useCarries(std::span<ir::Value* const> results, std::span<ir::Value* const> args,
                  std::span<ir::Value* const> inits, std::span<ir::Value* const> yields);
  void useOperands(const ir::Op& op);
  bool use(const ir::Value* value);
  std::unordered_set<const ir::Value*> active_;
  std::unordered_set<const ir::Value*> useful_;
  bool changed_ = false;
};

}  // namespace dini::analysis
