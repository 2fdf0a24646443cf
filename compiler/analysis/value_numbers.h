// Numbers for the values of a function such that equal numbers mean equal reals: pure operations
// with equal operands share one, and sums, differences and multiples by constants are affine forms.
#pragma once

#include <map>
#include <string>
#include <unordered_map>

#include "ir/ir.h"

namespace dini::analysis {

// constant + sum of coefficient * numbered value.
struct AffineForm {
  std::map<int64_t, double> terms;
  double constant = 0;
};

class ValueNumbers {
 public:
  const AffineForm& form(const ir::Value* value);
  // A number for the value of a form; the same for equal forms.
  int64_t number(const AffineForm& form);

 private:
  AffineForm compute(const ir::Value* value);
  AffineForm atom(const std::string& key);
  std::string keyOf(const ir::Op& op, uint32_t result);
  std::unordered_map<const ir::Value*, AffineForm> forms_;
  std::unordered_map<std::string, int64_t> numbers_;
};

// a + scale * b.
AffineForm combined(const AffineForm& a, const AffineForm& b, double scale);
// The form divided by the absolute value of its first coefficient, and that coefficient's sign
// (0: the form is constant).
struct Normalised {
  std::string key;
  int sign = 0;
};
Normalised normalised(const AffineForm& form);

}  // namespace dini::analysis
