#include "repl/repl.h"

#include <fmt/format.h>

#include "repl/line_editor.h"
#include "repl/loop.h"
#include "syntax/parser.h"

namespace dini::repl {
namespace {

// A whole input: lines are added while its brackets are open; two blank lines end it all the same,
// so that a forgotten bracket does not swallow the session.
LineEditor::Result readInput(LineEditor& editor, std::string& input) {
  input.clear();
  LineEditor::Result result = editor.read("dini> ", input);
  if (result != LineEditor::Result::Line || input.starts_with(":")) return result;
  int blank = 0;
  while (syntax::isIncomplete(input) && blank < 2) {
    std::string line;
    result = editor.read("  ... ", line);
    if (result == LineEditor::Result::Interrupted) return result;
    if (result == LineEditor::Result::End) break;
    blank = line.find_first_not_of(" \t") == std::string::npos ? blank + 1 : 0;
    input += '\n';
    input += line;
  }
  return LineEditor::Result::Line;
}

}  // namespace

int run(session::Session& session, const Options& options) {
  Loop loop(session, options);
  LineEditor editor([&](const std::string& prefix) { return loop.complete(prefix); });
  if (editor.interactive()) fmt::print("Dini. `:help` lists the commands, `:quit` ends.\n");
  if (!options.file.empty()) loop.handle(":load " + options.file);
  std::string input;
  while (true) {
    LineEditor::Result result = readInput(editor, input);
    if (result == LineEditor::Result::End) return 0;
    if (result == LineEditor::Result::Interrupted) continue;
    if (!loop.handle(input)) return 0;
  }
}

}  // namespace dini::repl
