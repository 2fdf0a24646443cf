#include "ops/linearity.h"

namespace dini::ops {
namespace {

using ir::OpCode;

struct Entry {
  OpCode code;
  LinearRule rule;
};

constexpr LinearRule joint(unsigned operands) { return {Linearity::Joint, operands}; }
constexpr LinearRule either() { return {Linearity::Either, 0b11}; }
constexpr LinearRule control() { return {Linearity::Control, kAllOperands}; }

constexpr Entry kEntries[] = {
    {OpCode::Add, joint(0b11)},
    {OpCode::Sub, joint(0b11)},
    {OpCode::Mul, either()},
    {OpCode::Div, joint(0b1)},
    {OpCode::Neg, joint(0b1)},
    {OpCode::SafeDiv, joint(0b1)},
    {OpCode::SafeMul, joint(0b10)},
    {OpCode::Pick, joint(0b1100)},
    {OpCode::Select, joint(0b110)},
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
    {OpCode::Einsum, either()},
    {OpCode::SortPick, joint(0b10)},
    {OpCode::SortPickT, joint(0b10)},
    {OpCode::LinearSolve, joint(0b10)},
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
  for (const Entry& entry : kEntries)
    if (entry.code == code) return entry.rule;
  return {};
}

}  // namespace dini::ops
