#include "clang_frontend/annotations.h"

#include <cctype>

#include <clang/AST/Attr.h>
#include <fmt/format.h>
#include <llvm/ADT/StringExtras.h>

namespace dini::clang_frontend {
namespace {

bool isSize(llvm::StringRef text) {
  if (text.empty()) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || std::string_view("_+-*() ").find(c) != std::string_view::npos;
  });
}

void readWord(llvm::StringRef word, const clang::AnnotateAttr& attribute, Annotation& made, Reporter& reporter) {
  const auto [key, rest] = word.split(' ');
  const llvm::StringRef value = rest.trim();
  if (key == "out" && value.empty()) made.out = true;
  else if (key == "inout" && value.empty()) made.inout = true;
  else if (key == "size" && isSize(value)) made.size = value.str();
  else if (key == "bound" && !value.empty() && llvm::all_of(value, llvm::isDigit)) made.bound = value.str();
  else
    reporter.add(DiagCode::CppAnnotation, reporter.place(attribute.getRange()),
                 fmt::format("`{}` is not an annotation for Dini", word.str()),
                 "`size n`, `out`, `inout` of a parameter, `bound 100` of a recursive function, or nothing");
}

}  // namespace

Annotation annotationOf(const clang::Decl& decl, Reporter& reporter) {
  Annotation made;
  for (const auto* attribute : decl.specific_attrs<clang::AnnotateAttr>()) {
    llvm::StringRef text = attribute->getAnnotation();
    if (!text.consume_front("dini")) continue;
    if (!text.empty() && !text.starts_with(":") && !text.starts_with(" ")) continue;
    made.present = true;
    text = text.trim();
    text.consume_front(":");
    llvm::SmallVector<llvm::StringRef> words;
    text.split(words, ',', -1, false);
    for (llvm::StringRef word : words)
      if (!word.trim().empty()) readWord(word.trim(), *attribute, made, reporter);
  }
  return made;
}

std::vector<std::string> namesIn(const std::string& size) {
  std::vector<std::string> names;
  for (size_t k = 0; k < size.size();) {
    const size_t begin = k;
    while (k < size.size() && (std::isalnum(static_cast<unsigned char>(size[k])) || size[k] == '_')) ++k;
    if (k > begin && !std::isdigit(static_cast<unsigned char>(size[begin]))) names.push_back(size.substr(begin, k - begin));
    if (k == begin) ++k;
  }
  return names;
}

}  // namespace dini::clang_frontend
