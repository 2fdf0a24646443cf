// The passes about large products and sums: what they make, and that the results agree with the
// program as it was written, to the last bit where no product of 32^3 is involved.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "ir/interpreter.h"
#include "ir/printer.h"
#include "ir/verifier.h"
#include "ir/walk.h"
#include "jit/jit.h"
#include "opt/opt.h"

using namespace dini;
using namespace dini::ir;

namespace {

std::unique_ptr<Module> parsed(const std::string& text) {
  auto result = parseModule(text);
  if (auto* error = std::get_if<std::string>(&result)) FAIL(*error);
  return std::move(std::get<std::unique_ptr<Module>>(result));
}

Tensor numbers(std::vector<int64_t> dims, double frequency) {
  Tensor made = Tensor::zeros(f64(std::move(dims)));
  for (size_t k = 0; k < made.reals.size(); ++k)
    made.reals[k] = std::sin(frequency * static_cast<double>(k + 1));
  return made;
}

std::vector<Tensor> results(const Module& module, std::vector<Tensor> arguments) {
  auto outcome = interpret(module, *module.find("f"), arguments, {});
  REQUIRE(outcome.has_value());
  REQUIRE(std::holds_alternative<std::vector<Tensor>>(*outcome));
  return std::get<std::vector<Tensor>>(*outcome);
}

double worstDifference(const Tensor& a, const Tensor& b) {
  REQUIRE(a.type == b.type);
  double worst = 0;
  for (size_t k = 0; k < a.reals.size(); ++k)
    worst = std::max(worst, std::abs(a.reals[k] - b.reals[k]));
  return worst;
}

std::vector<std::string> specs(const Function& function) {
  std::vector<std::string> found;
  walk(function.body, [&](const Op& op) {
    if (op.code == OpCode::Einsum) found.push_back(op.attrs.str);
  });
  return found;
}

// After the pass, verified and cleaned.
std::unique_ptr<Module> after(const char* pass, const std::string& text) {
  auto module = parsed(text);
  Function& f = *module->find("f");
  opt::findPass(pass)->run(*module, f);
  REQUIRE(verify(f, module.get()) == std::vector<std::string>{});
  opt::simplify(*module, f);
  return module;
}

using Specs = std::vector<std::string>;

const std::string kMean =
    "func @f(%0: f64[4, 8, 8], %1: f64[200, 4, 8]) {"
    " %2 = einsum(%0, %1) <str=\"Aij,BAi->BAj\"> : f64[200, 4, 8]"
    " %3 = neg(%2) : f64[200, 4, 8]"
    " %4 = reduce(%3) <str=\"sum\", ints=[0]> : f64[4, 8] yield(%4) }";

// A quadratic form of each point in each of 4 metrics, and what its gradient computes besides.
const std::string kForms =
    "func @f(%0: f64[4, 6, 6], %1: f64[300, 6], %2: f64[4, 6], %3: f64[300]) {"
    " %4 = broadcast(%1) <ints=[0, 2]> : f64[300, 4, 6]"
    " %5 = broadcast(%2) <ints=[1, 2]> : f64[300, 4, 6]"
    " %6 = sub(%4, %5) : f64[300, 4, 6]"
    " %7 = einsum(%0, %6) <str=\"Aij,BAj->BAi\"> : f64[300, 4, 6]"
    " %8 = einsum(%7, %7) <str=\"BAi,BAi->BA\"> : f64[300, 4]"
    " %9 = reduce(%8) <str=\"max\", ints=[1]> : f64[300]"
    " %10 = broadcast(%9) <ints=[0]> : f64[300, 4]"
    " %11 = sub(%8, %10) : f64[300, 4]"
    " %12 = exp(%11) : f64[300, 4]"
    " %13 = reduce(%12) <str=\"sum\", ints=[1]> : f64[300]"
    " %14 = einsum(%12, %3) <str=\"BA,B->BA\"> : f64[300, 4]"
    " %15 = einsum(%7, %14) <str=\"BAi,BA->BAi\"> : f64[300, 4, 6]"
    " %16 = einsum(%15, %6) <str=\"BAi,BAj->Aij\"> : f64[4, 6, 6]"
    " %17 = reduce(%15) <str=\"sum\", ints=[0]> : f64[4, 6]"
    " yield(%13, %16, %17) }";

std::vector<Tensor> formArguments() {
  return {numbers({4, 6, 6}, 0.7), numbers({300, 6}, 1.3), numbers({4, 6}, 0.4),
          numbers({300}, 2.1)};
}

}  // namespace

