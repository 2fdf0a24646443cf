// Forward rules of the matrix decompositions and of least squares.
// Derivations: docs/maths.md, "Decompositions".
#include "ad/forward.h"
#include "ad/linear.h"

namespace dini::ad {

using ir::OpCode;
using ir::Structure;
using ir::Value;

namespace {

Value* turned(ir::Builder& b, Value* m) { return b.transpose(m, {1, 0}); }
Value* times(ir::Builder& b, Value* l, Value* r) { return b.einsum("ij,jk->ik", l, r); }
Value* Ttimes(ir::Builder& b, Value* l, Value* r) { return b.einsum("ji,jk->ik", l, r); }  // l' r
Value* symmetric(ir::Builder& b, Value* m) {
  return b.mul(b.real(0.5), b.add(m, turned(b, m)));
}

// Row and column numbers of an n x n matrix.
struct Grid {
  Value *rows, *columns;
  Grid(ir::Builder& b, Value* n) {
    Value* i = b.iota(n);
    rows = b.broadcast(i, {0}, {n, n});
    columns = b.broadcast(i, {1}, {n, n});
  }
};

// A zero that may stand beside `tangent`: linear where that is; the tangents of a probe are not.
Value* zeroFor(ir::Builder& b, const Value* tangent) {
  Value* zero = b.real(0.0);
  zero->linear = tangent->linear;
  return zero;
}

// Tangents have no sizes that could be read: n is taken from a value that is no tangent.
// The lower triangle of an n x n matrix with half of the diagonal.
Value* halfLower(ir::Builder& b, Value* m, Value* n) {
  Grid grid(b, n);
  Value* below = b.op(OpCode::ILt, {grid.columns, grid.rows});
  Value* on = b.op(OpCode::IEq, {grid.columns, grid.rows});
  Value* half = b.mul(b.real(0.5), m);
  return b.select(below, m, b.select(on, half, zeroFor(b, m)));
}

Value* strictlyLower(ir::Builder& b, Value* m, Value* n) {
  Grid grid(b, n);
  return b.select(b.op(OpCode::ILt, {grid.columns, grid.rows}), m, zeroFor(b, m));
}

// The diagonal as a vector: each column summed over the entries on the diagonal.
Value* diagonal(ir::Builder& b, Value* m, Value* n) {
  Grid grid(b, n);
  Value* on = b.op(OpCode::IEq, {grid.columns, grid.rows});
  return b.reduce("sum", b.select(on, m, zeroFor(b, m)), {0});
}

// D_ij = v_j - v_i.
Value* differences(ir::Builder& b, Value* v) {
  Value* n = b.dim(v, 0);
  return b.sub(b.broadcast(v, {1}, {n, n}), b.broadcast(v, {0}, {n, n}));
}

}  // namespace

bool Forward::matrixRule(ir::Builder& b, const ir::Op& op) {
  switch (op.code) {
    case OpCode::LinearSolve: linearSolveRule(b, op); return true;
    case OpCode::SparseSolve: sparseSolveRule(b, op); return true;
    case OpCode::Factor: return true;  // its solves look through it
    case OpCode::SolveFactored: solveFactoredRule(b, op); return true;
    case OpCode::LeastSquares: leastSquaresRule(b, op); return true;
    case OpCode::Cholesky: choleskyRule(b, op); return true;
    case OpCode::Eigh: eighRule(b, op); return true;
    case OpCode::Svd: svdRule(b, op); return true;
    case OpCode::Qr: qrRule(b, op); return true;
    default: return false;
  }
}

// A x = b with A given by its entries: x_dot = A^-1 (b_dot - A_dot x), where A_dot has the entries'
// tangents at the same places.
void Forward::sparseSolveRule(ir::Builder& b, const ir::Op& op) {
  Value *v_dot = dot(op.operand(0)), *rhs = dot(op.operand(3));
  if (v_dot == nullptr && rhs == nullptr) return;
  bool transposed = !op.attrs.ints.empty() && op.attrs.ints[0] == 1;
  Value *rows = x(op.operand(1)), *columns = x(op.operand(2)), *solution = x(op.result());
  if (transposed) std::swap(rows, columns);
  if (v_dot != nullptr) {
    Value* read = b.gather(solution, columns);
    if (solution->type.rank() == 2)
      v_dot = b.broadcast(v_dot, {0}, {b.dim(rows, 0), b.dim(solution, 1)});
    Value* zeros = probing() ? b.zerosLike(solution) : linearZeros(b, solution);
    Value* moved = b.op(OpCode::ScatterAdd, {zeros, rows, b.mul(v_dot, read)});
    rhs = rhs != nullptr ? b.sub(rhs, moved) : b.neg(moved);
  }
  setDot(op.result(), b.op(OpCode::SparseSolve,
                           {x(op.operand(0)), x(op.operand(1)), x(op.operand(2)), rhs}, op.attrs));
}

// x = A^+ b with residual r = b - A x; for constant rank
// x_dot = A^+ (b_dot - A_dot x) + A^+ A^+' A_dot' r + (I - A^+ A) A_dot' A^+' x.
void Forward::leastSquaresRule(ir::Builder& b, const ir::Op& op) {
  Value *a_dot = dot(op.operand(0)), *rhs = dot(op.operand(1));
  if (a_dot == nullptr && rhs == nullptr) return;
  Value *a = x(op.operand(0)), *solution = x(op.result());
  bool many = solution->type.rank() == 2;
  std::string tail = many ? "k" : "";
  auto mul = [&](Value* m, Value* v) { return b.einsum("ij,j" + tail + "->i" + tail, m, v); };
  auto mulT = [&](Value* m, Value* v) { return b.einsum("ji,j" + tail + "->i" + tail, m, v); };
  auto solve = [&](Value* m, Value* v) { return b.op(OpCode::LeastSquares, {m, v}); };
  Value* tangent = nullptr;
  if (a_dot != nullptr) {
    Value* t = mul(a_dot, solution);
    rhs = rhs != nullptr ? b.sub(rhs, t) : b.neg(t);
    Value* a_t = turned(b, a);
    Value* r = b.sub(x(op.operand(1)), mul(a, solution));
    Value* second = solve(a, solve(a_t, mulT(a_dot, r)));
    Value* u = mulT(a_dot, solve(a_t, solution));
    tangent = b.add(second, b.sub(u, solve(a, mul(a, u))));
  }
  setDot(op.result(), sum(b, solve(a, rhs), tangent));
}

// L L' = S:  L_dot = L halfLower(L^-1 S_dot L^-T).
void Forward::choleskyRule(ir::Builder& b, const ir::Op& op) {
  Value* a_dot = dot(op.operand(0));
  if (a_dot == nullptr) return;
  Value* l = x(op.result());
  Value* left = b.linearSolve(l, symmetric(b, a_dot), Structure::Lower);
  Value* both = b.linearSolve(l, turned(b, left), Structure::Lower);
  setDot(op.result(), times(b, l, halfLower(b, both, b.dim(l, 0))));
}

// S V = V diag(w), M = V' S_dot V:  w_dot = diag(M), V_dot = V (F .* M), F_ij = 1 / (w_j - w_i), and
// 0 where w_j = w_i: within an eigenspace the basis is taken not to turn.
void Forward::eighRule(ir::Builder& b, const ir::Op& op) {
  Value* a_dot = dot(op.operand(0));
  if (a_dot == nullptr) return;
  Value *w = x(op.results[0]), *v = x(op.results[1]);
  Value* m = Ttimes(b, v, times(b, symmetric(b, a_dot), v));
  setDot(op.results[0], diagonal(b, m, b.dim(w, 0)));
  setDot(op.results[1], times(b, v, b.op(OpCode::SafeDiv, {m, differences(b, w)})));
}

// Thin A = U diag(s) V', P = U' A_dot V. With E_ij = s_j^2 - s_i^2 (0 counts as no coupling):
// s_dot = diag(P), U_dot = U ((P S + S P') ./ E) + (I - U U') A_dot V S^-1, likewise for V.
void Forward::svdRule(ir::Builder& b, const ir::Op& op) {
  Value* a_dot = dot(op.operand(0));
  if (a_dot == nullptr) return;
  Value *u = x(op.results[0]), *s = x(op.results[1]), *v = x(op.results[2]);
  Value* k = b.dim(s, 0);
  auto byColumn = [&](Value* m) { return b.einsum("ij,j->ij", m, s); };
  Value* p = Ttimes(b, u, times(b, a_dot, v));
  Value* p_t = turned(b, p);
  Value* e = differences(b, b.mul(s, s));
  auto rotation = [&](Value* m, Value* m_t) {  // (m S + S m') ./ E
    Value* scaled_rows = turned(b, byColumn(turned(b, m_t)));
    return b.op(OpCode::SafeDiv, {b.add(byColumn(m), scaled_rows), e});
  };
  // (I - Q Q') m S^-1, the part of the motion that leaves the range of Q.
  auto leaving = [&](Value* q, Value* m) {
    Value* out = b.sub(m, times(b, q, Ttimes(b, q, m)));
    Value* divisors = b.broadcast(s, {1}, {b.dim(q, 0), k});
    return b.op(OpCode::SafeDiv, {out, divisors});
  };
  setDot(op.results[1], diagonal(b, p, k));
  setDot(op.results[0], b.add(times(b, u, rotation(p, p_t)), leaving(u, times(b, a_dot, v))));
  setDot(op.results[2], b.add(times(b, v, rotation(p_t, p)),
                              leaving(v, Ttimes(b, a_dot, u))));
}

// Thin A = Q R with R regular, C = Q' A_dot R^-1, W = strictly lower part of C, O = W - W':
// Q_dot = Q O + (A_dot - Q Q' A_dot) R^-1,  R_dot = (C - O) R.
void Forward::qrRule(ir::Builder& b, const ir::Op& op) {
  Value* a_dot = dot(op.operand(0));
  if (a_dot == nullptr) return;
  Value *q = x(op.results[0]), *r = x(op.results[1]);
  const ir::Type& type = x(op.operand(0))->type;
  const char* wide = "the derivative of qr of a matrix with more columns than rows";
  if (!type.isStatic())
    b.check(b.op(ir::OpCode::ILe, {b.dim(x(op.operand(0)), 1), b.dim(x(op.operand(0)), 0)}),
            ir::Status::Domain, wide);
  else if (type.dims[0] < type.dims[1]) throw Unsupported(wide, op.span);
  // Y R^-1 as the transpose of R^-T Y'.
  Value* y = turned(b, b.linearSolve(r, turned(b, a_dot), Structure::Upper, true));
  Value* c = Ttimes(b, q, y);
  Value* w = strictlyLower(b, c, b.dim(r, 0));
  Value* o = b.sub(w, turned(b, w));
  setDot(op.results[0], b.add(times(b, q, o), b.sub(y, times(b, q, c))));
  setDot(op.results[1], times(b, b.sub(c, o), r));
}

}  // namespace dini::ad
