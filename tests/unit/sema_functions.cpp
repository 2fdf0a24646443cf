// Calls, functions as values, anonymous functions, derivatives.
#include "tests/unit/sema_support.h"

using namespace dini;
using namespace dini::sema_tests;

TEST_CASE("arguments: positional, then named, defaults (E0304)") {
  std::string f = "fn f(x: real, scale: real = 2.0, shift: real = x) -> real = x*scale + shift\n";
  CHECK(report(f + "print f(1), f(1, 2), f(1, shift = 3), f(shift = 1, x = 2)") == "");
  CHECK(report(f + "print f()") == "E0304: `f` is called without its argument `x`");
  CHECK(report(f + "print f(1, 2, 3, 4)") == "E0304: `f` is given 4 arguments, where it takes 3");
  CHECK(report(f + "print f(1, scael = 2)") ==
        "E0304: `f` has no parameter `scael` | did you mean `scale`?");
  CHECK(report(f + "print f(1, x = 2)") == "E0304: the argument `x` is given twice");
  CHECK(report(f + "print f(x = 2, 3)").substr(0, 2) == "E0");
  CHECK(report(f + "print f(true)").substr(0, 68) ==
        "E0301: the argument `x` of `f` is bool, where real is expected | `re");
  CHECK(report("fn f(x: real = true) -> real = x").substr(0, 5) == "E0301");
}

TEST_CASE("the order of arguments is recorded") {
  auto made = checked("fn f(a: real, b: real = 1, c: real = 2) -> real = a\nlet v = f(1, c = 5)");
  const auto& let = ast::as<ast::LetStmt>(*made->file->items[1].statement);
  CHECK(ast::as<ast::CallExpr>(*let.value).order == std::vector<int>{0, -1, 1});
}

TEST_CASE("what is no function is not called (E0303)") {
  CHECK(report("let x = [1, 2]\nprint x(1)") ==
        "E0303: int[2] is called, which is no function | square brackets index: `x[i]`");
}

TEST_CASE("an int becomes a real, never back") {
  CHECK(report("fn f(x: real[2]) -> real = x[0]\nprint f([1, 2])") == "");
  CHECK(
      report("fn f(k: int) -> real = k\nprint f(1.0)") ==
      "E0301: the argument `k` of `f` is real, where int is expected | a real never becomes an int "
      "by itself: `int(x)` truncates");
  CHECK(report("fn f(x: real) -> real = 1") == "");
  CHECK(report("fn f(x: real) -> (real, real) = (1, x)") == "");
}

TEST_CASE("functions are passed: by name, builtins, anonymous, derivatives") {
  std::string map =
      "fn map(f: fn(real) -> real, x: real[n]) -> real[n] = [f(x[i]) for i in 0..n]\n"
      "fn at(f: fn(real[k]) -> real, x: real[k]) -> real = f(x)\n"
      "fn cube(t: real) -> real = t^3\nfn total(x: real[m]) -> real = sum(x)\n";
  CHECK(report(map +
               "let a = 2.0\nprint map(cube, [1, 2]), map(tanh, [1, 2]), map(grad(cube), [1])\n"
               "print map(fn(t) = a*t, [1, 2]), map(fn(t: real) = t, [1]), at(norm, [1, 2])\n"
               "print at(total, [1, 2, 3]), at(fn(v) = v[0] + len(v), [1, 2])") == "");
  CHECK(report(map + "print map(total, [1, 2])").substr(0, 5) == "E0301");
  CHECK(report(map + "print map(cube(1), [1, 2])").find("a function is passed by its name") !=
        std::string::npos);
  CHECK(report(map + "print map(fn(s, t) = s, [1, 2])") ==
        "E0301: the argument `f` of `map` takes 2 parameters, where fn(real) -> real is expected");
  CHECK(report(map + "print map(zeros, [1, 2])").substr(0, 5) == "E0304");
  CHECK(report(map + "print map(fn(t) = [t], [1, 2])").substr(0, 5) == "E0301");
}

TEST_CASE("sizes of a function's result are inferred from the function passed") {
  CHECK(typeOf("apply(fn(v: real[k]) = concat(v, v), ones(3))",
               "fn apply(f: fn(real[n]) -> real[m], x: real[n]) -> real[m] = f(x)") == "real[6]");
  CHECK(report("fn newton(F: fn(real[n]) -> real[n], z0: real[n]) -> real[n] = z0 - jac(F)(z0) \\ "
               "F(z0)\nprint newton(fn(z) = z .* z - 2, ones(2))\n"
               "print newton(fn(z) = [z[0]], ones(2))")
            .substr(0, 5) == "E0401");
}

TEST_CASE("anonymous functions capture what they read") {
  auto made = checked("let a = 2.0\nlet b = [1.0, 2.0]\nlet h = fn(t: real) = a*t + b[0] + a");
  CHECK(made->report() == "");
  const auto& let = ast::as<ast::LetStmt>(*made->file->items[2].statement);
  const auto& lambda = ast::as<ast::LambdaExpr>(*let.value);
  REQUIRE(lambda.captures.size() == 2);
  CHECK(lambda.captures[0]->name == "a");
  CHECK(lambda.captures[1]->name == "b");
  CHECK(made->typeOf("h") == "fn(real) -> real");
  CHECK(report("let h = fn(t) = t") ==
        "E0307: nothing here tells the type of `t` | write `t: real`, or another type");
  CHECK(report("fn f(x: real) = x").find("E0") == 0);
}

