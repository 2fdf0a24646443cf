// The operation `inspect`: its text, what the verifier asks of it, and that the interpreter passes
// arguments to the host, results and statuses back.
#include <doctest/doctest.h>

#include "ir/interpreter.h"
#include "ir/printer.h"
#include "ir/verifier.h"

using namespace dini;
using namespace dini::ir;

namespace {

std::unique_ptr<Module> moduleOf(const std::string& body) {
  auto result = parseModule("func @f(%0: f64, %1: i64) {\n  yield(%0)\n}\n"
                            "func @main(%0: f64, %1: i64) {\n" + body + "  yield(%2, %3, %4)\n}\n");
  if (auto* error = std::get_if<std::string>(&result)) FAIL(*error);
  return std::move(std::get<std::unique_ptr<Module>>(result));
}
const char* kInspect = "  %2, %3, %4 = inspect(%0, %1) <str=\"f\"> : i64, f64, f64\n";

}  // namespace

TEST_CASE("inspect: the host answers") {
  auto module = moduleOf(kInspect);
  const Function& f = *module->find("main");
  CHECK(print(f).find("inspect(%0, %1) <str=\"f\"> : i64, f64, f64") != std::string::npos);
  CHECK(verify(f, module.get()).empty());
  InterpretOptions options;
  options.inspect = [](const Function& callee, Inspection what, std::vector<Tensor> at) -> Outcome {
    CHECK(callee.name == "f");
    CHECK(what == Inspection::Certificate);
    if (at[0].reals[0] < 0) {
      StatusInfo info;
      info.status = Status::Domain;
      return info;
    }
    return std::vector<Tensor>{at[1], at[0], Tensor::real(0.5)};
  };
  std::vector<Tensor> good{Tensor::real(1.5), Tensor::integer(7)}, bad{Tensor::real(-1), Tensor::integer(7)};
  auto outcome = *interpret(*module, f, good, options);
  auto& told = std::get<std::vector<Tensor>>(outcome);
  CHECK(told[0].ints[0] == 7);
  CHECK(told[1].reals[0] == 1.5);
  CHECK(told[2].reals[0] == 0.5);
  CHECK(std::get<StatusInfo>(*interpret(*module, f, bad, options)).status == Status::Domain);
}

TEST_CASE("inspect: arguments that do not fit are found") {
  auto module = moduleOf("  %2, %3, %4 = inspect(%0) <str=\"f\"> : i64, f64, f64\n");
  CHECK_FALSE(verify(*module->find("main"), module.get()).empty());
  auto other = moduleOf("  %2, %3, %4 = inspect(%0, %1) <str=\"g\"> : i64, f64, f64\n");
  CHECK_FALSE(verify(*other->find("main"), other.get()).empty());
}
