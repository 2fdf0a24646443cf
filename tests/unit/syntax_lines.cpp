// Where a newline ends a statement ("Lexical rules" of the language reference).
#include "syntax_support.h"

using namespace dini;

namespace {

size_t statements(const std::string& text) {
  test::Parsed parsed(text);
  CHECK_MESSAGE(parsed.sink.all().empty(), text << "\n" << parsed.rendered());
  return parsed.file.items.size();
}

}  // namespace

TEST_CASE("after these tokens a newline does not end a statement") {
  for (const char* op : {"+", "-", "*", "/", "\\", "^", ".*", "./", ".^", "==", "!=", "<",
                         "<=", ">", ">=", "and", "or", "in"}) {
    CAPTURE(op);
    CHECK(statements(std::string("a ") + op + "\n\n  # between\n b\nc") == 2);
  }
  CHECK(statements("print a,\n b\nc") == 2);
  CHECK(statements("let a =\n b") == 1);
  for (const char* sign : {"=", "+=", "-=", "*="})
    CHECK(statements(std::string("a ") + sign + "\nb") == 1);
  CHECK(statements("fn f(x: real) ->\n real = x") == 1);
  CHECK(statements("let a:\n real = 1") == 1);
  CHECK(statements("not\na") == 1);
  CHECK(statements("@ties(average)\nfn f(x: real) -> real = x") == 1);
  CHECK(statements("@bound(10)\n\nwhile a { break }") == 1);
  CHECK(statements("x[1..\nn]") == 1);
}

TEST_CASE("before these tokens a newline does not end a statement") {
  for (const char* op : {"*", "/", "\\", "^", ".*", "./", ".^", "==", "!=", "<", "<=", ">",
                         ">=", "and", "or", "in"}) {
    CAPTURE(op);
    CHECK(statements(std::string("a\n") + op + " b\nc") == 2);
  }
  CHECK(statements("if a { b }\nelse { c }") == 1);
  CHECK(statements("try a\nelse b") == 1);
  CHECK(statements("solve z: real { z == 1 }\nusing newton()\n\ndifferentiate unroll") == 1);
  CHECK(statements("argmin x: real {\n minimize x\n\n subject to x >= 1\n}\nusing ip()\nwith x") ==
        1);
}

TEST_CASE("elsewhere it does, and so does a semicolon") {
  CHECK(test::Parsed("a\n+b").codes() == std::vector<std::string>{"E0104:2"});
  CHECK(statements("a\n-b") == 2);
  CHECK(statements("f\n(x)") == 2);
  CHECK(statements("f\n[x]") == 2);
  CHECK(statements("a; b; c") == 3);
  CHECK(statements("let f = g'\n-a") == 2);
  CHECK(statements("\n\n;;a;;\n;") == 1);
}

TEST_CASE("the innermost bracket decides") {
  CHECK(statements("(a\n- b)") == 1);
  CHECK(statements("f(a,\n\n b\n)") == 1);
  CHECK(statements("[a\n, b]") == 1);
  test::Parsed block("f({ a\n -b }, c)");
  CHECK(block.sink.all().empty());
  CHECK(block.tree().find("value\n        negate") != std::string::npos);
}

TEST_CASE("comments, byte order mark and carriage returns") {
  CHECK(statements("\xEF\xBB\xBF# only a comment") == 0);
  CHECK(statements("a # one\r\n# two\r\nb\r\n") == 2);
  CHECK(statements("") == 0);
}

TEST_CASE("letters of any script in names") {
  CHECK(statements("let \xCE\xBB = \xE5\xA4\xA7 + \xD1\x8F\xE2\x82\x81*x\xCC\x82") == 1);
  CHECK(test::Parsed("let a = \xE2\x82\xAC").codes() == std::vector<std::string>{"E0101:1"});
}

TEST_CASE("what more lines could complete") {
  for (const char* text :
       {"fn f(x: real) -> real {", "f(a,", "f(a", "[1,\n2", "a +",
        "let a =", "if a {\n b\n} else {", "@bound(3)", "solve z: real {\n z ==", "try f(x)",
        "fn f(x: real) -> real = {\n let y = x", "type P = {", "print a,", "f(fn(x: real) = {",
        "fn f(x: real) -> real {\n let = 3\n 3x"}) {
    CAPTURE(text);
    CHECK(syntax::isIncomplete(text));
  }
  for (const char* text : {"", "a", "a + b\n", "fn f(x: real) -> real = x", "x = )", "\"abc",
                           "let = (", "if a { b }", "}", "\xFF(", "f(a b"}) {
    CAPTURE(text);
    CHECK(!syntax::isIncomplete(text));
  }
}
