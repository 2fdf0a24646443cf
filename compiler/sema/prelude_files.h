// The prelude's files that no text has needed so far: a file is parsed and checked when a text names one
// of its functions or types, so that a program pays for what it uses. Which words a text has is all
// that is looked at: a word that means something else loads a file in vain, never the reverse.
// Parsing and declaring are program.cpp's.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace dini::sema {

struct PreludeFile {
  std::string name;
  std::string text;
};

class PreludeFiles {
 public:
  // What the file declares: functions and types whose declarations begin a line.
  struct Names {
    std::vector<std::string> functions, types;
  };
  Names add(PreludeFile file);
  // Files that declare a word of the text, or that word, each given out once.
  std::vector<PreludeFile> neededBy(std::string_view text);
  std::optional<PreludeFile> declaring(const std::string& word);

 private:
  std::vector<std::optional<PreludeFile>> files_;  // empty: given out
  std::unordered_map<std::string, size_t> declared_in_;
};

}  // namespace dini::sema
