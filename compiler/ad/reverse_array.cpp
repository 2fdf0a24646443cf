// Transposition rules of the array operations and of the linear solves.
#include <algorithm>

#include "ad/linear.h"
#include "ad/reverse.h"
#include "ir/type_rules.h"

namespace dini::ad {

using ir::OpCode;
using ir::Value;
using Values = std::vector<Value*>;

namespace {

Values zeros(ir::Builder& b, size_t count) {
  Values made;
  for (size_t k = 0; k < count; ++k) made.push_back(b.integer(0));
  return made;
}

// The axes from 0 to rank that are not in `axes`.
std::vector<int64_t> otherAxes(size_t rank, const std::vector<int64_t>& axes) {
  std::vector<int64_t> others;
  for (int64_t axis = 0; axis < static_cast<int64_t>(rank); ++axis)
    if (std::find(axes.begin(), axes.end(), axis) == axes.end()) others.push_back(axis);
  return others;
}

}  // namespace

bool Reverse::arrayRule(ir::Builder& b, const ir::Op& op, Value* y_bar) {
  return elementRule(b, op, y_bar) || shapeRule(b, op, y_bar) || pickRule(b, op, y_bar);
}

// Reads and writes of elements, slices and rows.
bool Reverse::elementRule(ir::Builder& b, const ir::Op& op, Value* y_bar) {
  auto lin = [&](size_t k) { return op.operand(k)->linear && !isZero(op.operand(k)); };
  auto give = [&](size_t k, Value* bar) { accumulate(b, op.operand(k), bar); };
  auto rest = [&](size_t first) { return xs(std::span(op.operands).subspan(first)); };
  switch (op.code) {
    case OpCode::Index: indexRule(b, op, y_bar); return true;
    case OpCode::Update:
      if (lin(1)) give(1, b.index(y_bar, rest(2)));
      if (lin(0)) give(0, b.update(y_bar, zerosFor(b, op.operand(1)), rest(2)));
      return true;
    case OpCode::AddAt:
      if (lin(1)) give(1, b.index(y_bar, rest(2)));
      give(0, y_bar);
      return true;
    case OpCode::Slice: {
      if (!lin(0)) return true;
      size_t rank = op.operand(0)->type.rank();
      Values starts = xs(std::span(op.operands).subspan(1, rank));
      setCotangent(op.operand(0), b.addSlice(accumulator(b, op.operand(0)), y_bar, starts));
      return true;
    }
    case OpCode::UpdateSlice:
      if (lin(1)) give(1, b.slice(y_bar, rest(2), sizesOf(b, op.operand(1))));
      if (lin(0)) give(0, b.updateSlice(y_bar, zerosFor(b, op.operand(1)), rest(2)));
      return true;
    case OpCode::AddSlice:
      if (lin(1)) give(1, b.slice(y_bar, rest(2), sizesOf(b, op.operand(1))));
      give(0, y_bar);
      return true;
    case OpCode::Gather: {
      if (!lin(0)) return true;
      Value* sum = accumulator(b, op.operand(0));
      setCotangent(op.operand(0), b.op(OpCode::ScatterAdd, {sum, x(op.operand(1)), y_bar}));
      return true;
    }
    case OpCode::ScatterAdd:
      if (lin(2)) give(2, b.gather(y_bar, x(op.operand(1))));
      give(0, y_bar);
      return true;
    case OpCode::Concat: concatRule(b, op, y_bar); return true;
    case OpCode::Pack: packRule(b, op, y_bar); return true;
    default: return false;
  }
}

// Whole arrays: shapes, sums, products.
bool Reverse::shapeRule(ir::Builder& b, const ir::Op& op, Value* y_bar) {
  auto give = [&](Value* bar) { accumulate(b, op.operand(0), bar); };
  switch (op.code) {
    case OpCode::Const: return true;
    case OpCode::Fill: give(b.sumAll(y_bar)); return true;
    case OpCode::Reshape: give(b.reshape(y_bar, sizesOf(b, op.operand(0)))); return true;
    case OpCode::Transpose: {
      std::vector<int64_t> inverse(op.attrs.ints.size());
      for (size_t k = 0; k < inverse.size(); ++k)
        inverse[static_cast<size_t>(op.attrs.ints[k])] = static_cast<int64_t>(k);
      give(b.transpose(y_bar, std::move(inverse)));
      return true;
    }
    case OpCode::Broadcast: {
      std::vector<int64_t> repeated = otherAxes(op.result()->type.rank(), op.attrs.ints);
      give(repeated.empty() ? y_bar : b.reduce("sum", y_bar, std::move(repeated)));
      return true;
    }
    case OpCode::Flip: give(b.flip(y_bar, op.attrs.i)); return true;
    case OpCode::Reduce: {
      std::vector<int64_t> kept = otherAxes(op.operand(0)->type.rank(), op.attrs.ints);
      give(b.broadcast(y_bar, std::move(kept), sizesOf(b, op.operand(0))));
      return true;
    }
    case OpCode::Einsum: einsumRule(b, op, y_bar); return true;
    default: return false;
  }
}

// Picks, whose transposes are operations of their own, and solves.
bool Reverse::pickRule(ir::Builder& b, const ir::Op& op, Value* y_bar) {
  auto transposed = [&](OpCode code) {
    accumulate(b, op.operand(1), b.op(code, {x(op.operand(0)), y_bar}, op.attrs));
    return true;
  };
  switch (op.code) {
    case OpCode::ReducePick: return transposed(OpCode::ReducePickT);
    case OpCode::ReducePickT: return transposed(OpCode::ReducePick);
    case OpCode::SortPick: return transposed(OpCode::SortPickT);
    case OpCode::SortPickT: return transposed(OpCode::SortPick);
    case OpCode::SocMap:
    case OpCode::SpectralMap: {  // symmetric
      size_t at = op.code == OpCode::SocMap ? 1 : 3;
      Values operands;
      for (size_t k = 0; k < op.operands.size(); ++k)
        operands.push_back(k == at ? y_bar : x(op.operand(k)));
      accumulate(b, op.operand(at), b.op(op.code, std::move(operands), op.attrs));
      return true;
    }
    case OpCode::LinearSolve:
    case OpCode::SparseSolve:
    case OpCode::SolveFactored: {
      // x = A^-1 b gives b_bar = A^-T x_bar: the same system, transposed.
      ir::Attrs attrs = op.attrs;
      if (attrs.ints.empty()) attrs.ints = {0};
      attrs.ints[0] = 1 - attrs.ints[0];
      Values operands = xs(std::span(op.operands).first(op.operands.size() - 1));
      operands.push_back(y_bar);
      accumulate(b, op.operands.back(), b.op(op.code, std::move(operands), std::move(attrs)));
      return true;
    }
    case OpCode::LeastSquares: {
      Value* transposed_matrix = b.transpose(x(op.operand(0)), {1, 0});
      accumulate(b, op.operand(1), b.op(OpCode::LeastSquares, {transposed_matrix, y_bar}));
      return true;
    }
    default: return false;
  }
}

void Reverse::indexRule(ir::Builder& b, const ir::Op& op, Value* y_bar) {
  Value* array = op.operand(0);
  if (!array->linear || isZero(array)) return;
  auto row = row_reads_.find(&op);
  if (row != row_reads_.end()) {
    Value*& bar = row->second->bar;
    bar = bar != nullptr ? b.add(bar, y_bar) : y_bar;
    return;
  }
  Values indices = xs(std::span(op.operands).subspan(1));
  setCotangent(array, b.addAt(accumulator(b, array), y_bar, std::move(indices)));
}

void Reverse::packRule(ir::Builder& b, const ir::Op& op, Value* y_bar) {
  for (size_t k = 0; k < op.operands.size(); ++k)
    if (op.operand(k)->linear && !isZero(op.operand(k)))
      accumulate(b, op.operand(k), b.index(y_bar, {b.integer(static_cast<int64_t>(k))}));
}

void Reverse::concatRule(ir::Builder& b, const ir::Op& op, Value* y_bar) {
  auto axis = static_cast<size_t>(op.attrs.i);
  Value* at = b.integer(0);
  for (Value* operand : op.operands) {
    Values sizes = operand->linear ? sizesOf(b, operand) : b.dims(x(operand));
    Values starts = zeros(b, operand->type.rank());
    starts[axis] = at;
    if (operand->linear && !isZero(operand)) accumulate(b, operand, b.slice(y_bar, starts, sizes));
    auto known = ir::constantInt(at), size = ir::constantInt(sizes[axis]);
    at = known && size ? b.integer(*known + *size) : b.op(OpCode::IAdd, {at, sizes[axis]});
  }
}

// For r = sum of a b over the contracted letters: a_bar = sum of r_bar b over the letters of b
// that a lacks. Every letter of a is in b or in r, so nothing is to be repeated.
void Reverse::einsumRule(ir::Builder& b, const ir::Op& op, Value* y_bar) {
  ir::EinsumSpec spec = ir::parseEinsum(op.attrs.str);
  if (op.operand(0)->linear) {
    if (!isZero(op.operand(0)))
      accumulate(b, op.operand(0),
                 contracted(b, spec.result + "," + spec.b + "->" + spec.a, y_bar,
                            x(op.operand(1))));
  } else if (!isZero(op.operand(1))) {
    accumulate(b, op.operand(1),
               contracted(b, spec.a + "," + spec.result + "->" + spec.b, x(op.operand(0)),
                          y_bar));
  }
}

}  // namespace dini::ad