TEST_CASE("product-sums: the sum over points is taken before the product") {
  auto module = parsed(kMean), changed = after("product-sums", kMean);
  CHECK(specs(*changed->find("f")) == Specs{"Aij,Ai->Aj"});
  const std::vector<Tensor> arguments = {numbers({4, 8, 8}, 0.9), numbers({200, 4, 8}, 0.31)};
  CHECK(worstDifference(results(*module, arguments)[0], results(*changed, arguments)[0]) < 1e-12);
}

TEST_CASE("product-sums: small products and products read elsewhere keep their order") {
  std::string small = kMean;
  for (size_t at; (at = small.find("200")) != std::string::npos;) small.replace(at, 3, "100");
  CHECK(specs(*after("product-sums", small)->find("f")) == Specs{"Aij,BAi->BAj"});
  std::string read = kMean;
  read.replace(read.find("yield(%4)"), 9, "yield(%4, %2)");
  CHECK(specs(*after("product-sums", read)->find("f")) == Specs{"Aij,BAi->BAj"});
  // The letter is in both operands: the sum is over products, not over one factor.
  const std::string both =
      "func @f(%0: f64[200, 8, 8], %1: f64[200, 8, 8]) {"
      " %2 = einsum(%0, %1) <str=\"Bij,Bjk->Bik\"> : f64[200, 8, 8]"
      " %3 = reduce(%2) <str=\"sum\", ints=[0]> : f64[8, 8] yield(%3) }";
  CHECK(specs(*after("product-sums", both)->find("f")) == Specs{"Bij,Bjk->Bik"});
}

TEST_CASE("axis-order: points become the last axis of everything computed from one another") {
  auto module = parsed(kForms), changed = after("axis-order", kForms);
  const Function& f = *changed->find("f");
  CHECK(specs(f) ==
        Specs{"Aij,AjB->AiB", "AiB,AiB->AB", "AB,B->AB", "AiB,AB->AiB", "AiB,AjB->Aij"});
  size_t transposes = 0;
  walk(f.body, [&](const Op& op) {
    transposes += op.code == OpCode::Transpose;
    for (const Value* made : op.results)
      if (made->type.rank() >= 2) CHECK(made->type.dims[0] != 300);
  });
  CHECK(transposes == 1);  // of the points alone
  // Evaluated in order the sums are the same to the last bit.
  const auto before = results(*module, formArguments()), now = results(*changed, formArguments());
  for (size_t k = 0; k < before.size(); ++k) CHECK(identical(before[k], now[k]));
}

TEST_CASE("axis-order: compiled code, which computes differences and weights member by member") {
  auto module = parsed(kForms), prepared = parsed(kForms);
  opt::prepareForCodegen(*prepared, *prepared->find("f"));
  jit::Jit jit;
  const auto outcome = jit.run(*prepared, *prepared->find("f"), formArguments());
  REQUIRE(std::holds_alternative<std::vector<Tensor>>(outcome));
  const auto& compiled = std::get<std::vector<Tensor>>(outcome);
  const auto wanted = results(*module, formArguments());
  for (size_t k = 0; k < wanted.size(); ++k) CHECK(worstDifference(wanted[k], compiled[k]) < 1e-10);
}

TEST_CASE("axis-order: not for few points, results by point, or without sums over short axes") {
  std::string few = kForms;
  for (size_t at; (at = few.find("300")) != std::string::npos;) few.replace(at, 3, "100");
  for (size_t at; (at = few.find("f64[4,")) != std::string::npos;) few.replace(at, 6, "f64[16,");
  for (size_t at; (at = few.find("100, 4")) != std::string::npos;) few.replace(at, 6, "100, 16");
  CHECK(specs(*after("axis-order", few)->find("f"))[0] == "Aij,BAj->BAi");
  std::string yielded = kForms;
  yielded.replace(yielded.find("yield(%13"), 9, "yield(%6, %13");
  CHECK(specs(*after("axis-order", yielded)->find("f"))[0] == "Aij,BAj->BAi");
  const std::string plain =
      "func @f(%0: f64[4, 8, 8], %1: f64[300, 4, 8]) {"
      " %2 = einsum(%0, %1) <str=\"Aij,BAj->BAi\"> : f64[300, 4, 8]"
      " %3 = reduce(%2) <str=\"sum\", ints=[0]> : f64[4, 8] yield(%3) }";
  CHECK(specs(*after("axis-order", plain)->find("f")) == Specs{"Aij,BAj->BAi"});
}

