// Arrays with some elements replaced or added to, in place where the operand dies; arrays put
// together from parts.
#include <algorithm>
#include <set>

#include "base/check.h"
#include "codegen/emitter.h"
#include "ir/builder.h"

namespace dini::codegen {

using ir::Op;
using ir::OpCode;

// The memory of operand 0 where it may be overwritten, else a copy of it.
Dest FunctionEmitter::targetOfUpdate(const Op& op) {
  const ir::Value* x = op.operand(0);
  const ir::Value* result = op.result();
  const bool interleaved = inLanes() && varies(result);
  if (ownsForUpdate(x, op) && val(x).interleaved == interleaved) {
    const Val held = val(x);
    extendStorage(held, result);
    const Dest dest = destOf(held, result->type.elem);
    setBuffer(result, dest, held.storage);
    return dest;
  }
  const Buffer buffer = allocate(result, dimsOf(x));
  copyInto(x, buffer.dest);
  setBuffer(result, buffer.dest, buffer.storage);
  return buffer.dest;
}

void FunctionEmitter::writeOrAdd(const Dest& dest, const Position& position, llvm::Value* value,
                                 bool add) {
  if (add) {
    Val target;
    target.kind = Val::Kind::Buffer;
    target.ptr = dest.ptr;
    target.dims = dest.dims;
    target.interleaved = dest.interleaved;
    llvm::Value* old = load(target, dest.elem, position);
    if (isLanes(old) != isLanes(value)) old = splat(old), value = splat(value);
    value = dest.elem == ir::Elem::I64 ? b_.CreateAdd(old, value) : b_.CreateFAdd(old, value);
  }
  store(dest, position, value);
}

void FunctionEmitter::emitUpdate(const Op& op) {
  const ir::Value* v = op.operand(1);
  const bool add = op.code == OpCode::AddAt;
  llvm::SmallVector<Index, 4> leading;
  for (size_t k = 2; k < op.operands.size(); ++k)
    leading.push_back(fromValue(scalar(op.operand(k))));
  if (op.operand(0)->type.isScalar()) {
    llvm::Value* x = scalar(op.operand(0));
    llvm::Value* value = scalar(v);
    if (add && isLanes(x) != isLanes(value)) x = splat(x), value = splat(value);
    return setScalar(op.result(), add ? b_.CreateFAdd(x, value) : value);
  }
  const Dest dest = targetOfUpdate(op);
  if (v->type.isScalar()) return writeOrAdd(dest, positionOf(leading), scalar(v), add);
  llvm::SmallVector<Index, 4> at;
  nest(dimsOf(v), 0, at, [&](llvm::ArrayRef<Index> inner) {
    llvm::SmallVector<Index, 4> place(leading.begin(), leading.end());
    place.append(inner.begin(), inner.end());
    llvm::Value* value = element(v, positionOf(inner));
    writeOrAdd(dest, positionOf(place), value, add);
  });
}

// A sum of boxes laid over a constant array (Plan::isPadding): the index space is cut where a box
// begins or ends, and each piece is one loop nest that adds what covers it, in the order of the
// operations.
void FunctionEmitter::emitPadding(const Op& op) {
  std::vector<const Op*> terms;
  for (const Op* term = &op; term->code == OpCode::AddSlice; term = term->operand(0)->def)
    terms.insert(terms.begin(), term);
  llvm::Value* base = scalar(terms.front()->operand(0)->def->operand(0));
  const auto& dims = op.result()->type.dims;
  const auto start = [](const Op& term, size_t axis) {
    return *ir::constantInt(term.operand(2 + axis));
  };
  std::vector<std::vector<int64_t>> cuts(dims.size());
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    std::set<int64_t> places{0, dims[axis]};
    for (const Op* term : terms) {
      places.insert(start(*term, axis));
      places.insert(start(*term, axis) + term->operand(1)->type.dims[axis]);
    }
    cuts[axis].assign(places.begin(), places.end());
  }
  const Buffer buffer = allocate(op.result(), dimsOf(op.operand(0)));
  std::vector<int64_t> low(dims.size()), high(dims.size());
  const std::function<void(size_t)> pieces = [&](size_t axis) {
    if (axis < dims.size()) {
      for (size_t k = 0; k + 1 < cuts[axis].size(); ++k) {
        low[axis] = cuts[axis][k];
        high[axis] = cuts[axis][k + 1];
        pieces(axis + 1);
      }
      return;
    }
    std::vector<const Op*> covering;
    for (const Op* term : terms) {
      bool inside = true;
      for (size_t k = 0; k < dims.size(); ++k)
        inside = inside && start(*term, k) <= low[k] &&
                 high[k] <= start(*term, k) + term->operand(1)->type.dims[k];
      if (inside) covering.push_back(term);
    }
    Values extent;
    for (size_t k = 0; k < dims.size(); ++k) extent.push_back(i64c(high[k] - low[k]));
    llvm::SmallVector<Index, 4> at;
    fresh();
    nest(extent, 0, at, [&](llvm::ArrayRef<Index> inner) {
      llvm::SmallVector<Index, 4> place;
      for (size_t k = 0; k < inner.size(); ++k) place.push_back(addTo(inner[k], i64c(low[k])));
      // Boxes that begin at one place are read at one position, so that they share what they
      // compute.
      std::map<std::vector<int64_t>, Position> positions;
      llvm::Value* total = base;
      for (const Op* term : covering) {
        std::vector<int64_t> origin;
        for (size_t k = 0; k < dims.size(); ++k) origin.push_back(start(*term, k));
        auto found = positions.find(origin);
        if (found == positions.end()) {
          llvm::SmallVector<Index, 4> from;
          for (size_t k = 0; k < place.size(); ++k)
            from.push_back(addTo(place[k], i64c(-origin[k])));
          found = positions.emplace(origin, positionOf(from)).first;
        }
        llvm::Value* value = element(term->operand(1), found->second);
        if (isLanes(value) != isLanes(total)) value = splat(value), total = splat(total);
        total = b_.CreateFAdd(total, value);
      }
      store(buffer.dest, positionOf(place), total);
    });
  };
  pieces(0);
  setBuffer(op.result(), buffer.dest, buffer.storage);
}

