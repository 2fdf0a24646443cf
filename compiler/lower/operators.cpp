// Operators on values: widening, covectors, records, and which IR operation a product is.
#include <fmt/format.h>

#include <cmath>

#include "base/check.h"
#include "lower/assignments.h"
#include "lower/scopes.h"

namespace dini::lower {

using ast::BinaryOp;
using ir::OpCode;

ir::Value* Emitter::toReal(ir::Value* v) {
  if (v->type.isReal()) return v;
  check(v->type.elem == ir::Elem::I64, "a bool where a real is needed");
  if (auto known = ir::constantInt(v)) return b().real(static_cast<double>(*known));
  if (v->def != nullptr && v->def->code == OpCode::Const) {
    std::vector<double> data(v->def->attrs.ints.begin(), v->def->attrs.ints.end());
    return b().constant(v->type.withElem(ir::Elem::F64), std::move(data));
  }
  return b().op(OpCode::IntToReal, {v});
}

namespace {

// Both read the same size of the same array.
bool sameSize(const ir::Value* m, const ir::Value* n) {
  if (m->def == nullptr || n->def == nullptr || m->def->code != OpCode::Dim) return false;
  return n->def->code == OpCode::Dim && m->def->operand(0) == n->def->operand(0) &&
         m->def->attrs.i == n->def->attrs.i;
}

}  // namespace

void Emitter::requireEqualShapes(ir::Value* a, ir::Value* b) {
  if (a->type.isScalar() || b->type.isScalar()) return;
  if (a->type.rank() != b->type.rank())
    fail(DiagCode::ShapeMismatch, span_,
         fmt::format("arrays of rank {} and {} meet", a->type.rank(), b->type.rank()));
  for (size_t k = 0; k < a->type.rank(); ++k) {
    ir::Value *m = sizeOf(a, k), *n = sizeOf(b, k);
    if (knownDifference(m, n) == 0 || sameSize(m, n)) continue;
    auto p = ir::constantInt(m), q = ir::constantInt(n);
    if (p && q) fail(DiagCode::ShapeMismatch, span_, fmt::format("sizes {} and {} differ", *p, *q));
    require(intOp(OpCode::IEq, m, n), ir::Status::Shape, "sizes differ");
  }
}

// The size of an axis by the value that it was made with, so that equal sizes are recognised.
ir::Value* Emitter::sizeOf(ir::Value* v, size_t axis) {
  if (v->type.dims[axis] != ir::kDynamic || v->def == nullptr) return b().dim(v, axis);
  const ir::Op& op = *v->def;
  if (ir::isElementwise(op.code)) {
    for (ir::Value* operand : op.operands)
      if (operand->type.rank() == v->type.rank()) return sizeOf(operand, axis);
  }
  if (op.code == OpCode::Loop && axis == 0 && v->index + 1 >= op.operands.size())
    return op.operands[0];
  bool sized = op.code == OpCode::Slice || op.code == OpCode::Fill || op.code == OpCode::Iota ||
               op.code == OpCode::Reshape || op.code == OpCode::Broadcast;
  if (!sized) return b().dim(v, axis);
  size_t after = 0;  // dynamic sizes behind this one
  for (size_t k = axis + 1; k < v->type.rank(); ++k) after += v->type.dims[k] == ir::kDynamic;
  return op.operands[op.operands.size() - 1 - after];
}

void Emitter::unify(ir::Value*& a, ir::Value*& b) {
  if (a->type.isReal() || b->type.isReal()) {
    a = toReal(a);
    b = toReal(b);
  }
  requireEqualShapes(a, b);
}

Val Emitter::arithmetic(OpCode real_code, OpCode int_code, const Val& a, const Val& b) {
  ir::Value *x = a.value, *y = b.value;
  unify(x, y);
  bool covector = a.covector || b.covector;
  if (x->type.isReal()) return Val::leaf(this->b().op(real_code, {x, y}), covector);
  return Val::leaf(intOp(int_code, x, y), covector);
}

Val Emitter::addOrSub(bool subtract, const Val& a, const Val& b) {
  if (a.isAggregate()) {
    check(b.isAggregate() && a.elements.size() == b.elements.size(), "sum of different structures");
    if (isSparse(a)) requireSamePattern(a, b);
    Val result = a;
    for (size_t k = 0; k < a.elements.size(); ++k)
      if (a.elements[k].isAggregate() || a.elements[k].type().isReal())
        result.elements[k] = addOrSub(subtract, a.elements[k], b.elements[k]);
    return result;
  }
  return subtract ? arithmetic(OpCode::Sub, OpCode::ISub, a, b)
                  : arithmetic(OpCode::Add, OpCode::IAdd, a, b);
}

namespace {
Val mapReals(const Val& value, const std::function<ir::Value*(ir::Value*)>& change) {
  return mapLeaves(value,
                   [&](ir::Value* leaf) { return leaf->type.isReal() ? change(leaf) : leaf; });
}
bool isName(const ast::Expr& e, const ast::Expr& other) {
  if (e.kind != ast::ExprKind::Name || other.kind != ast::ExprKind::Name) return false;
  const auto& a = ast::as<ast::NameExpr>(e);
  const auto& b = ast::as<ast::NameExpr>(other);
  return a.binding != nullptr && a.binding == b.binding;
}
// A + A' of a named A.
bool isSymmetrisation(const ast::BinaryExpr& e) {
  if (e.op != BinaryOp::Add || e.rhs->kind != ast::ExprKind::Transpose) return false;
  return isName(*e.lhs, *ast::as<ast::TransposeExpr>(*e.rhs).operand);
}
}  // namespace

Val Emitter::negate(const Val& value) {
  if (value.isAggregate())
    return mapReals(value, [&](ir::Value* leaf) { return b().op(OpCode::Neg, {leaf}); });
  if (value.type().elem == ir::Elem::I64)
    return Val::leaf(intOp(OpCode::ISub, integer(0), value.value));
  if (auto known = ir::constantReal(value.value)) return Val::leaf(b().real(-*known));
  Val result = Val::leaf(b().op(OpCode::Neg, {value.value}), value.covector);
  result.structure = value.structure;
  return result;
}

Val Emitter::multiply(const Val& a, const Val& b, bool a_transposed) {
  bool scaled = (a.isLeaf() && a.rank() == 0) || (b.isLeaf() && b.rank() == 0);
  if ((isSparse(a) || isSparse(b)) && !scaled) return sparseProduct(a, b, a_transposed);
  if (a.isAggregate() || b.isAggregate()) {
    const Val& aggregate = a.isAggregate() ? a : b;
    const Val& scalar = a.isAggregate() ? b : a;
    ir::Value* factor = toReal(scalar.value);
    return mapReals(aggregate,
                    [&](ir::Value* leaf) { return this->b().op(OpCode::Mul, {factor, leaf}); });
  }
  if (a.rank() == 0 || b.rank() == 0) {
    Val result = arithmetic(OpCode::Mul, OpCode::IMul, a, b);
    result.structure = a.rank() == 0 ? b.structure : a.structure;
    return result;
  }
  return matrixProduct(a, b, a_transposed);
}

Val Emitter::matrixProduct(const Val& a, const Val& b, bool a_transposed) {
  bool ints = !a.type().isReal() && !b.type().isReal();
  ir::Value *x = toReal(a.value), *y = toReal(b.value);
  const char* spec = nullptr;
  bool covector = false;
  if (a.rank() == 1 && b.rank() == 1) {
    spec = a.covector ? "i,i->" : "i,j->ij";
    check(a.covector != b.covector, "product of two vectors");
  } else if (a.rank() == 1) {
    spec = "i,ij->j";
    covector = true;
  } else if (b.rank() == 1) {
    spec = a_transposed ? "ji,j->i" : "ij,j->i";
  } else {
    spec = a_transposed ? "ji,jk->ik" : "ij,jk->ik";
  }
  if (!(a.rank() == 1 && b.rank() == 1 && !a.covector)) {
    size_t inner = a.rank() == 1 || a_transposed ? 0 : 1;
    ir::Value *m = sizeOf(x, inner), *n = sizeOf(y, 0);
    auto p = ir::constantInt(m), q = ir::constantInt(n);
    if (p && q && *p != *q)
      fail(DiagCode::ShapeMismatch, span_,
           fmt::format("the sizes {} and {} that a product joins differ", *p, *q));
    if (knownDifference(m, n) != 0)
      require(intOp(OpCode::IEq, m, n), ir::Status::Shape, "the sizes that a product joins differ");
  }
  ir::Value* result = this->b().einsum(spec, x, y);
  if (ints) result = this->b().op(OpCode::RealToInt, {result});
  return Val::leaf(result, covector);
}

Val Emitter::divide(const Val& a, const Val& b) {
  ir::Value* divisor = toReal(b.value);
  if (a.isAggregate())
    return mapReals(a, [&](ir::Value* leaf) { return this->b().op(OpCode::Div, {leaf, divisor}); });
  ir::Value* dividend = toReal(a.value);
  requireEqualShapes(dividend, divisor);
  Val result = Val::leaf(this->b().op(OpCode::Div, {dividend, divisor}), a.covector);
  if (b.rank() == 0) result.structure = a.structure;
  return result;
}

// --- powers

const ast::Expr* Emitter::squaredNorm(const ast::BinaryExpr& e) {
  if (e.op != BinaryOp::Pow || e.rhs->kind != ast::ExprKind::Number ||
      e.lhs->kind != ast::ExprKind::Call)
    return nullptr;
  const auto& exponent = ast::as<ast::NumberExpr>(*e.rhs);
  const auto& call = ast::as<ast::CallExpr>(*e.lhs);
  bool two = exponent.is_int ? exponent.int_value == 2 : exponent.value == 2.0;
  if (!two || call.arguments.size() != 1 || call.callee->kind != ast::ExprKind::Name)
    return nullptr;
  const auto& callee = ast::as<ast::NameExpr>(*call.callee);
  bool norm = callee.referent == ast::Referent::Builtin &&
              static_cast<sema::Builtin>(callee.builtin) == sema::Builtin::Norm;
  return norm ? call.arguments[0].value.get() : nullptr;
}

Val Emitter::power(const ast::BinaryExpr& e) {
  if (const ast::Expr* v = squaredNorm(e)) {
    ir::Value* x = toReal(eval(*v).value);
    return Val::leaf(dot(x, x));
  }
  return power(eval(*e.lhs), eval(*e.rhs));
}

Val Emitter::power(const Val& base, const Val& exponent) {
  std::optional<int64_t> n = ir::constantInt(exponent.value);
  if (auto known = ir::constantReal(exponent.value);
      known && std::abs(*known) <= 1024 && std::nearbyint(*known) == *known)
    n = static_cast<int64_t>(*known);
  bool ints = !base.type().isReal() && !exponent.type().isReal();
  if (n && ints && *n >= 0) {
    ir::Value *result = nullptr, *square = base.value;
    for (int64_t k = *n; k > 0; k >>= 1) {
      if (k & 1) result = result == nullptr ? square : imul(result, square);
      if (k > 1) square = imul(square, square);
    }
    if (result == nullptr)
      result = base.rank() == 0 ? integer(1) : b().fill(integer(1), b().dims(base.value));
    return Val::leaf(result);
  }
  ir::Value* x = toReal(base.value);
  if (n) {
    ir::Attrs attrs;
    attrs.i = *n;
    return Val::leaf(b().op(OpCode::PowI, {x}, std::move(attrs)));
  }
  ir::Value* y = toReal(exponent.value);
  requireEqualShapes(x, y);
  return Val::leaf(b().op(OpCode::Pow, {x, y}));
}

ir::Value* Emitter::dot(ir::Value* x, ir::Value* y) {
  requireEqualShapes(x, y);
  if (x->type.isScalar()) return b().mul(x, y);
  std::string letters = std::string("ijklmnop").substr(0, x->type.rank());
  return b().einsum(letters + "," + letters + "->", x, y);
}

// --- comparisons and logic

Val Emitter::compare(BinaryOp op, const Val& a, const Val& b) {
  ir::Value *x = a.value, *y = b.value;
  if (x->type.elem == ir::Elem::I1) {
    x = this->b().op(OpCode::BoolToInt, {x});
    y = this->b().op(OpCode::BoolToInt, {y});
  }
  unify(x, y);
  bool real = x->type.isReal();
  auto make = [&](OpCode f, OpCode i, ir::Value* p, ir::Value* q) {
    return Val::leaf(real ? this->b().op(f, {p, q}) : intOp(i, p, q));
  };
  switch (op) {
    case BinaryOp::Lt:
      return make(OpCode::FLt, OpCode::ILt, x, y);
    case BinaryOp::Le:
      return make(OpCode::FLe, OpCode::ILe, x, y);
    case BinaryOp::Gt:
      return make(OpCode::FLt, OpCode::ILt, y, x);
    case BinaryOp::Ge:
      return make(OpCode::FLe, OpCode::ILe, y, x);
    case BinaryOp::Eq:
      return make(OpCode::FEq, OpCode::IEq, x, y);
    case BinaryOp::Ne:
      return make(OpCode::FNe, OpCode::INe, x, y);
    default:
      failCheck("not a comparison");
  }
}

namespace {
// Evaluation without a status and cheap enough to need no branch.
bool isTotal(const ast::Expr& e) {
  switch (e.kind) {
    case ast::ExprKind::Number:
    case ast::ExprKind::Bool:
    case ast::ExprKind::Name:
      return true;
    case ast::ExprKind::Unary:
      return isTotal(*ast::as<ast::UnaryExpr>(e).operand);
    case ast::ExprKind::Field:
      return isTotal(*ast::as<ast::FieldExpr>(e).base);
    case ast::ExprKind::Binary: {
      const auto& binary = ast::as<ast::BinaryExpr>(e);
      return binary.op != BinaryOp::Solve && isTotal(*binary.lhs) && isTotal(*binary.rhs);
    }
    default:
      return false;
  }
}
}  // namespace

Val Emitter::evalLogical(const ast::BinaryExpr& e) {
  bool conjunction = e.op == BinaryOp::And;
  if (mayLeave(*e.lhs) && evaluateAhead(*e.lhs))
    return unlessLeft(exited(), assignedIn(e), [&] { return evalLogical(e); });
  Val lhs = eval(*e.lhs);
  if (auto known = ir::constantInt(lhs.value); known && lhs.rank() == 0) {
    if ((*known != 0) != conjunction) return lhs;
    return evalUnlessLeft(*e.rhs);
  }
  if (lhs.rank() > 0 || isTotal(*e.rhs)) {
    Val rhs = eval(*e.rhs);
    return Val::leaf(conjunction ? logicalAnd(lhs.value, rhs.value)
                                 : logicalOr(lhs.value, rhs.value));
  }
  auto decided = [&] { return Val::leaf(b().boolean(!conjunction)); };
  auto other = [&] { return evalUnlessLeft(*e.rhs); };
  std::vector<const ast::Binding*> merged = assignedIn(*e.rhs);
  if (conjunction)
    return branch(Branching::If, nullptr, lhs.value, merged, nullptr, other, decided);
  return branch(Branching::If, nullptr, lhs.value, merged, nullptr, decided, other);
}

Val Emitter::evalUnary(const ast::UnaryExpr& e) {
  Val operand = eval(*e.operand);
  return e.op == ast::UnaryOp::Neg ? negate(operand) : Val::leaf(logicalNot(operand.value));
}

// --- binary expressions

Val Emitter::linearSolve(const ast::BinaryExpr& e) {
  bool transposed = e.lhs->kind == ast::ExprKind::Transpose;
  Val matrix = eval(transposed ? *ast::as<ast::TransposeExpr>(*e.lhs).operand : *e.lhs);
  Val rhs = eval(*e.rhs);
  if (isSparse(matrix)) return sparseSystem(matrix, rhs, transposed);
  if (matrix.rank() == 0) return divide(rhs, matrix);
  check(matrix.rank() == 2, "a linear system without a matrix");
  ir::Value *a = toReal(matrix.value), *y = toReal(rhs.value);
  ir::Value *rows = sizeOf(a, 0), *columns = sizeOf(a, 1), *length = sizeOf(y, 0);
  if (knownDifference(rows, columns) != 0)
    require(intOp(OpCode::IEq, rows, columns), ir::Status::Shape,
            "the matrix of a linear system is not square");
  if (knownDifference(rows, length) != 0)
    require(intOp(OpCode::IEq, rows, length), ir::Status::Shape,
            "the right-hand side of a linear system has another size");
  return Val::leaf(b().linearSolve(a, y, matrix.structure, transposed));
}

Val Emitter::evalBinary(const ast::BinaryExpr& e) {
  switch (e.op) {
    case BinaryOp::And:
    case BinaryOp::Or:
      return evalLogical(e);
    case BinaryOp::Pow:
    case BinaryOp::ElemPow:
      return power(e);
    case BinaryOp::Solve:
      return linearSolve(e);
    case BinaryOp::In:
      failCheck("a cone outside the constraints of an argmin block");
    default:
      break;
  }
  bool product = e.op == BinaryOp::Mul && e.lhs->kind == ast::ExprKind::Transpose;
  Val a = product ? eval(*ast::as<ast::TransposeExpr>(*e.lhs).operand) : eval(*e.lhs);
  Val b = eval(*e.rhs);
  bool by_array = b.isLeaf() && b.rank() > 0;
  bool direct = isSparse(a) ? by_array : a.isLeaf() && a.rank() == 2 && (by_array || isSparse(b));
  if (product && !direct) {
    a = transposed(a);
    product = false;
  }
  switch (e.op) {
    case BinaryOp::Add: {
      Val sum = addOrSub(false, a, b);
      if (isSymmetrisation(e) && sum.isLeaf()) sum.structure = ir::Structure::Symmetric;
      return sum;
    }
    case BinaryOp::Sub:
      return addOrSub(true, a, b);
    case BinaryOp::Mul:
      return multiply(a, b, product);
    case BinaryOp::ElemMul:
      return arithmetic(OpCode::Mul, OpCode::IMul, a, b);
    case BinaryOp::Div:
    case BinaryOp::ElemDiv:
      return divide(a, b);
    default:
      break;
  }
  Val result = compare(e.op, a, b);
  if (e.type != nullptr && e.type->isScalar() && result.rank() > 0)
    return Val::leaf(allTrue(result.value));
  return result;
}

ir::Value* Emitter::choose(ir::Value* p, ir::Value* q, ir::Value* a, ir::Value* b, double gap,
                           const char* kink) {
  ir::Attrs attrs;
  attrs.f = gap;
  attrs.str = kink;
  attrs.i = frame_->tie_mark;
  return this->b().op(OpCode::Choose, {p, q, a, b}, std::move(attrs));
}

}  // namespace dini::lower
