// The words that type rules are written in, and the tables of rules by family. Private to the rules.
#pragma once

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "ir/type_rules.h"

namespace dini::ir {

// What a rule sees, and the words it is written in. The first violated requirement is kept.
class Rule {
 public:
  explicit Rule(const TypeQuery& query) : query_(query) {}
  const Attrs& attrs() const { return query_.attrs; }
  OpCode code() const { return query_.code; }
  size_t count() const { return query_.operands.size(); }
  const Type& type(size_t k) const {
    static const Type kNone;
    return k < count() ? query_.operands[k]->type : kNone;
  }
  bool ok() const { return answer_.error.empty(); }
  bool require(bool holds, std::string_view what) {
    if (!holds && ok()) answer_.error = fmt::format("{}: {}", shape(code()).mnemonic, what);
    return holds && ok();
  }
  bool atLeast(size_t k) { return require(count() >= k, "too few operands"); }
  // Operands from `first` on are i64 scalars.
  void integersFrom(size_t first) {
    for (size_t k = first; k < count(); ++k) require(type(k) == i64(), "expected an i64 scalar");
  }
  void give(Type type) { answer_.results.push_back(std::move(type)); }
  // The single result's type must be given; its dynamic sizes are operands from `first` on.
  const Type& givenWithSizes(size_t first) {
    static const Type kNone;
    if (!require(query_.given.size() == 1, "the result type must be given")) return kNone;
    const Type& type = query_.given[0];
    auto dynamic = std::count(type.dims.begin(), type.dims.end(), kDynamic);
    require(count() == first + static_cast<size_t>(dynamic),
            "expected one size operand per dynamic size of the result");
    integersFrom(first);
    give(type);
    return type;
  }
  void keepGiven() { answer_.results.assign(query_.given.begin(), query_.given.end()); }
  std::span<const Type> given() const { return query_.given; }
  TypeAnswer take() { return std::move(answer_); }

 private:
  const TypeQuery& query_;
  TypeAnswer answer_;
};

struct TypeRuleEntry {
  OpCode code;
  void (*rule)(Rule&);
};
std::span<const TypeRuleEntry> arrayTypeRules();
std::span<const TypeRuleEntry> controlTypeRules();
std::span<const TypeRuleEntry> solveTypeRules();
std::span<const TypeRuleEntry> projectionTypeRules();

}  // namespace dini::ir
