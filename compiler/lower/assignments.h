// Which variables a part of a program assigns, and whether it may leave its loop or function.
#pragma once

#include <unordered_set>
#include <vector>

#include "syntax/ast.h"

namespace dini::lower {

struct Assignments {
  std::vector<const ast::Binding*> variables;  // in order of first assignment
  std::unordered_set<const ast::Binding*> declared;
  bool returns = false;
  bool breaks = false;  // of the loop around, not of one inside

  void add(const ast::Stmt& stmt);
  void add(const ast::Expr& e);

 private:
  void assign(const ast::Expr& target);
};

// Whether every way through e ends the function. Null: no.
bool alwaysReturns(const ast::Expr* e);
// Whether e may leave the function or the loop around it.
bool mayLeave(const ast::Expr& e);

}  // namespace dini::lower
