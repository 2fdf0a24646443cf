#include "ir/size_limit.h"

#include <algorithm>

#include <fmt/format.h>

namespace dini::ir {

void limitElements(const Type& type, Span where) {
  if (std::find(type.dims.begin(), type.dims.end(), 0) != type.dims.end()) return;
  int64_t count = 1;
  for (int64_t dim : type.dims) {
    if (dim == kDynamic) continue;
    if (dim < 0 || __builtin_mul_overflow(count, dim, &count) || count > kMaxElements)
      throw TooManyElements(
          fmt::format("an array of more than 2^44 elements: sizes {}", fmt::join(type.dims, ", ")),
          where);
  }
}

}  // namespace dini::ir
