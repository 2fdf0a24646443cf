// Batching rules of array operations and of solves with one matrix.
#include <algorithm>

#include "batch/batcher.h"
#include "ir/type_rules.h"

namespace dini::batch {

using ir::OpCode;
using ir::Value;
using Values = std::vector<Value*>;

namespace {

Value* product(ir::Builder& b, Value* m, Value* n) {
  auto first = ir::constantInt(m), second = ir::constantInt(n);
  if (first && second) return b.integer(*first * *second);
  return b.op(OpCode::IMul, {m, n});
}

Value* productOf(ir::Builder& b, std::span<Value* const> sizes) {
  Value* all = b.integer(1);
  for (Value* size : sizes) all = product(b, all, size);
  return all;
}

void shift(std::vector<int64_t>& axes) {
  for (int64_t& axis : axes) ++axis;
}

bool isWhole(Value* array, Value* start, Value* size) {
  auto constant = ir::constantInt(size);
  return ir::constantInt(start) == 0 && constant && *constant == array->type.dims[0];
}

}  // namespace

bool Batcher::arrayRule(ir::Builder& b, const ir::Op& op) {
  switch (op.code) {
    case OpCode::Index:
      indexRule(b, op);
      return true;
    case OpCode::Update:
      updateRule(b, op);
      return true;
    case OpCode::AddAt:
      addAtRule(b, op);
      return true;
    case OpCode::Slice:
    case OpCode::UpdateSlice:
    case OpCode::AddSlice:
      sliceRules(b, op);
      return true;
    case OpCode::Gather:
    case OpCode::ScatterAdd:
      gatherRules(b, op);
      return true;
    case OpCode::Einsum:
      einsumRule(b, op);
      return true;
    case OpCode::LinearSolve:
    case OpCode::SolveFactored:
      solveRule(b, op);
      return true;
    case OpCode::Dim: {
      Value* array = batched(b, op.operand(0));
      setUniform(op.result(), b.dim(array, static_cast<size_t>(op.attrs.i) + 1));
      return true;
    }
    case OpCode::Fill:
    case OpCode::Reshape:
    case OpCode::Transpose:
    case OpCode::Broadcast:
    case OpCode::Flip:
    case OpCode::Reduce:
    case OpCode::ReducePick:
    case OpCode::ReducePickT:
    case OpCode::Concat:
    case OpCode::Pack:
      shapeRules(b, op);
      return true;
    default:
      return false;
  }
}

Values Batcher::sizesAfter(ir::Builder& b, Value* array, size_t from) {
  Values sizes;
  for (size_t axis = from; axis < array->type.rank(); ++axis) sizes.push_back(b.dim(array, axis));
  return sizes;
}

// Operations that only get a further axis in front.
void Batcher::shapeRules(ir::Builder& b, const ir::Op& op) {
  auto in = [&](size_t k) { return batched(b, op.operand(k)); };
  ir::Attrs attrs = op.attrs;
  // All sizes of the result: its dynamic ones are operands from `first` on.
  auto sizes = [&](size_t first) {
    Values all{batchSize(b)};
    for (int64_t dim : op.result()->type.dims)
      all.push_back(dim == ir::kDynamic ? uniform(op.operand(first++)) : b.integer(dim));
    return all;
  };
  switch (op.code) {
    case OpCode::Fill:
      set(op.result(), b.broadcast(in(0), {0}, sizes(1)));
      return;
    case OpCode::Reshape:
      set(op.result(), b.reshape(in(0), sizes(1)));
      return;
    case OpCode::Transpose:
      shift(attrs.ints);
      attrs.ints.insert(attrs.ints.begin(), 0);
      set(op.result(), b.transpose(in(0), std::move(attrs.ints)));
      return;
    case OpCode::Broadcast:
      shift(attrs.ints);
      attrs.ints.insert(attrs.ints.begin(), 0);
      set(op.result(), b.broadcast(in(0), std::move(attrs.ints), sizes(1)));
      return;
    case OpCode::Flip:
      set(op.result(), b.flip(in(0), op.attrs.i + 1));
      return;
    case OpCode::Reduce:
      shift(attrs.ints);
      set(op.result(), b.op(OpCode::Reduce, {in(0)}, std::move(attrs)));
      return;
    case OpCode::ReducePick:
    case OpCode::ReducePickT:
      shift(attrs.ints);
      set(op.result(), b.op(op.code, {in(0), in(1)}, std::move(attrs)));
      return;
    case OpCode::Concat: {
      Values parts;
      for (size_t k = 0; k < op.operands.size(); ++k) parts.push_back(in(k));
      set(op.result(), b.concat(std::move(parts), op.attrs.i + 1));
      return;
    }
    default: {  // Pack
      Values parts;
      for (size_t k = 0; k < op.operands.size(); ++k) {
        Values with_axis = b.dims(in(k));
        with_axis.insert(with_axis.begin() + 1, b.integer(1));
        parts.push_back(b.reshape(in(k), with_axis));
      }
      set(op.result(), b.concat(std::move(parts), 1));
    }
  }
}

// x[.., i + c, ..] of an array outside the batch is a slice; x[j] of a batched array is one of its
// columns; other reads gather.
void Batcher::indexRule(ir::Builder& b, const ir::Op& op) {
  Value* array = op.operand(0);
  size_t count = op.operands.size() - 1;
  size_t affine_indices = 0, other = 0;
  for (size_t k = 1; k <= count; ++k) {
    Lane found = lane(op.operand(k));
    affine_indices += found.kind == Lane::Kind::Affine ? 1 : 0;
    other += found.kind == Lane::Kind::Batched ? 1 : 0;
  }
  bool reads_slice = isUniform(array) && affine_indices == 1 && other == 0;
  bool reads_column = isBatched(array) && affine_indices + other == 0;
  if (!reads_slice && !reads_column) return gatherIndexed(b, op);
  Value* source = reads_slice ? uniform(array) : batched(b, array);
  size_t first = 1;  // index that is not read off first
  if (reads_slice) {
    Values leading;
    for (; isUniform(op.operand(first)); ++first) leading.push_back(uniform(op.operand(first)));
    if (!leading.empty()) source = b.index(source, std::move(leading));
  }
  Values starts, sizes;
  if (reads_column) {
    starts.push_back(b.integer(0));
    sizes.push_back(b.dim(source, 0));
  }
  for (size_t k = first; k <= count; ++k) {
    Lane found = lane(op.operand(k));
    bool moves = found.kind == Lane::Kind::Affine;
    starts.push_back(found.value != nullptr ? found.value : b.integer(0));
    sizes.push_back(moves ? batchSize(b) : b.integer(1));
  }
  Values rest = sizesAfter(b, source, starts.size());
  for (Value* size : rest) {
    starts.push_back(b.integer(0));
    sizes.push_back(size);
  }
  if (reads_slice && first == count && isWhole(source, starts[0], sizes[0]))
    return set(op.result(), source);
  Value* part = b.slice(source, starts, sizes);
  if (part->type.rank() != rest.size() + 1) {
    rest.insert(rest.begin(), batchSize(b));
    part = b.reshape(part, rest);
  }
  set(op.result(), part);
}

Value* Batcher::rowOffsets(ir::Builder& b, Value* rows, Value* count) {
  Value* size = batchSize(b);
  Value* offsets = b.op(OpCode::IMul, {b.iota(size), rows});
  return count == nullptr ? offsets : b.broadcast(offsets, {0}, {size, count});
}

// The leading axes flattened to one, and row-major numbers into it.
void Batcher::gatherIndexed(ir::Builder& b, const ir::Op& op) {
  Value* array = op.operand(0);
  size_t count = op.operands.size() - 1;
  bool of_batch = isBatched(array);
  Value* source = of_batch ? batched(b, array) : uniform(array);
  Value* flat = of_batch ? b.iota(batchSize(b)) : nullptr;
  size_t axis = of_batch ? 1 : 0;
  for (size_t k = 1; k <= count; ++k, ++axis) {
    Value* index = isUniform(op.operand(k)) ? uniform(op.operand(k)) : batched(b, op.operand(k));
    if (flat != nullptr) index = b.op(OpCode::IAdd, {product(b, flat, b.dim(source, axis)), index});
    flat = index;
  }
  Values sizes = sizesAfter(b, source, axis);
  Values leading = b.dims(source);
  leading.resize(axis);
  sizes.insert(sizes.begin(), productOf(b, leading));
  Value* rows = axis == 1 ? source : b.reshape(source, sizes);
  set(op.result(), b.gather(rows, flat));
}

void Batcher::updateRule(ir::Builder& b, const ir::Op& op) {
  Value *array = batched(b, op.operand(0)), *v = batched(b, op.operand(1));
  Values starts = uniforms(std::span(op.operands).subspan(2));
  starts.insert(starts.begin(), b.integer(0));
  Values sizes{batchSize(b)};
  for (size_t k = 1; k < starts.size(); ++k) sizes.push_back(b.integer(1));
  for (Value* size : sizesAfter(b, array, starts.size())) {
    starts.push_back(b.integer(0));
    sizes.push_back(size);
  }
  set(op.result(), b.updateSlice(array, b.reshape(v, sizes), starts));
}

void Batcher::addAtRule(ir::Builder& b, const ir::Op& op) {
  Value *array = batched(b, op.operand(0)), *v = batched(b, op.operand(1));
  size_t axes = op.operands.size() - 1;  // batch and indexed ones
  Value* flat = b.iota(batchSize(b));
  for (size_t k = 2; k < op.operands.size(); ++k) {
    Value* index = isUniform(op.operand(k)) ? uniform(op.operand(k)) : batched(b, op.operand(k));
    flat = b.op(OpCode::IAdd, {product(b, flat, b.dim(array, k - 1)), index});
  }
  Values all = b.dims(array), rows(all.begin() + static_cast<ptrdiff_t>(axes), all.end());
  rows.insert(rows.begin(), productOf(b, std::span(all).first(axes)));
  Value* sum = b.op(OpCode::ScatterAdd, {b.reshape(array, rows), flat, v});
  set(op.result(), b.reshape(sum, all));
}

// x[.., i + c, ..] as a slice of size 1 on one axis of an array outside the batch.
bool Batcher::columnSlice(ir::Builder& b, const ir::Op& op) {
  size_t rank = op.operand(0)->type.rank(), moving = rank;
  if (!isUniform(op.operand(0)) || !op.result()->type.isStatic()) return false;
  for (size_t axis = 0; axis < rank; ++axis) {
    Lane found = lane(op.operand(1 + axis));
    if (found.kind == Lane::Kind::Uniform) continue;
    if (found.kind == Lane::Kind::Batched || moving != rank || op.result()->type.dims[axis] != 1)
      return false;
    moving = axis;
  }
  if (moving == rank) return false;
  Values starts, sizes, with_batch{batchSize(b)};
  std::vector<int64_t> order{static_cast<int64_t>(moving)};
  for (size_t axis = 0; axis < rank; ++axis) {
    Value* start = lane(op.operand(1 + axis)).value;
    starts.push_back(start != nullptr ? start : b.integer(0));
    Value* size = b.integer(op.result()->type.dims[axis]);
    sizes.push_back(axis == moving ? batchSize(b) : size);
    with_batch.push_back(size);
    if (axis != moving) order.push_back(static_cast<int64_t>(axis));
  }
  Value* part = b.slice(uniform(op.operand(0)), starts, sizes);
  if (!std::is_sorted(order.begin(), order.end())) part = b.transpose(part, std::move(order));
  set(op.result(), b.reshape(part, with_batch));
  return true;
}

void Batcher::sliceRules(ir::Builder& b, const ir::Op& op) {
  if (op.code == OpCode::Slice && columnSlice(b, op)) return;
  Value* array = batched(b, op.operand(0));
  size_t rank = op.operand(0)->type.rank();
  bool is_slice = op.code == OpCode::Slice;
  Values starts = uniforms(std::span(op.operands).subspan(is_slice ? 1 : 2, rank));
  starts.insert(starts.begin(), b.integer(0));
  if (is_slice) {
    Values sizes{batchSize(b)};
    size_t at = 1 + rank;
    for (int64_t dim : op.result()->type.dims)
      sizes.push_back(dim == ir::kDynamic ? uniform(op.operand(at++)) : b.integer(dim));
    return set(op.result(), b.slice(array, starts, sizes));
  }
  Value* v = batched(b, op.operand(1));
  set(op.result(),
      op.code == OpCode::AddSlice ? b.addSlice(array, v, starts) : b.updateSlice(array, v, starts));
}

// Rows of all members numbered through: member * rows + index.
void Batcher::gatherRules(ir::Builder& b, const ir::Op& op) {
  bool adds = op.code == OpCode::ScatterAdd;
  Value* index = batched(b, op.operand(1));
  Value* count = b.dim(index, 1);
  Value* total = product(b, batchSize(b), count);
  bool of_batch = adds || isBatched(op.operand(0));
  Value* source = of_batch ? batched(b, op.operand(0)) : uniform(op.operand(0));
  Values rest = sizesAfter(b, source, of_batch ? 2 : 1);
  Value* rows = source;
  if (of_batch) {
    index = b.op(OpCode::IAdd, {rowOffsets(b, b.dim(source, 1), count), index});
    Values flat = rest;
    flat.insert(flat.begin(), product(b, b.dim(source, 0), b.dim(source, 1)));
    rows = b.reshape(source, flat);
  }
  index = b.reshape(index, {total});
  if (adds) {
    Values flat = rest;
    flat.insert(flat.begin(), total);
    Value* v = b.reshape(batched(b, op.operand(2)), flat);
    Value* sum = b.op(OpCode::ScatterAdd, {rows, index, v});
    return set(op.result(), b.reshape(sum, b.dims(source)));
  }
  rest.insert(rest.begin(), {batchSize(b), count});
  set(op.result(), b.reshape(b.gather(rows, index), rest));
}

void Batcher::einsumRule(ir::Builder& b, const ir::Op& op) {
  ir::EinsumSpec spec = ir::parseEinsum(op.attrs.str);
  char letter = 'A';
  while (op.attrs.str.find(letter) != std::string::npos) ++letter;
  auto part = [&](size_t k, std::string letters) {
    return (isBatched(op.operand(k)) ? std::string(1, letter) : "") + letters;
  };
  auto in = [&](size_t k) {
    return isBatched(op.operand(k)) ? batched(b, op.operand(k)) : uniform(op.operand(k));
  };
  std::string text = part(0, spec.a) + "," + part(1, spec.b) + "->" + letter + spec.result;
  set(op.result(), b.einsum(text, in(0), in(1)));
}

// One matrix and a vector per member: the vectors are the columns of one right-hand side.
void Batcher::solveRule(ir::Builder& b, const ir::Op& op) {
  size_t last = op.operands.size() - 1;
  if (op.operand(last)->type.rank() != 1) throw NotBatchable{};
  Values operands = uniforms(std::span(op.operands).first(last));
  operands.push_back(b.transpose(batched(b, op.operand(last)), {1, 0}));
  set(op.result(), b.transpose(b.op(op.code, std::move(operands), op.attrs), {1, 0}));
}

}  // namespace dini::batch
