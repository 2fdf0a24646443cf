#include "session/text_fields.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string>

namespace dini::session {

std::optional<double> realNumber(std::string_view text) {
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  double value = 0;
  auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size()) return std::nullopt;
  if (failure == std::errc::result_out_of_range) {
    value = std::strtod(std::string(text).c_str(), nullptr);  // tiny numbers round to 0
    if (std::isinf(value)) return std::nullopt;
  } else if (failure != std::errc()) {
    return std::nullopt;
  }
  return value;
}

std::optional<int64_t> wholeNumber(std::string_view text) {
  int64_t value = 0;
  auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace dini::session
