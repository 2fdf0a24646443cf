// Transposition, internal to this folder: one Reverse object copies the primal part of a split
// function and runs its linear part backwards. cotangent(u) of a linear value u is the sum of what
// the operations that read u contribute; it is complete when the walk reaches u's definition.
// reverse.cpp: walk and elementwise; reverse_array.cpp; reverse_control.cpp; reverse_sizes.cpp.
// A captured array's cotangent is threaded through regions: the region starts from what was
// accumulated before it and yields the new sum, so add_at and add_slice can work in place.
#pragma once

#include <algorithm>
#include <functional>
#include <unordered_map>

#include "ad/ad.h"
#include "ir/builder.h"
#include "ir/clone.h"

namespace dini::ad {

// Reads X[i + offset] of a captured array at the index of a loop: their contributions are stacked
// row by row instead of being added into X's cotangent one at a time.
struct RowSum {
  ir::Value* array = nullptr;   // X, in the source
  ir::Value* offset = nullptr;  // in the result; null: 0
  ir::Value* bar = nullptr;     // sum so far in this iteration
};

class Reverse {
 public:
  Reverse(const ir::Function& source, const Request& request, size_t outs)
      : source_(source),
        active_(request.active),
        tangents_(static_cast<size_t>(std::count(active_.begin(), active_.end(), true))),
        outs_(outs) {}
  std::unique_ptr<ir::Function> run();
  // After run(): the copy of a primal value of the source's body.
  ir::Value* copied(const ir::Value* primal) const { return primal_.at(primal); }

 private:
  ir::Value* x(ir::Value* old) const { return ir::mapped(primal_, old); }
  std::vector<ir::Value*> xs(std::span<ir::Value* const> olds) const;
  ir::Value* cotangent(const ir::Value* old) const;  // null: zero so far
  ir::Value* cotangentOrZero(ir::Builder& b, ir::Value* old);
  void setCotangent(const ir::Value* old, ir::Value* value) { bars_[old] = value; }
  // Adds `contribution` (of old's shape, or the result's shape where old is a scalar that was
  // broadcast) to the cotangent of a linear value; constants zero are passed over.
  void accumulate(ir::Builder& b, ir::Value* old, ir::Value* contribution);
  // The cotangent, made zeros first if there is none: to be added to in place.
  ir::Value* accumulator(ir::Builder& b, ir::Value* old) { return cotangentOrZero(b, old); }
  // Zeros shaped like a linear value, without reading it where its size is constant.
  ir::Value* zerosFor(ir::Builder& b, ir::Value* old);
  // Sizes of a linear value, which itself does not exist in the result: constants, or found in the
  // primal operands of its definition.
  std::vector<ir::Value*> sizesOf(ir::Builder& b, ir::Value* old);
  ir::Value* sizeOf(ir::Builder& b, ir::Value* old, size_t axis);
  ir::Value* elementwiseSize(ir::Builder& b, const ir::Op& op, size_t axis);
  ir::Value* arraySize(ir::Builder& b, ir::Value* old, size_t axis);
  ir::Value* sizeWithin(ir::Builder& in, const ir::Region& region,
                        const std::function<ir::Value*()>& emit);
  ir::Value* branchSize(ir::Builder& b, const ir::Value& old, size_t axis);
  ir::Value* firstIterationSize(ir::Builder& b, const ir::Value& old, size_t axis);
  ir::Value* calledSize(ir::Builder& b, const ir::Value& old, size_t axis);

  void copyPrimal(ir::Builder& b, const ir::Region& region);
  void transposeOps(ir::Builder& b, const ir::Region& region);
  void transposeOp(ir::Builder& b, const ir::Op& op);

  void elementwise(ir::Builder& b, const ir::Op& op, ir::Value* y_bar);
  bool arrayRule(ir::Builder& b, const ir::Op& op, ir::Value* y_bar);
  bool elementRule(ir::Builder& b, const ir::Op& op, ir::Value* y_bar);
  bool shapeRule(ir::Builder& b, const ir::Op& op, ir::Value* y_bar);
  bool pickRule(ir::Builder& b, const ir::Op& op, ir::Value* y_bar);
  void einsumRule(ir::Builder& b, const ir::Op& op, ir::Value* y_bar);
  void packRule(ir::Builder& b, const ir::Op& op, ir::Value* y_bar);
  void concatRule(ir::Builder& b, const ir::Op& op, ir::Value* y_bar);
  void indexRule(ir::Builder& b, const ir::Op& op, ir::Value* y_bar);
  void loopRule(ir::Builder& b, const ir::Op& op);
  void ifRule(ir::Builder& b, const ir::Op& op);
  void callRule(ir::Builder& b, const ir::Op& op);
  // Captured linear values of the regions of an operation.
  std::vector<ir::Value*> linearCaptures(const ir::Op& op) const;
  struct LoopPlan;
  LoopPlan planLoop(ir::Builder& b, const ir::Op& op);
  std::vector<ir::Value*> loopBody(ir::Builder& b, const ir::Op& op, LoopPlan& plan,
                                   std::span<ir::Value* const> args);
  bool anyCotangent(const ir::Op& op) const;

  const ir::Function& source_;
  std::vector<bool> active_;  // of the primal parameters
  size_t tangents_, outs_;
  std::unique_ptr<ir::Function> result_;
  ir::ValueMap primal_;
  std::unordered_map<const ir::Value*, ir::Value*> bars_;
  // Of the source's linear parameters: a value of the result with the same sizes.
  std::unordered_map<const ir::Value*, ir::Value*> shaped_like_;
  std::unordered_map<const ir::Op*, RowSum*> row_reads_;  // of the loops being transposed
};

}  // namespace dini::ad
