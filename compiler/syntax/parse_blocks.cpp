// Equations: `solve` and `argmin` blocks. `minimize maximize subject using differentiate with` are
// ordinary names everywhere else.
#include <fmt/format.h>

#include <utility>

#include "syntax/parse_state.h"

namespace dini::syntax {

using namespace ast;

// z: real[n] = zeros(n), y: real
std::vector<Unknown> Parser::unknowns() {
  std::vector<Unknown> list;
  do {
    Unknown made;
    made.name = expectName("an unknown's name");
    expect(TokenKind::Colon, "and the unknown's type");
    made.type = type();
    if (accept(TokenKind::Assign)) {
      RecordScope records(*this, false);
      made.start = expression();
    }
    list.push_back(std::move(made));
  } while (accept(TokenKind::Comma));
  return list;
}

// { line; line } with recovery after a broken line
template <class Line>
void Parser::equationLines(Line line) {
  Nesting level(*this);
  RecordScope records(*this, true);
  Token open = expect(TokenKind::LBrace, "and the equations");
  while (true) {
    while (acceptTerminator()) {
    }
    if (at(TokenKind::RBrace) || at(TokenKind::EndOfFile)) break;
    size_t start = mark();
    try {
      line();
      endOfStatement();
    } catch (Failure) {
      synchronise(start);
    }
  }
  expectClose(TokenKind::RBrace, open);
}

std::vector<Argument> Parser::clauseArguments() {
  if (!at(TokenKind::LParen)) return {};
  RecordScope records(*this, true);
  Token open = take();
  std::vector<Argument> given = arguments(open, /*strings_allowed=*/false);
  expectClose(TokenKind::RParen, open);
  return given;
}

// using solver(...) with x, bal differentiate mode(...)
template <class Block>
void Parser::clauses(Block& block, std::vector<Name>* with) {
  auto once = [&](bool seen) {
    if (seen) failUnexpected("the end of the block", "a block has one such clause");
  };
  while (true) {
    size_t start = mark();
    if (atWord("using")) {
      once(block.solver.has_value());
      take();
      SolverClause clause;
      clause.name = expectName("a solver's name");
      clause.arguments = clauseArguments();
      clause.span = spanFrom(start);
      block.solver = std::move(clause);
    } else if (atWord("differentiate")) {
      once(block.differentiate.has_value());
      take();
      DifferentiateClause clause;
      clause.mode = expectName("`implicit`, `unroll`, `one_step` or `neumann`");
      clause.arguments = clauseArguments();
      clause.span = spanFrom(start);
      block.differentiate = std::move(clause);
    } else if (with && atWord("with")) {
      once(!with->empty());
      take();
      do with->push_back(expectName("an unknown or a label"));
      while (accept(TokenKind::Comma));
    } else {
      return;
    }
  }
}

ExprPtr Parser::solve() {
  Nesting level(*this);
  size_t start = mark();
  auto made = std::make_unique<SolveExpr>();
  take();
  made->unknowns = unknowns();
  equationLines([&] { solveLine(*made); });
  clauses(*made, nullptr);
  return finish(std::move(made), start);
}

void Parser::solveLine(SolveExpr& solve) {
  if (at(TokenKind::Let)) return solve.lets.push_back(letStatement());
  ExprPtr line = expression();
  if (at(TokenKind::Assign)) failUnexpected("`==`", "an equation is written with `==`");
  if (line->kind != ExprKind::Binary || as<BinaryExpr>(*line).op != BinaryOp::Eq)
    fail(DiagCode::BadEquation, line->span, "a line of a `solve` block that is no equation",
         "the lines are equations `a == b` and `let`s");
  solve.equations.push_back(std::move(line));
}

ExprPtr Parser::argmin() {
  Nesting level(*this);
  size_t start = mark();
  auto made = std::make_unique<ArgminExpr>();
  Token word = take();
  made->unknowns = unknowns();
  bool in_constraints = false;
  size_t errors = sink_.errorCount();
  equationLines([&] { argminLine(*made, in_constraints); });
  if (!made->objective && sink_.errorCount() == errors)
    fail(DiagCode::BadEquation, word.span, "an `argmin` block without an objective",
         "write `minimize e` or `maximize e`");
  clauses(*made, &made->with);
  return finish(std::move(made), start);
}

// let ...   minimize e [subject to constraint]   constraint (after `subject to`)
void Parser::argminLine(ArgminExpr& argmin, bool& in_constraints) {
  if (at(TokenKind::Let)) return argmin.lets.push_back(letStatement());
  bool objective = atWord("minimize") || atWord("maximize");
  if (objective) {
    if (argmin.objective)
      fail(DiagCode::BadEquation, token().span, "a second objective in an `argmin` block");
    argmin.maximize = atWord("maximize");
    take();
    argmin.objective = expression();
  }
  if (atWord("subject")) {
    take();
    if (!acceptWord("to")) failUnexpected("`to`", "constraints begin with `subject to`");
    in_constraints = true;
  } else if (objective) {
    return;
  }
  if (!in_constraints) failUnexpected("`minimize`, `maximize`, `subject to` or `let`");
  constraint(argmin);
}

// [label:] a == b, or with <= >= in
void Parser::constraint(ArgminExpr& argmin) {
  ArgminConstraint made;
  if (at(TokenKind::Name) && kind(1) == TokenKind::Colon) {
    made.label = expectName("a label");
    take();
  }
  made.relation = expression();
  BinaryOp op = BinaryOp::Add;
  if (made.relation->kind == ExprKind::Binary) op = as<BinaryExpr>(*made.relation).op;
  if (op != BinaryOp::Eq && op != BinaryOp::Le && op != BinaryOp::Ge && op != BinaryOp::In)
    fail(DiagCode::BadEquation, made.relation->span, "a line that is no constraint",
         "constraints are written with `==`, `<=`, `>=` or `in` and a cone");
  argmin.constraints.push_back(std::move(made));
}

}  // namespace dini::syntax
