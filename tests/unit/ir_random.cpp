// Laws of the text form, the interpreter and the passes, on random programs.
#include <doctest/doctest.h>

#include "ir/clone.h"
#include "ir/interpreter.h"
#include "ir/printer.h"
#include "ir/verifier.h"
#include "opt/opt.h"
#include "tests/unit/random_ir.h"

using namespace dini;
using namespace dini::ir;
using dini::testing::randomProgram;
using dini::testing::RandomOptions;
using dini::testing::RandomProgram;

namespace {

constexpr int kPrograms = 150;

RandomOptions numbered(int seed) {
  RandomOptions options;
  options.seed = static_cast<uint64_t>(seed);
  options.operations = 10 + seed % 30;
  return options;
}

std::vector<Tensor> values(const Module& module, const Function& function,
                           const std::vector<Tensor>& arguments) {
  auto outcome = interpret(module, function, arguments);
  REQUIRE(outcome.has_value());
  if (auto* status = std::get_if<StatusInfo>(&*outcome))
    FAIL("status ", static_cast<int>(status->status), " ", status->text);
  return std::get<std::vector<Tensor>>(*outcome);
}

}  // namespace

TEST_CASE("random programs: well-formed, printed and parsed back, with the same results") {
  for (int seed = 1; seed <= kPrograms; ++seed) {
    RandomProgram program = randomProgram(numbered(seed));
    INFO("seed ", seed);
    REQUIRE(verify(*program.function, program.module.get()) == std::vector<std::string>{});
    std::string text = print(*program.module);
    auto again = parseModule(text);
    REQUIRE(std::holds_alternative<std::unique_ptr<Module>>(again));
    Module& parsed = *std::get<std::unique_ptr<Module>>(again);
    CHECK(print(parsed) == text);
    auto expected = values(*program.module, *program.function, program.arguments);
    auto found = values(parsed, *parsed.find("f"), program.arguments);
    for (size_t k = 0; k < expected.size(); ++k) CHECK(identical(expected[k], found[k]));
  }
}

TEST_CASE("random programs: every pass keeps every bit") {
  for (int seed = 1; seed <= kPrograms; ++seed) {
    RandomProgram program = randomProgram(numbered(seed));
    auto expected = values(*program.module, *program.function, program.arguments);
    auto check = [&](std::string_view pass, const Function& changed) {
      INFO("seed ", seed, " pass ", std::string(pass));
      REQUIRE(verify(changed, program.module.get()) == std::vector<std::string>{});
      auto found = values(*program.module, changed, program.arguments);
      REQUIRE(found.size() == expected.size());
      for (size_t k = 0; k < expected.size(); ++k) CHECK(identical(expected[k], found[k]));
    };
    for (const opt::Pass& pass : opt::allPasses()) {
      auto copy = clone(*program.function, "copy");
      pass.run(*program.module, *copy);
      check(pass.name, *copy);
    }
    auto simple = clone(*program.function, "simple");
    opt::simplify(*program.module, *simple);
    check("simplify", *simple);
    auto prepared = clone(*program.function, "prepared");
    opt::prepareForCodegen(*program.module, *prepared);
    check("prepareForCodegen", *prepared);
  }
}
