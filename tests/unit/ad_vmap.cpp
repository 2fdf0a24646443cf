// Maps batched: the same bits as the loop, and no loop left where every operation has a rule.
#include <doctest/doctest.h>

#include "ir/walk.h"
#include "tests/unit/ad_support.h"

using namespace dini;
using namespace dini::test;

namespace {

int countOps(Program& program, const std::string& name, ir::OpCode code) {
  int count = 0;
  ir::walk(program.module().find(name)->body, [&](const ir::Op& op) { count += op.code == code; });
  return count;
}

// A map over four members whose body is given: %2 is the index, %0.x a matrix, %1.y a vector.
std::string mapOf(const std::string& body, const std::string& type) {
  return "func @f(%0.x: f64[4, 3], %1.y: f64[5]) {\n  %3 = const() <i=4> : i64\n"
         "  %4 = loop(%3) : " + type + " {(%2: i64)\n" + body + "  }\n  yield(%4)\n}\n";
}

const Tensors kArguments{mat(4, 3, {.1, .2, .3, -.4, .5, -.6, .7, -.8, .9, 1.0, -1.1, 1.2}),
                         vec({2, -3, 5, -7, 11})};

void checkBatchable(const std::string& body, const std::string& type, bool laws = true) {
  Program program(mapOf(body, type));
  std::string batched = program.derive("vmap", "f");
  INFO(body);
  CHECK(countOps(program, batched, ir::OpCode::Loop) == 0);
  Tensors expected = program.run("f", kArguments);
  CHECK(ir::identical(program.run(batched, kArguments)[0], expected[0]));
  if (laws) checkLaws(program, "f", kArguments, 1);
}

}  // namespace

TEST_CASE("operations of a batched body") {
  checkBatchable("    %5 = index(%0.x, %2) : f64[3]\n    %6 = exp(%5) : f64[3]\n    yield(%6)\n",
                 "f64[4, 3]");
  checkBatchable("    %5 = const() <i=1> : i64\n    %6 = iadd(%2, %5) : i64\n"
                 "    %7 = index(%1.y, %6) : f64\n    %8 = index(%1.y, %2) : f64\n"
                 "    %9 = sub(%7, %8) : f64\n    yield(%9)\n", "f64[4]");
  checkBatchable("    %5 = const() <i=1> : i64\n    %7 = index(%0.x, %2, %5) : f64\n"
                 "    %8 = mul(%7, %1.y) : f64[5]\n    yield(%8)\n", "f64[4, 5]");
  checkBatchable("    %5 = const() <i=3> : i64\n    %6 = isub(%5, %2) : i64\n"
                 "    %7 = index(%1.y, %6) : f64\n    yield(%7)\n", "f64[4]");
  checkBatchable("    %5 = const() <i=3> : i64\n    %6 = imod(%2, %5) : i64\n"
                 "    %7 = index(%0.x, %2, %6) : f64\n    %8 = index(%0.x, %6) : f64[3]\n"
                 "    %9 = index(%8, %6) : f64\n    %10 = mul(%7, %9) : f64\n    yield(%10)\n",
                 "f64[4]");
  checkBatchable("    %5 = index(%0.x, %2) : f64[3]\n    %6 = flip(%5) <i=0> : f64[3]\n"
                 "    %7 = concat(%5, %6) <i=0> : f64[6]\n    %8 = reshape(%7) : f64[2, 3]\n"
                 "    %9 = transpose(%8) <ints=[1, 0]> : f64[3, 2]\n"
                 "    %10 = reduce(%9) <str=\"sum\", ints=[1]> : f64[3]\n"
                 "    %11 = pack(%10, %5) : f64[2, 3]\n    yield(%11)\n", "f64[4, 2, 3]");
  checkBatchable("    %5 = index(%0.x, %2) : f64[3]\n    %6 = const() <i=1> : i64\n"
                 "    %7 = index(%1.y, %2) : f64\n    %8 = update(%5, %7, %6) : f64[3]\n"
                 "    %9 = add_at(%8, %7, %6) : f64[3]\n    %10 = slice(%9, %6) : f64[2]\n"
                 "    %11 = const() <i=0> : i64\n    %12 = add_slice(%9, %10, %11) : f64[3]\n"
                 "    %13 = update_slice(%12, %10, %6) : f64[3]\n    yield(%13)\n", "f64[4, 3]");
  checkBatchable("    %5 = index(%0.x, %2) : f64[3]\n    %6 = const() <ints=[2, 0, 2]> : i64[3]\n"
                 "    %7 = gather(%5, %6) : f64[3]\n    %8 = scatter_add(%7, %6, %5) : f64[3]\n"
                 "    %9 = gather(%1.y, %6) : f64[3]\n    %10 = add(%8, %9) : f64[3]\n"
                 "    %11 = fill(%2) : i64[2]\n    %12 = gather(%1.y, %11) : f64[2]\n"
                 "    %13 = concat(%10, %12) <i=0> : f64[5]\n    yield(%13)\n", "f64[4, 5]");
  checkBatchable("    %5 = index(%0.x, %2) : f64[3]\n"
                 "    %6 = reduce(%5) <str=\"max\", ints=[0]> : f64\n"
                 "    %7 = broadcast(%5) <ints=[1]> : f64[2, 3]\n"
                 "    %8 = int_to_real(%2) : f64\n    %9 = mul(%6, %8) : f64\n"
                 "    %10 = mul(%7, %9) : f64[2, 3]\n    yield(%10)\n", "f64[4, 2, 3]");
  checkBatchable("    %5 = index(%1.y, %2) : f64\n    %6 = const() <f=0> : f64\n"
                 "    %7 = flt(%5, %6) : i1\n    %8 = if(%7) : f64 {()\n      %9 = exp(%5) : f64\n"
                 "      yield(%9)\n    } {()\n      %10 = mul(%5, %5) : f64\n      yield(%10)\n"
                 "    }\n    yield(%8)\n", "f64[4]");
}

