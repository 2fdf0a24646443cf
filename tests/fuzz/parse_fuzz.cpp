// Any bytes: the parser ends, and a text that it accepts is formatted to one that has the same tree
// and as many comments, and is formatted to itself.
#include <cstdint>

#include "base/check.h"
#include "syntax/formatter.h"
#include "syntax/lexer.h"
#include "syntax/parser.h"

using namespace dini;

namespace {

struct Read {
  bool accepted = false;
  std::string formatted, tree;
  size_t comments = 0;
};

Read read(std::string text) {
  SourceManager sources;
  DiagnosticSink sink;
  FileId id = sources.add("fuzz", std::move(text));
  ast::File file = syntax::parseFile(sources, id, sink);
  if (sink.hasErrors()) return {};
  return {true, syntax::format(sources, file), syntax::dumpTree(file),
          syntax::lex(sources, id, sink).comments.size()};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  syntax::isIncomplete(text);
  Read once = read(std::move(text));
  if (!once.accepted) return 0;
  Read twice = read(once.formatted);
  check(twice.accepted, "the formatter's output does not parse");
  check(once.tree == twice.tree, "the formatter changes the program");
  check(once.comments == twice.comments, "the formatter loses a comment");
  check(once.formatted == twice.formatted, "the formatter is not idempotent");
  return 0;
}
