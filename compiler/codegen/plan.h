// Decisions made before emission: which arrays stay virtual (computed where they are read, so that
// chains of elementwise operations, views and the reductions that consume them become one loop),
// and until when each value's memory is needed.
#pragma once

#include <unordered_map>
#include <unordered_set>

#include "ir/ir.h"

namespace dini::codegen {

class Plan {
 public:
  explicit Plan(const ir::Function& function);

  bool isVirtual(const ir::Value* value) const { return virtual_.contains(value); }
  // `op` adds a box at constant places to an array of which all elements are one scalar, or to such
  // a sum that nothing else reads: the result is written in one pass, piece by piece.
  bool isPadding(const ir::Op& op) const { return paddingDepth(op) > 0; }
  // Index, in the region that defines `value`, of the last operation that reads it, through virtual
  // values and views too. 0 where nothing does.
  size_t lastUse(const ir::Value* value) const;
  // `op` itself, once, is all that reads the value in or inside it, virtual values that are
  // computed from it included.
  bool soleUse(const ir::Value* value, const ir::Op& op) const;

 private:
  struct Use {
    const ir::Op* op;
    size_t operand;
  };
  void collectUses(const ir::Region& region);
  void decideRegion(const ir::Region& region);
  void extendRegion(const ir::Region& region);
  bool shouldBeVirtual(const ir::Op& op) const;
  bool readOnce(const ir::Op& op, int depth) const;
  bool repeatsTranspose(const ir::Op& op) const;
  // Reads of the value, or of virtual ones computed from it, by `op` or inside it.
  size_t readsOf(const ir::Value* value, const ir::Region* home, const ir::Op& op) const;
  bool cheapToRepeat(const ir::Op& op) const;
  int paddingDepth(const ir::Op& op) const;
  bool paddedByUser(const ir::Op& op) const;
  void noteUse(const ir::Value* value, const ir::Op* at);

  std::unordered_map<const ir::Value*, std::vector<Use>> uses_;
  std::unordered_map<const ir::Op*, size_t> position_;
  std::unordered_map<const ir::Value*, size_t> last_use_;
  std::unordered_set<const ir::Value*> virtual_;
};

// Views: operations that only say where an element is found.
bool isIndexMap(ir::OpCode code);
// What one evaluation costs, about, in additions; views are free.
int costOf(const ir::Op& op);
// An einsum without contracted letters.
bool isOuterProduct(const ir::Op& op);
// Where the operation is found in its region's list of the region that defines `value`: the
// operation itself or the one that encloses it.
const ir::Op* enclosingIn(const ir::Region* region, const ir::Op* op);
const ir::Region* regionOf(const ir::Value* value);

}  // namespace dini::codegen
