#include "ad/linear.h"

#include <algorithm>

#include "ir/clone.h"
#include "ir/type_rules.h"
#include "ir/walk.h"

namespace dini::ad {

using ir::OpCode;

ir::Value* linearZeros(ir::Builder& builder, ir::Value* like) {
  ir::Value* zero = builder.real(0.0);
  zero->linear = true;
  if (like->type.isScalar()) return zero;
  return builder.fill(zero, builder.dims(like));
}

bool hasLinearResult(const ir::Op& op) {
  return std::any_of(op.results.begin(), op.results.end(), [](auto* v) { return v->linear; });
}

bool isMixed(const ir::Op& op) {
  if (!hasLinearResult(op)) return false;
  if (std::any_of(op.results.begin(), op.results.end(), [](auto* v) { return !v->linear; }))
    return true;
  return !op.regions.empty() && ir::hasEffect(op);
}

std::vector<ir::Value*> linearInputs(const ir::Op& op) {
  std::vector<ir::Value*> found;
  auto add = [&](ir::Value* value) {
    if (value->linear) found.push_back(value);
  };
  for (ir::Value* operand : op.operands) add(operand);
  for (const auto& region : op.regions)
    for (ir::Value* value : ir::captures(*region)) add(value);
  return found;
}

bool isZero(const ir::Value* value) {
  if (value->def == nullptr || !value->type.isReal()) return false;
  if (value->def->code == OpCode::Fill) return isZero(value->def->operand(0));
  return value->def->code == OpCode::Const && value->type.isScalar() && value->def->attrs.f == 0;
}

ir::Value* contracted(ir::Builder& builder, const std::string& spec, ir::Value* a, ir::Value* b) {
  ir::EinsumSpec parts = ir::parseEinsum(spec);
  bool a_fits = parts.a == parts.result || parts.a.empty();
  bool b_fits = parts.b == parts.result || parts.b.empty();
  bool whole = parts.a == parts.result || parts.b == parts.result;
  return a_fits && b_fits && whole ? builder.mul(a, b) : builder.einsum(spec, a, b);
}

void eraseLinearFlags(ir::Function& function) {
  auto clear = [](const ir::Region& region) {
    for (ir::Value* argument : region.args) argument->linear = false;
  };
  clear(function.body);
  ir::walk(function.body, [&](const ir::Op& op) {
    for (ir::Value* result : op.results) result->linear = false;
    for (const auto& region : op.regions) clear(*region);
  });
}

}  // namespace dini::ad
