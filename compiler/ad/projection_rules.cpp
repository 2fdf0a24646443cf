// Forward rules of the projections that are no switches. Derivations: docs/maths.md, "Irreducible
// kinks". The derivative of each is linear, symmetric (but for the simplex's radius) and, off ties,
// differentiable again; decisions and the weights they give are frozen.
#include "ad/forward.h"
#include "ad/linear.h"
#include "ad/ties.h"

namespace dini::ad {

using ir::OpCode;
using ir::Value;

namespace {

using Values = std::vector<Value*>;

Value* times(ir::Builder& b, Value* l, Value* r) { return b.einsum("ij,jk->ik", l, r); }
Value* half(ir::Builder& b, Value* m) { return b.mul(b.real(0.5), m); }
Value* symmetric(ir::Builder& b, Value* m) { return half(b, b.add(m, b.transpose(m, {1, 0}))); }
// l r - r l and l r + r l, where either factor may be linear.
Value* commutator(ir::Builder& b, Value* l, Value* r) { return b.sub(times(b, l, r), times(b, r, l)); }
Value* anticommutator(ir::Builder& b, Value* l, Value* r) {
  return b.add(times(b, l, r), times(b, r, l));
}

// The operations on one spectrum: A, its eigenvalues and eigenvectors, and what decides its ties.
class Spectrum {
 public:
  Spectrum(ir::Builder& builder, Values basis, Values decisions)
      : b_(builder), basis_(std::move(basis)), decisions_(std::move(decisions)) {}

  Value* map(const std::string& kind, double t, Value* c) {
    Values operands = basis_;
    operands.push_back(c);
    return emit(OpCode::SpectralMap, kind, t, std::move(operands));
  }
  Value* projector(double t) { return emit(OpCode::Spectral, "projector", t, basis_); }
  // The derivative of the projector along a symmetric K: X with A X - X A = P K - K P.
  Value* turned(double t, Value* k) { return map("gap", t, commutator(b_, projector(t), k)); }
  Value* a() { return symmetric(b_, basis_[0]); }
  Value* complement(Value* projector) {
    Value* n = b_.dim(projector, 0);
    Value* rows = b_.broadcast(b_.iota(n), {0}, {n, n});
    Value* columns = b_.broadcast(b_.iota(n), {1}, {n, n});
    Value* on = b_.op(OpCode::IEq, {rows, columns});
    return b_.sub(b_.op(OpCode::BoolToReal, {on}), projector);
  }

