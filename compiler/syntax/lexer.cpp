#include "syntax/lexer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "source/utf8.h"
#include "syntax/unicode.h"

namespace dini::syntax {
namespace {

constexpr std::array kInfos = {
#define DINI_TOKEN(name, spelling, after, before) \
  TokenInfo{#name, spelling, LineRule::after, LineRule::before},
#include "syntax/tokens.def"
#undef DINI_TOKEN
};

bool isDigit(char c) { return c >= '0' && c <= '9'; }

TokenKind keywordOrName(std::string_view word) {
  for (auto k = static_cast<size_t>(TokenKind::And); k <= static_cast<size_t>(TokenKind::While);
       ++k)
    if (word == kInfos[k].spelling) return static_cast<TokenKind>(k);
  return TokenKind::Name;
}

// The longest operator that the text begins with, or Error.
TokenKind operatorAt(std::string_view text) {
  TokenKind best = TokenKind::Error;
  size_t length = 0;
  for (auto k = static_cast<size_t>(TokenKind::LParen); k < kInfos.size(); ++k) {
    std::string_view spelling = kInfos[k].spelling;
    if (spelling.size() > length && text.starts_with(spelling)) {
      best = static_cast<TokenKind>(k);
      length = spelling.size();
    }
  }
  return best;
}

// What people who come from elsewhere meant.
std::string helpFor(std::string_view text) {
  constexpr std::pair<std::string_view, std::string_view> kHelp[] = {
      {"&", "write `and`"},           {"|", "write `or`"},
      {"!", "write `not`"},           {"%", "write `mod(a, b)`; comments begin with `#`"},
      {"\xE2\x88\x92", "write `-`"},  // minus sign
      {"\xC2\xB7", "write `*`"},      // middle dot
      {"\xC3\x97", "write `*`"},      // multiplication sign
      {"\xE2\x80\x9C", "write `\"`"}, {"\xE2\x80\x9D", "write `\"`"},
      {"\xE2\x80\x99", "write `'`"},
  };
  for (auto [seen, help] : kHelp)
    if (text.starts_with(seen)) return std::string(help);
  return "";
}

class Lexer {
 public:
  Lexer(const SourceManager& sources, FileId file, DiagnosticSink& sink)
      : file_(file), text_(sources.file(file).text()), sink_(sink) {}

  Lexed run() {
    if (checkText())
      while (at_ < text_.size()) next();
    else
      at_ = text_.size();
    push(TokenKind::EndOfFile, at_);
    // where something is missing at the end, the last token's end is the place to look at
    if (size_t count = out_.tokens.size(); count > 1) {
      uint32_t end = out_.tokens[count - 2].span.end;
      out_.tokens.back().span = span(end, end);
    }
    for (const Bracket& b : open_) out_.open_braces += b.kind == TokenKind::LBrace;
    return std::move(out_);
  }

 private:
  Span span(size_t begin, size_t end) const {
    return {file_, static_cast<uint32_t>(begin), static_cast<uint32_t>(end)};
  }
  char peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  bool checkText();
  void next();
  void push(TokenKind kind, size_t begin);
  void trackBrackets(TokenKind kind);
  bool lineJoins(TokenKind kind, size_t begin) const;
  bool onlyBeginsStatement(TokenKind kind) const;
  void comment();
  void number();
  void string();
  void word();
  void skipDigits();
  void unknownCharacters();
  void fail(DiagCode code, size_t begin, std::string message, std::string help = "");

  struct Bracket {
    TokenKind kind;
    bool attribute;
  };

  static constexpr size_t kMaxErrors = 50;

  FileId file_;
  std::string_view text_;
  DiagnosticSink& sink_;
  Lexed out_;
  size_t at_ = 0;
  std::vector<Bracket> open_;
  bool newline_pending_ = false;
  bool line_is_blank_ = true;          // so far
  bool after_attribute_name_ = false;  // the last token is the name in `@name`
  size_t errors_ = 0;
  bool after_attribute_ = false;  // the last token ends an attribute
};

// Text that no lexer should try: too long for offsets, not UTF-8, or with control characters.
bool Lexer::checkText() {
  if (text_.size() >= std::numeric_limits<uint32_t>::max()) {
    sink_.add(DiagCode::TooLarge, span(0, 0), "a file of 4 GiB or more");
    return false;
  }
  size_t bad = firstInvalidUtf8(text_);
  const char* what = "a byte that is not UTF-8";
  for (size_t i = 0; i < std::min(bad, text_.size()); ++i) {
    auto c = static_cast<unsigned char>(text_[i]);
    bool control = (c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f') || c == 0x7F;
    if (!control) continue;
    bad = i;
    what = "a control character";
    break;
  }
  if (bad == std::string_view::npos) {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;  // byte order mark
    return true;
  }
  auto byte = static_cast<unsigned char>(text_[bad]);
  sink_
      .add(DiagCode::NotUtf8, span(bad, bad + 1),
           fmt::format("{} (0x{:02X} at offset {})", what, byte, bad))
      .help = "Dini files are UTF-8 text";
  return false;
}

void Lexer::next() {
  char c = text_[at_];
  if (c == '\n') {
    newline_pending_ = true;
    line_is_blank_ = true;
    ++at_;
  } else if (c == ' ' || c == '\t' || c == '\r' || c == '\f') {
    ++at_;
  } else if (c == '#') {
    comment();
  } else if (isDigit(c)) {
    number();
  } else if (c == '"') {
    string();
  } else if (startsName(decodeUtf8(text_, at_).code_point)) {
    word();
  } else if (TokenKind kind = operatorAt(text_.substr(at_, 2)); kind != TokenKind::Error) {
    size_t begin = at_;
    at_ += std::string_view(tokenInfo(kind).spelling).size();
    push(kind, begin);
  } else {
    unknownCharacters();
  }
}

void Lexer::comment() {
  size_t begin = at_;
  while (at_ < text_.size() && text_[at_] != '\n') ++at_;
  size_t end = at_;
  while (text_[end - 1] == ' ' || text_[end - 1] == '\t' || text_[end - 1] == '\r') --end;
  out_.comments.push_back({span(begin, end), line_is_blank_});
}

void Lexer::skipDigits() {
  while (isDigit(peek())) ++at_;
}

// digits [. digits] [e [+-] digits]: a point needs a digit on both sides, so that `2./x` and
// `1..n` are what they look like.
void Lexer::number() {
  size_t begin = at_;
  bool real = false;
  skipDigits();
  if (peek() == '.' && isDigit(peek(1))) {
    real = true;
    ++at_;
    skipDigits();
  }
  if (peek() == 'e' || peek() == 'E') {
    size_t sign = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
    if (isDigit(peek(1 + sign))) {
      real = true;
      at_ += 1 + sign;
      skipDigits();
    }
  }
  if (at_ < text_.size() && startsName(decodeUtf8(text_, at_).code_point)) {
    while (at_ < text_.size() && continuesName(decodeUtf8(text_, at_).code_point))
      at_ += decodeUtf8(text_, at_).length;
    std::string_view seen = text_.substr(begin, std::min<size_t>(at_ - begin, 40));
    return fail(DiagCode::BadNumber, begin,
                fmt::format("`{}` is neither a number nor a name", seen),
                "a product is written with `*`, an exponent as in `1e-3`");
  }
  push(real ? TokenKind::Real : TokenKind::Int, begin);
}

void Lexer::string() {
  size_t begin = at_++;
  while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\n')
    at_ += text_[at_] == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] != '\n' ? 2 : 1;
  if (peek() != '"')
    return fail(DiagCode::BadString, begin, "a string that is not closed on its line");
  ++at_;
  for (size_t i = begin + 1; i + 1 < at_; ++i) {
    if (text_[i] != '\\') continue;
    char escape = text_[++i];
    if (escape == '"' || escape == '\\' || escape == 'n') continue;
    uint32_t length = decodeUtf8(text_, i).length;
    sink_
        .add(DiagCode::BadString, span(i - 1, i + length),
             fmt::format("`{}` is no escape", text_.substr(i - 1, 1 + length)))
        .help = "the escapes are `\\\"`, `\\\\` and `\\n`";
  }
  push(TokenKind::String, begin);
}

void Lexer::word() {
  size_t begin = at_;
  while (at_ < text_.size()) {
    Decoded c = decodeUtf8(text_, at_);
    if (!continuesName(c.code_point)) break;
    at_ += c.length;
  }
  push(keywordOrName(text_.substr(begin, at_ - begin)), begin);
}

void Lexer::unknownCharacters() {
  size_t begin = at_;
  auto known = [&] {
    char c = text_[at_];
    return c == '\n' || c == ' ' || c == '\t' || c == '\r' || c == '#' || c == '"' || isDigit(c) ||
           startsName(decodeUtf8(text_, at_).code_point) ||
           operatorAt(text_.substr(at_, 2)) != TokenKind::Error;
  };
  do at_ += decodeUtf8(text_, at_).length;
  while (at_ < text_.size() && !known());
  std::string_view seen = text_.substr(begin, at_ - begin);
  std::string message = seen.size() <= 40 ? fmt::format("`{}` starts no token", seen)
                                          : std::string("these characters start no token");
  fail(DiagCode::UnexpectedCharacter, begin, std::move(message), helpFor(seen));
}

void Lexer::fail(DiagCode code, size_t begin, std::string message, std::string help) {
  sink_.add(code, span(begin, at_), std::move(message)).help = std::move(help);
  push(TokenKind::Error, begin);
  if (++errors_ == kMaxErrors) at_ = text_.size();
}

bool Lexer::lineJoins(TokenKind kind, size_t begin) const {
  if (out_.tokens.empty()) return true;
  if (after_attribute_ || tokenInfo(out_.tokens.back().kind).after == LineRule::Joins) return true;
  if (kind != TokenKind::Name) return tokenInfo(kind).before == LineRule::Joins;
  std::string_view word = text_.substr(begin, at_ - begin);
  return word == "using" || word == "differentiate" || word == "subject" || word == "with";
}

// Whether the word just read cannot stand directly inside ( ) or [ ].
bool Lexer::onlyBeginsStatement(TokenKind kind) const {
  switch (kind) {
    case TokenKind::Let:
    case TokenKind::Var:
    case TokenKind::Return:
    case TokenKind::Assert:
    case TokenKind::Print:
    case TokenKind::While:
    case TokenKind::Break:
      return true;
    case TokenKind::Fn: {  // `fn name`; `fn (` is an anonymous function
      size_t i = text_.find_first_not_of(" \t", at_);
      return i != std::string_view::npos && startsName(decodeUtf8(text_, i).code_point);
    }
    default:
      return false;
  }
}

void Lexer::push(TokenKind kind, size_t begin) {
  if (newline_pending_ || kind == TokenKind::EndOfFile) {
    bool inside = !open_.empty() && open_.back().kind != TokenKind::LBrace;
    if (inside && onlyBeginsStatement(kind)) {
      while (!open_.empty() && open_.back().kind != TokenKind::LBrace) open_.pop_back();
      inside = false;
    }
    if (newline_pending_ && !inside && !lineJoins(kind, begin)) {
      uint32_t end = out_.tokens.back().span.end;
      out_.tokens.push_back({TokenKind::Newline, span(end, end), {}});
    }
    newline_pending_ = false;
  }
  line_is_blank_ = false;
  trackBrackets(kind);
  out_.tokens.push_back({kind, span(begin, at_), text_.substr(begin, at_ - begin)});
}

// Called before the token is appended: the last token is still the one before it.
void Lexer::trackBrackets(TokenKind kind) {
  bool attribute_name =
      kind == TokenKind::Name && !out_.tokens.empty() && out_.tokens.back().kind == TokenKind::At;
  bool ends_attribute = attribute_name;
  if (kind == TokenKind::LParen || kind == TokenKind::LBracket || kind == TokenKind::LBrace) {
    open_.push_back({kind, kind == TokenKind::LParen && after_attribute_name_});
  } else if (kind == TokenKind::RParen || kind == TokenKind::RBracket) {
    TokenKind opening = kind == TokenKind::RParen ? TokenKind::LParen : TokenKind::LBracket;
    if (!open_.empty() && open_.back().kind == opening) {
      ends_attribute = open_.back().attribute;
      open_.pop_back();
    }
  } else if (kind == TokenKind::RBrace) {
    while (!open_.empty() && open_.back().kind != TokenKind::LBrace) open_.pop_back();
    if (!open_.empty()) open_.pop_back();
  }
  after_attribute_name_ = attribute_name;
  after_attribute_ = ends_attribute;
}

}  // namespace

const TokenInfo& tokenInfo(TokenKind kind) { return kInfos[static_cast<size_t>(kind)]; }

Lexed lex(const SourceManager& sources, FileId file, DiagnosticSink& sink) {
  return Lexer(sources, file, sink).run();
}

}  // namespace dini::syntax
