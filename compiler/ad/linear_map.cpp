#include "ad/linear_map.h"

#include "batch/vmap.h"
#include "ad/linear.h"
#include "base/check.h"
#include "ir/walk.h"

namespace dini::ad {

using ir::OpCode;
using ir::Value;
using Values = std::vector<Value*>;

LinearMap::LinearMap(std::unique_ptr<ir::Function> function, size_t tangents, size_t outs)
    : function_(std::move(function)), tangents_(tangents), outs_(outs) {}

const ir::Type& LinearMap::tangentType(size_t which) const {
  const auto& parameters = function_->body.args;
  return parameters[parameters.size() - tangents_ + which]->type;
}

Values LinearMap::inlinePrimal(ir::Builder& b, std::span<Value* const> arguments) {
  const auto& parameters = function_->body.args;
  check(arguments.size() + tangents_ == parameters.size(), "arguments of an inlined primal part");
  for (size_t k = 0; k < arguments.size(); ++k) primal_[parameters[k]] = arguments[k];
  for (const auto& op : function_->body.ops)
    if (!hasLinearResult(*op) && op->code != OpCode::Yield) ir::cloneOp(b, *op, primal_);
  Values results;
  const auto& yields = function_->body.yields();
  for (size_t k = 0; k + outs_ < yields.size(); ++k)
    results.push_back(ir::mapped(primal_, yields[k]));
  return results;
}

namespace {

// Copies linear operations with zeros known: an operation all of whose linear operands are zero is
// dropped, a sum with one zero term is the other term.
class ZeroAwareCopy {
 public:
  // `shapes`: for parameters, a value of the same shape.
  ZeroAwareCopy(ir::Builder& b, ir::ValueMap& map, const ir::ValueMap& shapes)
      : b_(b), map_(map), shapes_(shapes) {}

  void copy(const ir::Op& op) {
    Values inputs = linearInputs(op);
    bool all_zero = true;
    for (Value* input : inputs) all_zero = all_zero && zero(input);
    if (all_zero) return;  // the results stay out of the map: zero
    if (op.code == OpCode::Add && zero(op.operand(0))) return alias(op, op.operand(1));
    if ((op.code == OpCode::Add || op.code == OpCode::Sub) && zero(op.operand(1)))
      return alias(op, op.operand(0));
    copyWhole(op);
  }
  Value* valueOf(Value* old) { return zero(old) ? zeros(old) : ir::mapped(map_, old); }

 private:
  bool zero(Value* old) const { return old->linear && !map_.contains(old); }

  void alias(const ir::Op& op, Value* operand) {
    Value* value = ir::mapped(map_, operand);
    if (value->type.isScalar() && !op.result()->type.isScalar()) return copyWhole(op);
    map_[op.result()] = value;
  }

  void copyWhole(const ir::Op& op) {
    for (Value* input : linearInputs(op))
      if (zero(input)) map_[input] = zeros(input);
    b_.setSpan(op.span);
    ir::cloneOp(b_, op, map_);
  }

  // Zeros for a value that was not copied. Where its size is dynamic, by the operation that makes it.
  Value* zeros(Value* old) {
    if (!old->type.isStatic() && old->def != nullptr) {
      copyWhole(*old->def);
      return map_.at(old);
    }
    Value* zero = b_.real(0.0);
    zero->linear = true;
    std::vector<Value*> sizes;
    if (old->type.isStatic()) {
      for (int64_t dim : old->type.dims) sizes.push_back(b_.integer(dim));
    } else {
      sizes = b_.dims(shapes_.at(old));
    }
    return sizes.empty() ? zero : b_.fill(zero, sizes);
  }

