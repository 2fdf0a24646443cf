// Calls of builtins, and the typing rules of the elementwise ones, reductions and files.
#include "sema/builtins.h"

#include <fmt/format.h>

namespace dini::sema {

TypePtr Checker::operandError(const Operands& operands, size_t k, const std::string& wanted) {
  auto& d = report(DiagCode::BadArguments, operands.spans[k],
                   fmt::format("`{}` of {}, where {} is expected", spelling(operands.builtin),
                               str(operands.types[k]), wanted),
                   fmt::format("this is {}", str(operands.types[k])));
  const Type& type = operands[k];
  if (type.kind == Kind::Covector) d.help = "functions take vectors: drop the `'`";
  if (type.isArray(Scalar::Bool) && operands.builtin != Builtin::Where)
    d.help = "`real(b)` is 1 where b is true, and 0 elsewhere";
  return types::errorType();
}

bool Checker::gatherOperands(ast::CallExpr& expr, Builtin builtin, Operands& operands) {
  operands.builtin = builtin;
  operands.span = expr.span;
  expr.order.clear();
  bool good = true;
  auto take = [&](ast::ExprPtr* value) {
    if (!value || !*value) {
      operands.types.push_back(value ? types::errorType() : nullptr);
      operands.spans.push_back(expr.span);
      operands.exprs.push_back(nullptr);
      return;
    }
    bool string = (*value)->kind == ast::ExprKind::String &&
                  (builtin == Builtin::Load || builtin == Builtin::Save);
    TypePtr type = string ? (*value)->type = types::unitType() : check(*value);
    good = good && !type->isError();
    operands.types.push_back(type);
    operands.spans.push_back((*value)->span);
    operands.exprs.push_back(value);
  };
  if (takesAnyNumber(builtin)) {
    for (ast::Argument& a : expr.arguments) {
      if (!a.name) {
        take(&a.value);
      } else if (a.name->text == "axis" && builtin == Builtin::Concat) {
        check(a.value);
        operands.axis = a.value.get();
      } else {
        report(DiagCode::BadArguments, a.name->span,
               fmt::format("`{}` has no parameter `{}`", spelling(builtin), a.name->text));
        good = false;
      }
    }
    if (!operands.types.empty()) return good;
    report(DiagCode::BadArguments, expr.span,
           fmt::format("`{}` is called without arguments", spelling(builtin)));
    return false;
  }
  Signature signature{spelling(builtin), {}, nullptr};
  const auto& names = builtinParameters(builtin);
  for (size_t k = 0; k < names.size(); ++k)
    signature.parameters.push_back(
        {names[k], nullptr, {}, k >= requiredParameters(builtin), std::nullopt});
  if (!matchArguments(signature, expr.arguments, expr.span, expr.order)) {
    checkLeftovers(expr.arguments);
    return false;
  }
  for (size_t k = 0; k < names.size(); ++k) {
    int a = expr.order[k];
    take(a < 0 ? nullptr : &expr.arguments[static_cast<size_t>(a)].value);
    if (names[k] == "axis" && operands.exprs[k]) operands.axis = operands.exprs[k]->get();
  }
  return good;
}

TypePtr Checker::checkBuiltinCall(ast::CallExpr& expr, Builtin builtin, const TypePtr&) {
  if (builtin >= Builtin::Grad && builtin <= Builtin::GradCheck)
    return checkDerivative(expr, builtin);
  if (builtin >= Builtin::Certificate && builtin <= Builtin::Ties)
    return checkInspection(expr, builtin);
  if (builtin == Builtin::Plot)
    return error(DiagCode::MisplacedStatement, expr.span,
                 "`plot` is a statement of its own at the top level of a script");
  if (builtin >= Builtin::Pi && builtin <= Builtin::Eps)
    return error(DiagCode::NotCallable, expr.span,
                 fmt::format("`{}` is a number, and called", spelling(builtin)));
  size_t unknowns_before = unknown_uses_;
  Operands operands;
  if (!gatherOperands(expr, builtin, operands)) return types::errorType();
  if (builtin == Builtin::Stop && unknown_uses_ > unknowns_before) {
    auto& d =
        report(DiagCode::StopOfUnknown, expr.span, "`stop` of an unknown inside its own `solve`");
    d.notes.push_back(
        "it changes the derivative of the solution, not the Jacobian that the solver "
        "uses");
  }
  return builtinResult(operands);
}

TypePtr Checker::builtinApplied(Builtin builtin, const std::vector<TypePtr>& types, Span span) {
  if (builtin >= Builtin::Load || takesAnyNumber(builtin) ||
      (builtin >= Builtin::Grad && builtin <= Builtin::Ties))
    return error(DiagCode::BadArguments, span,
                 fmt::format("`{}` cannot be passed as a function", spelling(builtin)));
  size_t most = builtinParameters(builtin).size();
  if (types.size() < requiredParameters(builtin) || types.size() > most)
    return error(
        DiagCode::TypeMismatch, span,
        fmt::format("`{}` does not take {}", spelling(builtin), counted(types.size(), "argument")));
  Operands operands;
  operands.builtin = builtin;
  operands.span = span;
  operands.types = types;
  operands.types.resize(most);
  operands.spans.assign(most, span);
  operands.exprs.assign(most, nullptr);
  return builtinResult(operands);
}

TypePtr Checker::builtinResult(Operands& operands) {
  for (const TypePtr& type : operands.types)
    if (type && type->isError()) return type;
  switch (operands.builtin) {
    case Builtin::Pow:
    case Builtin::Atan2:
    case Builtin::Clamp:
    case Builtin::Soft:
    case Builtin::Where:
    case Builtin::Div:
    case Builtin::Mod:
    case Builtin::ProjBox:
      return elementwiseMany(operands);
    case Builtin::Real:
    case Builtin::Int:
      return conversion(operands);
    case Builtin::Max:
    case Builtin::Min:
      return extremes(operands);
    case Builtin::Sum:
    case Builtin::Prod:
    case Builtin::Mean:
    case Builtin::Any:
    case Builtin::All:
      return reduce(operands);
    case Builtin::Len:
      if (operands[0].kind != Kind::Array || operands[0].rank() == 0)
        return operandError(operands, 0, "an array");
      return types::intType();
    case Builtin::Zeros:
    case Builtin::Ones:
      return fill(operands);
    case Builtin::Reshape:
      return reshape(operands);
    case Builtin::Concat:
    case Builtin::Stack:
      return concatenate(operands);
    case Builtin::Flip:
    case Builtin::Sort:
    case Builtin::ArgSort:
    case Builtin::ArgMin:
    case Builtin::ArgMax:
      return reorder(operands);
    case Builtin::Diag:
      return diagonal(operands);
    case Builtin::Dot:
    case Builtin::Norm:
    case Builtin::Norm1:
    case Builtin::NormInf:
      return norms(operands);
    case Builtin::MaxPool:
      return maxPool(operands);
    case Builtin::Close:
      return closeness(operands);
    case Builtin::Lstsq:
    case Builtin::Cholesky:
    case Builtin::Eigh:
    case Builtin::Svd:
    case Builtin::Qr:
      return linearAlgebra(operands);
    case Builtin::ProjSimplex:
    case Builtin::ProjL1:
    case Builtin::ProjL2:
    case Builtin::ProjSoc:
      return vectorProjection(operands);
    case Builtin::NormNuc:
    case Builtin::ProjPsd:
      return linearAlgebra(operands);
    case Builtin::HashBits:
    case Builtin::UnitReal:
      return hashing(operands);
    case Builtin::Load:
    case Builtin::Save:
      return files(operands);
    default:
      return elementwiseUnary(operands);
  }
}

TypePtr Checker::elementwiseUnary(Operands& operands) {
  const Type& x = operands[0];
  if (operands.builtin == Builtin::Stop) {
    if (x.kind == Kind::Function || x.kind == Kind::Unit)
      return operandError(operands, 0, "a value");
    return operands.types[0];
  }
  if (!isNumeric(x)) return operandError(operands, 0, "a real or an array of reals");
  if (operands.builtin == Builtin::Abs) return operands.types[0];
  bool test = operands.builtin == Builtin::IsNan || operands.builtin == Builtin::IsFinite;
  return types::array(test ? Scalar::Bool : Scalar::Real, x.dims);
}

TypePtr Checker::elementwiseMany(Operands& operands) {
  bool ints = operands.builtin == Builtin::Div || operands.builtin == Builtin::Mod;
  bool where = operands.builtin == Builtin::Where;
  TypePtr shape;  // of the operands that are arrays
  size_t shaped = 0;
  for (size_t k = 0; k < operands.types.size(); ++k) {
    const Type& type = operands[k];
    if (where && k == 0) {
      if (!type.isArray(Scalar::Bool)) return operandError(operands, k, "a bool or bools");
    } else if (where ? type.kind != Kind::Array : !isNumeric(type)) {
      return operandError(operands, k,
                          where ? "a scalar or an array" : "a real or an array of reals");
    } else if (ints && type.scalar != Scalar::Int) {
      return operandError(operands, k, "an int");
    }
    if (type.rank() == 0) continue;
    if (shape &&
        (shape->rank() != type.rank() || unifyDims(shape->dims, type.dims) == Verdict::Different)) {
      auto& d = report(DiagCode::ShapeMismatch, operands.spans[k],
                       fmt::format("`{}` of {} and {}: the shapes must be the same, or scalars",
                                   spelling(operands.builtin), str(shape), str(operands.types[k])),
                       fmt::format("this is {}", str(operands.types[k])));
      d.labels.push_back({operands.spans[shaped], fmt::format("this is {}", str(shape))});
      return types::errorType();
    }
    if (!shape) {
      shape = operands.types[k];
      shaped = k;
    }
  }
  Scalar scalar = ints ? Scalar::Int : Scalar::Real;
  if (where) {
    const Type &a = operands[1], &b = operands[2];
    if (a.scalar != b.scalar && (a.scalar == Scalar::Bool || b.scalar == Scalar::Bool))
      return operandError(
          operands, 2, fmt::format("the other side is {}, and the same", str(operands.types[1])));
    scalar = a.scalar == b.scalar ? a.scalar : Scalar::Real;
  }
  return types::array(scalar, shape ? shape->dims : std::vector<Size>{});
}

TypePtr Checker::extremes(Operands& operands) {
  if (!operands.has(1)) return reduce(operands);
  const Type &a = operands[0], &b = operands[1];
  for (size_t k : {0u, 1u})
    if (!isNumeric(operands[k])) return operandError(operands, k, "a real or an array of reals");
  if (operands.axis) {
    report(DiagCode::BadArguments, operands.axis->span,
           fmt::format("`{}` of two operands is elementwise and has no axis",
                       spelling(operands.builtin)));
    return types::errorType();
  }
  if (a.rank() && b.rank() &&
      (a.rank() != b.rank() || unifyDims(a.dims, b.dims) == Verdict::Different)) {
    auto& d = report(
        DiagCode::ShapeMismatch, operands.spans[1],
        fmt::format("`{}` of {} and {}: the shapes must be the same, or one a scalar",
                    spelling(operands.builtin), str(operands.types[0]), str(operands.types[1])),
        fmt::format("this is {}", str(operands.types[1])));
    d.labels.push_back({operands.spans[0], fmt::format("this is {}", str(operands.types[0]))});
    return types::errorType();
  }
  Scalar scalar = a.scalar == b.scalar ? a.scalar : Scalar::Real;
  return types::array(scalar, a.rank() ? a.dims : b.dims);
}

bool Checker::axisOf(const Operands& operands, size_t rank, size_t& axis) {
  std::optional<Size> size = sizeOf(*operands.axis);
  std::optional<int64_t> value = size ? sizes_.resolve(*size).constant() : std::nullopt;
  if (value && *value >= 0 && static_cast<size_t>(*value) < rank) {
    axis = static_cast<size_t>(*value);
    return true;
  }
  if (value)
    report(DiagCode::BadArguments, operands.axis->span,
           fmt::format("the axis is {}, of an array with {}", *value, counted(rank, "dimension")));
  else
    report(DiagCode::BadArguments, operands.axis->span,
           "the axis must be known when the program is compiled: write a number");
  return false;
}

TypePtr Checker::reduce(Operands& operands) {
  const Type& x = operands[0];
  bool logical = operands.builtin == Builtin::Any || operands.builtin == Builtin::All;
  if (x.kind != Kind::Array || x.rank() == 0 || (x.scalar == Scalar::Bool) != logical)
    return operandError(operands, 0, logical ? "an array of bools" : "an array of reals");
  Scalar scalar = operands.builtin == Builtin::Mean ? Scalar::Real : x.scalar;
  if (!operands.axis) return types::array(scalar);
  size_t axis = 0;
  if (!axisOf(operands, x.rank(), axis)) return types::errorType();
  std::vector<Size> dims = x.dims;
  dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(axis));
  return types::array(scalar, std::move(dims));
}

