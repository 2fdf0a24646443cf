#include "emit/names.h"

#include <cctype>

#include <fmt/format.h>

namespace dini::emit {
namespace {

// Letters of other scripts become underscores: both targets' compilers read the result.
std::string identifier(std::string_view text) {
  std::string made;
  for (char c : text)
    if (std::isalnum(static_cast<unsigned char>(c))) made += c;
    else if (made.empty() || made.back() != '_') made += '_';
  while (made.size() > 1 && made.back() == '_') made.pop_back();
  if (made.empty() || made == "_" || std::isdigit(static_cast<unsigned char>(made[0]))) made = "v" + made;
  if (made[0] == '_') made = "v" + made;
  return made;
}

}  // namespace

std::string Names::fresh(std::string_view base) {
  std::string wanted = identifier(base), name = wanted;
  for (size_t k = 2; !taken_.insert(name).second; ++k) name = fmt::format("{}_{}", wanted, k);
  return name;
}

const std::string& Names::of(const ir::Value* value) {
  auto [it, is_new] = names_.try_emplace(value);
  if (is_new)
    it->second = fresh(value->name.empty() ? fmt::format("t{}", ++unnamed_) : value->name);
  return it->second;
}

}  // namespace dini::emit
