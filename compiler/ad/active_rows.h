// Which elements of the values of a root's equations may move, found while the program runs: beside a
// copy of the equations at the solution stand conditions, one per element, that are false where every
// derivative is zero because the branch taken of a switch is constant there. A switch on its tie (or
// within `tie_bound` of it) counts as taking both branches, so that weights of ties keep their meaning.
// Two kinds are told apart: movement with the unknowns and with the captured values that move.
// Conditions are upper bounds: true is always right. Mathematics: docs/design/reduction.md.
// Not here: what is made of them (reduced_root.cpp).
#pragma once

#include <map>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "ir/builder.h"
#include "ir/clone.h"

namespace dini::ad {

// Of one value. Some: `condition` has its shape.
struct Movement {
  enum class Kind { None, Some, All } kind = Kind::None;
  ir::Value* condition = nullptr;
  bool some() const { return kind == Kind::Some; }
};

class ActiveRows {
 public:
  // `map`: the copies of captured values and, for the arguments of the region, the solutions.
  // `moving`: the captured values that move.
  ActiveRows(ir::Builder& b, const ir::Region& equations, ir::ValueMap map,
             std::span<ir::Value* const> moving, double tie_bound);

  Movement byUnknowns(const ir::Value* value) const { return of(by_unknowns_, value); }
  Movement byCaptured(const ir::Value* value) const { return of(by_captured_, value); }
  ir::Value* valueOf(ir::Value* old) const { return ir::mapped(map_, old); }
  // Whether a switch is nearer to its tie than `relative` times the magnitude of its terms plus
  // `absolute`.
  ir::Value* nearTie(ir::Builder& b, ir::Value* relative, double absolute) const;

 private:
  using Movements = std::unordered_map<const ir::Value*, Movement>;
  // A switch p - q, and the sum of the magnitudes of the terms that form it.
  struct Switch {
    ir::Value *difference, *magnitude;
  };
  static Movement of(const Movements& movements, const ir::Value* value);
  void enter(ir::Builder& b, const ir::Op& op);
  void visit(ir::Builder& b, const ir::Op& op, Movements& movements);
  Movement elementwise(ir::Builder& b, const ir::Op& op, const Movements& movements);
  Movement branches(ir::Builder& b, const ir::Op& op, Movement first, Movement second);
  Movement moved(ir::Builder& b, const ir::Op& op, const Movements& movements);
  // Without a rule of its own: everything, if anything that the operation reads moves.
  Movement whole(const ir::Op& op, const Movements& movements) const;
  // As a condition in the shape of `like`.
  ir::Value* spread(ir::Builder& b, Movement movement, ir::Value* like);
  // The condition of these operands, made once: equal conditions are seen by their value.
  ir::Value* combined(ir::Builder& b, ir::OpCode code, ir::Value* first, ir::Value* second = nullptr);
  Movement either(ir::Builder& b, Movement first, Movement second, ir::Value* like);

  ir::ValueMap map_;
  Movements by_unknowns_, by_captured_;
  std::vector<Switch> switches_;
  std::map<std::tuple<ir::OpCode, ir::Value*, ir::Value*>, ir::Value*> combined_;
  ir::Value* bound_;  // null: exact ties only
};

}  // namespace dini::ad
