// Square Jacobians with few entries: their pattern (analysis/sparsity.h), and columns in groups that share no row, so
// that one tangent shows all of a group. What `solve` uses in place of a dense Jacobian, in Newton's method and in
// the derivative of the solution, where sparsePlan() finds that it pays: at least kSparseFrom unknowns, at most a
// tenth of the entries, and at most a quarter as many groups as unknowns.
#pragma once

#include <optional>

#include "ad/ad.h"
#include "ad/linear_map.h"

namespace dini::ad {

inline constexpr int64_t kSparseFrom = 64;

struct SparsePlan {
  int64_t n = 0, groups = 0;
  std::vector<int64_t> rows, cols;  // of the entries, by rows, then columns
  std::vector<int64_t> group;       // of each column
};

// Of result 0, flat, by `count` parameters from `first` on; `outside` as in analysis::dependencies. None: dense.
std::optional<SparsePlan> sparsePlan(const ir::Function& function, size_t first, size_t count,
                                     std::span<ir::Value* const> outside);

// The entries, from images of one tangent per group; `first`: of the map's tangents, those from there on are the
// unknowns, of the shapes of `like`.
ir::Value* sparseEntries(ir::Builder& b, const LinearMap& map, size_t first, std::span<ir::Value* const> like,
                         const SparsePlan& plan);

// (params...) -> entries, by the one parameter that is active, a vector.
std::unique_ptr<ir::Function> sparseJacobian(ir::Module& module, const ir::Function& f, const Request& request,
                                             const SparsePlan& plan);

}  // namespace dini::ad
