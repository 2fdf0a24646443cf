// The parser's class, shared by the files that implement it: parser.cpp (tokens, errors, recovery),
// parse_items.cpp, parse_statements.cpp, parse_expressions.cpp, parse_primaries.cpp,
// parse_blocks.cpp (solve, argmin), parse_types.cpp and parse_help.cpp.
//
// Errors: fail() reports and throws Failure, which never leaves this library; the innermost
// statement list catches it, skips to the end of the statement and goes on. One error per token:
// what would be reported at the token of the last error is dropped.
#pragma once

#include <string>
#include <string_view>

#include "syntax/ast.h"
#include "syntax/lexer.h"
#include "syntax/parser.h"

namespace dini::syntax {

class Parser {
 public:
  Parser(const SourceManager& sources, FileId file, DiagnosticSink& sink);
  // Before parsing: tokens inside a region get its span (parser.h).
  void relocate(std::span<const SourceRegion> regions);

  ast::File file();
  ast::ExprPtr soleExpression();
  // Whether the first error (if any) was that the text ended too soon.
  bool endedTooSoon() const { return ended_too_soon_; }
  size_t openBraces() const { return lexed_.open_braces; }

 private:
  struct Failure {};
  // Nothing nests more deeply than this, counted in brackets, blocks and prefix operators.
  static constexpr uint32_t kMaxNesting = 256;
  // Nor is a chain of operators longer (Expr::height).
  static constexpr uint32_t kMaxHeight = 1000;
  static constexpr size_t kMaxErrors = 50;

  class Nesting {  // one level, for as long as it lives
   public:
    explicit Nesting(Parser& parser);
    ~Nesting() { --parser_.nesting_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;

   private:
    Parser& parser_;
  };
  // Whether `name {` is a record literal here; brackets inside make it one again.
  class RecordScope {
   public:
    RecordScope(Parser& parser, bool allowed) : parser_(parser), before_(parser.records_allowed_) {
      parser.records_allowed_ = allowed;
    }
    ~RecordScope() { parser_.records_allowed_ = before_; }
    RecordScope(const RecordScope&) = delete;
    RecordScope& operator=(const RecordScope&) = delete;

   private:
    Parser& parser_;
    bool before_;
  };

  // ---- tokens (parser.cpp)
  const Token& token(size_t ahead = 0) const;
  TokenKind kind(size_t ahead = 0) const { return token(ahead).kind; }
  static std::string_view text(const Token& token) { return token.text; }
  bool at(TokenKind k) const { return kind() == k; }
  bool atWord(std::string_view word, size_t ahead = 0) const;
  size_t mark() const { return cursor_; }
  Token take();
  bool accept(TokenKind k);
  bool acceptWord(std::string_view word);
  Token expect(TokenKind k, std::string_view context = "");
  ast::Name expectName(std::string_view what);
  void expectClose(TokenKind close, const Token& open);
  void skipNewlines();
  bool acceptTerminator();
  Span spanFrom(size_t mark) const;

  // ---- errors and recovery (parser.cpp)
  [[noreturn]] void fail(DiagCode code, Span span, std::string message, std::string help = "");
  [[noreturn]] void failUnexpected(std::string_view expected, std::string help = "");
  void report(DiagCode code, Span span, std::string message, std::string help = "");
  std::string describe(const Token& token) const;
  std::string helpForUnexpected() const;  // parse_help.cpp
  void synchronise(size_t statement_start);
  void endOfStatement();
  void closesNothing();

  template <class T>
  std::unique_ptr<T> finish(std::unique_ptr<T> expr, size_t start) {
    expr->span = spanFrom(start);
    measure(*expr);
    return expr;
  }
  void measure(ast::Expr& expr);

  // ---- items (parse_items.cpp)
  void item(ast::File& file);
  ast::Item importItem();
  ast::Item typeItem();
  ast::Item testItem();
  ast::Item fnItem(std::vector<ast::Attribute> attributes, size_t start);
  std::vector<ast::Attribute> attributes();
  void checkAttributes(const std::vector<ast::Attribute>& attributes, std::string_view place,
                       bool ties_allowed, bool bound_allowed);

  // ---- statements (parse_statements.cpp)
  std::unique_ptr<ast::BlockExpr> block();
  ast::StmtPtr statement();
  ast::Pattern pattern(std::vector<ast::Name>& names);
  ast::StmtPtr letStatement();
  ast::StmtPtr varStatement();
  ast::StmtPtr forStatement(std::vector<ast::Attribute> attributes, size_t start);
  ast::StmtPtr whileStatement(std::vector<ast::Attribute> attributes, size_t start);
  ast::StmtPtr attributedStatement();
  ast::StmtPtr printStatement();
  ast::StmtPtr expressionOrAssignment();
  static bool hasElse(const ast::IfExpr& e);
  void misplacedDeclaration();

  // ---- expressions (parse_expressions.cpp, parse_primaries.cpp)
  ast::ExprPtr expression() { return binary(0); }
  ast::ExprPtr rangeBound();
  void rangeDots();
  ast::ExprPtr binary(int min_power);
  ast::ExprPtr unary();
  ast::ExprPtr power();
  ast::ExprPtr postfix();
  ast::ExprPtr call(ast::ExprPtr callee, size_t start);
  ast::ExprPtr index(ast::ExprPtr base, size_t start);
  std::vector<ast::Argument> arguments(const Token& open, bool strings_allowed);
  ast::Argument argument(bool strings_allowed);
  ast::Subscript subscript();
  std::vector<ast::Iterator> iterators();
  ast::ExprPtr stringOrExpression(bool strings_allowed);

  ast::ExprPtr primary();
  ast::ExprPtr number();
  ast::ExprPtr string();
  ast::ExprPtr nameOrRecord();
  ast::ExprPtr parenthesised();
  ast::ExprPtr bracketed();
  ast::ExprPtr ifExpression();
  ast::ExprPtr tryExpression();
  ast::ExprPtr lambda();
  std::vector<ast::Parameter> parameters(bool types_required);

  // ---- equations (parse_blocks.cpp)
  ast::ExprPtr solve();
  ast::ExprPtr argmin();
  std::vector<ast::Unknown> unknowns();
  void solveLine(ast::SolveExpr& solve);
  void argminLine(ast::ArgminExpr& argmin, bool& in_constraints);
  void constraint(ast::ArgminExpr& argmin);
  template <class Line>
  void equationLines(Line line);
  template <class Block>
  void clauses(Block& block, std::vector<ast::Name>* with);
  std::vector<ast::Argument> clauseArguments();

  // ---- types (parse_types.cpp)
  ast::TypeExprPtr type();

  FileId file_;
  DiagnosticSink& sink_;
  Lexed lexed_;
  size_t cursor_ = 0;
  size_t last_error_ = SIZE_MAX;  // the token of the last error
  size_t errors_before_ = 0;      // in the sink, before this parse: the lexer's
  bool ended_too_soon_ = false;
  bool records_allowed_ = true;
  uint32_t nesting_ = 0;
  size_t statement_if_ = SIZE_MAX;      // the `if` token that begins a statement
  const ast::Expr* bare_if_ = nullptr;  // what it became, if it has no else
};

}  // namespace dini::syntax
