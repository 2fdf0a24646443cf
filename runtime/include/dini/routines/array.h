// Arrays of numbers from the C library's allocator, zeroed: compiled programs link the runtime without
// the C++ library, so std::vector is not to be had. Ends the process where memory does.
#ifndef DINI_RUNTIME_ARRAY_H
#define DINI_RUNTIME_ARRAY_H

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <type_traits>

namespace dini {

template <class T>
class Array {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  explicit Array(int64_t size = 0) : size_(size), capacity_(size > 0 ? size : 1) {
    data_ = static_cast<T*>(std::calloc(static_cast<size_t>(capacity_), sizeof(T)));
    if (data_ == nullptr) std::abort();
  }
  Array(int64_t size, T value) : Array(size) {
    for (T& x : *this) x = value;
  }
  Array(const Array& other) : Array(other.size_) {
    std::memcpy(data_, other.data_, static_cast<size_t>(size_) * sizeof(T));
  }
  Array(Array&& other) noexcept : data_(other.data_), size_(other.size_), capacity_(other.capacity_) {
    other.data_ = nullptr;
    other.size_ = other.capacity_ = 0;
  }
  Array& operator=(Array other) noexcept {
    T* const data = data_;
    data_ = other.data_, size_ = other.size_, capacity_ = other.capacity_;
    other.data_ = data;
    return *this;
  }
  ~Array() { std::free(data_); }

  int64_t size() const { return size_; }
  T* data() { return data_; }
  const T* data() const { return data_; }
  T& operator[](int64_t i) { return data_[i]; }
  const T& operator[](int64_t i) const { return data_[i]; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }

  void append(T value) {
    if (size_ == capacity_) {
      capacity_ *= 2;
      data_ = static_cast<T*>(std::realloc(data_, static_cast<size_t>(capacity_) * sizeof(T)));
      if (data_ == nullptr) std::abort();
    }
    data_[size_++] = value;
  }

 private:
  T* data_ = nullptr;
  int64_t size_, capacity_;
};

}  // namespace dini

#endif
