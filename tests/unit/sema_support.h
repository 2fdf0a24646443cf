// Helpers of the checker's tests: a program from text, its diagnostics and types as text.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "diag/diagnostic.h"
#include "sema/sema.h"
#include "syntax/parser.h"

namespace dini::sema_tests {

struct Checked {
  SourceManager sources;
  DiagnosticSink sink;
  sema::Program program{sources, sink};
  sema::TopLevel top;
  ast::File* file = nullptr;

  void add(const std::string& text) {
    file = program.addText("test.dini", text);
    for (ast::Item& item : file->items) {
      if (item.kind == ast::ItemKind::Statement) program.checkStatement(*item.statement, top);
      if (item.kind == ast::ItemKind::Test) program.checkTest(*item.test);
    }
  }
  // "E0301: message", one a line; the help after " | ".
  std::string report() const {
    std::string text;
    for (const Diagnostic& d : sink.all()) {
      if (!text.empty()) text += "\n";
      text += std::string(diagInfo(d.code).code) + ": " + d.message;
      if (!d.help.empty()) text += " | " + d.help;
    }
    return text;
  }
  // The source that the labels of the first diagnostic point to, with their texts.
  std::string labels() const {
    std::string text;
    if (sink.all().empty()) return text;
    for (const Label& label : sink.all()[0].labels) {
      if (!text.empty()) text += "; ";
      text += "`" + std::string(sources.text(label.span)) + "` " + label.text;
    }
    return text;
  }
  std::string typeOf(const std::string& name) const {
    auto found = top.values.find(name);
    return found == top.values.end() ? "" : program.str(*found->second->type);
  }
};

inline std::unique_ptr<Checked> checked(const std::string& text) {
  auto made = std::make_unique<Checked>();
  made->add(text);
  return made;
}
// All diagnostics of a program.
inline std::string report(const std::string& text) { return checked(text)->report(); }
// The type of `let v = expression` after some declarations.
inline std::string typeOf(const std::string& expression, const std::string& before = "") {
  auto made = checked(before + "\nlet v = " + expression + "\n");
  return made->sink.all().empty() ? made->typeOf("v") : made->report();
}

}  // namespace dini::sema_tests
