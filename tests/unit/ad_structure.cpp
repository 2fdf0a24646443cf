// What the passes make, beyond its values: classes of kinks, residuals, batched equations.
#include <doctest/doctest.h>

#include <cmath>

#include "analysis/kinks.h"
#include "ir/printer.h"
#include "ir/walk.h"
#include "tests/unit/ad_support.h"

using namespace dini;
using namespace dini::test;

namespace {

int countOps(const ir::Function& function, ir::OpCode code) {
  int count = 0;
  ir::walk(function.body, [&](const ir::Op& op) { count += op.code == code; });
  return count;
}

std::unique_ptr<ir::Function> splitted(Program& program) {
  const ir::Function& f = *program.module().find("f");
  ad::Request request;
  for (const ir::Type& type : f.parameterTypes()) request.active.push_back(type.isReal());
  auto made = ad::linearise(program.module(), f, request);
  ad::split(program.module(), *made);
  return made;
}

bool isLinear(const ir::Op& op) {
  for (const ir::Value* result : op.results)
    if (result->linear) return true;
  return false;
}

}  // namespace

TEST_CASE("switches equal up to sign and positive scale are one class") {
  Program program(R"(func @f(%0.x: f64, %1.y: f64) {
  %2 = const() <f=0> : f64
  %3 = const() <f=2> : f64
  %4 = mul(%0.x, %3) : f64
  %5 = sub(%0.x, %1.y) : f64
  %6 = neg(%5) : f64
  %10 = choose(%0.x, %1.y, %0.x, %1.y) : f64
  %11 = choose(%1.y, %0.x, %0.x, %1.y) : f64
  %12 = choose(%5, %2, %5, %2) : f64
  %13 = choose(%6, %2, %6, %2) : f64
  %14 = add(%1.y, %1.y) : f64
  %15 = choose(%4, %14, %4, %14) : f64
  %16 = choose(%0.x, %2, %0.x, %2) : f64
  %17 = flt(%0.x, %1.y) : i1
  %18 = if(%17, %0.x, %1.y) <str="lt"> : f64 {()
    yield(%0.x)
  } {()
    yield(%1.y)
  }
  yield(%10, %11, %12, %13, %15, %16, %18)
}
)");
  ir::Function& f = *program.module().find("f");
  analysis::unifyKinks(f);
  std::vector<std::vector<int64_t>> found;
  ir::walk(f.body, [&](const ir::Op& op) {
    if (op.code == ir::OpCode::Choose || op.code == ir::OpCode::If) found.push_back(op.attrs.ints);
  });
  CHECK(found == std::vector<std::vector<int64_t>>{
                     {0, 1}, {0, -1}, {0, 1}, {0, -1}, {0, 1}, {1, 1}, {0, -1}});
}

TEST_CASE("a split loop: residuals are stacked, the linear loop computes nothing of the primal one") {
  Program program(R"(func @f(%0.x: f64, %1.a: f64[8]) {
  %2 = const() <i=8> : i64
  %3 = loop(%2, %0.x) : f64 {(%4: i64, %5: f64)
    %6 = index(%1.a, %4) : f64
    %7 = mul(%5, %6) : f64
    %8 = erf(%7) : f64
    %9 = sqrt(%8) : f64
    yield(%9)
  }
  yield(%3)
}
)");
  auto made = splitted(program);
  int loops = 0;
  ir::walk(made->body, [&](const ir::Op& op) {
    if (op.code != ir::OpCode::Loop) return;
    ++loops;
    int erfs = 0;
    ir::walk(*op.regions[0], [&](const ir::Op& inner) { erfs += inner.code == ir::OpCode::Erf; });
    CHECK(erfs == (isLinear(op) ? 0 : 1));
  });
  CHECK(loops == 2);
}

TEST_CASE("only the side taken of a branch runs, in the linear part too") {
  Program program(R"(func @f(%0.x: f64, %1.n: i64) {
  %2 = const() <i=0> : i64
  %3 = ilt(%2, %1.n) : i1
  %4 = if(%3) : f64 {()
    %5 = exp(%0.x) : f64
    %6 = mul(%5, %5) : f64
    yield(%6)
  } {()
    %7 = log(%0.x) : f64
    yield(%7)
  }
  yield(%4)
}
)");
  auto made = splitted(program);
  CHECK(countOps(*made, ir::OpCode::If) == 2);
  CHECK(countOps(*made, ir::OpCode::Exp) == 1);
  CHECK(countOps(*made, ir::OpCode::Select) == 0);
  Tensors at{scalar(-1.0), ir::Tensor::integer(1)};  // log(-1) is not evaluated
  std::string grad = program.deriveWrt("grad", "f", {true, false});
  CHECK(near(value(program.run(grad, at), 1), 2 * std::exp(-2.0)));
}

TEST_CASE("a batch of linear systems: products outside the loop over members") {
  Program program(R"(func @f(%0.A: f64[6, 3, 3], %1.W: f64[3, 4], %2.x: f64[6, 4]) {
  %3 = const() <i=6> : i64
  %4 = loop(%3) : f64[6, 4] {(%5: i64)
    %6 = index(%2.x, %5) : f64[4]
    %7 = einsum(%1.W, %6) <str="ij,j->i"> : f64[3]
    %8 = tanh(%7) : f64[3]
    %9 = index(%0.A, %5) : f64[3, 3]
    %10 = linear_solve(%9, %8) <ints=[0]> : f64[3]
    %11 = einsum(%1.W, %10) <str="ij,i->j"> : f64[4]
    yield(%11)
  }
  %12 = einsum(%4, %2.x) <str="ij,ij->"> : f64
  yield(%12)
}
)");
  std::string vjp = program.derive("vjp", "f");
  const ir::Function& made = *program.module().find(vjp);
  ir::walk(made.body, [&](const ir::Op& op) {
    if (op.code != ir::OpCode::Loop) return;
    ir::walk(*op.regions[0], [&](const ir::Op& inner) {
      if (inner.code == ir::OpCode::Einsum) CHECK(inner.attrs.str.find(",j->ij") != std::string::npos);
    });
  });
  Tensor a = Tensor::zeros(ir::f64({6, 3, 3})), x = Tensor::zeros(ir::f64({6, 4}));
  for (size_t k = 0; k < a.reals.size(); ++k) a.reals[k] = (k % 9) % 4 == 0 ? 2.5 : 0.3 * std::sin(k);
  for (size_t k = 0; k < x.reals.size(); ++k) x.reals[k] = std::cos(1.7 * static_cast<double>(k));
  Tensor w = Tensor::zeros(ir::f64({3, 4}));
  for (size_t k = 0; k < w.reals.size(); ++k) w.reals[k] = std::sin(0.9 * static_cast<double>(k));
  checkLaws(program, "f", {a, w, x}, 2);
}

TEST_CASE("qr of a wide matrix has no derivative, and says where") {
  Program program(R"(func @f(%0.A: f64[2, 3]) {
  %1, %2 = qr(%0.A) : f64[2, 2], f64[2, 3]
  yield(%1)
}
)");
  CHECK_THROWS_AS(program.derive("jvp", "f"), ad::Unsupported);
}
