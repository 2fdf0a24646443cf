// Array operations in every engine, static and dynamic sizes, views of views, updates in place.
#include "tests/unit/jit_support.h"

#include <fmt/format.h>

using namespace dini;
using namespace dini::test;

namespace {
ir::Tensor ints(std::vector<int64_t> values) {
  ir::Tensor tensor = ir::Tensor::zeros(ir::i64({static_cast<int64_t>(values.size())}));
  tensor.ints = std::move(values);
  return tensor;
}
}  // namespace

TEST_CASE("jit: reductions over every set of axes") {
  for (const char* axes : {"", "0", "1", "2", "0, 1", "0, 2", "1, 2", "0, 1, 2"})
    for (const char* how : {"sum", "max", "min"}) {
      std::vector<int64_t> dims{5, 3, 18};
      std::string kept;
      for (int64_t k = 0; k < 3; ++k)
        if (std::string(axes).find(static_cast<char>('0' + k)) == std::string::npos)
          kept += (kept.empty() ? "[" : ", ") + std::to_string(dims[static_cast<size_t>(k)]);
      if (!kept.empty()) kept += "]";
      for (bool special : {false, true})
        agree(fmt::format("func @f(%0: f64[5, 3, 18]) {{\n  %1 = mul(%0, %0) : f64[5, 3, 18]\n"
                          "  %2 = reduce(%1) <str=\"{}\", ints=[{}]> : f64{}\n  yield(%2)\n}}",
                          how, axes, kept),
              {randomTensor(ir::f64(dims), 5, special)});
    }
}

TEST_CASE("jit: reductions of integers and booleans") {
  for (const char* how : {"sum", "max", "min"})
    agree(fmt::format("func @f(%0: i64[13]) {{\n  %1 = reduce(%0) <str=\"{}\", ints=[0]> : i64\n  "
                      "yield(%1)\n}}",
                      how),
          {randomTensor(ir::i64({13}), 9)});
  for (const char* how : {"any", "all"})
    for (uint64_t seed = 0; seed < 4; ++seed)
      agree(fmt::format("func @f(%0: i1[3, 10]) {{\n  %1 = reduce(%0) <str=\"{}\", ints=[1]> : "
                        "i1[3]\n  %2 = reduce(%0) <str=\"{}\", ints=[0]> : i1[10]\n"
                        "  %3 = reduce(%0) <str=\"{}\", ints=[0, 1]> : i1\n  yield(%1, %2, %3)\n}}",
                        how, how, how),
            {randomTensor(ir::i1({3, 10}), seed)});
}

TEST_CASE("jit: extremes meet the first of equal zeros, NaN wins, empty groups") {
  for (const char* how : {"max", "min"}) {
    const std::string text = fmt::format(
        "func @f(%0: f64[?]) {{\n  %1 = reduce(%0) <str=\"{}\", ints=[0]> : f64\n  %2 = "
        "arg_extreme(%0) <str=\"{}\"> : i64\n  yield(%1, %2)\n}}",
        how, how);
    agree(text, {vec({-0.0, 0.0, -0.0, 0, 0, 0, 0, 0, 0, 0, 0})});
    agree(text, {vec({0.0, -0.0, 0, 0, 0, 0, 0, 0, 0, -0.0, 0})});
    agree(text, {vec({1, 2, NAN, 4, 2, 1, 8, 9, 10, 3})});
    agree(text, {vec({-INFINITY, -INFINITY})});
    agree(text, {vec({INFINITY, INFINITY})});
    agree(text, {vec({})});
  }
}