TEST_CASE("a function is no value at run time") {
  CHECK(report("fn f(x: real) -> fn(real) -> real = sin").substr(0, 5) == "E0301");
  CHECK(report("let p = (sin, 1)").substr(0, 5) == "E0301");
  CHECK(report("fn f(x: real) -> real { let g = if x > 0 { sin } else { cos }; g(x) }")
            .substr(0, 5) == "E0301");
  CHECK(report("print sin").substr(0, 5) == "E0301");
  CHECK(report("var g = sin").substr(0, 5) == "E0301");
  CHECK(report("type P = { f: fn(real) -> real }").substr(0, 5) == "E0301");
}

namespace {
const std::string kFunctions =
    "fn f(x: real) -> real = x^2\n"
    "fn g(x: real[n], k: int, y: real) -> real = sum(x)*y\n"
    "fn h(x: real[n]) -> real[m] = zeros(3)\n"
    "fn pair(x: real[2], y: real) -> (real, real[3]) = (y, zeros(3))\n"
    "type P = { W: real[2, 2], b: real, k: int }\n"
    "fn loss(p: P, x: real[2]) -> real = p.b\n"
    "fn ints(k: int) -> real = k\nfn count(x: real) -> int = 1\n"
    "fn grow(n: int, h: real) -> real[n] = zeros(n)\n"
    "let p = P { W = zeros(2, 2), b = 0, k = 1 }\n";
std::string derived(const std::string& e) {
  std::string before = kFunctions;
  before.erase(before.find("fn h("), before.find("fn pair") - before.find("fn h("));
  return typeOf(e, before);
}
}  // namespace

TEST_CASE("types of derivatives") {
  CHECK(derived("grad(f)(1)") == "real");
  CHECK(derived("grad(grad(grad(f)))(1)") == "real");
  CHECK(derived("grad(g)([1, 2], 3, 4)") == "(real[2], real)");
  CHECK(derived("grad(g, wrt = x)([1, 2], 3, 4)") == "real[2]");
  CHECK(derived("grad(g, wrt = (y, x))([1, 2], k = 3, y = 4)") == "(real, real[2])");
  CHECK(derived("value_and_grad(f)(1)") == "(real, real)");
  CHECK(derived("grad(loss)(p, [1, 2])") == "(P, real[2])");
  CHECK(derived("jac(pair)([1, 2], 3)") == "((real[2], real), (real[3, 2], real[3]))");
  CHECK(derived("jac(grow)(4, 0.1)") == "real[4]");
  CHECK(derived("jac(loss, wrt = p)(p, [1, 2])") == "(real[2, 2], real)");
  CHECK(derived("hess(g, wrt = x)([1, 2, 3], 3, 4)") == "real[3, 3]");
  CHECK(derived("hess(g)([1, 2, 3], 3, 4)") == "((real[3, 3], real[3]), (real[3], real))");
  CHECK(derived("hvp(g, wrt = x)([1, 2, 3], 3, 4, [1, 1, 1])") == "real[3]");
  CHECK(derived("jvp(pair)([1, 2], 3, d_y = 1, d_x = [1, 0])") ==
        "((real, real[3]), (real, real[3]))");
  CHECK(derived("vjp(pair)([1, 2], 3, ybar = (1, zeros(3)))") == "(real[2], real)");
  CHECK(derived("gradcheck(f)(1.0)") == "real");
  CHECK(derived("certified(pair)([1, 2], y = 3)") == "bool");
  CHECK(derived("grad(tanh)(1.0)") == "real");
  CHECK(derived("jac(fn(x: real[k]) = x .* x)([1, 2, 3])") == "real[3, 3]");
}

TEST_CASE("an alias of a derivative takes any size") {
  CHECK(report(kFunctions.substr(0, kFunctions.find("fn h(")) +
               "let q = grad(g, wrt = x)\nprint q([1, 2], 1, 1), q([1, 2, 3], k = 1, y = 2)\n"
               "fn u(x: real) -> real { let d = grad(f); d(d(x)) }") == "");
}

TEST_CASE("what has no derivative (E0309)") {
  CHECK(
      derived("grad(f(1))") ==
      "E0309: `grad` of real, where a function is expected | write `grad(f)(x)`, not `grad(f(x))`");
  CHECK(derived("grad(pair)([1, 2], 3)") ==
        "E0309: `grad` of a function whose result is (real, real[3]) | `grad` needs a real result; "
        "`jac`, `jvp` and `vjp` take any");
  CHECK(derived("grad(count)(1)") == "E0309: `grad` of a function whose result is int");
  CHECK(derived("grad(ints)(1)").substr(0, 5) == "E0309");
  CHECK(derived("grad(g, wrt = k)([1], 2, 3)") == "E0309: `k` is int, which holds no reals");
  CHECK(derived("grad(g, wrt = xx)([1], 2, 3)") ==
        "E0309: `g` has no parameter `xx` | did you mean `x`?");
  CHECK(derived("grad(f, 1.0)").substr(0, 5) == "E0304");
}