TEST_CASE("a recurrence over a batch becomes matrix products") {
  Program program(R"(func @f(%0.W: f64[3, 3], %1.x: f64[4, 3]) {
  %3 = const() <i=4> : i64
  %4 = loop(%3) : f64[4, 3] {(%2: i64)
    %5 = index(%1.x, %2) : f64[3]
    %6 = const() <i=5> : i64
    %7, %8 = loop(%6, %5) : f64[3], f64[5, 3] {(%9: i64, %10: f64[3])
      %11 = einsum(%0.W, %10) <str="ij,j->i"> : f64[3]
      %12 = tanh(%11) : f64[3]
      yield(%12, %10)
    }
    %13 = reduce(%8) <str="sum", ints=[0]> : f64[3]
    %14 = add(%7, %13) : f64[3]
    yield(%14)
  }
  yield(%4)
}
)");
  Tensors at{mat(3, 3, {.4, -.2, .1, .3, .5, -.6, -.1, .2, .7}), kArguments[0]};
  std::string batched = program.derive("vmap", "f");
  CHECK(countOps(program, batched, ir::OpCode::Loop) == 1);
  checkLaws(program, "f", at, 2);
}

TEST_CASE("a product written out as nested comprehensions is an einsum, in reverse too") {
  Program program(R"(func @f(%0.W: f64[4, 3], %1.x: f64[3]) {
  %2 = const() <i=4> : i64
  %12 = const() <i=3> : i64
  %3 = loop(%2) : f64[4] {(%4: i64)
    %5 = loop(%12) : f64[3] {(%6: i64)
      %7 = index(%0.W, %4, %6) : f64
      %8 = index(%1.x, %6) : f64
      %9 = mul(%7, %8) : f64
      yield(%9)
    }
    %10 = reduce(%5) <str="sum", ints=[0]> : f64
    %11 = tanh(%10) : f64
    yield(%11)
  }
  yield(%3)
}
)");
  std::string vjp = program.derive("vjp", "f");
  CHECK(countOps(program, vjp, ir::OpCode::Loop) == 0);
  CHECK(countOps(program, vjp, ir::OpCode::Einsum) == 3);
  checkLaws(program, "f", {kArguments[0], vec({.3, -.2, .9})}, 2);
}

TEST_CASE("the Jacobian of a layer is assembled without matrix products") {
  Program program(R"(func @f(%0.W: f64[3, 3], %1.x: f64[3]) {
  %2 = einsum(%0.W, %1.x) <str="ij,j->i"> : f64[3]
  %3 = tanh(%2) : f64[3]
  yield(%3)
}
)");
  std::string jac = program.deriveWrt("jac", "f", {false, true});
  CHECK(countOps(program, jac, ir::OpCode::Loop) == 0);
  CHECK(countOps(program, jac, ir::OpCode::Einsum) == 1);  // the value's own
}
