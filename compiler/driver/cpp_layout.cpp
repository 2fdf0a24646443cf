#include "driver/cpp_layout.h"

#include <charconv>
#include <filesystem>
#include <vector>

#include <fmt/format.h>

#include "clang_client/client.h"

namespace dini::driver {
namespace {

std::vector<std::string_view> linesOf(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// The line that a comment such as "// model.dini:12: let y = ..." names.
Span namedLine(const SourceManager& sources, std::string_view comment) {
  const size_t begin = comment.find("// ");
  if (begin == std::string_view::npos) return {};
  comment.remove_prefix(begin + 3);
  const size_t colon = comment.find(':');
  if (colon == std::string_view::npos) return {};
  uint32_t line = 0;
  const char* digits = comment.data() + colon + 1;
  const auto [end, failure] = std::from_chars(digits, comment.data() + comment.size(), line);
  if (failure != std::errc{} || end == digits) return {};
  for (size_t k = 0; k < sources.size(); ++k) {
    const FileId id{static_cast<int32_t>(k)};
    const SourceFile& file = sources.file(id);
    if (std::filesystem::path(file.path()).filename() != comment.substr(0, colon) || line == 0 || line > file.lineCount()) continue;
    const std::string_view text = file.line(line);
    const size_t first = std::min(text.find_first_not_of(" \t"), text.size());
    return {id, file.lineStart(line) + static_cast<uint32_t>(first), file.lineStart(line) + static_cast<uint32_t>(text.size())};
  }
  return {};
}

// The function whose signature the C++ line is: "inline double f_grad(double x) {".
Span signatureOf(session::Session& session, std::string_view line) {
  const size_t open = line.find('(');
  if (!line.starts_with("inline ") || open == std::string_view::npos) return {};
  std::string name(line.substr(0, open));
  name = name.substr(name.rfind(' ') + 1);
  while (!name.empty()) {
    if (const ast::FnDecl* function = session.program().findFunction(name)) return function->name.span;
    const size_t suffix = name.rfind('_');  // of a derivative
    name.resize(suffix == std::string::npos ? 0 : suffix);
  }
  return {};
}

}  // namespace

std::optional<std::string> laidOut(session::Session& session, const std::string& text) {
  clang_client::FormatAnswer answer;
  const clang_client::Failure failure = clang_client::formatCpp(text, answer);
  if (!failure.message.empty()) {
    session.sink().add(DiagCode::CannotWrite, {}, failure.message);
    return std::nullopt;
  }
  if (answer.problems.empty()) return answer.text;
  const std::vector<std::string_view> lines = linesOf(text);
  for (const clang_client::FormatAnswer::Problem& problem : answer.problems) {
    // A comment stands above what comes from its line; above all of them is the signature.
    Span span;
    const size_t at = std::min<size_t>(problem.line, lines.size());
    for (size_t k = at; k > 0 && !span.valid(); --k) {
      span = namedLine(session.sources(), lines[k - 1]);
      if (!span.valid()) span = signatureOf(session, lines[k - 1]);
    }
    Diagnostic& made = session.sink().add(DiagCode::TooLarge, span, fmt::format("the C++ of this line would not compile without warnings: {}", problem.message));
    if (at > 0) made.notes.push_back(fmt::format("the C++: {}", lines[at - 1]));
    made.help = "a name that C++ has already can be changed in the Dini program";
  }
  return std::nullopt;
}

}  // namespace dini::driver
