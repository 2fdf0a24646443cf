// Every other sentence of the checker, in the order of its sources: a program, and how its report
// begins.
#include <algorithm>

#include "tests/unit/sema_support.h"

using namespace dini;
using namespace dini::sema_tests;

namespace {

struct Case {
  const char* program;
  const char* report;
};

void check(std::initializer_list<Case> cases) {
  for (const Case& c : cases) {
    CAPTURE(c.program);
    std::string got = report(c.program);
    CHECK(got.substr(0, std::string(c.report).size()) == c.report);
  }
}

}  // namespace

TEST_CASE("operands of builtins") {
  check({
      {"let v = reshape(1.0, 1.5)", "E0304: `reshape` of real, where an int is expected"},
      {"let v = sort(1)", "E0304: `sort` of int, where a vector is expected"},
      {"let v = diag([[1, 2]])", "E0304: `diag` of int[1, 2], where a vector or a square matrix"},
      {"let v = norm(1)", "E0304: `norm` of int, where an array of reals is expected"},
      {"let v = maxpool(1, 2)", "E0304: `maxpool` of int, where a vector or a matrix is expected"},
      {"let v = lstsq([[1]], 2)", "E0304: `lstsq` of int, where a vector or a matrix is expected"},
      {"let v = close(true, 1)", "E0304: `close` of bool, where a value made of reals is expected"},
      {"let v = close([1], [1, 2])", "E0401: `close` of int[1] and int[2]: the shapes must be"},
      {"let v = close(1, 1, tol = [1])", "E0304: `close` of int[1], where a real is expected"},
      {"let v = stack(1, 2, axis = 0)", "E0304: `stack` has no parameter `axis`"},
      {"let v = zeros()", "E0304: `zeros` is called without arguments"},
      {"let v = len(1)", "E0304: `len` of int, where an array is expected"},
      {"let v = pow((1, 2), 2)", "E0304: `pow` of (int, int), where a real or an array of reals"},
      {"let v = pow([1], [1, 2])",
       "E0401: `pow` of int[1] and int[2]: the shapes must be the same"},
      {"let v = where(true, 1, false)", "E0304: `where` of bool, where the other side is int, and"},
      {"let v = max(1, 2, axis = 0)",
       "E0304: `max` of two operands is elementwise and has no axis"},
      {"fn f(k: int) -> real = sum(sum([[1.0]], axis = k))", "E0304: the axis must be known when"},
      {"let v = sum(true)", "E0304: `sum` of bool, where an array of reals is expected"},
      {"let v = load(1)", "E0304: `load` of int, where a path, as a string, is expected"},
      {"fn f(g: fn(real, real) -> real) -> real = g(1, 2)\nprint f(exp)",
       "E0301: `exp` does not take 2 arguments"},
      {"let g = zeros", "E0307: `zeros` is a builtin that takes several types"},
  });
  CHECK(report("fn f(g: fn(real, real) -> real, h: fn(real[2]) -> real) -> real = g(1, h([1, 2]))\n"
               "print f(max, norm), f(pow, sum), grad(dot)([1, 2], [3, 4]), grad(soft)(1, 2),\n"
               "  grad(clamp, wrt = x)(1, 2, 3), grad(atan2)(1, 2)") == "");
  CHECK(typeOf("svd(f([1, 2, 3], 2))", "fn f(x: real[n], k: int) -> real[n, k] = x*ones(k)'")
            .substr(0, 1) == "(");
}

TEST_CASE("calls") {
  check({
      {"fn f(x: real[n], n: int) -> real = x[0]\nprint f([1, 2], 3)",
       "E0401: the argument `n` of `f` is 3, where the other arguments make it 2"},
      {"fn f(x: real[n*n], y: real[n]) -> real = 1\nprint f(zeros(8), zeros(3))", "E0401: "},
      {"type P = { a: real }\nlet v = P", "E0201: `P` is not defined | `P` is a type: a record is"},
      {"fn f(x: real) -> real = x\nprint grad(f, wrt = 1)(2)", "E0309: `wrt` takes names of"},
      {"let g = fn(t: real = true) = t",
       "E0301: the default of `t` is bool, where real is expected"},
      {"let g = fn(t: real) = { if t > 0 { return 1 }; true }",
       "E0301: the function returns int and ends with bool"},
      {"let g = fn(t: real) = { let u = t }", "E0308: the anonymous function has no value"},
      {"let g = fn(t: real[n]) = t'", "E0301: the result of a function is a covector"},
      {"fn f(x: real) -> real { return }", "E0"},
      {"let g = fn(t: real) = { if t > 0 { return 1 }; if t < -1 { return true }; 2 }",
       "E0301: the result is bool, where int is expected"},
  });
  CHECK(typeOf("(fn(t: real) = { if t > 0 { return 1 }; t })(2)") == "real");
}

