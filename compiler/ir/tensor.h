// Values outside compiled code, and what a run gives: tensors of the interpreter's and the JIT's
// callers, and the status that ended a call.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "ops/opcode.h"
#include "ops/type.h"
#include "source/source.h"

namespace dini::ir {

// A dense row-major tensor with constant dimensions. Exactly one of the vectors is used, by the
// element type; its length is the product of the dimensions (1 for a scalar).
struct Tensor {
  Type type;
  std::vector<double> reals;
  std::vector<int64_t> ints;
  std::vector<uint8_t> bools;

  static Tensor real(double value);
  static Tensor integer(int64_t value);
  static Tensor boolean(bool value);
  static Tensor zeros(const Type& type);  // static type
  int64_t size() const;
  void* data();
  const void* data() const;
  bool operator==(const Tensor&) const = default;  // NaN != NaN, as in arithmetic
};
// Equal to the last bit (NaN payloads ignored): what "engines agree" means.
bool identical(const Tensor& a, const Tensor& b);

// What ended a call without a value. Fields that do not apply keep their defaults.
struct StatusInfo {
  Status status = Status::Ok;
  Span span;                 // the solve, check or operation
  std::string text;          // of the check: what was asserted, which index
  int64_t batch_index = -1;  // member of the innermost comprehension
  double residual = 0;       // NaN: not evaluated
  double scale = 0;
  double tolerance = 0;
  int64_t iterations = 0;
  double rcond = -1;         // reciprocal condition, -1: no estimate
};

// The text of a status NotConverged for the reason that a solver gave (0: it claimed success).
std::string solverReason(int64_t reason);

using Outcome = std::variant<std::vector<Tensor>, StatusInfo>;

}  // namespace dini::ir
