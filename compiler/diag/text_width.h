// A source line as a terminal shows it: what is printed for each character and how many columns
// it takes. Tabs go to the next multiple of four; what would disturb a terminal or hide what a
// reader sees (control characters, bytes that are not UTF-8, bidirectional overrides) becomes
// U+FFFD.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dini {

struct Cell {
  uint32_t offset = 0;  // of the first byte in the line
  uint32_t column = 0;  // from 0
  std::string shown;
  uint32_t width = 1;
};

struct ShownLine {
  std::vector<Cell> cells;
  uint32_t width = 0;
  // The column of the character at a byte offset; the line's width from its end on.
  uint32_t column(size_t offset) const;
};

ShownLine showLine(std::string_view line);

}  // namespace dini
