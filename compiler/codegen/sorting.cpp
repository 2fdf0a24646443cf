// Orders, norms and the derivatives of max, min and sort at ties: through the runtime, on arrays in
// memory with the members of a group next to each other.
#include <algorithm>

#include "codegen/emitter.h"

namespace dini::codegen {

using ir::Op;
using ir::OpCode;

void FunctionEmitter::emitArgExtreme(const Op& op) {
  const Val x = inMemory(op.operand(0));
  const llvm::FunctionCallee function =
      m_.runtime("dini_arg_extreme", m_.i64, {m_.i32, m_.i64, m_.ptr});
  setScalar(op.result(),
            b_.CreateCall(function, {b_.getInt32(op.attrs.str == "max"), x.dims[0], x.ptr}));
}

void FunctionEmitter::emitNorm(const Op& op) {
  const ir::Value* x = op.operand(0);
  const bool varying = inLanes() && varies(x);
  const Val held = inMemory(x, varying);
  llvm::Value* count = x->type.isScalar() ? i64c(1) : product(dimsOf(x));
  llvm::Value* norm = nullptr;
  if (varying) {
    norm = laneNorm(x);
  } else {
    const llvm::FunctionCallee function = m_.runtime("dini_norm", m_.f64, {m_.ptr, m_.i64});
    norm = b_.CreateCall(function, {held.ptr, count});
  }
  if (op.code == OpCode::Norm) return setScalar(op.result(), norm);
  llvm::Value* is_zero = b_.CreateFCmpOEQ(norm, llvm::Constant::getNullValue(norm->getType()));
  const auto scaled = [&](llvm::Value* value) {
    if (!isLanes(value) && !isLanes(norm))
      return b_.CreateSelect(is_zero, f64c(0), b_.CreateFDiv(value, norm));
    value = splat(value);
    return b_.CreateSelect(is_zero, llvm::Constant::getNullValue(value->getType()),
                           b_.CreateFDiv(value, splat(norm)));
  };
  if (x->type.isScalar()) return setScalar(op.result(), scaled(scalar(x)));
  const Buffer buffer = allocate(op.result(), dimsOf(x));
  vectorLoop(count, [&](Index i) {
    const Position position = linearPosition(i);
    store(buffer.dest, position, scaled(load(held, ir::Elem::F64, position)));
  });
  setBuffer(op.result(), buffer.dest, buffer.storage);
}

// A contiguous copy of an array with the given axes in the given order.
FunctionEmitter::Buffer FunctionEmitter::permuted(const ir::Value* value,
                                                  const std::vector<size_t>& axes) {
  const Values dims = dimsOf(value);
  Values order;
  for (size_t axis : axes) order.push_back(dims[axis]);
  const Buffer copy = allocateTemporary(value->type.elem, order, false);
  llvm::SmallVector<Index, 4> at;
  nest(order, 0, at, [&](llvm::ArrayRef<Index> indices) {
    llvm::SmallVector<Index, 4> original(indices.size());
    for (size_t k = 0; k < axes.size(); ++k) original[axes[k]] = indices[k];
    llvm::Value* element_value = element(value, positionOf(original));
    store(copy.dest, positionOf(indices), element_value);
  });
  return copy;
}

void FunctionEmitter::emitReducePick(const Op& op) {
  const ir::Value* x = op.operand(0);
  const ir::Value* a = op.operand(1);
  const bool transposed = op.code == OpCode::ReducePickT;
  std::vector<size_t> axes;
  Values kept, reduced;
  for (int pass = 0; pass < 2; ++pass)
    for (size_t k = 0; k < x->type.rank(); ++k) {
      const bool inside = std::find(op.attrs.ints.begin(), op.attrs.ints.end(),
                                    static_cast<int64_t>(k)) != op.attrs.ints.end();
      if (inside != (pass == 1)) continue;
      axes.push_back(k);
      (inside ? reduced : kept).push_back(dimsOf(x)[k]);
    }
  const bool in_order = std::is_sorted(axes.begin(), axes.end());
  const auto grouped = [&](const ir::Value* value) {
    if (value->type.isScalar() || in_order) return inMemory(value).ptr;
    return permuted(value, axes).dest.ptr;
  };
  llvm::Value* x_data = grouped(x);
  llvm::Value* a_data = transposed ? inMemory(a).ptr : grouped(a);
  llvm::Value* groups = product(kept);
  llvm::Value* members = product(reduced);
  const std::vector<llvm::Type*> params{m_.i32, m_.f64, m_.i64, m_.i64, m_.ptr, m_.ptr, m_.ptr};
  const llvm::FunctionCallee function =
      m_.runtime(transposed ? "dini_reduce_pick_t" : "dini_reduce_pick",
                 llvm::Type::getVoidTy(m_.context), params);
  const auto call = [&](llvm::Value* out) {
    b_.CreateCall(function, {b_.getInt32(op.attrs.str == "max"), f64c(op.attrs.f), groups, members,
                             x_data, a_data, out});
  };
  const ir::Value* result = op.result();
  if (result->type.isScalar()) {
    llvm::Value* out = entryAlloca(m_.f64, nullptr, "picked");
    call(out);
    return setScalar(result, b_.CreateLoad(m_.f64, out));
  }
  const Buffer buffer = allocate(result, transposed ? dimsOf(x) : kept);
  if (!transposed || in_order) {
    call(buffer.dest.ptr);
  } else {
    Values order;
    for (size_t axis : axes) order.push_back(dimsOf(x)[axis]);
    const Buffer out = allocateTemporary(ir::Elem::F64, order, false);
    call(out.dest.ptr);
    llvm::SmallVector<Index, 4> at;
    nest(order, 0, at, [&](llvm::ArrayRef<Index> indices) {
      llvm::SmallVector<Index, 4> original(indices.size());
      for (size_t k = 0; k < axes.size(); ++k) original[axes[k]] = indices[k];
      Val picked;
      picked.ptr = out.dest.ptr;
      picked.dims = out.dest.dims;
      llvm::Value* value = load(picked, ir::Elem::F64, positionOf(indices));
      store(buffer.dest, positionOf(original), value);
    });
  }
  setBuffer(result, buffer.dest, buffer.storage);
}

void FunctionEmitter::emitSorting(const Op& op) {
  if (op.code == OpCode::ReducePick || op.code == OpCode::ReducePickT) return emitReducePick(op);
  const Val x = inMemory(op.operand(0));
  llvm::Value* n = dimsOf(op.operand(0))[0];
  const Buffer buffer = allocate(op.result(), {n});
  llvm::Type* none = llvm::Type::getVoidTy(m_.context);
  if (op.code == OpCode::ArgSort) {
    llvm::Value* work = temporaryDoubles(n);
    b_.CreateCall(m_.runtime("dini_argsort", none, {m_.i64, m_.ptr, m_.ptr, m_.ptr}),
                  {n, x.ptr, buffer.dest.ptr, work});
  } else {
    const Val a = inMemory(op.operand(1));
    llvm::Value* work = temporaryDoubles(b_.CreateMul(n, i64c(2)));
    b_.CreateCall(m_.runtime("dini_sort_pick", none,
                             {m_.i32, m_.f64, m_.i64, m_.ptr, m_.ptr, m_.ptr, m_.ptr}),
                  {b_.getInt32(op.code == OpCode::SortPickT), f64c(op.attrs.f), n, x.ptr, a.ptr,
                   buffer.dest.ptr, work});
  }
  setBuffer(op.result(), buffer.dest, buffer.storage);
}

}  // namespace dini::codegen
