// Random typed Dini programs: one function `f(a: real, b: real, v: real[3], M: real[2, 3]) -> real`
// of lets, mutable variables, loops, branches, comprehensions, reductions, small linear solves and
// contractive equations. Everything it writes is defined at every argument in [-2, 2] (logarithms and roots get
// positive arguments), so a status is a defect. The same seed gives the same program.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace dini::testing {

enum class Kinks { Allowed, Excluded };

class SourceGenerator {
 public:
  SourceGenerator(uint64_t seed, Kinks kinks) : state_(seed * 0x9E3779B97F4A7C15ull + 1), kinks_(kinks) {}
  std::string function(const std::string& name);

 private:
  struct Scope {
    std::vector<std::string> scalars, vectors, matrices, indices;
  };
  uint64_t next();
  int below(int n) { return static_cast<int>(next() % static_cast<uint64_t>(n)); }
  std::string number();
  std::string pick(const std::vector<std::string>& names) { return names[static_cast<size_t>(below(static_cast<int>(names.size())))]; }
  std::string fresh(const char* stem) { return stem + std::to_string(counter_++); }
  std::string scalar(const Scope& scope, int depth);
  std::string scalarLeaf(const Scope& scope);
  std::string scalarCall(const Scope& scope, int depth);
  std::string vector(const Scope& scope, int depth);
  std::string statement(Scope& scope, int depth, const std::string& indent);
  std::string equation(Scope& scope, const std::string& indent);

  uint64_t state_;
  Kinks kinks_;
  int counter_ = 0;
};

}  // namespace dini::testing
