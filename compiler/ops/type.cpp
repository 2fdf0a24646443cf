#include "ops/type.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"

namespace dini::ir {

bool Type::isStatic() const {
  return std::find(dims.begin(), dims.end(), kDynamic) == dims.end();
}

int64_t Type::elementCount() const {
  int64_t count = 1;
  for (int64_t dim : dims) {
    check(dim != kDynamic, "element count of a type with a dynamic size");
    count *= dim;
  }
  return count;
}

std::string str(const Type& type) {
  const char* names[] = {"f64", "i64", "i1"};
  std::string text = names[static_cast<int>(type.elem)];
  for (size_t k = 0; k < type.dims.size(); ++k) {
    text += k == 0 ? "[" : ", ";
    text += type.dims[k] == kDynamic ? std::string("?") : fmt::format("{}", type.dims[k]);
  }
  if (!type.dims.empty()) text += "]";
  return text;
}

}  // namespace dini::ir
