#include "syntax/parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "syntax/ast_visit.h"
#include "syntax/parse_state.h"

namespace dini::syntax {

Parser::Parser(const SourceManager& sources, FileId file, DiagnosticSink& sink)
    : file_(file), sink_(sink), lexed_(lex(sources, file, sink)) {
  errors_before_ = sink.errorCount();
}

void Parser::relocate(std::span<const SourceRegion> regions) {
  std::vector<const SourceRegion*> around;
  size_t next = 0;
  for (Token& token : lexed_.tokens) {
    const Span text = token.span;
    for (; next < regions.size() && regions[next].begin <= text.begin; ++next) around.push_back(&regions[next]);
    while (!around.empty() && around.back()->end < std::max(text.end, text.begin + 1)) around.pop_back();
    if (!around.empty()) token.span = around.back()->span;
  }
}

// ---------------------------------------------------------------- tokens

const Token& Parser::token(size_t ahead) const {
  return lexed_.tokens[std::min(cursor_ + ahead, lexed_.tokens.size() - 1)];
}

bool Parser::atWord(std::string_view word, size_t ahead) const {
  return kind(ahead) == TokenKind::Name && text(token(ahead)) == word;
}

Token Parser::take() {
  Token taken = token();
  if (taken.kind != TokenKind::EndOfFile) ++cursor_;
  return taken;
}

bool Parser::accept(TokenKind k) {
  if (!at(k)) return false;
  take();
  return true;
}

bool Parser::acceptWord(std::string_view word) {
  if (!atWord(word)) return false;
  take();
  return true;
}

Token Parser::expect(TokenKind k, std::string_view context) {
  if (at(k)) return take();
  std::string expected = fmt::format("`{}`", tokenInfo(k).spelling);
  if (!context.empty()) expected += fmt::format(" {}", context);
  failUnexpected(expected);
}

ast::Name Parser::expectName(std::string_view what) {
  if (!at(TokenKind::Name)) {
    bool keyword = kind() >= TokenKind::And && kind() <= TokenKind::While;
    failUnexpected(what, keyword ? "it is a keyword: choose another name" : "");
  }
  Token name = take();
  return {std::string(text(name)), name.span};
}

// The bracket that closes `open`. An end of the line or file here means that it is missing.
void Parser::expectClose(TokenKind close, const Token& open) {
  if (accept(close)) return;
  std::string_view spelling = tokenInfo(close).spelling;
  bool missing = at(TokenKind::EndOfFile) || at(TokenKind::Newline) || at(TokenKind::RBrace) ||
                 at(TokenKind::RParen) || at(TokenKind::RBracket);
  if (at(TokenKind::EndOfFile) && last_error_ == SIZE_MAX) ended_too_soon_ = true;
  if (cursor_ == last_error_ || at(TokenKind::Error)) throw Failure{};
  last_error_ = cursor_;
  if (missing) {
    auto& d = sink_.add(DiagCode::UnclosedBracket, open.span,
                        fmt::format("`{}` is never closed", tokenInfo(open.kind).spelling));
    d.labels.push_back({token().span, fmt::format("`{}` was expected here", spelling)});
  } else {
    bool list = close != TokenKind::RBrace;
    auto& d = sink_.add(DiagCode::UnexpectedToken, token().span,
                        fmt::format("{} where {}`{}` was expected", describe(token()),
                                    list ? "`,` or " : "", spelling));
    d.labels.push_back({open.span, "opened here"});
    if (!at(TokenKind::Arrow)) d.help = helpForUnexpected();  // there a `)` is missing
  }
  throw Failure{};
}

void Parser::skipNewlines() {
  while (at(TokenKind::Newline)) take();
}

bool Parser::acceptTerminator() {
  return accept(TokenKind::Newline) || accept(TokenKind::Semicolon);
}

Span Parser::spanFrom(size_t mark) const {
  Span first = lexed_.tokens[mark].span;
  if (cursor_ <= mark) return {first.file, first.begin, first.begin};
  return join(first, lexed_.tokens[cursor_ - 1].span);
}

// ---------------------------------------------------------------- errors and recovery

Parser::Nesting::Nesting(Parser& parser) : parser_(parser) {
  if (++parser_.nesting_ <= kMaxNesting) return;
  --parser_.nesting_;
  parser_.report(DiagCode::NestingTooDeep, parser_.token().span,
                 fmt::format("nested more than {} levels deep", kMaxNesting),
                 "name a part of it with `let`");
  parser_.cursor_ = parser_.lexed_.tokens.size() - 1;
  parser_.last_error_ = parser_.cursor_;
  throw Failure{};
}

void Parser::measure(ast::Expr& expr) {
  uint32_t below = 0;
  ast::forEachChild(expr, [&](const ast::Expr& child) { below = std::max(below, child.height); });
  expr.height = below + 1;
  if (expr.height <= kMaxHeight) return;
  fail(DiagCode::NestingTooDeep, token().span,
       fmt::format("an expression of more than {} levels", kMaxHeight),
       "name a part of it with `let`");
}

void Parser::report(DiagCode code, Span span, std::string message, std::string help) {
  last_error_ = cursor_;
  sink_.add(code, span, std::move(message)).help = std::move(help);
  if (sink_.errorCount() - errors_before_ < kMaxErrors) return;
  cursor_ = last_error_ = lexed_.tokens.size() - 1;
}

void Parser::fail(DiagCode code, Span span, std::string message, std::string help) {
  if (cursor_ != last_error_) report(code, span, std::move(message), std::move(help));
  throw Failure{};
}

void Parser::failUnexpected(std::string_view expected, std::string help) {
  if (at(TokenKind::EndOfFile) && last_error_ == SIZE_MAX) ended_too_soon_ = true;
  if (at(TokenKind::Error)) last_error_ = cursor_;  // the lexer has reported it
  if (help.empty()) help = helpForUnexpected();
  fail(DiagCode::UnexpectedToken, token().span,
       fmt::format("{} where {} was expected", describe(token()), expected), std::move(help));
}

std::string Parser::describe(const Token& t) const {
  std::string_view seen = text(t);
  switch (t.kind) {
    case TokenKind::EndOfFile:
      return "the end of the input";
    case TokenKind::Newline:
      return "the end of the line";
    default:
      break;
  }
  if (seen.size() <= 40) return fmt::format("`{}`", seen);
  return fmt::format("a {}", tokenInfo(t.kind).spelling);
}

// Skips to the end of the broken statement: a newline or `;` outside the brackets opened since its
// start, or the `}` of the block it is in. A Newline token tells that the lexer counts no `(` or
// `[` as open.
void Parser::synchronise(size_t statement_start) {
  std::vector<TokenKind> open;
  auto leaveRound = [&] {
    while (!open.empty() && open.back() != TokenKind::LBrace) open.pop_back();
  };
  for (size_t i = statement_start;; ++i) {
    TokenKind k = lexed_.tokens[i].kind;
    bool stop = k == TokenKind::EndOfFile;
    switch (k) {
      case TokenKind::LParen:
      case TokenKind::LBracket:
      case TokenKind::LBrace:
        open.push_back(k);
        break;
      case TokenKind::RParen:
      case TokenKind::RBracket:
        if (!open.empty() && open.back() != TokenKind::LBrace) open.pop_back();
        break;
      case TokenKind::RBrace:
        leaveRound();
        if (open.empty())
          stop = true;
        else
          open.pop_back();
        break;
      case TokenKind::Newline:
        leaveRound();
        [[fallthrough]];
      case TokenKind::Semicolon:
        stop = open.empty();
        break;
      default:
        break;
    }
    if (!stop || i < cursor_) continue;
    cursor_ = i;
    return;
  }
}

void Parser::endOfStatement() {
  if (acceptTerminator() || at(TokenKind::EndOfFile) || at(TokenKind::RBrace)) return;
  failUnexpected("the end of the statement");
}

void Parser::closesNothing() {
  if (!at(TokenKind::RBrace)) return;
  fail(DiagCode::UnexpectedToken, token().span, "a `}` that closes nothing");
}

// ---------------------------------------------------------------- entry points

ast::File Parser::file() {
  ast::File file;
  file.id = file_;
  while (true) {
    while (acceptTerminator()) {
    }
    if (at(TokenKind::EndOfFile)) break;
    size_t start = mark();
    nesting_ = 0;
    records_allowed_ = true;
    try {
      closesNothing();
      item(file);
      closesNothing();
      endOfStatement();
    } catch (Failure) {
      synchronise(start);
      accept(TokenKind::RBrace);
    }
  }
  return file;
}

ast::ExprPtr Parser::soleExpression() {
  try {
    skipNewlines();
    ast::ExprPtr parsed = expression();
    skipNewlines();
    if (!at(TokenKind::EndOfFile)) failUnexpected("the end of the expression");
    return parsed;
  } catch (Failure) {
    return nullptr;
  }
}

namespace {

// The lexer's findings and the parser's, in the order of the text.
void deliver(const DiagnosticSink& found, DiagnosticSink& sink) {
  std::vector<const Diagnostic*> sorted;
  for (const Diagnostic& d : found.all()) sorted.push_back(&d);
  std::sort(sorted.begin(), sorted.end(), [](const Diagnostic* a, const Diagnostic* b) {
    return std::tuple(a->labels[0].span.begin, a) < std::tuple(b->labels[0].span.begin, b);
  });
  for (const Diagnostic* d : sorted) {
    Diagnostic& given = sink.add(d->code, d->labels[0].span, d->message);
    given.labels = d->labels;
    given.notes = d->notes;
    given.help = d->help;
  }
}

}  // namespace

ast::File parseFile(const SourceManager& sources, FileId file, DiagnosticSink& sink) {
  DiagnosticSink found;
  ast::File parsed = Parser(sources, file, found).file();
  deliver(found, sink);
  return parsed;
}

ast::File parseGenerated(const SourceManager& sources, FileId file, std::span<const SourceRegion> regions,
                         DiagnosticSink& sink) {
  DiagnosticSink found;
  Parser parser(sources, file, found);
  parser.relocate(regions);
  ast::File parsed = parser.file();
  deliver(found, sink);
  return parsed;
}

ast::ExprPtr parseExpression(const SourceManager& sources, FileId file, DiagnosticSink& sink) {
  DiagnosticSink found;
  ast::ExprPtr parsed = Parser(sources, file, found).soleExpression();
  deliver(found, sink);
  return found.hasErrors() ? nullptr : std::move(parsed);
}

// A broken line inside a block does not end the block: what follows would be read as statements of
// their own.
bool isIncomplete(std::string_view text) {
  SourceManager sources;
  DiagnosticSink sink;
  Parser parser(sources, sources.add("", std::string(text) + "\n"), sink);
  if (parser.openBraces() > 0) return true;
  if (sink.hasErrors()) return false;  // the lexer's: no more text mends them
  parser.file();
  return parser.endedTooSoon();
}

}  // namespace dini::syntax
