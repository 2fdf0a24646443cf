// Operators by precedence climbing, and what follows a primary: calls, subscripts, fields, quotes.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "syntax/parse_state.h"

namespace dini::syntax {

using namespace ast;

namespace {

// Binding powers, loosest first. `..` lies between comparisons and sums but builds no expression:
// a range's bounds are sums. Unary minus lies between products and powers.
enum Power { kOr = 1, kAnd, kNot, kComparison, kSum, kProduct };

struct Infix {
  BinaryOp op;
  int power;
};

std::optional<Infix> infixOf(TokenKind kind) {
  switch (kind) {
    case TokenKind::Or:
      return Infix{BinaryOp::Or, kOr};
    case TokenKind::And:
      return Infix{BinaryOp::And, kAnd};
    case TokenKind::Eq:
      return Infix{BinaryOp::Eq, kComparison};
    case TokenKind::Ne:
      return Infix{BinaryOp::Ne, kComparison};
    case TokenKind::Lt:
      return Infix{BinaryOp::Lt, kComparison};
    case TokenKind::Le:
      return Infix{BinaryOp::Le, kComparison};
    case TokenKind::Gt:
      return Infix{BinaryOp::Gt, kComparison};
    case TokenKind::Ge:
      return Infix{BinaryOp::Ge, kComparison};
    case TokenKind::In:
      return Infix{BinaryOp::In, kComparison};
    case TokenKind::Plus:
      return Infix{BinaryOp::Add, kSum};
    case TokenKind::Minus:
      return Infix{BinaryOp::Sub, kSum};
    case TokenKind::Star:
      return Infix{BinaryOp::Mul, kProduct};
    case TokenKind::Slash:
      return Infix{BinaryOp::Div, kProduct};
    case TokenKind::Backslash:
      return Infix{BinaryOp::Solve, kProduct};
    case TokenKind::DotStar:
      return Infix{BinaryOp::ElemMul, kProduct};
    case TokenKind::DotSlash:
      return Infix{BinaryOp::ElemDiv, kProduct};
    default:
      return std::nullopt;
  }
}

constexpr std::array kReductions = {"sum", "prod", "max", "min", "mean", "any", "all"};

}  // namespace

ExprPtr Parser::binary(int min_power) {
  size_t start = mark();
  ExprPtr lhs;
  if (at(TokenKind::Not)) {
    if (min_power > kNot)
      failUnexpected("an operand", "`not` binds more loosely here: write `(not ...)`");
    Nesting level(*this);
    auto made = std::make_unique<UnaryExpr>();
    made->op = UnaryOp::Not;
    take();
    made->operand = binary(kNot);
    lhs = finish(std::move(made), start);
  } else {
    lhs = unary();
  }
  bool compared = false;
  while (std::optional<Infix> infix = infixOf(kind())) {
    if (infix->power < min_power) break;
    if (compared && infix->power == kComparison) {
      report(DiagCode::ChainedComparison, token().span, "a comparison of a comparison",
             "write both comparisons and join them with `and`");
    }
    compared = infix->power == kComparison;
    auto made = std::make_unique<BinaryExpr>();
    made->op = infix->op;
    made->op_span = take().span;
    made->lhs = std::move(lhs);
    made->rhs = binary(infix->power + 1);
    lhs = finish(std::move(made), start);
  }
  return lhs;
}

// The `..` of a `for`.
void Parser::rangeDots() {
  if (!accept(TokenKind::DotDot)) failUnexpected("`..`", "a range is written `0..n`, half-open");
}

ExprPtr Parser::rangeBound() { return binary(kSum); }

ExprPtr Parser::unary() {
  if (!at(TokenKind::Minus)) return power();
  Nesting level(*this);
  size_t start = mark();
  auto made = std::make_unique<UnaryExpr>();
  take();
  made->operand = unary();
  return finish(std::move(made), start);
}

// Right-associative; the exponent may be signed: 2^-x^2 is 2^(-(x^2)).
ExprPtr Parser::power() {
  size_t start = mark();
  ExprPtr base = postfix();
  if (!at(TokenKind::Caret) && !at(TokenKind::DotCaret)) return base;
  Nesting level(*this);
  auto made = std::make_unique<BinaryExpr>();
  made->op = at(TokenKind::Caret) ? BinaryOp::Pow : BinaryOp::ElemPow;
  made->op_span = take().span;
  made->lhs = std::move(base);
  made->rhs = unary();
  return finish(std::move(made), start);
}

ExprPtr Parser::postfix() {
  Nesting level(*this);
  size_t start = mark();
  ExprPtr base = primary();
  while (true) {
    switch (kind()) {
      case TokenKind::LParen:
        base = call(std::move(base), start);
        break;
      case TokenKind::LBracket:
        base = index(std::move(base), start);
        break;
      case TokenKind::Dot: {
        auto made = std::make_unique<FieldExpr>();
        take();
        made->base = std::move(base);
        made->name = expectName("a field's name");
        base = finish(std::move(made), start);
        break;
      }
      case TokenKind::Quote: {
        auto made = std::make_unique<TransposeExpr>();
        take();
        made->operand = std::move(base);
        base = finish(std::move(made), start);
        break;
      }
      default:
        return base;
    }
  }
}

// f(a, name = b), or a reduction sum(e for i in a..b)
ExprPtr Parser::call(ExprPtr callee, size_t start) {
  RecordScope records(*this, true);
  std::string_view name;
  if (callee->kind == ExprKind::Name) name = as<NameExpr>(*callee).name;
  Token open = take();
  std::vector<Argument> given = arguments(open, name == "load" || name == "save" || name == "plot");
  if (!at(TokenKind::For)) {
    expectClose(TokenKind::RParen, open);
    auto made = std::make_unique<CallExpr>();
    made->callee = std::move(callee);
    made->arguments = std::move(given);
    return finish(std::move(made), start);
  }
  bool reduction = std::find(kReductions.begin(), kReductions.end(), name) != kReductions.end();
  if (!reduction || given.size() != 1 || given[0].name)
    failUnexpected("`,` or `)`", reduction ? "a reduction has one expression before `for`"
                                           : "an array of values is written `[e for i in a..b]`");
  auto made = std::make_unique<ReductionExpr>();
  made->op = {std::string(name), callee->span};
  made->body = std::move(given[0].value);
  made->iterators = iterators();
  expectClose(TokenKind::RParen, open);
  return finish(std::move(made), start);
}

std::vector<Argument> Parser::arguments(const Token& open, bool strings_allowed) {
  std::vector<Argument> list;
  while (!at(TokenKind::RParen)) {
    if (at(TokenKind::EndOfFile) || at(TokenKind::Newline)) expectClose(TokenKind::RParen, open);
    bool named = !list.empty() && list.back().name;
    list.push_back(argument(strings_allowed));
    if (named && !list.back().name) {
      sink_
          .add(DiagCode::UnexpectedToken, list.back().value->span,
               "an argument without a name after named ones")
          .help = "positional arguments come first";
    }
    if (!accept(TokenKind::Comma)) break;
  }
  return list;
}

Argument Parser::argument(bool strings_allowed) {
  Argument made;
  if (at(TokenKind::Name) && kind(1) == TokenKind::Assign) {
    made.name = expectName("a name");
    take();
  }
  size_t start = mark();
  made.value = stringOrExpression(strings_allowed);
  if (accept(TokenKind::DotDot)) {
    made.to = rangeBound();
    if (!strings_allowed)
      sink_.add(DiagCode::UnexpectedToken, spanFrom(start), "a range is an argument of `plot` only")
          .help = "a loop or a slice takes a range";
  }
  return made;
}

ExprPtr Parser::index(ExprPtr base, size_t start) {
  RecordScope records(*this, true);
  auto made = std::make_unique<IndexExpr>();
  Token open = take();
  made->base = std::move(base);
  if (at(TokenKind::RBracket)) failUnexpected("an index");
  do made->subscripts.push_back(subscript());
  while (accept(TokenKind::Comma));
  expectClose(TokenKind::RBracket, open);
  return finish(std::move(made), start);
}

// i   a..b   a..   ..b   ..   :
Subscript Parser::subscript() {
  size_t start = mark();
  Subscript made;
  auto at_end = [&] { return at(TokenKind::Comma) || at(TokenKind::RBracket); };
  if (accept(TokenKind::Colon)) {
    made.kind = Subscript::Kind::All;
  } else if (accept(TokenKind::DotDot)) {
    made.kind = Subscript::Kind::Range;
    if (!at_end()) made.hi = rangeBound();
  } else {
    made.at = expression();
    if (accept(TokenKind::DotDot)) {
      made.kind = Subscript::Kind::Range;
      made.lo = std::move(made.at);
      if (!at_end()) made.hi = rangeBound();
    } else if (at(TokenKind::Colon)) {
      failUnexpected("`,` or `]`", "a slice is written `a..b`, half-open");
    }
  }
  made.span = spanFrom(start);
  return made;
}

// for i in a..b, j in c..d
std::vector<Iterator> Parser::iterators() {
  expect(TokenKind::For);
  std::vector<Iterator> list;
  do {
    Iterator made;
    made.name = expectName("the index's name");
    expect(TokenKind::In);
    made.lo = rangeBound();
    rangeDots();
    made.hi = rangeBound();
    list.push_back(std::move(made));
  } while (accept(TokenKind::Comma));
  return list;
}

}  // namespace dini::syntax
