// Tokens. The list with its line rules is tokens.def; a token is its kind and its span, its text
// stays in the source.
#pragma once

#include <cstdint>

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
