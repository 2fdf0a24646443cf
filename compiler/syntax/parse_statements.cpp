#include <fmt/format.h>

#include <utility>

#include "syntax/parse_state.h"

namespace dini::syntax {

using namespace ast;

// Whether an `if` has a side for every case: `else if` nests an IfExpr in a block of its own.
bool Parser::hasElse(const IfExpr& e) {
  if (!e.else_block) return false;
  const auto& otherwise = as<BlockExpr>(*e.else_block);
  if (otherwise.result || otherwise.statements.size() != 1) return true;
  const Stmt& only = *otherwise.statements[0];
  if (only.kind != StmtKind::Expression) return true;
  const Expr& nested = *as<ExprStmt>(only).value;
  return nested.kind != ExprKind::If || hasElse(as<IfExpr>(nested));
}

// { statements }: the last one, if it is an expression with a value, is the block's value.
std::unique_ptr<BlockExpr> Parser::block() {
  Nesting level(*this);
  RecordScope records(*this, true);
  size_t start = mark();
  auto made = std::make_unique<BlockExpr>();
  Token open = expect(TokenKind::LBrace);
  while (true) {
    while (acceptTerminator()) {
    }
    if (at(TokenKind::RBrace) || at(TokenKind::EndOfFile)) break;
    size_t statement_start = mark();
    try {
      made->statements.push_back(statement());
      endOfStatement();
    } catch (Failure) {
      synchronise(statement_start);
    }
  }
  expectClose(TokenKind::RBrace, open);
  if (!made->statements.empty() && made->statements.back()->kind == StmtKind::Expression) {
    ExprPtr& last = as<ExprStmt>(*made->statements.back()).value;
    if (last->kind != ExprKind::If || hasElse(as<IfExpr>(*last))) {
      made->result = std::move(last);
      made->statements.pop_back();
    }
  }
  return finish(std::move(made), start);
}

StmtPtr Parser::statement() {
  size_t start = mark();
  switch (kind()) {
    case TokenKind::Let:
      return letStatement();
    case TokenKind::Var:
      return varStatement();
    case TokenKind::For:
      return forStatement({}, start);
    case TokenKind::While:
      return whileStatement({}, start);
    case TokenKind::At:
      return attributedStatement();
    case TokenKind::Print:
      return printStatement();
    case TokenKind::Break: {
      auto made = std::make_unique<BreakStmt>();
      take();
      made->span = spanFrom(start);
      return made;
    }
    case TokenKind::Return: {
      auto made = std::make_unique<ReturnStmt>();
      take();
      made->value = expression();
      made->span = spanFrom(start);
      return made;
    }
    case TokenKind::Assert: {
      auto made = std::make_unique<AssertStmt>();
      take();
      made->condition = expression();
      made->span = spanFrom(start);
      return made;
    }
    default:
      misplacedDeclaration();
      return expressionOrAssignment();
  }
}

// Functions, types, tests and imports inside a block.
void Parser::misplacedDeclaration() {
  bool fn = at(TokenKind::Fn) && kind(1) == TokenKind::Name;
  bool other = (atWord("type") && kind(1) == TokenKind::Name) ||
               ((atWord("test") || atWord("import")) && kind(1) == TokenKind::String);
  if (!fn && !other) return;
  fail(DiagCode::MisplacedStatement, token().span,
       fmt::format("`{}` inside a block", text(token())),
       fn ? "an anonymous function is written `fn(x: real) = ...`"
          : "it stands at the top level of a file");
}

// A name, or (pattern, pattern, ...): the names are added to `names`.
Pattern Parser::pattern(std::vector<Name>& names) {
  Pattern made;
  if (!at(TokenKind::LParen)) {
    names.push_back(expectName("a name"));
    return made;
  }
  Nesting nesting(*this);
  Token open = take();
  do made.parts.push_back(pattern(names));
  while (accept(TokenKind::Comma));
  expectClose(TokenKind::RParen, open);
  if (made.parts.size() > 1) return made;
  Pattern only = std::move(made.parts[0]);  // parentheses around one thing mean nothing
  return only;
}

// let a = e   let a: real = e   let (a, b) = e
StmtPtr Parser::letStatement() {
  size_t start = mark();
  auto made = std::make_unique<LetStmt>();
  take();
  made->pattern = pattern(made->names);
  if (!made->isPattern() && at(TokenKind::Comma))
    failUnexpected("`=`", "several names are written `let (a, b) = ...`");
  if (accept(TokenKind::Colon)) made->declared = type();
  expect(TokenKind::Assign);
  made->value = expression();
  made->span = spanFrom(start);
  return made;
}

StmtPtr Parser::varStatement() {
  size_t start = mark();
  auto made = std::make_unique<VarStmt>();
  take();
  made->name = expectName("a name");
  if (accept(TokenKind::Colon)) made->declared = type();
  expect(TokenKind::Assign);
  made->value = expression();
  made->span = spanFrom(start);
  return made;
}

StmtPtr Parser::attributedStatement() {
  size_t start = mark();
  std::vector<Attribute> given = attributes();
  if (at(TokenKind::For)) return forStatement(std::move(given), start);
  if (at(TokenKind::While)) return whileStatement(std::move(given), start);
  misplacedDeclaration();
  if (at(TokenKind::EndOfFile) || given.empty()) failUnexpected("a function or a loop");
  fail(DiagCode::BadAttribute, given.front().span,
       fmt::format("`@{}` before what is neither a function nor a loop", given.front().name.text));
}

// for i in a..b by s { }
StmtPtr Parser::forStatement(std::vector<Attribute> attributes, size_t start) {
  checkAttributes(attributes, "a loop", false, true);
  auto made = std::make_unique<ForStmt>();
  made->attributes = std::move(attributes);
  expect(TokenKind::For);
  made->name = expectName("the index's name");
  expect(TokenKind::In);
  {
    RecordScope records(*this, false);
    made->lo = rangeBound();
    rangeDots();
    made->hi = rangeBound();
    if (acceptWord("by")) made->step = rangeBound();
  }
  made->body = block();
  made->span = spanFrom(start);
  return made;
}

StmtPtr Parser::whileStatement(std::vector<Attribute> attributes, size_t start) {
  checkAttributes(attributes, "a loop", false, true);
  auto made = std::make_unique<WhileStmt>();
  made->attributes = std::move(attributes);
  expect(TokenKind::While);
  {
    RecordScope records(*this, false);
    made->condition = expression();
  }
  made->body = block();
  made->span = spanFrom(start);
  return made;
}

StmtPtr Parser::printStatement() {
  size_t start = mark();
  auto made = std::make_unique<PrintStmt>();
  take();
  bool empty = at(TokenKind::Newline) || at(TokenKind::Semicolon) || at(TokenKind::RBrace) ||
               at(TokenKind::EndOfFile);
  if (!empty) {
    do made->values.push_back(stringOrExpression(/*strings_allowed=*/true));
    while (accept(TokenKind::Comma));
  }
  made->span = spanFrom(start);
  return made;
}

StmtPtr Parser::expressionOrAssignment() {
  size_t start = mark();
  bare_if_ = nullptr;
  if (at(TokenKind::If)) statement_if_ = start;  // one that begins a statement needs no else
  ExprPtr value = expression();
  if (const Expr* bare = std::exchange(bare_if_, nullptr); bare && bare != value.get())
    fail(DiagCode::UnexpectedToken, bare->span, "an `if` without `else` has no value");
  AssignOp op;
  switch (kind()) {
    case TokenKind::Assign:
      op = AssignOp::Set;
      break;
    case TokenKind::PlusAssign:
      op = AssignOp::Add;
      break;
    case TokenKind::MinusAssign:
      op = AssignOp::Sub;
      break;
    case TokenKind::StarAssign:
      op = AssignOp::Mul;
      break;
    default: {
      auto made = std::make_unique<ExprStmt>();
      made->value = std::move(value);
      made->span = spanFrom(start);
      return made;
    }
  }
  ExprKind target = value->kind;
  if (target != ExprKind::Name && target != ExprKind::Index && target != ExprKind::Field)
    fail(DiagCode::NotAssignable, value->span, "an assignment to what is no name, element or field",
         "a comparison is written with `==`");
  auto made = std::make_unique<AssignStmt>();
  made->op = op;
  take();
  made->target = std::move(value);
  made->value = expression();
  made->span = spanFrom(start);
  return made;
}

}  // namespace dini::syntax
