// Positions in index spaces, and access to one element or to eight.
#include "base/check.h"
#include "codegen/emitter.h"

namespace dini::codegen {

Position FunctionEmitter::positionOf(llvm::ArrayRef<Index> at) {
  Position position;
  position.at.assign(at.begin(), at.end());
  position.id = next_position_++;
  return position;
}

Position FunctionEmitter::linearPosition(Index at) {
  Position position;
  position.linear = true;
  position.at.push_back(at);
  position.id = next_position_++;
  return position;
}

llvm::Value* FunctionEmitter::asVector(Index index) {
  if (index.vector != nullptr) return index.vector;
  llvm::Value* base = b_.CreateVectorSplat(vectorSize(), index.base);
  if (index.step == 0) return base;
  llvm::SmallVector<uint64_t, 32> offsets;
  for (int64_t k = 0; k < width(); ++k) offsets.push_back(static_cast<uint64_t>(k * index.step));
  return b_.CreateAdd(base, llvm::ConstantDataVector::get(m_.context, offsets));
}

llvm::Value* FunctionEmitter::asValue(Index index) {
  return index.uniform() ? index.base : asVector(index);
}

Index FunctionEmitter::fromValue(llvm::Value* value) {
  if (const auto known = affine_.find(value); known != affine_.end()) return known->second;
  Index index;
  (isLanes(value) ? index.vector : index.base) = value;
  return index;
}

Index FunctionEmitter::addTo(Index index, llvm::Value* offset) {
  if (isLanes(offset)) return {nullptr, 0, b_.CreateAdd(asVector(index), offset)};
  if (index.vector != nullptr)
    return {nullptr, 0, b_.CreateAdd(index.vector, b_.CreateVectorSplat(vectorSize(), offset))};
  return {b_.CreateAdd(index.base, offset), index.step, nullptr};
}

Index FunctionEmitter::sum(Index a, Index b) {
  if (a.vector != nullptr || b.vector != nullptr)
    return {nullptr, 0, b_.CreateAdd(asVector(a), asVector(b))};
  return {b_.CreateAdd(a.base, b.base), a.step + b.step, nullptr};
}

Index FunctionEmitter::scaled(Index index, llvm::Value* factor) {
  if (index.vector != nullptr)
    return {nullptr, 0, b_.CreateMul(index.vector, b_.CreateVectorSplat(vectorSize(), factor))};
  const auto constant = constantOf(factor);
  if (index.step != 0 && !constant)
    return {nullptr, 0, b_.CreateMul(asVector(index), b_.CreateVectorSplat(vectorSize(), factor))};
  return {b_.CreateMul(index.base, factor), index.step * constant.value_or(0), nullptr};
}

Index FunctionEmitter::linearised(const Position& position, llvm::ArrayRef<llvm::Value*> dims) {
  if (position.linear) return position.at[0];
  check(position.at.size() == dims.size(), "a position has one index per axis");
  Index total = fixed(i64c(0));
  llvm::Value* stride = i64c(1);
  for (size_t k = dims.size(); k-- > 0;) {
    total = sum(total, scaled(position.at[k], stride));
    if (k > 0) stride = b_.CreateMul(stride, dims[k]);
  }
  return total;
}

Position FunctionEmitter::delinearised(Index index, llvm::ArrayRef<llvm::Value*> dims) {
  llvm::SmallVector<Index, 4> at(dims.size());
  if (dims.size() == 1) {
    at[0] = index;
    return positionOf(at);
  }
  llvm::Value* rest = asValue(index);
  for (size_t k = dims.size(); k-- > 0;) {
    // Lanes beyond the end are computed too, also of an array without elements.
    llvm::Value* divisor = dims[k];
    if (k > 0 && !constantOf(divisor))
      divisor = b_.CreateBinaryIntrinsic(llvm::Intrinsic::umax, divisor, i64c(1));
    llvm::Value* size = isLanes(rest) ? splat(divisor) : divisor;
    at[k] = fromValue(k == 0 ? rest : b_.CreateURem(rest, size));
    if (k > 0) rest = b_.CreateUDiv(rest, size);
  }
  return positionOf(at);
}

llvm::Value* FunctionEmitter::accessMask() { return inLanes() ? activeMask() : tail_mask_; }

llvm::Value* FunctionEmitter::fromMemory(llvm::Value* loaded, ir::Elem elem) {
  return elem == ir::Elem::I1
             ? b_.CreateICmpNE(loaded, llvm::Constant::getNullValue(loaded->getType()))
             : loaded;
}

llvm::Value* FunctionEmitter::toMemory(llvm::Value* value, ir::Elem elem) {
  if (elem != ir::Elem::I1) return value;
  return b_.CreateZExt(value, isLanes(value) ? lanesOf(m_.i8) : m_.i8);
}

// Where the lanes' elements at an offset are in an array that holds the lanes side by side. Offsets
// that differ between lanes (the map's own index is one) are in different places.
Index FunctionEmitter::inOwnLane(Index offset) {
  if (offset.uniform()) return {b_.CreateMul(offset.base, i64c(width())), 1, nullptr};
  llvm::Value* groups =
      b_.CreateMul(asVector(offset), b_.CreateVectorSplat(vectorSize(), i64c(width())));
  return {nullptr, 0, b_.CreateAdd(groups, laneNumbers())};
}

llvm::Value* FunctionEmitter::loadAt(llvm::Value* ptr, ir::Elem elem, Index offset,
                                     bool interleaved) {
  llvm::Type* type = memoryType(elem);
  const llvm::Align align(static_cast<uint64_t>(elemBytes(elem)));
  if (interleaved) offset = inOwnLane(offset);
  llvm::Value* mask = accessMask();
  if (offset.uniform()) {
    llvm::Value* base = offset.base;
    // Where every lane has failed the index may be anything.
    if (inLanes() && !constantOf(base)) base = b_.CreateSelect(any(mask), base, i64c(0));
    return fromMemory(b_.CreateAlignedLoad(type, b_.CreateInBoundsGEP(type, ptr, base), align),
                      elem);
  }
  llvm::Type* vector = lanesOf(type);
  llvm::Constant* zero = llvm::Constant::getNullValue(vector);
  if (offset.vector == nullptr && offset.step == 1) {
    llvm::Value* address = b_.CreateGEP(type, ptr, offset.base);
    llvm::Value* loaded =
        mask == nullptr
            ? b_.CreateAlignedLoad(vector, address, align)
            : static_cast<llvm::Value*>(b_.CreateMaskedLoad(vector, address, align, mask, zero));
    return fromMemory(loaded, elem);
  }
  if (offset.vector == nullptr && offset.step == -1 && mask == nullptr) {
    llvm::Value* address = b_.CreateGEP(type, ptr, b_.CreateAdd(offset.base, i64c(1 - width())));
    return fromMemory(b_.CreateVectorReverse(b_.CreateAlignedLoad(vector, address, align)), elem);
  }
  llvm::Value* addresses = b_.CreateGEP(type, ptr, asVector(offset));
  return fromMemory(b_.CreateMaskedGather(vector, addresses, align, mask, zero), elem);
}

void FunctionEmitter::storeAt(llvm::Value* ptr, ir::Elem elem, Index offset, bool interleaved,
                              llvm::Value* value) {
  llvm::Type* type = memoryType(elem);
  const llvm::Align align(static_cast<uint64_t>(elemBytes(elem)));
  if (interleaved) offset = inOwnLane(offset);
  if (offset.uniform()) {
    check(!isLanes(value), "eight lanes are stored in one place");
    llvm::Value* base = offset.base;
    if (inLanes() && !constantOf(base)) base = b_.CreateSelect(any(accessMask()), base, i64c(0));
    b_.CreateAlignedStore(toMemory(value, elem), b_.CreateInBoundsGEP(type, ptr, base), align);
    return;
  }
  value = toMemory(splat(value), elem);
  llvm::Value* mask = accessMask();
  if (offset.vector == nullptr && offset.step == 1) {
    llvm::Value* address = b_.CreateGEP(type, ptr, offset.base);
    if (mask == nullptr)
      b_.CreateAlignedStore(value, address, align);
    else
      b_.CreateMaskedStore(value, address, align, mask);
    return;
  }
  llvm::Value* all = mask != nullptr ? mask : llvm::ConstantInt::getTrue(lanesOf(m_.i1));
  b_.CreateMaskedScatter(value, b_.CreateGEP(type, ptr, asVector(offset)), align, all);
}

llvm::Value* FunctionEmitter::load(const Val& buffer, ir::Elem elem, const Position& position) {
  return loadAt(buffer.ptr, elem, linearised(position, buffer.dims), buffer.interleaved);
}

void FunctionEmitter::store(const Dest& dest, const Position& position, llvm::Value* value) {
  Index offset = fixed(i64c(0));
  if (position.linear) {
    check(dest.contiguous, "a linear position in a strided destination");
    offset = position.at[0];
  } else {
    for (size_t k = 0; k < dest.dims.size(); ++k)
      offset = sum(offset, scaled(position.at[k], dest.strides[k]));
  }
  storeAt(dest.ptr, dest.elem, offset, dest.interleaved, value);
}

}  // namespace dini::codegen
