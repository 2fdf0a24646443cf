#include "dini_side.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>

#include "diag/render.h"
#include "session/data_file.h"

namespace dini::bench {
namespace {

double secondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

session::Options machineCode() {
  session::Options options;
  options.execution.engine = session::Engine::Jit;
  return options;
}

class Compiled final : public Callable {
 public:
  Compiled(const session::Prepared& prepared, std::vector<ir::Tensor> arguments, jit::Jit& jit)
      : arguments_(std::move(arguments)), call_(jit.compile(prepared.module, *prepared.function)) {
    for (const ir::Value* result : prepared.function->body.yields())
      results_.push_back(ir::Tensor::zeros(result->type));
    for (const ir::Tensor& argument : arguments_) in_.push_back(argument.data());
    for (ir::Tensor& result : results_) out_.push_back(result.data());
  }

  void operator()() override {
    const ir::Status status = call_(in_.data(), out_.data());
    if (status == ir::Status::Ok) return;
    if (good_) fmt::print(stderr, "the call ended with status {}\n", static_cast<int>(status));
    good_ = false;
  }
  bool good() const override { return good_; }
  std::vector<std::vector<double>> results() const override {
    std::vector<std::vector<double>> reals;
    for (const ir::Tensor& result : results_) reals.push_back(result.reals);
    return reals;
  }

 private:
  std::vector<ir::Tensor> arguments_, results_;
  std::vector<const void*> in_;
  std::vector<void*> out_;
  jit::Jit::Callable call_;
  bool good_ = true;
};

}  // namespace

ir::Tensor realTensor(std::vector<int64_t> dims, std::vector<double> values) {
  ir::Tensor tensor;
  tensor.type = ir::f64(std::move(dims));
  tensor.reals = std::move(values);
  return tensor;
}

Program::Program() : session_(machineCode()) {}

std::unique_ptr<Program> Program::read(const std::string& path, const std::vector<Input>& inputs) {
  std::unique_ptr<Program> program(new Program);
  if (!program->session_.readFile(path) || program->session_.sink().hasErrors()) {
    program->printDiagnostics();
    return nullptr;
  }
  for (const auto& [name, tensor] : inputs)
    program->session_.define(name, session::hostArray(tensor));
  return program;
}

std::unique_ptr<Callable> Program::compile(const std::string& expression) {
  const auto start = std::chrono::steady_clock::now();
  std::optional<lower::Lowered> lowered = session_.lowerText("benchmark", expression);
  if (!lowered) {
    printDiagnostics();
    return nullptr;
  }
  std::vector<ir::Tensor> arguments;
  for (const std::string& name : lowered->inputs)
    arguments.push_back(session_.find(name)->leaves.front());
  front_seconds_ = secondsSince(start);
  const auto ready = std::chrono::steady_clock::now();
  auto compiled =
      std::make_unique<Compiled>(session::prepare(session_.lowerer().module(), *lowered->function),
                                 std::move(arguments), session_.executor().jit());
  (*compiled)();
  back_seconds_ = secondsSince(ready);
  return compiled;
}

void Program::printDiagnostics() {
  for (const Diagnostic& diagnostic : session_.sink().all())
    fmt::print(stderr, "{}\n", render(session_.sources(), diagnostic, Colour::Off));
}

}  // namespace dini::bench
