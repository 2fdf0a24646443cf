// The interpreter: every array, control and solve operation, statuses, limits.
#include <doctest/doctest.h>

#include <cmath>

#include "ir/interpreter.h"
#include "ir/printer.h"
#include "ir/verifier.h"

using namespace dini;
using namespace dini::ir;

namespace {

const double kNan = std::nan("");

Tensor reals(std::vector<int64_t> dims, std::vector<double> values) {
  Tensor tensor;
  tensor.type = f64(std::move(dims));
  tensor.reals = std::move(values);
  return tensor;
}
Tensor integers(std::vector<int64_t> values) {
  Tensor tensor;
  tensor.type = i64({static_cast<int64_t>(values.size())});
  tensor.ints = std::move(values);
  return tensor;
}

std::unique_ptr<Module> parsed(const std::string& text) {
  auto result = parseModule(text);
  if (auto* error = std::get_if<std::string>(&result)) FAIL(*error, "\n", text);
  auto module = std::move(std::get<std::unique_ptr<Module>>(result));
  for (const auto& [name, function] : module->functions)
    CHECK(verify(*function, module.get()) == std::vector<std::string>{});
  return module;
}

// @f of a module.
Outcome runModule(const std::string& text, std::vector<Tensor> arguments,
                  InterpretOptions options = {}) {
  auto module = parsed(text);
  auto outcome = interpret(*module, *module->find("f"), arguments, options);
  REQUIRE(outcome.has_value());
  return *outcome;
}
std::vector<Tensor> run(const std::string& text, std::vector<Tensor> arguments) {
  Outcome outcome = runModule(text, std::move(arguments));
  if (auto* status = std::get_if<StatusInfo>(&outcome))
    FAIL("status ", static_cast<int>(status->status), " ", status->text);
  return std::get<std::vector<Tensor>>(outcome);
}
StatusInfo status(const std::string& text, std::vector<Tensor> arguments) {
  return std::get<StatusInfo>(runModule(text, std::move(arguments)));
}

// One operation on arguments: "op(%0, %1) <attrs> : type".
Tensor apply(const std::string& operation, std::vector<Tensor> arguments) {
  std::string parameters;
  for (size_t k = 0; k < arguments.size(); ++k)
    parameters += (k ? ", %" : "%") + std::to_string(k) + ": " + str(arguments[k].type);
  return run("func @f(" + parameters + ") { %99 = " + operation + " yield(%99) }",
             std::move(arguments))[0];
}

const Tensor kMatrix = reals({2, 3}, {1, 2, 3, 4, 5, 6});

}  // namespace

TEST_CASE("interpreter: arrays are made and read") {
  CHECK(apply("fill(%0) : f64[2]", {Tensor::real(3)}) == reals({2}, {3, 3}));
  CHECK(apply("fill(%0, %1) : f64[?]", {Tensor::real(3), Tensor::integer(2)}) == reals({2}, {3, 3}));
  CHECK(apply("iota(%0) : i64[?]", {Tensor::integer(3)}) == integers({0, 1, 2}));
  CHECK(apply("dim(%0) <i=1> : i64", {kMatrix}) == Tensor::integer(3));
  CHECK(apply("pack(%0, %0) : f64[2, 2]", {reals({2}, {1, 2})}) == reals({2, 2}, {1, 2, 1, 2}));
  CHECK(apply("const() <data=[1, 2]> : f64[2]", {}) == reals({2}, {1, 2}));
  CHECK(apply("index(%0, %1) : f64[3]", {kMatrix, Tensor::integer(1)}) == reals({3}, {4, 5, 6}));
  CHECK(apply("index(%0, %1, %1) : f64", {kMatrix, Tensor::integer(1)}) == Tensor::real(5));
  CHECK(apply("slice(%0, %1, %2) : f64[2, 2]", {kMatrix, Tensor::integer(0), Tensor::integer(1)}) ==
        reals({2, 2}, {2, 3, 5, 6}));
  CHECK(apply("gather(%0, %1) : f64[3, 3]", {kMatrix, integers({1, 0, 1})}) ==
        reals({3, 3}, {4, 5, 6, 1, 2, 3, 4, 5, 6}));
}

