// Values of expressions: operators, indexing, records, comprehensions, builtins.
#include <doctest/doctest.h>

#include "tests/unit/lower_support.h"

using namespace dini;
using lower_test::passes;
using lower_test::Program;

TEST_SUITE("lower") {
  TEST_CASE("operators on matrices, vectors and covectors") {
    passes(R"(test "products" {
      let A = [[1.0, 2.0], [3.0, 4.0]]
      let x = [1.0, 2.0]
      assert all(A*x == [5.0, 11.0]) and all((x'*A)' == [7.0, 10.0]) and x'*x == 5.0
      assert all(x*x' == [[1.0, 2.0], [2.0, 4.0]]) and all(A'*A == [[10.0, 14.0], [14.0, 20.0]])
      assert all(A'*x == [7.0, 10.0]) and x'*A*x == 27.0
      assert all(2*x == [2.0, 4.0]) and all(x/2 == [0.5, 1.0]) and all(x .^ 2 == [1.0, 4.0])
      assert close(A \ x, [0.0, 0.5]) and close(A' \ x, [1.0, 0.0])
    }
    test "numbers" {
      assert 2^10 == 1024 and 7/2 == 3.5 and div(7, 2) == 3 and mod(-7, 2) == 1 and 2^-1 == 0.5
      assert all(2*[1, 2] == [2, 4]) and abs(-3) == 3 and int(-2.7) == -2 and real(true) == 1.0
    })");
  }

  TEST_CASE("triangular and diagonal systems are declared as such") {
    Program program(R"(
      fn triangular(A: real[n, n], b: real[n]) -> real[n] = { let L = cholesky(A)
        L' \ (L \ b) }
      fn scaled(d: real[n], b: real[n]) -> real[n] = diag(d) \ b
      fn symmetric(A: real[n, n], b: real[n]) -> real[n] = ((A + A')/2) \ b)");
    auto matrix = types::realType({3, 3}), vector = types::realType({3});
    CHECK(program.ir("triangular", {matrix, vector}).find("<i=3, ints=[1]>") != std::string::npos);
    CHECK(program.ir("scaled", {vector, vector}).find("<i=6, ints=[0]>") != std::string::npos);
    CHECK(program.ir("symmetric", {matrix, vector}).find("<i=1, ints=[0]>") != std::string::npos);
  }

  TEST_CASE("indices, slices, gathers and assignment to them") {
    passes(R"(test "reading" {
      let x = [1.0, 2.0, 3.0, 4.0, 5.0]
      assert all(x[1..3] == [2.0, 3.0]) and all(x[3..] == [4.0, 5.0]) and all(x[..1] == [1.0])
      assert all(x[[0, 0, 4]] == [1.0, 1.0, 5.0])
      let A = [[1, 2, 3], [4, 5, 6]]
      assert all(A[1] == [4, 5, 6]) and all(A[:, 1] == [2, 5]) and all(A[1, ..2] == [4, 5])
      assert all(A[:, [2, 0]] == [[3, 1], [6, 4]])
    }
    test "writing" {
      var x = [1.0, 2.0, 3.0, 4.0, 5.0]
      x[1..3] = [9, 8]
      x[4] *= 2
      x[0..2] += 1.0
      assert all(x == [2.0, 10.0, 8.0, 4.0, 10.0])
      var A = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
      A[:, 0] = [7, 8]
      A[1, 1..] = 0.0
      assert all(A == [[7.0, 2.0, 3.0], [8.0, 0.0, 0.0]])
    })");
  }

  TEST_CASE("checks of indices only where they are not provably in range") {
    Program program(R"(
      fn inside(x: real[n]) -> real = sum(x[i + 1] - x[i] for i in 0..n - 1)
      fn outside(x: real[n]) -> real = sum(x[i + 1] for i in 0..n)
      fn windows(x: real[8]) -> real = { var s = 0.0
        for k in 0..4 { s += sum(x[2*k .. 2*k + 2]) }
        s })");
    CHECK(program.ir("inside", {types::realType({5})}).find("check") == std::string::npos);
    CHECK(program.ir("outside", {types::realType({5})}).find("check") != std::string::npos);
    std::string windows = program.ir("windows", {types::realType({8})});
    CHECK(windows.find("check") == std::string::npos);
    CHECK(windows.find("f64[2]") != std::string::npos);
  }

  TEST_CASE("comprehensions and reductions") {
    passes(R"(type P = { a: real, v: real[2] }
    test "comprehensions" {
      assert all([i*j for i in 0..2, j in 0..3] == [[0, 0, 0], [0, 1, 2]])
      let (a, b) = [(i, real(i)) for i in 1..3]
      assert all(a == [1, 2]) and all(b == [1.0, 2.0])
      let r = [P { a = i, v = [i, 1] } for i in 0..2]
      assert all(r.a == [0.0, 1.0]) and all(r.v == [[0.0, 1.0], [1.0, 1.0]])
    }
    test "reductions" {
      assert sum(1 for i in 0..5, j in 0..i) == 10 and prod(i + 1 for i in 0..5) == 120
      assert all(sum([1.0, 2.0]*i for i in 0..3) == [3.0, 6.0])
      assert max(real(i) for i in 0..4) == 3.0 and mean(i for i in 0..4) == 1.5
      assert any(i == 2 for i in 0..3) and not all(i == 2 for i in 0..3)
      assert sum(0.0 for i in 0..0) == 0.0 and prod(i for i in 0..0) == 1
      let A = [[1.0, 2.0], [3.0, 4.0]]
      assert all(sum(A, axis = 0) == [4.0, 6.0]) and all(max(A, axis = 1) == [2.0, 4.0])
      assert all(prod(A, axis = 0) == [3.0, 8.0]) and mean(A) == 2.5
    })");
  }

  TEST_CASE("records: arithmetic on their reals, assignment to fields") {
    passes(R"(type Layer[n] = { W: real[n], k: int }
    test "records" {
      let l = Layer { W = [1, 2], k = 3 }
      var m = l - 0.5*l
      assert all(m.W == [0.5, 1.0]) and m.k == 3
      m.W[0] += 1.0
      m.k = 4
      assert all(m.W == [1.5, 1.0]) and m.k == 4 and all(l.W == [1.0, 2.0])
    })");
  }

  TEST_CASE("library functions") {
    passes(R"(test "arrays" {
      assert all(linspace(0.0, 1.0, 5) == [0.0, 0.25, 0.5, 0.75, 1.0]) and all(linspace(2.0, 3.0, 1) == [2.0])
      assert all(cumsum([1.0, 2.0, 3.0]) == [1.0, 3.0, 6.0]) and median([3.0, 1.0, 2.0]) == 2.0
      assert median([4.0, 1.0, 2.0, 3.0]) == 2.5 and all(sort([3, 1, 2]) == [1, 2, 3])
      assert close(sum(softmax([1.0, -inf, 2.0])), 1.0) and logsumexp([-inf, -inf]) == -inf
      assert all(grad(fn(x: real[3]) = logsumexp(x))([0.0, -inf, 0.0]) == [0.5, 0.0, 0.5])
      assert all(maxpool([1.0, 3.0, 2.0, 5.0, 9.0], 2) == [3.0, 5.0])
      assert all(diag([inf, 1.0]) == [[inf, 0.0], [0.0, 1.0]]) and all(diag([[1.0, 2.0], [3.0, 4.0]]) == [1.0, 4.0])
    }
    test "matrices" {
      let A = [[1.0, 2.0], [3.0, 4.0]]
      assert close(det(A), -2.0) and close(logdet(A'*A), log(4.0)) and close(inv(A)*A, eye(2))
      assert trace(A) == 5.0 and all(kron(A, [[1.0, 0.0]]) == [[1.0, 0.0, 2.0, 0.0], [3.0, 0.0, 4.0, 0.0]])
    }
    test "det of singular matrices: value and cofactors" {
      assert det([[1.0, 2.0], [2.0, 4.0]]) == 0.0
      let d = fn(A: real[2, 2]) = det(A)
      assert close(grad(d)([[1.0, 2.0], [2.0, 4.0]]), [[4.0, -2.0], [-2.0, 1.0]])
      assert all(grad(d)(zeros(2, 2)) == zeros(2, 2)) and all(grad(fn(A: real[3, 3]) = det(A))(zeros(3, 3)) == zeros(3, 3))
    }
    test "random arrays are functions of their key" {
      assert all(uniform(1, 5)[..3] == uniform(1, 3)) and not all(uniform(1, 3) == uniform(2, 3))
      assert all(sort(permutation(7, 6)) == [0, 1, 2, 3, 4, 5])
      assert abs(mean(normal(3, 4000))) < 0.06 and abs(mean(normal(3, 4000) .^ 2) - 1.0) < 0.1
    })");
  }
}
