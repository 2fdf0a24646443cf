// Forward rules of control: tangents are carried, yielded and stacked beside their primal values.
// Order everywhere: all primal values, then the tangents of the active ones.
#include "ad/forward.h"
#include "ad/inverses.h"

#include "ad/calls.h"
#include "ad/linear.h"
#include "analysis/kinks.h"

namespace dini::ad {

using ir::OpCode;
using ir::Value;
using Values = std::vector<Value*>;

bool Forward::controlRule(ir::Builder& b, const ir::Op& op) {
  switch (op.code) {
    case OpCode::Loop: loopRule(b, op); return true;
    case OpCode::While: whileRule(b, op); return true;
    case OpCode::If:
      if (analysis::isComparisonIf(op)) comparisonIfRule(b, op);
      else branchRule(b, op, conditionTold(b, op.operand(0), nullptr), {}, {});
      return true;
    case OpCode::Try: tryRule(b, op); return true;
    case OpCode::Call: callRule(b, op); return true;
    case OpCode::Root: rootRule(b, op); return true;
    case OpCode::Inspect: ir::cloneOp(b, op, primal_); return true;  // what is said of a call is a constant
    default: return false;
  }
}

// operands (trip, carries); results (carries, outs).
void Forward::loopRule(ir::Builder& b, const ir::Op& op) {
  const ir::Region& body = *op.regions[0];
  size_t count = op.operands.size() - 1;
  std::span<Value* const> olds(op.results), carries = olds.first(count), outs = olds.subspan(count);
  std::span<Value* const> inits = std::span(op.operands).subspan(1);
  std::span<Value* const> yields(body.yields());
  Values operands;
  appendPrimal(operands, inits);
  appendDots(b, operands, inits, carries);
  Values made = b.loop(x(op.operand(0)), operands, [&](ir::Builder& in, auto args) {
    primal_[body.args[0]] = args[0];
    if (count == 0) members_.emplace_back(args[0], x(op.operand(0)));
    size_t at = 1;
    takePrimal(std::span(body.args).subspan(1), args, at);
    takeDots(std::span(body.args).subspan(1), args, at);
    visitOps(in, body);
    if (count == 0) members_.pop_back();
    Values yielded;
    appendPrimal(yielded, yields.first(count));
    appendDots(in, yielded, yields.first(count), carries);
    appendPrimal(yielded, yields.subspan(count));
    appendDots(in, yielded, yields.subspan(count), outs);
    return yielded;
  });
  size_t at = 0;
  takePrimal(carries, made, at);
  takeDots(carries, made, at);
  takePrimal(outs, made, at);
  takeDots(outs, made, at);
}

// operands (carries); results (carries, trips, outs). The condition reads primal carries only.
void Forward::whileRule(ir::Builder& b, const ir::Op& op) {
  const ir::Region &cond = *op.regions[0], &body = *op.regions[1];
  size_t count = op.operands.size();
  std::span<Value* const> olds(op.results), carries = olds.first(count);
  std::span<Value* const> outs = olds.subspan(count + 1);
  std::span<Value* const> yields(body.yields());
  Values operands;
  appendPrimal(operands, op.operands);
  appendDots(b, operands, op.operands, carries);
  auto condition = [&](ir::Builder& in, std::span<Value* const> args) {
    for (size_t k = 0; k < count; ++k) primal_[cond.args[k]] = args[k];
    Values truth = ir::inlineRegion(in, cond, primal_);
    truth[0] = conditionTold(in, cond.yields()[0], &op);
    return truth;
  };
  auto step = [&](ir::Builder& in, std::span<Value* const> args) {
    size_t at = 0;
    takePrimal(body.args, args, at);
    takeDots(body.args, args, at);
    visitOps(in, body);
    Values yielded;
    appendPrimal(yielded, yields.first(count));
    appendDots(in, yielded, yields.first(count), carries);
    appendPrimal(yielded, yields.subspan(count));
    appendDots(in, yielded, yields.subspan(count), outs);
    return yielded;
  };
  Values made = b.whileLoop(operands, condition, step);
  made[0]->def->attrs = op.attrs;
  size_t at = 0;
  takePrimal(carries, made, at);
  takeDots(carries, made, at);
  takePrimal(olds.subspan(count, 1), made, at);  // trips
  takePrimal(outs, made, at);
  takeDots(outs, made, at);
}

// A region copied in place: primal yields, then the tangents of those whose flag is active.
Values Forward::regionWithDots(ir::Builder& b, const ir::Region& region,
                               std::span<Value* const> flags) {
  visitOps(b, region);
  Values yielded;
  appendPrimal(yielded, region.yields());
  appendDots(b, yielded, region.yields(), flags);
  return yielded;
}

// `compared`: further operands of the new `if`.
void Forward::branchRule(ir::Builder& b, const ir::Op& op, Value* condition, ir::Attrs attrs,
                         Values compared) {
  auto side = [&](size_t k) {
    return [this, &op, k](ir::Builder& in, std::span<Value* const>) {
      return regionWithDots(in, *op.regions[k], op.results);
    };
  };
  Values made = b.ifElse(condition, side(0), side(1), std::move(attrs), std::move(compared));
  size_t at = 0;
  takePrimal(op.results, made, at);
  takeDots(op.results, made, at);
}

// The tangent part must not run inside the `try`: a status of the derivative may not switch sides.
// jvp() therefore splits every `try` that this rule makes (split.h: splitTries).
void Forward::tryRule(ir::Builder& b, const ir::Op& op) {
  auto side = [&](size_t k) {
    return [this, &op, k](ir::Builder& in, std::span<Value* const>) {
      return regionWithDots(in, *op.regions[k], op.results);
    };
  };
  Values made = b.tryElse(side(0), side(1));
  size_t at = 0;
  takePrimal(op.results, made, at);
  takeDots(op.results, made, at);
}

// call @f.jvp.KEY(args..., tangents...), made by calls::complete; of a probe, call @f.probe.KEY.
// Of F.inv and F.invt (inverses.h): x = A^-1 b: x_dot = A^-1 (b_dot - A_dot x).
void Forward::inverseRule(ir::Builder& b, const ir::Op& op) {
  const std::string& name = op.attrs.str;
  Value* solution = ir::cloneOp(b, op, primal_).result();
  std::span<Value* const> matrix = std::span(op.operands).first(op.operands.size() - 1);
  Request own{std::vector<bool>(op.operands.size(), false), request_.ties};
  own.active.back() = true;
  std::string map = inverses::mapOf(name);
  Values operands;
  appendPrimal(operands, matrix);
  const Values arguments = operands;
  operands.push_back(solution);
  if (inverses::isTransposed(name)) {  // A' v: (c..., any v of its size, v)
    map = calls::pullName(calls::linearName(calls::tangentName(map, own)));
    operands.push_back(solution);
    own.active.push_back(false);
  }
  calls::ensure(module_, map);
  std::fill(own.active.begin(), own.active.end(), false);
  bool moves = false;
  for (size_t k = 0; k < matrix.size(); ++k) {
    if (dot(matrix[k]) == nullptr) continue;
    moves = own.active[k] = true;
    operands.push_back(dot(matrix[k]));
  }
  Value* rhs = dot(op.operands.back());
  if (moves) {
    const ir::Type& type = solution->type;
    Value* change = calls::emitCall(b, calls::tangentName(map, own), std::move(operands), {type, type})[1];
    change->linear = !probing();
    rhs = rhs != nullptr ? b.sub(rhs, change) : b.neg(change);
  }
  if (rhs == nullptr) return;
  operands = arguments;
  operands.push_back(rhs);
  Value* x_dot = calls::emitCall(b, name, std::move(operands), {solution->type})[0];
  x_dot->linear = !probing();
  setDot(op.result(), x_dot);
}

void Forward::callRule(ir::Builder& b, const ir::Op& op) {
  if (inverses::isInverse(op.attrs.str)) return inverseRule(b, op);
  Request request{{}, request_.ties};
  Values operands;
  appendPrimal(operands, op.operands);
  for (const Value* operand : op.operands) {
    request.active.push_back(dot(operand) != nullptr);
    if (dot(operand) != nullptr) operands.push_back(dot(operand));
  }
  std::vector<ir::Type> types;
  for (const Value* result : op.results) types.push_back(result->type);
  for (const Value* result : op.results)
    if (result->type.isReal()) types.push_back(result->type);
  std::string name = probing() ? calls::probeName(op.attrs.str, request, *stage_)
                               : calls::tangentName(op.attrs.str, request);
  Values made = calls::emitCall(b, name, std::move(operands), std::move(types));
  std::vector<int64_t> own = op.attrs.ints;
  if (probing() && own.empty())
    own = {static_cast<int64_t>(op.operands.size()), static_cast<int64_t>(op.results.size())};
  if (probing()) made[0]->def->attrs.ints = own;
  size_t at = 0;
  takePrimal(op.results, made, at);
  for (const Value* old : op.results) {
    if (!old->type.isReal()) continue;
    made[at]->linear = !probing();
    setDot(old, made[at++]);
  }
}

}  // namespace dini::ad
