#include "ir/interp_value.h"

#include <cstdlib>
#include <cstring>
#include <new>

#include "base/check.h"

namespace dini::ir::interp {

Buffer* Buffer::make(Elem elem, std::span<const int64_t> dims) {
  int64_t count = 1;
  for (int64_t dim : dims) {
    check(dim >= 0, "an array of negative size");
    if (__builtin_mul_overflow(count, dim, &count)) throw std::bad_alloc();
  }
  size_t header = sizeof(Buffer) + dims.size() * sizeof(int64_t);
  size_t elements = 0;
  if (__builtin_mul_overflow(static_cast<size_t>(count), elementSize(elem), &elements))
    throw std::bad_alloc();
  void* memory = std::malloc(header + elements);
  if (memory == nullptr) throw std::bad_alloc();
  auto* buffer = new (memory) Buffer;
  buffer->elem = elem;
  buffer->rank = static_cast<uint32_t>(dims.size());
  buffer->count = count;
  if (!dims.empty()) std::memcpy(buffer->sizes(), dims.data(), dims.size_bytes());
  return buffer;
}

Slot Slot::make(Elem elem, std::span<const int64_t> dims) {
  Slot slot;
  if (!dims.empty()) slot.buffer_ = Buffer::make(elem, dims);
  return slot;
}

void* Slot::own() {
  if (buffer_ == nullptr) return &bits_;
  if (buffer_->references > 1) {
    Buffer* copy = Buffer::make(buffer_->elem, buffer_->dims());
    std::memcpy(copy->data(), buffer_->data(), buffer_->bytes());
    --buffer_->references;
    buffer_ = copy;
  }
  return buffer_->data();
}

void Slot::release() {
  if (buffer_ != nullptr && --buffer_->references == 0) std::free(buffer_);
}

Slot fromTensor(const Tensor& tensor) {
  if (tensor.type.isScalar()) {
    if (tensor.type.elem == Elem::F64) return Slot::real(tensor.reals.at(0));
    if (tensor.type.elem == Elem::I64) return Slot::integer(tensor.ints.at(0));
    return Slot::boolean(tensor.bools.at(0) != 0);
  }
  Slot slot = Slot::make(tensor.type.elem, tensor.type.dims);
  check(slot.count() == tensor.size(), "a tensor whose elements do not fit its type");
  if (slot.count() > 0)
    std::memcpy(slot.own(), tensor.data(),
                static_cast<size_t>(slot.count()) * elementSize(tensor.type.elem));
  return slot;
}

Tensor toTensor(const Slot& slot, Elem elem) {
  Tensor tensor;
  tensor.type = Type{elem, {slot.dims().begin(), slot.dims().end()}};
  int64_t count = slot.count();
  if (elem == Elem::F64) tensor.reals.assign(slot.reals(), slot.reals() + count);
  else if (elem == Elem::I64) tensor.ints.assign(slot.integers(), slot.integers() + count);
  else tensor.bools.assign(slot.booleans(), slot.booleans() + count);
  return tensor;
}

std::vector<int64_t> strides(std::span<const int64_t> dims) {
  std::vector<int64_t> result(dims.size(), 1);
  for (size_t k = dims.size(); k-- > 1;) result[k - 1] = result[k] * dims[k];
  return result;
}

int64_t product(std::span<const int64_t> dims) {
  int64_t result = 1;
  for (int64_t dim : dims) result *= dim;
  return result;
}

}  // namespace dini::ir::interp
