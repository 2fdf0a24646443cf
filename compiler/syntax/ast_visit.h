// Generic walks over the tree, for whoever does not care about each kind.
#pragma once

#include <functional>

#include "syntax/ast.h"

namespace dini::ast {

using ExprVisitor = std::function<void(const Expr&)>;
// Calls `visit` for the expressions directly under a node, in source order: operands, the
// expressions of a block's statements, dimensions in types, defaults, starts, solver arguments.
void forEachChild(const Expr& expr, const ExprVisitor& visit);
void forEachChild(const Stmt& stmt, const ExprVisitor& visit);
void forEachChild(const TypeExpr& type, const ExprVisitor& visit);

}  // namespace dini::ast
