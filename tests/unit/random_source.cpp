#include "tests/unit/random_source.h"

#include <fmt/format.h>

namespace dini::testing {

// SplitMix64.
uint64_t SourceGenerator::next() {
  uint64_t z = (state_ += 0x9E3779B97F4A7C15ull);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

std::string SourceGenerator::number() {
  static const char* const values[] = {"0.5", "1.0", "2.0", "0.25", "1.5", "3", "0.1", "2"};
  return values[below(8)];
}

std::string SourceGenerator::scalarLeaf(const Scope& scope) {
  switch (below(6)) {
    case 0: return number();
    case 1: return fmt::format("{}[{}]", pick(scope.vectors), below(3));
    case 2: return fmt::format("{}[{}, {}]", pick(scope.matrices), below(2), below(3));
    case 3:
      if (!scope.indices.empty()) return fmt::format("{}[{}]", pick(scope.vectors), pick(scope.indices));
      [[fallthrough]];
    default: return pick(scope.scalars);
  }
}

std::string SourceGenerator::scalarCall(const Scope& scope, int depth) {
  std::string x = scalar(scope, depth - 1);
  // Bounded or slowly growing, so that nested calls stay finite.
  static const char* const smooth[] = {"sin({})", "cos({})", "tanh({})", "sigmoid({})", "softplus({})", "atan({})",
                                       "exp(-({})^2)", "log(1 + ({})^2)", "sqrt(1 + ({})^2)", "asinh({})", "erf({})"};
  static const char* const kinked[] = {"abs({})", "relu({})", "max({}, 0.25)", "min({}, a)", "clamp({}, -1.0, 1.0)", "soft({}, 0.5)", "huber({})"};
  bool kink = kinks_ == Kinks::Allowed && below(3) == 0;
  return kink ? fmt::format(fmt::runtime(kinked[below(7)]), x) : fmt::format(fmt::runtime(smooth[below(11)]), x);
}

std::string SourceGenerator::scalar(const Scope& scope, int depth) {
  if (depth <= 0) return scalarLeaf(scope);
  switch (below(12)) {
    case 0: return fmt::format("({} + {})", scalar(scope, depth - 1), scalar(scope, depth - 1));
    case 1: return fmt::format("({} - {})", scalar(scope, depth - 1), scalar(scope, depth - 1));
    case 2: return fmt::format("sin({})*{}", scalar(scope, depth - 1), scalar(scope, depth - 1));
    case 3: return fmt::format("{}/(1 + ({})^2)", scalar(scope, depth - 1), scalar(scope, depth - 1));
    case 4: return fmt::format("dot({}, {})/4", vector(scope, depth - 1), vector(scope, depth - 1));
    case 5: {
      std::string i = fresh("i");
      Scope inner = scope;
      inner.indices.push_back(i);
      return fmt::format("sum({} for {} in 0..3)/3", scalar(inner, depth - 1), i);
    }
    case 6:
      if (kinks_ == Kinks::Allowed)
        return fmt::format("(if {} > {} {{ {} }} else {{ {} }})", scalarLeaf(scope), scalarLeaf(scope), scalar(scope, depth - 1), scalar(scope, depth - 1));
      [[fallthrough]];
    case 7: return fmt::format("norm({} + [2.0, 1.0, 3.0])", pick(scope.vectors));
    default: return scalarCall(scope, depth);
  }
}

std::string SourceGenerator::vector(const Scope& scope, int depth) {
  if (depth <= 0) return pick(scope.vectors);
  switch (below(6)) {
    case 0: return fmt::format("({} + {})", vector(scope, depth - 1), vector(scope, depth - 1));
    case 1: return fmt::format("tanh({})", vector(scope, depth - 1));
    case 2: return fmt::format("({} .* cos({}))", vector(scope, depth - 1), pick(scope.vectors));
    case 3: return fmt::format("{}'*tanh({}*{})", pick(scope.matrices), pick(scope.matrices), vector(scope, depth - 1));
    case 4: return fmt::format("[{}, {}, {}]", scalar(scope, depth - 1), scalarLeaf(scope), scalarLeaf(scope));
    default: {
      std::string i = fresh("i");
      Scope inner = scope;
      inner.indices.push_back(i);
      return fmt::format("[{} for {} in 0..3]", scalar(inner, depth - 1), i);
    }
  }
}

// An equation with one solution, found by Newton or iteration: a contraction of factor at most 1/2.
std::string SourceGenerator::equation(Scope& scope, const std::string& indent) {
  std::string z = fresh("z"), name = fresh("s");
  std::string forcing = scalar(scope, 1);
  if (below(2) == 0) {
    scope.scalars.push_back(name);
    return fmt::format("{}let {} = solve {}: real {{ {} == 0.5*sin({}) + {} }}\n", indent, name, z, z, z, forcing);
  }
  std::string right = vector(scope, 1);
  scope.vectors.push_back(name);
  return fmt::format("{}let {} = solve {}: real[3] {{ 3*{} + tanh({}) == {} }}\n", indent, name, z, z, z, right);
}

std::string SourceGenerator::statement(Scope& scope, int depth, const std::string& indent) {
  std::string name;
  switch (below(7)) {
    case 0:
      name = fresh("u");
      {
        std::string text = fmt::format("{}let {} = {}\n", indent, name, vector(scope, depth));
        scope.vectors.push_back(name);
        return text;
      }
    case 1: {  // a loop over a mutable scalar and a mutable vector
      name = fresh("acc");
      std::string w = fresh("w"), i = fresh("k");
      std::string text = fmt::format("{}var {} = {}\n{}var {} = {}\n", indent, name, scalar(scope, 1), indent, w, pick(scope.vectors));
      Scope inner = scope;
      inner.scalars.push_back(name);
      inner.vectors.push_back(w);
      inner.indices.push_back(i);
      text += fmt::format("{}for {} in 0..3 {{\n", indent, i);
      text += fmt::format("{}  {} = tanh({})\n", indent, name, scalar(inner, 2));
      text += fmt::format("{}  {}[{}] {} 0.5*{}\n", indent, w, i, below(2) ? "+=" : "=", scalar(inner, 1));
      text += fmt::format("{}}}\n", indent);
      scope.scalars.push_back(name);
      scope.vectors.push_back(w);
      return text;
    }
    case 2: {  // a while whose count does not depend on differentiable values
      name = fresh("acc");
      std::string n = fresh("n");
      Scope inner = scope;
      inner.scalars.push_back(name);
      std::string text = fmt::format("{}var {} = {}\n{}var {} = 0\n", indent, name, scalar(scope, 1), indent, n);
      text += fmt::format("{}while {} < {} {{\n{}  {} = 0.5*{} + sin({})\n{}  {} += 1\n{}}}\n", indent, n, 1 + below(4), indent, name, name, scalar(inner, 1), indent, n, indent);
      scope.scalars.push_back(name);
      return text;
    }
    case 3: return equation(scope, indent);
    case 4: {
      name = fresh("x");
      std::string text = fmt::format("{}let {} = [[4.0, {}], [0.5, 5.0]] \\ [{}, {}]\n", indent, name + "s", fmt::format("sin({})", scalarLeaf(scope)), scalar(scope, 1), scalarLeaf(scope));
      text += fmt::format("{}let {} = {}[{}]\n", indent, name, name + "s", below(2));
      scope.scalars.push_back(name);
      return text;
    }
    default: {
      name = fresh("t");
      std::string text = fmt::format("{}let {} = {}\n", indent, name, scalar(scope, depth));
      scope.scalars.push_back(name);
      return text;
    }
  }
}

std::string SourceGenerator::function(const std::string& name) {
  Scope scope{{"a", "b"}, {"v"}, {"M"}, {}};
  std::string text = fmt::format("fn {}(a: real, b: real, v: real[3], M: real[2, 3]) -> real = {{\n", name);
  int statements = 1 + below(5);
  for (int k = 0; k < statements; ++k) text += statement(scope, 3, "  ");
  text += fmt::format("  {}\n}}\n", scalar(scope, 3));
  return text;
}

}  // namespace dini::testing
