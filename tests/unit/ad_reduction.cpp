// The active-set reduction: what the derivative of a Lasso costs, and that its matrix is never made.
#include <doctest/doctest.h>

#include <cmath>

#include "ir/walk.h"
#include "tests/unit/ad_support.h"

using namespace dini;
using namespace dini::test;

namespace {

constexpr int64_t kRows = 16;
constexpr int64_t kSupport = 3;

// b == soft(b - X'(X b - y), l) with l = e^t, and a solver that gives back its start %3.
std::string lassoOf(int64_t n) {
  const std::string size = std::to_string(n), b = "f64[" + size + "]", r = "f64[16]";
  return "func @f(%0.X: f64[16, " + size + "], %1.y: " + r + ", %2.l: f64, %3.start: " + b + ") {\n"
         "  %4, %5, %6 = root(%3) <f=1e-9, str=\"implicit\"> : " + b + ", i64, i1 {(%7: " + b + ")\n"
         "    %8 = const() : i64\n    %9 = const() : i1\n    yield(%7, %8, %8, %9)\n"
         "  } {(%10: " + b + ")\n"
         "    %11 = einsum(%0, %10) <str=\"ij,j->i\"> : " + r + "\n"
         "    %12 = sub(%11, %1) : " + r + "\n"
         "    %13 = einsum(%0, %12) <str=\"ij,i->j\"> : " + b + "\n"
         "    %14 = sub(%10, %13) : " + b + "\n    %15 = neg(%14) : " + b + "\n"
         "    %16 = sub(%14, %2) : " + b + "\n    %17 = sub(%15, %2) : " + b + "\n"
         "    %18 = const() : f64\n"
         "    %19 = choose(%16, %18, %16, %18) <f=1, str=\"soft\"> : " + b + "\n"
         "    %20 = choose(%17, %18, %17, %18) <f=1, str=\"soft\"> : " + b + "\n"
         "    %21 = sub(%19, %20) : " + b + "\n"
         "    yield(%10, %21)\n  }\n  yield(%4)\n}\n";
}

// Three columns carry the solution, the others correlate little with its residual.
struct Data {
  Tensors arguments;  // X, y, l, the solution
  std::vector<double> slope;  // of the solution in l, on the support
};

Data dataOf(int64_t n) {
  std::vector<double> x(static_cast<size_t>(kRows * n)), y(kRows), b(static_cast<size_t>(n));
  auto at = [&](int64_t i, int64_t j) -> double& { return x[static_cast<size_t>(i * n + j)]; };
  for (int64_t j = 0; j < n; ++j)
    for (int64_t i = 0; i < kRows; ++i) at(i, j) = 0.01 * std::sin(static_cast<double>(7 * i + 3 * j));
  // Orthonormal columns, at the end, in the middle and in front.
  const int64_t support[kSupport] = {0, n / 2, n - 1};
  const double value[kSupport] = {2, -1, 0.5}, l = 0.25;
  for (int64_t k = 0; k < kSupport; ++k) {
    for (int64_t i = 0; i < kRows; ++i) at(i, support[k]) = i == k ? 1 : 0;
    b[static_cast<size_t>(support[k])] = value[k];
    y[static_cast<size_t>(k)] = value[k] + (value[k] > 0 ? l : -l);
  }
  return {{mat(kRows, n, x), vec(y), scalar(l), vec(b)}, {-1, 1, -1}};
}

// The least budget that is enough.
uint64_t operations(Program& program, const std::string& name, const Tensors& arguments) {
  uint64_t low = 0, high = uint64_t{1} << 34;
  while (high - low > high / 256) {
    ir::InterpretOptions options;
    options.budget = (low + high) / 2;
    bool enough = ir::interpret(program.module(), *program.module().find(name), arguments, options).has_value();
    (enough ? high : low) = options.budget;
  }
  return high;
}

}  // namespace

TEST_CASE("the derivative of a Lasso costs by its support") {
  std::vector<double> beyond;  // operations per unknown, of the derivative without its value
  for (int64_t n : {1000, 10'000, 100'000}) {
    CAPTURE(n);
    Program program(lassoOf(n));
    Data data = dataOf(n);
    std::string vjp = program.deriveWrt("vjp", "f", {false, true, true, false});
    Tensors with_seed = data.arguments;
    with_seed.push_back(vec(std::vector<double>(static_cast<size_t>(n), 1.0)));
    Tensors results = program.run(vjp, with_seed);
    // y_bar = X_S sign-free, l_bar = - the sum of signs: closed forms of orthonormal columns.
    REQUIRE(results.size() == 3);
    for (size_t k = 0; k < kSupport; ++k) CHECK(near(value(results, 1, k), 1.0));
    CHECK(near(value(results, 1, 10), 0.0));
    CHECK(near(value(results, 2), data.slope[0] + data.slope[1] + data.slope[2]));
    // The equations are evaluated twice for the value and once more for the derivative.
    auto of_value = operations(program, "f", data.arguments), of_both = operations(program, vjp, with_seed);
    beyond.push_back((static_cast<double>(of_both) - 1.5 * static_cast<double>(of_value)) / static_cast<double>(n));
  }
  MESSAGE("operations per unknown: " << beyond[0] << " " << beyond[1] << " " << beyond[2]);
  // Nothing but vectors of the unknowns' length: not even one more product, of 2 * 16 per unknown.
  CHECK(beyond[2] < beyond[0]);
  CHECK(beyond[2] < 100);
}

TEST_CASE("no array of unknowns by unknowns in the derivative of a Lasso") {
  Program program(lassoOf(1000));
  for (const char* how : {"jvp", "vjp"}) {
    std::string made = program.deriveWrt(how, "f", {true, true, true, false});
    ir::walk(program.module().find(made)->body, [&](const ir::Op& op) {
      for (const ir::Value* result : op.results)
        if (result->type.isStatic()) CHECK(result->type.elementCount() <= kRows * 1000);
    });
  }
}

TEST_CASE("reduced: forward is reverse, on the switches and beside them") {
  Program program(lassoOf(40));
  Data data = dataOf(40);
  checkForwardIsReverse(program, "f", data.arguments);
  for (auto policy : {ad::TieOptions::Policy::Locked, ad::TieOptions::Policy::Weight}) {
    program.ties.policy = policy;
    program.ties.weight = 0.3;
    // The coefficient in front comes to its kink.
    Tensors tied = data.arguments;
    tied[1].reals[0] = 0.25;
    tied[3].reals[0] = 0;
    checkForwardIsReverse(program, "f", tied);
  }
}
