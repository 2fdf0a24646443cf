#include "syntax/literals.h"

#include <charconv>
#include <cmath>
#include <cstdlib>

namespace dini::syntax {

std::string stringText(std::string_view text) {
  std::string value;
  for (size_t i = 1; i + 1 < text.size(); ++i) {
    char c = text[i];
    if (c == '\\' && i + 2 < text.size()) {
      char escape = text[++i];
      c = escape == 'n' ? '\n' : escape;
    }
    value += c;
  }
  return value;
}

std::string quoted(std::string_view value) {
  std::string text = "\"";
  for (char c : value) {
    if (c == '"' || c == '\\') text += '\\';
    text += c == '\n' ? std::string("\\n") : std::string(1, c);
  }
  return text + '"';
}

std::optional<double> realValue(std::string_view digits) {
  double value = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc()) return value;
  value = std::strtod(std::string(digits).c_str(), nullptr);  // tells overflow from underflow
  if (std::isinf(value)) return std::nullopt;
  return value;
}

std::optional<int64_t> intValue(std::string_view digits) {
  int64_t value = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc()) return std::nullopt;
  return value;
}

}  // namespace dini::syntax
