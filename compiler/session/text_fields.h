// Lines and numbers of text data files.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace dini::session {

// The lines of a text one after the other, without their ends.
struct Lines {
  std::string_view rest;
  size_t number = 0;
  bool next(std::string_view& line) {
    if (rest.empty()) return false;
    size_t end = rest.find('\n');
    line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    ++number;
    return true;
  }
};

// The whole text as a number; numbers too small for a real are 0, too large ones none.
std::optional<double> realNumber(std::string_view text);
std::optional<int64_t> wholeNumber(std::string_view text);

}  // namespace dini::session
