// The abs-normal form gives piecewise-linear functions back, everywhere, and the directional derivatives of
// piecewise-smooth ones at the point.
#include "abs_normal/abs_normal.h"

#include <random>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "session/session.h"

using namespace dini;

namespace {

// A function f(x: real[n]) of a program, its forms and values.
class Program {
 public:
  explicit Program(const std::string& text) : session_(session::Options{}) {
    REQUIRE(session_.readText("f.dini", text) != nullptr);
    REQUIRE(!session_.sink().hasErrors());
  }
  abs_normal::Form formAt(const std::vector<double>& x) {
    auto call = lower(x);
    return abs_normal::formOf(session_.lowerer().module(), *call.function, argument_);
  }
  std::vector<double> valueAt(const std::vector<double>& x) {
    auto call = lower(x);
    auto outcome = ir::interpret(session_.lowerer().module(), *call.function, argument_);
    return std::get<std::vector<ir::Tensor>>(*outcome)[0].reals;
  }

 private:
  lower::Lowered lower(const std::vector<double>& x) {
    ir::Tensor tensor = ir::Tensor::zeros({ir::Elem::F64, {static_cast<int64_t>(x.size())}});
    tensor.reals = x;
    argument_ = {tensor};
    session_.define("x", {types::realType({types::Size(static_cast<int64_t>(x.size()))}), argument_});
    auto call = session_.lowerText("call", "f(x)");
    REQUIRE(call);
    return *call;
  }
  session::Session session_;
  std::vector<ir::Tensor> argument_;
};

// Random piecewise-linear expressions in x[0], x[1], x[2] with coefficients that are exact.
class Expressions {
 public:
  explicit Expressions(unsigned seed) : random_(seed) {}
  double dyadic() { return std::uniform_int_distribution<int>(-8, 8)(random_) / 4.0; }
  std::vector<double> point() { return {dyadic(), dyadic(), dyadic()}; }
  std::string of(int depth) {
    int kind = std::uniform_int_distribution<int>(0, depth == 0 ? 1 : 8)(random_);
    auto inner = [&] { return of(depth - 1); };
    switch (kind) {
      case 0: return fmt::format("x[{}]", std::uniform_int_distribution<int>(0, 2)(random_));
      case 1: return fmt::format("({}*x[{}] + {})", dyadic(), std::uniform_int_distribution<int>(0, 2)(random_), dyadic());
      case 2: return fmt::format("abs({})", inner());
      case 3: return fmt::format("relu({})", inner());
      case 4: return fmt::format("max({}, {})", inner(), inner());
      case 5: return fmt::format("min({}, {})", inner(), inner());
      case 6: return fmt::format("({} - {})", inner(), inner());
      case 7: return fmt::format("clamp({}, -1.0, 0.5)", inner());
      default: return fmt::format("(0.5*{} + {})", inner(), inner());
    }
  }

 private:
  std::mt19937 random_;
};

void agree(const std::vector<double>& a, const std::vector<double>& b, double tolerance) {
  REQUIRE(a.size() == b.size());
  for (size_t k = 0; k < a.size(); ++k) CHECK(std::abs(a[k] - b[k]) <= tolerance * (1 + std::abs(b[k])));
}

std::vector<double> moved(std::vector<double> x, const std::vector<double>& d, double t) {
  for (size_t k = 0; k < x.size(); ++k) x[k] += t * d[k];
  return x;
}

}  // namespace

TEST_CASE("abs-normal: random piecewise-linear functions are their forms") {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    Expressions expressions(seed);
    std::string text = fmt::format("fn f(x: real[3]) -> real[2] = [{}, {}]\n", expressions.of(4), expressions.of(3));
    CAPTURE(text);
    Program program(text);
    for (int at = 0; at < 3; ++at) {
      abs_normal::Form form = program.formAt(expressions.point());
      REQUIRE(form.obstacle.empty());
      REQUIRE(form.triangular);
      for (int k = 0; k < 8; ++k) {
        std::vector<double> x = expressions.point();
        agree(abs_normal::evaluate(form, x).y, program.valueAt(x), 1e-13);
      }
    }
  }
}

