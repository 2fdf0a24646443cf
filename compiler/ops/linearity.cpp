#include "ops/linearity.h"

#include "ops/table.h"

namespace dini::ops {
namespace {

using ir::OpCode;

struct Entry {
  OpCode code;
  LinearRule rule;
};

constexpr LinearRule control() { return {Linearity::Control, kAllOperands}; }

// The operations that are not rows of the op table.
constexpr Entry kEntries[] = {
    {OpCode::Const, {Linearity::Zero, 0}},
    {OpCode::Fill, joint(0b1)},
    {OpCode::Pack, joint(kAllOperands)},
    {OpCode::Index, joint(0b1)},
    {OpCode::Update, joint(0b11)},
    {OpCode::AddAt, joint(0b11)},
    {OpCode::Slice, joint(0b1)},
    {OpCode::UpdateSlice, joint(0b11)},
    {OpCode::AddSlice, joint(0b11)},
    {OpCode::Gather, joint(0b1)},
    {OpCode::ScatterAdd, joint(0b101)},
    {OpCode::Concat, joint(kAllOperands)},
    {OpCode::Reshape, joint(0b1)},
    {OpCode::Transpose, joint(0b1)},
    {OpCode::Broadcast, joint(0b1)},
    {OpCode::Flip, joint(0b1)},
    {OpCode::Reduce, joint(0b1)},
    {OpCode::ReducePick, joint(0b10)},
    {OpCode::ReducePickT, joint(0b10)},
    {OpCode::Einsum, bilinear()},
    {OpCode::SortPick, joint(0b10)},
    {OpCode::SortPickT, joint(0b10)},
    {OpCode::SocMap, joint(0b10)},
    {OpCode::SpectralMap, joint(0b1000)},
    {OpCode::LinearSolve, joint(0b10)},
    {OpCode::SparseSolve, joint(0b1000)},
    {OpCode::SolveFactored, joint(0b100)},
    {OpCode::LeastSquares, joint(0b10)},
    {OpCode::Yield, control()},
    {OpCode::Loop, control()},
    {OpCode::While, control()},
    {OpCode::If, control()},
    {OpCode::Try, control()},
    {OpCode::Call, control()},
};

}  // namespace

LinearRule linearRule(OpCode code) {
  if (ir::isElementwise(code)) return facts(code).linear;
  for (const Entry& entry : kEntries)
    if (entry.code == code) return entry.rule;
  return {};
}

}  // namespace dini::ops
