#include "sema/prelude_files.h"

#include <cctype>
#include <utility>

namespace dini::sema {
namespace {

bool inWord(char c) {
  auto u = static_cast<unsigned char>(c);
  return std::isalnum(u) || c == '_' || u >= 0x80;
}

std::string_view wordAt(std::string_view text, size_t at) {
  size_t end = at;
  while (end < text.size() && inWord(text[end])) ++end;
  return text.substr(at, end - at);
}

// The form whose result has a type of the prelude that the text need not name.
constexpr std::string_view kCertificateForm = "certificate", kCertificateType = "Certificate";

}  // namespace

PreludeFiles::Names PreludeFiles::add(PreludeFile file) {
  Names names;
  std::string_view text = file.text;
  for (size_t line = 0; line < text.size();) {
    for (auto [keyword, found] : {std::pair{"fn ", &names.functions}, {"type ", &names.types}}) {
      std::string_view opening = keyword;
      if (text.substr(line, opening.size()) != opening) continue;
      found->emplace_back(wordAt(text, line + opening.size()));
      declared_in_[found->back()] = files_.size();
    }
    size_t end = text.find('\n', line);
    line = end == std::string_view::npos ? text.size() : end + 1;
  }
  files_.push_back(std::move(file));
  return names;
}

std::optional<PreludeFile> PreludeFiles::declaring(const std::string& word) {
  auto found = declared_in_.find(word);
  if (found == declared_in_.end()) return std::nullopt;
  return std::exchange(files_[found->second], std::nullopt);
}

std::vector<PreludeFile> PreludeFiles::neededBy(std::string_view text) {
  std::vector<PreludeFile> needed;
  for (size_t i = 0; i < text.size();) {
    std::string_view word = wordAt(text, i);
    i += word.empty() ? 1 : word.size();
    if (word.empty()) continue;
    if (word == kCertificateForm) word = kCertificateType;
    if (auto file = declaring(std::string(word))) needed.push_back(std::move(*file));
  }
  return needed;
}

}  // namespace dini::sema