TEST_CASE("jit: einsum of every kind") {
  struct Case {
    const char* spec;
    std::vector<int64_t> a, b, out;
  };
  const Case cases[] = {
      {"i,i->", {21}, {21}, {}},
      {"ij,j->i", {5, 19}, {19}, {5}},
      {"ij,i->j", {19, 11}, {19}, {11}},
      {"ij,jk->ik", {4, 9}, {9, 11}, {4, 11}},
      {"ji,jk->ik", {9, 4}, {9, 11}, {4, 11}},
      {"ij,kj->ik", {4, 17}, {7, 17}, {4, 7}},
      {"ij,kj->ki", {4, 17}, {7, 17}, {7, 4}},
      {"i,j->ij", {5}, {9}, {5, 9}},
      {"i,j->ji", {5}, {9}, {9, 5}},
      {"ij,ij->", {3, 11}, {3, 11}, {}},
      {"ij,ji->", {3, 11}, {11, 3}, {}},
      {"bij,bjk->bik", {2, 3, 4}, {2, 4, 5}, {2, 3, 5}},
      {"ij,ij->i", {3, 11}, {3, 11}, {3}},
      {"ijk,jk->i", {3, 4, 5}, {4, 5}, {3}},
      {"i,i->i", {10}, {10}, {10}},
      {"ij,j->ij", {3, 9}, {9}, {3, 9}},
  };
  const auto type = [](const std::vector<int64_t>& dims) { return ir::str(ir::f64(dims)); };
  for (const Case& c : cases)
    agree(
        fmt::format(
            "func @f(%0: {}, %1: {}) {{\n  %2 = einsum(%0, %1) <str=\"{}\"> : {}\n  yield(%2)\n}}",
            type(c.a), type(c.b), c.spec, type(c.out)),
        {randomTensor(ir::f64(c.a), 1), randomTensor(ir::f64(c.b), 2)});
}

TEST_CASE("jit: large products go to BLAS and agree to rounding") {
  const auto module = parsed(R"(func @f(%0: f64[40, 50], %1: f64[60, 50]) {
  %2 = transpose(%1) <ints=[1, 0]> : f64[50, 60]
  %3 = einsum(%0, %2) <str="ij,jk->ik"> : f64[40, 60]
  %4 = einsum(%0, %2) <str="ij,jk->ki"> : f64[60, 40]
  yield(%3, %4)
})");
  const std::vector<ir::Tensor> arguments{randomTensor(ir::f64({40, 50}), 1),
                                          randomTensor(ir::f64({60, 50}), 2)};
  const auto expected = std::get<0>(*ir::interpret(*module, *module->find("f"), arguments));
  const auto found = std::get<0>(sharedJit().run(*module, *module->find("f"), arguments));
  double worst = 0;
  for (size_t k = 0; k < 2; ++k)
    for (size_t j = 0; j < expected[k].reals.size(); ++j)
      worst = std::fmax(worst, std::fabs(expected[k].reals[j] - found[k].reals[j]));
  CHECK(worst < 1e-12);
}

TEST_CASE("jit: views, and views of views") {
  agree(R"(func @f(%0: f64[6, 10], %1: i64, %2: i64[4]) {
  %3 = const() <i=2> : i64
  %4 = slice(%0, %1, %3) : f64[3, 7]
  %5 = transpose(%4) <ints=[1, 0]> : f64[7, 3]
  %6 = flip(%5) <i=0> : f64[7, 3]
  %7 = reshape(%6) : f64[21]
  %8 = exp(%7) : f64[21]
  %9 = gather(%0, %2) : f64[4, 10]
  %10 = broadcast(%8) <ints=[1]> : f64[2, 21]
  %11 = index(%9, %3) : f64[10]
  %12 = flip(%11) <i=0> : f64[10]
  %13 = add(%12, %11) : f64[10]
  %14 = reshape(%5) : f64[3, 7]
  %15 = mul(%14, %4) : f64[3, 7]
  %16 = index(%0, %1, %3) : f64
  yield(%5, %6, %7, %8, %9, %10, %11, %13, %15, %16, %4)
})",
        {randomTensor(ir::f64({6, 10}), 4), ir::Tensor::integer(1), ints({5, 0, 3, 3})});
}

