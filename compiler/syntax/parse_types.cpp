#include "syntax/parse_state.h"

namespace dini::syntax {

using namespace ast;

// real[n, 2*n]   (real, int)   fn(real[n]) -> real
TypeExprPtr Parser::type() {
  Nesting level(*this);
  size_t start = mark();
  auto made = std::make_unique<TypeExpr>();
  auto elements = [&](const Token& open) {
    while (!at(TokenKind::RParen)) {
      made->elements.push_back(type());
      if (!accept(TokenKind::Comma)) break;
    }
    expectClose(TokenKind::RParen, open);
  };
  if (accept(TokenKind::Fn)) {
    made->kind = TypeExprKind::Function;
    elements(expect(TokenKind::LParen));
    expect(TokenKind::Arrow, "and the result's type");
    made->result = type();
  } else if (at(TokenKind::LParen)) {
    made->kind = TypeExprKind::Tuple;
    elements(take());
    if (made->elements.size() < 2)
      fail(DiagCode::UnexpectedToken, spanFrom(start), "a tuple type has at least two elements");
  } else {
    made->name = expectName("a type");
    if (at(TokenKind::LBracket)) {
      RecordScope records(*this, true);
      Token open = take();
      do made->dims.push_back(expression());
      while (accept(TokenKind::Comma));
      expectClose(TokenKind::RBracket, open);
    }
  }
  made->span = spanFrom(start);
  return made;
}

}  // namespace dini::syntax
