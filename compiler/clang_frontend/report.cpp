#include "clang_frontend/report.h"

#include <clang/AST/Decl.h>
#include <clang/AST/Stmt.h>
#include <clang/Lex/Lexer.h>

namespace dini::clang_frontend {

int32_t Reporter::fileNumber(clang::FileID id) {
  auto known = numbers_.find(id.getHashValue());
  if (known != numbers_.end()) return known->second;
  clang::OptionalFileEntryRef entry = sources_.getFileEntryRefForID(id);
  if (!entry) return -1;
  const std::string path = entry->getName().str();
  auto at = std::find(answer_.files.begin(), answer_.files.end(), path);
  const auto number = static_cast<int32_t>(at - answer_.files.begin());
  if (at == answer_.files.end()) answer_.files.push_back(path);
  numbers_[id.getHashValue()] = number;
  return number;
}

clang_client::Place Reporter::place(clang::SourceRange range) {
  if (range.isInvalid()) return {};
  // What a macro makes is where the macro is used.
  const clang::CharSourceRange tokens = sources_.getExpansionRange(range);
  const auto [file, begin] = sources_.getDecomposedLoc(tokens.getBegin());
  auto [last_file, end] = sources_.getDecomposedLoc(tokens.getEnd());
  const int32_t number = fileNumber(file);
  if (number < 0) return {};
  if (last_file != file) end = begin;
  end += clang::Lexer::MeasureTokenLength(last_file != file ? tokens.getBegin() : tokens.getEnd(), sources_, language_);
  return {number, begin, std::max(end, begin)};
}

clang_client::Place Reporter::place(const clang::Stmt& at) { return place(at.getSourceRange()); }
clang_client::Place Reporter::place(const clang::Decl& at) { return place(clang::SourceRange(at.getLocation())); }

clang_client::Finding& Reporter::add(DiagCode code, clang_client::Place place, std::string message,
                                     std::string help, std::string label) {
  clang_client::Finding finding;
  finding.code = code;
  finding.message = std::move(message);
  finding.marks.push_back({place, std::move(label)});
  finding.help = std::move(help);
  answer_.findings.push_back(std::move(finding));
  return answer_.findings.back();
}

}  // namespace dini::clang_frontend
