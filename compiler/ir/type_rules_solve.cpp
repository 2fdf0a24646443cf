// Type rules of equations and linear algebra.
#include "ir/type_rule.h"

namespace dini::ir {
namespace {

bool realMatrix(Rule& rule, bool square) {
  if (!rule.atLeast(1)) return false;
  const Type& a = rule.type(0);
  if (!rule.require(a.isReal() && a.rank() == 2, "expected a matrix")) return false;
  bool differ = square && a.dims[0] != a.dims[1] && a.dims[0] != kDynamic && a.dims[1] != kDynamic;
  return rule.require(!differ, "expected a square matrix");
}
// The type of x in A x = b, where A has `rows` rows and x `columns`.
void solutionType(Rule& rule, const Type& b, int64_t rows, int64_t columns) {
  if (!rule.require(b.isReal() && (b.rank() == 1 || b.rank() == 2), "the right-hand side is a vector or a matrix"))
    return;
  rule.require(b.dims[0] == rows || b.dims[0] == kDynamic || rows == kDynamic, "sizes differ");
  Type type = b;
  type.dims[0] = columns;
  rule.give(type);
}
void linearSolveRule(Rule& rule) {
  if (!realMatrix(rule, true) || !rule.require(rule.count() == 2, "expected (A, b)")) return;
  int64_t n = merged(f64({rule.type(0).dims[0]}), f64({rule.type(0).dims[1]})).dims[0];
  if (n == kDynamic && rule.type(1).rank() > 0) n = rule.type(1).dims[0];
  solutionType(rule, rule.type(1), n, n);
}
void sparseSolveRule(Rule& rule) {
  if (!rule.require(rule.count() == 4, "expected (values, rows, columns, b)")) return;
  const Type& values = rule.type(0);
  bool entries = values.isReal() && values.rank() == 1;
  if (!rule.require(entries, "the values are f64[k]")) return;
  for (size_t k : {1u, 2u})
    rule.require(compatible(rule.type(k), i64({values.dims[0]})), "rows and columns are i64[k]");
  const Type& b = rule.type(3);
  if (b.rank() > 0) solutionType(rule, b, b.dims[0], b.dims[0]);
}
void factorRule(Rule& rule) {
  if (!realMatrix(rule, true)) return;
  rule.give(rule.type(0));
  rule.give(i64({rule.type(0).dims[0]}));
  rule.give(f64());
}
void solveFactoredRule(Rule& rule) {
  if (!realMatrix(rule, true) || !rule.require(rule.count() == 3, "expected (factors, pivots, b)"))
    return;
  rule.require(compatible(rule.type(1), i64({rule.type(0).dims[0]})), "the pivots are i64[n]");
  solutionType(rule, rule.type(2), rule.type(0).dims[0], rule.type(0).dims[0]);
}
void leastSquaresRule(Rule& rule) {
  if (!realMatrix(rule, false) || !rule.require(rule.count() == 2, "expected (A, b)")) return;
  solutionType(rule, rule.type(1), rule.type(0).dims[0], rule.type(0).dims[1]);
}
void choleskyRule(Rule& rule) {
  if (realMatrix(rule, true)) rule.give(rule.type(0));
}
void eighRule(Rule& rule) {
  if (!realMatrix(rule, true)) return;
  rule.give(f64({rule.type(0).dims[0]}));
  rule.give(rule.type(0));
}
int64_t thinSize(const Type& a) {
  return a.isStatic() ? std::min(a.dims[0], a.dims[1]) : kDynamic;
}
void svdRule(Rule& rule) {
  if (!realMatrix(rule, false)) return;
  const Type& a = rule.type(0);
  int64_t k = thinSize(a);
  rule.give(f64({a.dims[0], k}));
  rule.give(f64({k}));
  rule.give(f64({a.dims[1], k}));
}
void qrRule(Rule& rule) {
  if (!realMatrix(rule, false)) return;
  const Type& a = rule.type(0);
  int64_t k = thinSize(a);
  rule.give(f64({a.dims[0], k}));
  rule.give(f64({k, a.dims[1]}));
}
// jacobian [n + k + 1, n + k]; all sizes are constants.
void rootTiesRule(Rule& rule) {
  if (!realMatrix(rule, false) || !rule.require(rule.count() == 3, "expected (jacobian, tied, held)"))
    return;
  const Type &jacobian = rule.type(0), &tied = rule.type(1), &held = rule.type(2);
  bool fixed = jacobian.isStatic() && tied.isStatic() && held.isStatic() && tied.rank() == 1;
  if (!rule.require(fixed && tied.elem == Elem::I1 && held == f64({tied.dims[0]}), "expected i1[k] and f64[k]"))
    return;
  int64_t n = jacobian.dims[1] - tied.dims[0];
  if (!rule.require(n > 0 && jacobian.dims[0] == jacobian.dims[1] + 1, "expected a matrix [n + k + 1, n + k]"))
    return;
  rule.give(held);
  rule.give(f64({n}));
  rule.give(f64({2}));
}
void rootRule(Rule& rule) {
  for (size_t k = 0; k < rule.count(); ++k) {
    rule.require(rule.type(k).isReal(), "unknowns are reals");
    rule.give(rule.type(k));
  }
  rule.give(i64());
  rule.give(i1());
}

constexpr TypeRuleEntry kRules[] = {
    {OpCode::Root, rootRule},
    {OpCode::LinearSolve, linearSolveRule},
    {OpCode::SparseSolve, sparseSolveRule},
    {OpCode::Factor, factorRule},
    {OpCode::SolveFactored, solveFactoredRule},
    {OpCode::LeastSquares, leastSquaresRule},
    {OpCode::Cholesky, choleskyRule},
    {OpCode::Eigh, eighRule},
    {OpCode::Svd, svdRule},
    {OpCode::Qr, qrRule},
    {OpCode::RootTies, rootTiesRule},
};

}  // namespace

std::span<const TypeRuleEntry> solveTypeRules() { return kRules; }

}  // namespace dini::ir
