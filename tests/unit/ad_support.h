// What the tests of differentiation share: programs from text, runs in the interpreter, and the laws
// that every derivative obeys.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ad/ad.h"
#include "ir/interpreter.h"
#include "ir/ir.h"
#include "ir/tensor.h"

namespace dini::test {

using ir::Tensor;
using Tensors = std::vector<Tensor>;

// A module with a function @f, and derived functions by name.
class Program {
 public:
  explicit Program(const std::string& text);
  // Results of a function of the module; a status fails the test.
  Tensors run(const std::string& name, const Tensors& arguments);
  ir::Status status(const std::string& name, const Tensors& arguments);
  // Derives a function ("jvp", "vjp", "grad", "jac", "vmap") of `from`, names it and verifies it.
  std::string derive(const std::string& how, const std::string& from);
  std::string deriveWrt(const std::string& how, const std::string& from, std::vector<bool> active);
  ir::Module& module() { return *module_; }
  ad::TieOptions ties;

 private:
  std::unique_ptr<ir::Module> module_;
  int made_ = 0;
};

Tensor scalar(double value);
Tensor vec(std::vector<double> values);
Tensor mat(int64_t rows, int64_t columns, std::vector<double> values);
double value(const Tensors& results, size_t which = 0, size_t element = 0);
bool near(double a, double b, double tolerance = 1e-9);
bool near(const std::vector<double>& a, const std::vector<double>& b, double tolerance = 1e-9);

// Away from ties: forward mode against central differences, <w, J v> = <J'w, v>, the Jacobian
// against both, and the same for the reverse-mode function itself (second order). `orders` 1 or 2.
void checkLaws(Program& program, const std::string& name, const Tensors& arguments, int orders = 2,
               double tolerance = 2e-6);
// Forward and reverse mode give the same Jacobian, to rounding.
void checkForwardIsReverse(Program& program, const std::string& name, const Tensors& arguments);

}  // namespace dini::test
