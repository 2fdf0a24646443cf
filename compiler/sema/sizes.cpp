#include "sema/sizes.h"

#include <algorithm>

#include <fmt/format.h>

namespace dini::sema {

using types::Size;
using types::SizeName;
using types::TypePtr;

Verdict worse(Verdict a, Verdict b) { return std::max(a, b); }

SizeName SizeTable::make(Kind kind, std::string text) {
  infos_.push_back({kind, std::move(text), false, {}, {}});
  return SizeName{static_cast<uint32_t>(infos_.size() - 1)};
}
SizeName SizeTable::rigid(std::string text) { return make(Kind::Rigid, std::move(text)); }
SizeName SizeTable::unknown(std::string text) { return make(Kind::Unknown, std::move(text)); }
SizeName SizeTable::flexible(std::string text) { return make(Kind::Flexible, std::move(text)); }

Size SizeTable::derived(const std::string& operation, const Size& a, const Size& b) {
  auto key_of = [](const Size& size) {
    return size.str([](SizeName name) { return fmt::format("#{}", name.id); });
  };
  auto key = std::make_pair(operation, key_of(a) + "," + key_of(b));
  auto found = derived_.find(key);
  if (found == derived_.end()) {
    auto operand = [&](const Size& size) {
      return size.terms().size() > 1 ? "(" + str(size) + ")" : str(size);
    };
    std::string text = operation == "div" || operation == "mod"
                           ? fmt::format("{} {} {}", operand(a), operation, operand(b))
                           : fmt::format("{}({}, {})", operation, str(a), str(b));
    found = derived_.emplace(key, unknown(text)).first;
  }
  return Size::named(found->second);
}

bool SizeTable::isFlexible(SizeName name) const {
  return infos_[name.id].kind == Kind::Flexible && !infos_[name.id].bound;
}

Size SizeTable::resolve(const Size& size) const {
  return size.substitute([this](SizeName name) -> std::optional<Size> {
    const Info& info = infos_[name.id];
    if (!info.bound) return std::nullopt;
    return resolve(info.value);
  });
}

TypePtr SizeTable::resolve(const TypePtr& type) const {
  return types::substitute(type, [this](SizeName name) -> std::optional<Size> {
    const Info& info = infos_[name.id];
    if (!info.bound) return std::nullopt;
    return resolve(info.value);
  });
}

bool SizeTable::hasFlexible(const types::Type& type) const {
  auto any = [this](const std::vector<Size>& sizes) {
    return std::any_of(sizes.begin(), sizes.end(), [this](const Size& size) {
      auto names = size.names();
      return std::any_of(names.begin(), names.end(),
                         [this](SizeName name) { return infos_[name.id].kind == Kind::Flexible; });
    });
  };
  auto inner = [this](const TypePtr& t) { return hasFlexible(*t); };
  return any(type.dims) || any(type.arguments) ||
         std::any_of(type.elements.begin(), type.elements.end(), inner) ||
         (type.result && hasFlexible(*type.result)) ||
         std::any_of(type.fields.begin(), type.fields.end(),
                     [&](const types::Field& field) { return inner(field.type); });
}

bool SizeTable::hasUnknown(const Size& size) const {
  auto names = resolve(size).names();
  return std::any_of(names.begin(), names.end(),
                     [this](SizeName name) { return infos_[name.id].kind == Kind::Unknown; });
}

bool SizeTable::isRigidOnly(const Size& size) const {
  auto names = resolve(size).names();
  return std::all_of(names.begin(), names.end(),
                     [this](SizeName name) { return infos_[name.id].kind == Kind::Rigid; });
}

bool SizeTable::solve(const Size& difference, Span where, Verdict& verdict) {
  for (const auto& [names, coefficient] : difference.terms()) {
    if (names.size() != 1 || !isFlexible(names[0])) continue;
    SizeName name = names[0];
    Size rest = difference - Size(coefficient) * Size::named(name);
    auto left = rest.names();
    if (std::find(left.begin(), left.end(), name) != left.end()) continue;
    Size value;
    bool divisible = true;
    for (const auto& [rest_names, c] : rest.terms()) {
      if (c % coefficient != 0) divisible = false;
      Size term(-(c / coefficient));
      for (SizeName n : rest_names) term = term * Size::named(n);
      value = value + term;
    }
    verdict = Verdict::Same;
    if (!divisible) {
      if (rest.isConstant()) {
        verdict = Verdict::Different;
        return true;
      }
      value = Size::named(unknown(infos_[name.id].text));
      verdict = Verdict::Undecided;
    }
    Info& info = infos_[name.id];
    info.bound = true;
    info.value = value;
    info.bound_at = where;
    return true;
  }
  return false;
}

Verdict SizeTable::unify(const Size& a, const Size& b, Span where) {
  Size difference = resolve(a - b);
  if (difference == Size()) return Verdict::Same;
  if (difference.isConstant()) return Verdict::Different;
  Verdict verdict = Verdict::Same;
  if (solve(difference, where, verdict)) return verdict;
  bool flexible = false, unknown = false;
  for (SizeName name : difference.names()) {
    flexible |= isFlexible(name);
    unknown |= infos_[name.id].kind == Kind::Unknown;
  }
  if (flexible) {
    pending_.push_back(difference);
    return Verdict::Undecided;
  }
  return unknown ? Verdict::Undecided : Verdict::Different;
}

Verdict SizeTable::retryPending() {
  Verdict verdict = Verdict::Same;
  for (size_t before = pending_.size() + 1; !pending_.empty() && pending_.size() < before;) {
    before = pending_.size();
    std::vector<Size> again;
    std::swap(again, pending_);
    for (const Size& difference : again) verdict = worse(verdict, unify(difference, Size()));
  }
  pending_.clear();
  return verdict;
}

Size SizeTable::generalised(const Size& size, std::unordered_map<uint32_t, SizeName>& renamed) {
  return resolve(size).substitute([&](SizeName name) -> std::optional<Size> {
    if (!isFlexible(name)) return std::nullopt;
    auto found = renamed.find(name.id);
    if (found == renamed.end()) found = renamed.emplace(name.id, flexible(spell(name))).first;
    return Size::named(found->second);
  });
}

TypePtr SizeTable::generalised(const TypePtr& type,
                               std::unordered_map<uint32_t, SizeName>& renamed) {
  return types::substitute(resolve(type), [&](SizeName name) -> std::optional<Size> {
    return generalised(Size::named(name), renamed);
  });
}

std::string SizeTable::spell(SizeName name) const { return infos_[name.id].text; }
std::string SizeTable::str(const Size& size) const {
  return resolve(size).str([this](SizeName name) { return spell(name); });
}
std::string SizeTable::str(const types::Type& type) const {
  TypePtr resolved = resolve(std::make_shared<const types::Type>(type));
  return types::str(*resolved, [this](SizeName name) { return spell(name); });
}

}  // namespace dini::sema
