// Statements: bindings, assignment, loops, return, and where each may stand.
#include "tests/unit/sema_support.h"

using namespace dini;
using namespace dini::sema_tests;

namespace {
std::string body(const std::string& statements) {
  return report("type P = { a: real[2] }\nfn f(x: real, v: real[3]) -> real {\n" + statements +
                "\nx }");
}
}  // namespace

TEST_CASE("let, var, patterns") {
  CHECK(body("let (a, b) = (x, v); let c: real = 1; var k = 0; k += 1; let d: real[3] = a*b") ==
        "");
  CHECK(body("let (a, b) = (x, v, 1)") == "E0301: 2 names are bound to (real, real[3], int)");
  CHECK(body("let a: int = x").substr(0, 5) == "E0301");
  CHECK(body("let a: real[2] = v").substr(0, 5) == "E0401");
  CHECK(body("var k = 0; k = 0.5") ==
        "E0301: the value is real, where int is expected | a real never becomes an int by itself: "
        "`int(x)` truncates");
  CHECK(body("var k = 0; k += 0.5").substr(0, 47) ==
        "E0301: the result of `+=` is real, where int is");
  CHECK(body("let c = v'; print c*v") == "");
  CHECK(body("var c = v'").substr(0, 5) == "E0301");
}

TEST_CASE("assignment to elements, slices and fields of a var (E0205)") {
  CHECK(body("var w = v; w[0] = 1; w[1..] = [1, 2]; w[..2] = 0; w[0] += x; w *= 2") == "");
  CHECK(body("var p = P { a = [1, 2] }; p.a = zeros(2); p.a[0] = x; p -= 0.1*p") == "");
  CHECK(body("v[0] = 1").substr(0, 5) == "E0205");
  CHECK(body("let w = v; w[0] = 1") ==
        "E0205: an assignment to `w`, which is no `var` | declare it with `var w = ...`");
  CHECK(body("1 = 2").substr(0, 2) == "E0");
  CHECK(body("var w = v; w[[0, 0]] = 1; w[[0, 1]] += v[[1, 0]]") == "");
  CHECK(body("var w = v; w[[0, 0]] = [1, 2, 3]").substr(0, 5) == "E0401");
  CHECK(body("var w = v; w = zeros(2)").substr(0, 5) == "E0401");
  CHECK(body("var w = v; let s = [{ w[0] = 1; 2 } for i in 0..3]")
            .find("iterations are independent") != std::string::npos);
  CHECK(body("var w = 0.0; let g = fn(t: real) = { w = t; t }").substr(0, 5) == "E0205");
  CHECK(body("tanh = 1.0").substr(0, 5) == "E0205");
}

TEST_CASE("loops, break, return (E0206)") {
  CHECK(body("for i in 0..3 { if v[i] > x { break } }; while x > 1 { return x }") == "");
  CHECK(body("for i in 0..6 by 2 { print i, \"text\" }") == "");
  CHECK(body("break") == "E0206: `break` stands outside loops");
  CHECK(body("for i in 0..2 { let s = [{ if x > 0 { break }; 1 } for j in 0..2] }").substr(0, 5) ==
        "E0206");
  CHECK(body("let s = [{ return x; 1 } for j in 0..2]").substr(0, 5) == "E0206");
  CHECK(body("for i in 0..1.5 { }").substr(0, 5) == "E0301");
  CHECK(body("while x { }").substr(0, 5) == "E0301");
  CHECK(body("return v").substr(0, 5) == "E0301");
  CHECK(report("return 1").substr(0, 5) == "E0206");
  CHECK(body("@bound(10)\nfor i in 0..3 { }") == "");
  CHECK(body("@bound(x)\nfor i in 0..3 { }").substr(0, 5) == "E0403");
}

TEST_CASE("values that nobody reads, and values that are missing (E0206, E0308)") {
  CHECK(body("x + 1").substr(0, 5) == "E0206");
  CHECK(report("1 + 2") ==
        "E0206: the value of this expression, int, is not used | write `print` "
        "before it to see it, or `let name =` to keep it");
  CHECK(
      report("fn f(x: real) -> real { let y = x }") ==
      "E0308: the function ends without a value, where real is declared | the last expression of a "
      "block is its value; or `return` one");
  CHECK(report("fn f(x: real) -> real { if x > 0 { return x } else { return -x } }") == "");
  CHECK(report("fn f(x: real) -> real { if x > 0 { return x } }").substr(0, 5) == "E0308");
  CHECK(body("let y = { let z = x }").substr(0, 5) == "E0308");
}

TEST_CASE("tests and asserts") {
  CHECK(report("test \"t\" { let a = 1; assert a == 1 and close(1.0, 1.0) }") == "");
  CHECK(report("test \"t\" { assert [1, 2] == [1, 2] }").substr(0, 5) == "E0301");
  CHECK(report("test \"t\" { return 1 }").substr(0, 5) == "E0206");
  CHECK(report("test \"t\" { 1 + 1 }").substr(0, 5) == "E0206");
}

TEST_CASE("files are touched at the top level only") {
  CHECK(report("let X = load(\"x.csv\")\nprint X[0, 0]\nsave(X, \"y.npy\")") == "");
  CHECK(report("fn f(x: real) -> real { let X = load(\"x.csv\"); x }").substr(0, 5) == "E0206");
  CHECK(report("let X = load(\"x.txt\")").substr(0, 5) == "E0304");
}

TEST_CASE("trees with holes from the parser are checked without a crash") {
  for (const char* text : {"fn f(",
                           "fn f(x: ) -> real = x",
                           "fn f(x: real) -> = x",
                           "fn f(x: real) -> real =",
                           "let = 3",
                           "let (a, ) = ",
                           "type P = { a: }",
                           "fn f(x: real[) -> real = x",
                           "let v = [i for i in ]",
                           "let v = solve z: real { }",
                           "let v = solve { z == }",
                           "let v = if { 1 } else { 2 }",
                           "for i in { }",
                           "x[ = 2",
                           "print f(,)",
                           "import",
                           "test { }",
                           "fn f(x: real) -> real { return }",
                           "@ties() fn f(x: real) -> real = x",
                           "let v = P { a = }",
                           "let v = solve z: real { z + } using differentiate"}) {
    CAPTURE(text);
    CHECK(checked(text)->sink.hasErrors());
  }
}
