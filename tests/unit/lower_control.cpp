// Control: loops and early exits as carries and flags, recursion, what is decided at compile time.
#include <doctest/doctest.h>

#include "tests/unit/lower_support.h"

using namespace dini;
using lower_test::passes;
using lower_test::Program;

TEST_SUITE("lower") {
  TEST_CASE("early returns and breaks, with derivatives through them") {
    passes(R"(
    fn early(x: real) -> real = {
      if x > 0 { return x^2 }
      if x < -1 { return -x }
      var s = 0.0
      for i in 0..10 {
        s += x
        if s < -3 { return s*2 }
      }
      s
    }
    fn first_above(a: real[n], t: real) -> int = {
      var at = -1
      for i in 0..n {
        if a[i] > t {
          at = i
          break
        }
      }
      at
    }
    fn collatz(n: int) -> int = {
      var k = 0
      var m = n
      while true {
        if m == 1 { break }
        m = if mod(m, 2) == 0 { div(m, 2) } else { 3*m + 1 }
        k += 1
      }
      k
    }
    test "values" {
      assert early(3.0) == 9.0 and early(-2.0) == 2.0 and early(-0.5) == -7.0 and close(early(-0.1), -1.0)
      assert first_above([1.0, 5.0, 3.0], 2.0) == 1 and first_above([1.0, 5.0, 3.0], 9.0) == -1
      assert collatz(27) == 111
    }
    test "derivatives" {
      assert close(grad(early)(3.0), 6.0) and close(grad(early)(-2.0), -1.0)
      assert close(grad(early)(-0.5), 14.0) and close(grad(early)(-0.1), 10.0)
    })");
  }

  TEST_CASE("a variable keeps its size: a slice assigned to it is compared when the program runs") {
    Program shrinks(R"(
    test "loop" {
      let x = [1.0, 2.0, 3.5]
      var y = x[0..2]
      for i in 0..2 { y = x[0..i + 1] }
    })");
    CHECK(shrinks.status().status == ir::Status::Shape);
    passes(R"(
    fn f(x: real[n], k: int) -> real {
      var y = x[0..k]
      var z = x[0..2]
      for i in 0..k {
        y = y * norm(y)
        z = x[i..i + k]*norm(z)
      }
      norm(y)*sum(y) + norm(z)*sum(z)
    }
    test "derivatives" {
      let x = [1.0, 2.0, 3.5]
      let e = 1e-5
      for i in 0..3 {
        var up = x
        up[i] = up[i] + e
        var down = x
        down[i] = down[i] - e
        let by_differences = (grad(f)(up, 2) - grad(f)(down, 2))/(2*e)
        assert close(hess(f)(x, 2)[i], by_differences, tol = 1e-5)
      }
    })");
  }

  TEST_CASE("an early return is a branch of the value, so its tie is no jump") {
    passes(R"(
    @ties(average) fn ramp(x: real) -> real = {
      if x > 0 { return x }
      0.0
    }
    test "average at the kink" { assert grad(ramp)(0.0) == 0.5 })");
  }

  TEST_CASE("loops: steps, nesting, loop-carried records") {
    passes(R"(type S = { a: real, n: int }
    test "steps" {
      var s = 0
      for i in 1..10 by 4 { s = 10*s + i }
      for i in 5..0 by -2 { s = 10*s + i }
      assert s == 159531
    }
    test "records" {
      var r = S { a = 0.0, n = 0 }
      for i in 0..3 { for j in 0..i {
        r.a += 0.5
        r.n += j
      } }
      assert r.a == 1.5 and r.n == 1
    })");
  }

  TEST_CASE("a bound on a loop is a status") {
    Program program("test \"t\" {\n var k = 0\n @bound(5)\n while k < 6 { k += 1 }\n}");
    CHECK(program.status().status == ir::Status::Bound);
    passes(R"(
    @bound(5) fn down(n: int, x: real) -> real = if n == 0 { x } else { 2*down(n - 1, x) }
    test "a bound on a recursive function" {
      assert down(4, 1.0) == 16.0 and (try down(5, 1.0) else -1.0) == -1.0 and grad(down)(4, 1.0) == 16.0
    })");
  }

  TEST_CASE("recursion on values becomes calls, recursion on sizes ends when lowering") {
    Program program(R"(
      fn power(x: real, n: int) -> real = if n == 0 { 1.0 } else { x*power(x, n - 1) }
      fn total(x: real[n]) -> real = if n == 1 { x[0] } else { x[0] + total(x[1..]) })");
    CHECK(program.ir("power", {types::realType(), types::intType()}).find("call") !=
          std::string::npos);
    std::string total = program.ir("total", {types::realType({4})});
    CHECK(total.find("call") == std::string::npos);
    CHECK(total.find("if(") == std::string::npos);
  }

  TEST_CASE("recursion: mutual, with function arguments that capture, and derivatives") {
    passes(R"(
    fn power(x: real, n: int) -> real = if n == 0 { 1.0 } else { x*power(x, n - 1) }
    fn even(n: int) -> bool = if n == 0 { true } else { odd(n - 1) }
    fn odd(n: int) -> bool = if n == 0 { false } else { even(n - 1) }
    fn quadrature(f: fn(real) -> real, a: real, b: real, depth: int) -> real = {
      let m = (a + b)/2
      if depth == 0 { (b - a)*f(m) } else { quadrature(f, a, m, depth - 1) + quadrature(f, m, b, depth - 1) }
    }
    test "values" {
      assert power(2.0, 10) == 1024.0 and even(10) and not odd(10)
    }
    test "derivatives" {
      assert close(grad(power)(2.0, 10), 5120.0) and close(grad(grad(power))(2.0, 10), 90*256.0)
      let slope = grad(fn(c: real) = quadrature(fn(t: real) = c*t^2, 0.0, 1.0, 5))(3.0)
      assert close(slope, 1/3, tol = 1e-3)
    })");
  }

  TEST_CASE("`return` inside an anonymous function, and where it cannot stand yet") {
    passes(R"(
    fn f(x: real) -> real = {
      let g = fn(t: real) = {
        for i in 0..3 { if t > i { return 2*t } }
        -t
      }
      g(x)
    }
    test "values" { assert f(0.5) == 1.0 and f(-1.0) == 1.0 and grad(f)(-1.0) == -1.0 })");
    Program start(R"(fn f(x: real) -> real =
        solve z: real = (if x < 0 { return 0.0 } else { x }) { z == x }
      test "t" { assert f(1.0) == 1.0 })");
    CHECK(start.loweringError().substr(0, 5) == "E0902");
    Program condition(R"(fn f(x: real) -> real = {
        var k = 0
        while { if x < 0 { return 0.0 }
                k < 3 } { k += 1 }
        x
      }
      test "t" { assert f(1.0) == 1.0 })");
    CHECK(condition.loweringError().substr(0, 5) == "E0902");
  }

  TEST_CASE("sizes that leave the range of integers are a limitation") {
    Program doubles(
        "fn f(x: real[n]) -> real = if n == 0 { 0 } else { f(concat(x, x)) }\n"
        "test \"t\" { assert f([1.0]) == 0 }");
    CHECK(doubles.loweringError().substr(0, 5) == "E0902");
    Program product(
        "test \"t\" { assert sum(zeros(4294967296, 4294967296)) == 0 }");
    CHECK(product.loweringError().substr(0, 5) == "E0902");
  }

  TEST_CASE("only the side taken is evaluated; try takes the other after a status") {
    passes(R"(test "sides" {
      let x = [1.0]
      let i = len(x) + 2
      assert (if i < 1 { x[i] } else { 5.0 }) == 5.0
      assert not (i < 1 and x[i] > 0)
      assert (try x[i] else 7.0) == 7.0
      let members = [try x[j] else -1.0 for j in 0..3]
      assert all(members == [1.0, -1.0, -1.0])
    })");
  }

  TEST_CASE("sizes known only when the program runs") {
    passes(R"(
    fn f(x: real[n]) -> real = {
      let k = int(x[0])
      let y = x[0..k]
      let z = x[1..k + 1]
      sum(y .* z) + dot(y, z) + sum([y[i]*i for i in 0..k]) + norm(y)^2 + max(y)
    }
    test "values and slopes" {
      let x = [3.2, 2.0, 5.0, 1.0]
      assert close(f(x), 99.04) and close(grad(f)(x), [10.4, 21.4, 19.0, 10.0])
    }
    test "sizes that differ are a status" {
      let x = [1.0, 2.0, 3.0]
      let k = int(x[0])
      let m = int(x[1])
      assert (try sum(x[0..k] + x[0..m]) else 9.0) == 9.0
    })");
  }

  TEST_CASE("statuses point at the source, also from inside the prelude") {
    Program bounds(
        "test \"t\" {\n let x = [1.0]\n let i = len(x)\n let y = x[i]\n assert y == 0\n}");
    ir::StatusInfo info = bounds.status();
    CHECK(info.status == ir::Status::Bounds);
    CHECK(bounds.at(info) == "i");
    Program inside("test \"t\" { assert logdet([[1.0, 2.0], [2.0, 1.0]]) == 0 }");
    info = inside.status();
    CHECK(info.status == ir::Status::Domain);
    CHECK(inside.at(info) == "logdet([[1.0, 2.0], [2.0, 1.0]])");
  }

  TEST_CASE("a recursion that no size or value ends is a limitation") {
    Program program(
        "fn f(x: real[n]) -> real = f(concat(x, [1.0]))\ntest \"t\" { assert f([1.0]) == 0 }");
    CHECK(program.loweringError().substr(0, 5) == "E0902");
  }
}
