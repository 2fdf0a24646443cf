#include "source/utf8.h"

#include <algorithm>
#include <iterator>

namespace dini {

Decoded decodeUtf8(std::string_view text, size_t offset) {
  auto byte = [&](size_t k) { return static_cast<unsigned char>(text[offset + k]); };
  unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  uint32_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || offset + length > text.size()) return {};
  char32_t c = lead & (0xFFu >> (length + 1));
  for (uint32_t k = 1; k < length; ++k) {
    if ((byte(k) & 0xC0) != 0x80) return {};
    c = (c << 6) | (byte(k) & 0x3F);
  }
  constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  bool surrogate = c >= 0xD800 && c <= 0xDFFF;
  if (c < kLeast[length] || surrogate || c > 0x10FFFF) return {};
  return {c, length};
}

size_t firstInvalidUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    uint32_t length = decodeUtf8(text, i).length;
    if (length == 0) return i;
    i += length;
  }
  return std::string_view::npos;
}

bool contains(std::span<const CodePointRange> ranges, char32_t code_point) {
  auto after = std::upper_bound(
      ranges.begin(), ranges.end(), code_point,
      [](char32_t value, const CodePointRange& range) { return value < range.first; });
  return after != ranges.begin() && code_point <= std::prev(after)->last;
}

}  // namespace dini
