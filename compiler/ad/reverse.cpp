// Transposition: the walk, cotangents, and the elementwise rules.
#include "ad/reverse.h"

#include <algorithm>

#include "ad/linear.h"
#include "ad/row_reads.h"
#include "base/check.h"

namespace dini::ad {

using ir::OpCode;
using ir::Value;
using Values = std::vector<Value*>;

std::unique_ptr<ir::Function> transpose(ir::Module&, const ir::Function& function, size_t tangents,
                                        size_t outs) {
  auto source = ir::clone(function, function.name);
  hoistRowReads(*source);
  return Reverse(*source, tangents, outs).run();
}

std::unique_ptr<ir::Function> Reverse::run() {
  result_ = std::make_unique<ir::Function>(source_.name);
  result_->span = source_.span;
  std::span<Value* const> parameters(source_.body.args);
  std::span<Value* const> yields(source_.body.yields());
  size_t primals = parameters.size() - tangents_, kept = yields.size() - outs_;
  for (Value* parameter : parameters.first(primals))
    primal_[parameter] = result_->addParameter(parameter->type, parameter->name);
  ir::Builder b(*result_, result_->body);
  b.setSpan(source_.span);
  Values seeds;
  for (Value* out : yields.subspan(kept)) {
    seeds.push_back(result_->addParameter(out->type));
    seeds.back()->linear = true;
  }
  copyPrimal(b, source_.body);
  for (size_t k = 0; k < outs_; ++k) accumulate(b, yields[kept + k], seeds[k]);
  transposeOps(b, source_.body);
  Values results = xs(yields.first(kept));
  for (Value* parameter : parameters.subspan(primals))
    results.push_back(cotangentOrZero(b, parameter));
  b.yield(std::move(results));
  return std::move(result_);
}

Values Reverse::xs(std::span<Value* const> olds) const {
  Values found;
  for (Value* old : olds) found.push_back(x(old));
  return found;
}

Value* Reverse::cotangent(const Value* old) const {
  auto it = bars_.find(old);
  return it == bars_.end() ? nullptr : it->second;
}

Value* Reverse::cotangentOrZero(ir::Builder& b, Value* old) {
  Value* bar = cotangent(old);
  return bar != nullptr ? bar : zerosFor(b, old);
}

Value* Reverse::zerosFor(ir::Builder& b, Value* old) {
  Value* zero = b.real(0.0);
  zero->linear = true;
  return old->type.isScalar() ? zero : b.fill(zero, sizesOf(b, old));
}

void Reverse::accumulate(ir::Builder& b, Value* old, Value* contribution) {
  if (contribution == nullptr || !old->linear || isZero(old)) return;
  if (old->type.isScalar() && !contribution->type.isScalar()) contribution = b.sumAll(contribution);
  Value* before = cotangent(old);
  Value* bar = before != nullptr ? b.add(before, contribution) : contribution;
  if (bar->name.empty() && old->name.ends_with("_dot"))
    bar->name = old->name.substr(0, old->name.size() - 3) + "bar";
  setCotangent(old, bar);
}

Values Reverse::sizesOf(ir::Builder& b, Value* old) {
  Values sizes;
  for (size_t axis = 0; axis < old->type.rank(); ++axis) sizes.push_back(sizeOf(b, old, axis));
  return sizes;
}

// A dynamic size of a linear value, read off the primal operands of its definition.
Value* Reverse::sizeOf(ir::Builder& b, Value* old, size_t axis) {
  if (old->type.dims[axis] != ir::kDynamic) return b.integer(old->type.dims[axis]);
  if (!old->linear) return b.dim(x(old), axis);
  auto fail = [&]() -> Value* {
    throw Unsupported("the size of this array is known only inside a loop or a branch",
                      old->def ? old->def->span : source_.span);
  };
  if (old->def == nullptr) {
    const ir::Op* owner = old->region->parent;
    if (owner == nullptr || owner->code != OpCode::Loop || old->index == 0) return fail();
    return sizeOf(b, owner->operands[old->index], axis);  // a carry: as its start
  }
  const ir::Op& op = *old->def;
  auto dynamicOperand = [&](size_t first) {  // the size operand of this axis
    size_t at = first;
    for (size_t k = 0; k < axis; ++k) at += old->type.dims[k] == ir::kDynamic ? 1 : 0;
    return x(op.operand(at));
  };
  if (ir::isElementwise(op.code)) {
    for (int pass = 0; pass < 2; ++pass)
      for (Value* operand : op.operands)
        if (operand->type.rank() == old->type.rank() && operand->linear == (pass == 1))
          return sizeOf(b, operand, axis);
    return fail();
  }
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
    case OpCode::Pack:
      return axis == 0 ? fail() : sizeOf(b, op.operand(0), axis - 1);
    case OpCode::Reduce:
    case OpCode::ReducePick: {
      size_t from = 0;
      for (size_t kept = 0;; ++from) {
        bool reduced = std::find(op.attrs.ints.begin(), op.attrs.ints.end(),
                                 static_cast<int64_t>(from)) != op.attrs.ints.end();
        if (!reduced && kept++ == axis) return sizeOf(b, op.operand(0), from);
      }
    }
    case OpCode::Einsum: {
      const std::string& spec = op.attrs.str;
      size_t comma = spec.find(','), arrow = spec.find("->");
      char letter = spec[arrow + 2 + axis];
      size_t in_a = spec.substr(0, comma).find(letter);
      if (in_a != std::string::npos) return sizeOf(b, op.operand(0), in_a);
      return sizeOf(b, op.operand(1), spec.substr(comma + 1, arrow - comma - 1).find(letter));
    }
    case OpCode::Loop:
      if (old->index < op.operands.size() - 1) return sizeOf(b, op.operand(old->index + 1), axis);
      return axis == 0 ? x(op.operand(0)) : fail();
    default: return fail();
  }
}

