// Colours of the terminal, or nothing.
#pragma once

#include <string>
#include <string_view>

#include "diag/render.h"

namespace dini {

enum class Ink { Error, Warning, Note, Frame, Bold };

class Paint {
 public:
  explicit Paint(Colour colour) : on_(colour == Colour::On) {}
  std::string operator()(Ink ink, std::string_view text) const {
    if (!on_ || text.empty()) return std::string(text);
    return std::string(escape(ink)).append(text).append("\x1b[0m");
  }

 private:
  static const char* escape(Ink ink) {
    switch (ink) {
      case Ink::Error:
        return "\x1b[1;31m";
      case Ink::Warning:
        return "\x1b[1;33m";
      case Ink::Note:
        return "\x1b[1;36m";
      case Ink::Frame:
        return "\x1b[1;34m";
      case Ink::Bold:
        return "\x1b[1m";
    }
    return "";
  }
  bool on_;
};

}  // namespace dini
