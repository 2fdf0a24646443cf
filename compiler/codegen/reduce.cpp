// Reductions in the documented order: element k of the reduced index space, row-major, goes to
// partial k mod 8. With the eight lanes along the sequence the partials are the lanes; with the
// lanes across results there are eight accumulators of eight lanes. The results are the same bits.
#include <algorithm>
#include <limits>

#include "base/check.h"
#include "codegen/emitter.h"

namespace dini::codegen {

using ir::Op;

llvm::Value* FunctionEmitter::pairwise(llvm::ArrayRef<llvm::Value*> p) {
  llvm::Value* left = b_.CreateFAdd(b_.CreateFAdd(p[0], p[1]), b_.CreateFAdd(p[2], p[3]));
  llvm::Value* right = b_.CreateFAdd(b_.CreateFAdd(p[4], p[5]), b_.CreateFAdd(p[6], p[7]));
  return b_.CreateFAdd(left, right);
}

llvm::Value* FunctionEmitter::sumAlong(llvm::Value* count, const ElementFn& at) {
  return sumAlongFrom(i64c(0), llvm::Constant::getNullValue(lanesOf(m_.f64)), count, at);
}

llvm::Value* FunctionEmitter::sumAlongFrom(llvm::Value* from, llvm::Value* partial_sums,
                                           llvm::Value* count, const ElementFn& at) {
  llvm::Value* full = b_.CreateAnd(count, i64c(-kLanes));
  Values sums =
      carriedLoop(from, full, kLanes, {partial_sums}, [&](llvm::Value* i, const Values& carried) {
        return Values{b_.CreateFAdd(carried[0], splat(at({i, 1, nullptr})))};
      });
  const auto constant = constantOf(count);
  if (!constant || *constant % kLanes != 0) {
    fresh();
    tail_mask_ = b_.CreateICmpSLT(laneNumbers(), splat(b_.CreateSub(count, full)));
    llvm::Value* added = b_.CreateFAdd(sums[0], splat(at({full, 1, nullptr})));
    sums[0] = b_.CreateSelect(tail_mask_, added, sums[0]);
    tail_mask_ = nullptr;
    fresh();
  }
  Values partials;
  for (int k = 0; k < kLanes; ++k) partials.push_back(lane(sums[0], k));
  return pairwise(partials);
}

llvm::Value* FunctionEmitter::sumAcross(llvm::Value* count, bool wide, bool unroll,
                                        const ElementFn& at) {
  llvm::Type* type = wide ? lanesOf(m_.f64) : m_.f64;
  const auto read = [&](llvm::Value* i) { return wide ? splat(at(fixed(i))) : at(fixed(i)); };
  const auto constant = constantOf(count);
  if (constant && (unroll || *constant <= kLanes)) {
    const int64_t full = *constant / kLanes * kLanes;
    Values partials(kLanes, llvm::Constant::getNullValue(type));
    partials = carriedLoop(
        i64c(0), i64c(full), kLanes, partials, [&](llvm::Value* i, const Values& carried) {
          Values next;
          for (int64_t k = 0; k < kLanes; ++k)
            next.push_back(
                b_.CreateFAdd(carried[static_cast<size_t>(k)], read(b_.CreateAdd(i, i64c(k)))));
          return next;
        });
    fresh();
    for (int64_t k = full; k < *constant; ++k) {
      llvm::Value*& partial = partials[static_cast<size_t>(k - full)];
      partial = b_.CreateFAdd(partial, read(i64c(k)));
    }
    return pairwise(partials);
  }
  llvm::Value* partials = entryAlloca(type, i64c(kLanes), "partials");
  const auto partial = [&](llvm::Value* k) { return b_.CreateInBoundsGEP(type, partials, k); };
  for (int64_t k = 0; k < kLanes; ++k)
    b_.CreateStore(llvm::Constant::getNullValue(type), partial(i64c(k)));
  countedLoop(i64c(0), count, 1, [&](llvm::Value* i) {
    llvm::Value* address = partial(b_.CreateAnd(i, i64c(kLanes - 1)));
    llvm::Value* element = read(i);
    b_.CreateStore(b_.CreateFAdd(b_.CreateLoad(type, address), element), address);
  });
  Values loaded;
  for (int64_t k = 0; k < kLanes; ++k) loaded.push_back(b_.CreateLoad(type, partial(i64c(k))));
  return pairwise(loaded);
}

// The first of the largest (smallest) elements; NaN counts as none. Of equal zeros the first met.
FunctionEmitter::Extreme FunctionEmitter::extremeAlong(bool maximum, llvm::Value* count,
                                                       const ElementFn& at) {
  const double worst =
      maximum ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
  llvm::Type* reals = lanesOf(m_.f64);
  const Values initial{llvm::ConstantFP::get(reals, worst), splat(i64c(INT64_MAX)),
                       llvm::Constant::getNullValue(lanesOf(m_.i1))};
  const auto step = [&](Index i, const Values& carried) {
    llvm::Value* x = splat(at(i));
    llvm::Value* better =
        maximum ? b_.CreateFCmpOGT(x, carried[0]) : b_.CreateFCmpOLT(x, carried[0]);
    llvm::Value* nan = b_.CreateFCmpUNO(x, x);
    if (tail_mask_ != nullptr) {
      better = b_.CreateAnd(better, tail_mask_);
      nan = b_.CreateAnd(nan, tail_mask_);
    }
    return Values{b_.CreateSelect(better, x, carried[0]),
                  b_.CreateSelect(better, asVector(i), carried[1]), b_.CreateOr(carried[2], nan)};
  };
  llvm::Value* full = b_.CreateAnd(count, i64c(-kLanes));
  Values state = carriedLoop(
      i64c(0), full, kLanes, initial,
      [&](llvm::Value* i, const Values& carried) { return step({i, 1, nullptr}, carried); });
  const auto constant = constantOf(count);
  if (!constant || *constant % kLanes != 0) {
    fresh();
    tail_mask_ = b_.CreateICmpSLT(laneNumbers(), splat(b_.CreateSub(count, full)));
    state = step({full, 1, nullptr}, state);
    tail_mask_ = nullptr;
    fresh();
  }
  Extreme best{lane(state[0], 0), lane(state[1], 0), any(state[2])};
  for (int k = 1; k < kLanes; ++k) {
    llvm::Value* x = lane(state[0], k);
    llvm::Value* index = lane(state[1], k);
    llvm::Value* better =
        maximum ? b_.CreateFCmpOGT(x, best.value) : b_.CreateFCmpOLT(x, best.value);
    llvm::Value* earlier =
        b_.CreateAnd(b_.CreateFCmpOEQ(x, best.value), b_.CreateICmpSLT(index, best.index));
    llvm::Value* take = b_.CreateOr(better, earlier);
    best.value = b_.CreateSelect(take, x, best.value);
    best.index = b_.CreateSelect(take, index, best.index);
  }
  return best;
}

FunctionEmitter::Extreme FunctionEmitter::extremeAcross(bool maximum, llvm::Value* count, bool wide,
                                                        const ElementFn& at) {
  const double worst =
      maximum ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
  const auto shaped = [&](llvm::Value* value) { return wide ? splat(value) : value; };
  const Values initial{shaped(f64c(worst)), shaped(i64c(INT64_MAX)), shaped(b_.getFalse())};
  const Values state =
      carriedLoop(i64c(0), count, 1, initial, [&](llvm::Value* i, const Values& carried) {
        llvm::Value* x = shaped(at(fixed(i)));
        llvm::Value* better =
            maximum ? b_.CreateFCmpOGT(x, carried[0]) : b_.CreateFCmpOLT(x, carried[0]);
        return Values{b_.CreateSelect(better, x, carried[0]),
                      b_.CreateSelect(better, shaped(i), carried[1]),
                      b_.CreateOr(carried[2], b_.CreateFCmpUNO(x, x))};
      });
  return {state[0], state[1], state[2]};
}

// Reductions of integers and booleans, whose order does not matter.
llvm::Value* FunctionEmitter::fold(Reduction how, ir::Elem elem, llvm::Value* count, bool along,
                                   bool wide, const ElementFn& at) {
  llvm::Type* type = elemType(elem);
  const uint64_t neutral = how == Reduction::All   ? 1
                           : how == Reduction::Max ? static_cast<uint64_t>(INT64_MIN)
                           : how == Reduction::Min ? static_cast<uint64_t>(INT64_MAX)
                                                   : 0;
  const auto combine = [&](llvm::Value* a, llvm::Value* b) -> llvm::Value* {
    switch (how) {
      case Reduction::Sum:
        return b_.CreateAdd(a, b);
      case Reduction::Max:
        return b_.CreateBinaryIntrinsic(llvm::Intrinsic::smax, a, b);
      case Reduction::Min:
        return b_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, a, b);
      case Reduction::Any:
        return b_.CreateOr(a, b);
      default:
        return b_.CreateAnd(a, b);
    }
  };
  llvm::Value* initial = llvm::ConstantInt::get(type, neutral);
  if (!along) {
    const auto shaped = [&](llvm::Value* value) { return wide ? splat(value) : value; };
    return carriedLoop(i64c(0), count, 1, {shaped(initial)},
                       [&](llvm::Value* i, const Values& carried) {
                         return Values{combine(carried[0], shaped(at(fixed(i))))};
                       })[0];
  }
  llvm::Value* full = b_.CreateAnd(count, i64c(-kLanes));
  Values state = carriedLoop(i64c(0), full, kLanes, {splat(initial)},
                             [&](llvm::Value* i, const Values& carried) {
                               return Values{combine(carried[0], splat(at({i, 1, nullptr})))};
                             });
  const auto constant = constantOf(count);
  if (!constant || *constant % kLanes != 0) {
    fresh();
    tail_mask_ = b_.CreateICmpSLT(laneNumbers(), splat(b_.CreateSub(count, full)));
    state[0] =
        b_.CreateSelect(tail_mask_, combine(state[0], splat(at({full, 1, nullptr}))), state[0]);
    tail_mask_ = nullptr;
    fresh();
  }
  llvm::Value* total = lane(state[0], 0);
  for (int k = 1; k < kLanes; ++k) total = combine(total, lane(state[0], k));
  return total;
}

