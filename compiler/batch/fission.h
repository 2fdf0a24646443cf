// Maps of which only a part can be batched, internal to this folder. The body is cut in three:
// what does not need the rest is batched before, the rest (solves, calls, checks, loops of varying
// length) stays in a loop over the members, and what only reads its results is batched after.
// A batch of equations thus gets its matrix-vector products as matrix-matrix products, in reverse
// mode too. Effects all stay in the loop, in order.
#pragma once

#include <unordered_set>

#include "batch/batcher.h"

namespace dini::batch {

class Fission {
 public:
  // `at`: position of the loop in the region.
  Fission(ir::Function& function, ir::Region& region, size_t at, Comparisons comparisons);
  // The stacked results of the loop, or none where cutting does not pay. What was built stands
  // before the loop, also in the second case.
  std::vector<ir::Value*> run();

 private:
  using Ops = std::unordered_set<const ir::Op*>;
  bool grow();  // one trial with the present core; true if the core grew
  void closeCore();
  bool sinkCheapReads();
  bool keepVaryingSizes();
  bool keepPrimalValues();
  bool dependsOn(const ir::Op& op, const Ops& ops) const;
  bool pays() const;
  std::vector<ir::Value*> coreResults() const;
  void buildCore(size_t position, Batcher& batcher,
                 const std::unordered_map<const ir::Value*, ir::Value*>& placeholders);
  void eraseMade();

  ir::Function& function_;
  ir::Region& region_;
  size_t at_, before_;
  const ir::Op& loop_;
  const ir::Region& body_;
  Comparisons comparisons_;
  Ops core_;
};

}  // namespace dini::batch
