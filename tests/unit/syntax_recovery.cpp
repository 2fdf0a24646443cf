// Several errors in one go, each at its place, and nothing that follows from another.
#include "syntax_support.h"

using namespace dini;

namespace {

using Codes = std::vector<std::string>;

Codes codesOf(const std::string& text) { return test::Parsed(text).codes(); }

}  // namespace

TEST_CASE("one error per broken statement, in source order") {
  test::Parsed parsed(
      "fn f(x: real -> real {\n  x\n}\n"  // 1
      "let = 3\n"                         // 4
      "print g(1, 2\n"                    // 5: not closed
      "let b = [1, 2\n"                   // 6: not closed
      "let c = a < b < c\n"               // 7
      "let t = \"abc\n"                   // 8
      "let u = a && b\n"                  // 9
      "let good = 1\n");
  CHECK(parsed.codes() ==
        Codes{"E0104:1", "E0104:4", "E0105:5", "E0105:6", "E0107:7", "E0103:8", "E0101:9"});
  CHECK(parsed.tree().find("let good") != std::string::npos);
}

TEST_CASE("recovery inside blocks keeps the rest of the block") {
  test::Parsed parsed("fn f(x: real) -> real {\n  let a = = 1\n  let b = )\n  b\n}\nprint f(1)\n");
  CHECK(parsed.codes() == Codes{"E0104:2", "E0104:3"});
  CHECK(parsed.tree().find("value\n      b\n") != std::string::npos);
  CHECK(parsed.file.items.size() == 2);
}

TEST_CASE("lines of solve and argmin blocks") {
  CHECK(codesOf("solve z: real { z + 1\n z = 2\n z == 3 }") == Codes{"E0502:1", "E0104:2"});
  CHECK(codesOf("argmin z: real { subject to z <= 1 }") == Codes{"E0502:1"});
  CHECK(codesOf("argmin z: real { minimize z\n minimize z }") == Codes{"E0502:2"});
  CHECK(codesOf("argmin z: real { minimize z subject to z < 1 }") == Codes{"E0502:1"});
  CHECK(codesOf("argmin z: real { minimize z\n z <= 1 }") == Codes{"E0104:2"});
  CHECK(codesOf("solve z: real { z == 1 } using a using b") == Codes{"E0104:1"});
}

TEST_CASE("attributes") {
  CHECK(codesOf("@foo(1) fn f(x: real) -> real = x") == Codes{"E0109:1"});
  CHECK(codesOf("@ties(average) while a { }") == Codes{"E0109:1"});
  CHECK(codesOf("@bound let a = 1") == Codes{"E0109:1"});
  CHECK(codesOf("@bound() while a { }") == Codes{"E0109:1"});
  CHECK(codesOf("@bound(3) fn f(x: real) -> real = x").empty());
}

TEST_CASE("strings only where they can stand") {
  CHECK(codesOf("print \"a\", b, \"c\"\nlet x = load(\"x.npy\")\nsave(x, \"y.npy\")\nplot(f)")
            .empty());
  CHECK(codesOf("let x = \"a\"\nf(\"a\")\nprint \"a\" + 1") ==
        Codes{"E0108:1", "E0108:2", "E0104:3"});
  CHECK(codesOf("print \"a\\q\"") == Codes{"E0103:1"});
}

TEST_CASE("what is written differently elsewhere") {
  auto helpOf = [](const std::string& text) {
    test::Parsed parsed(text);
    REQUIRE(!parsed.sink.all().empty());
    return parsed.sink.all()[0].help;
  };
  CHECK(helpOf("x**2") == "a power is written with `^`");
  CHECK(helpOf("a && b") == "write `and`");
  CHECK(helpOf("a || b") == "write `or`");
  CHECK(helpOf("!a") == "write `not`");
  CHECK(helpOf("x = [1; 2]") == "a matrix is written row by row: `[[1, 2], [3, 4]]`");
  CHECK(helpOf("x[1:2]") == "a slice is written `a..b`, half-open");
  CHECK(helpOf("let a, b = c") == "several names are written `let (a, b) = ...`");
  CHECK(helpOf("fn f(x) -> real = x") == "write `x: real`");
  CHECK(helpOf("fn f(x: real) = x") == "a named function states its result: `-> real`");
  CHECK(helpOf("def f(x): x") == "a function is written `fn f(x: real) -> real = ...`");
  CHECK(helpOf("const c = 3") == "`let` names a value, `var` one that changes");
  CHECK(helpOf("print 'a'") == "strings stand in double quotes; `'` transposes what it follows");
  CHECK(helpOf("if a then b") == "write `if c { a } else { b }`");
  CHECK(helpOf("print a if b else c") == "write `if c { a } else { b }`");
  CHECK(helpOf("import numpy") == "write `import \"other.dini\"`");
  CHECK(helpOf("lambda x: x") == "an anonymous function is written `fn(x: real) = ...`");
  CHECK(helpOf("let f = x -> x") == "an anonymous function is written `fn(x: real) = ...`");
  CHECK(helpOf("x[0] := 3") == "an assignment is written with `=`");
  CHECK(helpOf("for i in range(10) { }") == "a range is written `0..n`, half-open");
  CHECK(helpOf("argmin x { minimize x }") == "an unknown has a type: `argmin x: real { ... }`");
  CHECK(helpOf("x /= 2") == "write `x = x / y`");
  CHECK(helpOf("x == 1 // why") == "comments begin with `#`");
  CHECK(helpOf("let solve = 3") == "it is a keyword: choose another name");
  CHECK(helpOf("let a = fn(x: real) -> real = x") ==
        "the result of an anonymous function is inferred");
}

TEST_CASE("an if without else has no value") {
  CHECK(codesOf("if a { b }\nif a { b } else if c { d }").empty());
  CHECK(codesOf("let x = if a { b }") == Codes{"E0104:1"});
  CHECK(codesOf("let x = if a { b } else if c { d }") == Codes{"E0104:1"});
  CHECK(codesOf("if a { b } * 2") == Codes{"E0104:1"});
}

TEST_CASE("declarations inside blocks and ranges as arguments") {
  CHECK(codesOf("fn f(x: real) -> real {\n fn g(y: real) -> real = y\n x\n}") == Codes{"E0206:2"});
  CHECK(codesOf("plot(f, over = -1..1)").empty());
  CHECK(codesOf("g(f, over = -1..1)") == Codes{"E0104:1"});
  CHECK(codesOf("a + b = c") == Codes{"E0205:1"});
  CHECK(codesOf("}\nlet a = 1\n}") == Codes{"E0104:1", "E0104:3"});
}

TEST_CASE("sole expressions") {
  auto parse = [](const std::string& text) {
    SourceManager sources;
    DiagnosticSink sink;
    auto parsed = syntax::parseExpression(sources, sources.add("", text), sink);
    CHECK((parsed == nullptr) == sink.hasErrors());
    return parsed != nullptr;
  };
  CHECK(parse("a + b"));
  CHECK(parse("\n f(x)\n"));
  CHECK(!parse("a b"));
  CHECK(!parse(""));
  CHECK(!parse("let a = 1"));
}
