// The passes about additions to parts of arrays: what they make, and that every bit is kept, -0
// included.
#include <doctest/doctest.h>

#include <cmath>

#include "ir/interpreter.h"
#include "ir/printer.h"
#include "ir/verifier.h"
#include "ir/walk.h"
#include "opt/opt.h"

using namespace dini;
using namespace dini::ir;

namespace {

std::unique_ptr<Module> parsed(const std::string& text) {
  auto result = parseModule(text);
  if (auto* error = std::get_if<std::string>(&result)) FAIL(*error);
  return std::move(std::get<std::unique_ptr<Module>>(result));
}

std::vector<Tensor> results(const Module& module, std::vector<Tensor> arguments) {
  auto outcome = interpret(module, *module.find("f"), arguments, {});
  REQUIRE(outcome.has_value());
  REQUIRE(std::holds_alternative<std::vector<Tensor>>(*outcome));
  return std::get<std::vector<Tensor>>(*outcome);
}

// What a pass makes of @f, simplified and verified.
std::unique_ptr<Module> after(const char* pass, const std::string& text) {
  auto module = parsed(text);
  Function& f = *module->find("f");
  opt::findPass(pass)->run(*module, f);
  opt::simplify(*module, f);
  REQUIRE(verify(f, module.get()) == std::vector<std::string>{});
  return module;
}

size_t countOf(const Function& function, OpCode code) {
  size_t found = 0;
  walk(function.body, [&](const Op& op) { found += op.code == code; });
  return found;
}

Tensor sequence(int64_t size, double first) {
  Tensor made = Tensor::zeros(f64({size}));
  for (int64_t k = 0; k < size; ++k)
    made.reals[static_cast<size_t>(k)] = first + 0.1 * static_cast<double>(k);
  return made;
}

}  // namespace

TEST_CASE("conditional-updates: an addition leaves both sides of nested branches") {
  const std::string text =
      "func @f(%0: f64[3], %1: f64, %2: i64, %3: i1, %4: i1) {"
      " %5 = if(%3) : f64[3] {() %6 = add_at(%0, %1, %2) : f64[3] yield(%6) }"
      " {() %7 = if(%4) : f64[3] {() %8 = neg(%1) : f64 %9 = const() <i=1> : i64"
      " %10 = add_at(%0, %8, %9) : f64[3] yield(%10) } {() yield(%0) } yield(%7) } yield(%5) }";
  auto module = parsed(text);
  auto changed = after("conditional-updates", text);
  const Function& f = *changed->find("f");
  CHECK(countOf(f, OpCode::AddAt) == 1);
  Tensor x = sequence(3, -0.0);
  x.reals[0] = -0.0;
  for (bool first : {false, true})
    for (bool second : {false, true})
      for (int64_t at : {0, 2}) {
        const std::vector<Tensor> arguments = {x, Tensor::real(0.7), Tensor::integer(at),
                                               Tensor::boolean(first), Tensor::boolean(second)};
        CHECK(identical(results(*module, arguments)[0], results(*changed, arguments)[0]));
      }
}

TEST_CASE("conditional-updates: other arrays, and arrays made in the branch, stay") {
  const std::string text =
      "func @f(%0: f64[3], %1: f64[3], %2: f64, %3: i1) { %4 = const() : i64"
      " %5 = if(%3) : f64[3] {() %6 = add_at(%0, %2, %4) : f64[3] yield(%6) } {() yield(%1) }"
      " %7 = if(%3) : f64[3] {() %8 = neg(%0) : f64[3] %9 = add_at(%8, %2, %4) : f64[3] yield(%9) }"
      " {() yield(%0) } yield(%5, %7) }";
  auto module = parsed(text);
  const std::string before = print(*module->find("f"));
  opt::findPass("conditional-updates")->run(*module, *module->find("f"));
  CHECK(print(*module->find("f")) == before);
}

TEST_CASE("slice-sums: shifted slices on zeros become parts") {
  const std::string text =
      "func @f(%0: f64[99], %1: f64[98], %2: f64[100]) { %3 = const() : f64 %4 = const() : i64"
      " %5 = const() <i=1> : i64 %6 = fill(%3) : f64[100] %7 = add_slice(%6, %0, %4) : f64[100]"
      " %8 = add_slice(%7, %1, %5) : f64[100] %9 = add_slice(%8, %2, %4) : f64[100]"
      " %10 = add_slice(%9, %0, %5) : f64[100] yield(%10) }";
  auto module = parsed(text);
  auto changed = after("slice-sums", text);
  const Function& f = *changed->find("f");
  CHECK(countOf(f, OpCode::AddSlice) == 0);
  CHECK(countOf(f, OpCode::Concat) == 1);
  Tensor a = sequence(99, -3), b = sequence(98, 1e-3), c = sequence(100, 0.3);
  a.reals[0] = -0.0;
  c.reals[0] = -0.0;
  CHECK(identical(results(*module, {a, b, c})[0], results(*changed, {a, b, c})[0]));
}

TEST_CASE("slice-sums: rows of a matrix; an intermediate sum that is used stays") {
  const std::string rows =
      "func @f(%0: f64[9, 8]) { %1 = const() : f64 %2 = const() : i64 %3 = const() <i=2> : i64"
      " %4 = fill(%1) : f64[12, 8] %5 = add_slice(%4, %0, %3, %2) : f64[12, 8] yield(%5) }";
  auto module = parsed(rows);
  auto changed = parsed(rows);
  opt::findPass("slice-sums")->run(*changed, *changed->find("f"));
  CHECK(countOf(*changed->find("f"), OpCode::Concat) == 1);
  Tensor x = Tensor::zeros(f64({9, 8}));
  for (size_t k = 0; k < x.reals.size(); ++k) x.reals[k] = std::sin(static_cast<double>(k));
  CHECK(identical(results(*module, {x})[0], results(*changed, {x})[0]));

  auto kept = parsed(
      "func @f(%0: f64[99]) { %1 = const() : f64 %2 = const() : i64 %3 = const() <i=1> : i64"
      " %4 = fill(%1) : f64[100] %5 = add_slice(%4, %0, %2) : f64[100]"
      " %6 = add_slice(%5, %0, %3) : f64[100] yield(%5, %6) }");
  opt::findPass("slice-sums")->run(*kept, *kept->find("f"));
  opt::simplify(*kept, *kept->find("f"));
  CHECK(countOf(*kept->find("f"), OpCode::AddSlice) == 1);
}
