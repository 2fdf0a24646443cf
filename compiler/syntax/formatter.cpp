#include "syntax/formatter.h"

#include <algorithm>

#include "syntax/format_state.h"

namespace dini::syntax {

using namespace ast;

constexpr uint32_t kWidth = 100;

Formatter::Formatter(const SourceManager& sources, const File& file)
    : sources_(sources), file_(file) {
  DiagnosticSink reported;  // by the parser, which made the tree
  Lexed lexed = lex(sources, file.id, reported);
  tokens_ = std::move(lexed.tokens);
  comments_ = std::move(lexed.comments);
}

std::string Formatter::run() {
  std::vector<Piece> pieces;
  for (const Item& i : file_.items) pieces.push_back({i.span(), [this, &i] { return item(i); }});
  Doc all = sequence(pieces, 0, static_cast<uint32_t>(source().size()));
  std::string out = print(all, kWidth);
  out.erase(0, out.find_first_not_of('\n'));
  return out.empty() ? out : out + "\n";
}

bool Formatter::lineBreakBetween(uint32_t begin, uint32_t end) const {
  return begin < end && source().substr(begin, end - begin).find('\n') != std::string_view::npos;
}

bool Formatter::blankLineBetween(uint32_t begin, uint32_t end) const {
  if (begin >= end) return false;
  std::string_view between = source().substr(begin, end - begin);
  return std::count(between.begin(), between.end(), '\n') >= 2;
}

bool Formatter::commentBefore(uint32_t offset) const {
  return next_comment_ < comments_.size() && comments_[next_comment_].span.begin < offset;
}

Doc Formatter::comment(const Comment& c) const {
  return commentText(std::string(sources_.text(c.span)));
}

Doc Formatter::takeComments(uint32_t offset) {
  std::vector<Doc> parts;
  while (commentBefore(offset)) {
    const Comment& c = takeComment();
    if (!c.own_line && parts.empty())
      parts.push_back(commentText("  "));
    else
      parts.push_back(hardLine());
    parts.push_back(comment(c));
  }
  return concat(std::move(parts));
}

Doc Formatter::commentsOr(uint32_t offset, Doc otherwise) {
  if (!commentBefore(offset)) return otherwise;
  return Cat{takeComments(offset), hardLine()};
}

Doc Formatter::sequence(const std::vector<Piece>& pieces, uint32_t begin, uint32_t end) {
  std::vector<Doc> parts;
  uint32_t previous = begin;  // the end of what was printed last
  bool first = true;          // nothing has had a line yet
  auto newLine = [&](uint32_t next, Doc same_line) {
    bool blank = !first && blankLineBetween(previous, next);
    parts.push_back(first ? line() : blank ? blankLine() : std::move(same_line));
    first = false;
  };
  auto comments = [&](uint32_t until, bool may_trail) {
    while (commentBefore(until)) {
      const Comment& c = takeComment();
      bool inside = c.span.begin < previous;  // of the statement before
      if (may_trail && (inside || !lineBreakBetween(previous, c.span.begin)))
        parts.push_back(commentText("  "));
      else if (inside)
        parts.push_back(hardLine());
      else
        newLine(c.span.begin, hardLine());
      parts.push_back(comment(c));
      previous = std::max(previous, c.span.end);
      may_trail = false;
    }
  };
  bool may_trail = begin > 0;
  for (const Piece& p : pieces) {
    comments(p.span.begin, may_trail);
    newLine(p.span.begin, lineOr(p.flat_before));
    parts.push_back(p.doc());
    previous = p.span.end;
    may_trail = true;
  }
  comments(end, may_trail);
  return concat(std::move(parts));
}

Doc Formatter::braces(const std::vector<Piece>& pieces, Span span) {
  if (pieces.empty() && !commentBefore(span.end)) return text("{ }");
  return Cat{text("{"), indent(sequence(pieces, span.begin + 1, span.end - 1)), line(), text("}")};
}

Doc Formatter::list(std::string open, const std::vector<Piece>& pieces, std::string close,
                    uint32_t end, ListStyle style, Breaks breaks) {
  bool spaced = open == "{";
  if (pieces.empty() && !commentBefore(end)) return text(open + close);
  std::vector<Doc> inner;
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (i > 0) inner.push_back(text(","));
    Doc next = Cat{commentsOr(pieces[i].span.begin, i > 0 || spaced ? line() : softLine()),
                   pieces[i].doc()};
    inner.push_back(style == ListStyle::Filled && i > 0 ? group(std::move(next)) : std::move(next));
  }
  if (commentBefore(end)) {
    inner.push_back(takeComments(end));
    breaks = Breaks::Always;
  }
  return group(Cat{text(std::move(open)), indent(concat(std::move(inner))),
                   spaced ? line() : softLine(), text(std::move(close))},
               breaks);
}

Span Formatter::bracesIn(Span span) const {
  auto it = std::lower_bound(tokens_.begin(), tokens_.end(), span.begin,
                             [](const Token& t, uint32_t at) { return t.span.begin < at; });
  while (it->kind != TokenKind::LBrace && it->kind != TokenKind::EndOfFile) ++it;
  uint32_t begin = it->span.begin;
  int depth = 0;
  for (; it->kind != TokenKind::EndOfFile; ++it) {
    if (it->kind == TokenKind::LBrace) ++depth;
    if (it->kind == TokenKind::RBrace && --depth == 0) break;
  }
  return {span.file, begin, it->span.end};
}

// A block that was written on several lines stays so.
Breaks Formatter::breaksOf(Span braces) const {
  return lineBreakBetween(braces.begin, braces.end) ? Breaks::Always : Breaks::IfTooLong;
}

std::string format(const SourceManager& sources, const File& file) {
  return Formatter(sources, file).run();
}

}  // namespace dini::syntax
