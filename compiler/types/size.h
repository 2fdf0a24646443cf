// Symbolic sizes: polynomials with integer coefficients in size names, kept in normal form so
// that two sizes are equal exactly when their representations are. A SizeName is a name in one
// scope (its id tells two functions' `n` apart) or an unknown size, such as the length of a slice
// with run-time bounds, which is equal only to itself.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace dini::types {

struct SizeName {
  uint32_t id = 0;
  bool operator==(const SizeName&) const = default;
  auto operator<=>(const SizeName&) const = default;
};

class Size {
 public:
  Size() = default;                         // 0
  Size(int64_t constant);                   // NOLINT: sizes are written as numbers everywhere
  static Size named(SizeName name);

  bool isConstant() const;
  std::optional<int64_t> constant() const;  // nullopt if any name is left
  bool operator==(const Size&) const = default;

  Size operator+(const Size& other) const;
  Size operator-(const Size& other) const;
  Size operator*(const Size& other) const;

  // Replaces names; a name for which `value` gives nullopt stays.
  Size substitute(const std::function<std::optional<Size>(SizeName)>& value) const;
  std::vector<SizeName> names() const;
  // Monomials (sorted names with repetition) and their nonzero coefficients.
  const std::map<std::vector<SizeName>, int64_t>& terms() const { return terms_; }
  // "2*n + 1"; `spell` gives a name's text.
  std::string str(const std::function<std::string(SizeName)>& spell) const;

 private:
  std::map<std::vector<SizeName>, int64_t> terms_;
};

}  // namespace dini::types