TEST_CASE("interpreter: arrays are changed by value") {
  Tensor x = reals({3}, {1, 2, 3});
  std::string text = R"(func @f(%0: f64[3], %1: f64, %2: i64) {
    %3 = update(%0, %1, %2) : f64[3]
    %4 = add_at(%3, %1, %2) : f64[3]
    yield(%0, %3, %4)
  })";
  auto results = run(text, {x, Tensor::real(10), Tensor::integer(1)});
  CHECK(results[0] == x);
  CHECK(results[1] == reals({3}, {1, 10, 3}));
  CHECK(results[2] == reals({3}, {1, 20, 3}));
  CHECK(apply("update_slice(%0, %1, %2) : f64[3]", {x, reals({2}, {7, 8}), Tensor::integer(1)}) ==
        reals({3}, {1, 7, 8}));
  CHECK(apply("add_slice(%0, %1, %2) : f64[3]", {x, reals({2}, {7, 8}), Tensor::integer(0)}) ==
        reals({3}, {8, 10, 3}));
  CHECK(apply("scatter_add(%0, %1, %2) : f64[3]", {x, integers({2, 2}), reals({2}, {7, 8})}) ==
        reals({3}, {1, 2, 18}));
}

TEST_CASE("interpreter: arrays are rearranged") {
  CHECK(apply("concat(%0, %0) <i=1> : f64[2, 6]", {kMatrix}) ==
        reals({2, 6}, {1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6}));
  CHECK(apply("reshape(%0) : f64[3, 2]", {kMatrix}) == reals({3, 2}, {1, 2, 3, 4, 5, 6}));
  CHECK(apply("transpose(%0) <ints=[1, 0]> : f64[3, 2]", {kMatrix}) ==
        reals({3, 2}, {1, 4, 2, 5, 3, 6}));
  CHECK(apply("broadcast(%0) <ints=[1]> : f64[2, 3]", {reals({3}, {1, 2, 3})}) ==
        reals({2, 3}, {1, 2, 3, 1, 2, 3}));
  CHECK(apply("broadcast(%0) <ints=[0]> : f64[3, 2]", {reals({3}, {1, 2, 3})}) ==
        reals({3, 2}, {1, 1, 2, 2, 3, 3}));
  CHECK(apply("flip(%0) <i=1> : f64[2, 3]", {kMatrix}) == reals({2, 3}, {3, 2, 1, 6, 5, 4}));
}

TEST_CASE("interpreter: reductions") {
  CHECK(apply("reduce(%0) <str=\"sum\", ints=[0]> : f64[3]", {kMatrix}) == reals({3}, {5, 7, 9}));
  CHECK(apply("reduce(%0) <str=\"max\", ints=[1]> : f64[2]", {kMatrix}) == reals({2}, {3, 6}));
  CHECK(apply("reduce(%0) <str=\"min\", ints=[0, 1]> : f64", {kMatrix}) == Tensor::real(1));
  CHECK(std::isnan(apply("reduce(%0) <str=\"max\", ints=[0]> : f64", {reals({3}, {1, kNan, 3})}).reals[0]));
  CHECK(apply("reduce(%0) <str=\"max\", ints=[0]> : f64", {reals({0}, {})}).reals[0] == -HUGE_VAL);
  // Eight interleaved partial sums: 1e16 meets only the elements of its own partial.
  std::vector<double> values(16, 1.0);
  values[0] = 1e16;
  values[8] = -1e16;
  CHECK(apply("reduce(%0) <str=\"sum\", ints=[0]> : f64", {reals({16}, values)}) == Tensor::real(14));
  Tensor flags;
  flags.type = i1({2});
  flags.bools = {1, 0};
  CHECK(apply("reduce(%0) <str=\"any\", ints=[0]> : i1", {flags}) == Tensor::boolean(true));
  CHECK(apply("reduce(%0) <str=\"all\", ints=[0]> : i1", {flags}) == Tensor::boolean(false));
  CHECK(apply("reduce(%0) <str=\"sum\", ints=[0]> : i64", {integers({3, 4})}) == Tensor::integer(7));
}

