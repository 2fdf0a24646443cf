// What expressions are made of: literals, names, brackets, `if`, `try`, anonymous functions.
#include <fmt/format.h>

#include "syntax/literals.h"
#include "syntax/parse_state.h"

namespace dini::syntax {

using namespace ast;

ExprPtr Parser::primary() {
  size_t start = mark();
  switch (kind()) {
    case TokenKind::Int:
    case TokenKind::Real:
      return number();
    case TokenKind::String:
      return string();
    case TokenKind::Name:
      return nameOrRecord();
    case TokenKind::LParen:
      return parenthesised();
    case TokenKind::LBracket:
      return bracketed();
    case TokenKind::LBrace:
      return block();
    case TokenKind::If:
      return ifExpression();
    case TokenKind::Try:
      return tryExpression();
    case TokenKind::Fn:
      return lambda();
    case TokenKind::Solve:
      return solve();
    case TokenKind::True:
    case TokenKind::False: {
      auto made = std::make_unique<BoolExpr>();
      made->value = take().kind == TokenKind::True;
      return finish(std::move(made), start);
    }
    default:
      failUnexpected("an expression");
  }
}

ExprPtr Parser::number() {
  size_t start = mark();
  auto made = std::make_unique<NumberExpr>();
  Token literal = take();
  made->text = text(literal);
  made->is_int = literal.kind == TokenKind::Int;
  if (made->is_int) {
    if (auto value = intValue(made->text)) {
      made->int_value = *value;
      made->value = static_cast<double>(*value);
    } else {
      sink_.add(DiagCode::BadNumber, literal.span, "an int that does not fit into 64 bits").help =
          "write it as a real, with a point or an exponent";
    }
  } else if (auto value = realValue(made->text)) {
    made->value = *value;
  } else {
    sink_.add(DiagCode::BadNumber, literal.span, "a number larger than the largest real, 1.8e308");
  }
  return finish(std::move(made), start);
}

// Strings have no type: they stand only where a path, a title or a text to print is wanted.
ExprPtr Parser::string() {
  sink_.add(DiagCode::MisplacedString, token().span, "a string where a value was expected").help =
      "strings stand only in `import`, `test`, `load`, `save`, `plot` and `print`";
  return stringOrExpression(/*strings_allowed=*/true);
}

ExprPtr Parser::stringOrExpression(bool strings_allowed) {
  if (!strings_allowed || !at(TokenKind::String)) return expression();
  size_t start = mark();
  auto made = std::make_unique<StringExpr>();
  made->value = stringText(text(take()));
  return finish(std::move(made), start);
}

ExprPtr Parser::nameOrRecord() {
  size_t start = mark();
  if (atWord("argmin") && kind(1) == TokenKind::Name && kind(2) == TokenKind::Colon)
    return argmin();
  Name name = expectName("a name");
  if (!records_allowed_ || !at(TokenKind::LBrace)) {
    auto made = std::make_unique<NameExpr>();
    made->name = std::move(name.text);
    return finish(std::move(made), start);
  }
  RecordScope records(*this, true);
  auto made = std::make_unique<RecordLiteralExpr>();
  made->name = std::move(name);
  Token open = take();
  skipNewlines();
  while (!at(TokenKind::RBrace)) {
    FieldInit field;
    field.name = expectName("a field's name");
    expect(TokenKind::Assign, "and the field's value");
    field.value = expression();
    made->fields.push_back(std::move(field));
    if (!accept(TokenKind::Comma)) break;
    skipNewlines();
  }
  skipNewlines();
  expectClose(TokenKind::RBrace, open);
  return finish(std::move(made), start);
}

// (e) or a tuple (a, b)
ExprPtr Parser::parenthesised() {
  RecordScope records(*this, true);
  size_t start = mark();
  Token open = take();
  if (at(TokenKind::RParen)) failUnexpected("an expression", "there is no empty tuple");
  ExprPtr first = expression();
  if (!at(TokenKind::Comma)) {
    expectClose(TokenKind::RParen, open);
    first->parenthesised = true;
    first->span = spanFrom(start);
    return first;
  }
  auto made = std::make_unique<TupleExpr>();
  made->elements.push_back(std::move(first));
  while (accept(TokenKind::Comma)) {
    if (at(TokenKind::RParen)) break;
    made->elements.push_back(expression());
  }
  if (made->elements.size() < 2)
    failUnexpected("an expression", "a tuple has two elements or more");
  expectClose(TokenKind::RParen, open);
  return finish(std::move(made), start);
}

// [a, b] or [e for i in a..b]
ExprPtr Parser::bracketed() {
  RecordScope records(*this, true);
  size_t start = mark();
  Token open = take();
  auto made = std::make_unique<ArrayLiteralExpr>();
  while (!at(TokenKind::RBracket)) {
    if (at(TokenKind::EndOfFile)) expectClose(TokenKind::RBracket, open);
    made->elements.push_back(expression());
    if (!accept(TokenKind::Comma)) break;
  }
  if (!at(TokenKind::For) || made->elements.size() != 1) {
    if (at(TokenKind::Semicolon))
      failUnexpected("`,` or `]`", "a matrix is written row by row: `[[1, 2], [3, 4]]`");
    expectClose(TokenKind::RBracket, open);
    return finish(std::move(made), start);
  }
  auto comprehension = std::make_unique<ComprehensionExpr>();
  comprehension->body = std::move(made->elements[0]);
  comprehension->iterators = iterators();
  expectClose(TokenKind::RBracket, open);
  return finish(std::move(comprehension), start);
}

// if c { a } else if d { b } else { c }
ExprPtr Parser::ifExpression() {
  Nesting level(*this);
  size_t start = mark();
  bool else_required = statement_if_ != start;
  auto made = std::make_unique<IfExpr>();
  take();
  {
    RecordScope records(*this, false);
    made->condition = expression();
  }
  made->then_block = block();
  if (!at(TokenKind::Else)) {
    if (else_required) failUnexpected("`else`", "an `if` without `else` has no value");
  } else {
    take();
    if (at(TokenKind::If)) {
      size_t nested_start = mark();
      auto wrapper = std::make_unique<BlockExpr>();
      if (!else_required) statement_if_ = nested_start;
      ExprPtr nested = ifExpression();
      if (hasElse(as<IfExpr>(*nested))) {
        wrapper->result = std::move(nested);
      } else {
        auto statement = std::make_unique<ExprStmt>();
        statement->span = nested->span;
        statement->value = std::move(nested);
        wrapper->statements.push_back(std::move(statement));
      }
      made->else_block = finish(std::move(wrapper), nested_start);
    } else {
      made->else_block = block();
    }
  }
  auto done = finish(std::move(made), start);
  bare_if_ = hasElse(*done) ? nullptr : done.get();
  return done;
}

// try e else d
ExprPtr Parser::tryExpression() {
  Nesting level(*this);
  size_t start = mark();
  auto made = std::make_unique<TryExpr>();
  take();
  made->body = expression();
  if (!at(TokenKind::Else)) {
    // a line of its own may still bring it
    if (at(TokenKind::Newline) && kind(1) == TokenKind::EndOfFile && last_error_ == SIZE_MAX)
      ended_too_soon_ = true;
    failUnexpected("`else`", "`try e else d` is `d` where `e` ends in a status");
  }
  take();
  made->fallback = expression();
  return finish(std::move(made), start);
}

// fn(t: real) = t^2
ExprPtr Parser::lambda() {
  Nesting level(*this);
  size_t start = mark();
  auto made = std::make_unique<LambdaExpr>();
  take();
  made->parameters = parameters(/*types_required=*/false);
  if (at(TokenKind::Arrow))
    failUnexpected("`=` or `{`", "the result of an anonymous function is inferred");
  if (at(TokenKind::LBrace)) {
    made->body = block();
  } else {
    if (!at(TokenKind::Assign)) failUnexpected("`=` or `{`");
    take();
    made->body = expression();
  }
  return finish(std::move(made), start);
}

// (x: real[n], h: real = 1.0)
std::vector<Parameter> Parser::parameters(bool types_required) {
  RecordScope records(*this, true);
  std::vector<Parameter> list;
  Token open = expect(TokenKind::LParen, "and the parameters");
  while (!at(TokenKind::RParen)) {
    Parameter made;
    made.name = expectName("a parameter's name");
    if (types_required && !at(TokenKind::Colon))
      failUnexpected("`:` and the parameter's type", "write `" + made.name.text + ": real`");
    if (accept(TokenKind::Colon)) made.type = type();
    if (accept(TokenKind::Assign)) made.default_value = expression();
    list.push_back(std::move(made));
    if (!accept(TokenKind::Comma)) break;
  }
  expectClose(TokenKind::RParen, open);
  return list;
}

}  // namespace dini::syntax
