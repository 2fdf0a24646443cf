// The text form and the verifier.
#include <doctest/doctest.h>

#include "base/check.h"

#include "ir/builder.h"
#include "ir/clone.h"
#include "ir/printer.h"
#include "ir/verifier.h"

using namespace dini;
using namespace dini::ir;

namespace {

std::unique_ptr<Module> parsed(std::string_view text) {
  auto result = parseModule(text);
  if (auto* error = std::get_if<std::string>(&result)) FAIL(*error);
  return std::move(std::get<std::unique_ptr<Module>>(result));
}

std::string firstError(std::string_view text) {
  auto module = parsed(text);
  auto errors = verify(*module->functions.begin()->second, module.get());
  return errors.empty() ? "" : errors.front();
}

}  // namespace

TEST_CASE("printing what was parsed gives the same text") {
  const char* text = R"(func @f(%0.x: f64[3], %1: i64) {
  %2 = const() <f=0.1> : f64
  %3 = const() <f=-0> : f64
  %4 = const() <data=[1, inf, nan]> : f64[3]
  %5 = const() <i=-7> : i64
  %6, %7 = loop(%1, %2) : f64, f64[?] {(%8: i64, %9.sum: f64)
    %10 = add(%9.sum, %3) : f64
    yield(%10, %9.sum)
  }
  %11 = flt(%6, %2) : i1
  check(%11) <i=6, str="a \"quoted\" text"> 
  %12 = if(%11) : f64[3] {()
    yield(%0.x)
  } {()
    yield(%4)
  }
  yield(%12, %7)
}
)";
  auto module = parsed(text);
  std::string once = print(*module);
  CHECK(print(*parsed(once)) == once);
  CHECK(once.find("%12 = if(%11) : f64[3] {()") != std::string::npos);
  CHECK(verify(*module->find("f")).empty());
  // Names, flags and structure survive cloning.
  CHECK(print(*clone(*module->find("f"), "f")) == print(*module->find("f")));
}

TEST_CASE("a parse error names its line") {
  auto result = parseModule("func @f() {\n  %0 = nonsense() : f64\n  yield(%0)\n}");
  CHECK(std::get<std::string>(result) == "line 2: unknown operation nonsense");
}

TEST_CASE("the verifier rejects values out of scope and wrong types") {
  CHECK(firstError("func @f(%0: f64, %1: i64) { %2 = loop(%1, %0) : f64 {(%3: i64, %4: f64)\n"
                   "%5 = neg(%4) : f64 yield(%5) } %6 = neg(%5) : f64 yield(%6) }")
            .find("not defined before its use") != std::string::npos);
  CHECK(firstError("func @f(%0: f64[2]) { %1 = neg(%0) : f64[3] yield(%1) }") != "");
  CHECK(firstError("func @f(%0: f64[2], %1: f64[3]) { %2 = add(%0, %1) : f64[2] yield(%2) }") != "");
  CHECK(firstError("func @f(%0: i64) { %1 = loop(%0, %0) : f64 {(%2: i64, %3: i64)\n"
                   "yield(%3) } yield(%1) }") != "");
}

TEST_CASE("linear values flow through linear operands only") {
  CHECK(firstError("func @f(%0: f64, %1: f64 linear) {"
                   "%2 = mul(%0, %1) : f64 linear yield(%2) }") == "");
  CHECK(firstError("func @f(%0: f64, %1: f64 linear) {"
                   "%2 = mul(%1, %1) : f64 linear yield(%2) }") != "");
  CHECK(firstError("func @f(%0: f64, %1: f64 linear) {"
                   "%2 = add(%0, %1) : f64 linear yield(%2) }") != "");
  CHECK(firstError("func @f(%0: f64, %1: f64 linear) { %2 = sin(%1) : f64 yield(%2) }") != "");
  CHECK(firstError("func @f(%0: f64, %1: f64 linear) { %2 = neg(%1) : f64 yield(%2) }") != "");
  CHECK(firstError("func @f(%0: f64[2], %1: f64[2] linear) {"
                   "%2 = reduce(%1) <str=\"max\", ints=[0]> : f64 linear yield(%2) }") != "");
}

TEST_CASE("dead operations are erased, effects and what they need are kept") {
  auto module = parsed(R"(func @f(%0: f64) {
  %1 = sin(%0) : f64
  %2 = cos(%0) : f64
  %3 = flt(%2, %0) : i1
  check(%3) <i=6>
  yield(%0)
})");
  Function& f = *module->find("f");
  eraseDead(f);
  CHECK(f.body.ops.size() == 4);
  CHECK(f.body.ops[0]->code == OpCode::Cos);
}

TEST_CASE("the builder infers types and linear flags") {
  Function f("f");
  Value* x = f.addParameter(f64({3, kDynamic}), "x");
  Value* x_dot = f.addParameter(f64({3, kDynamic}), "x_dot");
  x_dot->linear = true;
  Builder b(f, f.body);
  Value* y = b.einsum("ij,kj->ik", x, x_dot);
  CHECK(y->type == f64({3, 3}));
  CHECK(y->linear);
  Value* z = b.zerosLike(x);
  CHECK(z->type == x->type);
  CHECK(z->def->operands.size() == 2);
  auto sums = b.loop(b.dim(x, 1), {b.real(0)}, [&](Builder& inner, std::span<Value* const> args) {
    Value* column = inner.slice(x, {inner.integer(0), args[0]}, {inner.integer(3), inner.integer(1)});
    Value* sum = inner.add(args[1], inner.sumAll(column));
    return std::vector<Value*>{sum, inner.reshape(column, {inner.integer(3)})};
  });
  CHECK(sums[1]->type == f64({kDynamic, 3}));
  b.yield({y, sums[0], sums[1]});
  CHECK(verify(f) == std::vector<std::string>{});
  CHECK_THROWS_AS(b.add(x, b.real(1)->def == nullptr ? x : b.integer(1)), InternalError);
}
