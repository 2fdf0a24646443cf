// Names that are still free in the Dini text: words of the language and names of the functions that the
// text calls are taken from the start.
#pragma once

#include <set>
#include <string>

namespace dini::clang_frontend {

class Names {
 public:
  Names();
  // `wanted`, or the same with a number after it.
  std::string unique(const std::string& wanted);
  bool free(const std::string& name) const { return !taken_.contains(name); }
  void take(const std::string& name) { taken_.insert(name); }

 private:
  std::set<std::string> taken_;
};

}  // namespace dini::clang_frontend
