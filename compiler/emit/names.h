// Identifiers for values: their source names where they have one, made unique, and not a word of the
// target language.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "ir/ir.h"

namespace dini::emit {

class Names {
 public:
  explicit Names(std::set<std::string, std::less<>> reserved) : taken_(std::move(reserved)) {}

  // A name that nothing else has: `base`, or base_2, ...
  std::string fresh(std::string_view base);
  // The name of something whose block has ended may be had again.
  void release(const std::string& name) { taken_.erase(name); }
  // The name of a value, chosen at the first call.
  const std::string& of(const ir::Value* value);
  void set(const ir::Value* value, std::string name) { names_[value] = std::move(name); }

 private:
  std::set<std::string, std::less<>> taken_;
  std::unordered_map<const ir::Value*, std::string> names_;
  size_t unnamed_ = 0;
};

}  // namespace dini::emit
