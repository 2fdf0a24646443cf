// Builtins that make, rearrange, measure and factor arrays.
#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"
#include "ir/size_limit.h"
#include "lower/scopes.h"

namespace dini::lower {

using ir::OpCode;
using sema::Builtin;

Val Emitter::shapeBuiltin(Builtin builtin, std::vector<NamedVal>& arguments) {
  switch (builtin) {
    case Builtin::Reshape:
      return reshaped(arguments);
    case Builtin::Concat:
      return joined(false, arguments);
    case Builtin::Stack:
      return joined(true, arguments);
    default:
      break;
  }
  std::vector<ir::Value*> sizes;
  for (const NamedVal& argument : arguments) {
    ir::Value* size = argument.value.value;
    if (rangeOf(size).lo < 0)
      require(intOp(OpCode::ILe, integer(0), size), ir::Status::Domain, "a dimension is negative");
    sizes.push_back(size);
  }
  requireCountable(sizes);
  ir::Value* element = b().real(builtin == Builtin::Ones ? 1.0 : 0.0);
  return Val::leaf(b().fill(element, sizes));
}

// Sizes known only when the program runs: their product must not wrap round. Counted in reals, which
// do not.
void Emitter::requireCountable(std::span<ir::Value* const> sizes) {
  auto limit = static_cast<double>(ir::kMaxElements);
  double most = 1;
  ir::Value* count = b().real(1.0);
  for (ir::Value* size : sizes) {
    most *= static_cast<double>(ir::constantInt(size).value_or(rangeOf(size).hi));
    count = b().mul(count, b().op(OpCode::IntToReal, {size}));
  }
  bool constant = std::all_of(sizes.begin(), sizes.end(),
                              [](const ir::Value* size) { return ir::constantInt(size).has_value(); });
  if (!constant && most > limit)
    require(b().op(OpCode::FLe, {count, b().real(limit)}), ir::Status::Memory, "");
}

Val Emitter::reshaped(std::vector<NamedVal>& arguments) {
  ir::Value* x = arguments[0].value.value;
  ir::Value *before = integer(1), *after = integer(1);
  for (size_t k = 0; k < x->type.rank(); ++k) before = imul(before, sizeOf(x, k));
  std::vector<ir::Value*> sizes;
  for (size_t k = 1; k < arguments.size(); ++k) {
    sizes.push_back(arguments[k].value.value);
    after = imul(after, sizes.back());
  }
  auto m = ir::constantInt(before), n = ir::constantInt(after);
  if (m && n && *m != *n)
    fail(DiagCode::ShapeMismatch, span_, fmt::format("`reshape` from {} elements to {}", *m, *n));
  if (knownDifference(before, after) != 0)
    require(intOp(OpCode::IEq, before, after), ir::Status::Shape,
            "`reshape` to another number of elements");
  if (x->type.isScalar()) return Val::leaf(b().fill(x, sizes));
  return Val::leaf(b().reshape(x, std::move(sizes)));
}

Val Emitter::joined(bool stack, std::vector<NamedVal>& arguments) {
  int64_t axis = 0;
  std::vector<ir::Value*> parts;
  bool real = false;
  for (const NamedVal& argument : arguments) {
    if (argument.name == "axis") {
      axis = constantArgument(argument.value, "the axis");
      continue;
    }
    parts.push_back(argument.value.value);
    real = real || parts.back()->type.isReal();
  }
  for (ir::Value*& part : parts)
    if (real) part = toReal(part);
  for (size_t j = 1; j < parts.size(); ++j)
    for (size_t k = 0; k < parts[0]->type.rank(); ++k) {
      if (!stack && static_cast<int64_t>(k) == axis) continue;
      ir::Value *m = sizeOf(parts[0], k), *n = sizeOf(parts[j], k);
      if (knownDifference(m, n) != 0)
        require(intOp(OpCode::IEq, m, n), ir::Status::Shape, "sizes differ");
    }
  return Val::leaf(stack ? b().pack(std::move(parts)) : b().concat(std::move(parts), axis));
}

// vector -> matrix: the vector where row and column agree, zero elsewhere (also beside infinities).
Val Emitter::diagonal(const Val& x) {
  ir::Value* v = x.value;
  ir::Value* n = sizeOf(v, 0);
  if (x.rank() == 2) {
    ir::Value* stride = iadd(sizeOf(v, 1), integer(1));
    ir::Value* flat = b().reshape(v, {imul(n, sizeOf(v, 1))});
    return Val::leaf(b().gather(flat, intOp(OpCode::IMul, b().iota(n), stride)));
  }
  ir::Value* rows = b().broadcast(b().iota(n), {0}, {n, n});
  ir::Value* columns = b().broadcast(b().iota(n), {1}, {n, n});
  ir::Value* spread = b().broadcast(v, {0}, {n, n});
  ir::Value* zero = v->type.isReal() ? b().real(0.0) : integer(0);
  Val result = Val::leaf(b().select(b().op(OpCode::IEq, {rows, columns}), spread, zero));
  result.structure = ir::Structure::Diagonal;
  return result;
}

// The largest of each window of k (k by k) elements; what is left over at the ends is dropped.
Val Emitter::maxPool(const Val& x, ir::Value* k) {
  ir::Value* v = toReal(x.value);
  require(intOp(OpCode::ILt, integer(0), k), ir::Status::Domain, "a window that is not positive");
  std::vector<ir::Value*> starts, used, split;
  std::vector<int64_t> axes;
  for (size_t axis = 0; axis < x.rank(); ++axis) {
    ir::Value* count = intOp(OpCode::IDiv, sizeOf(v, axis), k);
    starts.push_back(integer(0));
    used.push_back(imul(count, k));
    axes.push_back(static_cast<int64_t>(split.size() + 1));
    split.push_back(count);
    split.push_back(k);
  }
  for (size_t axis = 0; axis < x.rank(); ++axis)
    if (knownDifference(used[axis], sizeOf(v, axis)) != 0) {
      v = b().slice(v, starts, used);
      break;
    }
  ir::Value* largest = b().reduce("max", b().reshape(v, split), axes);
  largest->def->attrs.i = frame_->tie_mark;
  return Val::leaf(largest);
}

// The largest magnitude; 0 of an empty array.
ir::Value* Emitter::normInf(ir::Value* x) {
  if (x->type.isScalar()) return absolute(x);
  for (int64_t dim : x->type.dims)
    if (dim == 0) return b().real(0.0);
  std::vector<int64_t> axes;
  for (size_t k = 0; k < x->type.rank(); ++k) axes.push_back(static_cast<int64_t>(k));
  ir::Value* largest = b().reduce("max", absolute(x), axes);
  largest->def->attrs.i = frame_->tie_mark;
  if (x->type.isStatic()) return largest;
  return b().select(b().op(OpCode::FLt, {largest, b().real(0.0)}), b().real(0.0), largest);
}

Val Emitter::arrayBuiltin(Builtin builtin, std::vector<Val>& a) {
  ir::Value* x = a[0].value;
  switch (builtin) {
    case Builtin::Len:
      return Val::leaf(sizeOf(x, 0));
    case Builtin::Flip:
      return Val::leaf(b().flip(x, a[1].isLeaf() ? constantArgument(a[1], "the axis") : 0));
    case Builtin::Diag:
      return diagonal(a[0]);
    case Builtin::Dot:
      return Val::leaf(dot(toReal(x), toReal(a[1].value)));
    case Builtin::Norm:
      return Val::leaf(b().op(OpCode::Norm, {toReal(x)}));
    case Builtin::Norm1:
      return Val::leaf(b().sumAll(absolute(toReal(x))));
    case Builtin::NormInf:
      return Val::leaf(normInf(toReal(x)));
    case Builtin::Sort:  // a gather by its own argsort: how differentiation knows it (ad/)
      return Val::leaf(b().gather(x, irreducible(OpCode::ArgSort, {toReal(x)})));
    case Builtin::ArgSort:
      return Val::leaf(b().op(OpCode::ArgSort, {toReal(x)}));
    case Builtin::ArgMin:
    case Builtin::ArgMax: {
      ir::Attrs attrs;
      attrs.str = builtin == Builtin::ArgMax ? "max" : "min";
      requireSome(sizeOf(x, 0));
      return Val::leaf(b().op(OpCode::ArgExtreme, {toReal(x)}, std::move(attrs)));
    }
    case Builtin::MaxPool:
      return maxPool(a[0], a[1].value);
    default:
      failCheck(fmt::format("a builtin without lowering: {}", sema::spelling(builtin)));
  }
}

Val Emitter::matrixBuiltin(Builtin builtin, std::vector<Val>& a) {
  ir::Value* m = toReal(a[0].value);
  bool square = builtin == Builtin::Cholesky || builtin == Builtin::Eigh;
  if (square && knownDifference(sizeOf(m, 0), sizeOf(m, 1)) != 0)
    require(intOp(OpCode::IEq, sizeOf(m, 0), sizeOf(m, 1)), ir::Status::Shape,
            "the matrix is not square");
  if (builtin == Builtin::Lstsq) {
    ir::Value* rhs = toReal(a[1].value);
    if (knownDifference(sizeOf(m, 0), sizeOf(rhs, 0)) != 0)
      require(intOp(OpCode::IEq, sizeOf(m, 0), sizeOf(rhs, 0)), ir::Status::Shape,
              "the numbers of rows differ");
    return Val::leaf(b().op(OpCode::LeastSquares, {m, rhs}));
  }
  if (builtin == Builtin::Cholesky) {
    Val factor = Val::leaf(b().op(OpCode::Cholesky, {m}));
    factor.structure = ir::Structure::Lower;
    return factor;
  }
  OpCode code = builtin == Builtin::Eigh  ? OpCode::Eigh
                : builtin == Builtin::Svd ? OpCode::Svd
                                          : OpCode::Qr;
  std::vector<Val> parts;
  for (ir::Value* part : b().emit(code, {m}).results) parts.push_back(Val::leaf(part));
  return Val::tuple(std::move(parts));
}

}  // namespace dini::lower
