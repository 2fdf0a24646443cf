// Random IR programs in every engine, as they are and prepared for code generation; and statuses,
// interruption, depth, memory.
#include "tests/unit/jit_support.h"

#include <cstdlib>

#include "opt/opt.h"
#include "tests/unit/random_ir.h"

using namespace dini;
using namespace dini::test;

TEST_CASE("jit: random programs agree with the interpreter to the last bit") {
  const char* only = std::getenv("DINI_SEED");
  const int from = only ? std::atoi(only) : 1, to = only ? from : 150;
  for (int seed = from; seed <= to; ++seed) {
    testing::RandomOptions options;
    options.seed = static_cast<uint64_t>(seed);
    options.operations = 10 + seed % 40;
    const testing::RandomProgram program = testing::randomProgram(options);
    INFO("seed " << seed);
    agree(*program.module, *program.function, program.arguments);
    if (seed % 3 == 0) {
      opt::prepareForCodegen(*program.module, *program.function);
      agree(*program.module, *program.function, program.arguments);
    }
  }
}

TEST_CASE("jit: statuses carry what the interpreter's carry") {
  const char* text = R"(func @f(%0: f64[5], %1: f64) {
  %2 = const() <i=5> : i64
  %3 = loop(%2) : f64[5] {(%4: i64)
    %5 = index(%0, %4) : f64
    %6 = flt(%5, %1) : i1
    check(%6, %5, %1) <i=6, str="too large">
    yield(%5)
  }
  %7 = try() : f64 {()
    %8 = const() <f=0> : f64
    %9 = flt(%1, %8) : i1
    check(%9) <i=7, str="inner">
    yield(%1)
  } {()
    %10 = neg(%1) : f64
    yield(%10)
  }
  yield(%3, %7)
})";
  agree(text, {vec({1, 2, 3, 4, 5}), ir::Tensor::real(10)});
  agree(text, {vec({1, 2, 3, 4, 5}), ir::Tensor::real(3.5)});
  agree(text, {vec({-4, -4, -4, -4, -4}), ir::Tensor::real(-3)});
}

TEST_CASE("jit: recursion to the limit is a status, not a crash") {
  const char* text = R"(func @f(%0: i64, %1: f64[3]) {
  %2 = const() <i=0> : i64
  %3 = ile(%0, %2) : i1
  %4 = if(%3) : f64[3] {()
    yield(%1)
  } {()
    %5 = const() <i=1> : i64
    %6 = isub(%0, %5) : i64
    %7 = const() <f=1.0001> : f64
    %8 = mul(%1, %7) : f64[3]
    %9 = call(%6, %8) <str="f"> : f64[3]
    yield(%9)
  }
  yield(%4)
})";
  agree(text, {ir::Tensor::integer(7), vec({1, 2, 3})});
  agree(text, {ir::Tensor::integer(9998), vec({1, 2, 3})});
  agree(text, {ir::Tensor::integer(9999), vec({1, 2, 3})});
  agree(text, {ir::Tensor::integer(10000), vec({1, 2, 3})});
}

TEST_CASE("jit: a flag ends a loop") {
  const auto module = parsed(R"(func @f(%0: f64) {
  %1, %2 = while(%0) : f64, i64 {(%3: f64)
    %4 = const() <i=1> : i1
    yield(%4)
  } {(%5: f64)
    yield(%5)
  }
  yield(%1)
})");
  const std::atomic<bool> stop{true};
  jit::RunOptions options;
  options.interrupt = &stop;
  const auto outcome =
      sharedJit().run(*module, *module->find("f"), std::vector{ir::Tensor::real(1)}, options);
  CHECK(std::get<ir::StatusInfo>(outcome).status == ir::Status::Interrupted);
}

TEST_CASE("jit: arrays beyond the machine's memory are a status") {
  const std::vector<ir::Tensor> none;
  const auto status = [&](const char* text, const std::vector<ir::Tensor>& arguments) {
    const auto module = parsed(text);
    const auto outcome = sharedJit().run(*module, *module->find("f"), arguments);
    return std::holds_alternative<ir::StatusInfo>(outcome)
               ? std::get<ir::StatusInfo>(outcome).status
               : ir::Status::Ok;
  };
  CHECK(status(R"(func @f(%0: f64) {
  %1 = fill(%0) : f64[1000000, 1000000]
  %2 = const() <i=3> : i64
  %3 = update(%1, %0, %2, %2) : f64[1000000, 1000000]
  %4 = index(%3, %2, %2) : f64
  yield(%4)
})",
               {ir::Tensor::real(1)}) == ir::Status::Memory);
  CHECK(status(R"(func @f(%0: f64, %1: i64) {
  %2 = fill(%0, %1, %1) : f64[?, ?]
  %3 = const() <i=3> : i64
  %4 = update(%2, %0, %3, %3) : f64[?, ?]
  %5 = index(%4, %3, %3) : f64
  yield(%5)
})",
               {ir::Tensor::real(1), ir::Tensor::integer(int64_t{1} << 40)}) == ir::Status::Memory);
}