void FunctionEmitter::emitUpdateSlice(const Op& op) {
  if (plan_.isPadding(op)) {
    if (plan_.isVirtual(op.result())) return setVirtual(op.result(), dimsOf(op.operand(0)));
    return emitPadding(op);
  }
  const ir::Value* v = op.operand(1);
  const bool add = op.code == OpCode::AddSlice;
  const Dest dest = targetOfUpdate(op);
  llvm::SmallVector<Index, 4> at;
  nest(dimsOf(v), 0, at, [&](llvm::ArrayRef<Index> inner) {
    llvm::SmallVector<Index, 4> place;
    for (size_t k = 0; k < inner.size(); ++k)
      place.push_back(addTo(inner[k], scalar(op.operand(2 + k))));
    llvm::Value* value = element(v, positionOf(inner));
    writeOrAdd(dest, positionOf(place), value, add);
  });
}

// Row after row, in order: indices may repeat.
void FunctionEmitter::emitScatterAdd(const Op& op) {
  const ir::Value* indices = op.operand(1);
  const ir::Value* v = op.operand(2);
  const Dest dest = targetOfUpdate(op);
  const Values dims = dimsOf(v);
  const Values row(dims.begin() + 1, dims.end());
  countedLoop(i64c(0), dims[0], 1, [&](llvm::Value* j) {
    llvm::Value* to = element(indices, positionOf({fixed(j)}));
    llvm::SmallVector<Index, 4> at;
    nest(row, 0, at, [&](llvm::ArrayRef<Index> inner) {
      llvm::SmallVector<Index, 4> from{fixed(j)}, place{fromValue(to)};
      from.append(inner.begin(), inner.end());
      place.append(inner.begin(), inner.end());
      llvm::Value* value = element(v, positionOf(from));
      writeOrAdd(dest, positionOf(place), value, true);
    });
  });
}

// A part of a destination that starts `offset` elements into it.
Dest FunctionEmitter::part(const Dest& dest, llvm::Value* offset, Values dims, Values strides,
                           bool contiguous) {
  Dest inner = dest;
  if (dest.interleaved) offset = b_.CreateMul(offset, i64c(width()));
  inner.ptr = b_.CreateInBoundsGEP(memoryType(dest.elem), dest.ptr, offset);
  inner.dims = std::move(dims);
  inner.strides = std::move(strides);
  inner.contiguous = contiguous;
  return inner;
}

// The part of the concatenation that is long enough for the sum to run beside it.
static const ir::Value* partBeside(const Op& concat, const Op& sum) {
  constexpr int64_t kLong = 1 << 13;
  for (const ir::Value* part : concat.operands)
    if (part->type.isStatic() && part->type.dims[0] >= kLong &&
        std::abs(part->type.dims[0] - sum.operand(0)->type.dims[0]) <= 8 * kLanes)
      return part;
  return nullptr;
}