  ir::Builder& b_;
  ir::ValueMap& map_;
  const ir::ValueMap& shapes_;
};

}  // namespace

Values LinearMap::apply(ir::Builder& b, std::span<Value* const> tangents) const {
  check(tangents.size() == tangents_, "tangents of an inlined linear part");
  ir::ValueMap map = primal_;
  const auto& parameters = function_->body.args;
  for (size_t k = 0; k < tangents_; ++k)
    if (tangents[k] != nullptr) map[parameters[parameters.size() - tangents_ + k]] = tangents[k];
  ir::ValueMap shapes;
  for (size_t k = 0; k < shapes_.size(); ++k)
    shapes[parameters[parameters.size() - tangents_ + k]] = shapes_[k];
  ZeroAwareCopy copier(b, map, shapes);
  for (const auto& op : function_->body.ops)
    if (hasLinearResult(*op)) copier.copy(*op);
  Values results;
  const auto& yields = function_->body.yields();
  for (size_t k = yields.size() - outs_; k < yields.size(); ++k)
    results.push_back(copier.valueOf(yields[k]));
  return results;
}

Values LinearMap::basisImages(ir::Builder& b, size_t which) const {
  const ir::Type& type = tangentType(which);
  Values tangents(tangents_, nullptr);
  if (type.isScalar()) {
    tangents[which] = b.real(1.0);
    tangents[which]->linear = true;
    return apply(b, tangents);
  }
  check(type.isStatic() || which < shapes_.size(), "a tangent of unknown shape");
  Values sizes;
  for (size_t axis = 0; axis < type.rank(); ++axis)
    sizes.push_back(type.dims[axis] != ir::kDynamic
                        ? b.integer(type.dims[axis])
                        : b.dim(shapes_[which], static_cast<int64_t>(axis)));
  Value* n = product(b, sizes);
  Value* basis = identity(b, n);
  Values images = b.loop(n, {}, [&](ir::Builder& in, std::span<Value* const> args) {
    Value* e = in.index(basis, {args[0]});
    if (type.rank() != 1) e = in.reshape(e, sizes);
    tangents[which] = e;
    return apply(in, tangents);
  });
  images[0]->def->attrs.str = batch::kBasisLoop;
  return images;
}

Value* product(ir::Builder& b, std::span<Value* const> sizes) {
  int64_t known = 1;
  Value* unknown = nullptr;
  for (Value* size : sizes) {
    if (auto constant = ir::constantInt(size))
      known *= *constant;
    else
      unknown = unknown == nullptr ? size : b.op(OpCode::IMul, {unknown, size});
  }
  if (unknown == nullptr) return b.integer(known);
  return known == 1 ? unknown : b.op(OpCode::IMul, {unknown, b.integer(known)});
}

Values cutLike(ir::Builder& b, Value* vector, std::span<Value* const> like) {
  Values parts;
  Value* at = b.integer(0);
  for (Value* shape : like) {
    Values sizes = b.dims(shape);
    Value* count = product(b, sizes);
    if (sizes.empty()) {
      parts.push_back(b.index(vector, {at}));
    } else {
      Value* part = like.size() == 1 ? vector : b.slice(vector, {at}, {count});
      parts.push_back(sizes.size() == 1 ? part : b.reshape(part, sizes));
    }
    auto from = ir::constantInt(at), more = ir::constantInt(count);
    at = from && more ? b.integer(*from + *more) : b.op(OpCode::IAdd, {at, count});
  }
  return parts;
}

Value* identity(ir::Builder& b, Value* size) {
  Value* i = b.iota(size);
  Value* rows = b.broadcast(i, {0}, {size, size});
  Value* columns = b.broadcast(i, {1}, {size, size});
  Value* one = b.real(1.0);
  Value* equal = b.op(OpCode::IEq, {rows, columns});
  return b.select(equal, one, b.real(0.0));
}

void clearFlagsFrom(ir::Region& region, size_t from) {
  auto clear = [](const ir::Op& op) {
    for (Value* result : op.results) result->linear = false;
    for (const auto& nested : op.regions)
      for (Value* argument : nested->args) argument->linear = false;
  };
  for (size_t k = from; k < region.ops.size(); ++k) {
    clear(*region.ops[k]);
    for (const auto& nested : region.ops[k]->regions) ir::walk(*nested, clear);
  }
}

}  // namespace dini::ad
