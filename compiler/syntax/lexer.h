// Text to tokens, with the line rules applied: a Newline token stands exactly where a newline ends
// a statement, so that the parser never looks at lines. Comments are kept apart for the formatter.
//
// Recovery: a bracket left open would swallow every following newline. A line that begins with a
// word that can only begin a statement closes what is open up to the nearest `{`; the parser
// then finds a Newline in place of the closing bracket and says so.
// Not here: what the text of a number or string means (literals.h).
#pragma once

#include <vector>

#include "diag/diagnostic.h"
#include "syntax/token.h"

namespace dini::syntax {

struct Comment {
  Span span;              // from `#` to the end of the line, without trailing blanks
  bool own_line = false;  // nothing but blanks before it
};

struct Lexed {
  std::vector<Token> tokens;  // ends with EndOfFile
  std::vector<Comment> comments;
  size_t open_braces = 0;  // `{` without their `}`
};

Lexed lex(const SourceManager& sources, FileId file, DiagnosticSink& sink);

}  // namespace dini::syntax
