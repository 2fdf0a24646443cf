#include "driver/dims.h"

#include <charconv>

#include <fmt/format.h>

namespace dini::driver {

std::optional<Dims> parseDims(Context& context, const std::vector<std::string>& texts) {
  Dims dims;
  for (const std::string& text : texts) {
    size_t equals = text.find('=');
    int64_t value = -1;
    const char* end = text.data() + text.size();
    if (equals != std::string::npos && equals > 0) {
      auto [stop, failure] = std::from_chars(text.data() + equals + 1, end, value);
      if (failure != std::errc() || stop != end) value = -1;
    }
    if (value < 0) {
      context.fail(DiagCode::BadCommandLine, fmt::format("`--dims {}` is no size", text),
                   "write `--dims n=100`");
      return std::nullopt;
    }
    dims[text.substr(0, equals)] = value;
  }
  return dims;
}

}  // namespace dini::driver
