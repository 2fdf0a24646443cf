// UTF-8, and tables of code points. Not here: which code points names are made of
// (syntax/unicode.h), how wide they are on a terminal (diag/text_width.h).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace dini {

struct Decoded {
  char32_t code_point = 0;
  uint32_t length = 0;  // bytes; 0: not UTF-8
};
// The code point at `offset`, which must lie inside the text.
Decoded decodeUtf8(std::string_view text, size_t offset);
// The offset of the first byte that is not UTF-8, or npos.
size_t firstInvalidUtf8(std::string_view text);

struct CodePointRange {
  char32_t first, last;
};
// Whether one of the ranges, which are sorted, holds the code point.
bool contains(std::span<const CodePointRange> ranges, char32_t code_point);

}  // namespace dini
