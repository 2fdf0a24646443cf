#include "diag/render.h"

#include <fmt/format.h>

#include "diag/frame.h"

namespace dini {
namespace {

const char* word(Severity severity) {
  switch (severity) {
    case Severity::Error:
      return "error";
    case Severity::Warning:
      return "warning";
    case Severity::Note:
      return "note";
  }
  return "";
}

Ink inkOf(Severity severity) {
  switch (severity) {
    case Severity::Error:
      return Ink::Error;
    case Severity::Warning:
      return Ink::Warning;
    case Severity::Note:
      return Ink::Note;
  }
  return Ink::Note;
}

const char* word(DiagClass klass) {
  switch (klass) {
    case DiagClass::Program:
      return "program";
    case DiagClass::Limitation:
      return "limitation";
    case DiagClass::Status:
      return "status";
  }
  return "";
}

std::string jsonString(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\r':
        out += "\\r";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
          out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        else
          out += c;
    }
  }
  return out + '"';
}

std::string jsonLabel(const SourceManager& sources, const Label& label, bool primary) {
  const SourceFile& file = sources.file(label.span.file);
  LineColumn begin = file.lineColumn(label.span.begin), end = file.lineColumn(label.span.end);
  return fmt::format(
      R"({{"file":{},"line":{},"column":{},"end_line":{},"end_column":{},"offset":{},"length":{},)"
      R"("primary":{},"text":{}}})",
      jsonString(file.path()), begin.line, begin.column, end.line, end.column, label.span.begin,
      label.span.end - label.span.begin, primary, jsonString(label.text));
}

}  // namespace

std::string render(const SourceManager& sources, const Diagnostic& diagnostic, Colour colour) {
  Paint paint(colour);
  const DiagInfo& info = diagInfo(diagnostic.code);
  Ink ink = inkOf(info.severity);
  std::string text = paint(ink, fmt::format("{}[{}]", word(info.severity), info.code)) +
                     paint(Ink::Bold, ": " + diagnostic.message) + "\n";
  size_t gutter = gutterWidth(sources, diagnostic);
  text += frames(sources, diagnostic, gutter, ink, paint);
  std::string bullet = paint(Ink::Frame, fmt::format("{:>{}}", "=", gutter + 2));
  // further lines of a note stand under its first
  auto append = [&](std::string_view kind, std::string_view body) {
    text += fmt::format("{} {}: ", bullet, kind);
    for (char c : body) {
      text += c;
      if (c == '\n') text += std::string(gutter + 5 + kind.size(), ' ');
    }
    text += "\n";
  };
  for (const std::string& note : diagnostic.notes) append("note", note);
  if (!diagnostic.help.empty()) append("help", diagnostic.help);
  return text;
}

std::string renderJson(const SourceManager& sources, const Diagnostic& diagnostic) {
  const DiagInfo& info = diagInfo(diagnostic.code);
  std::string labels, notes;
  for (const Label& label : diagnostic.labels) {
    if (!label.span.valid()) continue;
    if (!labels.empty()) labels += ",";
    labels += jsonLabel(sources, label, &label == &diagnostic.labels[0]);
  }
  for (const std::string& note : diagnostic.notes)
    notes += (notes.empty() ? "" : ",") + jsonString(note);
  return fmt::format(
      R"({{"code":"{}","name":"{}","severity":"{}","class":"{}","message":{},"labels":[{}],)"
      R"("notes":[{}],"help":{}}})",
      info.code, info.name, word(info.severity), word(info.klass), jsonString(diagnostic.message),
      labels, notes, diagnostic.help.empty() ? "null" : jsonString(diagnostic.help));
}

}  // namespace dini
