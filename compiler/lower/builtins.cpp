// Builtins on scalars and elements. Kinks become `choose` operations that name their source.
#include <fmt/format.h>

#include <limits>

#include "base/check.h"
#include "lower/scopes.h"

namespace dini::lower {

using ir::OpCode;
using sema::Builtin;

namespace {

// Builtins that are one operation of one real operand.
std::optional<OpCode> unaryOp(Builtin builtin) {
  switch (builtin) {
    case Builtin::Exp:
      return OpCode::Exp;
    case Builtin::Log:
      return OpCode::Log;
    case Builtin::Log1p:
      return OpCode::Log1p;
    case Builtin::Expm1:
      return OpCode::Expm1;
    case Builtin::Sqrt:
      return OpCode::Sqrt;
    case Builtin::Cbrt:
      return OpCode::Cbrt;
    case Builtin::Sin:
      return OpCode::Sin;
    case Builtin::Cos:
      return OpCode::Cos;
    case Builtin::Tan:
      return OpCode::Tan;
    case Builtin::Asin:
      return OpCode::Asin;
    case Builtin::Acos:
      return OpCode::Acos;
    case Builtin::Atan:
      return OpCode::Atan;
    case Builtin::Sinh:
      return OpCode::Sinh;
    case Builtin::Cosh:
      return OpCode::Cosh;
    case Builtin::Tanh:
      return OpCode::Tanh;
    case Builtin::Asinh:
      return OpCode::Asinh;
    case Builtin::Acosh:
      return OpCode::Acosh;
    case Builtin::Atanh:
      return OpCode::Atanh;
    case Builtin::Erf:
      return OpCode::Erf;
    case Builtin::Erfc:
      return OpCode::Erfc;
    case Builtin::Lgamma:
      return OpCode::Lgamma;
    case Builtin::Digamma:
      return OpCode::Polygamma;
    case Builtin::Sigmoid:
      return OpCode::Sigmoid;
    case Builtin::Softplus:
      return OpCode::Softplus;
    case Builtin::Floor:
      return OpCode::Floor;
    case Builtin::Ceil:
      return OpCode::Ceil;
    case Builtin::Round:
      return OpCode::Round;
    case Builtin::Sign:
      return OpCode::Sign;
    case Builtin::IsNan:
      return OpCode::IsNan;
    case Builtin::IsFinite:
      return OpCode::IsFinite;
    default:
      return std::nullopt;
  }
}

}  // namespace

ir::Value* Emitter::relu(ir::Value* x, const char* kink) {
  ir::Value* zero = b().real(0.0);
  return choose(x, zero, x, zero, 1.0, kink);
}

ir::Value* Emitter::absolute(ir::Value* x) {
  return choose(x, b().real(0.0), x, b().op(OpCode::Neg, {x}), 2.0, "abs");
}

ir::Value* Emitter::clamped(ir::Value* x, ir::Value* lo, ir::Value* hi) {
  requireEqualShapes(x, lo);
  ir::Value* above = choose(x, lo, x, lo, 1.0, "clamp");
  requireEqualShapes(above, hi);
  return choose(above, hi, hi, above, -1.0, "clamp");
}

Val Emitter::extreme(bool max, const Val& a, const Val& b) {
  ir::Value *x = a.value, *y = b.value;
  unify(x, y);
  if (!x->type.isReal()) return Val::leaf(intOp(max ? OpCode::IMax : OpCode::IMin, x, y));
  return Val::leaf(max ? choose(x, y, x, y, 1.0, "max") : choose(x, y, y, x, -1.0, "min"));
}

Val Emitter::elementwiseBuiltin(Builtin builtin, const Val& x) {
  if (builtin == Builtin::Abs && x.type().elem == ir::Elem::I64)
    return Val::leaf(intOp(OpCode::IMax, x.value, intOp(OpCode::ISub, integer(0), x.value)));
  ir::Value* v = toReal(x.value);
  ir::Value* one = nullptr;
  switch (builtin) {
    case Builtin::Abs:
      return Val::leaf(absolute(v));
    case Builtin::Relu:
      return Val::leaf(relu(v));
    case Builtin::Hinge:
      one = b().real(1.0);
      return Val::leaf(relu(b().sub(one, v), "hinge"));
    case Builtin::Huber: {  // c x - c^2/2 with c = clamp(x, -1, 1): x^2/2, or |x| - 1/2
      one = b().real(1.0);
      ir::Value* minus_one = b().real(-1.0);
      ir::Value* above = choose(v, minus_one, v, minus_one, 1.0, "clamp");
      ir::Value* c = choose(above, one, one, above, -1.0, "clamp");
      ir::Value* half = b().mul(b().real(0.5), b().mul(c, c));
      return Val::leaf(b().sub(b().mul(c, v), half));
    }
    default:
      break;
  }
  auto code = unaryOp(builtin);
  check(code.has_value(), "a builtin that is not elementwise");
  return Val::leaf(b().op(*code, {v}));
}

Val Emitter::integerDivision(Builtin builtin, const Val& a, const Val& b) {
  ir::Value *x = a.value, *y = b.value;
  unify(x, y);
  Interval range = y->type.isScalar() ? rangeOf(y) : Interval{};
  if (range.lo <= 0 && range.hi >= 0) {
    ir::Value* nonzero = intOp(OpCode::INe, y, integer(0));
    require(allTrue(nonzero), ir::Status::Domain, "division of an int by zero");
  }
  return Val::leaf(intOp(builtin == Builtin::Div ? OpCode::IDiv : OpCode::IMod, x, y));
}

Val Emitter::conversion(Builtin builtin, const Val& x) {
  ir::Value* v = x.value;
  bool is_bool = v->type.elem == ir::Elem::I1;
  if (builtin == Builtin::Real)
    return Val::leaf(is_bool ? b().op(OpCode::BoolToReal, {v}) : toReal(v));
  if (is_bool) return Val::leaf(b().op(OpCode::BoolToInt, {v}));
  return Val::leaf(v->type.isReal() ? b().op(OpCode::RealToInt, {v}) : v);
}

ir::Value* Emitter::where(ir::Value* c, ir::Value* a, ir::Value* b) {
  if (a->type.elem != b->type.elem) {
    a = toReal(a);
    b = toReal(b);
  }
  requireEqualShapes(c, a);
  requireEqualShapes(c, b);
  requireEqualShapes(a, b);
  return this->b().op(OpCode::Select, {c, a, b});
}

ir::Value* Emitter::allTrue(ir::Value* v) {
  if (v->type.isScalar()) return v;
  std::vector<int64_t> axes;
  for (size_t k = 0; k < v->type.rank(); ++k) axes.push_back(static_cast<int64_t>(k));
  return b().reduce("all", v, axes);
}

// |a - b| <= tol max(1, |b|) for every element of every leaf.
Val Emitter::closeTo(const Val& a, const Val& b, ir::Value* tolerance) {
  ir::Value* all = this->b().boolean(true);
  if (a.isAggregate()) {
    for (size_t k = 0; k < a.elements.size(); ++k)
      all = logicalAnd(all, closeTo(a.elements[k], b.elements[k], tolerance).value);
    return Val::leaf(all);
  }
  if (a.type().elem == ir::Elem::I1)
    return Val::leaf(allTrue(compare(ast::BinaryOp::Eq, a, b).value));
  ir::Value *x = toReal(a.value), *y = toReal(b.value), *one = this->b().real(1.0);
  requireEqualShapes(x, y);
  ir::Value* size = absolute(y);
  ir::Value* bound = this->b().mul(tolerance, choose(size, one, size, one, 1.0, "max"));
  ir::Value* near = this->b().op(OpCode::FLe, {absolute(this->b().sub(x, y)), bound});
  // Equal infinities are close, though their difference is NaN.
  near = this->b().op(OpCode::Or, {near, this->b().op(OpCode::FEq, {x, y})});
  return Val::leaf(allTrue(near));
}

int64_t Emitter::constantArgument(const Val& value, const char* what) {
  auto known = value.isLeaf() ? ir::constantInt(value.value) : std::nullopt;
  if (!known)
    fail(DiagCode::BadArguments, span_,
         fmt::format("{} must be known when the program is compiled", what));
  return *known;
}

// Values by parameter; an empty one where an argument was left out.
std::vector<Val> Emitter::orderedArguments(Builtin builtin, std::vector<NamedVal> arguments) {
  const std::vector<std::string>& names = sema::builtinParameters(builtin);
  std::vector<Val> values(names.size());
  for (size_t k = 0; k < arguments.size(); ++k) {
    size_t at = k;
    if (!arguments[k].name.empty())
      for (at = 0; at < names.size() && names[at] != arguments[k].name;) ++at;
    check(at < names.size(), "an argument that the builtin does not have");
    values[at] = std::move(arguments[k].value);
  }
  return values;
}

Val Emitter::callBuiltin(Builtin builtin, std::vector<NamedVal> arguments) {
  switch (builtin) {
    case Builtin::Zeros:
    case Builtin::Ones:
    case Builtin::Reshape:
    case Builtin::Concat:
    case Builtin::Stack:
      return shapeBuiltin(builtin, arguments);
    case Builtin::Load:
    case Builtin::Save:
      failCheck("files belong to the session, not to lowering");
    default:
      break;
  }
  if (builtin >= Builtin::Plot)
    fail(DiagCode::NotYet, span_,
         fmt::format("`{}` is not available yet", sema::spelling(builtin)));
  std::vector<Val> a = orderedArguments(builtin, std::move(arguments));
  switch (builtin) {
    case Builtin::Stop:
      return mapLeaves(a[0], [&](ir::Value* leaf) {
        return leaf->type.isReal() ? b().op(OpCode::Stop, {leaf}) : leaf;
      });
    case Builtin::Pow:
      return power(a[0], a[1]);
    case Builtin::Atan2: {
      ir::Value *y = toReal(a[0].value), *x = toReal(a[1].value);
      requireEqualShapes(y, x);
      return Val::leaf(b().op(OpCode::Atan2, {y, x}));
    }
    case Builtin::Clamp: {
      ir::Value *x = toReal(a[0].value), *lo = toReal(a[1].value), *hi = toReal(a[2].value);
      return Val::leaf(clamped(x, lo, hi));
    }
    case Builtin::Soft: {
      ir::Value *x = toReal(a[0].value), *t = toReal(a[1].value);
      requireEqualShapes(x, t);
      ir::Value* minus_x = b().op(OpCode::Neg, {x});
      return Val::leaf(b().sub(relu(b().sub(x, t), "soft"), relu(b().sub(minus_x, t), "soft")));
    }
    case Builtin::Where:
      return Val::leaf(where(a[0].value, a[1].value, a[2].value));
    case Builtin::Div:
    case Builtin::Mod:
      return integerDivision(builtin, a[0], a[1]);
    case Builtin::Real:
    case Builtin::Int:
      return conversion(builtin, a[0]);
    case Builtin::Max:
    case Builtin::Min:
      if (a[1].isLeaf()) return extreme(builtin == Builtin::Max, a[0], a[1]);
      std::swap(a[1], a[2]);
      return reductionBuiltin(builtin, a);
    case Builtin::Sum:
    case Builtin::Prod:
    case Builtin::Mean:
    case Builtin::Any:
    case Builtin::All:
      return reductionBuiltin(builtin, a);
    case Builtin::Close:
      return closeTo(a[0], a[1], a[2].isLeaf() ? toReal(a[2].value) : b().real(1e-9));
    case Builtin::HashBits:
      return Val::leaf(b().op(OpCode::Hash, {a[0].value, a[1].value}));
    case Builtin::UnitReal:
      return Val::leaf(b().op(OpCode::BitsToUnit, {a[0].value}));
    case Builtin::Lstsq:
    case Builtin::Cholesky:
    case Builtin::Eigh:
    case Builtin::Svd:
    case Builtin::Qr:
      return matrixBuiltin(builtin, a);
    case Builtin::NormNuc:
    case Builtin::ProjNonneg:
    case Builtin::ProjBox:
    case Builtin::ProjSimplex:
    case Builtin::ProjL1:
    case Builtin::ProjL2:
    case Builtin::ProjSoc:
    case Builtin::ProjPsd:
      return projection(builtin, a);
    default:
      break;
  }
  if (builtin <= Builtin::IsFinite) return elementwiseBuiltin(builtin, a[0]);
  return arrayBuiltin(builtin, a);
}

// (x, axis): over one axis or all.
Val Emitter::reductionBuiltin(Builtin builtin, std::vector<Val>& a) {
  std::vector<int64_t> axes;
  if (a.size() > 1 && a[1].isLeaf()) {
    axes.push_back(constantArgument(a[1], "the axis"));
  } else {
    for (size_t k = 0; k < a[0].rank(); ++k) axes.push_back(static_cast<int64_t>(k));
  }
  if (isExtremeOfInts(builtin, a[0])) requireSome(countOf(a[0].value, axes));
  return reduced(builtin, a[0], axes);
}

}  // namespace dini::lower
