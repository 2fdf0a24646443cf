// The expression table: literals, operators, covectors, indices, comprehensions, branches.
#include "tests/unit/sema_support.h"

using namespace dini;
using namespace dini::sema_tests;

namespace {
const std::string kVectors =
    "let x = [1.0, 2.0, 3.0]\nlet k = [1, 2, 3]\nlet A = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]\n"
    "let B = [[1.0, 2.0], [3.0, 4.0]]\nlet b = [true, false, true]\n";
std::string of(const std::string& expression) { return typeOf(expression, kVectors); }
}  // namespace

TEST_CASE("literals") {
  CHECK(of("[1, 2]") == "int[2]");
  CHECK(of("[1, 2.0]") == "real[2]");
  CHECK(of("[[1, 2], [3, 4]]") == "int[2, 2]");
  CHECK(of("[x, x]") == "real[2, 3]");
  CHECK(of("(1, 2.0, true)") == "(int, real, bool)");
  CHECK(of("[]") == "E0307: an empty array does not tell its type | write `zeros(0)`");
  CHECK(of("[1, true]") == "E0301: an element is bool, where those before it are int");
  CHECK(of("[[1, 2], [3]]") == "E0401: an element is int[1], where those before it are int[2]");
  CHECK(of("[(1, 2)]").substr(0, 5) == "E0301");
  CHECK(of("1 + \"a\"").substr(0, 5) == "E0108");
}

TEST_CASE("sums, products, quotients") {
  CHECK(of("1 + 2") == "int");
  CHECK(of("1 + 2.0") == "real");
  CHECK(of("1 / 2") == "real");
  CHECK(of("k + 1.5") == "real[3]");
  CHECK(of("2*A") == "real[2, 3]");
  CHECK(of("A*x") == "real[2]");
  CHECK(of("B*A") == "real[2, 3]");
  CHECK(of("A / 2") == "real[2, 3]");
  CHECK(of("x .* k") == "real[3]");
  CHECK(of("2 ./ x") == "real[3]");
  CHECK(of("B \\ [1, 2]") == "real[2]");
  CHECK(of("B \\ A") == "real[2, 3]");
  CHECK(of("2^3") == "int");
  CHECK(of("2^(-1)") == "real");
  CHECK(of("2.0^k[0]") == "real");
  CHECK(of("x.^2") == "real[3]");
  CHECK(of("-k") == "int[3]");
}

TEST_CASE("operands that do not go together say what to write instead (E0302)") {
  CHECK(of("x*x") ==
        "E0302: `*` between real[3] and real[3] | `x' * y` is the inner product, `x * "
        "y'` the outer one, and `x .* y` is elementwise");
  CHECK(of("x*A").find("`x' * A`") != std::string::npos);
  CHECK(of("1/x") ==
        "E0302: `/` between int and real[3] | `./` divides elementwise, `A \\ b` solves "
        "a linear system");
  CHECK(of("A^2") == "E0302: `^` between real[2, 3] and int | `.^` is the elementwise power");
  CHECK(of("b + x").find("real(b)") != std::string::npos);
  CHECK(of("1 and true") == "E0302: `and` between int and bool | `and` takes bools");
  CHECK(of("not 1").substr(0, 5) == "E0302");
  CHECK(of("-b").substr(0, 5) == "E0302");
  CHECK(of("true'").substr(0, 5) == "E0302");
  CHECK(of("(1, 2) * (1, 2)").substr(0, 5) == "E0302");
  CHECK(of("(1.0, 2) == (1.0, 2)").find("close") != std::string::npos);
  CHECK(of("A \\ x").substr(0, 5) == "E0401");
  CHECK(of("A + B").substr(0, 5) == "E0401");
}

TEST_CASE("covectors") {
  CHECK(of("x'*x") == "real");
  CHECK(of("x*x'") == "real[3, 3]");
  CHECK(of("x''") == "real[3]");
  CHECK(of("[1.0, 2.0]'*A") == "covector[3]");
  CHECK(of("2*x' - x'/3") == "covector[3]");
  CHECK(of("x'*B'*B").substr(0, 5) == "E0401");
  CHECK(of("[1.0, 2.0]'*B*[1, 2]") == "real");
  CHECK(of("A*x'").substr(0, 5) == "E0302");
  CHECK(of("x'*x'").substr(0, 5) == "E0302");
  CHECK(of("[x', x']").substr(0, 5) == "E0301");
  CHECK(of("(x', 1)").substr(0, 5) == "E0301");
  CHECK(of("x'[0]").substr(0, 5) == "E0306");
  CHECK(report("fn f(x: real[n]) -> real[n] = x'").substr(0, 5) == "E0301");
  CHECK(report("fn f(x: real[n]) -> real = x[0]\nlet v = f([1.0]')").substr(0, 5) == "E0301");
}