 private:
  Value* emit(OpCode code, const std::string& kind, double t, Values operands) {
    ir::Attrs attrs;
    attrs.str = kind;
    attrs.f = t;
    operands.insert(operands.end(), decisions_.begin(), decisions_.end());
    return b_.op(code, std::move(operands), std::move(attrs));
  }
  ir::Builder& b_;
  Values basis_, decisions_;
};

// The second derivative of the positive part along symmetric H and K, where every zero eigenvalue
// counts as positive (t = 1) or as negative (t = 0). P: projector, X_H its derivative along H.
//   1/2 (H X_K + X_K H + K X_H + X_H K + A Y + Y A),
//   Y = the derivative of X_H along K = gap([X_K, H] - [K, X_H]) - P Z P + (I - P) Z (I - P),
//   Z = X_K X_H + X_H X_K.
Value* curvature(ir::Builder& b, Spectrum& spectrum, double t, Value* h, Value* k) {
  Value* x_h = spectrum.turned(t, h);
  Value* x_k = spectrum.turned(t, k);
  Value* p = spectrum.projector(t);
  Value* q = spectrum.complement(p);
  Value* z = anticommutator(b, x_k, x_h);
  Value* across = spectrum.map("gap", t, b.sub(commutator(b, x_k, h), commutator(b, k, x_h)));
  Value* within = b.sub(times(b, q, times(b, z, q)), times(b, p, times(b, z, p)));
  Value* y = b.add(across, within);
  Value* sum = b.add(anticommutator(b, x_k, h), anticommutator(b, k, x_h));
  return half(b, b.add(sum, anticommutator(b, y, spectrum.a())));
}

// X = gap(C) along K at fixed C, with P' = X_K:  A X' - X' A = -[K, X] - (P C P + Q C Q)' across the
// blocks, and within them X' = -(P' X P + P X P') - (Q' X Q + Q X Q').
Value* gapAlong(ir::Builder& b, Spectrum& spectrum, double t, Value* c, Value* x, Value* k) {
  Value* x_k = spectrum.turned(t, k);
  Value* p = spectrum.projector(t);
  Value* difference = b.sub(p, spectrum.complement(p));  // P' = X_K, Q' = -X_K
  auto blocksMoved = [&](Value* m) {
    return b.add(times(b, times(b, x_k, m), difference), times(b, times(b, difference, m), x_k));
  };
  Value* right = b.neg(b.add(commutator(b, k, x), blocksMoved(c)));
  return b.sub(spectrum.map("gap", t, right), blocksMoved(x));
}

}  // namespace

bool Forward::projectionRule(ir::Builder& b, const ir::Op& op) {
  switch (op.code) {
    case OpCode::ProjSimplex: simplexRule(b, op); return true;
    case OpCode::ProjSoc: {
      if (dot(op.operand(0)) == nullptr) return true;
      Values operands{x(op.operand(0)), dot(op.operand(0))};
      for (size_t k = 1; k < op.operands.size(); ++k) operands.push_back(x(op.operand(k)));
      ir::Attrs attrs;
      attrs.f = irreducibleWeight(request_.ties, op);
      attrs.i = isGuarded(op.result()) ? 1 : 0;
      setDot(op.result(),
             noted(b, op, b.op(OpCode::SocMap, std::move(operands), std::move(attrs))));
      return true;
    }
    case OpCode::SocMap: socMapRule(b, op); return true;
    case OpCode::Spectral:
    case OpCode::SpectralMap: spectralRule(b, op); return true;
    default: return false;
  }
}

// x = max(v - y, 0) with sum(x) = radius. With d = 1 on the support: x_dot = d .* (v_dot - y_dot),
// y_dot = (<d, v_dot> - radius_dot) / sum(d). The support is frozen.
void Forward::simplexRule(ir::Builder& b, const ir::Op& op) {
  Value *v_dot = dot(op.operand(0)), *radius_dot = dot(op.operand(1));
  if (v_dot == nullptr && radius_dot == nullptr) return;
  ir::Attrs attrs;
  attrs.f = irreducibleWeight(request_.ties, op);
  Values operands;
  for (Value* operand : op.operands) operands.push_back(x(operand));
  Value* d = b.op(OpCode::SimplexWeights, std::move(operands), std::move(attrs));
  Value* total = v_dot != nullptr ? b.einsum("i,i->", d, v_dot) : nullptr;
  if (radius_dot != nullptr) total = total != nullptr ? b.sub(total, radius_dot) : b.neg(radius_dot);
  Value* y_dot = b.op(OpCode::SafeDiv, {total, b.sumAll(d)});
  Value* along = b.mul(d, y_dot);
  setDot(op.result(),
         noted(b, op, v_dot != nullptr ? b.sub(b.mul(d, v_dot), along) : b.neg(along)));
}

// M(v) c. Between the cone and its polar, with n = norm(x), u = x / n, ratio = s / n:
// M c = 1/2 (c_s + u'c_x;  u c_s + c_x + ratio (c_x - u u'c_x)), so along v_dot = (s_dot; x_dot)
// u' = (x_dot - u u'x_dot) / n, ratio' = (s_dot - ratio u'x_dot) / n. Elsewhere M is constant.
void Forward::socMapRule(ir::Builder& b, const ir::Op& op) {
  Value *v_dot = dot(op.operand(0)), *c_dot = dot(op.operand(1)), *tangent = nullptr;
  if (c_dot != nullptr) {
    Values operands;
    for (Value* operand : op.operands) operands.push_back(x(operand));
    operands[1] = c_dot;
    tangent = b.op(OpCode::SocMap, std::move(operands), op.attrs);
  }
  if (v_dot != nullptr) tangent = sum(b, tangent, socCurvature(b, op, v_dot));
  setDot(op.result(), tangent);
}

Value* Forward::socCurvature(ir::Builder& b, const ir::Op& op, Value* v_dot) {
  Value *v = x(op.operand(0)), *c = x(op.operand(1));
  Value *zero = b.integer(0), *one = b.integer(1);
  Value* rest = b.op(OpCode::ISub, {b.dim(v, 0), one});
  if (auto n = ir::constantInt(b.dim(v, 0))) rest = b.integer(*n - 1);
  auto head = [&](Value* w) { return b.index(w, {zero}); };
  auto tail = [&](Value* w) { return b.slice(w, {one}, {rest}); };
  auto dotted = [&](Value* l, Value* r) { return b.einsum("i,i->", l, r); };
  if (op.attrs.i == 0 && !isGuarded(op.result()))
    b.check(b.op(OpCode::FNe, {b.op(OpCode::Norm, {v}), b.real(0.0)}), ir::Status::Domain,
            "a second derivative of `proj_soc` at the apex of the cone");
  Value *s = head(v), *y = tail(v), *n = b.op(OpCode::Norm, {y});
  Value* u = b.op(OpCode::SafeDiv, {y, n});
  Value* ratio = b.op(OpCode::SafeDiv, {s, n});
  Value *c_s = head(c), *c_y = tail(c), *along = dotted(u, c_y);
  Value *s_dot = head(v_dot), *y_dot = tail(v_dot), *n_dot = dotted(u, y_dot);
  auto over = [&](Value* w) { return b.op(OpCode::SafeDiv, {w, n}); };
  Value* u_dot = over(b.sub(y_dot, b.mul(u, n_dot)));
  Value* ratio_dot = over(b.sub(s_dot, b.mul(ratio, n_dot)));
  Value* along_dot = dotted(c_y, u_dot);
  Value* across = b.sub(c_y, b.mul(u, along));
  Value* moved = b.add(b.mul(u_dot, along), b.mul(u, along_dot));  // of u u'c_y
  Value* bottom = b.sub(b.add(b.mul(u_dot, c_s), b.mul(ratio_dot, across)), b.mul(ratio, moved));
  Value* both = half(b, b.concat({b.reshape(along_dot, {one}), bottom}, 0));
  // On a boundary the piece that the weight selects, in its proportion.
  ir::Attrs attrs;
  Value* linear_zero = both->linear ? linearZeros(b, both) : b.zerosLike(both);  // a probe's tangents are not linear
  auto between = [&](Value* low, double weight, Value* below, Value* above) {
    attrs.f = weight;
    return b.op(OpCode::Pick, {s, low, above, below}, attrs);
  };
  double t = op.attrs.f;
  return between(b.neg(n), t, linear_zero, between(n, t, both, linear_zero));
}

// The positive part of (A + A')/2, its derivative, its projector and the projector's derivative.
// Eigenvalues and eigenvectors are functions of A here: only A's tangent is read.
void Forward::spectralRule(ir::Builder& b, const ir::Op& op) {
  bool map = op.code == OpCode::SpectralMap;
  Value* a_dot = dot(op.operand(0));
  Value* c_dot = map ? dot(op.operand(3)) : nullptr;
  size_t first = map ? 4 : 3;
  Values basis{x(op.operand(0)), x(op.operand(1)), x(op.operand(2))}, decisions;
  for (size_t k = first; k < op.operands.size(); ++k) decisions.push_back(x(op.operand(k)));
  Spectrum spectrum(b, basis, decisions);
  const std::string& kind = op.attrs.str;
  double t = op.attrs.f;
  Value* tangent = c_dot != nullptr ? spectrum.map(kind, t, c_dot) : nullptr;
  if (a_dot != nullptr) {
    Value* k = kind == "project" ? nullptr : symmetric(b, a_dot);
    Value* moved = nullptr;
    if (kind == "project") {
      moved = noted(b, op, spectrum.map("tangent", irreducibleWeight(request_.ties, op), a_dot));
    } else if (kind == "projector") {
      moved = spectrum.turned(t, k);
    } else if (kind == "gap") {
      moved = gapAlong(b, spectrum, t, x(op.operand(3)), x(op.result()), k);
    } else {
      Value* h = symmetric(b, x(op.operand(3)));
      if (t == 0 || t == 1) {
        moved = curvature(b, spectrum, t, h, k);
      } else {
        moved = b.add(b.mul(b.real(t), curvature(b, spectrum, 1, h, k)),
                      b.mul(b.real(1 - t), curvature(b, spectrum, 0, h, k)));
      }
    }
    tangent = sum(b, tangent, moved);
  }
  setDot(op.result(), tangent);
}

}  // namespace dini::ad
