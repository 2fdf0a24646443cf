// Projections and sparse systems in equations, as scalar operations with kinks of rank one and as further
// unknowns with equations of their own.
#include <cmath>

#include "certify/tracer.h"

namespace dini::certify {

using ir::Elem;
using ir::OpCode;

namespace {

NodeId relu(Graph& graph, NodeId x, Span span) {
  NodeId zero = graph.constant(0);
  return graph.op(OpCode::Choose, {x, zero, x, zero}, span, {0, 1});
}

}  // namespace

// Nearest to v in the simplex: out_i = relu(v_i - theta), with theta a new unknown and the equation that
// the sum of these is the radius.
void Tracer::projSimplex(const Step& step, Frame& frame) {
  Slot v = idsOf(step, frame, 0), radius = idsOf(step, frame, 1);
  execute(step, frame);
  const Slot& out = step.out(frame.values);
  Graph& graph = system_.graph;
  Span span = step.op->span;
  double theta = std::nan("");
  for (int64_t k = 0; k < out.count(); ++k)
    if (out.reals()[k] > 0) theta = graph.node(idAt(v, k)).value - out.reals()[k];
  if (std::isnan(theta)) stop(step, "a projection on a simplex that is one point is not followed");
  NodeId shift = graph.unknown(theta);
  NodeId sum = graph.op(OpCode::Neg, {idAt(radius, 0)}, span);
  Slot ids = Slot::make(Elem::I64, out.dims());
  for (int64_t k = 0; k < out.count(); ++k) {
    NodeId part = relu(graph, graph.op(OpCode::Sub, {idAt(v, k), shift}, span), span);
    sum = graph.op(OpCode::Add, {sum, part}, span);
    writable(ids)[k] = part;
  }
  system_.equations.push_back(sum);
  setIds(frame, step.results[0], std::move(ids));
}

// Nearest to (t; x) in the second-order cone, away from x = 0: with r = norm(x), p = relu(t + r) and
// q = relu(t - r) it is ((p + q) / 2; (p - q) / 2 x / r). The boundary of the cone and of its polar are the
// kinks of q and p. Near the apex it is a block; near x = 0 elsewhere only the inside of either is followed,
// where it is v or 0.
void Tracer::projSoc(const Step& step, Frame& frame) {
  constexpr double kNearAxis = 1e-6;
  Slot v = idsOf(step, frame, 0), at = step.in(frame.values, 0);
  execute(step, frame);
  if (nearZero(v))
    return setIds(frame, step.results[0], coneAtApex(step, v, at, step.out(frame.values)));
  Slot ids = Slot::make(Elem::I64, step.out(frame.values).dims());
  Graph& graph = system_.graph;
  Span span = step.op->span;
  NodeId t = idAt(v, 0), zero = graph.constant(0), squares = zero;
  for (int64_t k = 1; k < v.count(); ++k)
    squares = graph.op(OpCode::Add, {squares, graph.op(OpCode::PowI, {idAt(v, k)}, span, {2, 0})}, span);
  double height = graph.node(t).value;
  if (std::sqrt(graph.node(squares).value) <= kNearAxis * std::fabs(height)) {
    system_.guards.push_back({OpCode::FLt, squares, graph.op(OpCode::PowI, {t}, span, {2, 0}), true, span});
    system_.guards.push_back({OpCode::FLt, height > 0 ? zero : t, height > 0 ? t : zero, true, span});
    for (int64_t k = 0; k < v.count(); ++k) writable(ids)[k] = height > 0 ? idAt(v, k) : zero;
    return setIds(frame, step.results[0], std::move(ids));
  }
  NodeId r = graph.op(OpCode::Sqrt, {squares}, span), half = graph.constant(0.5);
  NodeId p = relu(graph, graph.op(OpCode::Add, {t, r}, span), span);
  NodeId q = relu(graph, graph.op(OpCode::Sub, {t, r}, span), span);
  NodeId along = graph.op(OpCode::Mul, {half, graph.op(OpCode::Sub, {p, q}, span)}, span);
  writable(ids)[0] = graph.op(OpCode::Mul, {half, graph.op(OpCode::Add, {p, q}, span)}, span);
  for (int64_t k = 1; k < v.count(); ++k)
    writable(ids)[k] = graph.op(OpCode::Mul, {along, graph.op(OpCode::Div, {idAt(v, k), r}, span)}, span);
  setIds(frame, step.results[0], std::move(ids));
}

// x = A^-1 b with A given by its entries: new unknowns x with the equations A x - b = 0.
void Tracer::sparseSolve(const Step& step, Frame& frame) {
  Slot values = idsOf(step, frame, 0), b = idsOf(step, frame, 3);
  const Slot rows = step.in(frame.values, 1), columns = step.in(frame.values, 2);
  bool transposed = !step.op->attrs.ints.empty() && step.op->attrs.ints[0] == 1;
  execute(step, frame);
  Slot x = newUnknowns(step.out(frame.values));
  int64_t n = b.dims()[0], m = n == 0 ? 0 : b.count() / n;
  Graph& graph = system_.graph;
  Span span = step.op->span;
  for (int64_t c = 0; c < m; ++c) {
    std::vector<NodeId> sums;
    for (int64_t i = 0; i < n; ++i) sums.push_back(graph.op(OpCode::Neg, {idAt(b, i * m + c)}, span));
    for (int64_t e = 0; e < values.count(); ++e) {
      int64_t i = rows.integers()[e], j = columns.integers()[e];
      if (transposed) std::swap(i, j);
      NodeId& sum = sums[static_cast<size_t>(i)];
      sum = graph.op(OpCode::Add, {sum, graph.op(OpCode::Mul, {idAt(values, e), idAt(x, j * m + c)}, span)}, span);
    }
    system_.equations.insert(system_.equations.end(), sums.begin(), sums.end());
  }
  setIds(frame, step.results[0], std::move(x));
}

}  // namespace dini::certify
