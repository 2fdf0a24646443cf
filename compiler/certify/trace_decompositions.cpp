// Decompositions of matrices in equations: their factors are further unknowns, with the equations that
// define them. Where these are close to singular (equal eigenvalues, a rank below the full one) the
// factors have no derivative, and nothing is claimed.
#include <algorithm>
#include <cmath>

#include "certify/tracer.h"
#include "ir/walk.h"

namespace dini::certify {

using ir::Elem;
using ir::OpCode;

namespace {

constexpr double kApart = 1e-6;  // relative: eigenvalues, singular values and diagonals count as distinct, not 0

bool isRead(const ir::Value* value) {
  bool read = false;
  ir::walk(*value->def->parent, [&](const ir::Op& op) {
    read = read || std::find(op.operands.begin(), op.operands.end(), value) != op.operands.end();
  });
  return read;
}

// The id of the entry at row i and column k of an [n, m] array.
struct Ids {
  const int64_t* at = nullptr;
  int64_t columns = 0;
  NodeId operator()(int64_t i, int64_t k) const { return static_cast<NodeId>(at[i * columns + k]); }
};

// Sums of products, in the graph.
class Sum {
 public:
  Sum(Graph& graph, Span span) : graph_(graph), span_(span) {}
  Sum& plus(NodeId a, NodeId b) { return add(OpCode::Add, graph_.op(OpCode::Mul, {a, b}, span_)); }
  Sum& minus(NodeId a, NodeId b) { return add(OpCode::Sub, graph_.op(OpCode::Mul, {a, b}, span_)); }
  Sum& minus(NodeId a) { return add(OpCode::Sub, a); }
  Sum& minusHalf(NodeId a) { return add(OpCode::Sub, graph_.op(OpCode::Mul, {graph_.constant(0.5), a}, span_)); }
  NodeId done() const { return total_; }

