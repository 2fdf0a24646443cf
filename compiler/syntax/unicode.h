// UTF-8 decoding and the classes of code points that names are made of.
// Not here: how wide a code point is on a terminal (diag/text_width.h).
#pragma once

#include <cstdint>
#include <string_view>

namespace dini::syntax {

struct Decoded {
  char32_t code_point = 0;
  uint32_t length = 0;  // bytes; 0: not UTF-8
};
// The code point at `offset`, which must lie inside the text.
Decoded decodeUtf8(std::string_view text, size_t offset);
// The offset of the first byte that is not UTF-8, or npos.
size_t firstInvalidUtf8(std::string_view text);

bool startsName(char32_t code_point);     // letters of any script, and _
bool continuesName(char32_t code_point);  // these, digits and combining marks

}  // namespace dini::syntax
