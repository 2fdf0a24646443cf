// A linear map of which only some rows are wanted and whose tangents are zero but for some columns:
// what gathers rows of its result and spreads its tangents moves through the operations to the arrays
// they multiply, so that a product costs by its gathered factor. Elementwise operations commute with
// gathering; the rows of a product are the product with gathered rows, its columns by a spread
// tangent the product with gathered columns. Any other operation gets its operands spread and is
// computed whole, which is right as well. Sizes are constant but for those of the sets.
// Not here: which rows and columns those are (active_rows.h).
#pragma once

#include <map>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "ad/linear_map.h"

namespace dini::ad {

// Positions along an axis, increasing: i64[count].
struct PositionSet {
  ir::Value *positions = nullptr, *count = nullptr;
};

// How much of an array there is: all of it, or its entries at the set's positions along an axis.
struct Part {
  const PositionSet* set = nullptr;
  size_t axis = 0;
  bool whole() const { return set == nullptr; }
  bool operator==(const Part&) const = default;
};

class RestrictedMap {
 public:
  // Per tangent of `map` (whose primal part is inlined) and per linear result: how it is given,
  // respectively wanted; nothing: it is zero, respectively not wanted. Gathers factors where the
  // builder stands.
  RestrictedMap(ir::Builder& b, const LinearMap& map, std::vector<std::optional<Part>> tangents,
                std::vector<std::optional<Part>> results);
  // Values of the tangents as they are given, null for zeros; null for results that are not wanted.
  std::vector<ir::Value*> apply(ir::Builder& b, std::span<ir::Value* const> tangents) const;

 private:
  // How an operation that is not left out is computed.
  struct Plan {
    std::vector<Part> operands;  // of each linear operand
    Part result;
    std::vector<ir::Value*> primal;  // factors in place of primal operands; null: as they stand
  };
  using Demands = std::unordered_map<const ir::Value*, Part>;
  using Arrays = std::unordered_map<const ir::Value*, ir::Value*>;

  void findNonzero();
  void findDemands();
  void demand(const ir::Value* value, Part part);
  void demandOfOperands(const ir::Op& op, Part wanted);
  bool zero(const ir::Value* value) const { return value->linear && !nonzero_.contains(value); }
  bool computed(const ir::Op& op) const;
  Part wanted(const ir::Value* value) const { return demands_.at(value); }
  Part form(const ir::Value* value) const;

  Plan planned(ir::Builder& b, const ir::Op& op);
  Plan elementwise(ir::Builder& b, const ir::Op& op);
  Plan einsum(ir::Builder& b, const ir::Op& op);
  ir::Value* factor(ir::Builder& b, ir::Value* old, const std::vector<Part>& parts);

  void copy(ir::Builder& b, const ir::Op& op, Arrays& values) const;
  void copyWhole(ir::Builder& b, const ir::Op& op, Arrays& values) const;
  ir::Value* operand(ir::Builder& b, ir::Value* old, Part as, Arrays& values) const;

  const ir::Function& function_;
  const ir::ValueMap& primal_;
  size_t first_tangent_, first_result_;
  std::vector<std::optional<Part>> results_;
  std::unordered_map<const ir::Value*, Part> nonzero_;  // with what is known of each form
  Demands demands_;
  std::unordered_map<const ir::Op*, Plan> plans_;
  std::map<std::tuple<ir::Value*, const PositionSet*, size_t>, ir::Value*> factors_;
};

// The entries of an array of constant or gathered sizes at the set's positions along an axis.
ir::Value* gathered(ir::Builder& b, ir::Value* array, Part part);
// Zeros of type `type` but for `array` at the set's positions: the transpose.
ir::Value* spreadOut(ir::Builder& b, ir::Value* array, Part part, const ir::Type& type);
// Linear zeros of a constant type, of which a part.
ir::Value* zerosOf(ir::Builder& b, const ir::Type& type, Part part);

}  // namespace dini::ad