TEST_CASE("jit: constants, fill, iota, pack, concat") {
  agree(R"(func @f(%0: f64[2, 3], %1: f64[2, 4], %2: f64, %3: i64, %4: f64[1, 3]) {
  %5 = const() <data=[1, 2, 3, 4]> : f64[2, 2]
  %6 = concat(%0, %1, %5) <i=1> : f64[2, 9]
  %7 = concat(%0, %4) <i=0> : f64[3, 3]
  %8 = fill(%2, %3) : f64[?]
  %9 = iota(%3) : i64[?]
  %10 = int_to_real(%9) : f64[?]
  %11 = add(%8, %10) : f64[?]
  %12 = pack(%2, %2, %2) : f64[3]
  %13 = pack(%0, %0) : f64[2, 2, 3]
  %14 = dim(%11) <i=0> : i64
  %15 = exp(%6) : f64[2, 9]
  %16 = concat(%11, %11) <i=0> : f64[?]
  %17 = const() <ints=[1, 0, 1]> : i1[3]
  %18 = const() <ints=[-7, 9]> : i64[2]
  yield(%6, %7, %8, %9, %11, %12, %13, %14, %15, %16, %17, %18)
})",
        {randomTensor(ir::f64({2, 3}), 4), randomTensor(ir::f64({2, 4}), 5), ir::Tensor::real(0.7),
         ir::Tensor::integer(13), randomTensor(ir::f64({1, 3}), 6)});
}

TEST_CASE("jit: updates keep the value they start from where it is still read") {
  agree(
      R"(func @f(%0: f64[4, 3], %1: f64[3], %2: i64, %3: f64, %4: f64[2, 2], %5: i64[5], %6: f64[5, 3]) {
  %7 = exp(%0) : f64[4, 3]
  %8 = update(%7, %1, %2) : f64[4, 3]
  %9 = update(%7, %3, %2, %2) : f64[4, 3]
  %10 = add_at(%9, %3, %2, %2) : f64[4, 3]
  %11 = add_at(%10, %1, %2) : f64[4, 3]
  %12 = const() <i=1> : i64
  %13 = add_slice(%11, %4, %12, %12) : f64[4, 3]
  %14 = update_slice(%13, %4, %2, %12) : f64[4, 3]
  %15 = scatter_add(%14, %5, %6) : f64[4, 3]
  %16 = index(%15, %12) : f64[3]
  %17 = update(%15, %3, %2, %2) : f64[4, 3]
  %18 = add(%17, %15) : f64[4, 3]
  yield(%8, %15, %16, %17, %18)
})",
      {randomTensor(ir::f64({4, 3}), 1), randomTensor(ir::f64({3}), 2), ir::Tensor::integer(2),
       ir::Tensor::real(3.5), randomTensor(ir::f64({2, 2}), 3), ints({0, 3, 3, 1, 0}),
       randomTensor(ir::f64({5, 3}), 4)});
}

TEST_CASE("jit: loops that update a carried array, swap two and shift one") {
  agree(R"(func @f(%0: f64[9], %1: f64[9], %2: i64) {
  %3, %4 = loop(%2, %0, %1) : f64[9], f64[9] {(%5: i64, %6: f64[9], %7: f64[9])
    %8 = const() <i=9> : i64
    %9 = imod(%5, %8) : i64
    %10 = index(%7, %9) : f64
    %11 = add_at(%6, %10, %9) : f64[9]
    %12 = flip(%7) <i=0> : f64[9]
    yield(%12, %11)
  }
  %13 = loop(%2, %0) : f64[9] {(%14: i64, %15: f64[9])
    %16 = const() <f=0.5> : f64
    %17 = mul(%15, %16) : f64[9]
    %18 = sin(%15) : f64[9]
    %19 = add(%17, %18) : f64[9]
    yield(%19)
  }
  %20, %21 = loop(%2, %0, %1) : f64[9], f64[9] {(%22: i64, %23: f64[9], %24: f64[9])
    yield(%24, %23)
  }
  %25, %26 = loop(%2, %0) : f64[9], f64[?, 9] {(%27: i64, %28: f64[9])
    %29 = mul(%28, %28) : f64[9]
    %30 = cos(%29) : f64[9]
    yield(%30, %28)
  }
  yield(%3, %4, %13, %20, %21, %25, %26, %0)
})",
        {randomTensor(ir::f64({9}), 1), randomTensor(ir::f64({9}), 2), ir::Tensor::integer(11)});
}

