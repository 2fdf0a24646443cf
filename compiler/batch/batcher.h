// Batching one map (a loop without carries), internal to this folder: every value of its body that
// depends on the index gets a leading axis, the batch. Values that do not are computed once. The
// index itself and index + c stay symbolic, so x[i + c] is a slice.
// Anything without a rule throws NotBatchable; vmap() then leaves the loop as it was.
// Per member, reductions keep their order: results are the same to the last bit (but for products
// that an engine hands to BLAS).
// batcher.cpp: values, elementwise, control; batcher_array.cpp: arrays and solves.
#pragma once

#include <unordered_map>
#include <unordered_set>

#include "batch/vmap.h"
#include "ir/builder.h"
#include "ir/clone.h"

namespace dini::batch {

struct NotBatchable {};

class Batcher {
 public:
  // The builder stands where the loop is.
  Batcher(ir::Builder& builder, const ir::Op& loop, Comparisons comparisons);
  // The stacked results of the loop.
  std::vector<ir::Value*> run();

  // The parts that fission.cpp puts together.
  void visit(ir::Builder& b, const ir::Op& op);
  ir::Value* batched(ir::Builder& b, ir::Value* old);  // with the leading axis, repeated if need be
  void set(const ir::Value* old, ir::Value* value);
  // A stand-in for the batched form of a value that is made later.
  ir::Value* place(ir::Value* old);
  // The value for one member.
  ir::Value* member(ir::Builder& b, ir::Value* old, ir::Value* index);

 private:
  // A value of the body in the batched code.
  struct Lane {
    enum class Kind { Uniform, Batched, Affine } kind = Kind::Uniform;
    ir::Value* value = nullptr;  // Affine: the offset c, or null for 0
  };
  void findDependent(const ir::Region& region);
  bool dependsOnIndex(const ir::Op& op) const;
  bool dependent(const ir::Value* old) const { return dependent_.contains(old); }

  Lane lane(ir::Value* old) const;
  bool isUniform(ir::Value* old) const { return lane(old).kind == Lane::Kind::Uniform; }
  bool isBatched(ir::Value* old) const { return !isUniform(old); }
  ir::Value* uniform(ir::Value* old) const;  // NotBatchable unless uniform
  std::vector<ir::Value*> uniforms(std::span<ir::Value* const> olds) const;
  void setUniform(const ir::Value* old, ir::Value* value);
  ir::Value* batchSize(ir::Builder& b) const;

  void visitOps(ir::Builder& b, const ir::Region& region);
  void hoist(ir::Builder& b, const ir::Op& op);
  bool affine(ir::Builder& b, const ir::Op& op);
  void elementwise(ir::Builder& b, const ir::Op& op);
  void loopRule(ir::Builder& b, const ir::Op& op);
  void ifRule(ir::Builder& b, const ir::Op& op);

  bool arrayRule(ir::Builder& b, const ir::Op& op);
  void shapeRules(ir::Builder& b, const ir::Op& op);
  void indexRule(ir::Builder& b, const ir::Op& op);
  void gatherIndexed(ir::Builder& b, const ir::Op& op);
  void updateRule(ir::Builder& b, const ir::Op& op);
  void addAtRule(ir::Builder& b, const ir::Op& op);
  bool columnSlice(ir::Builder& b, const ir::Op& op);
  void sliceRules(ir::Builder& b, const ir::Op& op);
  void gatherRules(ir::Builder& b, const ir::Op& op);
  void einsumRule(ir::Builder& b, const ir::Op& op);
  void solveRule(ir::Builder& b, const ir::Op& op);
  // Member number times `rows`, repeated over a second axis of size `count` where that is not null.
  ir::Value* rowOffsets(ir::Builder& b, ir::Value* rows, ir::Value* count);
  std::vector<ir::Value*> sizesAfter(ir::Builder& b, ir::Value* array, size_t from);

  ir::Builder& builder_;
  const ir::Op& loop_;
  Comparisons comparisons_;
  std::unordered_set<const ir::Value*> dependent_;
  std::unordered_map<const ir::Value*, Lane> lanes_;
};

}  // namespace dini::batch
