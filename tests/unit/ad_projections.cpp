// Irreducible kinks: on a kink the derivative that a decision (a tangent of the operand) selects is the
// limit of derivatives along it; off kinks decisions do not matter. Engines agree to the last bit.
#include <doctest/doctest.h>

#include <cmath>

#include <fmt/format.h>

#include "ops/irreducible.h"
#include "tests/unit/ad_support.h"
#include "tests/unit/jit_support.h"

using namespace dini;
using namespace dini::test;

namespace {

Tensor moved(const Tensor& x, double step, const Tensor& h) {
  std::vector<double> values = x.reals;
  for (size_t k = 0; k < values.size(); ++k) values[k] += step * h.reals[k];
  Tensor result = x;
  result.reals = values;
  return result;
}

// @f(x, h1, h2): a projection with two decisions; @g(x): without.
struct Projection {
  std::string type, decided, plain;
  std::string text() const {
    return "func @f(%0.x: " + type + ", %1.h: " + type + ", %2.k: " + type + ") {\n" + decided +
           "  yield(%9)\n}\nfunc @g(%0.x: " + type + ") {\n" + plain + "  yield(%9)\n}\n";
  }
};

const std::string kRadius = "  %3 = const() <f=1> : f64\n  %4 = const() <f=0> : f64\n";
const Projection kSoc{"f64[3]", "  %9 = proj_soc(%0.x, %1.h, %2.k) : f64[3]\n",
                      "  %9 = proj_soc(%0.x) : f64[3]\n"};
const Projection kSimplex{"f64[4]",
                          kRadius + "  %9 = proj_simplex(%0.x, %3, %1.h, %4, %2.k, %4) : f64[4]\n",
                          kRadius + "  %9 = proj_simplex(%0.x, %3) : f64[4]\n"};
const Projection kPsd{
    "f64[3, 3]",
    "  %3, %4 = eigh(%0.x) : f64[3], f64[3, 3]\n"
    "  %9 = spectral(%0.x, %3, %4, %1.h, %2.k) <str=\"project\"> : f64[3, 3]\n",
    "  %3, %4 = eigh(%0.x) : f64[3], f64[3, 3]\n"
    "  %9 = spectral(%0.x, %3, %4) <str=\"project\"> : f64[3, 3]\n"};

// The Jacobian at x, decided by h and then k, is that at x + e h + e^2 k; reverse mode gives the same.
void checkLimit(const Projection& projection, const Tensor& x, const Tensor& h, const Tensor& k,
                double tolerance = 1e-4) {
  Program program(projection.text());
  program.ties = {ad::TieOptions::Policy::Weight, 0, true};
  std::string decided = program.deriveWrt("jac", "f", {true, false, false});
  std::string plain = program.derive("jac", "g");
  std::vector<double> at = program.run(decided, {x, h, k})[0].reals;
  Tensor beside = moved(moved(x, 1e-5, h), 1e-10, k);
  CHECK(near(at, program.run(plain, {beside})[0].reals, tolerance));
  std::string vjp = program.deriveWrt("vjp", "f", {true, false, false});
  size_t n = x.reals.size();
  for (size_t row = 0; row < n; ++row) {
    Tensor seed = moved(x, -1, x);
    seed.reals[row] = 1;
    std::vector<double> bar = program.run(vjp, {x, h, k, seed})[1].reals;
    CHECK(near(bar, {at.begin() + static_cast<std::ptrdiff_t>(row * n),
                     at.begin() + static_cast<std::ptrdiff_t>((row + 1) * n)}, 1e-12));
  }
}

}  // namespace

TEST_CASE("decisions at the second-order cone: boundary, polar boundary, apex") {
  Tensor zero = vec({0, 0, 0});
  for (double s : {5.0, -5.0})
    for (double along : {1.0, -1.0}) checkLimit(kSoc, vec({s, 3, 4}), vec({along, 0.3, -0.2}), zero);
  checkLimit(kSoc, zero, vec({0.5, 1, -0.7}), zero);
  checkLimit(kSoc, zero, vec({2, 1, -0.7}), zero);
  checkLimit(kSoc, zero, vec({-2, 1, -0.7}), zero);
  // The first decision is on a boundary itself, or zero: the second tells.
  checkLimit(kSoc, zero, vec({5, 3, 4}), vec({1, 0, 0}), 1e-3);
  checkLimit(kSoc, zero, vec({5, 3, 4}), vec({-1, 0, 0}), 1e-3);
  checkLimit(kSoc, vec({5, 3, 4}), vec({1, 0.6, 0.8}), vec({-1, 0, 0}), 1e-3);
  checkLimit(kSoc, zero, zero, vec({0.5, 1, -0.7}));
  checkLimit(kSoc, vec({1, 3, 4}), vec({5, 3, 4}), vec({1, 0, 0}));
}

