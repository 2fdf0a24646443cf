// Any bytes: the parser ends, and a text that it accepts is formatted to one that it accepts and
// formats to itself.
#include <cstdint>

#include "base/check.h"
#include "syntax/formatter.h"
#include "syntax/parser.h"

using namespace dini;

namespace {

bool formatted(const std::string& text, std::string& out) {
  SourceManager sources;
  DiagnosticSink sink;
  FileId id = sources.add("fuzz", text);
  ast::File file = syntax::parseFile(sources, id, sink);
  if (sink.hasErrors()) return false;
  out = syntax::format(sources, file);
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string once, twice;
  if (!formatted(std::string(reinterpret_cast<const char*>(data), size), once)) return 0;
  check(formatted(once, twice), "the formatter's output does not parse");
  check(once == twice, "the formatter is not idempotent");
  return 0;
}
