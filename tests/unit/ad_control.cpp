// Differentiation through loops, while, branches, try and recursion.
#include <doctest/doctest.h>

#include "tests/unit/ad_support.h"

using namespace dini;
using namespace dini::test;

TEST_CASE("a map, a loop with a carry that reads it, and a branch") {
  Program program(R"(func @f(%0.x: f64[4], %1.w: f64) {
  %2 = const() <i=4> : i64
  %3 = loop(%2) : f64[4] {(%4: i64)
    %5 = index(%0.x, %4) : f64
    %6 = mul(%5, %1.w) : f64
    %7 = exp(%6) : f64
    yield(%7)
  }
  %8 = const() <f=1> : f64
  %9 = const() <i=3> : i64
  %10 = loop(%9, %8) : f64 {(%11: i64, %12: f64)
    %13 = index(%3, %11) : f64
    %14 = sin(%12) : f64
    %15 = mul(%14, %13) : f64
    yield(%15)
  }
  %16 = const() <f=0> : f64
  %17 = flt(%10, %16) : i1
  %18 = if(%17) : f64 {()
    %19 = cos(%10) : f64
    yield(%19)
  } {()
    %20 = mul(%10, %10) : f64
    yield(%20)
  }
  yield(%18)
}
)");
  checkLaws(program, "f", {vec({0.1, -0.4, 0.8, 0.3}), scalar(0.7)});
}

TEST_CASE("recursion") {
  Program program(R"(func @g(%0.x: f64, %1.n: i64) {
  %2 = const() <i=0> : i64
  %3 = ieq(%1.n, %2) : i1
  %4 = if(%3) : f64 {()
    yield(%0.x)
  } {()
    %5 = const() <i=1> : i64
    %6 = isub(%1.n, %5) : i64
    %7 = sin(%0.x) : f64
    %8 = call(%7, %6) <str="g"> : f64
    %9 = mul(%8, %0.x) : f64
    yield(%9)
  }
  yield(%4)
}
func @f(%0.x: f64) {
  %1 = const() <i=3> : i64
  %2 = call(%0.x, %1) <str="g"> : f64
  yield(%2)
}
)");
  checkLaws(program, "f", {scalar(0.8)}, 3);
}

TEST_CASE("while with stacked values, and try") {
  const std::string text = R"(func @f(%0.x: f64, %1.y: f64) {
  %2 = const() <f=1> : f64
  %3, %4, %5 = while(%0.x) : f64, i64, f64[?] {(%6: f64)
    %7 = flt(%6, %1.y) : i1
    yield(%7)
  } {(%8: f64)
    %9 = mul(%8, %8) : f64
    %10 = add(%9, %2) : f64
    yield(%10, %9)
  }
  %11 = reduce(%5) <str="sum", ints=[0]> : f64
  %12 = add(%11, %3) : f64
  %20 = try() : f64 {()
    %21 = flt(%12, %1.y) : i1
    check(%21) <i=6, str="a">
    %22 = exp(%12) : f64
    yield(%22)
  } {()
    %23 = mul(%0.x, %12) : f64
    yield(%23)
  }
  yield(%20)
}
)";
  Program program(text);
  checkLaws(program, "f", {scalar(0.4), scalar(3.0)});   // the second side
  checkLaws(program, "f", {scalar(0.4), scalar(0.3)}, 2);  // no iteration
}

TEST_CASE("nested maps over a matrix; an array carried and updated in place") {
  Program program(R"(func @f(%0.A: f64[3, 2], %1.x: f64[2]) {
  %2 = const() <i=3> : i64
  %3 = const() <i=2> : i64
  %4 = loop(%2) : f64[3] {(%5: i64)
    %6 = loop(%3) : f64[2] {(%7: i64)
      %8 = index(%0.A, %5, %7) : f64
      %9 = index(%1.x, %7) : f64
      %10 = mul(%8, %9) : f64
      %11 = tanh(%10) : f64
      yield(%11)
    }
    %12 = reduce(%6) <str="sum", ints=[0]> : f64
    yield(%12)
  }
  %13 = const() <f=0.5> : f64
  %14 = fill(%13) : f64[3]
  %15 = loop(%3, %14) : f64[3] {(%16: i64, %17: f64[3])
    %18 = index(%17, %16) : f64
    %19 = index(%4, %16) : f64
    %20 = mul(%18, %19) : f64
    %21 = const() <i=1> : i64
    %22 = iadd(%16, %21) : i64
    %23 = update(%17, %20, %22) : f64[3]
    yield(%23)
  }
  %24 = einsum(%15, %4) <str="i,i->"> : f64
  yield(%24, %15)
}
)");
  checkLaws(program, "f", {mat(3, 2, {0.3, -0.5, 0.8, 0.2, -0.1, 0.6}), vec({0.9, -1.1})});
}

TEST_CASE("a while inside a map and inside a loop, with another trip count each time") {
  Program program(R"(func @f(%0.x: f64[3], %1.y: f64) {
  %2 = const() <i=3> : i64
  %3 = loop(%2) : f64[3] {(%4: i64)
    %5 = index(%0.x, %4) : f64
    %6, %7, %8 = while(%5) : f64, i64, f64[?] {(%9: f64)
      %10 = flt(%9, %1.y) : i1
      yield(%10)
    } {(%11: f64)
      %12 = mul(%11, %11) : f64
      %13 = add(%12, %5) : f64
      %14 = sin(%13) : f64
      yield(%13, %14)
    }
    %15 = reduce(%8) <str="sum", ints=[0]> : f64
    %16 = mul(%15, %6) : f64
    yield(%16)
  }
  %20 = loop(%2, %1.y) : f64 {(%21: i64, %22: f64)
    %23 = index(%3, %21) : f64
    %24, %25 = while(%23) : f64, i64 {(%26: f64)
      %27 = exp(%22) : f64
      %28 = flt(%26, %27) : i1
      yield(%28)
    } {(%29: f64)
      %30 = const() <f=1.25> : f64
      %31 = mul(%29, %30) : f64
      %32 = add(%31, %22) : f64
      yield(%32)
    }
    %33 = tanh(%24) : f64
    yield(%33)
  }
  yield(%20)
}
)");
  checkLaws(program, "f", {vec({0.6, 1.1, 2.5}), scalar(2.0)});
}