namespace {

// A sum and an array written from what it reads, as in the value and gradient of x[i] x[i + 1].
std::string neighbours(int64_t n) {
  const auto array = [&](int64_t less) { return "f64[" + std::to_string(n - less) + "]"; };
  return "func @f(%0: " + array(0) + ") { %1 = const() : i64 %2 = const() <i=1> : i64" +
         " %3 = slice(%0, %1) : " + array(1) + " %4 = slice(%0, %2) : " + array(1) +
         " %5 = mul(%3, %4) : " + array(1) + " %6 = reduce(%5) <str=\"sum\", ints=[0]> : f64" +
         " %7 = slice(%0, %2) : f64[1] %8 = slice(%4, %2) : " + array(2) +
         " %9 = slice(%3, %1) : " + array(2) + " %10 = add(%8, %9) : " + array(2) +
         " %11 = slice(%0, %2) : f64[1] %12 = concat(%7, %10, %11) : " + array(0) +
         " yield(%6, %12) }";
}

size_t positionOf(const Function& function, OpCode code) {
  size_t at = 0;
  while (function.body.ops[at]->code != code) ++at;
  return at;
}

}  // namespace

TEST_CASE("sum-placement: a large sum goes to the array written from what it reads") {
  auto changed = parsed(neighbours(9000));
  Function& f = *changed->find("f");
  CHECK(positionOf(f, OpCode::Reduce) + 1 < positionOf(f, OpCode::Concat));
  opt::findPass("sum-placement")->run(*changed, f);
  REQUIRE(verify(f, changed.get()) == std::vector<std::string>{});
  CHECK(positionOf(f, OpCode::Reduce) + 1 == positionOf(f, OpCode::Concat));
  auto small = parsed(neighbours(900));
  opt::findPass("sum-placement")->run(*small, *small->find("f"));
  CHECK(positionOf(*small->find("f"), OpCode::Reduce) + 1 <
        positionOf(*small->find("f"), OpCode::Concat));
  // Not past a reader.
  std::string read = neighbours(9000);
  read.replace(read.find("%11 = slice"), 3, "%13 = neg(%6) : f64 %11");
  auto kept = parsed(read);
  opt::findPass("sum-placement")->run(*kept, *kept->find("f"));
  CHECK(kept->find("f")->body.ops[positionOf(*kept->find("f"), OpCode::Reduce) + 1]->code !=
        OpCode::Concat);
}

TEST_CASE("sum-placement: one loop for both, and the same bits, whatever the lengths leave over") {
  jit::Jit jit;
  const auto loops = [&](const Module& module) {
    const std::string text = jit.llvmText(module, *module.find("f"), jit::OptLevel::O0);
    size_t found = 0;
    for (size_t at = 0; (at = text.find("\nloop", at)) != std::string::npos; ++at) ++found;
    return found;
  };
  for (int64_t n : {9000, 9001, 9002, 9007, 9008, 9009}) {
    CAPTURE(n);
    auto module = parsed(neighbours(n)), changed = parsed(neighbours(n));
    opt::findPass("sum-placement")->run(*changed, *changed->find("f"));
    CHECK(loops(*changed) < loops(*module));
    const std::vector<Tensor> arguments = {numbers({n}, 0.37)};
    const auto wanted = results(*module, arguments);
    for (auto level : {jit::OptLevel::O0, jit::OptLevel::O2}) {
      jit::RunOptions options;
      options.level = level;
      const auto outcome = jit.run(*changed, *changed->find("f"), arguments, options);
      REQUIRE(std::holds_alternative<std::vector<Tensor>>(outcome));
      for (size_t k = 0; k < wanted.size(); ++k)
        CHECK(identical(wanted[k], std::get<std::vector<Tensor>>(outcome)[k]));
    }
  }
}
