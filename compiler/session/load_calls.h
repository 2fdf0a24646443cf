// Finds the calls load("path") in a top-level statement or expression and replaces each by a name
// that no program can write, so that checking and lowering see an ordinary top-level variable whose
// type is known: that of the data.
#pragma once

#include <string>
#include <vector>

#include "syntax/ast.h"

namespace dini::session {

struct LoadCall {
  std::string name;  // of the variable that stands for it
  std::string path;
  Span span;
};
std::vector<LoadCall> replaceLoadCalls(ast::Stmt& statement);
std::vector<LoadCall> replaceLoadCalls(ast::ExprPtr& expression);

}  // namespace dini::session
