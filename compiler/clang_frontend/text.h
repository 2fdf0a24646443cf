// Dini text that remembers which bytes of C++ its parts were made from.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "clang_client/protocol.h"

namespace dini::clang_frontend {

class Text {
 public:
  Text() = default;
  Text(std::string text) : text_(std::move(text)) {}
  Text(const char* text) : text_(text) {}

  Text& operator+=(const Text& other);
  // The whole text comes from `place`; what its parts know of themselves stays.
  Text from(clang_client::Place place) const;

  const std::string& str() const { return text_; }
  bool empty() const { return text_.empty(); }
  // Sorted by begin, enclosing ones first.
  std::vector<clang_client::Region> regions() const;

 private:
  std::string text_;
  std::vector<clang_client::Region> regions_;
};

Text operator+(Text a, const Text& b);

}  // namespace dini::clang_frontend
