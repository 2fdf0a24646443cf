#include "diag/text_width.h"

#include <algorithm>
#include <iterator>

namespace dini {
namespace {

struct CodePointRange {
  char32_t first, last;
};

#include "diag/width_tables.inc"

template <size_t N>
bool contains(const CodePointRange (&ranges)[N], char32_t c) {
  auto it = std::upper_bound(std::begin(ranges), std::end(ranges), c,
                             [](char32_t value, const CodePointRange& r) { return value < r.first; });
  return it != std::begin(ranges) && c <= std::prev(it)->last;
}

struct Character {
  char32_t code_point = 0xFFFD;
  uint32_t length = 1;  // bytes
};

// A lenient reading: a byte that fits nowhere is a character of its own.
Character characterAt(std::string_view line, size_t i) {
  auto byte = [&](size_t k) { return static_cast<unsigned char>(line[i + k]); };
  unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  uint32_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || i + length > line.size()) return {};
  char32_t c = lead & (0xFFu >> (length + 1));
  for (uint32_t k = 1; k < length; ++k) {
    if ((byte(k) & 0xC0) != 0x80) return {};
    c = (c << 6) | (byte(k) & 0x3F);
  }
  return {c, length};
}

bool disturbs(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0x202A && c <= 0x202E) ||
         (c >= 0x2066 && c <= 0x2069) || c == 0xFFFD;
}

}  // namespace

uint32_t ShownLine::column(size_t offset) const {
  auto it = std::lower_bound(cells.begin(), cells.end(), offset,
                             [](const Cell& cell, size_t value) { return cell.offset < value; });
  return it == cells.end() ? width : it->column;
}

ShownLine showLine(std::string_view line) {
  constexpr uint32_t kTabStop = 4;
  ShownLine shown;
  for (size_t i = 0; i < line.size();) {
    Character c = characterAt(line, i);
    Cell cell{static_cast<uint32_t>(i), shown.width, std::string(line.substr(i, c.length)), 1};
    if (c.code_point == '\t') {
      cell.width = kTabStop - shown.width % kTabStop;
      cell.shown = std::string(cell.width, ' ');
    } else if (disturbs(c.code_point)) {
      cell.shown = "\xEF\xBF\xBD";
    } else if (c.code_point >= 0x80) {
      cell.width = contains(kZeroWidth, c.code_point) ? 0 : contains(kWide, c.code_point) ? 2 : 1;
    }
    shown.width += cell.width;
    shown.cells.push_back(std::move(cell));
    i += c.length;
  }
  return shown;
}

}  // namespace dini
