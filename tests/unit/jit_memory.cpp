// Compiled code allocates nothing: a run's number of allocations does not depend on how much it
// computes, with arrays of dynamic sizes, tapes, calls and library routines in its loops.
#include "tests/unit/jit_support.h"

#include <atomic>
#include <cstddef>

#if !defined(__SANITIZE_ADDRESS__) && !(defined(__has_feature) && __has_feature(address_sanitizer))

namespace {
std::atomic<size_t> allocations{0};
}

extern "C" void* __libc_malloc(size_t);
extern "C" void* __libc_calloc(size_t, size_t);
extern "C" void* __libc_realloc(void*, size_t);
extern "C" void* malloc(size_t bytes) {
  ++allocations;
  return __libc_malloc(bytes);
}
extern "C" void* calloc(size_t count, size_t bytes) {
  ++allocations;
  return __libc_calloc(count, bytes);
}
extern "C" void* realloc(void* memory, size_t bytes) {
  ++allocations;
  return __libc_realloc(memory, bytes);
}

using namespace dini;
using namespace dini::test;

TEST_CASE("jit: no allocation inside compiled code") {
  const auto module = parsed(R"(func @g(%0: f64[?]) {
  %1 = concat(%0, %0) <i=0> : f64[?]
  %2 = sigmoid(%1) : f64[?]
  yield(%2)
}
func @f(%0: i64, %1: f64[60, 60], %2: f64[60]) {
  %3 = loop(%0, %2) : f64[60] {(%4: i64, %5: f64[60])
    %6 = linear_solve(%1, %5) <ints=[0]> : f64[60]
    %7 = einsum(%1, %1) <str="ij,jk->ik"> : f64[60, 60]
    %8 = index(%7, %4) : f64[60]
    %9 = argsort(%6) : i64[60]
    %10 = gather(%8, %9) : f64[60]
    %11 = const() <i=3> : i64
    %12 = iadd(%4, %11) : i64
    %13 = const() <i=0> : i64
    %14 = slice(%10, %13, %12) : f64[?]
    %15 = call(%14) <str="g"> : f64[?]
    %16 = reduce(%15) <str="sum", ints=[0]> : f64
    %17, %18, %19 = while(%16) : f64, i64, f64[?] {(%20: f64)
      %21 = const() <f=0.5> : f64
      %22 = flt(%21, %20) : i1
      yield(%22)
    } {(%23: f64)
      %24 = const() <f=0.5> : f64
      %25 = mul(%23, %24) : f64
      yield(%25, %23)
    }
    %26 = norm(%19) : f64
    %27, %28 = eigh(%1) : f64[60], f64[60, 60]
    %29 = safe_div(%27, %26) : f64[60]
    %30 = normalize(%29) : f64[60]
    yield(%30)
  }
  yield(%3)
})");
  ir::Tensor a = randomTensor(ir::f64({60, 60}), 1);
  for (size_t k = 0; k < 60; ++k) a.reals[61 * k] += 40;
  const ir::Tensor b = randomTensor(ir::f64({60}), 2);
  const auto counted = [&](int64_t trips) {
    const std::vector<ir::Tensor> arguments{ir::Tensor::integer(trips), a, b};
    const size_t before = allocations;
    const auto outcome = sharedJit().run(*module, *module->find("f"), arguments);
    const size_t made = allocations - before;
    REQUIRE(std::holds_alternative<std::vector<ir::Tensor>>(outcome));
    return made;
  };
  counted(2);  // compiles, loads BLAS
  CHECK(counted(1) == counted(40));
}

#endif
