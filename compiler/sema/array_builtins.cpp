// Typing rules of builtins that make, rearrange and factor arrays.
#include <algorithm>

#include <fmt/format.h>

#include "sema/builtins.h"

namespace dini::sema {

// zeros(n), ones(m, n).
TypePtr Checker::fill(Operands& operands) {
  std::vector<Size> dims;
  for (size_t k = 0; k < operands.types.size(); ++k) {
    const Type& type = operands[k];
    if (!type.isScalar() || type.scalar != Scalar::Int) return operandError(operands, k, "an int");
    Size size = sizeOrUnknown(*operands.exprs[k]);
    if (size.constant() && *size.constant() < 0)
      return error(DiagCode::BadDimension, operands.spans[k],
                   fmt::format("a dimension is negative: {}", *size.constant()));
    dims.push_back(size);
  }
  return types::realType(std::move(dims));
}

TypePtr Checker::reshape(Operands& operands) {
  const Type& x = operands[0];
  if (x.kind != Kind::Array) return operandError(operands, 0, "an array");
  Size before(1), after(1);
  for (const Size& dim : x.dims) before = before * dim;
  std::vector<Size> dims;
  for (size_t k = 1; k < operands.types.size(); ++k) {
    const Type& type = operands[k];
    if (!type.isScalar() || type.scalar != Scalar::Int) return operandError(operands, k, "an int");
    dims.push_back(sizeOrUnknown(*operands.exprs[k]));
    after = after * dims.back();
  }
  if (sizes_.unify(before, after) == Verdict::Different)
    return error(
        DiagCode::ShapeMismatch, operands.span,
        fmt::format("`reshape` from {} elements to {}", sizes_.str(before), sizes_.str(after)));
  return types::array(x.scalar, std::move(dims));
}

TypePtr Checker::concatenate(Operands& operands) {
  bool stack = operands.builtin == Builtin::Stack;
  for (size_t k = 0; k < operands.types.size(); ++k)
    if (operands[k].kind != Kind::Array || (!stack && operands[k].rank() == 0))
      return operandError(operands, k, "an array");
  TypePtr common = operands.types[0];
  size_t axis = 0;
  if (operands.axis && !axisOf(operands, common->rank(), axis)) return types::errorType();
  Size total = stack ? Size() : common->dims[axis];
  for (size_t k = 1; k < operands.types.size(); ++k) {
    TypePtr next = operands.types[k];
    bool type_differs = next->rank() != common->rank();
    if (!stack && !type_differs) {
      // Along the axis sizes add; elsewhere they agree.
      std::vector<Size> dims = next->dims;
      total = total + dims[axis];
      dims[axis] = common->dims[axis];
      next = types::array(next->scalar, std::move(dims));
    }
    TypePtr joined = type_differs ? nullptr : join(common, next, type_differs);
    if (!joined) {
      auto& d =
          report(type_differs ? DiagCode::TypeMismatch : DiagCode::ShapeMismatch, operands.spans[k],
                 fmt::format("`{}` of {} and {}", spelling(operands.builtin),
                             str(operands.types[0]), str(operands.types[k])),
                 fmt::format("this is {}", str(operands.types[k])));
      d.labels.push_back({operands.spans[0], fmt::format("this is {}", str(operands.types[0]))});
      return types::errorType();
    }
    common = joined;
  }
  std::vector<Size> dims = common->dims;
  if (stack)
    dims.insert(dims.begin(), Size(static_cast<int64_t>(operands.types.size())));
  else
    dims[axis] = sizes_.resolve(total);
  return types::array(common->scalar, std::move(dims));
}

TypePtr Checker::reorder(Operands& operands) {
  const Type& x = operands[0];
  if (operands.builtin == Builtin::Flip) {
    if (x.kind != Kind::Array || x.rank() == 0) return operandError(operands, 0, "an array");
    size_t axis = 0;
    if (operands.axis && !axisOf(operands, x.rank(), axis)) return types::errorType();
    return operands.types[0];
  }
  if (!isNumeric(x) || x.rank() != 1) return operandError(operands, 0, "a vector");
  if (operands.builtin == Builtin::Sort) return operands.types[0];
  return types::intType(operands.builtin == Builtin::ArgSort ? x.dims : std::vector<Size>{});
}

TypePtr Checker::diagonal(Operands& operands) {
  const Type& x = operands[0];
  if (!isNumeric(x) || (x.rank() != 1 && x.rank() != 2))
    return operandError(operands, 0, "a vector or a matrix");
  if (x.rank() == 1) return types::array(x.scalar, {x.dims[0], x.dims[0]});
  if (sizes_.unify(x.dims[0], x.dims[1]) == Verdict::Different)
    return operandError(operands, 0, "a vector or a square matrix");
  return types::array(x.scalar, {x.dims[0]});
}

TypePtr Checker::norms(Operands& operands) {
  for (size_t k = 0; k < operands.types.size(); ++k)
    if (!isNumeric(operands[k]) || operands[k].rank() == 0)
      return operandError(operands, k, "an array of reals");
  if (operands.builtin == Builtin::Dot) {
    const Type &a = operands[0], &b = operands[1];
    if (a.rank() != b.rank() || unifyDims(a.dims, b.dims) == Verdict::Different) {
      auto& d = report(DiagCode::ShapeMismatch, operands.spans[1],
                       fmt::format("`dot` of {} and {}: the shapes must be the same",
                                   str(operands.types[0]), str(operands.types[1])),
                       fmt::format("this is {}", str(operands.types[1])));
      d.labels.push_back({operands.spans[0], fmt::format("this is {}", str(operands.types[0]))});
      return types::errorType();
    }
  }
  return types::realType();
}

TypePtr Checker::maxPool(Operands& operands) {
  const Type &x = operands[0], &k = operands[1];
  if (!isNumeric(x) || (x.rank() != 1 && x.rank() != 2))
    return operandError(operands, 0, "a vector or a matrix");
  if (!k.isScalar() || k.scalar != Scalar::Int) return operandError(operands, 1, "an int");
  Size window =
      operands.exprs[1] ? sizeOrUnknown(*operands.exprs[1]) : Size::named(sizes_.unknown("?"));
  std::vector<Size> dims;
  for (const Size& dim : x.dims) {
    Size size = sizes_.resolve(dim);
    bool known = size.constant() && window.constant() && *window.constant() > 0;
    dims.push_back(known ? Size(*size.constant() / *window.constant())
                         : sizes_.derived("div", size, window));
  }
  return types::realType(std::move(dims));
}

TypePtr Checker::linearAlgebra(Operands& operands) {
  const Type& a = operands[0];
  if (!isNumeric(a) || a.rank() != 2) return operandError(operands, 0, "a matrix");
  Size m = a.dims[0], n = a.dims[1];
  auto smaller = [&] {
    Size x = sizes_.resolve(m), y = sizes_.resolve(n);
    if (x == y) return x;
    if (x.constant() && y.constant()) return Size(std::min(*x.constant(), *y.constant()));
    return sizes_.derived("min", x, y);
  };
  switch (operands.builtin) {
    case Builtin::Lstsq: {
      const Type& b = operands[1];
      if (!isNumeric(b) || b.rank() < 1 || b.rank() > 2)
        return operandError(operands, 1, "a vector or a matrix");
      if (sizes_.unify(m, b.dims[0]) == Verdict::Different) {
        auto& d = report(DiagCode::ShapeMismatch, operands.spans[1],
                         fmt::format("`lstsq` of {} and {}: the numbers of rows differ",
                                     str(operands.types[0]), str(operands.types[1])),
                         fmt::format("this has {} rows", sizes_.str(b.dims[0])));
        d.labels.push_back({operands.spans[0], fmt::format("this has {} rows", sizes_.str(m))});
        return types::errorType();
      }
      std::vector<Size> dims = b.dims;
      dims[0] = n;
      return types::realType(std::move(dims));
    }
    case Builtin::Svd: {
      Size k = smaller();
      return types::tuple({types::realType({m, k}), types::realType({k}), types::realType({n, k})});
    }
    case Builtin::Qr: {
      Size k = smaller();
      return types::tuple({types::realType({m, k}), types::realType({k, n})});
    }
    default:
      break;
  }
  if (operands.builtin == Builtin::NormNuc) return types::realType();
  if (sizes_.unify(m, n) == Verdict::Different) return operandError(operands, 0, "a square matrix");
  if (operands.builtin == Builtin::Cholesky || operands.builtin == Builtin::ProjPsd) return types::realType({m, m});
  return types::tuple({types::realType({m}), types::realType({m, m})});  // eigh
}

// (v, radius): what lies nearest to a vector.
TypePtr Checker::vectorProjection(Operands& operands) {
  const Type& v = operands[0];
  if (!isNumeric(v) || v.rank() != 1) return operandError(operands, 0, "a vector");
  if (operands.has(1) && !(isNumeric(operands[1]) && operands[1].rank() == 0))
    return operandError(operands, 1, "a real");
  return types::realType(v.dims);
}

TypePtr Checker::closeness(Operands& operands) {
  const TypePtr &a = operands.types[0], &b = operands.types[1];
  for (size_t k : {0u, 1u})
    if (operands[k].isArray(Scalar::Bool) || operands[k].kind == Kind::Function ||
        operands[k].kind == Kind::Unit)
      return operandError(operands, k, "a value made of reals");
  bool type_differs = false;
  if (!join(a, b, type_differs)) {
    auto& d =
        report(type_differs ? DiagCode::TypeMismatch : DiagCode::ShapeMismatch, operands.spans[1],
               fmt::format("`close` of {} and {}: the shapes must be the same", str(a), str(b)),
               fmt::format("this is {}", str(b)));
    d.labels.push_back({operands.spans[0], fmt::format("this is {}", str(a))});
    return types::errorType();
  }
  if (operands.has(2) && !(isNumeric(operands[2]) && operands[2].rank() == 0))
    return operandError(operands, 2, "a real");
  return types::boolType();
}

}  // namespace dini::sema
