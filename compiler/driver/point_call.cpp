#include "driver/point_call.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "driver/bindings.h"

namespace dini::driver {

std::optional<PointCall> callAtPoint(Context& context, const std::string& file, const std::string& function,
                                     const std::vector<std::string>& at) {
  session::Session* session = context.session();
  if (!session || !session->readFile(file) || session->sink().hasErrors()) return std::nullopt;
  if (!session->program().findFunction(function)) {
    context.fail(DiagCode::UnknownName, fmt::format("`{}` has no function `{}`", file, function));
    return std::nullopt;
  }
  auto bindings = bindAt(context, *session, function, at);
  if (!bindings) return std::nullopt;
  std::optional<lower::Lowered> call =
      session->lowerText("command line", fmt::format("{}({})", function, fmt::join(*bindings, ", ")));
  if (!call) return std::nullopt;
  PointCall made{call->function, call->inputs, {}};
  for (const std::string& input : call->inputs) {
    const lower::HostValue* value = session->find(input);
    made.arguments.insert(made.arguments.end(), value->leaves.begin(), value->leaves.end());
  }
  return made;
}

std::string place(const SourceManager& sources, Span span) {
  if (!span.valid()) return "the call";
  const SourceFile& file = sources.file(span.file);
  LineColumn at = file.lineColumn(span.begin);
  return fmt::format("{}:{}:{}", file.path(), at.line, at.column);
}

std::string jsonText(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

}  // namespace dini::driver
