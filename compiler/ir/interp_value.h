// Values inside the interpreter. A Slot holds a scalar in place or shares a reference-counted
// buffer; buffers are written only by their sole owner, so sharing is never seen.
#pragma once

#include <cstdint>
#include <span>
#include <utility>

#include "ir/tensor.h"
#include "ops/table.h"

namespace dini::ir::interp {

inline size_t elementSize(Elem elem) { return elem == Elem::I1 ? 1 : 8; }

// Header, sizes, then the elements, in one allocation.
struct Buffer {
  uint32_t references = 1;
  Elem elem = Elem::F64;
  uint32_t rank = 0;
  int64_t count = 0;

  static Buffer* make(Elem elem, std::span<const int64_t> dims);  // elements not initialised
  std::span<const int64_t> dims() const { return {sizes(), rank}; }
  int64_t* sizes() { return reinterpret_cast<int64_t*>(this + 1); }
  const int64_t* sizes() const { return reinterpret_cast<const int64_t*>(this + 1); }
  void* data() { return sizes() + rank; }
  const void* data() const { return sizes() + rank; }
  size_t bytes() const { return static_cast<size_t>(count) * elementSize(elem); }
};

class Slot {
 public:
  Slot() = default;
  Slot(const Slot& other) : bits_(other.bits_), buffer_(other.buffer_) { retain(); }
  Slot(Slot&& other) noexcept
      : bits_(other.bits_), buffer_(std::exchange(other.buffer_, nullptr)) {}
  Slot& operator=(const Slot& other) {
    other.retain();
    release();
    bits_ = other.bits_;
    buffer_ = other.buffer_;
    return *this;
  }
  Slot& operator=(Slot&& other) noexcept {
    if (this == &other) return *this;
    release();
    bits_ = other.bits_;
    buffer_ = std::exchange(other.buffer_, nullptr);
    return *this;
  }
  ~Slot() { release(); }

  static Slot real(double value) { return ofScalar(value); }
  static Slot integer(int64_t value) { return ofScalar(value); }
  static Slot boolean(bool value) { return ofScalar(static_cast<uint8_t>(value ? 1 : 0)); }
  // A fresh tensor, or a scalar where there are no sizes; elements not initialised.
  static Slot make(Elem elem, std::span<const int64_t> dims);

  double real() const { return scalarAs<double>(); }
  int64_t integer() const { return scalarAs<int64_t>(); }
  bool boolean() const { return scalarAs<uint8_t>() != 0; }

  bool isTensor() const { return buffer_ != nullptr; }
  std::span<const int64_t> dims() const {
    return buffer_ ? buffer_->dims() : std::span<const int64_t>{};
  }
  int64_t count() const { return buffer_ ? buffer_->count : 1; }
  const void* data() const { return buffer_ ? buffer_->data() : &bits_; }
  const double* reals() const { return static_cast<const double*>(data()); }
  const int64_t* integers() const { return static_cast<const int64_t*>(data()); }
  const uint8_t* booleans() const { return static_cast<const uint8_t*>(data()); }
  ops::Elements elements() const { return {data(), buffer_ == nullptr}; }
  // For writing: copies the elements first where they are shared.
  void* own();
  double* ownReals() { return static_cast<double*>(own()); }

 private:
  template <class T>
  static Slot ofScalar(T value) {
    Slot slot;
    __builtin_memcpy(&slot.bits_, &value, sizeof value);
    return slot;
  }
  template <class T>
  T scalarAs() const {
    T value;
    __builtin_memcpy(&value, &bits_, sizeof value);
    return value;
  }
  void retain() const {
    if (buffer_) ++buffer_->references;
  }
  void release();

  uint64_t bits_ = 0;
  Buffer* buffer_ = nullptr;
};

Slot fromTensor(const Tensor& tensor);
Tensor toTensor(const Slot& slot, Elem elem);

// Row-major strides, in elements.
std::vector<int64_t> strides(std::span<const int64_t> dims);
int64_t product(std::span<const int64_t> dims);

// Visits all multi-indices of `dims` in row-major order, keeping offsets into several arrays.
class Odometer {
 public:
  Odometer(std::vector<int64_t> dims, std::vector<std::vector<int64_t>> steps)
      : dims_(std::move(dims)), steps_(std::move(steps)), at_(dims_.size(), 0),
        offsets_(steps_.size(), 0) {}
  int64_t offset(size_t array) const { return offsets_[array]; }
  void next() {
    for (size_t axis = dims_.size(); axis-- > 0;) {
      for (size_t k = 0; k < steps_.size(); ++k) offsets_[k] += steps_[k][axis];
      if (++at_[axis] < dims_[axis]) return;
      for (size_t k = 0; k < steps_.size(); ++k) offsets_[k] -= steps_[k][axis] * dims_[axis];
      at_[axis] = 0;
    }
  }

 private:
  std::vector<int64_t> dims_;
  std::vector<std::vector<int64_t>> steps_;  // per array, per axis
  std::vector<int64_t> at_;
  std::vector<int64_t> offsets_;
};

}  // namespace dini::ir::interp
