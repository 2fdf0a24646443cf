// `loop` and `while`, one iteration after another. A carried array of constant sizes has a home:
// its initial value's memory where that dies here, else a copy. What the body yields is made in the
// home directly where nothing reads the old value any more, or copied there at the end of the
// iteration. Arrays whose sizes are not known before the loop follow one another on the stack: the
// records of earlier iterations (the tape), then the carried arrays; each iteration packs its own
// behind them.
#include <algorithm>

#include "base/check.h"
#include "codegen/emitter.h"
#include "dini/status.h"

namespace dini::codegen {

using ir::Op;
using ir::Region;

// The memory of an operand that nothing else reads can serve the loop.
bool FunctionEmitter::adoptable(const Op& op, size_t operand) {
  return ownsForUpdate(op.operand(operand), op);
}

void FunctionEmitter::openCarries(LoopState& state, const Op& op, size_t first_operand) {
  for (size_t k = first_operand; k < op.operands.size(); ++k) {
    Carry carry;
    carry.initial = op.operand(k);
    carry.result = op.results[k - first_operand];
    const ir::Type& type = carry.result->type;
    carry.dynamic = !type.isStatic();
    if (!carry.dynamic && !type.isScalar()) {
      const Val held = val(carry.initial);
      if (adoptable(op, k) && held.interleaved == (inLanes() && varies(carry.result))) {
        carry.home = {destOf(held, type.elem), held.storage};
        extendStorage(held, carry.result);
      } else {
        carry.home = allocate(carry.result, dimsOf(carry.initial));
        fresh();
        copyInto(carry.initial, carry.home.dest);
      }
    }
    state.carries.push_back(std::move(carry));
  }
}

// Opens the loop's first block, with the phis of what changes from iteration to iteration.
void FunctionEmitter::openHeader(LoopState& state) {
  std::vector<Val> initial;
  for (Carry& carry : state.carries) {
    initial.push_back(carry.dynamic ? inMemory(carry.initial) : val(carry.initial));
    llvm::Value*& first = initial.back().scalar;
    if (first != nullptr && inLanes() && varies(carry.result)) first = splat(first);
  }
  state.mark = stackTop();
  auto* before = b_.GetInsertBlock();
  state.header = newBlock("loop");
  state.after = newBlock("done");
  b_.CreateBr(state.header);
  b_.SetInsertPoint(state.header);
  fresh();
  for (size_t k = 0; k < state.carries.size(); ++k) {
    Carry& carry = state.carries[k];
    if (carry.result->type.isScalar()) {
      carry.phi = b_.CreatePHI(initial[k].scalar->getType(), 2);
      carry.phi->addIncoming(initial[k].scalar, before);
    } else if (carry.dynamic) {
      carry.phi = b_.CreatePHI(m_.ptr, 2);
      carry.phi->addIncoming(initial[k].ptr, before);
      for (llvm::Value* dim : initial[k].dims) {
        carry.size_phis.push_back(b_.CreatePHI(m_.i64, 2));
        carry.size_phis.back()->addIncoming(dim, before);
      }
    }
  }
  if (state.taped) {
    state.tape_top = b_.CreatePHI(m_.ptr, 2, "tape");
    state.tape_top->addIncoming(state.mark, before);
  }
  for (Out& out : state.outs) {
    if (!out.taped) continue;
    for (size_t axis = 1; axis < out.result->type.rank(); ++axis) {
      out.size_phis.push_back(b_.CreatePHI(m_.i64, 2));
      out.size_phis.back()->addIncoming(i64c(std::max<int64_t>(out.result->type.dims[axis], 0)),
                                        before);
    }
  }
}

void FunctionEmitter::bindCarries(LoopState& state, const Region& region, size_t first_argument,
                                  bool owned) {
  for (size_t k = 0; k < state.carries.size(); ++k) {
    Carry& carry = state.carries[k];
    const ir::Value* argument = region.args[first_argument + k];
    if (carry.result->type.isScalar()) {
      setScalar(argument, carry.phi);
      continue;
    }
    Val made;
    made.kind = Val::Kind::Buffer;
    if (carry.dynamic) {
      made.ptr = carry.phi;
      for (llvm::PHINode* size : carry.size_phis) made.dims.push_back(size);
    } else {
      made.ptr = carry.home.dest.ptr;
      made.dims = carry.home.dest.dims;
      made.interleaved = carry.home.dest.interleaved;
      made.storage = carry.home.storage;
      made.owner = owned;
      if (owned) {
        carry.home.storage->loop = &region;
        carry.home.storage->busy_until = plan_.lastUse(argument);
        preferred_[region.yields()[k]] = carry.home;
      }
    }
    values_[argument] = made;
  }
}

// Whether computing `value` reads the storage; reading element after element at the place that is
// written next does not count where `in_order_is_fine`.
bool FunctionEmitter::readsStorage(const ir::Value* value, const Storage* storage,
                                   bool in_order_is_fine) {
  const Val& held = val(value);
  if (held.kind == Val::Kind::Scalar) return false;
  if (held.kind == Val::Kind::Buffer)
    return held.storage == storage && !(in_order_is_fine && held.owner);
  const bool in_order = in_order_is_fine && ir::isElementwise(value->def->code);
  return std::any_of(
      value->def->operands.begin(), value->def->operands.end(),
      [&](const ir::Value* operand) { return readsStorage(operand, storage, in_order); });
}

void FunctionEmitter::advanceHomes(LoopState& state, const Region& body) {
  std::vector<std::pair<size_t, Buffer>> delayed;
  const auto& yields = body.yields();
  for (size_t k = 0; k < state.carries.size(); ++k) {
    Carry& carry = state.carries[k];
    if (carry.dynamic || carry.result->type.isScalar()) continue;
    const Val held = val(yields[k]);
    if (held.kind == Val::Kind::Buffer && held.ptr == carry.home.dest.ptr) continue;
    bool direct = !readsStorage(yields[k], carry.home.storage, true);
    for (size_t j = 0; j < state.carries.size(); ++j)
      if (j != k && !yields[j]->type.isScalar())
        direct = direct && !readsStorage(yields[j], carry.home.storage, false);
    fresh();
    if (direct) {
      copyInto(yields[k], carry.home.dest);
    } else {
      const Buffer copy =
          allocateTemporary(yields[k]->type.elem, dimsOf(yields[k]), carry.home.dest.interleaved);
      materialise(yields[k], copy.dest);
      delayed.push_back({k, copy});
    }
  }
  for (auto& [k, copy] : delayed) {
    const Dest& home = state.carries[k].home.dest;
    if (inLanes() && home.interleaved) {
      const ir::Value* yielded = yields[k];
      const Val original = val(yielded);
      setBuffer(yielded, copy.dest, nullptr);
      fresh();
      materialise(yielded, home);
      values_[yielded] = original;
    } else {
      copyBytes(home.ptr, copy.dest.ptr,
                bytesOf(yields[k]->type, dimsOf(yields[k]), home.interleaved));
    }
  }
}

// The end of an iteration: outs and carries to their places, back to the header.
void FunctionEmitter::advance(LoopState& state, const Region& body, llvm::Value* iteration) {
  const auto& yields = body.yields();
  std::vector<const ir::Value*> packed;
  size_t taped = 0;
  for (Out& out : state.outs) {
    fresh();
    if (out.taped) {
      packed.push_back(out.yielded);
      ++taped;
    } else if (out.yielded->type.isScalar()) {
      store(out.buffer.dest, positionOf({fixed(iteration)}), scalar(out.yielded));
    } else {
      const Values dims = dimsOf(out.yielded);
      const Values strides(out.buffer.dest.strides.begin() + 1, out.buffer.dest.strides.end());
      copyInto(out.yielded,
               part(out.buffer.dest, b_.CreateMul(iteration, out.buffer.dest.strides[0]), dims,
                    strides, true));
    }
  }
  for (size_t k = 0; k < state.carries.size(); ++k)
    if (state.carries[k].dynamic) packed.push_back(yields[k]);
  llvm::Value* base = state.taped ? static_cast<llvm::Value*>(state.tape_top) : state.mark;
  Values addresses;
  llvm::Value* next_tape = base;
  if (!packed.empty()) addresses = compact(packed, base, &next_tape, taped);
  advanceHomes(state, body);
  Values next;
  for (size_t k = 0; k < state.carries.size(); ++k) {
    const ir::Value* result = state.carries[k].result;
    next.push_back(result->type.isScalar() ? scalar(yields[k]) : nullptr);
    // Lanes that are done keep what they have.
    if (next.back() != nullptr && inLanes() && varies(result))
      next.back() = b_.CreateSelect(lanes_.mask, splat(next.back()), state.carries[k].phi);
  }
  std::vector<Values> carry_sizes, out_sizes;
  for (size_t k = 0; k < state.carries.size(); ++k)
    carry_sizes.push_back(state.carries[k].dynamic ? dimsOf(yields[k]) : Values{});
  for (Out& out : state.outs)
    out_sizes.push_back(out.taped && !out.yielded->type.isScalar() ? dimsOf(out.yielded)
                                                                   : Values{});
  if (packed.empty()) setStackTop(base);
  auto* latch = b_.GetInsertBlock();
  size_t address = taped;
  for (size_t k = 0; k < state.carries.size(); ++k) {
    Carry& carry = state.carries[k];
    if (carry.phi == nullptr) continue;
    carry.phi->addIncoming(carry.dynamic ? addresses[address++] : next[k], latch);
    for (size_t axis = 0; axis < carry.size_phis.size(); ++axis)
      carry.size_phis[axis]->addIncoming(carry_sizes[k][axis], latch);
  }
  if (state.taped) state.tape_top->addIncoming(next_tape, latch);
  for (size_t k = 0; k < state.outs.size(); ++k)
    for (size_t axis = 0; axis < state.outs[k].size_phis.size(); ++axis)
      state.outs[k].size_phis[axis]->addIncoming(out_sizes[k][axis], latch);
  b_.CreateBr(state.header);
}

// Binds the results; records of several values are taken apart into arrays.
void FunctionEmitter::finishLoop(LoopState& state, llvm::Value* trips, llvm::Value* most) {
  b_.SetInsertPoint(state.after);
  fresh();
  for (Carry& carry : state.carries) {
    if (carry.result->type.isScalar()) {
      setScalar(carry.result, carry.phi);
    } else if (!carry.dynamic) {
      setBuffer(carry.result, carry.home.dest, carry.home.storage);
      carry.home.storage->loop = nullptr;
    } else {
      Val made;
      made.kind = Val::Kind::Buffer;
      made.ptr = carry.phi;
      for (llvm::PHINode* size : carry.size_phis) made.dims.push_back(size);
      values_[carry.result] = made;
    }
  }
  size_t taped = 0;
  for (Out& out : state.outs) taped += out.taped ? 1 : 0;
  llvm::Value* offset = i64c(0);
  Values starts, element_bytes;
  for (Out& out : state.outs) {
    starts.push_back(offset);
    Values dims(out.size_phis.begin(), out.size_phis.end());
    llvm::Value* bytes = out.taped ? bytesOf(out.yielded->type, dims, false) : i64c(0);
    element_bytes.push_back(bytes);
    if (out.taped)
      offset = b_.CreateAdd(offset, b_.CreateAnd(b_.CreateAdd(bytes, i64c(7)), i64c(-8)));
  }
  if (taped > 0) needs(b_.CreateMul(most, offset));
  for (size_t k = 0; k < state.outs.size(); ++k) {
    Out& out = state.outs[k];
    if (!out.taped) {
      setBuffer(out.result, out.buffer.dest, out.buffer.storage);
      continue;
    }
    Val made;
    made.kind = Val::Kind::Buffer;
    made.dims.push_back(trips);
    for (llvm::PHINode* size : out.size_phis) made.dims.push_back(size);
    if (taped == 1) {
      made.ptr = state.mark;
    } else {
      llvm::Value* bytes =
          bytesOf(out.result->type, Values(made.dims.begin(), made.dims.end()), false);
      made.ptr = allocateDynamic(bytes);
      countedLoop(i64c(0), trips, 1, [&](llvm::Value* i) {
        llvm::Value* from =
            b_.CreateGEP(m_.i8, state.mark, b_.CreateAdd(b_.CreateMul(i, offset), starts[k]));
        copyBytes(b_.CreateGEP(m_.i8, made.ptr, b_.CreateMul(i, element_bytes[k])), from,
                  element_bytes[k]);
      });
    }
    made.storage = newStorage(Storage::Kind::Dynamic, 0, SIZE_MAX);
    made.owner = true;
    values_[out.result] = made;
  }
}

void FunctionEmitter::emitLoop(const Op& op) {
  const Region& body = *op.regions[0];
  const size_t carries = op.operands.size() - 1;
  if (carries == 0 && !inLanes() && canRunInLanes(op)) return emitLaneMap(op);
  LoopState state;
  llvm::Value* trip = scalar(op.operand(0));
  trip = b_.CreateBinaryIntrinsic(llvm::Intrinsic::smax, trip, i64c(0));
  openCarries(state, op, 1);
  for (size_t k = carries; k < body.yields().size(); ++k) {
    Out out;
    out.yielded = body.yields()[k];
    out.result = op.results[k];
    out.taped = !out.yielded->type.isStatic();
    state.taped = state.taped || out.taped;
    if (!out.taped) {
      Values dims{trip};
      for (int64_t dim : out.yielded->type.dims) dims.push_back(i64c(dim));
      out.buffer = allocate(out.result, dims);
    }
    state.outs.push_back(std::move(out));
  }
  openHeader(state);
  auto* before = state.header->getSinglePredecessor();
  llvm::PHINode* i = llvm::PHINode::Create(m_.i64, 2, "i", state.header->begin());
  i->addIncoming(i64c(0), before);
  auto* inside = newBlock("body");
  llvm::Value* more = b_.CreateICmpSLT(i, trip);
  if (inLanes()) more = b_.CreateAnd(more, any(activeMask()));
  b_.CreateCondBr(more, inside, state.after);
  b_.SetInsertPoint(inside);
  pollCancel(op);
  llvm::Value* outer_batch = batch_index_;
  if (carries == 0) batch_index_ = i;
  setScalar(body.args[0], i);
  bindCarries(state, body, 1, true);
  emitOps(body);
  llvm::Value* following = b_.CreateAdd(i, i64c(1), "", true, true);
  advance(state, body, i);
  i->addIncoming(following, b_.GetInsertBlock());
  closeRegion(body);
  batch_index_ = outer_batch;
  finishLoop(state, trip, trip);
}

void FunctionEmitter::emitWhile(const Op& op) {
  const Region& condition = *op.regions[0];
  const Region& body = *op.regions[1];
  const size_t carries = op.operands.size();
  LoopState state;
  openCarries(state, op, 0);
  for (size_t k = carries; k < body.yields().size(); ++k) {
    Out out;
    out.yielded = body.yields()[k];
    out.result = op.results[k + 1];
    out.taped = state.taped = true;
    state.outs.push_back(std::move(out));
  }
  openHeader(state);
  auto* before = state.header->getSinglePredecessor();
  llvm::PHINode* trips = llvm::PHINode::Create(m_.i64, 2, "trips", state.header->begin());
  trips->addIncoming(i64c(0), before);
  pollCancel(op);
  llvm::Value* mark = stackTop();
  bindCarries(state, condition, 0, false);
  emitOps(condition);
  llvm::Value* goes_on = scalar(condition.yields()[0]);
  closeRegion(condition);
  if (inLanes()) goes_on = b_.CreateAnd(goes_on, any(activeMask()));
  setStackTop(mark);
  auto* inside = newBlock("body");
  b_.CreateCondBr(goes_on, inside, state.after);
  b_.SetInsertPoint(inside);
  if (op.attrs.i > 0) require(b_.CreateICmpSLT(trips, i64c(op.attrs.i)), ir::Status::Bound, op);
  bindCarries(state, body, 0, true);
  emitOps(body);
  llvm::Value* following = b_.CreateAdd(trips, i64c(1), "", true, true);
  advance(state, body, nullptr);
  trips->addIncoming(following, b_.GetInsertBlock());
  closeRegion(body);
  if (op.attrs.i > 0) limits_.emplace_back(trips, i64c(op.attrs.i));
  finishLoop(state, trips, op.attrs.i > 0 ? i64c(op.attrs.i) : trips);
  setScalar(op.results[carries], trips);
}

}  // namespace dini::codegen
