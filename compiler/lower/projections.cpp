// Projections and the nuclear norm. Kinks with one switch are `choose` operations; the others are
// operations of their own, which carry the tie policy of the function they stand in.
#include <limits>

#include "base/check.h"
#include "lower/scopes.h"

namespace dini::lower {

using ir::OpCode;
using sema::Builtin;

namespace {
// The two branches of a choose differ by no constant multiple of its switch.
constexpr double kNoGap = std::numeric_limits<double>::quiet_NaN();
}  // namespace

// An operation with irreducible kinks.
ir::Value* Emitter::irreducible(OpCode code, std::vector<ir::Value*> operands, std::string kind) {
  ir::Attrs attrs;
  attrs.str = std::move(kind);
  attrs.i = frame_->tie_mark;
  return b().op(code, std::move(operands), std::move(attrs));
}

// The radius of a ball or simplex, 1 if it is left out.
ir::Value* Emitter::radiusOf(const Val& given) {
  if (!given.isLeaf()) return b().real(1.0);
  ir::Value* radius = toReal(given.value);
  auto known = ir::constantReal(radius);
  if (!known || *known < 0) {
    ir::Value* negative = b().op(OpCode::FLt, {radius, b().real(0.0)});
    require(b().op(OpCode::Not, {negative}), ir::Status::Domain, "the radius is negative");
  }
  return radius;
}

// v inside the ball; else its magnitudes on the simplex, with their signs. The magnitudes' tie at 0
// matters on the sphere only, and takes the same side in all three places.
ir::Value* Emitter::projectedOnL1(ir::Value* v, ir::Value* radius) {
  ir::Value* size = absolute(v);
  ir::Value* shrunk = irreducible(OpCode::ProjSimplex, {size, radius});
  ir::Value* outside =
      choose(v, b().real(0.0), shrunk, b().op(OpCode::Neg, {shrunk}), kNoGap, "proj_l1");
  return choose(b().sumAll(size), radius, outside, v, kNoGap, "proj_l1");
}

ir::Value* Emitter::projectedOnL2(ir::Value* v, ir::Value* radius) {
  ir::Value* length = b().op(OpCode::Norm, {v});
  ir::Value* outside = b().mul(b().op(OpCode::SafeDiv, {radius, length}), v);
  return choose(length, radius, outside, v, kNoGap, "proj_l2");
}

ir::Value* Emitter::positivePart(ir::Value* matrix) {
  const auto& basis = b().emit(OpCode::Eigh, {matrix}).results;
  return irreducible(OpCode::Spectral, {matrix, basis[0], basis[1]}, "project");
}

// The sum of the singular values s of A [m, n]: [0 A; A' 0] has the eigenvalues s, -s and zeros, so it
// is the trace of that matrix's positive part.
ir::Value* Emitter::nuclearNorm(ir::Value* a) {
  ir::Value *m = sizeOf(a, 0), *n = sizeOf(a, 1), *zero = b().real(0.0);
  auto zeros = [&](ir::Value* size) { return b().fill(zero, std::vector<ir::Value*>{size, size}); };
  ir::Value* upper = b().concat({zeros(m), a}, 1);
  ir::Value* lower = b().concat({b().transpose(a, {1, 0}), zeros(n)}, 1);
  ir::Value* positive = positivePart(b().concat({upper, lower}, 0));
  return b().sumAll(diagonal(Val::leaf(positive)).value);
}

Val Emitter::projection(Builtin builtin, std::vector<Val>& a) {
  ir::Value* v = toReal(a[0].value);
  switch (builtin) {
    case Builtin::ProjNonneg:
      return Val::leaf(relu(v, "proj_nonneg"));
    case Builtin::ProjBox:
      return Val::leaf(clamped(v, toReal(a[1].value), toReal(a[2].value)));
    case Builtin::ProjSimplex:
      return Val::leaf(irreducible(OpCode::ProjSimplex, {v, radiusOf(a[1])}));
    case Builtin::ProjL1:
      return Val::leaf(projectedOnL1(v, radiusOf(a[1])));
    case Builtin::ProjL2:
      return Val::leaf(projectedOnL2(v, radiusOf(a[1])));
    case Builtin::ProjSoc:
      return Val::leaf(irreducible(OpCode::ProjSoc, {v}));
    case Builtin::NormNuc:
      return Val::leaf(nuclearNorm(v));
    default:
      check(builtin == Builtin::ProjPsd, "a builtin that is no projection");
      if (knownDifference(sizeOf(v, 0), sizeOf(v, 1)) != 0)
        require(intOp(OpCode::IEq, sizeOf(v, 0), sizeOf(v, 1)), ir::Status::Shape,
                "the matrix is not square");
      return Val::leaf(positivePart(v));
  }
}

}  // namespace dini::lower
