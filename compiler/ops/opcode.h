// The list of operations and their structural facts. Mathematics: ops/table.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace dini::ir {

enum class OpCode : uint16_t {
#define DINI_OP(name, mnemonic, stratum, operands, results, regions) name,
#include "ops/opcodes.def"
#undef DINI_OP
};

enum class Stratum : uint8_t { Elementwise, Array, Control, Solve };

struct OpShape {
  const char* name;      // the enumerator
  const char* mnemonic;  // in printed IR
  Stratum stratum;
  int operands;  // -1: variadic
  int results;   // -1: variadic
  int regions;
};
const OpShape& shape(OpCode code);
std::optional<OpCode> opcodeNamed(std::string_view mnemonic);
int opcodeCount();

inline bool isElementwise(OpCode code) { return shape(code).stratum == Stratum::Elementwise; }
// Check, Print, Call, and control whose regions hold such: never dropped or moved across another.
bool mayHaveEffect(OpCode code);

// What a linear system is declared to be. Never detected at run time.
// What `inspect` tells of a call.
enum class Inspection : int64_t {
  Certificate = 0,  // (verdict i64: 1, 0, -1; lipschitz f64; radius f64), the worst of its solves
  Ties = 1,  // f64[?, 5]: per tie line, column, element, switch value, weight
};

enum class Structure : int64_t {
  General, Symmetric, PositiveDefinite, Lower, Upper, UnitLower, Diagonal,
};

// Statuses of a function call; the numbers are part of the C interface.
enum class Status : int64_t {
  Ok = 0, NotConverged = 1, NonFinite = 2, Singular = 3, StartOutOfDomain = 4, MultipleRoot = 5,
  Assertion = 6, Bounds = 7, Bound = 8, Shape = 9, Interrupted = 10, Memory = 11, Domain = 12,
  Irregular = 13,
};

}  // namespace dini::ir
