// Transposition: the walk, cotangents, and the elementwise rules.
#include "ad/reverse.h"

#include "ad/linear.h"
#include "ad/row_reads.h"
#include "base/check.h"

namespace dini::ad {

using ir::OpCode;
using ir::Value;
using Values = std::vector<Value*>;

std::unique_ptr<ir::Function> transpose(ir::Module&, const ir::Function& function,
                                        const Request& request, size_t outs) {
  auto source = ir::clone(function, function.name);
  hoistRowReads(*source);
  return Reverse(*source, request, outs).run();
}

std::unique_ptr<ir::Function> Reverse::run() {
  result_ = std::make_unique<ir::Function>(source_.name);
  result_->span = source_.span;
  std::span<Value* const> parameters(source_.body.args);
  std::span<Value* const> yields(source_.body.yields());
  size_t primals = parameters.size() - tangents_, kept = yields.size() - outs_;
  for (Value* parameter : parameters.first(primals))
    primal_[parameter] = result_->addParameter(parameter->type, parameter->name);
  size_t tangent = primals;
  for (size_t k = 0; k < active_.size(); ++k)
    if (active_[k]) shaped_like_[parameters[tangent++]] = x(parameters[k]);
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

void Reverse::copyPrimal(ir::Builder& b, const ir::Region& region) {
  for (const auto& op : region.ops) {
    if (hasLinearResult(*op) || op->code == OpCode::Yield) continue;
    // The size of a value that does not exist here.
    if (op->code == OpCode::Dim && op->operand(0)->linear)
      primal_[op->result()] = sizeOf(b, op->operand(0), static_cast<size_t>(op->attrs.i));
    else
      ir::cloneOp(b, *op, primal_);
  }
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
    case OpCode::NoteTie: give(1, b.op(op.code, {x(op.operand(0)), y_bar}, op.attrs)); return;
    case OpCode::Select:
    case OpCode::Pick:
    case OpCode::PickTie: {
      size_t first = op.code == OpCode::Select ? 1 : 2;
      for (size_t side = 0; side < 2; ++side) {
        if (!lin(first + side)) continue;
        Value* zero = b.real(0.0);
        zero->linear = true;
        Values operands;
        for (size_t k = 0; k < first; ++k) operands.push_back(x(op.operand(k)));
        operands.push_back(side == 0 ? y_bar : zero);
        operands.push_back(side == 0 ? zero : y_bar);
        if (op.code == OpCode::PickTie) operands.push_back(x(op.operand(4)));
        give(first + side, b.op(op.code, std::move(operands), op.attrs));
      }
      return;
    }
    default: check(false, "no transposition rule for this elementwise operation");
  }
}

}  // namespace dini::ad
