// How much workspace a function needs: the static frame, and one polynomial in the dynamic sizes and
// int values of the parameters for every piece of memory whose size is known only at run time. The sum is enough
// whatever the data are, unless `exact` is false: then some piece depends on data (a tape of an
// unbounded `while`, a computed trip count), and what is known here is a minimum.
#pragma once

#include <map>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <llvm/IR/Value.h>

#include "ir/ir.h"
#include "types/size.h"

namespace dini::codegen {

struct MemoryBound {
  static constexpr uint32_t kIntParameter = 1u << 20;  // SizeName{kIntParameter + k}: parameter k
  struct Call {
    const ir::Function* callee = nullptr;
    std::vector<std::optional<types::Size>> sizes;  // given to the callee
  };
  // Of a result: its dynamic dimensions, or the value where it is one int; what each is at most.
  struct Result {
    std::vector<std::optional<types::Size>> dims;
    std::optional<types::Size> value;
  };
  int64_t frame = 0;                // bytes, aligned
  std::vector<types::Size> pieces;  // bytes; SizeName{k} is the k-th dynamic size; negative counts 0
  bool exact = true;
  std::vector<Call> calls = {};  // empty once they are added in
  std::vector<Result> results = {};
};

// The bound of a function with what it calls; recursion has none.
MemoryBound resolved(const std::map<const ir::Function*, MemoryBound>& functions,
                     const ir::Function& function);

// Values of the LLVM function being made, as polynomials in its dynamic sizes.
class SizeAnalysis {
 public:
  // `in` and `sizes` are the function's parameters that point at arguments and dynamic sizes.
  SizeAnalysis(const llvm::Value* in, const llvm::Value* sizes) : in_(in), sizes_(sizes) {}
  // An upper bound: rounding up to a power of two counts as adding its remainder. nullopt: no
  // polynomial.
  std::optional<types::Size> bound(const llvm::Value* value);
  // Says of a value that it is at most another.
  void limit(const llvm::Value* value, const llvm::Value* most) {
    const std::optional<types::Size> size = bound(most);
    if (!size) return;
    known_[value] = size;
    loose_.insert(value);
  }

 private:
  std::optional<types::Size> compute(const llvm::Value* value);
  std::optional<types::Size> ofPhi(const llvm::Value* value);

  const llvm::Value* in_;
  const llvm::Value* sizes_;
  std::unordered_map<const llvm::Value*, std::optional<types::Size>> known_;
  std::unordered_set<const llvm::Value*> loose_;  // perhaps less than their bound: not to be subtracted
};

}  // namespace dini::codegen