TEST_CASE("records and tuples of one type are added, and scaled") {
  std::string p = "type P = { a: real[2], k: int }\nlet p = P { a = [1, 2], k = 3 }";
  CHECK(typeOf("p - 0.1*p", p) == "P");
  CHECK(typeOf("-p", p) == "P");
  CHECK(typeOf("(1.0, p) + (2.0, p)", p) == "(real, P)");
  CHECK(typeOf("p + (1.0, 2)", p).substr(0, 5) == "E0302");
  CHECK(typeOf("p / 2", p) ==
        "E0302: `/` between P and int | multiply by the reciprocal: `(1/s) * "
        "p`");
  CHECK(typeOf("(1.0, zeros(2)) + (1.0, zeros(3))").substr(0, 5) == "E0401");
}

TEST_CASE("indices and slices (E0306)") {
  CHECK(of("x[0]") == "real");
  CHECK(of("A[1]") == "real[3]");
  CHECK(of("A[1, 2]") == "real");
  CHECK(of("A[:, 0]") == "real[2]");
  CHECK(of("A[0..1, 1..]") == "real[1, 2]");
  CHECK(of("x[[0, 2, 2, 1]]") == "real[4]");
  CHECK(of("A[[0, 1], 1]") == "real[2]");
  CHECK(of("x[..2]") == "real[2]");
  CHECK(of("x[0, 1]") == "E0306: real[3] is indexed with 2 subscripts");
  CHECK(of("1[0]").substr(0, 5) == "E0306");
  CHECK(of("x[1.0]") ==
        "E0301: a subscript is real, where an int or int[n] is expected | `int(x)` "
        "truncates a real");
  CHECK(of("x[2..1]").substr(0, 5) == "E0306");
  CHECK(of("x[0..1.5]").substr(0, 5) == "E0301");
}

TEST_CASE("comprehensions and reductions") {
  CHECK(of("[i for i in 0..4]") == "int[4]");
  CHECK(of("[x for i in 0..4, j in 0..2]") == "real[4, 2, 3]");
  CHECK(of("[(i, x) for i in 0..4]") == "(int[4], real[4, 3])");
  CHECK(typeOf("[P { a = i } for i in 0..4].a", "type P = { a: real }") == "real[4]");
  CHECK(of("[x' for i in 0..4]").substr(0, 5) == "E0301");
  CHECK(of("[i for i in 0..2.5]").substr(0, 5) == "E0301");
  CHECK(of("sum(i for i in 0..4)") == "int");
  CHECK(of("mean(i for i in 0..4)") == "real");
  CHECK(of("sum(x for i in 0..4)") == "real[3]");
  CHECK(of("all(x[i] > 0 for i in 0..3)") == "bool");
  CHECK(of("sum(x[i] > 0 for i in 0..3)").substr(0, 5) == "E0301");
  CHECK(of("any(i for i in 0..3)").substr(0, 5) == "E0301");
}

TEST_CASE("branches agree in type, ints become reals") {
  CHECK(of("if x[0] > 0 { 1 } else { 2.0 }") == "real");
  CHECK(of("if x[0] > 0 { 1 } else if x[0] < 0 { x[1] } else { 2 }") == "real");
  CHECK(of("if x[0] > 0 { x } else { A }").substr(0, 5) == "E0301");
  CHECK(of("if x[0] > 0 { x } else { x[1..] }").substr(0, 5) == "E0401");
  CHECK(
      of("if x > 0 { 1 } else { 2 }") ==
      "E0301: the condition is bool[3], where a bool is expected | `all(...)` and `any(...)` make "
      "one bool of an array; `where(c, a, b)` is elementwise");
  CHECK(of("try x[0] else 0") == "real");
  CHECK(of("try x else 0").substr(0, 5) == "E0301");
  CHECK(of("{ let a = 2; a*x }") == "real[3]");
  CHECK(of("x > 0") == "bool[3]");
  CHECK(of("x > 0 and b") == "bool[3]");
  CHECK(of("b == true") == "bool[3]");
}

TEST_CASE("fields (E0305)") {
  std::string p = "type P = { W: real, bias: real }\nlet p = P { W = 1, bias = 2 }";
  CHECK(typeOf("p.W", p) == "real");
  CHECK(typeOf("p.bais", p) == "E0305: P has no field `bais` | did you mean `bias`?");
  CHECK(typeOf("p.w", p) == "E0305: P has no field `w` | did you mean `W`?");
  CHECK(typeOf("p.W.a", p) == "E0305: real has no fields, so no `a`");
  CHECK(typeOf("P { W = 1 }", p) == "E0305: the field `bias` of `P` is not given");
  CHECK(typeOf("P { W = 1, bais = 2 }", p) ==
        "E0305: `P` has no field `bais` | did you mean `bias`?");
  CHECK(typeOf("P { W = true, bias = 2 }", p).substr(0, 5) == "E0301");
}