TEST_CASE("expressions") {
  check({
      {"let v = Q { a = 1 }", "E0201: there is no type `Q`"},
      {"type P = { a: real }\nlet v = P { a = 1, a = 2 }", "E0202: the field `a` is given twice"},
      {"let v = [print for i in 0..2]", "E0"},
      {"let v = [sin for i in 0..2]", "E0301: the body of a comprehension is fn(real) -> real"},
      {"fn f(x: real) -> real { if x > 0 { 1.0 }; x }", "E0308: this `if` gives real and has no"},
      {"let v = [1, 2] + [[1, 2]]", "E0401: `+` between int[2] and int[1, 2]: the shapes must"},
      {"let v = [1, 2]' + [1, 2, 3]'", "E0401: `+` between covector[2] and covector[3]: the sizes"},
      {"let v = 1 \\ 2", "E0302: `\\` between int and int | `A \\ b` takes a square matrix"},
      {"let v = [[1.0]] \\ [1, 2]",
       "E0401: `\\` between real[1, 1] and int[2]: the matrix has 1 rows"},
      {"let v = [true] == [true, false]", "E0401: `==` between bool[1] and bool[2]: the shapes"},
      {"let v = [true] and [true, false]", "E0401: `and` between bool[1] and bool[2]: the shapes"},
      {"fn f(c: real[n]) -> real = c[0]\nlet v = try f([1.0]) else true",
       "E0301: `try` is real, what"},
  });
}

TEST_CASE("blocks of equations") {
  check({
      {"let v = solve a: real, a: real { a == 1; a == 2 }", "E0202: two unknowns are called `a`"},
      {"fn s(T: fn(real[n]) -> real[n], z0: real[n]) -> real[n] = z0\n"
       "let v = solve a: real, b: real { a == 1; a == b + a } using s()",
       "E0503: the solver `s`"},
      {"let v = solve a: real { a == 1 } differentiate neumann(1.5)",
       "E0503: `neumann` takes the number of terms, written as a number"},
      {"var u = 1.0\nlet v = solve a: real { a == { u = 2; u } }",
       "E0205: an assignment inside a `solve` block to `u`, declared outside"},
      {"var u = 1.0\nlet v = try { u = 2; u } else 1.0",
       "E0205: an assignment inside a `try` to `u`, declared outside"},
  });
}

TEST_CASE("statements") {
  check({
      {"let p = ({ let a = 1 }, 2)", "E0308: an element of a tuple has no value"},
      {"var a: int = 1.5", "E0301: the value is real, where int is expected"},
      {"for i in 0..3 by 0 { }", "E0301: a loop's step is 0"},
      {"print { let a = 1 }", "E0308: this has no value to print"},
      {"sin(1.0) = 2", "E0"},
      {"@boud(3)\nfor i in 0..3 { }", "E0109: "},
      {"@bound(1, 2)\nfor i in 0..3 { }", "E0109: "},
      {"@ties(first)\nfor i in 0..3 { }", "E0109: "},
  });
}

TEST_CASE("declarations") {
  check({
      {"fn f(x: real) = x", "E0"},
      {"fn f(p: (real, fn(real) -> real)) -> real = 1", "E0301: a function is no value: it cannot"},
      {"type P = { a: real }\nfn f(p: P[3]) -> real = 1",
       "E0403: `P` has 1 size here, where it takes 0 | there are no arrays of records"},
      {"type P = { a: Q }\ntype Q = { b: P }",
       "E0301: `P` contains itself, which no finite value can"},
      {"@ties(weight(2))\nfn f(x: real) -> real = x",
       "E0504: `weight` takes a number between 0 and"},
      {"@ties(framework(mxnet))\nfn f(x: real) -> real = x",
       "E0504: `framework` takes torch or jax"},
      {"@ties(first, second)\nfn f(x: real) -> real = x", "E0"},
      {"fn f(x: real[len(3)]) -> real = 1", "E0403: a dimension in a signature is a polynomial"},
      {"fn f(n: real, x: real[n]) -> real = 1",
       "E0403: a dimension is real, where an int is expected"},
      {"fn f(x: real[0 - 1]) -> real = 1", "E0403: a dimension is negative: -1"},
  });
}

TEST_CASE("an expression of a session, and its names") {
  Checked made;
  made.add("fn square(x: real) -> real = x^2\nlet a = 3");
  SourceManager& sources = made.sources;
  FileId id = sources.add("expression", "square(a) + 1");
  ast::ExprPtr expression = syntax::parseExpression(sources, id, made.sink);
  CHECK(made.program.checkExpression(*expression, made.top));
  CHECK(made.program.str(*expression->type) == "real");
  auto names = made.program.names();
  CHECK(std::find(names.begin(), names.end(), "square") != names.end());
  CHECK(std::find(names.begin(), names.end(), "tanh") != names.end());
}
