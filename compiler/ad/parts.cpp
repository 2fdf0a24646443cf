#include "ad/parts.h"

#include <algorithm>
#include <unordered_set>

#include "ad/linear.h"
#include "ad/residuals.h"
#include "base/check.h"
#include "ir/clone.h"

namespace dini::ad {

using ir::Value;
using Values = std::vector<Value*>;

namespace {

using Operations = std::unordered_set<const ir::Op*>;

// The operations that depend on some of the parameters. Their results are flagged linear: that is
// what Residuals takes for the part that is not the primal one.
Operations dependents(ir::Function& function, std::span<Value* const> parameters) {
  std::unordered_set<const Value*> moved;
  for (Value* parameter : parameters) {
    parameter->linear = true;
    moved.insert(parameter);
  }
  Operations found;
  const auto moves = [&](const Value* value) { return moved.contains(value); };
  for (const auto& op : function.body.ops) {
    bool depends = std::any_of(op->operands.begin(), op->operands.end(), moves);
    for (const auto& region : op->regions) {
      const Values captured = ir::captures(*region);
      depends = depends || std::any_of(captured.begin(), captured.end(), moves);
    }
    if (!depends || op->code == ir::OpCode::Yield) continue;
    check(!op->results.empty(), "an effect that depends on a tangent");
    found.insert(op.get());
    for (Value* result : op->results) {
      result->linear = true;
      moved.insert(result);
    }
  }
  return found;
}

// What a result needs that is no linear value: a zero of some size, a copied int.
Values notLinear(std::span<Value* const> results) {
  Values found;
  for (Value* value : results)
    if (!value->linear && std::find(found.begin(), found.end(), value) == found.end())
      found.push_back(value);
  return found;
}

class Parting {
 public:
  Parting(const ir::Function& both, const PartCounts& counts)
      : source_(ir::clone(both, both.name)), counts_(counts) {
    const size_t first = source_->body.args.size() - counts.tangents - counts.cotangents;
    parameters_ = std::span<Value* const>(source_->body.args);
    tangents_ = parameters_.subspan(first, counts.tangents);
    cotangents_ = parameters_.last(counts.cotangents);
    parameters_ = parameters_.first(first);
    results_ = std::span<Value* const>(source_->body.yields());
  }

  Parts run() {
    const Operations along = dependents(*source_, tangents_),
                     back = dependents(*source_, cotangents_);
    for (const ir::Op* op : along) check(!back.contains(op), "the two maps of a linearisation mix");
    for (const Value* value : results_.first(counts_.values))
      check(!value->linear, "a value that depends on a tangent");
    const Residuals residuals(source_->body, Residuals::Keep::Tape, {},
                              notLinear(results_.subspan(counts_.values)));
    const Values& saved = residuals.saved();
    Parts parts;
    parts.residuals = saved.size();
    parts.forward = forward(residuals, saved);
    parts.tangent = linear("_tan", residuals, saved, along, tangents_,
                           results_.subspan(counts_.values, counts_.value_tangents));
    parts.backward = linear("_bwd", residuals, saved, back, cotangents_,
                            results_.subspan(counts_.values + counts_.value_tangents));
    return parts;
  }

 private:
  std::unique_ptr<ir::Function> begun(const char* suffix) const {
    auto made = std::make_unique<ir::Function>(source_->name + suffix);
    made->span = source_->span;
    return made;
  }

  std::unique_ptr<ir::Function> forward(const Residuals& residuals, const Values& saved) const {
    auto made = begun("_fwd");
    ir::ValueMap map;
    for (const Value* parameter : parameters_)
      map[parameter] = made->addParameter(parameter->type, parameter->name);
    ir::Builder b(*made, made->body);
    b.setSpan(made->span);
    residuals.copyPrimal(b, map);
    Values results;
    for (Value* value : results_.first(counts_.values)) results.push_back(ir::mapped(map, value));
    for (Value* value : saved) results.push_back(ir::mapped(map, value));
    return finished(std::move(made), b, std::move(results));
  }

  std::unique_ptr<ir::Function> linear(const char* suffix, const Residuals& residuals,
                                       const Values& saved, const Operations& operations,
                                       std::span<Value* const> seeds,
                                       std::span<Value* const> results) const {
    auto made = begun(suffix);
    ir::ValueMap map;
    for (const Value* value : saved) map[value] = made->addParameter(value->type, value->name);
    for (const Value* seed : seeds) map[seed] = made->addParameter(seed->type, seed->name);
    ir::Builder b(*made, made->body);
    b.setSpan(made->span);
    for (const auto& op : source_->body.ops)
      if (operations.contains(op.get())) residuals.copyLinear(b, *op, map);
    Values yielded;
    for (Value* value : results) yielded.push_back(residuals.materialise(b, value, map));
    return finished(std::move(made), b, std::move(yielded));
  }

  static std::unique_ptr<ir::Function> finished(std::unique_ptr<ir::Function> made, ir::Builder& b,
                                                Values results) {
    b.yield(std::move(results));
    eraseLinearFlags(*made);
    ir::eraseDead(*made);
    return made;
  }

  std::unique_ptr<ir::Function> source_;
  PartCounts counts_;
  std::span<Value* const> parameters_, tangents_, cotangents_, results_;
};

}  // namespace

Parts partsOf(const ir::Function& both, const PartCounts& counts) {
  return Parting(both, counts).run();
}

}  // namespace dini::ad