TEST_CASE("abs-normal: ifs and array kinks of piecewise-linear functions") {
  Program program("fn f(x: real[3]) -> real[3] = {\n"
                  "  let s = if x[0] > x[1] { x[0] + x[2] } else { x[1] + x[2] }\n"
                  "  var t = 0.0\n"
                  "  for i in 0..3 { t = abs(t - x[i]) }\n"
                  "  [s, max(x) - min(x), t + sum(relu(x))]\n}\n");
  Expressions expressions(7);
  abs_normal::Form form = program.formAt({1, 1, 0});
  REQUIRE(form.obstacle.empty());
  CHECK(form.comparisons == 0);
  for (int k = 0; k < 50; ++k) {
    std::vector<double> x = expressions.point();
    agree(abs_normal::evaluate(form, x).y, program.valueAt(x), 1e-13);
  }
}

TEST_CASE("abs-normal: directional derivatives at ties of a piecewise-smooth function") {
  Program program("fn f(x: real[2]) -> real[2] = [exp(x[0])*abs(x[1] - x[0]^2) + max(sin(x[0]), x[0]*x[1]),\n"
                  "                               abs(x[0] + relu(x[1]*cos(x[0])))]\n");
  std::mt19937 random(3);
  std::normal_distribution<double> normal;
  for (std::vector<double> x0 : {std::vector<double>{0, 0}, {1, 1}, {-0.5, 0.25}, {0.3, -0.7}}) {
    abs_normal::Form form = program.formAt(x0);
    REQUIRE(form.obstacle.empty());
    std::vector<double> y0 = program.valueAt(x0);
    agree(form.y0, y0, 0);
    for (int k = 0; k < 20; ++k) {
      std::vector<double> d = {normal(random), normal(random)};
      // Off by O(t^2): a hundredth of the step, at most a ten-thousandth of the error.
      for (double t : {1e-3, 1e-5}) {
        std::vector<double> model = abs_normal::evaluate(form, moved(x0, d, t)).y;
        std::vector<double> value = program.valueAt(moved(x0, d, t));
        double size = 1 + d[0] * d[0] + d[1] * d[1];
        for (size_t j = 0; j < 2; ++j) CHECK(std::abs(model[j] - value[j]) <= 20 * size * t * t);
      }
    }
  }
}

TEST_CASE("abs-normal: kinks that cancel, no kinks, and solves") {
  abs_normal::Form cancel = Program("fn f(x: real[1]) -> real[1] = tanh(x) + relu(-x) + x - relu(x)\n").formAt({0});
  REQUIRE(cancel.Y.entries.size() == 1);
  CHECK(cancel.Y.entries[0] == 0);
  CHECK(cancel.J.entries[0] == 1);
  abs_normal::Form smooth = Program("fn f(x: real[1]) -> real[1] = x.^2\n").formAt({3});
  CHECK(smooth.z0.empty());
  CHECK(smooth.b == std::vector<double>{-9});
  CHECK(smooth.J.entries == std::vector<double>{6});
  // z + |z|/2 = x, also as abs-normal form: z = x - |z|/2, y = z
  abs_normal::Form solved = Program("fn f(x: real[1]) -> real[1] = solve z: real[1] { z + 0.5*abs(z) == x }\n").formAt({3});
  CHECK(!solved.triangular);
  CHECK(std::abs(solved.Z.entries[0] - 1) < 1e-12);
  CHECK(std::abs(solved.L.entries[0] + 0.5) < 1e-12);
  CHECK(std::abs(solved.J.entries[0] - 1) < 1e-12);
  CHECK(std::abs(solved.Y.entries[0] + 0.5) < 1e-12);
}
