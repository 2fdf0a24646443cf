// Tokens. The list with its line rules is tokens.def; a token is its kind, its text, which stays in
// the source, and its span, which is elsewhere where the text was made from another language.
#pragma once

#include <cstdint>
#include <string_view>

#include "source/source.h"

namespace dini::syntax {

enum class TokenKind : uint8_t {
#define DINI_TOKEN(name, spelling, after, before) name,
#include "syntax/tokens.def"
#undef DINI_TOKEN
};

struct Token {
  TokenKind kind = TokenKind::EndOfFile;
  Span span;
  std::string_view text = {};  // of a Newline and the end: empty
};

enum class LineRule : uint8_t { Ends, Joins };

struct TokenInfo {
  const char* name;      // the enumerator
  const char* spelling;  // "+=", or a word such as "name" where the spelling varies
  LineRule after;        // a newline after it
  LineRule before;       // a newline before it
};
const TokenInfo& tokenInfo(TokenKind kind);

}  // namespace dini::syntax