TEST_CASE("interpreter: einsum") {
  Tensor other = reals({3, 2}, {1, 0, 0, 1, 1, 1});
  CHECK(apply("einsum(%0, %1) <str=\"ij,jk->ik\"> : f64[2, 2]", {kMatrix, other}) ==
        reals({2, 2}, {4, 5, 10, 11}));
  CHECK(apply("einsum(%0, %1) <str=\"ij,j->i\"> : f64[2]", {kMatrix, reals({3}, {1, 1, 1})}) ==
        reals({2}, {6, 15}));
  CHECK(apply("einsum(%0, %1) <str=\"i,j->ij\"> : f64[2, 2]", {reals({2}, {1, 2}), reals({2}, {3, -0.0})}) ==
        reals({2, 2}, {3, -0.0, 6, -0.0}));
  CHECK(apply("einsum(%0, %0) <str=\"ij,ij->\"> : f64", {kMatrix}) == Tensor::real(91));
}

TEST_CASE("interpreter: derivatives of extremes share at ties as the weight says") {
  Tensor x = reals({4}, {3, 1, 3, 3}), a = reals({4}, {1, 10, 100, 1000});
  auto pick = [&](std::string t) {
    return apply("reduce_pick(%0, %1) <f=" + t + ", str=\"max\", ints=[0]> : f64", {x, a}).reals[0];
  };
  CHECK(pick("1") == 1);
  CHECK(pick("0") == 1000);
  CHECK(pick("0.5") == 367);
  CHECK(pick("0.25") == 0.25 * 1 + 0.75 * 1000);
  auto transposed = [&](std::string t) {
    return apply("reduce_pick_t(%0, %1) <f=" + t + ", str=\"max\", ints=[0]> : f64[4]",
                 {x, Tensor::real(3)});
  };
  CHECK(transposed("1") == reals({4}, {3, 0, 0, 0}));
  CHECK(transposed("0") == reals({4}, {0, 0, 0, 3}));
  CHECK(transposed("0.5") == reals({4}, {1, 0, 1, 1}));
  CHECK(transposed("0.25") == reals({4}, {0.75, 0, 0, 2.25}));
  Tensor undefined = reals({2}, {kNan, 1});
  CHECK(std::isnan(apply("reduce_pick(%0, %0) <f=1, str=\"max\", ints=[0]> : f64", {undefined}).reals[0]));
}

TEST_CASE("interpreter: orders") {
  Tensor x = reals({5}, {2, kNan, 1, 2, 1});
  CHECK(apply("argsort(%0) : i64[5]", {x}) == integers({2, 4, 0, 3, 1}));
  Tensor a = reals({5}, {10, 20, 30, 40, 50});
  CHECK(apply("sort_pick(%0, %1) <f=1> : f64[5]", {x, a}) == reals({5}, {30, 50, 10, 40, 20}));
  CHECK(apply("sort_pick(%0, %1) : f64[5]", {x, a}) == reals({5}, {50, 30, 40, 10, 20}));
  CHECK(apply("sort_pick(%0, %1) <f=0.5> : f64[5]", {x, a}) == reals({5}, {40, 40, 25, 25, 20}));
  // <w, P a> = <P' w, a> for every weight.
  Tensor w = reals({5}, {1, 2, 3, 4, 5});
  for (std::string t : {"1", "0", "0.5", "0.25"}) {
    Tensor forward = apply("sort_pick(%0, %1) <f=" + t + "> : f64[5]", {x, a});
    Tensor backward = apply("sort_pick_t(%0, %1) <f=" + t + "> : f64[5]", {x, w});
    double left = 0, right = 0;
    for (size_t k = 0; k < 5; ++k) {
      left += w.reals[k] * forward.reals[k];
      right += backward.reals[k] * a.reals[k];
    }
    CHECK(left == doctest::Approx(right).epsilon(1e-15));
  }
  CHECK(apply("arg_extreme(%0) <str=\"max\"> : i64", {reals({3}, {1, 5, 5})}) == Tensor::integer(1));
  CHECK(apply("arg_extreme(%0) <str=\"min\"> : i64", {x}) == Tensor::integer(1));
}

