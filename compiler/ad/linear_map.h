// A split (or transposed) function taken apart: its primal part is inlined once, its linear part as
// often as there are tangents to push through. Zero tangents are passed as null and cost nothing.
#pragma once

#include <memory>
#include <vector>

#include "ir/builder.h"
#include "ir/clone.h"

namespace dini::ad {

class LinearMap {
 public:
  // The last `tangents` parameters and the last `outs` results are linear.
  LinearMap(std::unique_ptr<ir::Function> function, size_t tangents, size_t outs);
  // One value per tangent, of its shape: sizes that are not in the tangents' types are read from them.
  void setShapes(std::vector<ir::Value*> shapes) { shapes_ = std::move(shapes); }
  // Inlines the primal part; gives the primal results.
  std::vector<ir::Value*> inlinePrimal(ir::Builder& b, std::span<ir::Value* const> arguments);
  // Inlines the linear part, at the primal part's position or in a region inside it.
  std::vector<ir::Value*> apply(ir::Builder& b, std::span<ir::Value* const> tangents) const;
  // The linear part applied to every basis vector of tangent `which`, the other tangents zero. For
  // each result an array [number of basis vectors] ++ dims(result); without the first axis where
  // the tangent is a scalar.
  std::vector<ir::Value*> basisImages(ir::Builder& b, size_t which) const;
  size_t tangents() const { return tangents_; }
  size_t outs() const { return outs_; }
  // The split function, and its primal values as inlined.
  const ir::Function& function() const { return *function_; }
  const ir::ValueMap& primal() const { return primal_; }
  const ir::Type& tangentType(size_t which) const;

 private:
  std::unique_ptr<ir::Function> function_;
  size_t tangents_, outs_;
  std::vector<ir::Value*> shapes_;
  ir::ValueMap primal_;
};

// The n x n identity, row by row the basis vectors.
ir::Value* identity(ir::Builder& b, ir::Value* n);
// The number of elements of an array of these sizes.
ir::Value* product(ir::Builder& b, std::span<ir::Value* const> sizes);
// A flat vector cut into parts of these shapes.
std::vector<ir::Value*> cutLike(ir::Builder& b, ir::Value* vector, std::span<ir::Value* const> like);
// Clears the linear flags of the operations of the builder's region from position `from` on.
void clearFlagsFrom(ir::Region& region, size_t from);

}  // namespace dini::ad