TEST_CASE("decisions on the threshold of the simplex") {
  Tensor v = vec({1, 0, 0, -2}), zero = vec({0, 0, 0, 0});
  checkLimit(kSimplex, v, vec({0.1, 0.7, -0.4, 0.2}), zero);
  checkLimit(kSimplex, v, vec({0.1, 0.7, 0.5, 0.2}), zero);
  checkLimit(kSimplex, v, vec({0.9, 0.7, 0.5, 0.2}), zero);
  checkLimit(kSimplex, v, vec({-0.9, 0.7, -0.5, 0.2}), zero);
  // Entry 1 joins by the first decision, and then the threshold moves along entry 2.
  checkLimit(kSimplex, v, vec({0, 1, 0.5, 0}), vec({0, 0, 1, 0}), 1e-3);
  checkLimit(kSimplex, v, vec({0, 1, 0.5, 0}), vec({0, 0, -1, 0}), 1e-3);
  checkLimit(kSimplex, vec({0.6, 0.3, 0.2, 0.1}), v, zero);
}

TEST_CASE("decisions in the null space of the semidefinite part") {
  // Q diag(w) Q' with Q the reflection at (1, 2, 2)/3 is exact enough for several zero eigenvalues.
  auto turned = [](double a, double b, double c) {
    double q[3][3], w[3] = {a, b, c}, u[3] = {1, 2, 2};
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 3; ++j) q[i][j] = (i == j ? 1 : 0) - 2 * u[i] * u[j] / 9;
    std::vector<double> values;
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 3; ++j)
        values.push_back(q[i][0] * w[0] * q[j][0] + q[i][1] * w[1] * q[j][1] + q[i][2] * w[2] * q[j][2]);
    return mat(3, 3, values);
  };
  Tensor zero = mat(3, 3, std::vector<double>(9, 0.0));
  Tensor h = mat(3, 3, {1, 0.5, -1, 0.5, -2, 0.3, -1, 0.3, 0.7});
  Tensor k = mat(3, 3, {-1, 0.25, 0.5, 0.25, 1, 0.75, 0.5, 0.75, -0.5});
  for (const Tensor& along : {h, k}) {
    checkLimit(kPsd, turned(2, 0, -1), along, zero);
    checkLimit(kPsd, turned(2, 0, 0), along, zero);
    checkLimit(kPsd, turned(0, 0, -1), along, zero);
    checkLimit(kPsd, zero, along, zero);
  }
  checkLimit(kPsd, zero, turned(1, 0, -1), k, 1e-3);
  checkLimit(kPsd, zero, zero, h);
  checkLimit(kPsd, turned(2, 1, -1), h, k);
}

TEST_CASE("a second derivative between zero eigenvalues of different sides is a status") {
  Program program(kPsd.text());
  program.ties = {ad::TieOptions::Policy::Weight, 0, true};
  std::string jac = program.deriveWrt("jac", "f", {true, false, false});
  std::string second = program.deriveWrt("jac", jac, {true, false, false});
  Tensor zero = mat(3, 3, std::vector<double>(9, 0.0));
  Tensor mixed = mat(3, 3, {1, 0, 0, 0, -1, 0, 0, 0, 1});
  Tensor positive = mat(3, 3, {1, 0, 0, 0, 2, 0, 0, 0, 1});
  CHECK(program.status(second, {zero, mixed, zero}) == ir::Status::Domain);
  CHECK(near(program.run(second, {zero, positive, zero})[0].reals, std::vector<double>(729, 0.0)));
}

TEST_CASE("projections agree in every engine") {
  auto function = [](const std::string& parameters, const std::string& body) {
    return "func @f(" + parameters + ") {\n" + body + "  yield(%9)\n}\n";
  };
  for (const char* size : {"3", "?"}) {
    std::string v = fmt::format("f64[{}]", size), a = fmt::format("f64[{}, {}]", size, size);
    std::string two = "%0: " + v + ", %1: " + v + ", %2: f64";
    for (const std::string& op :
         {"proj_simplex(%0, %2)", "simplex_weights(%0, %2) <f=0.25>",
          "simplex_weights(%0, %2, %1, %2) <f=0.25>", "proj_soc(%0)", "soc_map(%0, %1) <f=0.25>",
          "soc_map(%0, %1, %1) <f=0.25>"}) {
      std::string text = function(two, fmt::format("  %9 = {} : {}\n", op, v));
      for (auto& at : {vec({5, 3, 4}), vec({0, 0, 0}), vec({1, 0, 0}), vec({-5, 3, 4}),
                       vec({0.3, std::nan(""), 1})})
        agree(text, {at, vec({0.25, -1, 0.5}), Tensor::real(1)});
    }
    std::string matrices = "%0: " + a + ", %1: " + a;
    std::string eigh = fmt::format("  %2, %3 = eigh(%0) : {}, {}\n", v, a);
    for (const std::string& op :
         {"spectral(%0, %2, %3) <str=\"project\">", "spectral(%0, %2, %3) <f=0.25, str=\"projector\">",
          "spectral(%0, %2, %3, %1) <str=\"projector\">",
          "spectral_map(%0, %2, %3, %1) <f=0.25, str=\"tangent\">",
          "spectral_map(%0, %2, %3, %1, %1) <str=\"tangent\">",
          "spectral_map(%0, %2, %3, %1) <f=0.25, str=\"gap\">"}) {
      std::string text = function(matrices, eigh + fmt::format("  %9 = {} : {}\n", op, a));
      for (auto& at : {mat(3, 3, {1, 2, 0, 2, -1, 0, 0, 0, 0}), mat(3, 3, std::vector<double>(9, 0.0))})
        agree(text, {at, mat(3, 3, {1, 0.5, -1, 0.5, -2, 0.3, -1, 0.3, 0.7})});
    }
  }
}

