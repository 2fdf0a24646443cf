// Differentiation of roots, linear solves and decompositions.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/unit/ad_support.h"

using namespace dini;
using namespace dini::test;

namespace {

// One scalar unknown by forty steps: `equations` yields lhs, rhs of the unknown %99; `step` yields
// the iterate after %98. Captures: %0.x, %1.y.
std::string scalarRoot(const std::string& attrs, const std::string& equations,
                       const std::string& step, const std::string& multiple = "i=0") {
  return "func @f(%0.x: f64, %1.y: f64) {\n"
         "  %2, %3, %4 = root(%1.y) <" + attrs + "> : f64, i64, i1 {(%10: f64)\n"
         "    %11 = const() <i=40> : i64\n"
         "    %12 = loop(%11, %10) : f64 {(%13: i64, %98: f64)\n" + step + "    }\n"
         "    %14 = const() <i=0> : i64\n    %15 = const() <" + multiple + "> : i1\n"
         "    yield(%12, %11, %14, %15)\n"
         "  } {(%99: f64)\n" + equations + "  }\n  yield(%2)\n}\n";
}

const char* kKepler =
    "    %20 = sin(%99) : f64\n    %21 = mul(%0.x, %20) : f64\n    %22 = sub(%99, %21) : f64\n"
    "    yield(%22, %1.y)\n";
const char* kKeplerStep =
    "    %30 = sin(%98) : f64\n    %31 = mul(%0.x, %30) : f64\n    %32 = add(%31, %1.y) : f64\n"
    "    yield(%32)\n";
const char* kTanh =
    "    %20 = mul(%0.x, %99) : f64\n    %21 = add(%20, %1.y) : f64\n    %22 = tanh(%21) : f64\n"
    "    yield(%99, %22)\n";
const char* kTanhStep =
    "    %30 = mul(%0.x, %98) : f64\n    %31 = add(%30, %1.y) : f64\n    %32 = tanh(%31) : f64\n"
    "    yield(%32)\n";

}  // namespace

TEST_CASE("Kepler's equation to second order") {
  Program program(scalarRoot("f=1e-9, str=\"implicit\", ints=[0, 0, 0]", kKepler, kKeplerStep));
  Tensors at{scalar(0.5), scalar(1.0)};
  CHECK(near(value(program.run("f", at)), 1.4987011335178483));
  std::string grad = program.derive("grad", "f");
  Tensors g = program.run(grad, at);
  CHECK(near(value(g, 1), 1.0346672323734564, 1e-8));
  CHECK(near(value(g, 2), 1.0373620218936459, 1e-8));
  std::string hess = program.derive("jac", grad);
  CHECK(near(value(program.run(hess, at), 5), -.55671303266858778, 1e-8));
  checkLaws(program, "f", at, 3, 1e-4);
}

TEST_CASE("z = tanh(a z + b), implicit, one step and a Neumann series") {
  Tensors at{scalar(0.5), scalar(1.0)};
  auto gradient = [&](const std::string& attrs) {
    Program program(scalarRoot("f=1e-9, " + attrs, kTanh, kTanhStep));
    return program.run(program.derive("grad", "f"), at);
  };
  double z = .89521919617981043, da = .19737229849627912, db = .22047371117434757;
  Tensors exact = gradient("str=\"implicit\", ints=[0, 0, 0]");
  CHECK(near(value(exact, 0), z));
  CHECK(near(value(exact, 1), da));
  CHECK(near(value(exact, 2), db));
  double slope = 1 - z * z;  // T_x of tanh(a z + b) for b; T_z is a times it
  Tensors once = gradient("str=\"one_step\", ints=[0, 0, 0]");
  CHECK(near(value(once, 1), slope * z));
  CHECK(near(value(once, 2), slope));
  Tensors three = gradient("str=\"neumann\", ints=[3, 0, 0]");
  double r = 0.5 * slope;
  CHECK(near(value(three, 2), slope * (1 + r + r * r + r * r * r)));
}

TEST_CASE("a multiple root is a status where a derivative is asked") {
  Program program(scalarRoot("f=1e-9, str=\"implicit\", ints=[0, 0, 0]", kTanh, kTanhStep,
                             "i=1"));
  Tensors at{scalar(0.5), scalar(1.0)};
  CHECK(program.status("f", at) == ir::Status::Ok);
  CHECK(program.status(program.derive("grad", "f"), at) == ir::Status::MultipleRoot);
}

