#include "diag/text_width.h"

#include <algorithm>

#include "source/utf8.h"

namespace dini {
namespace {

#include "diag/width_tables.inc"

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
    Decoded c = decodeUtf8(line, i);
    if (c.length == 0) c = {0xFFFD, 1};  // a byte that fits nowhere is a character of its own
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