void Reverse::copyPrimal(ir::Builder& b, const ir::Region& region) {
  for (const auto& op : region.ops)
    if (!hasLinearResult(*op) && op->code != OpCode::Yield) ir::cloneOp(b, *op, primal_);
}

void Reverse::transposeOps(ir::Builder& b, const ir::Region& region) {
  for (auto it = region.ops.rbegin(); it != region.ops.rend(); ++it)
    if (hasLinearResult(**it)) transposeOp(b, **it);
}

bool Reverse::anyCotangent(const ir::Op& op) const {
  for (const Value* result : op.results)
    if (cotangent(result) != nullptr) return true;
  return false;
}

void Reverse::transposeOp(ir::Builder& b, const ir::Op& op) {
  if (!anyCotangent(op)) return;
  b.setSpan(op.span);
  switch (op.code) {
    case OpCode::Loop: return loopRule(b, op);
    case OpCode::If: return ifRule(b, op);
    case OpCode::Call: return callRule(b, op);
    default: break;
  }
  Value* y_bar = cotangent(op.result());
  if (ir::isElementwise(op.code)) return elementwise(b, op, y_bar);
  check(arrayRule(b, op, y_bar),
        std::string("no transposition rule for ") + ir::shape(op.code).mnemonic);
}

void Reverse::elementwise(ir::Builder& b, const ir::Op& op, Value* y_bar) {
  auto lin = [&](size_t k) { return op.operand(k)->linear && !isZero(op.operand(k)); };
  auto give = [&](size_t k, Value* bar) { accumulate(b, op.operand(k), bar); };
  switch (op.code) {
    case OpCode::Add: give(0, y_bar); give(1, y_bar); return;
    case OpCode::Sub:
      give(0, y_bar);
      if (lin(1)) give(1, b.neg(y_bar));
      return;
    case OpCode::Neg: give(0, b.neg(y_bar)); return;
    case OpCode::Mul:
    case OpCode::SafeMul: {
      size_t k = op.operand(0)->linear ? 0 : 1;
      if (lin(k)) give(k, b.op(op.code, {x(op.operand(1 - k)), y_bar}));
      return;
    }
    case OpCode::Div:
    case OpCode::SafeDiv: give(0, b.op(op.code, {y_bar, x(op.operand(1))})); return;
    case OpCode::Select:
    case OpCode::Pick: {
      size_t first = op.code == OpCode::Select ? 1 : 2;
      for (size_t side = 0; side < 2; ++side) {
        if (!lin(first + side)) continue;
        Value* zero = b.real(0.0);
        zero->linear = true;
        Values operands;
        for (size_t k = 0; k < first; ++k) operands.push_back(x(op.operand(k)));
        operands.push_back(side == 0 ? y_bar : zero);
        operands.push_back(side == 0 ? zero : y_bar);
        give(first + side, b.op(op.code, std::move(operands), op.attrs));
      }
      return;
    }
    default: check(false, "no transposition rule for this elementwise operation");
  }
}

}  // namespace dini::ad
