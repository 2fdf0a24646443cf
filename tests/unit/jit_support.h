// Runs one IR function in every engine and compares: values to the last bit, statuses field by
// field.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include "ir/interpreter.h"
#include "ir/printer.h"
#include "ir/verifier.h"
#include "jit/jit.h"

namespace dini::test {

inline jit::Jit& sharedJit() {
  static jit::Jit jit;
  return jit;
}

inline bool sameNumber(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

inline std::string difference(const ir::Outcome& a, const ir::Outcome& b) {
  if (a.index() != b.index())
    return a.index() == 0 ? "a value and a status" : "a status and a value";
  if (const auto* x = std::get_if<ir::StatusInfo>(&a)) {
    const auto& y = std::get<ir::StatusInfo>(b);
    if (x->status != y.status) return "statuses";
    if (!(x->span == y.span)) return "spans";
    if (x->text != y.text) return "texts";
    if (x->batch_index != y.batch_index)
      return "batch indices " + std::to_string(x->batch_index) + " and " +
             std::to_string(y.batch_index);
    if (!sameNumber(x->residual, y.residual) || !sameNumber(x->scale, y.scale)) return "residuals";
    if (x->iterations != y.iterations || !sameNumber(x->tolerance, y.tolerance))
      return "iterations";
    if (!sameNumber(x->rcond, y.rcond)) return "rcond";
    return "";
  }
  const auto& x = std::get<0>(a);
  const auto& y = std::get<0>(b);
  if (x.size() != y.size()) return "numbers of results";
  for (size_t k = 0; k < x.size(); ++k) {
    if (!(x[k].type == y[k].type))
      return "result " + std::to_string(k) + " types " + ir::str(x[k].type) + " " +
             ir::str(y[k].type);
    if (ir::identical(x[k], y[k])) continue;
    std::string text = "result " + std::to_string(k) + ":";
    for (int64_t j = 0; j < x[k].size() && text.size() < 400; ++j) {
      const auto show = [&](const ir::Tensor& t) {
        const auto at = static_cast<size_t>(j);
        char buffer[40];
        if (t.type.isReal())
          std::snprintf(buffer, sizeof buffer, "%.17g", t.reals[at]);
        else
          std::snprintf(
              buffer, sizeof buffer, "%lld",
              static_cast<long long>(t.type.elem == ir::Elem::I64 ? t.ints[at] : t.bools[at]));
        return std::string(buffer);
      };
      if (show(x[k]) != show(y[k]))
        text += " [" + std::to_string(j) + "] " + show(x[k]) + " / " + show(y[k]);
    }
    return text;
  }
  return "";
}

inline std::unique_ptr<ir::Module> parsed(const std::string& text) {
  auto result = ir::parseModule(text);
  if (auto* message = std::get_if<std::string>(&result)) FAIL(*message);
  return std::move(std::get<0>(result));
}

// The interpreter's outcome, after comparing the JIT at every level with it.
inline ir::Outcome agree(const ir::Module& module, const ir::Function& function,
                         const std::vector<ir::Tensor>& arguments) {
  const ir::Outcome reference = *ir::interpret(module, function, arguments);
  for (auto level : {jit::OptLevel::O0, jit::OptLevel::O1, jit::OptLevel::O2}) {
    jit::RunOptions options;
    options.level = level;
    const std::string found =
        difference(reference, sharedJit().run(module, function, arguments, options));
    INFO("level O" << static_cast<int>(level) << "\n" << ir::print(function));
    CHECK(found == "");
  }
  return reference;
}

inline ir::Outcome agree(const std::string& text, const std::vector<ir::Tensor>& arguments) {
  const auto module = parsed(text);
  return agree(*module, *module->find("f"), arguments);
}

inline ir::Tensor vec(std::vector<double> values) {
  ir::Tensor tensor = ir::Tensor::zeros(ir::f64({static_cast<int64_t>(values.size())}));
  tensor.reals = std::move(values);
  return tensor;
}

// Reproducible reals in (-2, 2), some of them special.
inline ir::Tensor randomTensor(const ir::Type& type, uint64_t seed, bool special = false) {
  std::mt19937_64 bits(seed);
  ir::Tensor tensor = ir::Tensor::zeros(type);
  for (double& x : tensor.reals) {
    x = static_cast<double>(static_cast<int64_t>(bits())) * 0x1p-62;
    if (special && bits() % 8 == 0) {
      const double values[] = {0.0, -0.0, 1, -1, INFINITY, -INFINITY, NAN, 1e300, 5e-324};
      x = values[bits() % 9];
    }
  }
  for (int64_t& n : tensor.ints) n = static_cast<int64_t>(bits() % 21) - 10;
  for (uint8_t& b : tensor.bools) b = static_cast<uint8_t>(bits() % 2);
  return tensor;
}

}  // namespace dini::test