 private:
  Sum& add(OpCode code, NodeId term) {
    if (total_ < 0) total_ = graph_.constant(0);
    total_ = graph_.op(code, {total_, term}, span_);
    return *this;
  }
  Graph& graph_;
  Span span_;
  NodeId total_ = -1;
};

}  // namespace

// What of A a linear solve with a declared structure reads.
NodeId Tracer::effectiveEntry(const Slot& a, ir::Structure structure, int64_t i, int64_t k) {
  int64_t n = a.dims()[1];
  Graph& graph = system_.graph;
  switch (structure) {
    case ir::Structure::General:
    case ir::Structure::Symmetric: break;
    case ir::Structure::PositiveDefinite: return idAt(a, std::max(i, k) * n + std::min(i, k));
    case ir::Structure::Lower: return k <= i ? idAt(a, i * n + k) : graph.constant(0);
    case ir::Structure::Upper: return k >= i ? idAt(a, i * n + k) : graph.constant(0);
    case ir::Structure::UnitLower: return k < i ? idAt(a, i * n + k) : graph.constant(k == i ? 1 : 0);
    case ir::Structure::Diagonal: return k == i ? idAt(a, i * n + k) : graph.constant(0);
  }
  return idAt(a, i * n + k);
}

// L L' = (A + A') / 2, L lower triangular.
void Tracer::cholesky(const Step& step, Frame& frame) {
  Slot a = idsOf(step, frame, 0);
  execute(step, frame);
  const Slot& values = step.out(frame.values);
  int64_t n = values.dims()[0];
  Graph& graph = system_.graph;
  Span span = step.op->span;
  Slot l = Slot::make(Elem::I64, values.dims());
  for (int64_t i = 0; i < n; ++i)
    for (int64_t k = 0; k < n; ++k)
      writable(l)[i * n + k] = k <= i ? graph.unknown(values.reals()[i * n + k]) : graph.constant(0);
  Ids at{l.integers(), n}, from{a.integers(), n};
  for (int64_t i = 0; i < n; ++i)
    for (int64_t k = 0; k <= i; ++k) {
      Sum row(graph, span);
      for (int64_t j = 0; j <= k; ++j) row.plus(at(i, j), at(k, j));
      system_.equations.push_back(row.minusHalf(from(i, k)).minusHalf(from(k, i)).done());
    }
  setIds(frame, step.results[0], std::move(l));
}

// The column's largest entry is positive by convention: that it stays so beside the point is a guard where
// another entry of the other sign comes close.
void Tracer::guardSigns(const Slot& vectors, const Slot& ids, Span span) {
  int64_t n = vectors.dims()[0], m = vectors.dims()[1];
  Graph& graph = system_.graph;
  for (int64_t c = 0; c < m; ++c) {
    int64_t best = 0;
    for (int64_t i = 1; i < n; ++i)
      if (std::abs(vectors.reals()[i * m + c]) > std::abs(vectors.reals()[best * m + c])) best = i;
    for (int64_t i = 0; i < n; ++i)
      if (vectors.reals()[i * m + c] * vectors.reals()[best * m + c] < 0)
        system_.guards.push_back({OpCode::FLt, graph.op(OpCode::Neg, {idAt(ids, i * m + c)}, span),
                                  idAt(ids, best * m + c), true, span});
  }
}

// (A + A') / 2 v = w v and v'v = 1 for each eigenvalue w; regular where w is simple.
void Tracer::eigenvalues(const Step& step, Frame& frame) {
  Slot a = idsOf(step, frame, 0);
  execute(step, frame);
  const Slot values = frame.values[step.results[0]], vectors = frame.values[step.results[1]];
  int64_t n = values.count();
  double size = 0;
  for (int64_t k = 0; k < n; ++k) size = std::max(size, std::abs(values.reals()[k]));
  for (int64_t k = 1; k < n; ++k)
    if (values.reals()[k] - values.reals()[k - 1] <= kApart * size)
      stop(step, "equal eigenvalues of a matrix of unknowns are not followed");
  Slot w = newUnknowns(values), v = newUnknowns(vectors);
  Ids at{v.integers(), n}, from{a.integers(), n};
  Graph& graph = system_.graph;
  Span span = step.op->span;
  for (int64_t c = 0; c < n; ++c) {
    Sum length(graph, span);
    for (int64_t i = 0; i < n; ++i) {
      Sum row(graph, span);
      for (int64_t k = 0; k < n; ++k) {
        NodeId both = graph.op(OpCode::Add, {from(i, k), from(k, i)}, span);
        row.plus(graph.op(OpCode::Mul, {graph.constant(0.5), both}, span), at(k, c));
      }
      system_.equations.push_back(row.minus(idAt(w, c), at(i, c)).done());
      length.plus(at(i, c), at(i, c));
    }
    system_.equations.push_back(length.minus(graph.constant(1)).done());
  }
  if (isRead(step.op->result(1))) guardSigns(vectors, v, span);
  setIds(frame, step.results[0], std::move(w));
  setIds(frame, step.results[1], std::move(v));
}

// A v = s u, A'u = s v and v'v = 1 for each singular value s; regular where s is simple and positive.
void Tracer::singularValues(const Step& step, Frame& frame) {
  Slot a = idsOf(step, frame, 0);
  execute(step, frame);
  const Slot left = frame.values[step.results[0]], values = frame.values[step.results[1]],
             right = frame.values[step.results[2]];
  int64_t m = left.dims()[0], n = right.dims()[0], count = values.count();
  const double* s = values.reals();
  for (int64_t k = 0; k < count; ++k)
    if (s[k] - (k + 1 < count ? s[k + 1] : 0) <= kApart * s[0])
      stop(step, "equal or zero singular values of a matrix of unknowns are not followed");
  Slot u = newUnknowns(left), w = newUnknowns(values), v = newUnknowns(right);
  Ids u_at{u.integers(), count}, v_at{v.integers(), count}, from{a.integers(), n};
  Graph& graph = system_.graph;
  Span span = step.op->span;
  for (int64_t c = 0; c < count; ++c) {
    Sum length(graph, span);
    for (int64_t i = 0; i < m; ++i) {
      Sum row(graph, span);
      for (int64_t k = 0; k < n; ++k) row.plus(from(i, k), v_at(k, c));
      system_.equations.push_back(row.minus(idAt(w, c), u_at(i, c)).done());
    }
    for (int64_t k = 0; k < n; ++k) {
      Sum row(graph, span);
      for (int64_t i = 0; i < m; ++i) row.plus(from(i, k), u_at(i, c));
      system_.equations.push_back(row.minus(idAt(w, c), v_at(k, c)).done());
      length.plus(v_at(k, c), v_at(k, c));
    }
    system_.equations.push_back(length.minus(graph.constant(1)).done());
  }
  if (isRead(step.op->result(0)) || isRead(step.op->result(2))) guardSigns(left, u, span);
  setIds(frame, step.results[0], std::move(u));
  setIds(frame, step.results[1], std::move(w));
  setIds(frame, step.results[2], std::move(v));
}

// Q R = A with R upper triangular, and the upper triangle of Q'Q = I.
void Tracer::orthogonal(const Step& step, Frame& frame) {
  Slot a = idsOf(step, frame, 0);
  execute(step, frame);
  const Slot q_values = frame.values[step.results[0]], r_values = frame.values[step.results[1]];
  int64_t m = q_values.dims()[0], count = q_values.dims()[1], n = r_values.dims()[1];
  Graph& graph = system_.graph;
  Span span = step.op->span;
  double size = 0;
  for (int64_t k = 0; k < r_values.count(); ++k) size = std::max(size, std::abs(r_values.reals()[k]));
  Slot q = newUnknowns(q_values), r = Slot::make(Elem::I64, r_values.dims());
  for (int64_t i = 0; i < count; ++i)
    for (int64_t k = 0; k < n; ++k) {
      double value = r_values.reals()[i * n + k];
      if (i == k && !(value > kApart * size)) stop(step, "a QR decomposition of less than full rank is not followed");
      writable(r)[i * n + k] = k >= i ? graph.unknown(value) : graph.constant(0);
    }
  Ids q_at{q.integers(), count}, r_at{r.integers(), n}, from{a.integers(), n};
  for (int64_t i = 0; i < m; ++i)
    for (int64_t k = 0; k < n; ++k) {
      Sum row(graph, span);
      for (int64_t j = 0; j <= std::min(k, count - 1); ++j) row.plus(q_at(i, j), r_at(j, k));
      system_.equations.push_back(row.minus(from(i, k)).done());
    }
  for (int64_t i = 0; i < count; ++i)
    for (int64_t k = i; k < count; ++k) {
      Sum row(graph, span);
      for (int64_t j = 0; j < m; ++j) row.plus(q_at(j, i), q_at(j, k));
      system_.equations.push_back(row.minus(graph.constant(i == k ? 1 : 0)).done());
    }
  setIds(frame, step.results[0], std::move(q));
  setIds(frame, step.results[1], std::move(r));
}

}  // namespace dini::certify
