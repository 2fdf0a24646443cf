// What each pass changes. That passes keep every bit is tested on random programs (ir_random.cpp).
#include <doctest/doctest.h>

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

// The body of @f after a pass, one line per operation.
std::string after(std::string_view pass, const std::string& text) {
  auto module = parsed(text);
  Function& f = *module->find("f");
  REQUIRE(verify(f, module.get()) == std::vector<std::string>{});
  if (pass == "simplify") opt::simplify(*module, f);
  else if (pass == "prepare") opt::prepareForCodegen(*module, f);
  else opt::findPass(pass)->run(*module, f);
  REQUIRE(verify(f, module.get()) == std::vector<std::string>{});
  return print(f);
}

size_t count(const std::string& text, const std::string& what) {
  size_t found = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("passes have names, summaries and can be found") {
  for (const opt::Pass& pass : opt::allPasses()) {
    CHECK(opt::findPass(pass.name) == &pass);
    CHECK(!pass.summary.empty());
  }
  CHECK(opt::findPass("nothing") == nullptr);
}

TEST_CASE("constant-folding: arithmetic of constants and exact identities") {
  CHECK(after("simplify", "func @f(%0: f64) { %1 = const() <f=0.5> : f64 %2 = exp(%1) : f64"
                          " %3 = const() <f=1> : f64 %4 = mul(%0, %3) : f64 yield(%4, %2) }")
            .find("<f=1.6487212707001282>") != std::string::npos);
  CHECK(after("simplify", "func @f(%0: f64) { %1 = const() <f=1> : f64 %2 = mul(%0, %1) : f64 yield(%2) }") ==
        "func @f(%0: f64) {\n  yield(%0)\n}\n");
  // x + 0 is not x where x is -0, and x * 0 is not 0 where x is infinite.
  CHECK(count(after("simplify", "func @f(%0: f64) { %1 = const() : f64 %2 = add(%0, %1) : f64"
                                " %3 = mul(%0, %1) : f64 yield(%2, %3) }"), "add") == 1);
  CHECK(count(after("simplify", "func @f(%0: f64 linear) { %1 = const() : f64 linear"
                                " %2 = add(%0, %1) : f64 linear yield(%2) }"), "add") == 0);
  CHECK(after("simplify", "func @f(%0: f64) { %1 = powi(%0) <i=2> : f64 yield(%1) }") ==
        "func @f(%0: f64) {\n  %1 = mul(%0, %0) : f64\n  yield(%1)\n}\n");
  CHECK(after("simplify", "func @f(%0: f64) { %1 = const() <f=4> : f64 %2 = div(%0, %1) : f64 yield(%2) }")
            .find("mul") != std::string::npos);
  CHECK(after("simplify", "func @f(%0: f64) { %1 = const() <f=3> : f64 %2 = div(%0, %1) : f64 yield(%2) }")
            .find("div") != std::string::npos);
}

TEST_CASE("constant-folding: decided branches, loops of one iteration, unchanged carries") {
  CHECK(after("simplify", R"(func @f(%0: f64) {
    %1 = const() <i=1> : i1
    %2 = if(%1) : f64 {()
      %3 = sin(%0) : f64
      yield(%3)
    } {()
      yield(%0)
    }
    yield(%2)
  })") == "func @f(%0: f64) {\n  %1 = sin(%0) : f64\n  yield(%1)\n}\n");
  CHECK(after("simplify", R"(func @f(%0: f64) {
    %1 = const() <i=1> : i64
    %2, %3 = loop(%1, %0) : f64, f64[1] {(%4: i64, %5: f64)
      %6 = sin(%5) : f64
      yield(%6, %5)
    }
    yield(%2, %3)
  })") == "func @f(%0: f64) {\n  %1 = sin(%0) : f64\n  %2 = pack(%0) : f64[1]\n  yield(%1, %2)\n}\n");
  std::string text = after("simplify", R"(func @f(%0: f64, %1: i64) {
    %2, %3 = loop(%1, %0, %0) : f64, f64 {(%4: i64, %5: f64, %6: f64)
      %7 = add(%5, %6) : f64
      yield(%7, %6)
    }
    yield(%2, %3)
  })");
  CHECK(count(text, "loop(%1, %0) : f64 {") == 1);
  CHECK(count(text, ", %0)\n}") == 1);
}

TEST_CASE("subexpression-sharing: equal operations, also across regions and exchanged operands") {
  std::string text = after("subexpression-sharing", R"(func @f(%0: f64, %1: f64, %2: i1) {
    %3 = mul(%0, %1) : f64
    %4 = if(%2) : f64 {()
      %5 = mul(%1, %0) : f64
      yield(%5)
    } {()
      %6 = sub(%0, %1) : f64
      yield(%6)
    }
    %7 = sub(%1, %0) : f64
    yield(%3, %4, %7)
  })");
  CHECK(count(text, "mul") == 1);
  CHECK(count(text, "sub") == 2);  // neither equal, nor does a branch dominate what follows it
}

