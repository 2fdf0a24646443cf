// Derivative forms: selection, structure of results, nesting, captures.
#include <doctest/doctest.h>

#include "tests/unit/lower_support.h"

using namespace dini;
using lower_test::passes;

TEST_SUITE("lower") {
  TEST_CASE("forms and the structure of their results") {
    passes(R"(
    fn f(x: real, y: real[2]) -> real = x*y[0]*y[1]
    test "grad" {
      let (gx, gy) = grad(f)(2.0, [3.0, 4.0])
      assert gx == 12.0 and all(gy == [8.0, 6.0])
      let (hy, hx) = grad(f, wrt = (y, x))(2.0, [3.0, 4.0])
      assert hx == 12.0 and all(hy == [8.0, 6.0])
      let (v, d) = value_and_grad(f, wrt = x)(2, [3, 4])
      assert v == 24.0 and d == 12.0
    }
    test "jac and hess" {
      let (rows_x, rows_y) = hess(f)(2.0, [3.0, 4.0])
      let (xx, xy) = rows_x
      let (yx, yy) = rows_y
      assert xx == 0.0 and all(xy == [4.0, 3.0]) and all(yx == [4.0, 3.0])
      assert all(yy == [[0.0, 2.0], [2.0, 0.0]])
      let (J, g) = jac(fn(x: real[2]) = (x .^ 2, sum(x)))([1.0, 2.0])
      assert all(J == [[2.0, 0.0], [0.0, 4.0]]) and all(g == [1.0, 1.0])
    }
    test "products" {
      let (v, d) = jvp(f)(2.0, [3.0, 4.0], 1.0, [0.0, 1.0])
      assert v == 24.0 and d == 18.0
      let (bx, by) = vjp(f)(2.0, [3.0, 4.0], 2.0)
      assert bx == 24.0 and all(by == [16.0, 12.0])
      assert hvp(fn(x: real[2]) = x[0]^2*x[1])([1.0, 2.0], [1.0, 0.0])[0] == 4.0
    })");
  }

  TEST_CASE("records: the gradient is a record, its ints are copied") {
    passes(R"(type Layer[m, n] = { W: real[m, n], b: real[m], k: int }
    fn loss(l: Layer[m, n], x: real[n]) -> real = sum(tanh(l.W*x + l.b) .^ 2)
    test "record" {
      let l = Layer { W = [[1.0, 2.0], [3.0, 4.0]], b = [0.1, 0.2], k = 3 }
      let g = grad(loss, wrt = l)(l, [0.1, 0.2])
      assert g.k == 3 and close(g.W[0], 0.1*g.b[0]*[1.0, 2.0])
      var p = l
      for i in 0..100 { p -= 0.1*grad(loss, wrt = l)(p, [0.1, 0.2]) }
      assert loss(p, [0.1, 0.2]) < 1e-12
      assert gradcheck(loss)(l, [0.1, 0.2]) < 1e-8
    })");
  }

  TEST_CASE("nesting, aliases, captures and builtins as functions") {
    passes(R"(
    fn twice(f: fn(real) -> real, x: real) -> real = f(f(x))
    test "nesting" {
      let a = 3.0
      let g = grad(fn(t: real) = a*t^3)
      assert g(2.0) == 36.0 and close(twice(grad(sin), 1.0), cos(cos(1.0)))
      assert close(grad(grad(grad(sin)))(0.3), -cos(0.3))
      assert close(grad(fn(a: real) = grad(fn(t: real) = a*t^3)(2.0))(3.0), 12.0)
    })");
  }

  TEST_CASE("defaults, sizes and named arguments of the base function") {
    passes(R"(
    fn f(x: real, a: real = 2.0, n: int = 3) -> real = a*x^n
    fn grid(n: int, h: real) -> real[n] = [h*i for i in 0..n]
    test "defaults" {
      assert grad(f, wrt = x)(2.0) == 24.0 and grad(f, wrt = x)(2.0, n = 2) == 8.0
      assert grad(fn(h: real) = sum(grid(4, h)))(1.0) == 6.0
    })");
  }

  TEST_CASE("stop, and powers and norms that must not give NaN") {
    passes(R"(
    test "stop" { assert grad(fn(x: real) = x*stop(x))(3.0) == 3.0 }
    test "zero" {
      assert grad(fn(x: real) = x^2)(0.0) == 0.0 and all(grad(fn(v: real[2]) = norm(v)^2)([0.0, 0.0]) == [0.0, 0.0])
    })");
  }

  TEST_CASE("a function's own tie policy") {
    passes(R"(
    @ties(first) fn f(x: real) -> real = relu(x)
    @ties(weight(0.25)) fn g(x: real) -> real = relu(x)
    @ties(average) fn h(x: real) -> real = relu(x)
    @ties(first) fn larger(x: real[2]) -> real = max(x) + (if x[0] > 1 { x[0] - 1 } else { 0.0 })
    @ties(average) fn mixed(x: real) -> real = f(x) - g(x) + relu(x)
    test "only kinks written in the function" {
      assert grad(mixed)(0.0) == 1.25 and all(grad(larger)([1.0, 1.0]) == [2.0, 0.0])
    }
    test "at the kink" {
      assert grad(f)(0.0) == 1.0 and grad(g)(0.0) == 0.25 and grad(h)(0.0) == 0.5
    })");
  }
}