llvm::Value* FunctionEmitter::reduceAlong(Reduction how, ir::Elem elem, llvm::Value* count,
                                          const ElementFn& at) {
  if (elem != ir::Elem::F64) return fold(how, elem, count, true, true, at);
  if (how == Reduction::Sum) return sumAlong(count, at);
  const Extreme extreme = extremeAlong(how == Reduction::Max, count, at);
  return b_.CreateSelect(extreme.nan, llvm::ConstantFP::getNaN(m_.f64), extreme.value);
}

llvm::Value* FunctionEmitter::reduceAcross(Reduction how, ir::Elem elem, llvm::Value* count,
                                           bool wide, bool unroll, const ElementFn& at) {
  if (elem != ir::Elem::F64) return fold(how, elem, count, false, wide, at);
  if (how == Reduction::Sum) return sumAcross(count, wide, unroll, at);
  const Extreme extreme = extremeAcross(how == Reduction::Max, count, wide, at);
  return b_.CreateSelect(extreme.nan, llvm::ConstantFP::getNaN(extreme.value->getType()),
                         extreme.value);
}

void FunctionEmitter::emitReduce(const Op& op) {
  const ir::Value* x = op.operand(0);
  const ir::Value* result = op.result();
  const std::string& name = op.attrs.str;
  const Reduction how = name == "sum"   ? Reduction::Sum
                        : name == "max" ? Reduction::Max
                        : name == "min" ? Reduction::Min
                        : name == "any" ? Reduction::Any
                                        : Reduction::All;
  const size_t rank = x->type.rank();
  const ir::Elem elem = x->type.elem;
  if (rank == 0 || (op.attrs.ints.size() == rank && linearReadable(x))) {
    llvm::Value* count = rank == 0 ? i64c(1) : product(dimsOf(x));
    const ElementFn at = [&](Index i) { return element(x, linearPosition(i)); };
    const bool wide = inLanes() && varies(result);
    return setScalar(result, inLanes() || rank == 0
                                 ? reduceAcross(how, elem, count, wide, treeSize(x, 12) < 12, at)
                                 : reduceAlong(how, elem, count, at));
  }
  if (op.attrs.ints.size() != 1) return reduceInMemory(op, how);
  const auto axis = static_cast<size_t>(op.attrs.ints[0]);
  const Values dims = dimsOf(x);
  Values kept;
  for (size_t k = 0; k < rank; ++k)
    if (k != axis) kept.push_back(dims[k]);
  const Buffer buffer = allocate(result, kept);
  const bool unroll = treeSize(x, 12) < 12;
  const auto along = [&](llvm::ArrayRef<Index> outer) {
    return ElementFn([this, x, axis, outer](Index i) {
      llvm::SmallVector<Index, 4> at(outer.begin(), outer.end());
      at.insert(at.begin() + static_cast<ptrdiff_t>(axis), i);
      return element(x, positionOf(at));
    });
  };
  if (axis + 1 == rank && !inLanes()) {
    scalarNest(kept, [&](llvm::ArrayRef<Index> outer) {
      llvm::Value* value = reduceAlong(how, elem, dims[axis], along(outer));
      store(buffer.dest, positionOf(outer), value);
    });
  } else {
    llvm::SmallVector<Index, 4> at;
    nest(kept, 0, at, [&](llvm::ArrayRef<Index> outer) {
      const bool wide = inLanes() ? varies(result) : !outer.back().uniform();
      llvm::Value* value = reduceAcross(how, elem, dims[axis], wide, unroll, along(outer));
      store(buffer.dest, positionOf(outer), value);
    });
  }
  setBuffer(result, buffer.dest, buffer.storage);
}

