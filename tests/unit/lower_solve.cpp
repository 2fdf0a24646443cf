// Solve blocks: shapes of unknowns, solvers and their protocol, statuses, derivative modes.
#include <doctest/doctest.h>

#include "tests/unit/lower_support.h"

using namespace dini;
using lower_test::passes;
using lower_test::Program;

TEST_SUITE("lower") {
  TEST_CASE("unknowns of every shape, with derivatives") {
    passes(R"(
    fn root_of(A: real[n, n]) -> real[n, n] = solve X: real[n, n] = eye(n) { X*X == A }
    fn kkt(Q: real[n, n], q: real[n], A: real[m, n], b: real[m]) -> (real[n], real[m]) = solve x: real[n], y: real[m] {
      let r = Q*x + q
      r + A'*y == 0
      A*x == b
    }
    test "a matrix" {
      let A = [[4.0, 1.0], [1.0, 3.0]]
      let X = root_of(A)
      assert close(X*X, A) and gradcheck(root_of)(A) < 1e-6
    }
    test "several unknowns are a tuple" {
      let Q = [[2.0, 0.0], [0.0, 2.0]]
      let (x, y) = kkt(Q, [-2.0, -5.0], [[1.0, 1.0]], [1.0])
      assert close(x, [-0.25, 1.25]) and close(y, [2.5])
      assert gradcheck(kkt)(Q, [-2.0, -5.0], [[1.0, 1.0]], [1.0]) < 1e-6
    })");
  }

  TEST_CASE("all solvers give one derivative; unrolling gives nearly the same") {
    passes(R"(
    fn a(W: real[n, n], b: real[n]) -> real[n] = solve z: real[n] { z == relu(W*z + b) }
    fn c(W: real[n, n], b: real[n]) -> real[n] = solve z: real[n] { z == relu(W*z + b) } using anderson(memory = 3)
    fn d(W: real[n, n], b: real[n]) -> real[n] = solve z: real[n] { relu(W*z + b) == z } using fixed_point(tol = 1e-12)
    fn e(W: real[n, n], b: real[n]) -> real[n] = solve z: real[n] { z == relu(W*z + b) } using fixed_point(tol = 1e-12) differentiate unroll
    test "layer" {
      let W = [[0.1, 0.2, 0.0], [0.3, -0.1, 0.2], [0.0, 0.4, 0.1]]
      let b = [1.0, -0.5, 0.3]
      let (Wa, ba) = vjp(a)(W, b, [1.0, 2.0, 3.0])
      let (Wc, bc) = vjp(c)(W, b, [1.0, 2.0, 3.0])
      let (Wd, bd) = vjp(d)(W, b, [1.0, 2.0, 3.0])
      let (We, be) = vjp(e)(W, b, [1.0, 2.0, 3.0])
      assert close(Wc, Wa) and close(bc, ba) and close(Wd, Wa) and close(bd, ba)
      assert close(We, Wa, tol = 1e-8) and close(be, ba, tol = 1e-8)
    })");
  }

  TEST_CASE("a solver of one's own, and given solutions") {
    passes(R"(
    fn mine(F: fn(real[n]) -> real[n], z0: real[n], tol: real = 1e-10, steps: int = 50) -> real[n] = {
      var z = z0
      for k in 0..steps { z -= jac(F)(z) \ F(z) }
      z
    }
    fn larger(a: real) -> real = {
      let (x, y) = solve x: real = 1.0, y: real = 1.0 {
        x*y == a
        x - y == 1.0
      } using mine(steps = 20)
      x
    }
    fn product(a: real) -> real = {
      let (x, y) = solve x: real, y: real {
        x^2 == a
        y == x
      } using given((sqrt(a), sqrt(a)))
      x*y
    }
    test "own" { assert close(larger(6.0), 3.0) and close(grad(larger)(6.0), 1/5) }
    test "given" { assert close(product(2.0), 2.0) and close(grad(product)(2.0), 1.0) })");
  }

  TEST_CASE("in loops, in batches, with second derivatives") {
    passes(R"(
    fn chain(a: real) -> real = {
      var s = 0.0
      for i in 0..5 { s += solve z: real { z + exp(z) == a + i + s/10 } }
      s
    }
    fn kepler(e: real, M: real[n]) -> real[n] = [solve E: real = M[i] { E - e*sin(E) == M[i] } for i in 0..n]
    test "loop" { assert gradcheck(chain)(0.3) < 1e-7 and gradcheck(grad(chain))(0.3) < 1e-7 }
    test "batch" { assert gradcheck(kepler)(0.3, linspace(0.0, 3.0, 4)) < 1e-7 })");
  }

  TEST_CASE("Newton's method on hard starts") {
    passes(R"(
    test "one unknown" {
      assert close(solve z: real { atan(z) == 1.5 }, tan(1.5)) and close(solve z: real = 10.0 { atan(z) == 0.1 }, tan(0.1))
      assert close(solve z: real { z^3 - 2*z + 2 == 0 }, -1.7692923542386314)
      assert close(solve z: real { z*z == 2.0 }, sqrt(2.0)) and close(solve z: real { exp(z) == 1e8 }, log(1e8))
    }
    test "two unknowns" {
      let x = solve x: real[2] = [-1.2, 1.0] { [10*(x[1] - x[0]^2), 1 - x[0]] == 0 }
      assert close(x, [1.0, 1.0])
      assert close(solve q: real[3] { q .* q .* q == [1.0, 8.0, 27.0] }, [1.0, 2.0, 3.0])
    })");
  }

  TEST_CASE("multiple roots have a value and no derivative") {
    Program one(
        R"(fn f(x: real) -> real = solve z: real = 1.0 { (z - x)^2 == 0 } using newton(tol = 1e-14)
      test "t" { assert close(f(2.0), 2.0, tol = 1e-6)
        assert grad(f)(2.0) == 0 })");
    CHECK(one.status().status == ir::Status::MultipleRoot);
    Program many(
        R"(fn f(x: real[n]) -> real[n] = solve z: real[n] { (x - z) .^ 3 == 0 } using newton(tol = 1e-14)
      test "t" { assert close(f([1.0, 2.0]), [1.0, 2.0], tol = 1e-4)
        assert all(jac(f)([1.0, 2.0]) == 0) })");
    CHECK(many.status().status == ir::Status::MultipleRoot);
    CHECK(many.at(many.status()).substr(0, 5) == "solve");
  }

  TEST_CASE("unrolled solvers: no derivative of a multiple root, an estimate where they fail") {
    Program one("fn f(p: real) -> real = solve z: real = 1.0 { z^3 == p } differentiate unroll\n"
                "test \"t\" { assert close(f(0.0), 0.0, tol = 1e-3)\n let d = grad(f)(8.0)\n"
                " assert close(d, 1/12)\n let y = grad(f)(0.0)\n assert y == y }");
    CHECK(one.status().status == ir::Status::MultipleRoot);
    CHECK(one.at(one.status()).substr(0, 5) == "solve");
    Program many(R"(fn f(p: real[n]) -> (real[n], real) = solve z: real[n] = ones(n), y: real { z .^ 3 == p
          y == sum(z) } differentiate unroll
      test "t" { let (z, y) = f([0.0, 0.0])
        assert close(y, sum(z), tol = 1e-8)
        let (a, b) = jac(f)([8.0, 27.0])
        assert close(a, diag([1/12, 1/27]), tol = 1e-8) and close(b, [1/12, 1/27], tol = 1e-8)
        let (c, d) = jac(f)([0.0, 0.0])
        assert all(d == d) })");
    CHECK(many.status().status == ir::Status::MultipleRoot);
    for (std::string block : {"{ z == 0.5*z*z + p } using newton(max_iterations = 20)",
                              "{ z == p - 2*z } using fixed_point(max_iterations = 20)"}) {
      Program fails("fn f(p: real) -> real = solve z: real = 0.0 " + block +
                    " differentiate unroll\ntest \"t\" { assert grad(f)(3.0) == 0 }");
      CHECK(fails.status().status == ir::Status::NotConverged);
      CHECK(fails.status().rcond > 0);
    }
  }

  TEST_CASE("statuses of a solve: where, and with what residual") {
    Program none("test \"t\" {\n let z = solve z: real { z*z == -2.0 }\n assert z == 0\n}");
    ir::StatusInfo info = none.status();
    CHECK(info.status == ir::Status::NotConverged);
    CHECK(none.at(info) == "solve z: real { z*z == -2.0 }");
    CHECK(info.residual >= 2.0);
    Program start("test \"t\" { assert (solve z: real = -1.0 { log(z) == 2.0 }) == 0 }");
    CHECK(start.status().status == ir::Status::StartOutOfDomain);
    Program singular(
        "fn f(x: real) -> real = solve z: real = 1.0 { 0*z == 0*x }\ntest \"t\" { assert "
        "grad(f)(1.0) == 0 }");
    CHECK(singular.status().status == ir::Status::Singular);
    Program member(
        "test \"t\" { let z = [solve z: real { z + abs(z) == i - 1 } for i in 0..3]\n assert all(z "
        "== 0) }");
    CHECK(member.status().batch_index == 0);
  }

  TEST_CASE("a factorisation of symmetric matrices is refused where the Jacobian is not") {
    auto slope = [](const std::string& linear) {
      return Program("fn f(A: real[2, 2], b: real[2]) -> real[2] = solve z: real[2] { A*z == b }\n"
                     "  differentiate implicit(linear = " + linear + ")\n"
                     "test \"t\" { assert jac(f, wrt = b)([[2, 1], [0.5, 3]], [1, 1])[0, 0] == 0 }")
          .status();
    };
    for (std::string linear : {"cholesky", "ldl"}) {
      CHECK(slope(linear).status == ir::Status::Domain);
      CHECK(slope(linear).text == "the Jacobian of this solve is not symmetric, as its `linear` says");
    }
    Program indefinite(
        "fn f(b: real[2]) -> real[2] = solve z: real[2] { [[1, 2], [2, 1]]*z == b }\n"
        "  differentiate implicit(linear = cholesky)\n"
        "test \"t\" { assert jac(f)([1, 1])[0, 0] == 0 }");
    CHECK(indefinite.status().status == ir::Status::Singular);
  }
}
