// Branches, `try` and calls.
#include <algorithm>

#include "base/check.h"
#include "codegen/emitter.h"
#include "codegen/info.h"
#include "dini/status.h"

namespace dini::codegen {

using ir::Op;
using ir::Region;

llvm::PHINode* FunctionEmitter::phi(llvm::Type* type, llvm::ArrayRef<llvm::Value*> values,
                                    llvm::ArrayRef<llvm::BasicBlock*> from) {
  llvm::PHINode* made = b_.CreatePHI(type, static_cast<unsigned>(values.size()));
  for (size_t k = 0; k < values.size(); ++k) made->addIncoming(values[k], from[k]);
  return made;
}

std::vector<FunctionEmitter::Slot> FunctionEmitter::reserveResults(const Op& op) {
  std::vector<Slot> slots;
  for (const ir::Value* result : op.results) {
    Slot slot;
    slot.value = result;
    slot.dynamic = !result->type.isStatic();
    if (!slot.dynamic && !result->type.isScalar()) {
      Values dims;
      for (int64_t dim : result->type.dims) dims.push_back(i64c(dim));
      slot.buffer = allocate(result, dims);
    }
    slots.push_back(std::move(slot));
  }
  return slots;
}

FunctionEmitter::Values FunctionEmitter::compact(llvm::ArrayRef<const ir::Value*> values,
                                                 llvm::Value* mark, llvm::Value** after_first,
                                                 size_t first_group) {
  // All at the top first: the values may lie where they go.
  Values offsets;
  llvm::Value* total = i64c(0);
  for (size_t k = 0; k < values.size(); ++k) {
    offsets.push_back(total);
    llvm::Value* bytes = values[k]->type.isScalar()
                             ? i64c(elemBytes(values[k]->type.elem))
                             : bytesOf(values[k]->type, dimsOf(values[k]), false);
    // A tape of one value per iteration has no gaps.
    if (!(first_group == 1 && k == 0)) bytes = b_.CreateAnd(b_.CreateAdd(bytes, i64c(7)), i64c(-8));
    total = b_.CreateAdd(total, bytes);
    if (after_first != nullptr && k + 1 == first_group)
      *after_first = b_.CreateGEP(m_.i8, mark, total);
  }
  llvm::Value* assembled = allocateDynamic(total);
  Values addresses;
  for (size_t k = 0; k < values.size(); ++k) {
    llvm::Value* address = b_.CreateGEP(m_.i8, assembled, offsets[k]);
    fresh();
    if (values[k]->type.isScalar())
      storeAt(address, values[k]->type.elem, fixed(i64c(0)), false, scalar(values[k]));
    else
      copyInto(values[k],
               contiguousDest(*this, address, dimsOf(values[k]), values[k]->type.elem, false));
    addresses.push_back(b_.CreateGEP(m_.i8, mark, offsets[k]));
  }
  needs(total);  // once assembled, once at the mark
  copyBytes(mark, assembled, total, true);
  llvm::Value* end = b_.CreatePtrToInt(b_.CreateGEP(m_.i8, mark, total), m_.i64);
  end = b_.CreateAnd(b_.CreateAdd(end, i64c(Frame::kAlignment - 1)), i64c(-Frame::kAlignment));
  setStackTop(b_.CreateIntToPtr(end, m_.ptr));
  return addresses;
}

void FunctionEmitter::giveResults(std::vector<Slot>& slots, const Region& region,
                                  llvm::Value* mark) {
  std::vector<const ir::Value*> dynamic;
  for (size_t k = 0; k < slots.size(); ++k) {
    const ir::Value* yielded = region.yields()[k];
    fresh();
    if (slots[k].dynamic)
      dynamic.push_back(yielded);
    else if (yielded->type.isScalar())
      slots[k].incoming.push_back(scalar(yielded));
    else
      copyInto(yielded, slots[k].buffer.dest);
  }
  if (dynamic.empty()) return setStackTop(mark);
  const Values addresses = compact(dynamic, mark);
  size_t next = 0;
  for (size_t k = 0; k < slots.size(); ++k) {
    if (!slots[k].dynamic) continue;
    slots[k].incoming.push_back(addresses[next]);
    slots[k].sizes.push_back(dimsOf(dynamic[next++]));
  }
}

void FunctionEmitter::joinResults(std::vector<Slot>& slots,
                                  llvm::ArrayRef<llvm::BasicBlock*> from) {
  for (Slot& slot : slots) {
    if (slot.value->type.isScalar()) {
      setScalar(slot.value, phi(slot.incoming[0]->getType(), slot.incoming, from));
    } else if (!slot.dynamic) {
      setBuffer(slot.value, slot.buffer.dest, slot.buffer.storage);
    } else {
      Val made;
      made.kind = Val::Kind::Buffer;
      made.ptr = phi(m_.ptr, slot.incoming, from);
      for (size_t axis = 0; axis < slot.value->type.rank(); ++axis) {
        Values sizes;
        for (const Values& dims : slot.sizes) sizes.push_back(dims[axis]);
        made.dims.push_back(phi(m_.i64, sizes, from));
      }
      made.storage = newStorage(Storage::Kind::Dynamic, 0, SIZE_MAX);
      made.owner = true;
      values_[slot.value] = made;
    }
  }
}

void FunctionEmitter::emitIf(const Op& op) {
  llvm::Value* condition = scalar(op.operand(0));
  if (isLanes(condition)) return emitLaneIf(op);
  std::vector<Slot> slots = reserveResults(op);
  llvm::Value* mark = stackTop();
  auto* join = newBlock("endif");
  llvm::BasicBlock* sides[] = {newBlock("then"), newBlock("else")};
  b_.CreateCondBr(condition, sides[0], sides[1]);
  llvm::SmallVector<llvm::BasicBlock*, 2> from;
  for (size_t side = 0; side < 2; ++side) {
    b_.SetInsertPoint(sides[side]);
    const Region& region = *op.regions[side];
    emitOps(region);
    giveResults(slots, region, mark);
    closeRegion(region);
    // In lanes one side's value may be the same for all lanes and the other's not.
    for (Slot& slot : slots)
      if (inLanes() && slot.value->type.isScalar() && varies(slot.value))
        slot.incoming.back() = splat(slot.incoming.back());
    from.push_back(b_.GetInsertBlock());
    b_.CreateBr(join);
  }
  b_.SetInsertPoint(join);
  fresh();
  joinResults(slots, from);
}

void FunctionEmitter::emitTry(const Op& op) {
  std::vector<Slot> slots = reserveResults(op);
  llvm::Value* mark = stackTop();
  auto* handler = newBlock("handler");
  auto* join = newBlock("endtry");
  llvm::BasicBlock* outer_failure = failure_;
  llvm::SmallVector<llvm::BasicBlock*, 2> from;
  for (size_t side = 0; side < 2; ++side) {
    failure_ = side == 0 ? handler : outer_failure;
    if (side == 1) {
      b_.SetInsertPoint(handler);
      fresh();
      setStackTop(mark);
    }
    const Region& region = *op.regions[side];
    emitOps(region);
    giveResults(slots, region, mark);
    closeRegion(region);
    from.push_back(b_.GetInsertBlock());
    b_.CreateBr(join);
  }
  b_.SetInsertPoint(join);
  fresh();
  joinResults(slots, from);
}

void FunctionEmitter::emitCall(const Op& op) {
  const ir::Function* callee = m_.module.find(op.attrs.str);
  check(callee != nullptr, "a call of a function that the module does not have");
  llvm::Value* depth = b_.CreateLoad(m_.i64, infoField(2));
  require(b_.CreateICmpSGT(depth, i64c(0)), i64c(DINI_BOUND),
          siteOf(op, "calls nest deeper than the limit"));
  const auto array = [&](llvm::Type* type, size_t count, const char* name) {
    return entryAlloca(type, i64c(std::max<int64_t>(static_cast<int64_t>(count), 1)), name);
  };
  const auto slot = [&](llvm::Type* type, llvm::Value* base, size_t k) {
    return b_.CreateConstInBoundsGEP1_64(type, base, k);
  };
  llvm::Value* in = array(m_.ptr, op.operands.size(), "in");
  llvm::Value* out = array(m_.ptr, op.results.size(), "out");
  Values sizes;
  for (size_t k = 0; k < op.operands.size(); ++k) {
    const Val held = inMemory(op.operand(k));
    b_.CreateStore(held.ptr, slot(m_.ptr, in, k));
    const auto& declared = callee->body.args[k]->type.dims;
    for (size_t axis = 0; axis < declared.size(); ++axis)
      if (declared[axis] == ir::kDynamic) sizes.push_back(dimsOf(op.operand(k))[axis]);
  }
  llvm::Value* size_array = array(m_.i64, sizes.size(), "sizes");
  for (size_t k = 0; k < sizes.size(); ++k) b_.CreateStore(sizes[k], slot(m_.i64, size_array, k));

  // A result is static to the callee or not by the callee's own yields.
  std::vector<Buffer> buffers(op.results.size());
  std::vector<llvm::Value*> places(op.results.size());
  bool dynamic = false;
  for (size_t k = 0; k < op.results.size(); ++k) {
    const ir::Value* result = op.results[k];
    const ir::Type& given = callee->body.yields()[k]->type;
    if (given.isScalar()) {
      places[k] = entryAlloca(memoryType(given.elem), nullptr, "result");
    } else if (given.isStatic()) {
      Values dims;
      for (int64_t dim : given.dims) dims.push_back(i64c(dim));
      buffers[k] = allocate(result, dims);
      places[k] = buffers[k].dest.ptr;
    } else {
      dynamic = true;
      places[k] = array(m_.i64, 1 + given.rank(), "described");
    }
    b_.CreateStore(places[k], slot(m_.ptr, out, k));
  }
  calls_.emplace_back(callee, sizes);
  storeInfo(2, b_.CreateSub(depth, i64c(1)));
  llvm::Value* outer_member = member();
  if (batch_index_ != nullptr) storeInfo(kMember, batch_index_);
  llvm::Value* status =
      b_.CreateCall(m_.functionFor(*callee), {in, out, size_array, stackTop(), info_});
  storeInfo(2, depth);
  if (batch_index_ != nullptr) storeInfo(kMember, outer_member);
  auto* failed = newBlock("call_failed");
  auto* fine = newBlock("called");
  b_.CreateCondBr(b_.CreateICmpEQ(status, i64c(DINI_OK)), fine, failed);
  b_.SetInsertPoint(failed);
  llvm::Value* batch = b_.CreateLoad(m_.i64, infoField(7));
  b_.CreateStore(b_.CreateSelect(b_.CreateICmpSLT(batch, i64c(0)), batchIndex(), batch),
                 infoField(7));
  llvm::Value* final_status = b_.CreateOr(b_.CreateICmpEQ(status, i64c(DINI_INTERRUPTED)),
                                          b_.CreateICmpEQ(status, i64c(DINI_MEMORY)));
  b_.CreateCondBr(final_status, exit_, failure_);
  b_.SetInsertPoint(fine);
  if (dynamic) setStackTop(b_.CreateLoad(m_.ptr, infoField(12)));

  for (size_t k = 0; k < op.results.size(); ++k) {
    const ir::Value* result = op.results[k];
    const ir::Type& given = callee->body.yields()[k]->type;
    if (given.isScalar()) {
      setScalar(result, fromMemory(b_.CreateLoad(memoryType(given.elem), places[k]), given.elem));
    } else if (given.isStatic()) {
      setBuffer(result, buffers[k].dest, buffers[k].storage);
    } else {
      Val made;
      made.kind = Val::Kind::Buffer;
      made.ptr = b_.CreateLoad(m_.ptr, places[k]);
      unsigned field = 1;
      for (int64_t dim : given.dims)
        made.dims.push_back(dim != ir::kDynamic
                                ? i64c(dim)
                                : b_.CreateLoad(m_.i64, slot(m_.i64, places[k], field++)));
      values_[result] = made;
    }
  }
}

}  // namespace dini::codegen
