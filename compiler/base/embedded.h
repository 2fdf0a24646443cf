// A text file that was compiled into the program (dini_embed in CMakeLists.txt).
#pragma once

#include <span>
#include <string_view>

namespace dini {

struct EmbeddedText {
  std::string_view name;  // the file's name without folder and extension
  std::string_view text;
};

}  // namespace dini