// Several axes: the operand in memory with the reduced axes last, so that each result reads one
// contiguous sequence.
void FunctionEmitter::reduceInMemory(const Op& op, Reduction how) {
  const ir::Value* x = op.operand(0);
  const ir::Value* result = op.result();
  const ir::Elem elem = x->type.elem;
  const Values dims = dimsOf(x);
  Values kept, reduced, order;
  std::vector<size_t> axes;
  const auto isReduced = [&](size_t k) {
    return std::find(op.attrs.ints.begin(), op.attrs.ints.end(), static_cast<int64_t>(k)) !=
           op.attrs.ints.end();
  };
  for (int pass = 0; pass < 2; ++pass)
    for (size_t k = 0; k < dims.size(); ++k)
      if (isReduced(k) == (pass == 1)) {
        axes.push_back(k);
        (pass == 1 ? reduced : kept).push_back(dims[k]);
        order.push_back(dims[k]);
      }
  const bool varying = inLanes() && varies(x);
  const Buffer copy = allocateTemporary(x->type.elem, order, varying);
  llvm::SmallVector<Index, 4> at;
  nest(order, 0, at, [&](llvm::ArrayRef<Index> indices) {
    llvm::SmallVector<Index, 4> original(indices.size());
    for (size_t k = 0; k < axes.size(); ++k) original[axes[k]] = indices[k];
    llvm::Value* value = element(x, positionOf(original));
    store(copy.dest, positionOf(indices), value);
  });
  llvm::Value* count = product(reduced);
  const auto one = [&](llvm::Value* start) {
    const ElementFn read = [this, &copy, start, varying](Index i) {
      return loadAt(copy.dest.ptr, copy.dest.elem, addTo(i, start), varying);
    };
    return inLanes() ? reduceAcross(how, elem, count, varies(result), true, read)
                     : reduceAlong(how, elem, count, read);
  };
  if (result->type.isScalar()) return setScalar(result, one(i64c(0)));
  const Buffer buffer = allocate(result, kept);
  countedLoop(i64c(0), product(kept), 1, [&](llvm::Value* i) {
    llvm::Value* value = one(b_.CreateMul(i, count));
    store(buffer.dest, linearPosition(fixed(i)), value);
  });
  setBuffer(result, buffer.dest, buffer.storage);
}

}  // namespace dini::codegen
