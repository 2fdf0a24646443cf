#include "types/size.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

namespace dini::types {
namespace {

// Coefficients stop at the largest number instead of wrapping round: no array is that long, and
// what was written stays recognisable in a message.
constexpr int64_t kLargest = std::numeric_limits<int64_t>::max();

int64_t sum(int64_t a, int64_t b) {
  int64_t exact = 0;
  if (__builtin_add_overflow(a, b, &exact)) return a < 0 ? -kLargest : kLargest;
  return std::max(exact, -kLargest);
}
int64_t product(int64_t a, int64_t b) {
  int64_t exact = 0;
  if (__builtin_mul_overflow(a, b, &exact)) return (a < 0) != (b < 0) ? -kLargest : kLargest;
  return std::max(exact, -kLargest);
}

}  // namespace

Size::Size(int64_t constant) {
  if (constant != 0) terms_[{}] = std::max(constant, -kLargest);
}

Size Size::named(SizeName name) {
  Size s;
  s.terms_[{name}] = 1;
  return s;
}

bool Size::isConstant() const {
  return terms_.empty() || (terms_.size() == 1 && terms_.begin()->first.empty());
}

std::optional<int64_t> Size::constant() const {
  if (terms_.empty()) return 0;
  if (!isConstant()) return std::nullopt;
  return terms_.begin()->second;
}

Size Size::operator+(const Size& other) const {
  Size result = *this;
  for (const auto& [names, coefficient] : other.terms_) {
    auto& slot = result.terms_[names];
    slot = sum(slot, coefficient);
    if (slot == 0) result.terms_.erase(names);
  }
  return result;
}

Size Size::operator-(const Size& other) const { return *this + other * Size(-1); }

Size Size::operator*(const Size& other) const {
  Size result;
  for (const auto& [a, ca] : terms_)
    for (const auto& [b, cb] : other.terms_) {
      std::vector<SizeName> names = a;
      names.insert(names.end(), b.begin(), b.end());
      std::sort(names.begin(), names.end());
      auto& slot = result.terms_[names];
      slot = sum(slot, product(ca, cb));
      if (slot == 0) result.terms_.erase(names);
    }
  return result;
}

Size Size::substitute(const std::function<std::optional<Size>(SizeName)>& value) const {
  Size result;
  for (const auto& [names, coefficient] : terms_) {
    Size term(coefficient);
    for (SizeName name : names) {
      auto replaced = value(name);
      term = term * (replaced ? *replaced : Size::named(name));
    }
    result = result + term;
  }
  return result;
}

std::vector<SizeName> Size::names() const {
  std::vector<SizeName> all;
  for (const auto& [names, coefficient] : terms_)
    for (SizeName name : names)
      if (std::find(all.begin(), all.end(), name) == all.end()) all.push_back(name);
  return all;
}

std::string Size::str(const std::function<std::string(SizeName)>& spell) const {
  if (terms_.empty()) return "0";
  std::string text;
  // Names first, the constant last: "2*n + 1".
  for (auto it = terms_.rbegin(); it != terms_.rend(); ++it) {
    const auto& [names, coefficient] = *it;
    int64_t magnitude = coefficient < 0 ? -coefficient : coefficient;
    if (text.empty())
      text += coefficient < 0 ? "-" : "";
    else
      text += coefficient < 0 ? " - " : " + ";
    std::string product;
    for (SizeName name : names) {
      if (!product.empty()) product += "*";
      product += spell(name);
    }
    if (product.empty())
      text += fmt::format("{}", magnitude);
    else
      text += magnitude == 1 ? product : fmt::format("{}*{}", magnitude, product);
  }
  return text;
}

}  // namespace dini::types
