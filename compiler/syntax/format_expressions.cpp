#include <algorithm>

#include "syntax/format_state.h"
#include "syntax/literals.h"

namespace dini::syntax {

using namespace ast;

namespace {

// Binding levels of operators that stand in one chain; the same for `a + b - c`.
int level(BinaryOp op) {
  switch (op) {
    case BinaryOp::Or:
      return 1;
    case BinaryOp::And:
      return 2;
    case BinaryOp::Add:
    case BinaryOp::Sub:
      return 4;
    case BinaryOp::Mul:
    case BinaryOp::Div:
    case BinaryOp::Solve:
    case BinaryOp::ElemMul:
    case BinaryOp::ElemDiv:
      return 5;
    case BinaryOp::Pow:
    case BinaryOp::ElemPow:
      return 6;
    default:
      return 3;
  }
}

bool isTight(BinaryOp op) { return op == BinaryOp::Mul || op == BinaryOp::Div || level(op) == 6; }

bool isBlockLike(const Expr& e) {
  return e.kind == ExprKind::Block || e.kind == ExprKind::Lambda || e.kind == ExprKind::Solve ||
         e.kind == ExprKind::Argmin || e.kind == ExprKind::If || e.kind == ExprKind::ArrayLiteral ||
         e.kind == ExprKind::Comprehension;
}

bool isAtom(const Expr& e) {
  return e.kind == ExprKind::Name || e.kind == ExprKind::Number || e.kind == ExprKind::Bool ||
         e.kind == ExprKind::Field;
}

// Expressions that may end in the `}` of a block. This asks for the tree and not for the layout:
// what is decided by how something was broken would change when it is formatted again.
bool holdsBlock(const Expr& e) {
  switch (e.kind) {
    case ExprKind::If:
    case ExprKind::Block:
    case ExprKind::Lambda:
    case ExprKind::Solve:
    case ExprKind::Argmin:
      return true;
    case ExprKind::Reduction:
      return holdsBlock(*as<ReductionExpr>(e).body);
    case ExprKind::Comprehension:
      return holdsBlock(*as<ComprehensionExpr>(e).body);
    default:
      return false;
  }
}

// A number, perhaps with a sign.
bool isPlainNumber(const Expr& e) {
  if (e.kind == ExprKind::Unary && as<UnaryExpr>(e).op == UnaryOp::Neg)
    return as<UnaryExpr>(e).operand->kind == ExprKind::Number;
  return e.kind == ExprKind::Number;
}

}  // namespace

Doc Formatter::expr(const Expr& e) {
  if (e.parenthesised && e.kind != ExprKind::Tuple) return Cat{text("("), bare(e), text(")")};
  return bare(e);
}

Doc Formatter::bare(const Expr& e) {
  switch (e.kind) {
    case ExprKind::Number:
      return text(as<NumberExpr>(e).text);
    case ExprKind::Bool:
      return text(as<BoolExpr>(e).value ? "true" : "false");
    case ExprKind::String:
      return text(quoted(as<StringExpr>(e).value));
    case ExprKind::Name:
      return text(as<NameExpr>(e).name);
    case ExprKind::ArrayLiteral:
      return arrayLiteral(as<ArrayLiteralExpr>(e));
    case ExprKind::Tuple: {
      std::vector<Piece> pieces;
      for (const ExprPtr& element : as<TupleExpr>(e).elements) pieces.push_back(piece(*element));
      return list("(", pieces, ")", e.span.end - 1);
    }
    case ExprKind::RecordLiteral:
      return recordLiteral(as<RecordLiteralExpr>(e));
    case ExprKind::Comprehension: {
      const auto& c = as<ComprehensionExpr>(e);
      return iteration("[", *c.body, c.iterators, "]", e.span.end - 1);
    }
    case ExprKind::Reduction: {
      const auto& r = as<ReductionExpr>(e);
      return iteration(r.op.text + "(", *r.body, r.iterators, ")", e.span.end - 1);
    }
    case ExprKind::Unary: {
      const auto& unary = as<UnaryExpr>(e);
      return Cat{text(unary.op == UnaryOp::Neg ? "-" : "not "), expr(*unary.operand)};
    }
    case ExprKind::Binary:
      return binary(as<BinaryExpr>(e));
    case ExprKind::Transpose:
      return Cat{expr(*as<TransposeExpr>(e).operand), text("'")};
    case ExprKind::Call: {
      const auto& call = as<CallExpr>(e);
      return Cat{expr(*call.callee), arguments(call.arguments, e.span.end - 1)};
    }
    case ExprKind::Index: {
      const auto& index = as<IndexExpr>(e);
      Doc base = expr(*index.base);
      std::vector<Piece> pieces;
      for (const Subscript& s : index.subscripts)
        pieces.push_back({s.span, [this, &s] { return subscript(s); }});
      return Cat{std::move(base), list("[", pieces, "]", e.span.end - 1)};
    }
    case ExprKind::Field: {
      const auto& field = as<FieldExpr>(e);
      return Cat{expr(*field.base), text("." + field.name.text)};
    }
    case ExprKind::If:
      return ifExpr(as<IfExpr>(e));
    case ExprKind::Try: {
      const auto& attempt = as<TryExpr>(e);
      return group(Cat{text("try "), expr(*attempt.body), indent(line()), text("else "),
                       expr(*attempt.fallback)});
    }
    case ExprKind::Block:
      return block(as<BlockExpr>(e));
    case ExprKind::Lambda:
      return lambda(as<LambdaExpr>(e));
    case ExprKind::Solve:
      return solve(as<SolveExpr>(e));
    case ExprKind::Argmin:
      return argmin(as<ArgminExpr>(e));
  }
  failCheck("unknown expression");
}

// A chain of operators of one level breaks at all of them or at none, after the operator.
Doc Formatter::binary(const BinaryExpr& e) {
  int chain_level = level(e.op);
  if (chain_level == 6) return Cat{expr(*e.lhs), text(spelling(e.op)), expr(*e.rhs)};
  std::vector<const BinaryExpr*> chain = {&e};
  while (chain_level != 3) {
    const Expr& lhs = *chain.back()->lhs;
    if (lhs.kind != ExprKind::Binary || lhs.parenthesised) break;
    if (level(as<BinaryExpr>(lhs).op) != chain_level) break;
    chain.push_back(&as<BinaryExpr>(lhs));
  }
  Doc first = expr(*chain.back()->lhs);
  std::vector<Doc> rest;
  for (auto link = chain.rbegin(); link != chain.rend(); ++link) {
    bool tight = isTight((*link)->op);
    rest.push_back(text((tight ? "" : " ") + std::string(spelling((*link)->op))));
    rest.push_back(commentsOr((*link)->rhs->span.begin, tight ? softLine() : line()));
    rest.push_back(expr(*(*link)->rhs));
  }
  Doc tail = indent(concat(std::move(rest)));
  // sum({ ... })/2: what follows a block need not break because the block does
  if (holdsBlock(*chain.back()->lhs)) return Cat{std::move(first), group(std::move(tail))};
  return group(Cat{std::move(first), std::move(tail)});
}

Formatter::Piece Formatter::piece(const Argument& argument) {
  Span span = argument.name ? argument.name->span : argument.value->span;
  return {span, [this, &argument]() -> Doc {
            std::vector<Doc> parts;
            if (argument.name) parts.push_back(text(argument.name->text + " = "));
            parts.push_back(expr(*argument.value));
            if (argument.to) {
              parts.push_back(text(".."));
              parts.push_back(expr(*argument.to));
            }
            return concat(std::move(parts));
          }};
}

Doc Formatter::arguments(const std::vector<Argument>& arguments, uint32_t end) {
  std::vector<Piece> pieces;
  for (const Argument& a : arguments) pieces.push_back(piece(a));
  bool atoms = !commentBefore(end) && !arguments.empty() && isBlockLike(*arguments.back().value);
  for (size_t i = 0; i + 1 < arguments.size(); ++i) atoms = atoms && isAtom(*arguments[i].value);
  if (!atoms) return list("(", pieces, ")", end);
  // a last argument with brackets of its own: it breaks, the list does not
  std::vector<Doc> parts;
  for (const Piece& p : pieces) {
    parts.push_back(text(parts.empty() ? "(" : ", "));
    parts.push_back(p.doc());
  }
  parts.push_back(text(")"));
  return concat(std::move(parts));
}

Doc Formatter::subscript(const Subscript& s) {
  switch (s.kind) {
    case Subscript::Kind::All:
      return text(":");
    case Subscript::Kind::At:
      return expr(*s.at);
    case Subscript::Kind::Range:
      break;
  }
  Doc lo = s.lo ? expr(*s.lo) : text("");
  return Cat{std::move(lo), text(".."), s.hi ? expr(*s.hi) : text("")};
}

// [body for i in a..b, j in c..d], and reductions
Doc Formatter::iteration(std::string open, const Expr& body, const std::vector<Iterator>& iterators,
                         std::string close, uint32_t end) {
  bool hugging = isBlockLike(body) && !commentBefore(body.span.begin);
  Doc before = commentsOr(body.span.begin, softLine());
  std::vector<Doc> inner;
  inner.push_back(expr(body));
  std::vector<Doc> loops;
  for (const Iterator& i : iterators) {
    bool first = loops.empty();
    if (!first) loops.push_back(text(","));
    Doc space = hugging ? text(" ") : line();
    loops.push_back(commentsOr(i.name.span.begin, first ? std::move(space) : line()));
    loops.push_back(text((first ? "for " : "") + i.name.text + " in "));
    loops.push_back(Cat{expr(*i.lo), text(".."), expr(*i.hi)});
  }
  Doc after = takeComments(end);
  if (hugging && !after.forced && after.parts.empty())
    return Cat{text(std::move(open)), concat(std::move(inner)),
               group(indent(concat(std::move(loops)))), text(std::move(close))};
  Breaks breaks = after.parts.empty() ? Breaks::IfTooLong : Breaks::Always;
  inner.push_back(concat(std::move(loops)));
  return group(Cat{text(std::move(open)),
                   indent(Cat{std::move(before), concat(std::move(inner)), std::move(after)}),
                   softLine(), text(std::move(close))},
               breaks);
}

// Numbers fill lines; rows of a matrix that stood on lines of their own stay there.
Doc Formatter::arrayLiteral(const ArrayLiteralExpr& array) {
  std::vector<Piece> pieces;
  bool numbers = true;
  for (const ExprPtr& e : array.elements) {
    pieces.push_back(piece(*e));
    numbers = numbers && isPlainNumber(*e);
  }
  bool rows = array.elements.size() > 1 && !numbers &&
              lineBreakBetween(array.elements[0]->span.end, array.elements[1]->span.begin);
  return list("[", pieces, "]", array.span.end - 1,
              numbers ? ListStyle::Filled : ListStyle::OnePerLine,
              rows ? Breaks::Always : Breaks::IfTooLong);
}

Doc Formatter::recordLiteral(const RecordLiteralExpr& record) {
  std::vector<Piece> pieces;
  for (const FieldInit& f : record.fields)
    pieces.push_back({f.name.span, [this, &f]() -> Doc {
                        return Cat{text(f.name.text + " = "), expr(*f.value)};
                      }});
  Span braces = bracesIn(record.span);
  return Cat{text(record.name.text + " "),
             list("{", pieces, "}", braces.end - 1, ListStyle::OnePerLine, breaksOf(braces))};
}

// All blocks of an `if` stand on one line, or none does.
Doc Formatter::ifExpr(const IfExpr& e) {
  Breaks breaks = Breaks::IfTooLong;
  Doc chain = ifChain(e, breaks);
  return group(std::move(chain), breaks);
}

Doc Formatter::ifChain(const IfExpr& e, Breaks& breaks) {
  const auto& then = as<BlockExpr>(*e.then_block);
  auto note = [&](const BlockExpr& block) {
    if (breaksOf(bracesIn(block.span)) == Breaks::Always) breaks = Breaks::Always;
  };
  note(then);
  Doc doc = Cat{text("if "), expr(*e.condition), text(" "), openBlock(then)};
  if (!e.else_block) return doc;
  const auto& otherwise = as<BlockExpr>(*e.else_block);
  if (source()[otherwise.span.begin] == '{') {
    note(otherwise);
    return Cat{std::move(doc), text(" else "), openBlock(otherwise)};
  }
  const Expr& nested =
      otherwise.result ? *otherwise.result : *as<ExprStmt>(*otherwise.statements[0]).value;
  return Cat{std::move(doc), text(" else "), ifChain(as<IfExpr>(nested), breaks)};
}

Doc Formatter::lambda(const LambdaExpr& lambda) {
  Doc head = Cat{text("fn"), parameters(lambda.parameters, lambda.body->span.begin)};
  bool block_body = lambda.body->kind == ExprKind::Block && !lambda.body->parenthesised;
  if (block_body) {
    // `= {` and `{` mean the same
    return Cat{std::move(head), text(" "), block(as<BlockExpr>(*lambda.body))};
  }
  return Cat{std::move(head), text(" = "), expr(*lambda.body)};
}

}  // namespace dini::syntax