TEST_CASE("nested roots: y^2 = x, z^3 + z = y at x = 2") {
  Program program(R"(func @f(%0.x: f64) {
  %1 = const() <f=1> : f64
  %2, %3, %4 = root(%1) <f=1e-10, str="implicit", ints=[0, 0, 1]> : f64, i64, i1 {(%5: f64)
    %6 = const() <i=30> : i64
    %7 = const() <f=0.5> : f64
    %8 = loop(%6, %5) : f64 {(%9: i64, %10: f64)
      %11 = div(%0.x, %10) : f64
      %12 = add(%11, %10) : f64
      %13 = mul(%7, %12) : f64
      yield(%13)
    }
    %14 = const() <i=0> : i64
    %15 = const() <i=0> : i1
    yield(%8, %6, %14, %15)
  } {(%16.y: f64)
    %17 = mul(%16.y, %16.y) : f64
    yield(%17, %0.x)
  }
  %20, %21, %22 = root(%1) <f=1e-10, str="implicit", ints=[0, 0, 1]> : f64, i64, i1 {(%25: f64)
    %26 = const() <i=60> : i64
    %28 = loop(%26, %25) : f64 {(%29: i64, %30: f64)
      %31 = mul(%30, %30) : f64
      %32 = mul(%31, %30) : f64
      %33 = const() <f=3> : f64
      %34 = mul(%33, %31) : f64
      %35 = add(%34, %1) : f64
      %36 = add(%32, %30) : f64
      %37 = sub(%36, %2) : f64
      %38 = div(%37, %35) : f64
      %39 = sub(%30, %38) : f64
      yield(%39)
    }
    %40 = const() <i=0> : i64
    %41 = const() <i=0> : i1
    yield(%28, %26, %40, %41)
  } {(%42.z: f64)
    %43 = mul(%42.z, %42.z) : f64
    %44 = mul(%43, %42.z) : f64
    %45 = add(%44, %42.z) : f64
    yield(%45, %2)
  }
  yield(%20)
}
)");
  std::string first = program.derive("grad", "f");
  CHECK(near(value(program.run(first, {scalar(2)}), 1), .114534875624, 1e-11));
  std::string second = program.derive("jac", first);
  CHECK(near(value(program.run(second, {scalar(2)}), 1), -.049900206143, 1e-10));
  std::string third = program.derive("jvp", second);
  CHECK(std::isfinite(value(program.run(third, {scalar(2), scalar(1)}), 3)));
}

TEST_CASE("cotangents of linear systems") {
  Program program(R"(func @f(%0.A: f64[2, 2], %1.b: f64[2]) {
  %2 = linear_solve(%0.A, %1.b) <i=0, ints=[0]> : f64[2]
  yield(%2)
}
func @s(%0.A: f64[2, 2], %1.b: f64[2]) {
  %2 = linear_solve(%0.A, %1.b) <i=1, ints=[0]> : f64[2]
  yield(%2)
}
)");
  std::string vjp = program.derive("vjp", "f");
  Tensors r = program.run(vjp, {mat(2, 2, {4, 1, 2, 3}), vec({1, 2}), vec({1, 1})});
  CHECK(near(r[0].reals, {.1, .6}));
  CHECK(near(r[1].reals, {-.01, -.06, -.03, -.18}));
  CHECK(near(r[2].reals, {.1, .3}));
  Tensors general = program.run(vjp, {mat(2, 2, {2, 1, 1, 3}), vec({1, 2}), vec({1, 1})});
  CHECK(near(general[1].reals, {-.08, -.24, -.04, -.12}));
  std::string symmetric = program.derive("vjp", "s");
  Tensors s = program.run(symmetric, {mat(2, 2, {2, 1, 1, 3}), vec({1, 2}), vec({1, 1})});
  CHECK(near(s[1].reals, {-.08, -.14, -.14, -.12}));
  checkLaws(program, "f", {mat(2, 2, {4, 1, 2, 3}), vec({1, 2})});
}

namespace {

void checkMatrixProgram(const std::string& body, const Tensors& at, int orders = 2) {
  Program program("func @f(%0.A: f64[3, 3], %1.b: f64[3]) {\n" + body + "}\n");
  checkLaws(program, "f", at, orders, 1e-5);
}

}  // namespace

TEST_CASE("decompositions obey the laws to second order") {
  Tensor b = vec({0.3, -0.7, 1.1});
  Tensor definite = mat(3, 3, {4, 1, 0.5, 0.8, 3, -0.4, 0.2, -0.6, 2});
  Tensors at{definite, b};
  checkMatrixProgram("  %2 = cholesky(%0.A) : f64[3, 3]\n"
                     "  %3 = linear_solve(%2, %1.b) <i=3, ints=[0]> : f64[3]\n"
                     "  yield(%3, %2)\n", at);
  checkMatrixProgram("  %2, %3 = eigh(%0.A) : f64[3], f64[3, 3]\n"
                     "  %4 = einsum(%3, %1.b) <str=\"ij,i->j\"> : f64[3]\n"
                     "  yield(%2, %4)\n", at);
  checkMatrixProgram("  %2, %3, %4 = svd(%0.A) : f64[3, 3], f64[3], f64[3, 3]\n"
                     "  %5 = einsum(%2, %1.b) <str=\"ij,i->j\"> : f64[3]\n"
                     "  yield(%3, %4, %5)\n", at);
  checkMatrixProgram("  %2, %3 = qr(%0.A) : f64[3, 3], f64[3, 3]\n"
                     "  %5 = einsum(%2, %1.b) <str=\"ij,i->j\"> : f64[3]\n"
                     "  yield(%3, %5)\n", at);
  checkMatrixProgram("  %2 = lstsq(%0.A, %1.b) : f64[3]\n  yield(%2)\n", at);
}

TEST_CASE("least squares of a tall and of a wide matrix") {
  Program program(R"(func @f(%0.A: f64[4, 2], %1.b: f64[4], %2.c: f64[2]) {
  %3 = lstsq(%0.A, %1.b) : f64[2]
  %4 = transpose(%0.A) <ints=[1, 0]> : f64[2, 4]
  %5 = lstsq(%4, %2.c) : f64[4]
  yield(%3, %5)
}
)");
  checkLaws(program, "f",
            {mat(4, 2, {1, .5, 0, 1, .2, 0, .4, .1}), vec({2, -1, .7, .3}), vec({.4, -.9})}, 2, 1e-5);
}
