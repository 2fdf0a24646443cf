// Symbolic shapes: polynomials compared in normal form, sizes bound by calls, unknown sizes.
#include "tests/unit/sema_support.h"

using namespace dini;
using namespace dini::sema_tests;

TEST_CASE("different sizes of one signature are an error that names both places (E0401)") {
  auto made = checked("fn f(x: real[n], y: real[m]) -> real[n] = x + y");
  CHECK(made->report() ==
        "E0401: `+` between real[n] and real[m]: the shapes must be the same, or "
        "one side a scalar");
  CHECK(made->labels() == "`+` ; `x` this is real[n]; `y` this is real[m]");
  CHECK(report("fn f(A: real[m, n], x: real[m]) -> real[m] = A*x") ==
        "E0401: `*` between real[m, n] and real[m]: the left has n columns, the right m rows");
  CHECK(report("fn f(x: real[n]) -> real[n + 1] = x") ==
        "E0401: the result is real[n], where real[n + 1] is expected");
}

TEST_CASE("sizes are compared in normal form") {
  CHECK(report("fn f(x: real[2*(n + 1)]) -> real[n + n + 2] = x") == "");
  CHECK(report("fn f(x: real[n, m]) -> real[m*n] = reshape(x, n*m)") == "");
  CHECK(report("fn f(x: real[n]) -> real[2*n] = concat(x, x)") == "");
  CHECK(report("fn f(x: real[n]) -> real[n - 1] = x[1..] - x[..len(x) - 1]") == "");
  CHECK(report("fn f(A: real[m, n]) -> real[n, n] = A'*A") == "");
  CHECK(report("fn f(x: real[n]) -> real[n + 1] = [x[min(i, n - 1)] for i in 0..n + 1]") == "");
  CHECK(report("fn f(x: real[n]) -> real[n, 2] = [[a, 2*a][k] for a0 in 0..1, k in 0..2]\n")
            .substr(0, 5) == "E0201");
}

TEST_CASE("a call binds sizes; a contradiction names where they came from") {
  auto made = checked(
      "fn f(a: real[n], b: real[n]) -> real = dot(a, b)\n"
      "let v = f(zeros(2), zeros(3))");
  CHECK(made->report() == "E0401: the argument `b` of `f` is real[3], where real[2] is expected");
  CHECK(made->labels() ==
        "`zeros(3)` this is real[3]; `zeros(2)` `n` is 2 here; `b` `b` is "
        "declared here");
  CHECK(typeOf("f(ones(3, 4))", "fn f(A: real[m, n]) -> real[n, m + 1] = zeros(n, m + 1)") ==
        "real[4, 4]");
  CHECK(typeOf("f(ones(6))", "fn f(x: real[2*n]) -> real[n] = x[0..n]") == "real[3]");
  CHECK(typeOf("f(ones(5))", "fn f(x: real[2*n]) -> real[n] = x[0..n]").substr(0, 5) == "E0401");
}

TEST_CASE("an int parameter named in a dimension is a size") {
  std::string grid = "fn grid(n: int, h: real) -> real[n] = [h*i for i in 0..n]";
  CHECK(typeOf("grid(5, 0.1)", grid) == "real[5]");
  CHECK(typeOf("grid(h = 0.1, n = 2 + 2)", grid) == "real[4]");
  CHECK(report(grid + "\nfn f(x: real[m]) -> real[m + 1] = grid(len(x) + 1, 1)") == "");
  CHECK(report(grid + "\nfn f(x: real[m]) -> real[m] = grid(m + 1, 1)").substr(0, 5) == "E0401");
  std::string both = "fn g(n: int, x: real[n]) -> real = x[0]";
  CHECK(report(both + "\nlet v = g(3, zeros(4))") ==
        "E0401: the argument `x` of `g` is real[4], where real[3] is expected");
}

TEST_CASE("sizes known only at run time are accepted where they meet others") {
  CHECK(report("fn f(x: real[n], k: int) -> real[n] = x[0..k]") == "");
  CHECK(report("fn f(x: real[n], k: int) -> real[n] = x + zeros(k)") == "");
  CHECK(report("fn f(x: real[n], k: int) -> real[k] = x[0..k] + x[1..k + 1]") == "");
  CHECK(report("fn f(x: real[n], k: int) -> real[k] = x[0..k] + x[1..k]").substr(0, 5) == "E0401");
  CHECK(report("fn f(n: int) -> real { let k = int(sqrt(n)); let x = zeros(k); "
               "let y = ones(k + 1); sum(x + y) }")
            .substr(0, 5) == "E0401");
  CHECK(report("fn f(n: int, x: real[m]) -> real { var k = 0; k += n; sum(x[0..k] + x) }") == "");
  CHECK(report("fn f(x: real[n]) -> real[n div 2] = x").substr(0, 5) == "E0104");
}

