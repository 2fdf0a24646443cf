// Which primal values of a region its linear part reads, and how each gets there: captured,
// recomputed, or saved (a residual). Rules, by cost:
// - values of enclosing regions, the loop index and invariant carries are free;
// - a cheap operation on free values is recomputed;
// - an operation that only the linear part uses moves there if that saves less memory than its
//   result takes; it is then computed once, in the linear part;
// - an array of dynamic size is not stacked over the iterations of a loop, where it may differ in
//   size: what makes it runs again in the linear part (without its prints);
// - a factorisation is saved, and for a tape, which many calls read, all that is not cheap;
// - everything else is saved.
#pragma once

#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "ir/builder.h"
#include "ir/clone.h"

namespace dini::ad {

class Residuals {
 public:
  // How residuals are kept: a stack over the iterations of a loop, a result of a branch, or a tape
  // that the linear part is given again and again.
  enum class Keep { Stacked, Once, Tape };
  // `free`: region arguments that the linear part has anyway (old -> its value there is given to
  // `materialise` through the map).
  // `needs`: values that are needed besides what linear operations read.
  Residuals(const ir::Region& region, Keep keep, std::unordered_set<const ir::Value*> free,
            std::vector<ir::Value*> needs = {});
  // Values of the region to be saved, in order.
  const std::vector<ir::Value*>& saved() const { return saved_; }
  // The value in the linear part; `map` holds the free arguments and the loaded residuals, and
  // receives what is recomputed.
  ir::Value* materialise(ir::Builder& b, ir::Value* value, ir::ValueMap& map) const;
  // One linear operation, and all of the region, materialising what they read.
  void copyLinear(ir::Builder& b, const ir::Op& op, ir::ValueMap& map) const;
  void copyLinear(ir::Builder& b, ir::ValueMap& map) const;
  void copyPrimal(ir::Builder& b, ir::ValueMap& map) const;

 private:
  using Set = std::vector<ir::Value*>;  // without duplicates, small
  void findLive();
  void collectNeeds();
  const Set& saves(ir::Value* value);
  Set computeSaves(ir::Value* value);
  std::vector<ir::Value*> inputs(const ir::Op& op) const;
  bool isLocal(const ir::Value* value) const { return value->region == &region_; }

  const Set& leaves(ir::Value* value);
  void dropDerived();
  bool canSave(const ir::Value* value) const;
  bool mayMove(const ir::Op& op) const;

  const ir::Region& region_;
  Keep keep_;
  std::unordered_set<const ir::Value*> free_;
  std::unordered_set<const ir::Op*> live_;  // needed by the primal part
  std::vector<ir::Value*> needs_;
  std::unordered_map<const ir::Value*, Set> memo_, leaves_;
  std::vector<ir::Value*> saved_;
  std::unordered_set<const ir::Value*> is_saved_;
};

// A value to stand where the real one was not computed: zeros, dynamic sizes 0.
ir::Value* dummy(ir::Builder& b, const ir::Type& type, bool linear);

}  // namespace dini::ad
