#include "codegen/frame.h"

#include <algorithm>

namespace dini::codegen {

int64_t Frame::rounded(int64_t bytes) {
  return std::clamp<int64_t>(bytes + kAlignment - 1, kAlignment, kHuge) / kAlignment * kAlignment;
}

int64_t Frame::allocate(int64_t bytes) {
  const int64_t wanted = rounded(bytes);
  for (auto range = free_.begin(); range != free_.end(); ++range) {
    if (range->second < wanted) continue;
    const int64_t offset = range->first, rest = range->second - wanted;
    free_.erase(range);
    if (rest > 0) free_[offset + wanted] = rest;
    return offset;
  }
  const int64_t offset = size_;
  size_ = std::min(size_ + wanted, kHuge);
  return offset;
}

void Frame::release(int64_t offset, int64_t bytes) {
  auto [range, inserted] = free_.emplace(offset, rounded(bytes));
  auto next = std::next(range);
  if (next != free_.end() && range->first + range->second == next->first) {
    range->second += next->second;
    free_.erase(next);
  }
  if (range == free_.begin()) return;
  auto previous = std::prev(range);
  if (previous->first + previous->second == range->first) {
    previous->second += range->second;
    free_.erase(range);
  }
}

}  // namespace dini::codegen
