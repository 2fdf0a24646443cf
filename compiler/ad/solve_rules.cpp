// Forward rules of roots and linear solves. Derivations: docs/maths.md, "Solutions of equations".
#include "ad/forward.h"
#include "ad/linear.h"
#include "ad/linear_map.h"
#include "base/check.h"

namespace dini::ad {

using ir::OpCode;
using ir::Value;
using Values = std::vector<Value*>;

namespace {

// The equations of a root as a function of (captured values..., unknowns...), with one flat result.
enum class Form { Residual, FixedPoint };

Value* flat(ir::Builder& b, Value* v) {
  return v->type.rank() == 1 ? v : b.reshape(v, {b.integer(v->type.elementCount())});
}

// The side of the equation `unknown == expr` that is not the unknown.
Value* mapSide(const ir::Op& op, const ir::Region& equations, size_t pair) {
  const Values& yields = equations.yields();
  Value* unknown = equations.args[pair];
  if (yields[2 * pair] == unknown) return yields[2 * pair + 1];
  if (yields[2 * pair + 1] == unknown) return yields[2 * pair];
  throw Unsupported("this way of differentiating needs equations `unknown == expression`", op.span);
}

std::unique_ptr<ir::Function> equationsOf(const ir::Op& op, const Values& captured, Form form) {
  const ir::Region& region = *op.regions[1];
  auto made = std::make_unique<ir::Function>("equations");
  made->span = op.span;
  ir::ValueMap map;
  for (Value* value : captured) map[value] = made->addParameter(value->type, value->name);
  for (Value* unknown : region.args) map[unknown] = made->addParameter(unknown->type, unknown->name);
  ir::Builder b(*made, made->body);
  b.setSpan(op.span);
  Values sides = ir::inlineRegion(b, region, map);
  Values parts;
  for (size_t k = 0; k < sides.size() / 2; ++k) {
    Value* part = form == Form::Residual ? b.sub(sides[2 * k], sides[2 * k + 1])
                                         : ir::mapped(map, mapSide(op, region, k));
    parts.push_back(flat(b, part));
  }
  b.yield({parts.size() == 1 ? parts[0] : b.concat(parts, 0)});
  return made;
}

// A flat vector cut into the unknowns' shapes.
Values unflattened(ir::Builder& b, Value* vector, std::span<Value* const> unknowns) {
  Values parts;
  int64_t at = 0;
  for (const Value* unknown : unknowns) {
    const ir::Type& type = unknown->type;
    int64_t count = type.elementCount();
    if (type.isScalar()) {
      parts.push_back(b.index(vector, {b.integer(at)}));
    } else {
      Value* part = vector;
      if (count != vector->type.dims[0]) part = b.slice(vector, {b.integer(at)}, {b.integer(count)});
      Values sizes;
      for (int64_t dim : type.dims) sizes.push_back(b.integer(dim));
      parts.push_back(type.rank() == 1 ? part : b.reshape(part, sizes));
    }
    at += count;
  }
  return parts;
}

// A' of A = F_z at the solution: its rows are the images of the basis vectors of the unknowns.
Value* systemMatrixTransposed(ir::Builder& b, const LinearMap& map, size_t first_unknown) {
  size_t from = b.region().ops.size();
  Values rows;
  for (size_t k = first_unknown; k < map.tangents(); ++k) {
    Value* image = map.basisImages(b, k)[0];
    if (image->type.rank() == 1) image = b.reshape(image, {b.integer(1), b.dim(image, 0)});
    rows.push_back(image);
  }
  Value* matrix = rows.size() == 1 ? rows[0] : b.concat(rows, 0);
  clearFlagsFrom(b.region(), from);
  return matrix;
}

}  // namespace

// F(z, x) = 0. implicit: A z_dot = -B x_dot with A = F_z, B = F_x at the returned solution.
// one_step: z_dot = T_x x_dot; neumann(k): z_dot = sum of T_z^j T_x x_dot over j = 0..k.
void Forward::rootRule(ir::Builder& b, const ir::Op& op) {
  const ir::Op& copy = ir::cloneOp(b, op, primal_);
  const ir::Region& equations = *op.regions[1];
  size_t unknowns = equations.args.size();
  Values captured = ir::captures(equations), arguments, tangents;
  Request request{{}, request_.ties};
  for (const Value* value : captured) {
    arguments.push_back(x(value));
    request.active.push_back(dot(value) != nullptr);
    if (dot(value) != nullptr) tangents.push_back(dot(value));
  }
  size_t moving = tangents.size();
  if (moving == 0) return;
  for (const Value* unknown : equations.args)
    if (!unknown->type.isStatic())
      throw Unsupported("the derivative of a solve whose size is known only when the program runs is "
                        "not available", op.span);
  for (size_t k = 0; k < unknowns; ++k) {
    arguments.push_back(copy.results[k]);
    request.active.push_back(true);
    tangents.push_back(nullptr);
  }
  bool is_newton = op.attrs.ints.size() > 2 && op.attrs.ints[2] != 0;
  bool is_implicit = op.attrs.str.empty() || op.attrs.str == "implicit" ||
                     (op.attrs.str == "one_step" && is_newton);
  auto function = equationsOf(op, captured, is_implicit ? Form::Residual : Form::FixedPoint);
  auto linear = forward(module_, *function, request, "equations_jvp");
  split(module_, *linear);
  LinearMap map(std::move(linear), tangents.size(), 1);
  map.inlinePrimal(b, arguments);
  Value* moved = map.apply(b, tangents)[0];  // B x_dot, respectively T_x x_dot
  Value* z_dot = moved;
  b.setSpan(op.span);  // what follows concerns the block, not the operations just copied
  if (is_implicit) {
    Value* single = b.op(OpCode::Not, {copy.results.back()});
    b.check(single, ir::Status::MultipleRoot);
    Value* a = systemMatrixTransposed(b, map, moving);
    b.setSpan(op.span);
    z_dot = b.linearSolve(a, b.neg(moved), ir::Structure::General, true);
  } else if (op.attrs.str == "neumann") {
    int64_t terms = op.attrs.ints.empty() ? 0 : op.attrs.ints[0];
    z_dot = b.loop(b.integer(terms), {moved}, [&](ir::Builder& in, std::span<Value* const> args) {
      Values steps(moving, nullptr);
      for (Value* part : unflattened(in, args[1], equations.args)) steps.push_back(part);
      return Values{in.add(map.apply(in, steps)[0], moved)};
    })[0];
  }
  Values parts = unflattened(b, z_dot, equations.args);
  for (size_t k = 0; k < unknowns; ++k) setDot(op.results[k], parts[k]);
}

namespace {

// Entries of M where row - column compares as given: M itself there, 0 elsewhere.
Value* masked(ir::Builder& b, Value* m, OpCode compare, bool rows_first) {
  Value* n = b.dim(m, 0);
  Value* i = b.iota(n);
  Value *rows = b.broadcast(i, {0}, {n, n}), *columns = b.broadcast(i, {1}, {n, n});
  Value* inside = rows_first ? b.op(compare, {rows, columns}) : b.op(compare, {columns, rows});
  Value* zero = b.real(0.0);
  zero->linear = m->linear;
  return b.select(inside, m, zero);
}

// The tangent of a matrix as a solver with a declared structure reads it.
Value* restricted(ir::Builder& b, Value* a_dot, ir::Structure structure) {
  switch (structure) {
    case ir::Structure::General: return a_dot;
    case ir::Structure::Symmetric:
    case ir::Structure::PositiveDefinite:
      return b.mul(b.real(0.5), b.add(a_dot, b.transpose(a_dot, {1, 0})));
    case ir::Structure::Lower: return masked(b, a_dot, OpCode::ILe, false);
    case ir::Structure::Upper: return masked(b, a_dot, OpCode::ILe, true);
    case ir::Structure::UnitLower: return masked(b, a_dot, OpCode::ILt, false);
    case ir::Structure::Diagonal: return masked(b, a_dot, OpCode::IEq, true);
  }
  return a_dot;
}

// M v, or M' v.
Value* product(ir::Builder& b, Value* m, Value* v, bool transposed) {
  std::string spec = transposed ? "ji,j" : "ij,j";
  std::string tail = v->type.rank() == 2 ? "k" : "";
  return b.einsum(spec + tail + "->i" + tail, m, v);
}

}  // namespace

// A x = b:  x_dot = A^-1 (b_dot - A_dot x).
void Forward::linearSolveRule(ir::Builder& b, const ir::Op& op) {
  Value *a_dot = dot(op.operand(0)), *rhs = dot(op.operand(1));
  if (a_dot == nullptr && rhs == nullptr) return;
  bool transposed = !op.attrs.ints.empty() && op.attrs.ints[0] == 1;
  Value* solution = x(op.result());
  if (a_dot != nullptr) {
    a_dot = restricted(b, a_dot, static_cast<ir::Structure>(op.attrs.i));
    Value* t = product(b, a_dot, solution, transposed);
    rhs = rhs != nullptr ? b.sub(rhs, t) : b.neg(t);
  }
  setDot(op.result(), b.op(OpCode::LinearSolve, {x(op.operand(0)), rhs}, op.attrs));
}

// The same through a factorisation, which is known to be of the matrix that `factor` read.
void Forward::solveFactoredRule(ir::Builder& b, const ir::Op& op) {
  const ir::Op* factor = op.operand(0)->def;
  if (factor == nullptr || factor->code != OpCode::Factor)
    throw Unsupported("the derivative of a solve with a factorisation made elsewhere", op.span);
  Value *a_dot = dot(factor->operand(0)), *rhs = dot(op.operand(2));
  if (a_dot == nullptr && rhs == nullptr) return;
  bool transposed = !op.attrs.ints.empty() && op.attrs.ints[0] == 1;
  if (a_dot != nullptr) {
    a_dot = restricted(b, a_dot, static_cast<ir::Structure>(op.attrs.i));
    Value* t = product(b, a_dot, x(op.result()), transposed);
    rhs = rhs != nullptr ? b.sub(rhs, t) : b.neg(t);
  }
  setDot(op.result(),
         b.op(OpCode::SolveFactored, {x(op.operand(0)), x(op.operand(1)), rhs}, op.attrs));
}

}  // namespace dini::ad
