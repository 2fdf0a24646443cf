// For C++ programs that call compiled Dini functions: workspaces, statuses, results. Included by the
// C++ header of every library; nothing but the standard library is needed besides. C++20.
#ifndef DINI_LIBRARY_HPP
#define DINI_LIBRARY_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "dini/dini.h"

namespace dini {

// How a call ended. Converts to true for success; then the results are valid, otherwise not.
class [[nodiscard]] status {
 public:
  status() = default;
  explicit status(const dini_info& info) : info_(info) {}
  static status shape(const char* what) {
    dini_info info{};
    info.status = DINI_SHAPE;
    info.text = what;
    info.rcond = info.batch_index = -1;
    return status(info);
  }

  explicit operator bool() const { return info_.status == DINI_OK; }
  int code() const { return info_.status; }
  // Solves that failed: 0 after a success, but for a library that was built with --on-failure=nan.
  std::int64_t failed() const { return info_.failed; }
  const dini_info& info() const { return info_; }
  // "model.dini:4:3: the solver did not converge: the iteration limit was reached"
  std::string message() const {
    std::string text;
    if (info_.file != nullptr)
      text = std::string(info_.file) + ":" + std::to_string(info_.line) + ":" +
             std::to_string(info_.column) + ": ";
    text += dini_status_text(info_.status);
    if (info_.text != nullptr && info_.text[0] != '\0') text += std::string(": ") + info_.text;
    return text;
  }

 private:
  dini_info info_{};
};

// A value, or the status of the call that did not give one.
template <class T>
class [[nodiscard]] expected {
 public:
  expected(T value) : value_(std::move(value)) {}
  expected(dini::status failure) : status_(std::move(failure)) {}
  bool has_value() const { return value_.has_value(); }
  explicit operator bool() const { return has_value(); }
  const T& operator*() const { return *value_; }
  const T* operator->() const { return &*value_; }
  T value_or(T other) const { return value_.value_or(std::move(other)); }
  const dini::status& error() const { return status_; }

 private:
  std::optional<T> value_;
  dini::status status_;
};

// Scratch memory that grows when a call needs more and is never given back before its end: after the
// first call with the largest sizes nothing is allocated any more. One for each thread.
class workspace {
 public:
  workspace() = default;
  explicit workspace(std::size_t bytes) { reserve(bytes); }
  void reserve(std::size_t bytes) {
    if (bytes <= bytes_) return;
    memory_ = std::make_unique_for_overwrite<std::byte[]>(bytes);
    bytes_ = bytes;
  }
  void* data() { return memory_.get(); }
  std::size_t size() const { return bytes_; }

 private:
  std::unique_ptr<std::byte[]> memory_;
  std::size_t bytes_ = 0;
};

// What the steps of a function share: written by NAME_fwd, read by NAME_bwd and NAME_tan, in several
// threads at once if need be. Grows like a workspace; what it held is lost then.
class tape {
 public:
  tape() = default;
  explicit tape(std::size_t bytes) { reserve(bytes); }
  void reserve(std::size_t bytes) {
    if (bytes <= size()) return;
    words_ = (bytes + sizeof(double) - 1) / sizeof(double);
    memory_ = std::make_unique_for_overwrite<double[]>(words_);
  }
  void* data() { return memory_.get(); }
  const void* data() const { return memory_.get(); }
  std::size_t size() const { return words_ * sizeof(double); }

 private:
  std::unique_ptr<double[]> memory_;
  std::size_t words_ = 0;
};

}  // namespace dini

#endif
