#include "sema/names.h"

#include <algorithm>
#include <cctype>

#include "sema/sema.h"

namespace dini::sema {
namespace {

template <class Map>
typename Map::mapped_type find(const Map& map, const std::string& name) {
  auto found = map.find(name);
  return found == map.end() ? nullptr : found->second;
}

// Own names, then imported ones, then the prelude's.
template <class Member>
auto lookUp(const Namespace& own, const Namespace& prelude, Member member,
            const std::string& name) {
  if (auto* found = find(own.*member, name)) return found;
  for (auto it = own.imports.rbegin(); it != own.imports.rend(); ++it)
    if (auto* found = find((*it)->*member, name)) return found;
  return find(prelude.*member, name);
}

template <class Member>
void collect(const Namespace& own, const Namespace& prelude, Member member,
             std::vector<std::string>& names) {
  auto all = [&](const Namespace& space) {
    for (const auto& [name, declaration] : space.*member) names.push_back(name);
  };
  all(own);
  for (const Namespace* import : own.imports) all(*import);
  all(prelude);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
}

// Levenshtein distance, with an exchange of neighbours counted as one.
size_t editDistance(const std::string& a, const std::string& b) {
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i)
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + cost});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[a.size()][b.size()];
}

}  // namespace

Namespace& World::add(FileId file) {
  auto& slot = files_[file.index];
  if (!slot) slot = std::make_unique<Namespace>();
  return *slot;
}

Namespace& World::of(FileId file) {
  auto joined = joined_.find(file.index);
  auto found = files_.find(joined == joined_.end() ? file.index : joined->second);
  return found == files_.end() ? session : *found->second;
}

ast::FnDecl* World::function(FileId from, const std::string& name) {
  return lookUp(of(from), prelude, &Namespace::functions, name);
}
ast::TypeDecl* World::type(FileId from, const std::string& name) {
  return lookUp(of(from), prelude, &Namespace::types, name);
}

std::vector<std::string> World::functionNames(FileId from) {
  std::vector<std::string> names;
#define DINI_BUILTIN(name, spelling) names.push_back(spelling);
#include "sema/builtins.def"
#undef DINI_BUILTIN
  collect(of(from), prelude, &Namespace::functions, names);
  return names;
}
std::vector<std::string> World::typeNames(FileId from) {
  std::vector<std::string> names = {"real", "int", "bool"};
  collect(of(from), prelude, &Namespace::types, names);
  return names;
}

std::vector<std::string> definedWords(std::string_view text) {
  auto in_word = [](char c) {
    auto u = static_cast<unsigned char>(c);
    return std::isalnum(u) || c == '_' || u >= 0x80;
  };
  std::vector<std::string> words;
  std::string_view before;
  for (size_t i = 0; i < text.size();) {
    size_t end = i;
    while (end < text.size() && in_word(text[end])) ++end;
    if (end == i) {
      if (text[i] != ' ') before = {};
      ++i;
      continue;
    }
    std::string_view word = text.substr(i, end - i);
    if (before == "fn" || before == "let" || before == "var" || before == "type")
      words.emplace_back(word);
    before = word;
    i = end;
  }
  return words;
}

std::string closest(const std::string& name, const std::vector<std::string>& candidates) {
  if (name.empty() || name.size() > 60) return "";
  auto lower = [](std::string text) {
    for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return text;
  };
  size_t allowed = name.size() <= 2 ? 1 : name.size() <= 5 ? 2 : 3;
  std::string best;
  auto best_rank = std::make_pair(allowed + 1, size_t{0});  // distance, then difference in length
  for (const std::string& candidate : candidates) {
    if (candidate == name || candidate.size() > name.size() + 3) continue;
    size_t distance = lower(candidate) == lower(name) ? 0 : editDistance(name, candidate);
    if (distance > 0 && distance >= name.size()) continue;  // nothing in common, or one letter of it
    size_t longer = std::max(candidate.size(), name.size());
    auto rank = std::make_pair(distance, longer - std::min(candidate.size(), name.size()));
    if (rank >= best_rank) continue;
    best_rank = rank;
    best = candidate;
  }
  return best;
}

}  // namespace dini::sema