TEST_CASE("derived sizes are equal to themselves") {
  CHECK(report("fn f(x: real[n]) -> real = sum(maxpool(x, 2) + zeros(div(n, 2)))") == "");
  CHECK(typeOf("maxpool(zeros(8, 6), 2)") == "real[4, 3]");
  CHECK(typeOf("zeros(div(7, 2))") == "real[3]");
}

TEST_CASE("size names have to be bound (E0402), dimensions to be polynomials (E0403)") {
  CHECK(report("fn f(x: real[n]) -> real[k] = x").substr(0, 70) ==
        "E0402: nothing gives the size `k` a value: no parameter has it | add a");
  CHECK(report("type P = { a: real[n] }") ==
        "E0402: nothing gives the size `n` a value | write `type P[n] = ...`");
  CHECK(report("fn f(x: real[n / 2]) -> real = 0.0").substr(0, 5) == "E0403");
  CHECK(report("type P[n] = { a: real[n] }\nfn f(p: P) -> real = 0.0") ==
        "E0403: `P` has 0 sizes here, where it takes 1");
  CHECK(report("let v = zeros(-1)") == "E0403: a dimension is negative: -1");
  CHECK(report("let v = [j for i in 0..3, j in 0..i]").substr(0, 5) == "E0403");
  CHECK(typeOf("sum(j for i in 0..3, j in 0..i)") == "int");
}

TEST_CASE("records carry sizes") {
  std::string layer = "type Layer[n] = { W: real[n, n], b: real[n] }";
  CHECK(typeOf("Layer { W = ones(3, 3), b = [1, 2, 3] }", layer) == "Layer[3]");
  CHECK(report(layer + "\nlet p = Layer { W = ones(3, 3), b = zeros(2) }").substr(0, 5) == "E0401");
  CHECK(typeOf("f(Layer { W = ones(2, 2), b = zeros(2) })",
               layer + "\nfn f(p: Layer[k]) -> real[k, k] = p.W*p.W") == "real[2, 2]");
  CHECK(report(layer + "\nfn f(p: Layer[k], q: Layer[m]) -> Layer[k] = p + q").substr(0, 5) ==
        "E0401");
}

TEST_CASE("a size polynomial that never contains enough is left to run time") {
  // n*m = 6 does not tell n and m.
  CHECK(report("fn f(x: real[n*m]) -> real = x[0]\nlet v = f(zeros(6))") == "");
  // Known one, the other follows.
  CHECK(typeOf("f(zeros(6), zeros(2))", "fn f(x: real[n*m], y: real[n]) -> real[m] = zeros(m)") ==
        "real[3]");
}

TEST_CASE("bindings hold only sizes that signatures bind") {
  auto made = checked(
      "fn f(x: real[n], k: int) -> int {\n  let a = 2*len(x) + 1\n  let b = a + k\n"
      "  a + b\n}");
  REQUIRE(made->report() == "");
  const auto& body = ast::as<ast::BlockExpr>(*made->program.findFunction("f")->body);
  auto binding = [&](size_t k) { return ast::as<ast::LetStmt>(*body.statements[k]).bindings[0]; };
  REQUIRE(binding(0)->size);
  CHECK(made->program.str(*types::realType({*binding(0)->size})) == "real[2*n + 1]");
  CHECK(!binding(1)->size);
}

TEST_CASE("coefficients stop at the largest number instead of wrapping round (E0902)") {
  CHECK(report("fn f(n: int) -> real[n*4611686018427387904*4] = zeros(n)").substr(0, 63) ==
        "E0902: a dimension with a factor of 2^63 or more");
  CHECK(report("fn f(x: real[4294967296*n*4294967296]) -> real = sum(x)").substr(0, 5) == "E0902");
  // Found by a call only: no empty array.
  CHECK(report("fn f(n: int) -> real[n*4611686018427387904] = zeros(n*4611686018427387904)\n"
               "fn g() -> real[0] = f(4)") ==
        "E0401: the result is real[9223372036854775807], where real[0] is expected");
  // An int that is no size may be anything: it is compared at run time.
  CHECK(report("fn f(x: real[n]) -> real[n] { let k = 4611686018427387904*4\n x[0..k] }") == "");
}
