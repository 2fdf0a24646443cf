// Array operations that move elements. They work on bytes, whatever the element type.
#include <cstring>

#include "base/check.h"
#include "ir/interp_machine.h"

namespace dini::ir::interp {
namespace {

const Type& typeOf(const Step& step) { return step.op->result()->type; }
Elem elemOf(const Step& step) { return typeOf(step).elem; }

const char* bytesOf(const Slot& slot) { return static_cast<const char*>(slot.data()); }
char* ownBytes(Slot& slot) { return static_cast<char*>(slot.own()); }

void copyElements(char* to, const char* from, int64_t count, size_t size) {
  if (count > 0) std::memcpy(to, from, static_cast<size_t>(count) * size);
}

bool constant(Machine&, const Step& step, Slot* frame) {
  const Attrs& attrs = step.op->attrs;
  const Type& type = typeOf(step);
  Slot& out = step.out(frame);
  if (type.isScalar()) {
    out = type.elem == Elem::F64   ? Slot::real(attrs.f)
          : type.elem == Elem::I64 ? Slot::integer(attrs.i)
                                   : Slot::boolean(attrs.i != 0);
    return true;
  }
  Slot result = Slot::make(type.elem, type.dims);
  auto count = static_cast<size_t>(result.count());
  if (type.elem == Elem::F64) {
    if (count > 0) std::memcpy(result.own(), attrs.data->data(), count * sizeof(double));
  } else if (type.elem == Elem::I64) {
    if (count > 0) std::memcpy(result.own(), attrs.ints.data(), count * sizeof(int64_t));
  } else {
    auto* to = static_cast<uint8_t*>(result.own());
    for (size_t k = 0; k < count; ++k) to[k] = attrs.ints[k] != 0 ? 1 : 0;
  }
  out = std::move(result);
  return true;
}

bool fill(Machine& machine, const Step& step, Slot* frame) {
  Slot result = Slot::make(elemOf(step), resultSizes(step, frame, 1));
  machine.charge(result.count());
  size_t size = elementSize(elemOf(step));
  const char* value = bytesOf(step.in(frame, 0));
  char* to = ownBytes(result);
  for (int64_t k = 0; k < result.count(); ++k) std::memcpy(to + static_cast<size_t>(k) * size, value, size);
  step.out(frame) = std::move(result);
  return true;
}

bool iota(Machine& machine, const Step& step, Slot* frame) {
  Slot result = Slot::make(Elem::I64, resultSizes(step, frame, 0));
  machine.charge(result.count());
  auto* to = static_cast<int64_t*>(result.own());
  for (int64_t k = 0; k < result.count(); ++k) to[k] = k;
  step.out(frame) = std::move(result);
  return true;
}

bool dim(Machine&, const Step& step, Slot* frame) {
  step.out(frame) = Slot::integer(step.in(frame, 0).dims()[static_cast<size_t>(step.op->attrs.i)]);
  return true;
}

bool pack(Machine& machine, const Step& step, Slot* frame) {
  const Slot& first = step.in(frame, 0);
  std::vector<int64_t> sizes(first.dims().begin(), first.dims().end());
  sizes.insert(sizes.begin(), static_cast<int64_t>(step.operands.size()));
  Slot result = Slot::make(elemOf(step), sizes);
  machine.charge(result.count());
  size_t row = static_cast<size_t>(first.count()) * elementSize(elemOf(step));
  char* to = ownBytes(result);
  for (size_t k = 0; k < step.operands.size(); ++k) {
    const Slot& part = step.in(frame, k);
    check(std::ranges::equal(part.dims(), first.dims()), "packed values differ in shape");
    if (row > 0) std::memcpy(to + k * row, bytesOf(part), row);
  }
  step.out(frame) = std::move(result);
  return true;
}

// The part of x at leading indices: offset of its first element, number of elements.
struct Part {
  int64_t offset = 0;
  int64_t count = 1;
  std::span<const int64_t> dims;
};
Part partAt(const Step& step, const Slot* frame, const Slot& x, size_t first_index) {
  Part part{0, x.count(), x.dims()};
  for (size_t k = first_index; k < step.operands.size(); ++k) {
    int64_t at = step.in(frame, k).integer();
    check(at >= 0 && at < part.dims[0], "an index out of bounds");
    part.count /= part.dims[0];
    part.offset += at * part.count;
    part.dims = part.dims.subspan(1);
  }
  return part;
}

bool index(Machine& machine, const Step& step, Slot* frame) {
  const Slot& x = step.in(frame, 0);
  Part part = partAt(step, frame, x, 1);
  size_t size = elementSize(elemOf(step));
  Slot result = Slot::make(elemOf(step), part.dims);
  machine.charge(part.count);
  copyElements(ownBytes(result), bytesOf(x) + static_cast<size_t>(part.offset) * size, part.count,
               size);
  step.out(frame) = std::move(result);
  return true;
}

bool update(Machine& machine, const Step& step, Slot* frame) {
  Part part = partAt(step, frame, step.in(frame, 0), 2);
  const Slot v = step.in(frame, 1);
  check(std::ranges::equal(part.dims, v.dims()), "an updated part has another shape");
  Slot x = step.take(frame, 0);
  size_t size = elementSize(elemOf(step));
  machine.charge(part.count);
  copyElements(ownBytes(x) + static_cast<size_t>(part.offset) * size, bytesOf(v), part.count, size);
  step.out(frame) = std::move(x);
  return true;
}

// to[k] += from[k], for reals and (wrapping) integers.
void addElements(Elem elem, void* to, int64_t to_offset, const void* from, int64_t from_offset,
                 int64_t count) {
  if (elem == Elem::F64) {
    auto* a = static_cast<double*>(to) + to_offset;
    const auto* b = static_cast<const double*>(from) + from_offset;
    for (int64_t k = 0; k < count; ++k) a[k] += b[k];
  } else {
    auto* a = static_cast<uint64_t*>(to) + to_offset;
    const auto* b = static_cast<const uint64_t*>(from) + from_offset;
    for (int64_t k = 0; k < count; ++k) a[k] += b[k];
  }
}

bool addAt(Machine& machine, const Step& step, Slot* frame) {
  Part part = partAt(step, frame, step.in(frame, 0), 2);
  const Slot v = step.in(frame, 1);
  check(std::ranges::equal(part.dims, v.dims()), "an updated part has another shape");
  Slot x = step.take(frame, 0);
  machine.charge(part.count);
  addElements(elemOf(step), x.own(), part.offset, v.data(), 0, part.count);
  step.out(frame) = std::move(x);
  return true;
}

// The rows of a box of x, in row-major order: contiguous runs along the last axis.
template <class Row>
void forEachRow(const Slot& x, std::span<const int64_t> starts, std::span<const int64_t> box,
                const Row& row) {
  std::vector<int64_t> step = strides(x.dims());
  int64_t base = 0;
  for (size_t k = 0; k < box.size(); ++k) {
    check(starts[k] >= 0 && starts[k] + box[k] <= x.dims()[k], "a slice out of bounds");
    base += starts[k] * step[k];
  }
  int64_t length = box.empty() ? 1 : box.back();
  std::vector<int64_t> outer(box.begin(), box.empty() ? box.end() : box.end() - 1);
  int64_t rows = product(outer);
  if (length == 0) return;
  step.resize(outer.size());
  Odometer odometer(outer, {step});
  for (int64_t k = 0; k < rows; ++k, odometer.next()) row(base + odometer.offset(0), k * length, length);
}

std::vector<int64_t> startsOf(const Step& step, const Slot* frame, size_t first, size_t rank) {
  std::vector<int64_t> starts;
  for (size_t k = 0; k < rank; ++k) starts.push_back(step.in(frame, first + k).integer());
  return starts;
}

bool slice(Machine& machine, const Step& step, Slot* frame) {
  const Slot& x = step.in(frame, 0);
  size_t rank = x.dims().size(), size = elementSize(elemOf(step));
  Slot result = Slot::make(elemOf(step), resultSizes(step, frame, 1 + rank));
  machine.charge(result.count());
  char* to = ownBytes(result);
  forEachRow(x, startsOf(step, frame, 1, rank), result.dims(),
             [&](int64_t from_x, int64_t at, int64_t length) {
               copyElements(to + static_cast<size_t>(at) * size,
                            bytesOf(x) + static_cast<size_t>(from_x) * size, length, size);
             });
  step.out(frame) = std::move(result);
  return true;
}

template <bool adds>
bool writeSlice(Machine& machine, const Step& step, Slot* frame) {
  const Slot v = step.in(frame, 1);
  std::vector<int64_t> starts = startsOf(step, frame, 2, v.dims().size());
  Slot x = step.take(frame, 0);
  size_t size = elementSize(elemOf(step));
  machine.charge(v.count());
  char* to = ownBytes(x);
  forEachRow(x, starts, v.dims(), [&](int64_t at_x, int64_t at, int64_t length) {
    if constexpr (adds) addElements(elemOf(step), to, at_x, v.data(), at, length);
    else copyElements(to + static_cast<size_t>(at_x) * size,
                      bytesOf(v) + static_cast<size_t>(at) * size, length, size);
  });
  step.out(frame) = std::move(x);
  return true;
}

bool gather(Machine& machine, const Step& step, Slot* frame) {
  const Slot& x = step.in(frame, 0);
  const Slot& indices = step.in(frame, 1);
  std::vector<int64_t> sizes(x.dims().begin(), x.dims().end());
  int64_t rows = sizes[0];
  sizes[0] = indices.count();
  Slot result = Slot::make(elemOf(step), sizes);
  machine.charge(result.count());
  size_t row = static_cast<size_t>(product(x.dims().subspan(1))) * elementSize(elemOf(step));
  char* to = ownBytes(result);
  for (int64_t k = 0; k < indices.count(); ++k) {
    int64_t from = indices.integers()[k];
    check(from >= 0 && from < rows, "an index out of bounds");
    if (row > 0)
      std::memcpy(to + static_cast<size_t>(k) * row, bytesOf(x) + static_cast<size_t>(from) * row, row);
  }
  step.out(frame) = std::move(result);
  return true;
}

bool scatterAdd(Machine& machine, const Step& step, Slot* frame) {
  const Slot indices = step.in(frame, 1);
  const Slot v = step.in(frame, 2);
  Slot x = step.take(frame, 0);
  int64_t rows = x.dims()[0], row = product(x.dims().subspan(1));
  check(v.count() == indices.count() * row, "scattered rows have another shape");
  machine.charge(v.count());
  void* to = x.own();
  for (int64_t k = 0; k < indices.count(); ++k) {
    int64_t at = indices.integers()[k];
    check(at >= 0 && at < rows, "an index out of bounds");
    addElements(elemOf(step), to, at * row, v.data(), k * row, row);
  }
  step.out(frame) = std::move(x);
  return true;
}

bool concat(Machine& machine, const Step& step, Slot* frame) {
  auto axis = static_cast<size_t>(step.op->attrs.i);
  const Slot& first = step.in(frame, 0);
  std::vector<int64_t> sizes(first.dims().begin(), first.dims().end());
  sizes[axis] = 0;
  for (size_t k = 0; k < step.operands.size(); ++k) {
    const Slot& part = step.in(frame, k);
    for (size_t j = 0; j < sizes.size(); ++j)
      check(j == axis || part.dims()[j] == sizes[j], "concatenated values differ in shape");
    sizes[axis] += part.dims()[axis];
  }
  Slot result = Slot::make(elemOf(step), sizes);
  machine.charge(result.count());
  size_t size = elementSize(elemOf(step));
  int64_t outer = product(std::span(sizes).first(axis));
  int64_t inner = product(std::span(sizes).subspan(axis + 1));
  char* to = ownBytes(result);
  for (int64_t block = 0; block < outer; ++block)
    for (size_t k = 0; k < step.operands.size(); ++k) {
      const Slot& part = step.in(frame, k);
      int64_t run = part.dims()[axis] * inner;
      copyElements(to, bytesOf(part) + static_cast<size_t>(block * run) * size, run, size);
      to += static_cast<size_t>(run) * size;
    }
  step.out(frame) = std::move(result);
  return true;
}

bool reshape(Machine& machine, const Step& step, Slot* frame) {
  const Slot& x = step.in(frame, 0);
  Slot result = Slot::make(elemOf(step), resultSizes(step, frame, 1));
  check(result.count() == x.count(), "a reshape changes the number of elements");
  machine.charge(result.count());
  copyElements(ownBytes(result), bytesOf(x), x.count(), elementSize(elemOf(step)));
  step.out(frame) = std::move(result);
  return true;
}

// A new array whose element at each multi-index is x's at base + steps . index.
Slot strided(Machine& machine, const Step& step, const Slot& x, std::vector<int64_t> sizes,
             int64_t base, std::vector<int64_t> steps) {
  Slot result = Slot::make(elemOf(step), sizes);
  machine.charge(result.count());
  size_t size = elementSize(elemOf(step));
  const char* from = bytesOf(x) + base * static_cast<int64_t>(size);
  char* to = ownBytes(result);
  int64_t count = result.count();
  Odometer odometer(std::move(sizes), {std::move(steps)});
  for (int64_t k = 0; k < count; ++k, odometer.next())
    std::memcpy(to + static_cast<size_t>(k) * size,
                from + odometer.offset(0) * static_cast<int64_t>(size), size);
  return result;
}

bool transpose(Machine& machine, const Step& step, Slot* frame) {
  const Slot& x = step.in(frame, 0);
  std::vector<int64_t> from = strides(x.dims()), sizes, steps;
  for (int64_t axis : step.op->attrs.ints) {
    sizes.push_back(x.dims()[static_cast<size_t>(axis)]);
    steps.push_back(from[static_cast<size_t>(axis)]);
  }
  step.out(frame) = strided(machine, step, x, std::move(sizes), 0, std::move(steps));
  return true;
}

bool broadcast(Machine& machine, const Step& step, Slot* frame) {
  const Slot& x = step.in(frame, 0);
  std::vector<int64_t> sizes = resultSizes(step, frame, 1);
  std::vector<int64_t> steps(sizes.size(), 0), from = strides(x.dims());
  for (size_t k = 0; k < from.size(); ++k) {
    auto axis = static_cast<size_t>(step.op->attrs.ints[k]);
    check(sizes[axis] == x.dims()[k], "a broadcast changes the size of an axis");
    steps[axis] = from[k];
  }
  step.out(frame) = strided(machine, step, x, std::move(sizes), 0, std::move(steps));
  return true;
}

bool flip(Machine& machine, const Step& step, Slot* frame) {
  const Slot& x = step.in(frame, 0);
  auto axis = static_cast<size_t>(step.op->attrs.i);
  std::vector<int64_t> steps = strides(x.dims());
  int64_t base = x.dims()[axis] > 0 ? (x.dims()[axis] - 1) * steps[axis] : 0;
  steps[axis] = -steps[axis];
  std::vector<int64_t> sizes(x.dims().begin(), x.dims().end());
  step.out(frame) = strided(machine, step, x, std::move(sizes), base, std::move(steps));
  return true;
}

constexpr HandlerEntry kHandlers[] = {
    {OpCode::Const, constant},
    {OpCode::Fill, fill},
    {OpCode::Iota, iota},
    {OpCode::Dim, dim},
    {OpCode::Pack, pack},
    {OpCode::Index, index},
    {OpCode::Update, update},
    {OpCode::AddAt, addAt},
    {OpCode::Slice, slice},
    {OpCode::UpdateSlice, writeSlice<false>},
    {OpCode::AddSlice, writeSlice<true>},
    {OpCode::Gather, gather},
    {OpCode::ScatterAdd, scatterAdd},
    {OpCode::Concat, concat},
    {OpCode::Reshape, reshape},
    {OpCode::Transpose, transpose},
    {OpCode::Broadcast, broadcast},
    {OpCode::Flip, flip},
};

}  // namespace

std::span<const HandlerEntry> arrayHandlers() { return kHandlers; }

}  // namespace dini::ir::interp
