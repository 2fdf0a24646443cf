// The laws of derivatives on random programs, and the passes on what differentiation makes.
#include <doctest/doctest.h>

#include "ad/ad.h"
#include "ir/clone.h"
#include "ir/printer.h"
#include "ir/verifier.h"
#include "opt/opt.h"
#include "tests/unit/ad_support.h"
#include "tests/unit/random_ir.h"

using namespace dini;

namespace {

testing::RandomProgram numbered(int seed) {
  testing::RandomOptions options;
  options.seed = static_cast<uint64_t>(seed);
  options.operations = 4 + seed % 16;
  options.jumps = false;
  return testing::randomProgram(options);
}

}  // namespace

TEST_CASE("random programs: first derivatives obey their laws") {
  for (int seed = 1; seed <= 150; ++seed) {
    testing::RandomProgram made = numbered(seed);
    test::Program program(ir::print(*made.module));
    INFO("seed ", seed);
    test::checkLaws(program, "f", made.arguments, 1);
  }
}

TEST_CASE("random programs: second derivatives obey their laws") {
  for (int seed = 1; seed <= 60; ++seed) {
    testing::RandomProgram made = numbered(seed);
    test::Program program(ir::print(*made.module));
    INFO("seed ", seed);
    test::checkLaws(program, "f", made.arguments, 2);
  }
}

TEST_CASE("random programs: passes keep every bit of derivatives") {
  for (int seed = 1; seed <= 100; ++seed) {
    testing::RandomProgram made = numbered(seed);
    test::Program program(ir::print(*made.module));
    for (const char* how : {"jvp", "vjp"}) {
      std::string name = program.derive(how, "f");
      ir::Function& derived = *program.module().find(name);
      std::vector<ir::Tensor> arguments;
      for (const ir::Type& type : derived.parameterTypes()) {
        arguments.push_back(ir::Tensor::zeros(type));
        for (size_t k = 0; k < arguments.back().reals.size(); ++k)
          arguments.back().reals[k] = 0.3 + 0.1 * static_cast<double>(arguments.size() + k);
      }
      auto expected = program.run(name, arguments);
      auto copy = ir::clone(derived, "copy");
      opt::prepareForCodegen(program.module(), *copy);
      INFO("seed ", seed, " ", how);
      REQUIRE(ir::verify(*copy, &program.module()) == std::vector<std::string>{});
      program.module().functions["copy"] = std::move(copy);
      auto found = program.run("copy", arguments);
      for (size_t k = 0; k < expected.size(); ++k) CHECK(ir::identical(expected[k], found[k]));
    }
  }
}
