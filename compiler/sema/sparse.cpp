// Sparse matrices: sparse[m, n] is the prelude's record `sparse[m, n, k]`, where k counts the entries.
// In a parameter `A` the count is a size of its own, called `nnz_A`; elsewhere it is known when the
// program runs. What the language's operators do with them; how, says compiler/lower/sparse.cpp.
#include <fmt/format.h>

#include "sema/checker.h"

namespace dini::sema {

TypePtr Checker::sparseType(Size rows, Size columns, Size entries) {
  auto found = world_.prelude.types.find("sparse");
  if (found == world_.prelude.types.end()) return types::errorType();
  declareType(*found->second);
  return recordOf(*found->second, {std::move(rows), std::move(columns), std::move(entries)});
}

TypePtr Checker::resolveSparse(ast::TypeExpr& type) {
  std::vector<Size> sizes;
  for (auto& dim : type.dims) sizes.push_back(resolveDimension(dim));
  if (sizes.size() == 2) sizes.push_back(Size::named(sizes_.unknown("nnz")));
  if (sizes.size() == 3) return sparseType(sizes[0], sizes[1], sizes[2]);
  return error(DiagCode::BadDimension, type.span,
               fmt::format("`sparse` has {} here, where it takes 2: rows and columns",
                           counted(sizes.size(), "size")));
}

// Gives the number of entries of sparse parameters a name, so that a call binds it.
void Checker::nameEntries(ast::TypeExpr& type, const std::string& name) {
  if (type.kind == ast::TypeExprKind::Tuple)
    for (size_t k = 0; k < type.elements.size(); ++k)
      if (type.elements[k]) nameEntries(*type.elements[k], fmt::format("{}_{}", name, k));
  if (type.kind != ast::TypeExprKind::Named || type.name.text != "sparse" || type.dims.size() != 2)
    return;
  auto entries = std::make_unique<ast::NameExpr>();
  entries->name = name;
  entries->span = type.name.span;
  type.dims.push_back(std::move(entries));
}

// A * x, A * B, B * A, x' * A with one sparse operand.
TypePtr Checker::sparseProduct(ast::BinaryExpr& expr) {
  const Type &a = *expr.lhs->type, &b = *expr.rhs->type;
  if (isSparse(a) && isSparse(b))
    return badOperands(expr, "the product of two sparse matrices is not available: `A * (B * x)` needs none");
  const Type& other = isSparse(a) ? b : a;
  bool covector = other.kind == Kind::Covector;
  bool matrix = isNumeric(other) && other.rank() == 2;
  bool vector = isNumeric(other) && other.rank() == 1;
  if (isSparse(a) ? !matrix && !vector : !matrix && !covector)
    return badOperands(expr, isSparse(a) ? "a sparse matrix multiplies vectors and matrices"
                                         : "a vector multiplies a matrix from the left as `x' * A`");
  const Size& left = isSparse(a) ? a.arguments[1] : a.dims.back();
  const Size& right = isSparse(b) ? b.arguments[0] : b.dims[0];
  if (sizes_.unify(left, right) == Verdict::Different)
    return sizesDiffer(expr, fmt::format("the left has {} columns, the right {} rows",
                                         sizes_.str(left), sizes_.str(right)));
  if (covector) return types::covector(b.arguments[1]);
  if (isSparse(b)) return types::realType({a.dims[0], b.arguments[1]});
  std::vector<Size> dims = b.dims;
  dims[0] = a.arguments[0];
  return types::realType(std::move(dims));
}

TypePtr Checker::sparseSystem(ast::BinaryExpr& expr) {
  const Type &a = *expr.lhs->type, &b = *expr.rhs->type;
  if (!isNumeric(b) || b.rank() < 1 || b.rank() > 2)
    return badOperands(expr, "`A \\ b` takes a square matrix and a vector or a matrix");
  if (sizes_.unify(a.arguments[0], a.arguments[1]) == Verdict::Different)
    return sizesDiffer(expr, "the matrix must be square");
  if (sizes_.unify(a.arguments[0], b.dims[0]) == Verdict::Different)
    return sizesDiffer(expr, fmt::format("the matrix has {} rows, the right-hand side {}",
                                         sizes_.str(a.arguments[0]), sizes_.str(b.dims[0])));
  return types::realType(b.dims);
}

// A[i], A[a..b], A[idx] (rows) and A[:, a..b] (columns).
TypePtr Checker::sparseIndex(ast::IndexExpr& expr) {
  using Kind = ast::Subscript::Kind;
  const TypePtr base = expr.base->type;
  std::vector<Size> rows, columns;
  bool good = checkSubscript(expr.subscripts[0], base->arguments[0], rows);
  if (expr.subscripts.size() > 1)
    good = checkSubscript(expr.subscripts[1], base->arguments[1], columns) && good;
  if (!good) return types::errorType();
  Size entries = Size::named(sizes_.unknown("nnz"));
  bool all_columns = expr.subscripts.size() == 1 || expr.subscripts[1].kind == Kind::All;
  bool all_rows = expr.subscripts[0].kind == Kind::All;
  if (expr.subscripts.size() <= 2 && all_columns && rows.empty())
    return types::realType({base->arguments[1]});
  if (expr.subscripts.size() <= 2 && all_columns && rows.size() == 1)
    return sparseType(rows[0], base->arguments[1], all_rows ? base->arguments[2] : entries);
  if (expr.subscripts.size() == 2 && all_rows && expr.subscripts[1].kind == Kind::Range)
    return sparseType(base->arguments[0], columns[0], entries);
  auto& d = report(DiagCode::NotIndexable, expr.span,
                   fmt::format("{} is indexed in a way that is not available", str(base)));
  d.help = "rows `A[i]`, `A[a..b]`, `A[idx]`; columns `A[:, a..b]`; `dense(A)` is an ordinary array";
  return types::errorType();
}

}  // namespace dini::sema
