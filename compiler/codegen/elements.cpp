// Elements of arrays at a position: from memory, or computed where the array is virtual. Repeated
// requests within one body of a loop nest give the same value (memo_).
#include "base/check.h"
#include "codegen/emitter.h"
#include "ir/type_rules.h"

namespace dini::codegen {

using ir::Op;
using ir::OpCode;

// The row-major number of an element is all that is needed to compute it.
bool FunctionEmitter::linearReadable(const ir::Value* value, int depth) {
  const Val& held = val(value);
  if (held.kind != Val::Kind::Virtual) return true;
  if (value->type.rank() == 1) return true;
  const Op& op = *value->def;
  if (depth > 400) return false;
  if (ir::isElementwise(op.code)) {
    for (const ir::Value* operand : op.operands)
      if (!linearReadable(operand, depth + 1)) return false;
    return true;
  }
  if (op.code == OpCode::Fill) return true;
  if (op.code == OpCode::Reshape) return linearReadable(op.operand(0), depth + 1);
  return op.code == OpCode::Broadcast && op.operand(0)->type.isScalar();
}

llvm::Value* FunctionEmitter::element(const ir::Value* value, const Position& position) {
  const Val& held = val(value);
  if (held.kind == Val::Kind::Scalar) return held.scalar;
  const auto key = std::make_pair(value, position.id);
  if (auto known = memo_.find(key); known != memo_.end()) return known->second;
  llvm::Value* result = nullptr;
  if (held.kind == Val::Kind::Buffer) {
    result = load(held, value->type.elem, position);
  } else {
    check(held.kind == Val::Kind::Virtual, "an array without elements");
    result = virtualElement(*value->def, position);
  }
  memo_[key] = result;
  return result;
}

llvm::Value* FunctionEmitter::virtualElement(const Op& op, const Position& position) {
  if (ir::isElementwise(op.code)) {
    Values operands;
    for (const ir::Value* operand : op.operands) operands.push_back(element(operand, position));
    return elementwise(op, operands);
  }
  const ir::Value* result = op.result();
  const ir::Value* x = op.operands.empty() ? nullptr : op.operand(0);
  if (op.code == OpCode::Fill) return scalar(x);
  if (op.code == OpCode::Reshape) {
    const Index number = linearised(position, dimsOf(result));
    if (x->type.isScalar()) return scalar(x);
    return element(x, linearReadable(x) ? linearPosition(number) : delinearised(number, dimsOf(x)));
  }
  if (position.linear && result->type.rank() > 1)
    return element(result, delinearised(position.at[0], dimsOf(result)));
  const auto& at = position.at;
  llvm::SmallVector<Index, 4> inner;
  switch (op.code) {
    case OpCode::Iota:
      return asValue(at[0]);
    case OpCode::Index:
      for (size_t k = 1; k < op.operands.size(); ++k)
        inner.push_back(fromValue(scalar(op.operand(k))));
      inner.append(at.begin(), at.end());
      break;
    case OpCode::Slice:
      for (size_t k = 0; k < at.size(); ++k)
        inner.push_back(addTo(at[k], scalar(op.operand(1 + k))));
      break;
    case OpCode::Transpose:
      inner.resize(at.size());
      for (size_t k = 0; k < at.size(); ++k) inner[static_cast<size_t>(op.attrs.ints[k])] = at[k];
      break;
    case OpCode::Broadcast:
      if (x->type.isScalar()) return scalar(x);
      for (int64_t axis : op.attrs.ints) inner.push_back(at[static_cast<size_t>(axis)]);
      break;
    case OpCode::Flip: {
      inner.assign(at.begin(), at.end());
      const auto axis = static_cast<size_t>(op.attrs.i);
      inner[axis] = addTo(scaled(at[axis], i64c(-1)), b_.CreateSub(dimsOf(x)[axis], i64c(1)));
      break;
    }
    case OpCode::Gather: {
      inner.assign(at.begin(), at.end());
      const Position row = positionOf({at[0]});
      inner[0] = fromValue(element(op.operand(1), row));
      break;
    }
    case OpCode::Einsum:
      return outerElement(op, position);
    default:
      check(false, "not a virtual operation");
  }
  return element(x, positionOf(inner));
}

// An einsum that sums nothing.
llvm::Value* FunctionEmitter::outerElement(const Op& op, const Position& position) {
  const ir::EinsumSpec spec = ir::parseEinsum(op.attrs.str);
  const auto factor = [&](const std::string& letters, const ir::Value* operand) {
    llvm::SmallVector<Index, 4> at;
    for (char letter : letters) at.push_back(position.at[spec.result.find(letter)]);
    return element(operand, positionOf(at));
  };
  llvm::Value* a = factor(spec.a, op.operand(0));
  llvm::Value* b = factor(spec.b, op.operand(1));
  if (isLanes(a) != isLanes(b)) a = splat(a), b = splat(b);
  return b_.CreateFMul(a, b);
}

void FunctionEmitter::emitIndex(const Op& op) {
  const ir::Value* result = op.result();
  const ir::Value* x = op.operand(0);
  const size_t count = op.operands.size() - 1;
  if (result->type.isScalar()) {
    if (x->type.isScalar()) return setScalar(result, scalar(x));
    llvm::SmallVector<Index, 4> at;
    for (size_t k = 0; k < count; ++k) at.push_back(fromValue(scalar(op.operand(1 + k))));
    return setScalar(result, element(x, positionOf(at)));
  }
  const Values dims = dimsOf(x);
  const Val held = val(x);
  bool fixed_place = held.kind == Val::Kind::Buffer;
  for (size_t k = 0; k < count; ++k)
    fixed_place = fixed_place && !isLanes(scalar(op.operand(1 + k)));
  if (!fixed_place) {
    setVirtual(result, Values(dims.begin() + static_cast<ptrdiff_t>(count), dims.end()));
    if (!plan_.isVirtual(result)) materialiseOp(op);
    return;
  }
  llvm::Value* offset = i64c(0);
  for (size_t k = 0; k < count; ++k)
    offset = b_.CreateAdd(b_.CreateMul(offset, dims[k]), scalar(op.operand(1 + k)));
  offset = b_.CreateMul(offset, product(dims, count));
  if (inLanes() && !constantOf(offset))
    offset = b_.CreateSelect(any(activeMask()), offset, i64c(0));
  if (held.interleaved) offset = b_.CreateMul(offset, i64c(width()));
  Val view = held;
  view.owner = false;
  view.dims.assign(dims.begin() + static_cast<ptrdiff_t>(count), dims.end());
  view.ptr = b_.CreateInBoundsGEP(memoryType(x->type.elem), held.ptr, offset);
  values_[result] = view;
}

}  // namespace dini::codegen
