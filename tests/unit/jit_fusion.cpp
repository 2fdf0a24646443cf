// What is computed where it is read, repeated or laid over constant arrays gives the same bits as
// what is stored; and compiled code allocates nothing.
#include "tests/unit/jit_support.h"

#include <fmt/format.h>

using namespace dini;
using namespace dini::test;

TEST_CASE("fusion: boxes added to constant arrays") {
  const char* text = R"(func @f(%0: f64[20], %1: f64[5], %2: f64[20], %3: f64) {
  %4 = const() <i=3> : i64
  %5 = const() <i=0> : i64
  %6 = const() <i=15> : i64
  %7 = fill(%3) : f64[20]
  %8 = slice(%0, %4) : f64[17]
  %9 = mul(%8, %8) : f64[17]
  %10 = add_slice(%7, %9, %4) : f64[20]
  %11 = exp(%1) : f64[5]
  %12 = add_slice(%10, %11, %6) : f64[20]
  %13 = add_slice(%12, %1, %4) : f64[20]
  %14 = add_slice(%13, %11, %5) : f64[20]
  %15 = add_slice(%14, %9, %4) : f64[20]
  %16 = add_slice(%7, %1, %6) : f64[20]
  %17 = add(%16, %15) : f64[20]
  %18 = fill(%3) : f64[6, 7]
  %19 = reshape(%2) : f64[4, 5]
  %20 = const() <i=2> : i64
  %21 = add_slice(%18, %19, %5, %20) : f64[6, 7]
  %22 = const() <i=1> : i64
  %23 = add_slice(%21, %19, %20, %22) : f64[6, 7]
  yield(%15, %17, %16, %23)
})";
  agree(text, {randomTensor(ir::f64({20}), 1), randomTensor(ir::f64({5}), 2),
               randomTensor(ir::f64({20}), 3), ir::Tensor::real(-0.0)});
}

TEST_CASE("fusion: cheap expressions with several readers, chains, outputs in place") {
  const char* text = R"(func @f(%0: f64[37], %1: f64) {
  %2 = sub(%0, %1) : f64[37]
  %3 = mul(%2, %2) : f64[37]
  %4 = mul(%2, %1) : f64[37]
  %5 = add(%3, %4) : f64[37]
  %6 = reduce(%5) <str="sum", ints=[0]> : f64
  %7 = exp(%5) : f64[37]
  %8 = mul(%7, %6) : f64[37]
  %9 = add(%8, %7) : f64[37]
  %10 = reduce(%9) <str="max", ints=[0]> : f64
  %11 = sub(%9, %10) : f64[37]
  %12 = reshape(%11) : f64[37, 1]
  %13 = broadcast(%2) <ints=[1]> : f64[3, 37]
  %14 = reduce(%13) <str="sum", ints=[0]> : f64[37]
  yield(%6, %7, %9, %11, %12, %7, %14)
})";
  agree(text, {randomTensor(ir::f64({37}), 1), ir::Tensor::real(0.3)});
}

TEST_CASE("compiling: large functions are not unrolled further, small ones are, all the same bits") {
  // A loop over 1000 elements for each of `count` norms.
  const auto norms = [](int count) {
    std::string text = "func @f(%0: f64[1000]) { %1 = const() <f=0> : f64";
    int next = 2;
    std::string total = "%1";
    for (int k = 0; k < count; ++k, next += 4) {
      text += fmt::format(
          " %{0} = const() <f={4}> : f64 %{1} = mul(%0, %{0}) : f64[1000]"
          " %{2} = norm(%{1}) : f64 %{3} = add({5}, %{2}) : f64",
          next, next + 1, next + 2, next + 3, 1.5 + k, total);
      total = fmt::format("%{}", next + 3);
    }
    return text + fmt::format(" yield({}) }}", total);
  };
  jit::Jit jit;
  const auto products = [&](int count) {
    auto module = parsed(norms(count));
    const std::string text = jit.llvmText(*module, *module->find("f"), jit::OptLevel::O2);
    int found = 0;
    for (size_t at = 0; (at = text.find("fmul <8 x double>", at)) != std::string::npos; ++at)
      ++found;
    return found;
  };
  CHECK(products(1) > 1);
  CHECK(products(150) == 150);
  agree(norms(150), {randomTensor(ir::f64({1000}), 4)});
}
