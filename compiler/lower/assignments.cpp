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
    case ast::StmtKind::For: {
      const auto& loop = ast::as<ast::ForStmt>(stmt);
      for (const ast::ExprPtr* bound : {&loop.lo, &loop.hi, &loop.step})
        if (*bound != nullptr) add(**bound);
      body(*loop.body);
      return;
    }
    case ast::StmtKind::While:
      add(*ast::as<ast::WhileStmt>(stmt).condition);
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

namespace {
bool endsFunction(const ast::Stmt& stmt) {
  if (stmt.kind == ast::StmtKind::Return) return true;
  return stmt.kind == ast::StmtKind::Expression &&
         alwaysReturns(ast::as<ast::ExprStmt>(stmt).value.get());
}
}  // namespace

bool alwaysReturns(const ast::Expr* e) {
  if (e == nullptr) return false;
  if (e->kind == ast::ExprKind::If) {
    const auto& branch = ast::as<ast::IfExpr>(*e);
    return alwaysReturns(branch.then_block.get()) && alwaysReturns(branch.else_block.get());
  }
  if (e->kind != ast::ExprKind::Block) return false;
  const auto& block = ast::as<ast::BlockExpr>(*e);
  for (const auto& stmt : block.statements)
    if (endsFunction(*stmt)) return true;
  return alwaysReturns(block.result.get());
}

bool mayLeave(const ast::Expr& e) {
  Assignments found;
  found.add(e);
  return found.returns || found.breaks;
}

}  // namespace dini::lower