TEST_CASE("dead-code-removal: results of branches and loops, with what only they needed") {
  std::string text = after("dead-code-removal", R"(func @f(%0: f64, %1: i64) {
    %2, %3, %4 = loop(%1, %0, %0) : f64, f64, f64[?] {(%5: i64, %6: f64, %7: f64)
      %8 = sin(%6) : f64
      %9 = cos(%7) : f64
      yield(%8, %9, %9)
    }
    yield(%2)
  })");
  CHECK(count(text, "cos") == 0);
  CHECK(count(text, "loop(%1, %0) : f64 {") == 1);
  // A carry that another needs stays; a check stays whatever is read.
  text = after("dead-code-removal", R"(func @f(%0: f64, %1: i64, %2: i1) {
    %3, %4 = loop(%1, %0, %0) : f64, f64 {(%5: i64, %6: f64, %7: f64)
      %8 = add(%6, %7) : f64
      %9 = cos(%7) : f64
      yield(%8, %9)
    }
    %10 = if(%2) : f64 {()
      check(%2) <i=6>
      yield(%0)
    } {()
      yield(%0)
    }
    yield(%3)
  })");
  CHECK(count(text, "cos") == 1);
  CHECK(count(text, "check") == 1);
  CHECK(count(text, "if(%2) {") == 1);
}

TEST_CASE("invariant-code-motion: out of loops, but not what an empty loop would not have run") {
  std::string text = after("invariant-code-motion", R"(func @f(%0: f64, %1: i64, %2: f64[3]) {
    %3 = loop(%1, %0) : f64 {(%4: i64, %5: f64)
      %6 = exp(%0) : f64
      %7 = index(%2, %1) : f64
      %8 = add(%5, %6) : f64
      %9 = add(%8, %7) : f64
      yield(%9)
    }
    yield(%3)
  })");
  CHECK(text.find("exp") < text.find("loop"));
  CHECK(text.find("index") > text.find("loop"));
}

TEST_CASE("constant-folding: filled operands are read as scalars") {
  std::string text = after("simplify", R"(func @f(%0: f64, %1: f64[3]) {
    %2 = fill(%0) : f64[3]
    %3 = exp(%2) : f64[3]
    %4 = mul(%3, %1) : f64[3]
    yield(%4)
  })");
  CHECK(text == "func @f(%0: f64, %1: f64[3]) {\n  %2 = exp(%0) : f64\n  %3 = mul(%1, %2) : f64[3]\n"
                "  yield(%3)\n}\n");
}

TEST_CASE("constant-folding: movements of elements are composed") {
  std::string text = after("simplify", R"(func @f(%0: f64[1, 3], %1: f64[2, 3, 4], %2: i64) {
    %3 = transpose(%0) <ints=[1, 0]> : f64[3, 1]
    %4 = reshape(%3) : f64[3]
    %5 = transpose(%1) <ints=[2, 0, 1]> : f64[4, 2, 3]
    %6 = transpose(%5) <ints=[1, 2, 0]> : f64[2, 3, 4]
    %7 = index(%6, %2) : f64[3, 4]
    %8 = index(%7, %2) : f64[4]
    yield(%4, %8)
  })");
  CHECK(count(text, "transpose") == 0);
  CHECK(count(text, "reshape(%0) : f64[3]") == 1);
  CHECK(count(text, "index(%1, %2, %2) : f64[4]") == 1);
}

TEST_CASE("branch-selection: branches that only choose") {
  std::string text = after("branch-selection", R"(func @f(%0: f64, %1: f64, %2: i1) {
    %3, %4 = if(%2) : f64, f64 {()
      yield(%0, %1)
    } {()
      yield(%1, %1)
    }
    %5 = if(%2) : f64 {()
      %6 = sin(%0) : f64
      yield(%6)
    } {()
      yield(%1)
    }
    yield(%3, %4, %5)
  })");
  CHECK(count(text, "select(%2, %0, %1)") == 1);
  CHECK(count(text, "if(") == 1);
}

TEST_CASE("map-batching: a map over elements is one operation") {
  std::string text = after("prepare", R"(func @f(%0: f64[5]) {
    %1 = const() <i=5> : i64
    %2 = loop(%1) : f64[5] {(%3: i64)
      %4 = index(%0, %3) : f64
      %5 = sin(%4) : f64
      yield(%5)
    }
    yield(%2)
  })");
  CHECK(text == "func @f(%0: f64[5]) {\n  %1 = sin(%0) : f64[5]\n  yield(%1)\n}\n");
}

TEST_CASE("factorisation-sharing: one factorisation for a matrix, outside the loop that solves with it") {
  std::string text = after("prepare", R"(func @f(%0: f64[2, 2], %1: f64[4, 2]) {
    %2 = const() <i=4> : i64
    %3 = loop(%2) : f64[4, 2] {(%4: i64)
      %5 = index(%1, %4) : f64[2]
      %6 = linear_solve(%0, %5) : f64[2]
      %7 = linear_solve(%0, %6) <ints=[1]> : f64[2]
      yield(%7)
    }
    yield(%3)
  })");
  CHECK(count(text, "factor(") == 1);
  CHECK(text.find("factor(") < text.find("loop"));
  CHECK(count(text, "solve_factored") == 2);
  CHECK(count(text, "<ints=[1]>") == 1);
  // Solves on two sides of a branch share nothing; a single solve stays as it is.
  text = after("factorisation-sharing", R"(func @f(%0: f64[2, 2], %1: f64[2]) {
    %2 = linear_solve(%0, %1) <i=2> : f64[2]
    yield(%2)
  })");
  CHECK(count(text, "linear_solve") == 1);
}
