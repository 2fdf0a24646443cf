#include "lower/assignments.h"

#include <algorithm>

#include "syntax/ast_visit.h"

namespace dini::lower {

void Assignments::assign(const ast::Expr& target) {
  const ast::Expr* e = &target;
  while (e->kind != ast::ExprKind::Name)
    e = e->kind == ast::ExprKind::Index ? ast::as<ast::IndexExpr>(*e).base.get()
                                        : ast::as<ast::FieldExpr>(*e).base.get();
  const ast::Binding* binding = ast::as<ast::NameExpr>(*e).binding.get();
  if (binding != nullptr &&
      std::find(variables.begin(), variables.end(), binding) == variables.end())
    variables.push_back(binding);
}

void Assignments::add(const ast::Stmt& stmt) {
  auto body = [&](const ast::Expr& e) {  // of a loop: its breaks are its own
    bool outer = breaks;
    add(e);
    breaks = outer;
  };
  switch (stmt.kind) {
    case ast::StmtKind::Return:
      returns = true;
      break;
    case ast::StmtKind::Break:
      breaks = true;
      break;
    case ast::StmtKind::Assign:
      assign(*ast::as<ast::AssignStmt>(stmt).target);
      break;
    case ast::StmtKind::Var:
      declared.insert(ast::as<ast::VarStmt>(stmt).binding.get());
      break;
    case ast::StmtKind::For:
      body(*ast::as<ast::ForStmt>(stmt).body);
      return;
    case ast::StmtKind::While:
      body(*ast::as<ast::WhileStmt>(stmt).body);
      return;
    default:
      break;
  }
  ast::forEachChild(stmt, [&](const ast::Expr& child) { add(child); });
}

void Assignments::add(const ast::Expr& e) {
  if (e.kind == ast::ExprKind::Block) {
    const auto& block = ast::as<ast::BlockExpr>(e);
    for (const auto& stmt : block.statements) add(*stmt);
    if (block.result != nullptr) add(*block.result);
    return;
  }
  if (e.kind == ast::ExprKind::Lambda) return;
  ast::forEachChild(e, [&](const ast::Expr& child) { add(child); });
}

}  // namespace dini::lower
