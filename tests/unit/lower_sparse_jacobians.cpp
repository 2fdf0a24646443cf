// Which Jacobians are found to be sparse, and what the pattern is. That their numbers are those of dense ones:
// tests/programs/sparse_jacobians.dini.
#include <doctest/doctest.h>

#include "ad/sparse_jacobian.h"
#include "analysis/sparsity.h"
#include "ir/printer.h"
#include "tests/unit/lower_support.h"

using namespace dini;
using lower_test::Program;

namespace {

types::TypePtr vector(int64_t n) { return types::realType({types::Size(n)}); }

// Of fn f(z: real[n]) -> real[n] = body: per element what it depends on, "0 1|1 2|...".
std::string pattern(const std::string& body, int64_t n) {
  const std::string size = std::to_string(n);
  Program program("fn f(z: real[" + size + "]) -> real[" + size + "] = " + body);
  auto module = std::get<std::unique_ptr<ir::Module>>(ir::parseModule(program.ir("f", {vector(n)})));
  auto found = analysis::dependencies(*module->functions.begin()->second, 0, 1, {});
  REQUIRE(found.has_value());
  std::string text;
  for (const analysis::DependencySet& row : found->rows) {
    if (&row != found->rows.data()) text += "|";
    for (size_t k = 0; row != nullptr && k < row->size(); ++k) text += (k > 0 ? " " : "") + std::to_string((*row)[k]);
  }
  return text;
}

std::optional<ad::SparsePlan> plan(const std::string& body, int64_t n) {
  const std::string size = std::to_string(n);
  Program program("fn f(z: real[" + size + "]) -> real[" + size + "] = " + body);
  auto module = std::get<std::unique_ptr<ir::Module>>(ir::parseModule(program.ir("f", {vector(n)})));
  return ad::sparsePlan(*module->functions.begin()->second, 0, 1, {});
}

}  // namespace

TEST_CASE("the pattern of a Jacobian follows indices that the program knows") {
  CHECK(pattern("[z[i] + (if i > 0 { z[i - 1] } else { 0.0 }) for i in 0..4]", 4) == "0|0 1|1 2|2 3");
  CHECK(pattern("[z[mod(2*i + 1, 4)]^2 for i in 0..4]", 4) == "1|3|1|3");
  CHECK(pattern("concat(z[2..4], flip(z[0..2]))", 4) == "2|3|1|0");
  CHECK(pattern("z[[3, 0, 0, 1]]", 4) == "3|0|0|1");
  CHECK(pattern("{ let M = reshape(z, 2, 2)\n reshape(M' + 0*M, 4) }", 4) == "0|1 2|1 2|3");
  CHECK(pattern("{ let M = reshape(z, 2, 2)\n concat(sum(M, axis = 0), sum(M, axis = 1)) }", 4) == "0 2|1 3|0 1|2 3");
  CHECK(pattern("{ var f = zeros(4)\n for i in 1..4 { f[i] += z[i - 1]\n f[0] += z[i] }\n f }", 4) == "1 2 3|0|1|2");
}

TEST_CASE("kinks and conditions on unknowns: both sides; a constant has no entries; stop has none") {
  CHECK(pattern("[if z[i] > 0 { z[0] } else { z[1] } for i in 0..3]", 3) == "0 1|0 1|0 1");
  CHECK(pattern("[max(z[i], z[0]) for i in 0..3]", 3) == "0|0 1|0 2");
  CHECK(pattern("[stop(z[i]) + 1 for i in 0..3]", 3) == "||");
  CHECK(pattern("[1.0, z[1], 2.0]", 3) == "|1|");
}

TEST_CASE("what is known only when the program runs counts as everything") {
  CHECK(pattern("[z[mod(int(z[i]), 3)] for i in 0..3]", 3) == "0 1 2|0 1 2|0 1 2");
  CHECK(pattern("sort(z)", 3) == "0 1 2|0 1 2|0 1 2");
}

TEST_CASE("columns in groups that share no row; dense or small is not sparse") {
  auto band = plan("[z[i] + z[max(i - 1, 0)] + z[min(i + 1, 99)] for i in 0..100]", 100);
  REQUIRE(band.has_value());
  CHECK(band->groups == 3);
  CHECK(band->rows.size() == 298);
  CHECK(!plan("[z[i] + z[max(i - 1, 0)] for i in 0..63]", 63).has_value());
  CHECK(!plan("z + sum(z)*ones(100)", 100).has_value());
  CHECK(!plan("[z[i] + z[0] + z[mod(i*i + 1, 100)] + (if i == 0 { sum(z) } else { 0.0 }) for i in 0..100]", 100).has_value());
}

TEST_CASE("newton and the derivative take the sparse Jacobian, unless `linear = lu` says dense") {
  auto taken = [](int64_t n, const std::string& clause) {
    const std::string size = std::to_string(n);
    Program program("fn f(p: real[" + size + "]) -> real[" + size + "] = solve z: real[" + size +
                    "] { 3*z + z.^3 + 0.5*flip(z) == p } " + clause + "\nfn g(p: real[" + size + "]) -> real = sum(f(p))\n" +
                    "fn h(p: real[" + size + "]) -> real[" + size + "] = grad(g)(p)");
    auto has = [&](const char* f) { return program.ir(f, {vector(n)}).find("sparse_solve(") != std::string::npos; };
    return std::pair{has("f"), has("h")};
  };
  CHECK(taken(64, "") == std::pair{true, true});
  CHECK(taken(63, "") == std::pair{false, false});
  CHECK(taken(64, "differentiate implicit(linear = lu)") == std::pair{false, false});
}
