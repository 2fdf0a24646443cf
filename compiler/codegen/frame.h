// Offsets in the static part of a function's workspace: first fit over a list of free ranges, so
// that memory is reused as soon as its value is dead. Everything is aligned to a cache line.
#pragma once

#include <cstdint>
#include <map>

namespace dini::codegen {

class Frame {
 public:
  static constexpr int64_t kAlignment = 64;
  static constexpr int64_t kHuge = int64_t{1} << 60;  // sizes saturate here: no workspace has it

  int64_t allocate(int64_t bytes);
  void release(int64_t offset, int64_t bytes);
  int64_t size() const { return size_; }

 private:
  static int64_t rounded(int64_t bytes);
  std::map<int64_t, int64_t> free_;  // offset -> bytes
  int64_t size_ = 0;
};

}  // namespace dini::codegen
