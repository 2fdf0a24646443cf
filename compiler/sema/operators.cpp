// Operators: the expression table of the language.
#include <fmt/format.h>

#include "sema/checker.h"

namespace dini::sema {
namespace {

using ast::BinaryOp;

// An int beside a real becomes a real.
Scalar promoted(const Type& a, const Type& b) {
  return a.scalar == Scalar::Int && b.scalar == Scalar::Int ? Scalar::Int : Scalar::Real;
}
bool isNumericScalar(const Type& type) { return isNumeric(type) && type.rank() == 0; }
bool isComposite(const Type& type) { return type.kind == Kind::Tuple || type.kind == Kind::Record; }

}  // namespace

TypePtr Checker::badOperands(const ast::BinaryExpr& expr, const std::string& help) {
  auto& d = report(DiagCode::BadOperands, expr.op_span,
                   fmt::format("`{}` between {} and {}", ast::spelling(expr.op),
                               str(expr.lhs->type), str(expr.rhs->type)));
  d.labels.push_back({expr.lhs->span, str(expr.lhs->type)});
  d.labels.push_back({expr.rhs->span, str(expr.rhs->type)});
  d.help = help;
  return types::errorType();
}

TypePtr Checker::sizesDiffer(const ast::BinaryExpr& expr, const std::string& rule) {
  auto& d = report(DiagCode::ShapeMismatch, expr.op_span,
                   fmt::format("`{}` between {} and {}: {}", ast::spelling(expr.op),
                               str(expr.lhs->type), str(expr.rhs->type), rule));
  d.labels.push_back({expr.lhs->span, fmt::format("this is {}", str(expr.lhs->type))});
  d.labels.push_back({expr.rhs->span, fmt::format("this is {}", str(expr.rhs->type))});
  return types::errorType();
}

TypePtr Checker::checkUnary(ast::UnaryExpr& expr) {
  TypePtr type = check(expr.operand);
  if (type->isError()) return type;
  if (expr.op == ast::UnaryOp::Not) {
    if (type->isArray(Scalar::Bool)) return type;
    return error(DiagCode::BadOperands, expr.span,
                 fmt::format("`not` of {}, where a bool is expected", str(type)));
  }
  if (isNumeric(*type) || type->kind == Kind::Covector) return type;
  if (isComposite(*type) && types::holdsReals(*type)) return type;
  return error(DiagCode::BadOperands, expr.span, fmt::format("`-` of {}", str(type)));
}

TypePtr Checker::checkTranspose(ast::TransposeExpr& expr) {
  TypePtr type = check(expr.operand);
  if (type->isError()) return type;
  if (type->kind == Kind::Covector) return types::realType(type->dims);
  if (isSparse(*type)) return sparseType(type->arguments[1], type->arguments[0], type->arguments[2]);
  if (type->kind == Kind::Array && type->rank() == 2)
    return types::array(type->scalar, {type->dims[1], type->dims[0]});
  if (isNumeric(*type) && type->rank() == 1) return types::covector(type->dims[0]);
  return error(DiagCode::BadOperands, expr.span,
               fmt::format("`'` of {}, where a vector or a matrix is expected", str(type)));
}

TypePtr Checker::checkBinary(ast::BinaryExpr& expr) {
  TypePtr lhs = check(expr.lhs), rhs = check(expr.rhs);
  if (lhs->isError() || rhs->isError()) {
    // The operator may still tell the type, so that what follows is checked.
    bool comparison = expr.op >= BinaryOp::Eq && expr.op <= BinaryOp::Ge;
    bool scalar = (lhs->isError() || lhs->isScalar()) && (rhs->isError() || rhs->isScalar());
    return comparison && scalar && lhs->isError() != rhs->isError() ? types::boolType()
                                                                    : types::errorType();
  }
  switch (expr.op) {
    case BinaryOp::Add:
    case BinaryOp::Sub:
      return additive(expr);
    case BinaryOp::Mul:
      return multiply(expr);
    case BinaryOp::Div:
      return divide(expr);
    case BinaryOp::Solve:
      return solveLinear(expr);
    case BinaryOp::Pow:
      return power(expr);
    case BinaryOp::ElemMul:
    case BinaryOp::ElemPow:
      return elementwise(expr, expr.op == BinaryOp::ElemMul ? promoted(*lhs, *rhs) : Scalar::Real);
    case BinaryOp::ElemDiv:
      return elementwise(expr, Scalar::Real);
    case BinaryOp::Eq:
    case BinaryOp::Ne:
    case BinaryOp::Lt:
    case BinaryOp::Le:
    case BinaryOp::Gt:
    case BinaryOp::Ge:
      return compare(expr);
    case BinaryOp::And:
    case BinaryOp::Or:
      return logical(expr);
    case BinaryOp::In:
      return error(DiagCode::BadOperands, expr.op_span,
                   "`in` stands outside the constraints of an `argmin` block");
  }
  return types::errorType();
}

// Same shapes, or a scalar with an array.
TypePtr Checker::elementwise(ast::BinaryExpr& expr, Scalar result) {
  const Type &a = *expr.lhs->type, &b = *expr.rhs->type;
  if (!isNumeric(a) || !isNumeric(b)) {
    bool composite = isComposite(a) || isComposite(b);
    bool covector = a.kind == Kind::Covector || b.kind == Kind::Covector;
    bool boolean = a.isArray(Scalar::Bool) || b.isArray(Scalar::Bool);
    return badOperands(expr, composite  ? "records and tuples support `+`, `-` and `*` by a scalar"
                             : covector ? "elementwise operators take vectors: drop the `'`"
                             : boolean  ? "`real(b)` is 1 where b is true, and 0 elsewhere"
                                        : "");
  }
  if (a.rank() == 0) return types::array(result, b.dims);
  if (b.rank() == 0) return types::array(result, a.dims);
  if (a.rank() != b.rank())
    return sizesDiffer(expr, "the shapes must be the same, or one side a scalar");
  if (unifyDims(a.dims, b.dims) == Verdict::Different)
    return sizesDiffer(expr, "the shapes must be the same, or one side a scalar");
  bool type_differs = false;
  TypePtr joined = join(types::realType(a.dims), types::realType(b.dims), type_differs);
  return types::array(result, joined ? joined->dims : a.dims);
}

TypePtr Checker::additive(ast::BinaryExpr& expr) {
  TypePtr lhs = expr.lhs->type, rhs = expr.rhs->type;
  if (lhs->kind == Kind::Covector && rhs->kind == Kind::Covector) {
    if (unifyDims(lhs->dims, rhs->dims) != Verdict::Different) return lhs;
    return sizesDiffer(expr, "the sizes must be the same");
  }
  if (isComposite(*lhs) && isComposite(*rhs)) {
    bool type_differs = false;
    TypePtr joined = join(lhs, rhs, type_differs);
    if (joined && types::holdsReals(*joined)) return joined;
    if (!joined && !type_differs) return sizesDiffer(expr, "the sizes must be the same");
    return badOperands(expr, "records and tuples of one type are added leaf by leaf");
  }
  return elementwise(expr, promoted(*lhs, *rhs));
}

TypePtr Checker::multiply(ast::BinaryExpr& expr) {
  const TypePtr &lhs = expr.lhs->type, &rhs = expr.rhs->type;
  const Type &a = *lhs, &b = *rhs;
  if ((isSparse(a) && !isNumericScalar(b)) || (isSparse(b) && !isNumericScalar(a)))
    return sparseProduct(expr);
  if (a.kind == Kind::Covector || b.kind == Kind::Covector) return multiplyCovector(expr);
  if (isComposite(a) && isNumericScalar(b) && types::holdsReals(a)) return lhs;
  if (isComposite(b) && isNumericScalar(a) && types::holdsReals(b)) return rhs;
  if (!isNumeric(a) || !isNumeric(b) || a.rank() == 0 || b.rank() == 0)
    return elementwise(expr, promoted(a, b));
  if (a.rank() == 1 && b.rank() == 1)
    return badOperands(expr,
                       "`x' * y` is the inner product, `x * y'` the outer one, and `x .* y` "
                       "is elementwise");
  if (a.rank() != 2 || b.rank() > 2)
    return badOperands(expr, a.rank() == 1
                                 ? "a vector multiplies a matrix from the left as `x' * A`"
                                 : "`*` takes matrices and vectors; `.*` is elementwise");
  if (sizes_.unify(a.dims[1], b.dims[0]) == Verdict::Different)
    return sizesDiffer(expr, fmt::format("the left has {} columns, the right {} rows",
                                         sizes_.str(a.dims[1]), sizes_.str(b.dims[0])));
  std::vector<Size> dims = {a.dims[0]};
  if (b.rank() == 2) dims.push_back(b.dims[1]);
  return types::array(promoted(a, b), std::move(dims));
}

TypePtr Checker::multiplyCovector(ast::BinaryExpr& expr) {
  const TypePtr &lhs = expr.lhs->type, &rhs = expr.rhs->type;
  const Type &a = *lhs, &b = *rhs;
  if (isNumericScalar(a)) return rhs;
  if (isNumericScalar(b)) return lhs;
  if (a.kind == Kind::Covector && isNumeric(b) && b.rank() <= 2) {
    if (sizes_.unify(a.dims[0], b.dims[0]) == Verdict::Different)
      return sizesDiffer(expr, fmt::format("the left has {} elements, the right {} rows",
                                           sizes_.str(a.dims[0]), sizes_.str(b.dims[0])));
    return b.rank() == 1 ? types::realType() : types::covector(b.dims[1]);
  }
  if (isNumeric(a) && a.rank() == 1) return types::realType({a.dims[0], b.dims[0]});
  return badOperands(expr, a.kind == Kind::Covector && b.kind == Kind::Covector
                               ? "a covector multiplies a vector (`x' * y`) or a matrix (`x' * A`)"
                               : "a matrix multiplies a vector: drop the `'`");
}

TypePtr Checker::divide(ast::BinaryExpr& expr) {
  const TypePtr &lhs = expr.lhs->type, &rhs = expr.rhs->type;
  if (isNumericScalar(*rhs)) {
    if (isNumeric(*lhs)) return types::realType(lhs->dims);
    if (lhs->kind == Kind::Covector) return lhs;
    return badOperands(expr, isComposite(*lhs) ? "multiply by the reciprocal: `(1/s) * p`" : "");
  }
  bool arrays = isNumeric(*lhs) && isNumeric(*rhs);
  return badOperands(expr,
                     arrays ? "`./` divides elementwise, `A \\ b` solves a linear system" : "");
}

TypePtr Checker::solveLinear(ast::BinaryExpr& expr) {
  const Type &a = *expr.lhs->type, &b = *expr.rhs->type;
  if (isSparse(a)) return sparseSystem(expr);
  if (!isNumeric(a) || !isNumeric(b) || a.rank() != 2 || b.rank() < 1 || b.rank() > 2)
    return badOperands(expr, "`A \\ b` takes a square matrix and a vector or a matrix");
  if (sizes_.unify(a.dims[0], a.dims[1]) == Verdict::Different) {
    TypePtr type = sizesDiffer(expr, "the matrix must be square");
    return type;
  }
  if (sizes_.unify(a.dims[0], b.dims[0]) == Verdict::Different)
    return sizesDiffer(expr, fmt::format("the matrix has {} rows, the right-hand side {}",
                                         sizes_.str(a.dims[0]), sizes_.str(b.dims[0])));
  std::vector<Size> dims = {a.dims[1]};
  if (b.rank() == 2) dims.push_back(b.dims[1]);
  return types::realType(std::move(dims));
}

TypePtr Checker::power(ast::BinaryExpr& expr) {
  const Type &a = *expr.lhs->type, &b = *expr.rhs->type;
  if (!isNumericScalar(a) || !isNumericScalar(b))
    return badOperands(expr, isNumeric(a) && isNumeric(b) ? "`.^` is the elementwise power" : "");
  bool natural = expr.rhs->kind == ast::ExprKind::Number && b.scalar == Scalar::Int;
  return a.scalar == Scalar::Int && natural ? types::intType() : types::realType();
}

TypePtr Checker::compare(ast::BinaryExpr& expr) {
  const Type &a = *expr.lhs->type, &b = *expr.rhs->type;
  bool equality = expr.op == BinaryOp::Eq || expr.op == BinaryOp::Ne;
  if (equality && a.isArray(Scalar::Bool) && b.isArray(Scalar::Bool)) {
    if (a.rank() == 0) return types::boolType(b.dims);
    if (b.rank() == 0) return types::boolType(a.dims);
    if (a.rank() == b.rank() && unifyDims(a.dims, b.dims) != Verdict::Different)
      return types::boolType(a.dims);
    return sizesDiffer(expr, "the shapes must be the same, or one side a scalar");
  }
  if (!isNumeric(a) || !isNumeric(b))
    return badOperands(
        expr, isComposite(a) && isComposite(b) ? "`close(a, b)` compares records and tuples" : "");
  return elementwise(expr, Scalar::Bool);
}

TypePtr Checker::logical(ast::BinaryExpr& expr) {
  const Type &a = *expr.lhs->type, &b = *expr.rhs->type;
  if (!a.isArray(Scalar::Bool) || !b.isArray(Scalar::Bool))
    return badOperands(expr, fmt::format("`{}` takes bools", ast::spelling(expr.op)));
  if (a.rank() == 0) return types::boolType(b.dims);
  if (b.rank() == 0) return types::boolType(a.dims);
  if (a.rank() == b.rank() && unifyDims(a.dims, b.dims) != Verdict::Different)
    return types::boolType(a.dims);
  return sizesDiffer(expr, "the shapes must be the same, or one side a scalar");
}

}  // namespace dini::sema
