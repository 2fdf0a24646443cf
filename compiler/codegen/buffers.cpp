// Memory of arrays: the static frame with reuse, the dynamic stack behind it, copies.
#include <algorithm>

#include "base/check.h"
#include "codegen/emitter.h"

namespace dini::codegen {

using ir::Op;

namespace {

// Of constant sizes; saturates.
int64_t frameBytes(int64_t element_bytes, const std::vector<int64_t>& dims) {
  int64_t bytes = element_bytes;
  for (int64_t dim : dims) {
    if (dim == 0) return 0;
    if (bytes > Frame::kHuge / dim) return Frame::kHuge;
    bytes *= dim;
  }
  return bytes;
}

}  // namespace

Storage* FunctionEmitter::newStorage(Storage::Kind kind, int64_t bytes, size_t release_after) {
  auto storage = std::make_unique<Storage>();
  storage->kind = kind;
  storage->region = regions_.empty() ? &function_.body : regions_.back();
  storage->bytes = bytes;
  storage->release_after = release_after;
  if (kind == Storage::Kind::Frame) storage->offset = frame_.allocate(bytes);
  storages_.push_back(std::move(storage));
  return storages_.back().get();
}

void FunctionEmitter::releaseAfter(const ir::Region& region, size_t index) {
  for (auto& storage : storages_)
    if (storage->region == &region && storage->kind == Storage::Kind::Frame &&
        storage->release_after <= index) {
      frame_.release(storage->offset, storage->bytes);
      storage->region = nullptr;
    }
}

llvm::Value* FunctionEmitter::frameAddress(int64_t offset) {
  return b_.CreateInBoundsGEP(m_.i8, work_, i64c(offset));
}

llvm::Value* FunctionEmitter::stackTop() { return b_.CreateLoad(m_.ptr, top_); }
void FunctionEmitter::setStackTop(llvm::Value* top) { b_.CreateStore(top, top_); }

llvm::Value* FunctionEmitter::allocateDynamic(llvm::Value* bytes) {
  needs(bytes);
  llvm::Value* start = stackTop();
  llvm::Value* rounded =
      b_.CreateAnd(b_.CreateAdd(bytes, i64c(Frame::kAlignment - 1)), i64c(-Frame::kAlignment));
  // Compared as a size: an address beyond the end may have wrapped around.
  llvm::Value* end = b_.CreateLoad(m_.ptr, infoField(1));
  llvm::Value* room =
      b_.CreateSub(b_.CreatePtrToInt(end, m_.i64), b_.CreatePtrToInt(start, m_.i64));
  llvm::Value* fits = b_.CreateICmpULE(rounded, room);
  auto* enough = newBlock("enough");
  auto* full = newBlock("full");
  b_.CreateCondBr(fits, enough, full);
  b_.SetInsertPoint(full);
  leave(ir::Status::Memory);
  b_.SetInsertPoint(enough);
  setStackTop(b_.CreateInBoundsGEP(m_.i8, start, rounded));
  return start;
}

// What is allocated between two marks of the stack counts once, although a loop allocates it anew in
// every iteration; pieces whose lives do not overlap are added up all the same.
MemoryBound FunctionEmitter::memoryBound() {
  MemoryBound result;
  result.frame = frame_.size();
  SizeAnalysis analysis(out_.getArg(0), out_.getArg(2));
  for (const auto& [trips, most] : limits_) analysis.limit(trips, most);
  for (llvm::Value* bytes : dynamic_bytes_) {
    const auto piece = analysis.bound(bytes);
    result.exact = result.exact && piece.has_value();
    if (piece) result.pieces.push_back(*piece + types::Size(Frame::kAlignment - 1));
  }
  for (const auto& [callee, sizes] : calls_) {
    MemoryBound::Call call{callee, {}};
    for (llvm::Value* size : sizes) call.sizes.push_back(analysis.bound(size));
    result.calls.push_back(std::move(call));
  }
  for (const Values& sizes : result_sizes_) {
    MemoryBound::Result& one = result.results.emplace_back();
    for (llvm::Value* size : sizes) one.dims.push_back(analysis.bound(size));
  }
  for (const auto& [which, value] : result_ints_) result.results[which].value = analysis.bound(value);
  return result;
}

llvm::Value* FunctionEmitter::bytesOf(const ir::Type& type, const Values& dims, bool interleaved) {
  llvm::Value* bytes = i64c(elemBytes(type.elem) * (interleaved ? width() : 1));
  for (llvm::Value* dim : dims) {
    if (constantOf(bytes) && constantOf(dim)) {
      bytes = i64c(frameBytes(*constantOf(bytes), {*constantOf(dim)}));
      continue;
    }
    // Saturates, so that an overflow is found by the comparison with the room there is.
    llvm::Value* pair = b_.CreateBinaryIntrinsic(llvm::Intrinsic::umul_with_overflow, bytes, dim);
    bytes = b_.CreateSelect(b_.CreateExtractValue(pair, 1), i64c(Frame::kHuge),
                            b_.CreateExtractValue(pair, 0));
    bytes = b_.CreateBinaryIntrinsic(llvm::Intrinsic::umin, bytes, i64c(Frame::kHuge));
  }
  return bytes;
}

FunctionEmitter::Values FunctionEmitter::rowMajorStrides(const Values& dims) {
  Values strides(dims.size());
  llvm::Value* stride = i64c(1);
  for (size_t k = dims.size(); k-- > 0;) {
    strides[k] = stride;
    stride = b_.CreateMul(stride, dims[k]);
  }
  return strides;
}

Dest FunctionEmitter::contiguousDest(FunctionEmitter& self, llvm::Value* ptr, Values dims,
                                     ir::Elem elem, bool interleaved) {
  Dest dest;
  dest.ptr = ptr;
  dest.strides = self.rowMajorStrides(dims);
  dest.dims = std::move(dims);
  dest.elem = elem;
  dest.interleaved = interleaved;
  return dest;
}

Dest FunctionEmitter::destOf(const Val& buffer, ir::Elem elem) {
  return contiguousDest(*this, buffer.ptr, buffer.dims, elem, buffer.interleaved);
}

FunctionEmitter::Buffer FunctionEmitter::allocate(const ir::Value* value, const Values& dims) {
  const bool interleaved = inLanes() && varies(value);
  const size_t until = std::max(plan_.lastUse(value), indices_.back());
  const bool fixed_size = std::all_of(
      dims.begin(), dims.end(), [&](llvm::Value* dim) { return constantOf(dim).has_value(); });
  // A result of the function is made in the caller's memory.
  if (regions_.size() == 1 && fixed_size && value->type.isStatic()) {
    const auto& yields = function_.body.yields();
    const auto at = std::find(yields.begin(), yields.end(), value);
    if (at != yields.end()) {
      Storage* storage = newStorage(Storage::Kind::Output, 0, SIZE_MAX);
      storage->offset = at - yields.begin();
      llvm::Value* slot = b_.CreateConstInBoundsGEP1_64(m_.ptr, out_.getArg(1),
                                                        static_cast<uint64_t>(storage->offset));
      return {contiguousDest(*this, b_.CreateLoad(m_.ptr, slot), dims, value->type.elem, false),
              storage};
    }
  }
  // A value that becomes a carry is made in the carry's memory where that is free by now.
  if (const auto home = preferred_.find(value); home != preferred_.end()) {
    Storage* storage = home->second.storage;
    if (storage->loop == regions_.back() && storage->busy_until < indices_.back() &&
        home->second.dest.interleaved == interleaved) {
      storage->busy_until = SIZE_MAX;
      return home->second;
    }
  }
  llvm::Value* bytes = bytesOf(value->type, dims, interleaved);
  Storage* storage = nullptr;
  llvm::Value* address = nullptr;
  if (fixed_size) {
    storage = newStorage(Storage::Kind::Frame, *constantOf(bytes), until);
    address = frameAddress(storage->offset);
  } else {
    storage = newStorage(Storage::Kind::Dynamic, 0, until);
    address = allocateDynamic(bytes);
  }
  return {contiguousDest(*this, address, dims, value->type.elem, interleaved), storage};
}

FunctionEmitter::Buffer FunctionEmitter::allocateTemporary(ir::Elem elem, const Values& dims,
                                                           bool interleaved) {
  llvm::Value* bytes = bytesOf({elem, {}}, dims, interleaved);
  Storage* storage = nullptr;
  llvm::Value* address = nullptr;
  if (auto constant = constantOf(bytes)) {
    storage = newStorage(Storage::Kind::Frame, *constant, indices_.back());
    address = frameAddress(storage->offset);
  } else {
    storage = newStorage(Storage::Kind::Dynamic, 0, indices_.back());
    address = allocateDynamic(bytes);
  }
  return {contiguousDest(*this, address, dims, elem, interleaved), storage};
}

llvm::Value* FunctionEmitter::temporaryDoubles(llvm::Value* count) {
  return allocateTemporary(ir::Elem::F64, {count}, false).dest.ptr;
}

Val FunctionEmitter::inMemory(const ir::Value* value, bool interleaved) {
  const Val& held = val(value);
  if (held.kind == Val::Kind::Buffer && held.interleaved == interleaved) return held;
  Val copy;
  copy.kind = Val::Kind::Buffer;
  copy.interleaved = interleaved;
  copy.dims = dimsOf(value);
  Buffer made = allocateTemporary(value->type.elem, dimsOf(value), interleaved);
  if (value->type.isScalar())
    storeAt(made.dest.ptr, value->type.elem, fixed(i64c(0)), interleaved, scalar(value));
  else
    materialise(value, made.dest);
  copy.ptr = made.dest.ptr;
  copy.storage = made.storage;
  return copy;
}

void FunctionEmitter::copyBytes(llvm::Value* to, llvm::Value* from, llvm::Value* bytes,
                                bool overlap) {
  if (overlap)
    b_.CreateMemMove(to, llvm::MaybeAlign(1), from, llvm::MaybeAlign(1), bytes);
  else
    b_.CreateMemCpy(to, llvm::MaybeAlign(1), from, llvm::MaybeAlign(1), bytes);
}

void FunctionEmitter::copyInto(const ir::Value* value, const Dest& dest) {
  const Val& held = val(value);
  const bool plain = held.kind == Val::Kind::Buffer && held.interleaved == dest.interleaved &&
                     dest.contiguous && !(inLanes() && dest.interleaved);
  if (!plain) return materialise(value, dest);
  if (held.ptr == dest.ptr) return;
  copyBytes(dest.ptr, held.ptr, bytesOf(value->type, dimsOf(value), false));
}

// The memory of `held` becomes that of `result`.
void FunctionEmitter::extendStorage(const Val& held, const ir::Value* result) {
  Storage& storage = *held.storage;
  if (storage.region == regions_.back())
    storage.release_after = std::max(storage.release_after, plan_.lastUse(result));
  if (storage.loop == regions_.back())
    storage.busy_until = std::max(storage.busy_until, plan_.lastUse(result));
}

// `value`, an operand of the operation being emitted, may be overwritten by its result.
bool FunctionEmitter::ownsForUpdate(const ir::Value* value, const Op& op) {
  const Val& held = val(value);
  if (held.kind != Val::Kind::Buffer || !held.owner || held.storage == nullptr) return false;
  if (held.storage->kind == Storage::Kind::Foreign) return false;
  return value->region == regions_.back() && plan_.lastUse(value) <= indices_.back() &&
         plan_.soleUse(value, op);
}

}  // namespace dini::codegen
