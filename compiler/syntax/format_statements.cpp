#include "syntax/format_state.h"
#include "syntax/literals.h"

namespace dini::syntax {

using namespace ast;

namespace {

// Expressions that begin on the line of what they belong to and end with a bracket of their own.
bool bringsBrackets(const Expr& e) {
  switch (e.kind) {
    case ExprKind::Block:
    case ExprKind::Solve:
    case ExprKind::Argmin:
    case ExprKind::If:
    case ExprKind::RecordLiteral:
    case ExprKind::ArrayLiteral:
    case ExprKind::Lambda:
    case ExprKind::Tuple:
      return !e.parenthesised;
    default:
      return false;
  }
}

}  // namespace

// ---------------------------------------------------------------- items

Doc Formatter::item(const Item& item) {
  switch (item.kind) {
    case ItemKind::Fn:
      return fn(*item.fn);
    case ItemKind::Type:
      return typeDecl(*item.type);
    case ItemKind::Import:
      return text((item.import->cpp ? "import cpp " : "import ") + quoted(item.import->path));
    case ItemKind::Test:
      return Cat{text("test " + quoted(item.test->title) + " "), block(*item.test->body)};
    case ItemKind::Statement:
      return statement(*item.statement);
  }
  failCheck("unknown item");
}

Doc Formatter::attributes(const std::vector<Attribute>& attributes) {
  std::vector<Doc> parts;
  for (const Attribute& a : attributes) {
    parts.push_back(text("@" + a.name.text));
    if (!a.arguments.empty()) {
      parts.push_back(text("("));
      for (size_t i = 0; i < a.arguments.size(); ++i) {
        if (i > 0) parts.push_back(text(", "));
        parts.push_back(expr(*a.arguments[i]));
      }
      parts.push_back(text(")"));
    }
    parts.push_back(hardLine());
  }
  return concat(std::move(parts));
}

Doc Formatter::fn(const FnDecl& fn) {
  uint32_t parameters_end = fn.result->span.begin;
  Doc head = Cat{attributes(fn.attributes), text("fn " + fn.name.text),
                 parameters(fn.parameters, parameters_end), text(" -> "), type(*fn.result)};
  if (fn.block_body) return Cat{std::move(head), text(" "), block(as<BlockExpr>(*fn.body))};
  return Cat{std::move(head), assigned(*fn.body)};
}

Doc Formatter::parameters(const std::vector<Parameter>& parameters, uint32_t end) {
  std::vector<Piece> pieces;
  for (const Parameter& p : parameters)
    pieces.push_back({p.name.span, [this, &p]() -> Doc {
                        Doc doc = text(p.name.text);
                        if (p.type) doc = Cat{std::move(doc), text(": "), type(*p.type)};
                        if (!p.default_value) return doc;
                        return Cat{std::move(doc), text(" = "), expr(*p.default_value)};
                      }});
  return list("(", pieces, ")", end);
}

Doc Formatter::typeDecl(const TypeDecl& decl) {
  std::string head = "type " + decl.name.text;
  for (size_t i = 0; i < decl.sizes.size(); ++i) head += (i == 0 ? "[" : ", ") + decl.sizes[i].text;
  if (!decl.sizes.empty()) head += "]";
  std::vector<Piece> pieces;
  for (const TypeDecl::FieldDecl& f : decl.fields)
    pieces.push_back({f.name.span, [this, &f]() -> Doc {
                        return Cat{text(f.name.text + ": "), type(*f.type)};
                      }});
  Span braces = bracesIn(decl.span);
  return Cat{text(head + " = "),
             list("{", pieces, "}", braces.end - 1, ListStyle::OnePerLine, breaksOf(braces))};
}

Doc Formatter::type(const TypeExpr& t) {
  auto joined = [&](const auto& elements, const auto& print) {
    std::vector<Doc> parts;
    for (const auto& e : elements) {
      if (!parts.empty()) parts.push_back(text(", "));
      parts.push_back(print(*e));
    }
    return concat(std::move(parts));
  };
  auto types = [&] { return joined(t.elements, [&](const TypeExpr& e) { return type(e); }); };
  switch (t.kind) {
    case TypeExprKind::Tuple:
      return Cat{text("("), types(), text(")")};
    case TypeExprKind::Function:
      return Cat{text("fn("), types(), text(") -> "), type(*t.result)};
    case TypeExprKind::Named:
      break;
  }
  if (t.dims.empty()) return text(t.name.text);
  return Cat{text(t.name.text + "["), joined(t.dims, [&](const Expr& e) { return expr(e); }),
             text("]")};
}

// ---------------------------------------------------------------- statements

Formatter::Piece Formatter::piece(const Stmt& stmt) {
  return {stmt.span, [this, &stmt] { return statement(stmt); }};
}

Formatter::Piece Formatter::piece(const Expr& e) {
  return {e.span, [this, &e] { return expr(e); }};
}

Doc Formatter::statement(const Stmt& stmt) {
  switch (stmt.kind) {
    case StmtKind::Let:
      return let(as<LetStmt>(stmt));
    case StmtKind::Var: {
      const auto& var = as<VarStmt>(stmt);
      Doc head = text("var " + var.name.text);
      if (var.declared) head = Cat{std::move(head), text(": "), type(*var.declared)};
      return Cat{std::move(head), assigned(*var.value)};
    }
    case StmtKind::Assign: {
      const auto& assign = as<AssignStmt>(stmt);
      constexpr const char* kSigns[] = {"=", "+=", "-=", "*="};
      return Cat{expr(*assign.target),
                 assigned(*assign.value, kSigns[static_cast<size_t>(assign.op)])};
    }
    case StmtKind::For:
      return forLoop(as<ForStmt>(stmt));
    case StmtKind::While:
      return whileLoop(as<WhileStmt>(stmt));
    case StmtKind::Break:
      return text("break");
    case StmtKind::Return:
      return Cat{text("return "), expr(*as<ReturnStmt>(stmt).value)};
    case StmtKind::Assert:
      return Cat{text("assert "), expr(*as<AssertStmt>(stmt).condition)};
    case StmtKind::Print: {
      const auto& print = as<PrintStmt>(stmt);
      std::vector<Doc> parts;
      for (size_t i = 0; i < print.values.size(); ++i) {
        if (i > 0) parts.push_back(text(","));
        bool brackets = bringsBrackets(*print.values[i]);
        Doc space = i == 0 ? text("")
                           : commentsOr(print.values[i]->span.begin, brackets ? text(" ") : line());
        Doc value = group(Cat{std::move(space), expr(*print.values[i])});
        parts.push_back(brackets ? std::move(value) : indent(std::move(value)));
      }
      if (parts.empty()) return text("print");
      return Cat{text("print "), concat(std::move(parts))};
    }
    case StmtKind::Expression:
      return expr(*as<ExprStmt>(stmt).value);
  }
  failCheck("unknown statement");
}

Doc Formatter::let(const LetStmt& let) {
  size_t next = 0;
  Doc doc = text("let " + str(let.pattern, let.names, next));
  if (let.declared) doc = Cat{std::move(doc), text(": "), type(*let.declared)};
  return Cat{std::move(doc), assigned(*let.value)};
}

// " = value", broken after the sign where the line is too long.
Doc Formatter::assigned(const Expr& value, const char* sign) {
  std::string before = std::string(" ") + sign;
  uint32_t begin = value.span.begin;
  if (commentBefore(begin)) {
    Doc comments = commentsOr(begin, text(""));
    return Cat{text(before), indent(Cat{std::move(comments), expr(value)})};
  }
  if (bringsBrackets(value)) return Cat{text(before + " "), expr(value)};
  return group(Cat{text(before), indent(Cat{line(), expr(value)})});
}

Doc Formatter::forLoop(const ForStmt& loop) {
  Doc head = Cat{attributes(loop.attributes), text("for " + loop.name.text + " in "),
                 expr(*loop.lo), text(".."), expr(*loop.hi)};
  if (loop.step) head = Cat{std::move(head), text(" by "), expr(*loop.step)};
  return Cat{std::move(head), text(" "), block(*loop.body)};
}

Doc Formatter::whileLoop(const WhileStmt& loop) {
  return Cat{attributes(loop.attributes), text("while "), expr(*loop.condition), text(" "),
             block(*loop.body)};
}

Doc Formatter::openBlock(const BlockExpr& block) {
  std::vector<Piece> pieces;
  for (const StmtPtr& s : block.statements) pieces.push_back(piece(*s));
  if (block.result) pieces.push_back(piece(*block.result));
  return braces(pieces, bracesIn(block.span));
}

Doc Formatter::block(const BlockExpr& block) {
  return group(openBlock(block), breaksOf(bracesIn(block.span)));
}

}  // namespace dini::syntax
