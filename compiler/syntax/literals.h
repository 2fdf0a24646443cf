// What the text of a number or string token means.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dini::syntax {

// The value of a string token, quotes included in `text`; unknown escapes stand for themselves.
std::string stringText(std::string_view text);
// The same backwards: with quotes and escapes.
std::string quoted(std::string_view value);
// Nearest double, nullopt if it overflows.
std::optional<double> realValue(std::string_view digits);
// nullopt if it does not fit into 64 bits.
std::optional<int64_t> intValue(std::string_view digits);

}  // namespace dini::syntax
