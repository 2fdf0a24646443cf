// x[i], A[i], A[i, :], x[a..b], x[idx].
#include <fmt/format.h>

#include "sema/checker.h"

namespace dini::sema {

TypePtr Checker::checkIndex(ast::IndexExpr& expr) {
  TypePtr base = check(expr.base);
  if (isSparse(*base)) return sparseIndex(expr);
  if (base->isError() || base->kind != Kind::Array || base->rank() == 0 ||
      expr.subscripts.size() > base->rank()) {
    std::vector<Size> ignored;
    for (auto& subscript : expr.subscripts) checkSubscript(subscript, Size(), ignored);
    if (base->isError()) return base;
    if (base->kind == Kind::Array && base->rank() > 0)
      return error(DiagCode::NotIndexable, expr.span,
                   fmt::format("{} is indexed with {}", str(base),
                               counted(expr.subscripts.size(), "subscript")),
                   fmt::format("it has {}", counted(base->rank(), "dimension")));
    auto& d = report(DiagCode::NotIndexable, expr.base->span,
                     fmt::format("{} is indexed, which only arrays can be", str(base)));
    if (base->kind == Kind::Covector) d.help = "index the vector, before the `'`";
    if (base->kind == Kind::Tuple) d.help = "take a tuple apart with `let (a, b) = ...`";
    return types::errorType();
  }
  std::vector<Size> dims;
  bool good = true;
  for (size_t k = 0; k < expr.subscripts.size(); ++k)
    good = checkSubscript(expr.subscripts[k], base->dims[k], dims) && good;
  for (size_t k = expr.subscripts.size(); k < base->rank(); ++k) dims.push_back(base->dims[k]);
  return good ? types::array(base->scalar, std::move(dims)) : types::errorType();
}

// Appends what is left of the dimension `dim`.
bool Checker::checkSubscript(ast::Subscript& subscript, const Size& dim, std::vector<Size>& dims) {
  switch (subscript.kind) {
    case ast::Subscript::Kind::All:
      dims.push_back(dim);
      return true;
    case ast::Subscript::Kind::At: {
      TypePtr type = check(subscript.at);
      if (type->isError()) return false;
      if (type->isArray(Scalar::Int) && type->rank() <= 1) {
        dims.insert(dims.end(), type->dims.begin(), type->dims.end());
        return true;
      }
      auto& d =
          report(DiagCode::TypeMismatch, subscript.at->span,
                 fmt::format("a subscript is {}, where an int or int[n] is expected", str(type)));
      if (type->isReal()) d.help = "`int(x)` truncates a real";
      return false;
    }
    case ast::Subscript::Kind::Range: {
      bool good = true;
      auto bound = [&](ast::ExprPtr& expr, Size otherwise) {
        if (!expr) return otherwise;
        TypePtr type = check(expr);
        bool is_int = type->isScalar() && type->scalar == Scalar::Int;
        if (!is_int && !type->isError())
          report(DiagCode::TypeMismatch, expr->span,
                 fmt::format("a slice has the end {}, where an int is expected", str(type)));
        good = good && is_int;
        return sizeOrUnknown(expr);
      };
      Size lo = bound(subscript.lo, Size(0));
      Size hi = bound(subscript.hi, dim);
      Size extent = sizes_.resolve(hi - lo);
      if (extent.constant() && *extent.constant() < 0) {
        report(DiagCode::NotIndexable, subscript.span,
               fmt::format("a slice from {} to {} ends before it begins", sizes_.str(lo),
                           sizes_.str(hi)));
        good = false;
      }
      dims.push_back(extent);
      return good;
    }
  }
  return false;
}

}  // namespace dini::sema
