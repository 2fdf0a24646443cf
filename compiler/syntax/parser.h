// Text to syntax tree. The parser recovers after an error and reports several in one go; what it
// gives back is always a complete tree of what it understood.
#pragma once

#include <span>

#include "diag/diagnostic.h"
#include "syntax/ast.h"

namespace dini::syntax {

// In a file or script, a bare expression is an error later (sema); here it parses.
ast::File parseFile(const SourceManager& sources, FileId file, DiagnosticSink& sink);
// Bytes of a generated text and the place, of one or another file, that they were made from.
struct SourceRegion {
  uint32_t begin = 0;
  uint32_t end = 0;
  Span span;
};
// A program that was made from another language: nodes carry the spans of the innermost regions that
// their tokens lie in. Sorted by begin, enclosing ones first; every token lies in one.
ast::File parseGenerated(const SourceManager& sources, FileId file, std::span<const SourceRegion> regions,
                         DiagnosticSink& sink);
// One expression and nothing else: `dini eval`, `--arg`, `--at`. Null after an error.
ast::ExprPtr parseExpression(const SourceManager& sources, FileId file, DiagnosticSink& sink);
// Whether the text is an incomplete input that more lines could complete (REPL continuation).
bool isIncomplete(std::string_view text);

}  // namespace dini::syntax