namespace {

// A function with the kink of a row, and a point on it.
struct Sample {
  std::string text;
  Tensor point;
};

std::string unary(const std::string& in, const std::string& body) {
  return "func @f(%0.x: " + in + ") {\n" + body + "  yield(%9)\n}\n";
}

// The trace of the positive part of [0 A; A' 0].
const std::string kNuclear =
    "  %1 = const() <f=0> : f64\n  %2 = fill(%1) : f64[2, 2]\n"
    "  %3 = transpose(%0.x) <ints=[1, 0]> : f64[2, 2]\n"
    "  %4 = concat(%2, %0.x) <i=1> : f64[2, 4]\n  %5 = concat(%3, %2) <i=1> : f64[2, 4]\n"
    "  %6 = concat(%4, %5) : f64[4, 4]\n  %7, %8 = eigh(%6) : f64[4], f64[4, 4]\n"
    "  %10 = spectral(%6, %7, %8) <str=\"project\"> : f64[4, 4]\n"
    "  %11 = const() <data=[1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]> : f64[4, 4]\n"
    "  %9 = einsum(%11, %10) <str=\"ij,ij->\"> : f64\n";

// One sample per row of the table, in its order.
std::vector<Sample> samples() {
  const std::string eigh = "  %3, %4 = eigh(%0.x) : f64[3], f64[3, 3]\n";
  const std::string part = eigh + "  %9 = spectral(%0.x, %3, %4) <str=\"project\"> : f64[3, 3]\n";
  Tensor singular = mat(3, 3, {2, 0, 0, 0, 0, 0, 0, 0, -1});
  return {
      {unary("f64[3]", "  %9 = norm(%0.x) : f64\n"), vec({0, 0, 0})},
      {unary("f64[4]", "  %9 = reduce(%0.x) <str=\"max\", ints=[0]> : f64\n"), vec({1, 3, 3, 2})},
      {unary("f64[4]", "  %3 = argsort(%0.x) : i64[4]\n  %9 = gather(%0.x, %3) : f64[4]\n"),
       vec({2, 1, 2, 1})},
      {unary("f64[4]", kRadius + "  %9 = proj_simplex(%0.x, %3) : f64[4]\n"),
       vec({1, 0, -2, 0})},
      {unary("f64[3]", "  %9 = proj_soc(%0.x) : f64[3]\n"), vec({5, 3, 4})},
      {unary("f64[3]", "  %9 = proj_soc(%0.x) : f64[3]\n"), vec({0, 0, 0})},
      {unary("f64[3, 3]", part), singular},
      {unary("f64[2, 2]", kNuclear), mat(2, 2, {3, 0, 4, 0})},
  };
}

std::vector<double> jacobianAt(const Sample& sample, double weight) {
  Program program(sample.text);
  program.ties = {ad::TieOptions::Policy::Weight, weight, true};
  checkForwardIsReverse(program, "f", {sample.point});
  return program.run(program.derive("jac", "f"), {sample.point})[0].reals;
}

}  // namespace

TEST_CASE("every irreducible kink: constant weights mix first and second, in both modes alike") {
  std::vector<Sample> all = samples();
  REQUIRE(all.size() == ops::irreducibleKinks().size());
  for (size_t row = 0; row < all.size(); ++row) {
    CAPTURE(row);
    std::vector<double> first = jacobianAt(all[row], 1), second = jacobianAt(all[row], 0);
    const ops::IrreducibleKink& kink = ops::irreducibleKinks()[row];
    CHECK(near(first, second, 1e-12) == (std::string(kink.first) == kink.second));
    std::vector<double> mixed = jacobianAt(all[row], 0.25);
    bool of_a_projection = row == 3;  // weights of the support, of which the Jacobian is no affine function
    for (size_t k = 0; k < mixed.size() && !of_a_projection; ++k)
      CHECK(near(mixed[k], 0.25 * first[k] + 0.75 * second[k], 1e-14));
  }
}
