#include "driver/bindings.h"

#include <fmt/format.h>

namespace dini::driver {
namespace {

// "x=0,b=[0, 1]" at its top-level commas.
std::vector<std::string> splitBindings(const std::vector<std::string>& texts) {
  std::vector<std::string> parts;
  for (const std::string& text : texts) {
    int depth = 0;
    parts.emplace_back();
    for (char c : text) {
      depth += (c == '[' || c == '(' || c == '{') - (c == ']' || c == ')' || c == '}');
      if (c == ',' && depth == 0) parts.emplace_back();
      else if (c != ' ' || !parts.back().empty()) parts.back() += c;
    }
  }
  return parts;
}

// Integers given for a parameter of reals, as reals: parameters of the equations are reals that vary.
lower::HostValue asParameter(lower::HostValue value, const ast::FnDecl& function, const std::string& name) {
  for (size_t k = 0; k < function.parameters.size(); ++k) {
    bool wanted = function.parameters[k].name.text == name && function.type->elements[k]->isReal();
    if (!wanted || !value.type->isArray(types::Scalar::Int)) continue;
    ir::Tensor& leaf = value.leaves[0];
    ir::Tensor reals = ir::Tensor::zeros({ir::Elem::F64, leaf.type.dims});
    reals.reals.assign(leaf.ints.begin(), leaf.ints.end());
    leaf = std::move(reals);
    value.type = types::realType(value.type->dims);
  }
  return value;
}

}  // namespace

std::optional<std::vector<std::string>> bindAt(Context& context, session::Session& session,
                                               const std::string& function,
                                               const std::vector<std::string>& at) {
  std::vector<std::string> bindings;
  for (const std::string& text : splitBindings(at)) {
    size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos || equals + 1 == text.size()) {
      context.fail(DiagCode::BadCommandLine, fmt::format("`--at {}` has no value", text),
                   "write `--at x=0.5` or `--at x=0,b=[0, 1]`");
      return std::nullopt;
    }
    std::string parameter = text.substr(0, equals);
    std::optional<lower::HostValue> value =
        session.evaluateText(fmt::format("--at {}", parameter), text.substr(equals + 1));
    if (!value) return std::nullopt;
    const ast::FnDecl& declared = *session.program().findFunction(function);
    session.define(parameter, asParameter(std::move(*value), declared, parameter));
    bindings.push_back(fmt::format("{0} = {0}", parameter));
  }
  return bindings;
}

}  // namespace dini::driver
