#include "tests/unit/lower_support.h"

#include <doctest/doctest.h>

#include "ir/interpreter.h"
#include "ir/printer.h"
#include "session/prelude.h"
#include "syntax/ast.h"

namespace dini::lower_test {

Program::Program(const std::string& text, lower::Options options)
    : program_(sources_, sink_), lowerer_(program_, sink_, options) {
  for (const EmbeddedText& prelude : preludeTexts())
    program_.addPrelude("<prelude>/" + std::string(prelude.name), std::string(prelude.text));
  file_ = program_.addText("program.dini", text);
  for (const ast::Item& item : file_->items)
    if (item.kind == ast::ItemKind::Test) program_.checkTest(*item.test);
  for (const Diagnostic& diagnostic : sink_.all())
    if (diagInfo(diagnostic.code).severity == Severity::Error) FAIL_CHECK(diagnostic.message);
}

std::vector<std::string> Program::failures() {
  std::vector<std::string> messages;
  for (const ast::Item& item : file_->items) {
    if (item.kind != ast::ItemKind::Test) continue;
    auto lowered = lowerer_.lowerBlock(*item.test->body, {});
    if (!lowered) {
      messages.push_back(item.test->title + ": " + sink_.all().back().message);
      continue;
    }
    auto outcome = ir::interpret(lowerer_.module(), *lowered->function, {});
    if (const auto* status = std::get_if<ir::StatusInfo>(&*outcome))
      messages.push_back(item.test->title + ": status at " + at(*status));
  }
  return messages;
}

std::string Program::ir(const std::string& function, const std::vector<types::TypePtr>& arguments) {
  auto lowered = lowerer_.lowerFunction(*program_.findFunction(function), arguments);
  return lowered ? ir::print(*lowered->function) : sink_.all().back().message;
}

ir::StatusInfo Program::status() {
  for (const ast::Item& item : file_->items) {
    if (item.kind != ast::ItemKind::Test) continue;
    auto lowered = lowerer_.lowerBlock(*item.test->body, {});
    REQUIRE(lowered.has_value());
    auto outcome = ir::interpret(lowerer_.module(), *lowered->function, {});
    if (const auto* status = std::get_if<ir::StatusInfo>(&*outcome)) return *status;
  }
  return {};
}

std::string Program::at(const ir::StatusInfo& status) const {
  return status.span.valid() ? std::string(sources_.text(status.span)) : "";
}

std::string Program::loweringError() {
  for (const ast::Item& item : file_->items)
    if (item.kind == ast::ItemKind::Test && !lowerer_.lowerBlock(*item.test->body, {}))
      return std::string(diagInfo(sink_.all().back().code).code) + " " + sink_.all().back().message;
  return "";
}

void passes(const std::string& text) {
  Program program(text);
  for (const std::string& message : program.failures()) FAIL_CHECK(message);
}

}  // namespace dini::lower_test