TEST_CASE("builtins") {
  CHECK(of("exp(x)") == "real[3]");
  CHECK(of("abs(-2)") == "int");
  CHECK(of("floor(2.5)") == "real");
  CHECK(of("isnan(x)") == "bool[3]");
  CHECK(of("max(x, 0)") == "real[3]");
  CHECK(of("max(k)") == "int");
  CHECK(of("max(A, axis = 1)") == "real[2]");
  CHECK(of("sum(A, axis = 0)") == "real[3]");
  CHECK(of("mean(k)") == "real");
  CHECK(of("len(A)") == "int");
  CHECK(of("zeros(len(A), 2)") == "real[2, 2]");
  CHECK(of("concat(A, B, axis = 1)") == "real[2, 5]");
  CHECK(of("stack(x, k)") == "real[2, 3]");
  CHECK(of("diag(x)") == "real[3, 3]");
  CHECK(of("diag(B)") == "real[2]");
  CHECK(of("dot(A, A)") == "real");
  CHECK(of("argsort(x)") == "int[3]");
  CHECK(of("argmin(x)") == "int");
  CHECK(of("flip(A, axis = 1)") == "real[2, 3]");
  CHECK(of("where(x > 0, 1, k)") == "int[3]");
  CHECK(of("clamp(x, lo = 0, hi = 1)") == "real[3]");
  CHECK(of("div(7, 2)") == "int");
  CHECK(of("int(x)") == "int[3]");
  CHECK(of("real(b)") == "real[3]");
  CHECK(of("close(x, k)") == "bool");
  CHECK(of("close((1.0, x), (2.0, x), tol = 1e-3)") == "bool");
  CHECK(of("lstsq(A, [1, 2])") == "real[3]");
  CHECK(of("eigh(B)") == "(real[2], real[2, 2])");
  CHECK(of("svd(A)") == "(real[2, 2], real[2], real[3, 2])");
  CHECK(of("qr(A)") == "(real[2, 2], real[2, 3])");
  CHECK(of("cholesky(B)") == "real[2, 2]");
  CHECK(of("hash_bits(1, 2)") == "int");
  CHECK(of("unit_real(hash_bits(1, 2))") == "real");
  CHECK(of("pi + inf - eps") == "real");
  CHECK(of("stop((1.0, x))") == "(real, real[3])");
  CHECK(of("reshape(A, 3, 2)") == "real[3, 2]");
}

TEST_CASE("builtins say what they take (E0304)") {
  CHECK(of("exp(b)") ==
        "E0304: `exp` of bool[3], where a real or an array of reals is expected | "
        "`real(b)` is 1 where b is true, and 0 elsewhere");
  CHECK(of("exp(x')").find("drop the") != std::string::npos);
  CHECK(of("exp(x, x)") == "E0304: `exp` is given 2 arguments, where it takes 1");
  CHECK(of("clamp(x, 1)") == "E0304: `clamp` is called without its argument `hi`");
  CHECK(of("sum(A, axis = 2)") == "E0304: the axis is 2, of an array with 2 dimensions");
  CHECK(of("zeros(1.5)") == "E0304: `zeros` of real, where an int is expected");
  CHECK(of("div(1.5, 2)").substr(0, 5) == "E0304");
  CHECK(of("cholesky(A)").substr(0, 5) == "E0304");
  CHECK(of("max(x, A)").substr(0, 5) == "E0401");
  CHECK(of("dot(x, [1, 2])").substr(0, 5) == "E0401");
  CHECK(of("reshape(A, 5)").substr(0, 5) == "E0401");
  CHECK(of("concat(A, x)").substr(0, 5) == "E0301");
  CHECK(of("lstsq(A, x)").substr(0, 5) == "E0401");
  CHECK(of("where(x, 1, 2)").substr(0, 5) == "E0304");
  CHECK(of("pi()").substr(0, 5) == "E0303");
}

TEST_CASE("nesting beyond the limit is refused, not a crash (E0902)") {
  std::string sum = "1";
  for (int i = 0; i < 5000; ++i) sum += " + 1";
  std::string text = report("let v = " + sum);
  CHECK((text.find("E0902") != std::string::npos || text.find("E0106") != std::string::npos));
}
