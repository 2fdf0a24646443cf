#include "syntax/unicode.h"

#include "source/utf8.h"

namespace dini::syntax {
namespace {

#include "syntax/unicode_tables.inc"

bool isAsciiLetter(char32_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

}  // namespace

bool startsName(char32_t c) {
  return isAsciiLetter(c) || c == '_' || (c >= 0x80 && contains(kLetters, c));
}

bool continuesName(char32_t c) {
  return startsName(c) || (c >= '0' && c <= '9') || (c >= 0x80 && contains(kFollowers, c));
}

}  // namespace dini::syntax
