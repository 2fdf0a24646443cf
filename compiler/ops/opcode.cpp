#include "ops/opcode.h"

#include <array>

namespace dini::ir {
namespace {

constexpr std::array kShapes = {
#define DINI_OP(name, mnemonic, stratum, operands, results, regions) \
  OpShape{#name, mnemonic, Stratum::stratum, operands, results, regions},
#include "ops/opcodes.def"
#undef DINI_OP
};

}  // namespace

const OpShape& shape(OpCode code) { return kShapes[static_cast<size_t>(code)]; }

std::optional<OpCode> opcodeNamed(std::string_view mnemonic) {
  for (size_t k = 0; k < kShapes.size(); ++k)
    if (kShapes[k].mnemonic == mnemonic) return static_cast<OpCode>(k);
  return std::nullopt;
}

int opcodeCount() { return static_cast<int>(kShapes.size()); }

bool mayHaveEffect(OpCode code) {
  return code == OpCode::Check || code == OpCode::Print || code == OpCode::Call ||
         code == OpCode::Yield || code == OpCode::Root || code == OpCode::Inspect;
}

}  // namespace dini::ir