bool FunctionEmitter::isSumBesideWrite(const ir::Region& region, size_t index) {
  const Op& sum = *region.ops[index];
  const Op& next = *region.ops[index + 1];
  if (inLanes() || sum.code != OpCode::Reduce || sum.attrs.str != "sum") return false;
  const ir::Type& type = sum.operand(0)->type;
  if (!type.isReal() || type.rank() != 1 || !type.isStatic()) return false;
  if (next.code != OpCode::Concat || next.result()->type.rank() != 1 ||
      !next.result()->type.isReal())
    return false;
  const ir::Value* part = partBeside(next, sum);
  return part != nullptr && val(part).kind == Val::Kind::Virtual &&
         std::find(next.operands.begin(), next.operands.end(), sum.result()) == next.operands.end();
}

// One loop for the vectors that both have, the rest apart.
void FunctionEmitter::writeBesideSum(const ir::Value* value, const Dest& dest, const Op& sum) {
  const ir::Value* summed = sum.operand(0);
  llvm::Value* count = dimsOf(value)[0];
  llvm::Value* sum_count = dimsOf(summed)[0];
  const int64_t both = std::min(value->type.dims[0], summed->type.dims[0]) / kLanes * kLanes;
  const Values initial{llvm::Constant::getNullValue(lanesOf(m_.f64))};
  const Values partials =
      carriedLoop(i64c(0), i64c(both), kLanes, initial, [&](llvm::Value* i, const Values& carried) {
        const Position position = linearPosition({i, 1, nullptr});
        llvm::Value* added = b_.CreateFAdd(carried[0], splat(element(summed, position)));
        store(dest, position, splat(element(value, position)));
        return Values{added};
      });
  setScalar(sum.result(), sumAlongFrom(i64c(both), partials[0], sum_count, [&](Index i) {
              return element(summed, linearPosition(i));
            }));
  vectorLoop(b_.CreateSub(count, i64c(both)), [&](Index i) {
    const Position position = linearPosition(addTo(i, i64c(both)));
    store(dest, position, element(value, position));
  });
  fresh();
}

void FunctionEmitter::emitConcat(const Op& op, const Op* sum) {
  const auto axis = static_cast<size_t>(op.attrs.i);
  Values dims = dimsOf(op.operand(0));
  llvm::Value* total = i64c(0);
  for (const ir::Value* operand : op.operands) total = b_.CreateAdd(total, dimsOf(operand)[axis]);
  dims[axis] = total;
  const Buffer buffer = allocate(op.result(), dims);
  const ir::Value* beside = sum != nullptr ? partBeside(op, *sum) : nullptr;
  llvm::Value* start = i64c(0);
  for (const ir::Value* operand : op.operands) {
    const Values part_dims = dimsOf(operand);
    llvm::Value* offset = b_.CreateMul(start, buffer.dest.strides[axis]);
    const Dest place = part(buffer.dest, offset, part_dims, buffer.dest.strides, axis == 0);
    if (operand == beside)
      writeBesideSum(operand, place, *sum);
    else
      copyInto(operand, place);
    start = b_.CreateAdd(start, part_dims[axis]);
  }
  setBuffer(op.result(), buffer.dest, buffer.storage);
}

void FunctionEmitter::emitPack(const Op& op) {
  const ir::Value* result = op.result();
  const ir::Value* first = op.operand(0);
  Values dims = first->type.isScalar() ? Values{} : dimsOf(first);
  dims.insert(dims.begin(), i64c(static_cast<int64_t>(op.operands.size())));
  const Buffer buffer = allocate(result, dims);
  const Values inner_dims(dims.begin() + 1, dims.end());
  const Values inner_strides(buffer.dest.strides.begin() + 1, buffer.dest.strides.end());
  for (size_t k = 0; k < op.operands.size(); ++k) {
    const ir::Value* operand = op.operand(k);
    llvm::Value* number = i64c(static_cast<int64_t>(k));
    if (operand->type.isScalar()) {
      store(buffer.dest, positionOf({fixed(number)}), scalar(operand));
    } else {
      llvm::Value* offset = b_.CreateMul(number, buffer.dest.strides[0]);
      copyInto(operand, part(buffer.dest, offset, inner_dims, inner_strides, true));
    }
  }
  setBuffer(result, buffer.dest, buffer.storage);
}

}  // namespace dini::codegen
