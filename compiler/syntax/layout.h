// A small language of layouts (after Wadler, "A prettier printer"): text with places where a line
// may break, in groups that either stand on one line or break at all their own places.
// Not here: what a program looks like (format_*.cpp).
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace dini::syntax {

struct Doc {
  enum class Kind : uint8_t {
    Text,
    Comment,    // text that does not count for the width; breaks every group around it
    Line,       // a break, or `text` on one line
    HardLine,   // always a break; breaks every group around it
    BlankLine,  // the same with an empty line
    Concat,
    Indent,  // breaks inside are indented by `columns` more
    Group,
  };
  Kind kind = Kind::Concat;
  bool forced = false;  // holds a HardLine or a Comment
  uint32_t columns = 0;
  std::string text;
  std::vector<Doc> parts;
};

Doc text(std::string text);
Doc commentText(std::string text);
Doc line();      // a space on one line
Doc softLine();  // nothing on one line
Doc lineOr(std::string on_one_line);
Doc hardLine();
Doc blankLine();
Doc concat(std::vector<Doc> parts);
Doc indent(Doc doc, uint32_t columns = 2);
enum class Breaks { IfTooLong, Always };
Doc group(Doc doc, Breaks breaks = Breaks::IfTooLong);

// A concatenation whose parts are made in the order in which they are written (which the arguments
// of a function are not): Cat{expr(a), text(" + "), expr(b)}.
struct Cat {
  template <class... Docs>
  explicit(sizeof...(Docs) == 1) Cat(Docs&&... docs) {
    (parts.push_back(static_cast<Doc>(std::forward<Docs>(docs))), ...);
  }
  operator Doc() && { return concat(std::move(parts)); }  // NOLINT: Cat is a way to write a Doc
  std::vector<Doc> parts;
};

// The text, without blanks at line ends.
std::string print(const Doc& doc, uint32_t width);

}  // namespace dini::syntax
