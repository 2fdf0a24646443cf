// The one layout of a program: `dini fmt`. Idempotent, keeps comments and blank lines (at most
// one), and never changes the tokens' meaning.
#pragma once

#include <string>

#include "source/source.h"
#include "syntax/ast.h"

namespace dini::syntax {

std::string format(const SourceManager& sources, const ast::File& file);
// A tree as an indented list, with types where they are known: `dini emit --as ast`.
std::string dumpTree(const ast::File& file);
// One token a line with its span: `dini emit --as tokens`.
std::string dumpTokens(const SourceManager& sources, FileId file);

}  // namespace dini::syntax