TEST_CASE("interpreter: norms") {
  CHECK(apply("norm(%0) : f64", {reals({2}, {3, 4})}) == Tensor::real(5));
  CHECK(apply("normalize(%0) : f64[2]", {reals({2}, {3, 4})}) == reals({2}, {0.6, 0.8}));
  CHECK(apply("normalize(%0) : f64[2]", {reals({2}, {0, 0})}) == reals({2}, {0, 0}));
}

TEST_CASE("interpreter: loops carry and stack, whiles count") {
  auto results = run(R"(func @f(%0: i64, %1: f64) {
    %2, %3 = loop(%0, %1) : f64, f64[?] {(%4: i64, %5: f64)
      %6 = add(%5, %5) : f64
      yield(%6, %5)
    }
    yield(%2, %3)
  })", {Tensor::integer(3), Tensor::real(1)});
  CHECK(results[0] == Tensor::real(8));
  CHECK(results[1] == reals({3}, {1, 2, 4}));
  const char* halving = R"(func @f(%0: i64) {
    %1, %2, %3 = while(%0) BOUND : i64, i64, i64[?] {(%4: i64)
      %5 = const() <i=1> : i64
      %6 = ilt(%5, %4) : i1
      yield(%6)
    } {(%7: i64)
      %8 = const() <i=2> : i64
      %9 = idiv(%7, %8) : i64
      yield(%9, %7)
    }
    yield(%1, %2, %3)
  })";
  auto with = [&](std::string bound) { return std::string(halving).replace(std::string(halving).find("BOUND"), 5, bound); };
  results = run(with(""), {Tensor::integer(20)});
  CHECK(results[0] == Tensor::integer(1));
  CHECK(results[1] == Tensor::integer(4));
  CHECK(results[2] == integers({20, 10, 5, 2}));
  CHECK(run(with("<i=4>"), {Tensor::integer(20)})[1] == Tensor::integer(4));
  CHECK(status(with("<i=3>"), {Tensor::integer(20)}).status == Status::Bound);
  CHECK(run(with(""), {Tensor::integer(1)})[2] == integers({}));
}

TEST_CASE("interpreter: an array updated in a loop leaves its origin as it was") {
  auto results = run(R"(func @f(%0: f64[3], %1: f64) {
    %2 = const() <i=3> : i64
    %3 = loop(%2, %0) : f64[3] {(%4: i64, %5: f64[3])
      %6 = update(%5, %1, %4) : f64[3]
      yield(%6)
    }
    yield(%0, %3)
  })", {reals({3}, {1, 2, 3}), Tensor::real(9)});
  CHECK(results[0] == reals({3}, {1, 2, 3}));
  CHECK(results[1] == reals({3}, {9, 9, 9}));
}

TEST_CASE("interpreter: branches and try") {
  const char* text = R"(func @f(%0: f64) {
    %1 = const() : f64
    %2 = flt(%1, %0) : i1
    %3 = try() : f64 {()
      check(%2) <i=6, str="positive">
      %4 = sqrt(%0) : f64
      yield(%4)
    } {()
      yield(%1)
    }
    %5 = if(%2, %0, %1) <str="gt"> : f64 {()
      yield(%3)
    } {()
      %6 = neg(%0) : f64
      yield(%6)
    }
    yield(%5)
  })";
  CHECK(run(text, {Tensor::real(4)})[0] == Tensor::real(2));
  CHECK(run(text, {Tensor::real(-3)})[0] == Tensor::real(3));
}

TEST_CASE("interpreter: a failing check tells the member of the innermost map") {
  StatusInfo info = status(R"(func @f(%0: f64[4]) {
    %1 = const() <i=4> : i64
    %2 = const() : f64
    %9 = loop(%1) : f64[4] {(%3: i64)
      %4 = index(%0, %3) : f64
      %5 = flt(%2, %4) : i1
      check(%5, %4, %2) <i=6, str="all positive">
      yield(%4)
    }
    yield(%9)
  })", {reals({4}, {1, 2, -3, -4})});
  CHECK(info.status == Status::Assertion);
  CHECK(info.batch_index == 2);
  CHECK(info.residual == -3);
  CHECK(info.text == "all positive");
}

