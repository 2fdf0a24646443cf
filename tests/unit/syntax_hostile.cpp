// Inputs that try to break the front end: each ends with few, plain diagnostics.
#include <random>

#include "syntax_support.h"

using namespace dini;

namespace {

std::string repeat(const std::string& text, size_t times) {
  std::string all;
  for (size_t i = 0; i < times; ++i) all += text;
  return all;
}

std::string onlyCode(const std::string& text) {
  test::Parsed parsed(text);
  if (parsed.sink.all().size() != 1) return std::to_string(parsed.sink.all().size());
  return diagInfo(parsed.sink.all()[0].code).code;
}

}  // namespace

TEST_CASE("nesting has a limit") {
  CHECK(onlyCode("print " + repeat("(", 10000) + "1" + repeat(")", 10000)) == "E0106");
  for (const char* opening :
       {"(", "[", "{", "-", "not ", "2^", "f(", "x[", "if a {", "while a {", "if a { } else ",
        "try ", "fn(x: real) = ", "solve z: real {", "P { a = ", "argmin z: real { minimize "}) {
    CAPTURE(opening);
    CHECK(onlyCode(repeat(opening, 20000)) == "E0106");
  }
  CHECK(onlyCode("fn f(x: " + repeat("fn(", 20000)) == "E0106");
  CHECK(onlyCode("let x = " + repeat("(", 200) + "1" + repeat(")", 200)) == "0");
}

TEST_CASE("chains have a limit") {
  for (const char* link : {"1 + ", "1*", "a and "})
    CHECK(onlyCode(repeat(link, 100000) + "1") == "E0106");
  CHECK(onlyCode("x = a" + repeat("[0]", 100000)) == "E0106");
  CHECK(onlyCode("x = a" + repeat("'", 100000)) == "E0106");
  CHECK(onlyCode("x = " + repeat("1 + ", 900) + "1") == "0");
}

TEST_CASE("long literals") {
  CHECK(onlyCode("print " + repeat("9", 1000000)) == "E0102");
  CHECK(onlyCode("print 1." + repeat("9", 1000000)) == "0");
  CHECK(onlyCode("print 0." + repeat("0", 1000000) + "1") == "0");
  CHECK(onlyCode("print " + repeat("9", 1000000) + ".0") == "E0102");
  CHECK(onlyCode("print \"" + repeat("a", 1000000) + "\"") == "0");
  test::Parsed parsed("print " + repeat("9", 1000000));
  CHECK(parsed.rendered().size() < 1000);
}

TEST_CASE("what is no text") {
  CHECK(onlyCode(std::string("a\0b", 3)) == "E0110");
  CHECK(onlyCode("let a = 1\n\xFF\xFE") == "E0110");
  CHECK(onlyCode("\xC0\x80") == "E0110");          // overlong
  CHECK(onlyCode("\xED\xA0\x80") == "E0110");      // surrogate
  CHECK(onlyCode("\xF5\x80\x80\x80") == "E0110");  // beyond Unicode
  CHECK(onlyCode("\xE2\x82") == "E0110");          // cut off
  CHECK(test::Parsed("\x7F"
                     "ELF")
            .rendered()
            .find("0x7F") != std::string::npos);
}

TEST_CASE("the number of errors is limited") {
  CHECK(test::Parsed(repeat("let = 1\n", 5000)).sink.all().size() == 50);
  CHECK(test::Parsed(repeat("\xE2\x82\xAC a ", 5000)).sink.all().size() <= 100);
  CHECK(test::Parsed(repeat("f(\n", 5000)).sink.all().size() <= 50);
}

// Deterministic mutations of real programs: parsing, rendering and formatting must survive all.
TEST_CASE("mutated programs") {
  const std::string kSeed =
      test::readFile(DINI_SOURCE_DIR "/tests/programs/classic.dini").substr(0, 3000) +
      test::readFile(DINI_SOURCE_DIR "/tests/golden/syntax/format/everything.dini");
  REQUIRE(kSeed.size() > 3000);
  const std::string kAlphabet = "(){}[],;:'\"#@=+-*/^.<>!\n \\ae19_\xCE\xBB";
  std::mt19937 random(20211027);
  auto below = [&](size_t n) { return static_cast<size_t>(random() % n); };
  for (int round = 0; round < 300; ++round) {
    CAPTURE(round);
    std::string text = kSeed;
    size_t begin = below(text.size());
    text = text.substr(begin, 1 + below(600));
    for (size_t k = below(8); k > 0 && !text.empty(); --k) {
      size_t at = below(text.size());
      switch (below(4)) {
        case 0:
          text.erase(at, 1 + below(10));
          break;
        case 1:
          text.insert(at, 1, kAlphabet[below(kAlphabet.size())]);
          break;
        case 2:
          text[at] = kAlphabet[below(kAlphabet.size())];
          break;
        default:
          text.insert(at, text.substr(below(text.size()), below(40)));
      }
    }
    test::Parsed parsed(text);
    parsed.rendered();
    syntax::isIncomplete(text);
    if (!parsed.sink.hasErrors()) {
      test::Parsed again(parsed.formatted());
      CHECK_MESSAGE(again.tree() == parsed.tree(), text);
      CHECK_MESSAGE(again.formatted() == parsed.formatted(), text);
    }
  }
}
