// solve blocks: counting, forms, solvers.
#include "tests/unit/sema_support.h"

using namespace dini;
using namespace dini::sema_tests;

TEST_CASE("types of solutions") {
  CHECK(report("fn z(x: real) -> real = solve z: real { z + z^3 == x }") == "");
  CHECK(report("fn z(W: real[n, n], b: real[n]) -> real[n] = solve z: real[n] = b { z == "
               "relu(W*z + b) }") == "");
  CHECK(report("fn k(Q: real[n, n], A: real[p, n], b: real[p]) -> (real[n], real[p]) = "
               "solve x: real[n], y: real[p] {\n  Q*x + A'*y == 0\n  A*x == b\n}") == "");
  CHECK(
      report("fn m(A: real[n, n]) -> real[n, n] = solve X: real[n, n] { let B = A*X; B*X == A }") ==
      "");
}

TEST_CASE("as many scalar equations as unknowns, both places named (E0501)") {
  auto made = checked(
      "fn f(x: real) -> real {\n  let (a, b) = solve a: real, b: real { a == x }\n  "
      "a\n}");
  CHECK(made->report() ==
        "E0501: the block has 2 unknowns and 1 equation | add an equation for `b`, "
        "or make it a parameter");
  CHECK(made->labels() == "`a` ; `b` unknowns; `a == x` the only equation");
  CHECK(report("fn f(n: int) -> real[n] = solve z: real[n] { z[0..n - 1] == 1 }") ==
        "E0501: the block has n scalar unknowns and n - 1 scalar equations | add an equation for "
        "`z`, or make it a parameter");
  CHECK(report("fn f(x: real) -> real = solve a: real { a == x; a == 2 }").substr(0, 5) == "E0501");
  CHECK(
      report("fn f(x: real[n], k: int) -> real[n] = solve a: real[n] { a[0..k] == x[0..k]; a[k..] "
             "== 0 }") == "");
}

TEST_CASE("lines and unknowns that are none (E0502)") {
  CHECK(report("fn f(x: real) -> real = solve a: real { a < x }").substr(0, 5) == "E0502");
  CHECK(report("fn f(x: real) -> int = solve a: int { a == 2 }") ==
        "E0502: the unknown `a` is int, where a real or an array of reals is expected");
  CHECK(
      report("fn f(x: real[2]) -> real[2] = solve a: real[2] { a' == x' }") ==
      "E0502: an equation between covector[2] and covector[2], where reals or arrays of reals are "
      "expected | transpose both sides");
  CHECK(report("fn f(x: real[2]) -> real[2] = solve a: real[2] = [1, 2, 3] { a == x }")
            .substr(0, 5) == "E0401");
  CHECK(report("fn f(x: real[2]) -> real[2] = solve a: real[2] = a { a == x }").substr(0, 5) ==
        "E0201");
}

namespace {
const std::string kSolvers =
    "type Solution[n] = { z: real[n], iterations: int, reason: int }\n"
    "fn picard(T: fn(real[n]) -> real[n], z0: real[n], tol: real = 1e-8) -> Solution[n] = "
    "Solution { z = T(z0), iterations = 1, reason = 0 }\n"
    "fn mine(F: fn(real[n]) -> real[n], z0: real[n], tol: real) -> real[n] = z0 - F(z0)\n"
    "fn descent(f: fn(real[n]) -> real, z0: real[n]) -> real[n] = z0\n"
    "fn odd(F: fn(real[n]) -> real[n], z0: real[n]) -> real = F(z0)[0]\n"
    "fn pairs(F: fn(real[2]) -> real[2], z0: real[2]) -> real[2] = z0\n"
    "fn helper(x: real) -> real = x\n";
std::string with(const std::string& clause, const std::string& equation = "z == 0.5*z + x") {
  return report(kSolvers + "fn f(x: real) -> real = solve z: real { " + equation + " } " + clause);
}
}  // namespace