TEST_CASE("interpreter: calls recurse up to the limit") {
  const char* text = R"(func @down(%0: i64) {
    %1 = const() <i=1> : i64
    %2 = ilt(%1, %0) : i1
    %3 = if(%2) : i64 {()
      %4 = isub(%0, %1) : i64
      %5 = call(%4) <str="down"> : i64
      %6 = iadd(%5, %1) : i64
      yield(%6)
    } {()
      yield(%0)
    }
    yield(%3)
  }
  func @f(%0: i64) { %1 = call(%0) <str="down"> : i64 yield(%1) })";
  CHECK(run(text, {Tensor::integer(9000)})[0] == Tensor::integer(9000));
  CHECK(status(text, {Tensor::integer(11000)}).status == Status::Bound);
}

TEST_CASE("interpreter: print, interrupt and budget") {
  std::vector<std::string> lines;
  InterpretOptions options;
  options.print = [&](const std::string& line) { lines.push_back(line); };
  runModule("func @f(%0: f64) { print(%0) <str=\"x = %\"> yield(%0) }", {Tensor::real(1.5)}, options);
  CHECK(lines == std::vector<std::string>{"x = 1.5"});
  const char* endless = R"(func @f(%0: f64) {
    %1, %2 = while(%0) : f64, i64 {(%3: f64)
      %4 = feq(%3, %3) : i1
      yield(%4)
    } {(%5: f64)
      yield(%5)
    }
    yield(%1)
  })";
  std::atomic<bool> interrupt = true;
  InterpretOptions stopped;
  stopped.interrupt = &interrupt;
  CHECK(std::get<StatusInfo>(runModule(endless, {Tensor::real(1)}, stopped)).status == Status::Interrupted);
  InterpretOptions limited;
  limited.budget = 1000;
  auto module = parsed(endless);
  std::vector<Tensor> arguments = {Tensor::real(1)};
  CHECK(!interpret(*module, *module->find("f"), arguments, limited).has_value());
}

// Whatever the budget: the answer, or none; a status that `try` catches never comes out.
TEST_CASE("interpreter: a budget that ends inside try") {
  auto module = parsed(R"(func @f(%0: f64[9, 9], %1: f64[9]) {
    %2 = try() : f64[9] {()
      %3 = linear_solve(%0, %1) <ints=[0]> : f64[9]
      yield(%3)
    } {()
      yield(%1)
    }
    yield(%2)
  })");
  const Tensor zeros = Tensor::zeros(f64({9, 9})), b = Tensor::zeros(f64({9}));
  bool ended = false;
  for (uint64_t budget = 1; !ended && budget < 100'000; ++budget) {
    InterpretOptions limited;
    limited.budget = budget;
    const std::vector<Tensor> arguments = {zeros, b};
    const std::optional<Outcome> outcome = interpret(*module, *module->find("f"), arguments, limited);
    if (!outcome) continue;
    REQUIRE(std::holds_alternative<std::vector<Tensor>>(*outcome));
    CHECK(std::get<std::vector<Tensor>>(*outcome)[0] == b);
    ended = true;
  }
  CHECK(ended);
}

namespace {
// z^2 == p by Newton's method with a given number of steps.
std::string squareRoot(int steps) {
  return R"(func @f(%0.z: f64, %1.p: f64) {
  %2, %3, %4 = root(%0) <f=1e-10, str="implicit", ints=[0, 0, 1]> : f64, i64, i1 {(%5: f64)
    %6 = const() <i=)" + std::to_string(steps) + R"(> : i64
    %7 = loop(%6, %5) : f64 {(%8: i64, %9: f64)
      %10 = div(%1, %9) : f64
      %11 = add(%9, %10) : f64
      %12 = const() <f=0.5> : f64
      %13 = mul(%12, %11) : f64
      yield(%13)
    }
    %14 = const() <i=1> : i64
    %15 = const() : i1
    yield(%7, %6, %14, %15)
  } {(%16: f64)
    %17 = mul(%16, %16) : f64
    yield(%17, %1)
  }
  yield(%2, %3)
})";
}
}  // namespace

