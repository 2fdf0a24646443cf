// An IR function back as source text: C++20 that needs only runtime/include/dini/source.hpp, or a
// Dini program. The function is one that opt::simplify has cleaned, with constant sizes where the
// request named them; both writers keep the names of the source and put a comment with the source
// line before the statements that come from it.
// Not here: which function or derivative (driver/emit_source.cpp), machine code (codegen/).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ir/ir.h"

namespace dini::emit {

struct Place {
  std::string file;  // without its folder
  uint32_t line = 0;
  std::string text;  // of that line, trimmed
};

struct Request {
  const ir::Module& module;
  const ir::Function& function;
  std::string name;                     // of what is emitted
  std::vector<std::string> parameters;  // one name for each parameter of the function
  std::vector<std::string> results;     // one name for each result
  std::function<std::optional<Place>(Span)> place;
};

struct Text {
  std::string text;
  std::vector<std::string> helpers;  // functions that it calls: they go before it, each once in a file
  std::string limitation;  // not empty: what has no spelling; there is no text then
  Span span;               // of the limitation, where it is known
  bool uses_routines = false;  // of C++: it needs source_routines.hpp
};

// One or several functions follow the preamble.
std::string cppPreamble(bool uses_routines);
Text cpp(const Request& request);
Text dini(const Request& request);

}  // namespace dini::emit
