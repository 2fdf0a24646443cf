#include "ops/signature.h"

#include <array>

#include "base/check.h"

namespace dini::ops {
namespace {

using ir::OpCode;

struct Entry {
  std::string_view signature;
  std::initializer_list<OpCode> codes;
};

}  // namespace

std::string_view signature(OpCode code) {
  static const Entry kEntries[] = {
      {"rr:r", {OpCode::Add, OpCode::Sub, OpCode::Mul, OpCode::Div, OpCode::Pow, OpCode::Atan2,
                OpCode::SafeDiv, OpCode::SafeMul}},
      {"rrrr:r", {OpCode::Choose, OpCode::Pick}},
      {"btt:t", {OpCode::Select}},
      {"t:t", {OpCode::Stop}},
      {"ii:i", {OpCode::IAdd, OpCode::ISub, OpCode::IMul, OpCode::IDiv, OpCode::IMod, OpCode::IMin,
                OpCode::IMax, OpCode::Hash}},
      {"rr:b", {OpCode::FLt, OpCode::FLe, OpCode::FEq, OpCode::FNe}},
      {"ii:b", {OpCode::ILt, OpCode::ILe, OpCode::IEq, OpCode::INe}},
      {"bb:b", {OpCode::And, OpCode::Or}},
      {"b:b", {OpCode::Not}},
      {"r:b", {OpCode::IsFinite, OpCode::IsNan}},
      {"i:r", {OpCode::IntToReal, OpCode::BitsToUnit}},
      {"r:i", {OpCode::RealToInt}},
      {"b:r", {OpCode::BoolToReal}},
      {"b:i", {OpCode::BoolToInt}},
  };
  check(ir::isElementwise(code), "a signature of an operation that is not elementwise");
  for (const Entry& entry : kEntries)
    for (OpCode candidate : entry.codes)
      if (candidate == code) return entry.signature;
  return "r:r";
}

}  // namespace dini::ops
