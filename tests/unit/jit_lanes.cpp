// Maps that run eight members at a time: divergent loops and branches, small arrays and systems,
// failing members. The interpreter runs one member after another; the bits must be the same.
#include "tests/unit/jit_support.h"

#include <fmt/format.h>

using namespace dini;
using namespace dini::test;

namespace {
const char* kNewton = R"(func @f(%0: f64[?], %90: i64) {
  %1 = dim(%0) <i=0> : i64
  %2, %3 = loop(%1) : f64[?], i64[?] {(%4: i64)
    %5 = index(%0, %4) : f64
    %6 = const() <f=0.5> : f64
    %7, %8, %30 = root(%6) <f=1e-10, str="implicit", ints=[0, 0, 1]> : f64, i64, i1 {(%9: f64)
      %10 = const() <i=0> : i64
      %11 = const() <f=1> : f64
      %12, %13, %14, %29 = while(%9, %10, %11) : f64, i64, f64, i64 {(%15: f64, %16: i64, %17: f64)
        %18 = const() <f=1e-12> : f64
        %19 = flt(%18, %17) : i1
        %20 = ilt(%16, %90) : i1
        %21 = and(%19, %20) : i1
        yield(%21)
      } {(%22: f64, %23: i64, %24: f64)
        %31 = exp(%22) : f64
        %32 = add(%31, %22) : f64
        %33 = sub(%32, %5) : f64
        %34 = const() <f=1> : f64
        %35 = add(%31, %34) : f64
        %36 = div(%33, %35) : f64
        %37 = sub(%22, %36) : f64
        %38 = mul(%36, %36) : f64
        %39 = sqrt(%38) : f64
        %40 = const() <i=1> : i64
        %41 = iadd(%23, %40) : i64
        yield(%37, %41, %39)
      }
      %42 = const() <i=1> : i64
      %43 = const() <i=0> : i1
      yield(%12, %13, %42, %43)
    } {(%50: f64)
      %51 = exp(%50) : f64
      %52 = add(%51, %50) : f64
      yield(%52, %5)
    }
    yield(%7, %8)
  }
  yield(%2, %3)
})";
}  // namespace

TEST_CASE("lanes: a Newton solve per element") {
  for (int64_t n : {0, 1, 3, 5, 8, 9, 16, 37}) {
    const ir::Outcome outcome =
        agree(kNewton, {randomTensor(ir::f64({n}), 3), ir::Tensor::integer(50)});
    CHECK(std::holds_alternative<std::vector<ir::Tensor>>(outcome));
  }
}

TEST_CASE("lanes: the first member that fails is reported, with what it found") {
  ir::Tensor x = randomTensor(ir::f64({29}), 3);
  agree(kNewton, {x, ir::Tensor::integer(2)});
  x.reals[21] = NAN;
  x.reals[13] = INFINITY;
  agree(kNewton, {x, ir::Tensor::integer(50)});
  x.reals[13] = 1e6;
  agree(kNewton, {x, ir::Tensor::integer(20)});
}

TEST_CASE("lanes: branches, nested loops, breaks, bounds") {
  const char* text = R"(func @f(%0: f64[?], %1: f64[7], %2: i64) {
  %3 = dim(%0) <i=0> : i64
  %4, %5, %6 = loop(%3) : f64[?], i64[?], f64[?, 3] {(%7: i64)
    %8 = index(%0, %7) : f64
    %9 = const() <f=0> : f64
    %10 = flt(%9, %8) : i1
    %11, %12 = if(%10) : f64, f64[3] {()
      %13 = const() <i=7> : i64
      %14 = loop(%13, %8) : f64 {(%15: i64, %16: f64)
        %17 = index(%1, %15) : f64
        %18 = mul(%16, %17) : f64
        %19 = sin(%18) : f64
        yield(%19)
      }
      %20 = pack(%14, %8, %9) : f64[3]
      yield(%14, %20)
    } {()
      %21 = neg(%8) : f64
      %22 = flt(%9, %21) : i1
      %23 = if(%22) : f64 {()
        %24 = log(%21) : f64
        yield(%24)
      } {()
        yield(%9)
      }
      %25 = pack(%9, %9, %23) : f64[3]
      yield(%23, %25)
    }
    %26 = const() <i=0> : i64
    %27, %28, %29, %30 = while(%11, %26, %12) <i=60> : f64, i64, f64[3], i64 {(%31: f64, %32: i64, %33: f64[3])
      %34 = const() <f=0.01> : f64
      %35 = mul(%31, %31) : f64
      %36 = flt(%34, %35) : i1
      yield(%36)
    } {(%37: f64, %38: i64, %39: f64[3])
      %40 = const() <f=0.75> : f64
      %41 = mul(%37, %40) : f64
      %42 = const() <i=3> : i64
      %43 = imod(%38, %42) : i64
      %44 = add_at(%39, %41, %43) : f64[3]
      %45 = iadd(%38, %2) : i64
      yield(%41, %45, %44)
    }
    yield(%27, %28, %29)
  }
  yield(%4, %5, %6)
})";
  for (int64_t n : {4, 8, 21})
    agree(text,
          {randomTensor(ir::f64({n}), 7), randomTensor(ir::f64({7}), 8), ir::Tensor::integer(1)});
  ir::Tensor x = randomTensor(ir::f64({21}), 7);
  x.reals[5] = 0;
  x.reals[11] = NAN;
  x.reals[17] = -1e9;
  agree(text, {x, randomTensor(ir::f64({7}), 8), ir::Tensor::integer(1)});
  x.reals[3] = -INFINITY;  // the bound
  agree(text, {x, randomTensor(ir::f64({7}), 8), ir::Tensor::integer(2)});
}