TEST_CASE("solvers say what they want, blocks what they have (E0503)") {
  CHECK(with("using picard(tol = 1e-6)") == "");
  CHECK(with("using picard", "0.5*z + x == z") == "");
  CHECK(with("using mine(1e-6)") == "");
  CHECK(with("using mine()") == "E0304: `mine` is called without its argument `tol`");
  CHECK(with("using mine(tol = true)").substr(0, 5) == "E0301");
  CHECK(
      with("using picard()", "z^2 == x") ==
      "E0503: the solver `picard` wants a fixed-point map `T`, and the equations do not give one | "
      "write every equation as `unknown == expression`");
  CHECK(with("using descent()") ==
        "E0503: the solver `descent` wants `f`, which a `solve` block does not have");
  CHECK(with("using helper()").substr(0, 29) == "E0503: `helper` is no solver:");
  CHECK(with("using odd()").substr(0, 5) == "E0503");
  CHECK(with("using pairs()") ==
        "E0503: the solver `pairs` takes `F` as fn(real[2]) -> real[2], "
        "where the block supplies fn(real[1]) -> real[1]");
  CHECK(with("using mien(tol = 1.0)") == "E0201: there is no solver `mien` | did you mean `mine`?");
}

TEST_CASE("a solution from elsewhere") {
  CHECK(with("using given(2*x, tol = 1e-8)") == "");
  CHECK(with("using given([x])").substr(0, 5) == "E0301");
  CHECK(with("using given()") == "E0304: `given` is called without its argument `z0`");
}

TEST_CASE("how to differentiate") {
  CHECK(with("differentiate implicit(linear = lu, tol = 1e-12)") == "");
  CHECK(with("using picard() differentiate unroll") == "");
  CHECK(with("using mine(1.0) differentiate one_step") == "");
  CHECK(with("differentiate neumann(5)") == "");
  CHECK(with("differentiate neumann()").substr(0, 5) == "E0503");
  CHECK(with("differentiate neumann(5)", "z^2 == x").substr(0, 5) == "E0503");
  for (std::string word : {"cholesky", "ldl", "refine", "cg", "minres", "gmres", "bicgstab"})
    CHECK(with("differentiate implicit(linear = " + word + ")") == "");
  CHECK(with("differentiate implicit(linear = gmres, tol = 1e-14)") == "");
  CHECK(with("differentiate implicit(linear = gmres, tol = 0)").substr(0, 5) == "E0901");
  for (std::string tolerance : {"1e-14", "x"})
    CHECK(with("differentiate implicit(tol = " + tolerance + ")") ==
          "E0901: a `tol` below 1e-12, or one that is not written as a number, is not there yet | "
          "the factorisations reach 1e-12 without being asked");
  CHECK(with("differentiate implicit(linear = magic)").substr(0, 5) == "E0503");
  CHECK(with("differentiate unrol") ==
        "E0503: there is no way `unrol` to differentiate | did you mean `unroll`?");
  CHECK(with("differentiate unroll(3)").substr(0, 5) == "E0503");
}

TEST_CASE("stop of an unknown in its own solve warns (W0504)") {
  CHECK(report("fn f(x: real) -> real = solve z: real { z == stop(z)*x }").substr(0, 5) == "W0504");
  CHECK(report("fn f(x: real) -> real = solve z: real { z == stop(x) }") == "");
}

TEST_CASE("argmin blocks: types of objectives, constraints, cones, labels and solvers") {
  auto block = [](const std::string& inside, const std::string& after = "") {
    return report("fn f(p: real) -> real[2] = argmin x: real[2] { minimize norm(x)^2 " + inside + " } " +
                  after);
  };
  CHECK(block("") == "");
  CHECK(block("subject to low: x >= p; sum(x) == 1; x in soc(2)") == "");
  CHECK(report("fn f(p: real) -> real = argmin x: real[2] { minimize x }").substr(0, 5) == "E0502");
  CHECK(block("subject to x >= zeros(3)").substr(0, 5) == "E0401");
  CHECK(block("subject to x in soc(3)").substr(0, 5) == "E0401");
  CHECK(block("subject to x in psd").substr(0, 5) == "E0502");
  CHECK(block("subject to x in zero(2)").substr(0, 5) == "E0502");
  CHECK(block("subject to x in simplex").substr(0, 5) == "E0502");
  CHECK(block("subject to x: x >= p").substr(0, 5) == "E0202");
  CHECK(block("subject to a: x >= p", "with x, b").substr(0, 5) == "E0201");
  CHECK(block("subject to a: x >= p", "with a") == "");
  CHECK(block("", "differentiate one_step").substr(0, 5) == "E0901");
  CHECK(block("", "differentiate implicit(linear = ldl)") == "");
  CHECK(block("", "using given([0, 0])").substr(0, 5) == "E0901");
  CHECK(report("fn mine(q: real) -> real = q\n"
               "fn f(p: real) -> real = argmin x: real { minimize x^2 } using mine()")
            .substr(0, 5) == "E0503");
}
