// Operations on arrays in a trace: those that move elements move ids by the interpreter's handlers,
// sums and contractions become additions and products in row-major order (the certificate is about
// real numbers, for which the order does not matter).
#include <cmath>
#include <algorithm>
#include <map>

#include "base/check.h"
#include "certify/tracer.h"

namespace dini::certify {

using namespace ir::interp;
using ir::Elem;
using ir::OpCode;

bool Tracer::arrays(const Step& step, Frame& frame) {
  switch (step.op->code) {
    case OpCode::Fill:
    case OpCode::Pack:
    case OpCode::Index:
    case OpCode::Update:
    case OpCode::Slice:
    case OpCode::UpdateSlice:
    case OpCode::Concat:
    case OpCode::Reshape:
    case OpCode::Transpose:
    case OpCode::Broadcast:
    case OpCode::Flip: move(step, frame, step.op->code); return true;
    case OpCode::Gather: gather(step, frame); return true;
    case OpCode::AddAt: addInto(step, frame, OpCode::Update); return true;
    case OpCode::AddSlice: addInto(step, frame, OpCode::UpdateSlice); return true;
    case OpCode::ScatterAdd: scatterAdd(step, frame); return true;
    case OpCode::Reduce: reduce(step, frame); return true;
    case OpCode::Einsum: einsum(step, frame); return true;
    case OpCode::Norm:
    case OpCode::Normalize: norm(step, frame); return true;
    case OpCode::ArgSort:
    case OpCode::ArgExtreme: order(step, frame); return true;
    case OpCode::LinearSolve: linearSolve(step, frame); return true;
    case OpCode::SparseSolve: sparseSolve(step, frame); return true;
    case OpCode::ProjSimplex: projSimplex(step, frame); return true;
    case OpCode::ProjSoc: projSoc(step, frame); return true;
    case OpCode::Eigh: eigen(step, frame); return true;
    case OpCode::Cholesky: cholesky(step, frame); return true;
    case OpCode::Svd: singularValues(step, frame); return true;
    case OpCode::Qr: orthogonal(step, frame); return true;
    case OpCode::Spectral: positivePart(step, frame); return true;
    default: return false;
  }
}

// The operation `as`, with the same operands, on ids.
void Tracer::move(const Step& step, Frame& frame, OpCode as) {
  std::vector<Slot> before;
  for (size_t k = 0; k < step.operands.size(); ++k) {
    bool real = step.op->operand(k)->type.elem == Elem::F64;
    before.push_back(real ? idsOf(step, frame, k) : step.in(frame.values, k));
  }
  // Operands may be one slot twice, and the handler may take them: restored afterwards.
  std::vector<Slot> kept;
  for (uint32_t slot : step.operands) kept.push_back(frame.ids[slot]);
  for (size_t k = 0; k < before.size(); ++k) frame.ids[step.operands[k]] = before[k];
  bool done = handlerOf(as)(machine_, step, frame.ids.data());
  check(done, "an operation that moves elements failed on ids");
  Slot ids = frame.ids[step.results[0]];
  for (size_t k = 0; k < kept.size(); ++k)
    if (step.operands[k] != step.results[0]) frame.ids[step.operands[k]] = kept[k];
  if (as == step.op->code) execute(step, frame);
  setIds(frame, step.results[0], std::move(ids));
}

// x with v added where `as` would write it: ids of v are passed as -1 - j, which tells where they go.
void Tracer::addInto(const Step& step, Frame& frame, OpCode as) {
  Slot x = idsOf(step, frame, 0), v = idsOf(step, frame, 1);
  uint32_t addend = step.operands[1];
  if (addend == step.operands[0]) stop(step, "an array that is added to itself in place is not followed");
  Slot marks = Slot::make(Elem::I64, v.dims());
  for (int64_t j = 0; j < marks.count(); ++j) writable(marks)[j] = -1 - j;
  Slot kept = frame.ids[addend];
  char had = frame.has_ids[addend];
  setIds(frame, addend, marks);
  move(step, frame, as);
  Slot merged = frame.ids[step.results[0]];
  frame.ids[addend] = kept;
  frame.has_ids[addend] = had;
  int64_t* to = writable(merged);
  for (int64_t k = 0; k < merged.count(); ++k)
    if (to[k] < 0)
      to[k] = system_.graph.op(OpCode::Add, {idAt(x, k), idAt(v, -1 - to[k])}, step.op->span);
  execute(step, frame);
  setIds(frame, step.results[0], std::move(merged));
}

void Tracer::scatterAdd(const Step& step, Frame& frame) {
  Slot x = idsOf(step, frame, 0), v = idsOf(step, frame, 2);
  Slot at = step.in(frame.values, 1);
  execute(step, frame);
  int64_t rows = at.count(), row = rows == 0 ? 0 : v.count() / rows;
  int64_t* to = writable(x);
  for (int64_t j = 0; j < rows; ++j)
    for (int64_t k = 0; k < row; ++k) {
      int64_t& target = to[at.integers()[j] * row + k];
      target = system_.graph.op(OpCode::Add, {static_cast<NodeId>(target), idAt(v, j * row + k)},
                                step.op->span);
    }
  setIds(frame, step.results[0], std::move(x));
}

// max and min of a group as a chain of two-sided ones: their weights reach the whole simplex.
void Tracer::reduce(const Step& step, Frame& frame) {
  Slot x = idsOf(step, frame, 0);
  std::vector<int64_t> dims(x.dims().begin(), x.dims().end());
  execute(step, frame);
  const auto& axes = step.op->attrs.ints;
  std::vector<int64_t> result_steps(dims.size(), 0);
  int64_t stride = 1;
  for (size_t k = dims.size(); k-- > 0;) {
    if (std::find(axes.begin(), axes.end(), static_cast<int64_t>(k)) != axes.end()) continue;
    result_steps[k] = stride;
    stride *= dims[k];
  }
  Slot ids = Slot::make(Elem::I64, step.out(frame.values).dims());
  if (x.count() == 0) return clearIds(frame, step.results[0]);
  int64_t* to = writable(ids);
  std::fill(to, to + ids.count(), -1);
  const std::string& how = step.op->attrs.str;
  Odometer odometer(dims, {result_steps});
  for (int64_t k = 0; k < x.count(); ++k, odometer.next()) {
    int64_t& target = to[odometer.offset(0)];
    NodeId next = idAt(x, k), old = static_cast<NodeId>(target);
    Graph& graph = system_.graph;
    if (target < 0) target = next;
    else if (how == "sum") target = graph.op(OpCode::Add, {old, next}, step.op->span);
    else if (old != next)
      target = how == "max"
                   ? graph.op(OpCode::Choose, {old, next, old, next}, step.op->span, {0, 1})
                   : graph.op(OpCode::Choose, {old, next, next, old}, step.op->span, {0, -1});
    bounded(step);
  }
  setIds(frame, step.results[0], std::move(ids));
}

void Tracer::einsum(const Step& step, Frame& frame) {
  Slot a = idsOf(step, frame, 0), b = idsOf(step, frame, 1);
  execute(step, frame);
  const std::string& text = step.op->attrs.str;
  size_t comma = text.find(','), arrow = text.find("->");
  std::string first = text.substr(0, comma), second = text.substr(comma + 1, arrow - comma - 1);
  std::string out = text.substr(arrow + 2), letters = out;
  std::map<char, int64_t> size;
  auto see = [&](const std::string& names, const Slot& x) {
    for (size_t k = 0; k < names.size(); ++k) {
      size[names[k]] = x.dims()[k];
      if (letters.find(names[k]) == std::string::npos) letters += names[k];
    }
  };
  see(first, a);
  see(second, b);
  std::vector<int64_t> dims;
  for (char letter : letters) dims.push_back(size[letter]);
  auto steps = [&](const std::string& names) {
    std::vector<int64_t> result(letters.size(), 0);
    int64_t stride = 1;
    for (size_t k = names.size(); k-- > 0;) {
      result[letters.find(names[k])] = stride;
      stride *= size[names[k]];
    }
    return result;
  };
  Slot ids = Slot::make(Elem::I64, step.out(frame.values).dims());
  if (product(dims) == 0) return clearIds(frame, step.results[0]);
  int64_t* to = writable(ids);
  std::fill(to, to + ids.count(), -1);
  Odometer odometer(dims, {steps(out), steps(first), steps(second)});
  Graph& graph = system_.graph;
  for (int64_t k = product(dims); k-- > 0; odometer.next()) {
    NodeId term = graph.op(OpCode::Mul, {idAt(a, odometer.offset(1)), idAt(b, odometer.offset(2))},
                           step.op->span);
    int64_t& target = to[odometer.offset(0)];
    target = target < 0 ? term
                        : graph.op(OpCode::Add, {static_cast<NodeId>(target), term}, step.op->span);
    bounded(step);
  }
  setIds(frame, step.results[0], std::move(ids));
}

// By their own order: what was sorted.
void Tracer::gather(const Step& step, Frame& frame) {
  auto sorted = sorted_.find(step.op->operand(1));
  if (sorted == sorted_.end()) return move(step, frame, step.op->code);
  execute(step, frame);
  setIds(frame, step.results[0], sorted->second);
}

// At the zero vector a block; `normalize` has no derivative there.
void Tracer::norm(const Step& step, Frame& frame) {
  Slot x = idsOf(step, frame, 0), values = step.in(frame.values, 0);
  execute(step, frame);
  if (step.op->code == OpCode::Norm && nearZero(x))
    return setIds(frame, step.results[0], normAtZero(step, x, values, step.out(frame.values)));
  Graph& graph = system_.graph;
  Span span = step.op->span;
  NodeId sum = graph.constant(0);
  for (int64_t k = 0; k < x.count(); ++k)
    sum = graph.op(OpCode::Add, {sum, graph.op(OpCode::PowI, {idAt(x, k)}, span, {2, 0})}, span);
  NodeId length = graph.op(OpCode::Sqrt, {sum}, span);
  Slot ids = Slot::make(Elem::I64, step.out(frame.values).dims());
  for (int64_t k = 0; k < ids.count(); ++k)
    writable(ids)[k] = step.op->code == OpCode::Norm
                           ? length
                           : graph.op(OpCode::Div, {idAt(x, k), length}, span);
  setIds(frame, step.results[0], std::move(ids));
}

// Positions are integers; that the order at the solution is this one is a guard.
void Tracer::order(const Step& step, Frame& frame) {
  Slot x = idsOf(step, frame, 0), values = step.in(frame.values, 0);
  execute(step, frame);
  sorted_.erase(step.op->result());
  const Slot& positions = step.out(frame.values);
  auto guard = [&](int64_t less, int64_t more) {
    system_.guards.push_back({OpCode::FLt, idAt(x, less), idAt(x, more), true, step.op->span});
  };
  if (step.op->code == OpCode::ArgSort) {
    tiedOrder(step, x, values, positions);
  } else {
    int64_t best = positions.integer();
    for (int64_t k = 0; k < x.count(); ++k)
      if (k != best) step.op->attrs.str == "max" ? guard(k, best) : guard(best, k);
  }
  clearIds(frame, step.results[0]);
}

// x = A^-1 b: new unknowns x with the equations A x - b = 0.
void Tracer::linearSolve(const Step& step, Frame& frame) {
  Slot a = idsOf(step, frame, 0), b = idsOf(step, frame, 1);
  bool transposed = !step.op->attrs.ints.empty() && step.op->attrs.ints[0] == 1;
  auto structure = static_cast<ir::Structure>(step.op->attrs.i);
  execute(step, frame);
  Slot x = newUnknowns(step.out(frame.values));
  int64_t n = a.dims()[0], m = n == 0 ? 0 : b.count() / n;
  Graph& graph = system_.graph;
  Span span = step.op->span;
  for (int64_t i = 0; i < n; ++i)
    for (int64_t c = 0; c < m; ++c) {
      NodeId row = graph.op(OpCode::Neg, {idAt(b, i * m + c)}, span);
      for (int64_t j = 0; j < n; ++j) {
        NodeId entry = transposed ? effectiveEntry(a, structure, j, i) : effectiveEntry(a, structure, i, j);
        row = graph.op(OpCode::Add, {row, graph.op(OpCode::Mul, {entry, idAt(x, j * m + c)}, span)}, span);
      }
      system_.equations.push_back(row);
    }
  setIds(frame, step.results[0], std::move(x));
}

}  // namespace dini::certify