TEST_CASE("lanes: checks, try, indices that only some members may use") {
  const char* text = R"(func @f(%0: f64[?], %1: i64[?], %2: f64[5]) {
  %3 = dim(%0) <i=0> : i64
  %4, %5 = loop(%3) : f64[?], f64[?] {(%6: i64)
    %7 = index(%0, %6) : f64
    %8 = index(%1, %6) : i64
    %9 = try() : f64 {()
      %10 = const() <i=5> : i64
      %11 = const() <i=0> : i64
      %12 = ile(%11, %8) : i1
      %13 = ilt(%8, %10) : i1
      %14 = and(%12, %13) : i1
      check(%14) <i=7, str="index">
      %15 = index(%2, %8) : f64
      yield(%15)
    } {()
      %16 = const() <f=0.5> : f64
      %17 = flt(%7, %16) : i1
      check(%17, %7) <i=6, str="neither">
      %18 = neg(%7) : f64
      yield(%18)
    }
    %19 = sqrt(%7) : f64
    %20 = isnan(%19) : i1
    %21 = if(%20) : f64 {()
      %22 = const() <f=-1.9> : f64
      %23 = flt(%22, %7) : i1
      check(%23, %7, %9) <i=12, str="too small">
      yield(%7)
    } {()
      yield(%19)
    }
    yield(%9, %21)
  }
  yield(%4, %5)
})";
  ir::Tensor x = randomTensor(ir::f64({19}), 11);
  ir::Tensor indices = randomTensor(ir::i64({19}), 12);
  const ir::Tensor table = randomTensor(ir::f64({5}), 13);
  agree(text, {x, indices, table});
  for (double& v : x.reals) v = std::fmin(v, 0.4);
  agree(text, {x, indices, table});
  x.reals[14] = -1.95;
  x.reals[12] = -1.99;
  agree(text, {x, indices, table});
  x.reals[12] = 0.9;
  indices.ints[12] = 1000000000;
  agree(text, {x, indices, table});
  indices.ints[12] = 3;
  agree(text, {x, indices, table});
}

TEST_CASE("lanes: small systems, reductions, views and norms of a member's arrays") {
  const char* text = R"(func @f(%0: f64[?, 3, 3], %1: f64[?, 3], %2: f64[3, 3]) {
  %3 = dim(%1) <i=0> : i64
  %4, %5, %6, %7, %8 = loop(%3) : f64[?, 3], f64[?], f64[?, 3], f64[?], f64[?, 1] {(%9: i64)
    %10 = index(%0, %9) : f64[3, 3]
    %11 = index(%1, %9) : f64[3]
    %12 = add(%10, %2) : f64[3, 3]
    %13 = linear_solve(%12, %11) <ints=[0]> : f64[3]
    %14, %15, %16 = factor(%12) : f64[3, 3], i64[3], f64
    %17 = solve_factored(%14, %15, %13) <ints=[1]> : f64[3]
    %18 = einsum(%12, %13) <str="ij,j->i"> : f64[3]
    %19 = sub(%18, %11) : f64[3]
    %20 = reduce(%19) <str="sum", ints=[0]> : f64
    %21 = transpose(%12) <ints=[1, 0]> : f64[3, 3]
    %22 = reduce(%21) <str="max", ints=[1]> : f64[3]
    %23 = norm(%22) : f64
    %24 = normalize(%17) : f64[3]
    %25 = add(%24, %22) : f64[3]
    %26 = const() <i=1> : i64
    %27 = update(%25, %16, %26) : f64[3]
    %28 = reduce(%12) <str="sum", ints=[0, 1]> : f64
    %29 = pack(%28) : f64[1]
    %30 = reshape(%23) : f64[1, 1]
    %31 = linear_solve(%30, %29) <ints=[0]> : f64[1]
    yield(%17, %20, %27, %23, %31)
  }
  yield(%4, %5, %6, %7, %8)
})";
  const ir::Tensor eye = [] {
    ir::Tensor t = ir::Tensor::zeros(ir::f64({3, 3}));
    for (size_t k = 0; k < 3; ++k) t.reals[4 * k] = 3;
    return t;
  }();
  ir::Tensor a = randomTensor(ir::f64({13, 3, 3}), 1);
  const ir::Tensor b = randomTensor(ir::f64({13, 3}), 2);
  agree(text, {a, b, eye});
  for (size_t k = 0; k < 9; ++k) a.reals[9 * 10 + k] = 1 - eye.reals[k];  // singular: all ones
  agree(text, {a, b, eye});
}

TEST_CASE("lanes: an element at the map's own index") {
  const char* text = R"(func @f(%0: f64[9], %1: f64) {
    %2 = const() <i=9> : i64
    %3 = loop(%2) : f64[9] {(%4: i64)
      %5 = index(%0, %4) : f64
      %6 = mul(%0, %5) : f64[9]
      %7 = add_at(%6, %5, %4) : f64[9]
      %8 = norm(%7) : f64
      %9 = mul(%7, %8) : f64[9]
      %10 = update(%9, %1, %4) : f64[9]
      %11 = norm(%10) : f64
      yield(%11)
    }
    yield(%3)
  })";
  CHECK(std::holds_alternative<std::vector<ir::Tensor>>(
      agree(text, {randomTensor(ir::f64({9}), 5), ir::Tensor::real(2)})));
}
