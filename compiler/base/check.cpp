#include "base/check.h"

#include <fmt/format.h>

namespace dini {

void failCheck(std::string_view what, std::source_location where) {
  throw InternalError(fmt::format("{}:{}: {}", where.file_name(), where.line(), what));
}

}  // namespace dini