TypePtr Checker::conversion(Operands& operands) {
  if (operands[0].kind != Kind::Array) return operandError(operands, 0, "a scalar or an array");
  Scalar scalar = operands.builtin == Builtin::Real ? Scalar::Real : Scalar::Int;
  return types::array(scalar, operands[0].dims);
}

TypePtr Checker::hashing(Operands& operands) {
  for (size_t k = 0; k < operands.types.size(); ++k)
    if (!operands[k].isArray(Scalar::Int)) return operandError(operands, k, "an int");
  std::vector<Size> dims;
  for (const TypePtr& type : operands.types)
    if (type->rank()) dims = type->dims;
  return types::array(operands.builtin == Builtin::HashBits ? Scalar::Int : Scalar::Real, dims);
}

TypePtr Checker::files(Operands& operands) {
  const char* name = spelling(operands.builtin);
  if (!top_)
    return error(DiagCode::MisplacedStatement, operands.span,
                 fmt::format("`{}` stands inside a function or a test, and only the top level "
                             "touches files",
                             name));
  size_t k = operands.builtin == Builtin::Load ? 0 : 1;
  ast::Expr* path = operands.exprs[k] ? operands.exprs[k]->get() : nullptr;
  if (!path || path->kind != ast::ExprKind::String)
    return operandError(operands, k, "a path, as a string,");
  const std::string& text = ast::as<ast::StringExpr>(*path).value;
  auto ends = [&](const char* suffix) { return text.ends_with(suffix); };
  bool save = operands.builtin == Builtin::Save;
  if (!ends(".csv") && !ends(".npy") && !ends(".mtx") && (save || !ends(".svm"))) {
    auto& d = report(DiagCode::BadArguments, path->span,
                     fmt::format("`{}` of `{}`: the ending does not tell the format", name, text));
    d.help = save ? "csv, npy and mtx files are written" : "csv, npy, svm and mtx files are read";
    return types::errorType();
  }
  if (save) {
    if (operands[0].kind != Kind::Array && !isSparse(operands[0])) return operandError(operands, 0, "an array");
    return types::unitType();
  }
  // A session reads data before a statement is checked; what is left is unknown until then.
  if (ends(".csv"))
    return types::realType({Size::named(sizes_.unknown("?")), Size::named(sizes_.unknown("?"))});
  return types::errorType();  // an npy file tells its rank when it is there
}

}  // namespace dini::sema
