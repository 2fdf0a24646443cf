// Loops over index spaces, and the one place where virtual arrays become memory.
#include "base/check.h"
#include "codegen/emitter.h"

namespace dini::codegen {

using ir::Op;

void FunctionEmitter::ifThen(llvm::Value* condition, const std::function<void()>& body) {
  auto* then = newBlock("then");
  auto* after = newBlock("after");
  b_.CreateCondBr(condition, then, after);
  b_.SetInsertPoint(then);
  fresh();
  body();
  b_.CreateBr(after);
  b_.SetInsertPoint(after);
  fresh();
}

FunctionEmitter::Values FunctionEmitter::carriedLoop(
    llvm::Value* from, llvm::Value* to, int64_t step, Values initial,
    const std::function<Values(llvm::Value*, const Values&)>& body) {
  const auto first = constantOf(from), last = constantOf(to);
  if (first && last) {
    if (*first >= *last) return initial;
    if (*last - *first <= step) return body(from, initial);
  }
  auto* before = b_.GetInsertBlock();
  auto* header = newBlock("loop");
  auto* inside = newBlock("body");
  auto* after = newBlock("done");
  b_.CreateBr(header);
  b_.SetInsertPoint(header);
  llvm::PHINode* i = b_.CreatePHI(m_.i64, 2, "i");
  i->addIncoming(from, before);
  llvm::SmallVector<llvm::PHINode*, 8> phis;
  Values carried;
  for (llvm::Value* value : initial) {
    phis.push_back(b_.CreatePHI(value->getType(), 2));
    phis.back()->addIncoming(value, before);
    carried.push_back(phis.back());
  }
  b_.CreateCondBr(b_.CreateICmpSLT(i, to), inside, after);
  b_.SetInsertPoint(inside);
  fresh();
  const Values next = body(i, carried);
  llvm::Value* following = b_.CreateAdd(i, i64c(step), "", true, true);
  auto* latch = b_.GetInsertBlock();
  i->addIncoming(following, latch);
  for (size_t k = 0; k < phis.size(); ++k) phis[k]->addIncoming(next[k], latch);
  b_.CreateBr(header);
  b_.SetInsertPoint(after);
  fresh();
  return carried;
}

void FunctionEmitter::countedLoop(llvm::Value* from, llvm::Value* to, int64_t step,
                                  const std::function<void(llvm::Value*)>& body) {
  carriedLoop(from, to, step, {}, [&](llvm::Value* i, const Values&) {
    fresh();
    body(i);
    return Values{};
  });
}

void FunctionEmitter::vectorLoop(llvm::Value* count, const IndexFn& body) {
  const auto constant = constantOf(count);
  if (inLanes() || (constant && *constant <= 1))
    return countedLoop(i64c(0), count, 1, [&](llvm::Value* i) { body(fixed(i)); });
  llvm::Value* full = b_.CreateAnd(count, i64c(-kLanes));
  countedLoop(i64c(0), full, kLanes, [&](llvm::Value* i) { body({i, 1, nullptr}); });
  if (constant && *constant % kLanes == 0) return;
  if (constant && *constant % kLanes == 1) {
    fresh();
    body(fixed(full));
    fresh();
    return;
  }
  const auto tail = [&] {
    tail_mask_ = b_.CreateICmpSLT(laneNumbers(), splat(b_.CreateSub(count, full)));
    fresh();
    body({full, 1, nullptr});
    tail_mask_ = nullptr;
    fresh();
  };
  if (constant)
    tail();
  else
    ifThen(b_.CreateICmpSLT(full, count), tail);
}

void FunctionEmitter::nest(const Values& dims, size_t axis, llvm::SmallVector<Index, 4>& at,
                           const std::function<void(llvm::ArrayRef<Index>)>& body) {
  if (axis == dims.size()) return body(at);
  const auto inner = [&](Index index) {
    at.push_back(index);
    nest(dims, axis + 1, at, body);
    at.pop_back();
  };
  if (axis + 1 == dims.size()) return vectorLoop(dims[axis], inner);
  countedLoop(i64c(0), dims[axis], 1, [&](llvm::Value* i) { inner(fixed(i)); });
}

void FunctionEmitter::scalarNest(const Values& dims,
                                 const std::function<void(llvm::ArrayRef<Index>)>& body) {
  llvm::SmallVector<Index, 4> at;
  const std::function<void()> next = [&] {
    if (at.size() == dims.size()) return body(at);
    countedLoop(i64c(0), dims[at.size()], 1, [&](llvm::Value* i) {
      at.push_back(fixed(i));
      next();
      at.pop_back();
    });
  };
  next();
}

void FunctionEmitter::materialise(const ir::Value* value, const Dest& dest) {
  const Values dims = dimsOf(value);
  if (dest.contiguous && linearReadable(value)) {
    return vectorLoop(product(dims), [&](Index i) {
      const Position position = linearPosition(i);
      store(dest, position, element(value, position));
    });
  }
  llvm::SmallVector<Index, 4> at;
  nest(dims, 0, at, [&](llvm::ArrayRef<Index> indices) {
    const Position position = positionOf(indices);
    store(dest, position, element(value, position));
  });
}

// Puts the result of an operation that could be virtual into memory, into that of an operand that
// dies here where its elements are read in the same order.
void FunctionEmitter::materialiseOp(const Op& op) {
  const ir::Value* result = op.result();
  if (ir::isElementwise(op.code)) {
    Values dims;
    for (const ir::Value* operand : op.operands)
      if (!operand->type.isScalar()) dims = dimsOf(operand);
    setVirtual(result, dims);
  }
  const Values dims = dimsOf(result);
  if (ir::isElementwise(op.code) && linearReadable(result)) {
    const bool interleaved = inLanes() && varies(result);
    for (const ir::Value* operand : op.operands) {
      if (operand->type != result->type || !ownsForUpdate(operand, op)) continue;
      const Val held = val(operand);
      if (held.interleaved != interleaved) continue;
      extendStorage(held, result);
      const Dest dest = destOf(held, result->type.elem);
      materialise(result, dest);
      return setBuffer(result, dest, held.storage);
    }
  }
  const Buffer buffer = allocate(result, dims);
  materialise(result, buffer.dest);
  setBuffer(result, buffer.dest, buffer.storage);
}

int FunctionEmitter::treeSize(const ir::Value* value, int limit) {
  if (limit <= 0 || val(value).kind != Val::Kind::Virtual) return 0;
  int size = 1;
  for (const ir::Value* operand : value->def->operands) {
    size += treeSize(operand, limit - size);
    if (size > limit) break;
  }
  return size;
}

}  // namespace dini::codegen
