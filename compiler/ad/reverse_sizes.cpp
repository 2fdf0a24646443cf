// Dynamic sizes of linear values. Such a value does not exist in the transposed program, so its sizes
// are read off primal values: size operands, and the primal operands of what made it. A size that is
// known only inside a branch or a loop is computed there: the same `if`, or the first iteration, with
// the primal part of the region and the size as its result.
#include <algorithm>
#include <iterator>

#include "ad/calls.h"
#include "ad/inverses.h"
#include "ad/reverse.h"
#include "ir/type_rules.h"

namespace dini::ad {

using ir::OpCode;
using ir::Value;
using Values = std::vector<Value*>;

Values Reverse::sizesOf(ir::Builder& b, Value* old) {
  Values sizes;
  for (size_t axis = 0; axis < old->type.rank(); ++axis) sizes.push_back(sizeOf(b, old, axis));
  return sizes;
}

Value* Reverse::sizeOf(ir::Builder& b, Value* old, size_t axis) {
  if (old->type.dims[axis] != ir::kDynamic) return b.integer(old->type.dims[axis]);
  if (!old->linear) return b.dim(x(old), axis);
  if (auto like = shaped_like_.find(old); like != shaped_like_.end())
    return b.dim(like->second, static_cast<int64_t>(axis));
  Value* size = nullptr;
  if (old->def != nullptr) {
    size = ir::isElementwise(old->def->code) ? elementwiseSize(b, *old->def, axis)
                                             : arraySize(b, old, axis);
  } else if (const ir::Op* owner = old->region->parent;
             owner != nullptr && owner->code == OpCode::Loop && old->index > 0) {
    size = sizeOf(b, owner->operands[old->index], axis);  // a carry: as its start
  }
  if (size == nullptr)
    throw Unsupported("the size of this array is not known where its cotangent is needed",
                      old->def ? old->def->span : source_.span);
  return size;
}

// Of a primal operand if one has all axes, else of a linear one.
Value* Reverse::elementwiseSize(ir::Builder& b, const ir::Op& op, size_t axis) {
  size_t rank = op.result()->type.rank();
  for (bool linear : {false, true})
    for (Value* operand : op.operands)
      if (operand->type.rank() == rank && operand->linear == linear)
        return sizeOf(b, operand, axis);
  return nullptr;
}

namespace {

// The axis of the operand that axis `axis` of a reduction's result was.
size_t axisBefore(const std::vector<int64_t>& reduced, size_t axis) {
  size_t from = 0;
  for (size_t kept = 0;; ++from) {
    bool gone = std::find(reduced.begin(), reduced.end(), static_cast<int64_t>(from)) != reduced.end();
    if (!gone && kept++ == axis) return from;
  }
}

}  // namespace

// Null: unknown here.
Value* Reverse::arraySize(ir::Builder& b, Value* old, size_t axis) {
  const ir::Op& op = *old->def;
  auto dynamicOperand = [&](size_t first) {  // the size operand of this axis
    size_t at = first;
    for (size_t k = 0; k < axis; ++k) at += old->type.dims[k] == ir::kDynamic ? 1 : 0;
    return x(op.operand(at));
  };
  switch (op.code) {
    case OpCode::Fill:
    case OpCode::Reshape:
    case OpCode::Broadcast: return dynamicOperand(1);
    case OpCode::Slice: return dynamicOperand(1 + op.operand(0)->type.rank());
    case OpCode::Index: return sizeOf(b, op.operand(0), axis + op.operands.size() - 1);
    case OpCode::Gather:
      return axis == 0 ? b.dim(x(op.operand(1)), 0) : sizeOf(b, op.operand(0), axis);
    case OpCode::Update:
    case OpCode::AddAt:
    case OpCode::UpdateSlice:
    case OpCode::AddSlice:
    case OpCode::ScatterAdd:
    case OpCode::Flip:
    case OpCode::ReducePickT: return sizeOf(b, op.operand(0), axis);
    case OpCode::Transpose:
      return sizeOf(b, op.operand(0), static_cast<size_t>(op.attrs.ints[axis]));
    case OpCode::SortPick:
    case OpCode::SortPickT:
    case OpCode::LinearSolve: return sizeOf(b, op.operand(1), axis);
    case OpCode::SolveFactored: return sizeOf(b, op.operand(2), axis);
    case OpCode::SparseSolve: return sizeOf(b, op.operand(3), axis);
    case OpCode::Pack: return sizeOf(b, op.operand(0), axis - 1);
    case OpCode::Concat: {
      if (axis != static_cast<size_t>(op.attrs.i)) return sizeOf(b, op.operand(0), axis);
      Value* total = sizeOf(b, op.operand(0), axis);
      for (size_t k = 1; k < op.operands.size(); ++k)
        total = b.op(OpCode::IAdd, {total, sizeOf(b, op.operand(k), axis)});
      return total;
    }
    case OpCode::Reduce: return sizeOf(b, op.operand(0), axisBefore(op.attrs.ints, axis));
    case OpCode::ReducePick: return sizeOf(b, op.operand(0), axisBefore(op.attrs.ints, axis));
    case OpCode::Einsum: {
      ir::EinsumSpec spec = ir::parseEinsum(op.attrs.str);
      size_t in_a = spec.a.find(spec.result[axis]);
      if (in_a != std::string::npos) return sizeOf(b, op.operand(0), in_a);
      return sizeOf(b, op.operand(1), spec.b.find(spec.result[axis]));
    }
    case OpCode::Loop:
      if (old->index < op.operands.size() - 1) return sizeOf(b, op.operand(old->index + 1), axis);
      return axis == 0 ? x(op.operand(0)) : firstIterationSize(b, *old, axis - 1);
    case OpCode::If: return branchSize(b, *old, axis);
    case OpCode::Call:
      return inverses::isInverse(op.attrs.str) ? sizeOf(b, op.operands.back(), axis) : calledSize(b, *old, axis);
    case OpCode::SocMap:
    case OpCode::SpectralMap: return sizeOf(b, op.operand(0), axis);
    default: return nullptr;
  }
}

// What `emit` gives, with the primal part of a region copied in front of it. What the map held of the
// region stays as it was.
Value* Reverse::sizeWithin(ir::Builder& in, const ir::Region& region,
                           const std::function<Value*()>& emit) {
  ir::ValueMap outside = primal_;
  copyPrimal(in, region);
  Value* size = emit();
  primal_ = std::move(outside);
  return size;
}

Value* Reverse::branchSize(ir::Builder& b, const Value& old, size_t axis) {
  const ir::Op& op = *old.def;
  auto side = [&](size_t k) {
    return [&, k](ir::Builder& in, std::span<Value* const>) {
      const ir::Region& region = *op.regions[k];
      return Values{sizeWithin(in, region, [&] { return sizeOf(in, region.yields()[old.index], axis); })};
    };
  };
  return b.ifElse(x(op.operand(0)), side(0), side(1))[0];
}

// Of a row of a stacked result; without iterations 0.
Value* Reverse::firstIterationSize(ir::Builder& b, const Value& old, size_t axis) {
  const ir::Op& op = *old.def;
  const ir::Region& body = *op.regions[0];
  auto first = [&](ir::Builder& in, std::span<Value* const>) {
    primal_[body.args[0]] = in.integer(0);
    return Values{sizeWithin(in, body, [&] { return sizeOf(in, body.yields()[old.index], axis); })};
  };
  auto none = [](ir::Builder& in, std::span<Value* const>) { return Values{in.integer(0)}; };
  Value* some = b.op(OpCode::ILt, {b.integer(0), x(op.operand(0))});
  return b.ifElse(some, first, none)[0];
}

// call @f.tan(args; tangents) stands behind call @f(args), whose results have the sizes of their
// tangents. Null: that call is not in this region.
Value* Reverse::calledSize(ir::Builder& b, const Value& old, size_t axis) {
  const ir::Op& op = *old.def;
  Values arguments;
  std::copy_if(op.operands.begin(), op.operands.end(), std::back_inserter(arguments),
               [](const Value* operand) { return !operand->linear; });
  for (const auto& other : op.parent->ops) {
    if (other->code != OpCode::Call || other->attrs.str != calls::primalName(op.attrs.str) ||
        other->operands != arguments)
      continue;
    size_t reals = 0;
    for (Value* result : other->results)
      if (result->type.isReal() && reals++ == old.index)
        return b.dim(x(result), axis);
  }
  return nullptr;
}

}  // namespace dini::ad
