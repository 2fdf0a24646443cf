// The formatter's class, shared by the files that implement it: formatter.cpp (comments, statement
// lists, items), format_statements.cpp, format_expressions.cpp and format_blocks.cpp.
//
// Comments are taken in source order by whoever prints the next thing after them: statement
// lists, bracketed lists and operands. What stands elsewhere ends up behind its statement. A
// comment is always followed by a line break, and stands where the line rules allow one.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "syntax/ast.h"
#include "syntax/layout.h"
#include "syntax/lexer.h"

namespace dini::syntax {

class Formatter {
 public:
  Formatter(const SourceManager& sources, const ast::File& file);
  std::string run();

 private:
  // Something with a place in the source, printed on demand and in order.
  struct Piece {
    Span span;
    std::function<Doc()> doc;
    std::string flat_before = "; ";  // what separates it from the statement before, on one line
  };
  // How the pieces between two brackets stand when they do not fit on a line.
  enum class ListStyle { OnePerLine, Filled };

  // ---- source and comments (formatter.cpp)
  std::string_view source() const { return sources_.file(file_.id).text(); }
  bool lineBreakBetween(uint32_t begin, uint32_t end) const;
  bool blankLineBetween(uint32_t begin, uint32_t end) const;
  bool commentBefore(uint32_t offset) const;
  const Comment& takeComment() { return comments_[next_comment_++]; }
  Doc comment(const Comment& c) const;
  // Pending comments before `offset` as what follows a token: the first on its line if it was
  // there, the others on lines of their own. Empty if there are none.
  Doc takeComments(uint32_t offset);
  // The same and a break; `otherwise` if there are none.
  Doc commentsOr(uint32_t offset, Doc otherwise);
  // Statements and comments between `begin` and `end`, each after its break.
  Doc sequence(const std::vector<Piece>& pieces, uint32_t begin, uint32_t end);
  Doc braces(const std::vector<Piece>& pieces, Span span);
  Doc list(std::string open, const std::vector<Piece>& pieces, std::string close, uint32_t end,
           ListStyle style = ListStyle::OnePerLine, Breaks breaks = Breaks::IfTooLong);
  // The first `{` in a stretch of source and its `}`.
  Span bracesIn(Span span) const;
  Breaks breaksOf(Span braces) const;

  // ---- items and statements (format_statements.cpp)
  Doc item(const ast::Item& item);
  Doc fn(const ast::FnDecl& fn);
  Doc typeDecl(const ast::TypeDecl& decl);
  Doc attributes(const std::vector<ast::Attribute>& attributes);
  Doc statement(const ast::Stmt& stmt);
  Doc let(const ast::LetStmt& let);
  Doc forLoop(const ast::ForStmt& loop);
  Doc whileLoop(const ast::WhileStmt& loop);
  Doc assigned(const ast::Expr& value, const char* sign = "=");
  Doc block(const ast::BlockExpr& block);
  Doc openBlock(const ast::BlockExpr& block);  // not a group of its own
  Doc type(const ast::TypeExpr& type);
  Doc parameters(const std::vector<ast::Parameter>& parameters, uint32_t end);
  Piece piece(const ast::Stmt& stmt);
  Piece piece(const ast::Expr& expr);

  // ---- expressions (format_expressions.cpp, format_blocks.cpp)
  Doc expr(const ast::Expr& expr);
  Doc bare(const ast::Expr& expr);  // without its own parentheses
  Doc binary(const ast::BinaryExpr& expr);
  Doc arguments(const std::vector<ast::Argument>& arguments, uint32_t end);
  Piece piece(const ast::Argument& argument);
  Doc subscript(const ast::Subscript& subscript);
  Doc iteration(std::string open, const ast::Expr& body,
                const std::vector<ast::Iterator>& iterators, std::string close, uint32_t end);
  Doc arrayLiteral(const ast::ArrayLiteralExpr& array);
  Doc recordLiteral(const ast::RecordLiteralExpr& record);
  Doc ifExpr(const ast::IfExpr& expr);
  Doc ifChain(const ast::IfExpr& expr, Breaks& breaks);
  Doc lambda(const ast::LambdaExpr& lambda);
  Doc solve(const ast::SolveExpr& solve);
  Doc argmin(const ast::ArgminExpr& argmin);
  Doc unknowns(const std::vector<ast::Unknown>& unknowns);
  Doc constraints(const ast::ArgminExpr& argmin, size_t begin, size_t end);
  Doc equationBlock(std::vector<Piece> pieces, const std::vector<ast::Unknown>& unknowns, Span all);
  template <class Block>
  Doc clauses(const Block& block, const std::vector<ast::Name>* with);

  const SourceManager& sources_;
  const ast::File& file_;
  std::vector<Token> tokens_;
  std::vector<Comment> comments_;
  size_t next_comment_ = 0;
};

}  // namespace dini::syntax