TEST_CASE("jit: while with a tape, a bound, dynamic carries") {
  const char* text = R"(func @f(%0: f64, %1: f64[2]) {
  %2, %3, %4, %5, %6 = while(%0, %1) <i=50> : f64, f64[2], i64, f64[?], f64[?, 2] {(%7: f64, %8: f64[2])
    %9 = const() <f=100> : f64
    %10 = flt(%7, %9) : i1
    yield(%10)
  } {(%11: f64, %12: f64[2])
    %13 = const() <f=1.5> : f64
    %14 = mul(%11, %13) : f64
    %15 = mul(%12, %14) : f64[2]
    yield(%14, %15, %11, %12)
  }
  yield(%2, %3, %4, %5, %6)
})";
  agree(text, {ir::Tensor::real(1), vec({1, 2})});
  agree(text, {ir::Tensor::real(1000), vec({1, 2})});
  agree(text, {ir::Tensor::real(-1), vec({1, 2})});  // the bound
  agree(R"(func @f(%0: f64[?], %1: i64) {
  %2, %3 = loop(%1, %0) : f64[?], f64[?] {(%4: i64, %5: f64[?])
    %6 = concat(%5, %5) <i=0> : f64[?]
    %7 = reduce(%5) <str="sum", ints=[0]> : f64
    yield(%6, %7)
  }
  %8 = dim(%2) <i=0> : i64
  yield(%2, %3, %8)
})",
        {vec({1, 2, 3}), ir::Tensor::integer(4)});
}

TEST_CASE("jit: orders and their derivatives at ties") {
  const ir::Tensor tied = vec({3, 1, 2, 1, 3, 3, NAN, 0, -0.0, 2}),
                   plain = randomTensor(ir::f64({10}), 8);
  for (double t : {0.0, 0.5, 1.0, 0.25})
    for (const ir::Tensor& x : {tied, plain})
      agree(fmt::format(R"(func @f(%0: f64[10], %1: f64[10]) {{
  %2 = argsort(%0) : i64[10]
  %3 = sort_pick(%0, %1) <f={0}> : f64[10]
  %4 = sort_pick_t(%0, %1) <f={0}> : f64[10]
  %5 = reduce_pick(%0, %1) <f={0}, str="max", ints=[0]> : f64
  %6 = reshape(%0) : f64[2, 5]
  %7 = reshape(%1) : f64[2, 5]
  %8 = reduce_pick(%6, %7) <f={0}, str="min", ints=[1]> : f64[2]
  %9 = reduce_pick(%6, %7) <f={0}, str="max", ints=[0]> : f64[5]
  %10 = reduce_pick_t(%6, %8) <f={0}, str="max", ints=[1]> : f64[2, 5]
  %11 = reduce_pick_t(%6, %9) <f={0}, str="max", ints=[0]> : f64[2, 5]
  %12 = reduce_pick_t(%0, %5) <f={0}, str="min", ints=[0]> : f64[10]
  %13 = norm(%6) : f64
  %14 = normalize(%1) : f64[10]
  yield(%2, %3, %4, %5, %8, %9, %10, %11, %12, %13, %14)
}})",
                        t),
            {x, randomTensor(ir::f64({10}), 9)});
}

TEST_CASE("jit: linear algebra, its statuses with the condition") {
  const char* text = R"(func @f(%0: f64[3, 3], %1: f64[3], %2: f64[3, 2]) {
  %3 = linear_solve(%0, %1) <ints=[0]> : f64[3]
  %4 = linear_solve(%0, %2) <ints=[1]> : f64[3, 2]
  %5, %6, %7 = factor(%0) : f64[3, 3], i64[3], f64
  %8 = solve_factored(%5, %6, %1) <ints=[1]> : f64[3]
  %9 = lstsq(%0, %1) : f64[3]
  %10, %11 = eigh(%0) : f64[3], f64[3, 3]
  %12, %13, %14 = svd(%0) : f64[3, 3], f64[3], f64[3, 3]
  %15, %16 = qr(%0) : f64[3, 3], f64[3, 3]
  %17 = einsum(%0, %0) <str="ij,kj->ik"> : f64[3, 3]
  %18 = cholesky(%17) : f64[3, 3]
  yield(%3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %18)
})";
  agree(text, {randomTensor(ir::f64({3, 3}), 1), randomTensor(ir::f64({3}), 2),
               randomTensor(ir::f64({3, 2}), 3)});
  agree(text, {ir::Tensor::zeros(ir::f64({3, 3})), randomTensor(ir::f64({3}), 2),
               randomTensor(ir::f64({3, 2}), 3)});
}