TEST_CASE("interpreter: root checks start, residual and finiteness") {
  auto results = run(squareRoot(8), {Tensor::real(1), Tensor::real(2)});
  CHECK(results[0].reals[0] == doctest::Approx(std::sqrt(2.0)).epsilon(1e-12));
  CHECK(results[1] == Tensor::integer(8));
  StatusInfo info = status(squareRoot(1), {Tensor::real(1), Tensor::real(2)});
  CHECK(info.status == Status::NotConverged);
  CHECK(info.text == "the iteration limit was reached");
  CHECK(info.residual == 0.25);
  CHECK(info.scale == 2.25);
  CHECK(info.iterations == 1);
  CHECK(status(squareRoot(8), {Tensor::real(kNan), Tensor::real(2)}).status ==
        Status::StartOutOfDomain);
  CHECK(status(squareRoot(8), {Tensor::real(0), Tensor::real(2)}).status == Status::NonFinite);
}

TEST_CASE("interpreter: linear algebra") {
  Tensor a = reals({2, 2}, {2, 1, 1, 3}), b = reals({2}, {3, 5});
  CHECK(apply("linear_solve(%0, %1) : f64[2]", {a, b}).reals[0] == doctest::Approx(0.8));
  Tensor upper = reals({2, 2}, {2, 1, 0, 4});
  CHECK(apply("linear_solve(%0, %1) <i=4, ints=[1]> : f64[2]", {upper, reals({2}, {2, 5})}) ==
        reals({2}, {1, 1}));
  auto factored = run(R"(func @f(%0: f64[2, 2], %1: f64[2]) {
    %2, %3, %4 = factor(%0) : f64[2, 2], i64[2], f64
    %5 = solve_factored(%2, %3, %1) : f64[2]
    %6 = linear_solve(%0, %1) : f64[2]
    yield(%5, %6)
  })", {a, b});
  CHECK(identical(factored[0], factored[1]));
  StatusInfo singular = status("func @f(%0: f64[2, 2], %1: f64[2]) {"
                               "%2 = linear_solve(%0, %1) : f64[2] yield(%2) }",
                               {reals({2, 2}, {1, 2, 2, 4}), b});
  CHECK(singular.status == Status::Singular);
  CHECK(singular.rcond >= 0);
  Tensor place = ir::Tensor::zeros(ir::i64({2})), other = place;
  place.ints = {0, 1};
  other.ints = {1, 0};
  CHECK(apply("sparse_solve(%0, %1, %2, %3) <ints=[1]> : f64[2]",
              {reals({2}, {2, 4}), place, other, reals({2}, {8, 2})}) == reals({2}, {1, 2}));
  CHECK(apply("lstsq(%0, %1) : f64[1]", {reals({2, 1}, {1, 1}), reals({2}, {1, 3})}).reals[0] ==
        doctest::Approx(2));
  CHECK(apply("cholesky(%0) : f64[2, 2]", {reals({2, 2}, {4, 2, 2, 5})}) == reals({2, 2}, {2, 0, 1, 2}));
  CHECK(status("func @f(%0: f64[2, 2]) { %1 = cholesky(%0) : f64[2, 2] yield(%1) }",
               {reals({2, 2}, {1, 2, 2, 1})}).status == Status::Domain);
  auto eigen = run("func @f(%0: f64[2, 2]) { %1, %2 = eigh(%0) : f64[2], f64[2, 2] yield(%1, %2) }",
                   {reals({2, 2}, {3, 0, 0, 1})});
  CHECK(eigen[0] == reals({2}, {1, 3}));
  auto triple = run("func @f(%0: f64[2, 3]) { %1, %2, %3 = svd(%0) : f64[2, 2], f64[2], f64[3, 2]"
                    " yield(%1, %2, %3) }", {kMatrix});
  CHECK(triple[1].reals[0] == doctest::Approx(9.508032));
  auto qr = run("func @f(%0: f64[2, 2]) { %1, %2 = qr(%0) : f64[2, 2], f64[2, 2] yield(%1, %2) }",
                {reals({2, 2}, {0, 2, -1, 0})});
  CHECK(qr[1].reals[0] == doctest::Approx(1));
  CHECK(qr[1].reals[3] == doctest::Approx(2));
}
