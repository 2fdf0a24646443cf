#include "session/loop_parts.h"

#include <algorithm>

namespace dini::session {
namespace {

ast::ExprPtr nameExpr(const char* name, Span span) {
  auto made = std::make_unique<ast::NameExpr>();
  made->span = span;
  made->name = name;
  return made;
}

ast::StmtPtr countIteration(Span span) {
  auto one = std::make_unique<ast::NumberExpr>();
  one->span = span;
  one->text = "1";
  one->value = 1;
  one->int_value = 1;
  one->is_int = true;
  auto made = std::make_unique<ast::AssignStmt>();
  made->span = span;
  made->op = ast::AssignOp::Add;
  made->target = nameExpr(kLoopDone, span);
  made->value = std::move(one);
  return made;
}

ast::StmtPtr expressionStatement(ast::ExprPtr value) {
  auto made = std::make_unique<ast::ExprStmt>();
  made->span = value->span;
  made->value = std::move(value);
  return made;
}

// if not condition { break }
ast::StmtPtr leaveUnless(ast::ExprPtr condition) {
  const Span span = condition->span;
  auto negated = std::make_unique<ast::UnaryExpr>();
  negated->span = span;
  negated->op = ast::UnaryOp::Not;
  negated->height = condition->height + 1;
  negated->operand = std::move(condition);
  auto leave = std::make_unique<ast::BreakStmt>();
  leave->span = span;
  auto block = std::make_unique<ast::BlockExpr>();
  block->span = span;
  block->statements.push_back(std::move(leave));
  auto made = std::make_unique<ast::IfExpr>();
  made->span = span;
  made->height = negated->height + 1;
  made->condition = std::move(negated);
  made->then_block = std::move(block);
  return expressionStatement(std::move(made));
}

bool isLiteral(const ast::Expr& e) {
  return e.kind == ast::ExprKind::Number ||
         (e.kind == ast::ExprKind::Unary && isLiteral(*ast::as<ast::UnaryExpr>(e).operand));
}

}  // namespace

std::optional<LoopRange> loopRange(int64_t lo, int64_t hi, int64_t step) {
  int64_t length = 0, rounded = 0;
  if (step == 0 || __builtin_sub_overflow(hi, lo, &length) ||
      __builtin_add_overflow(length, step > 0 ? step - 1 : step + 1, &rounded))
    return std::nullopt;
  return LoopRange{lo, step, std::max<int64_t>(rounded / step, 0)};
}

bool runsInParts(const ast::Stmt& statement) {
  if (statement.kind == ast::StmtKind::For) return ast::as<ast::ForStmt>(statement).attributes.empty();
  return statement.kind == ast::StmtKind::While && ast::as<ast::WhileStmt>(statement).attributes.empty();
}

std::unique_ptr<ast::ForStmt> inParts(ast::Stmt& statement) {
  auto made = std::make_unique<ast::ForStmt>();
  made->span = statement.span;
  if (statement.kind == ast::StmtKind::For) {
    auto& loop = ast::as<ast::ForStmt>(statement);
    made->name = loop.name;
    made->body = std::move(loop.body);
    // A step that is written as a number may be negative; others are tested when the loop runs.
    if (loop.step)
      made->step = isLiteral(*loop.step) ? std::move(loop.step) : nameExpr(kLoopStep, statement.span);
  } else {
    auto& loop = ast::as<ast::WhileStmt>(statement);
    made->name = {"loop index", statement.span};
    made->body = std::move(loop.body);
    made->body->statements.insert(made->body->statements.begin(), leaveUnless(std::move(loop.condition)));
  }
  made->lo = nameExpr(kLoopFrom, statement.span);
  made->hi = nameExpr(kLoopTo, statement.span);
  if (made->body->result) made->body->statements.push_back(expressionStatement(std::move(made->body->result)));
  made->body->statements.push_back(countIteration(statement.span));
  return made;
}

}  // namespace dini::session
