// Forward rules of roots and linear solves. Derivations: docs/maths.md, "Solutions of equations".
#include <functional>
#include <limits>

#include "ad/calls.h"
#include "ad/forward.h"
#include "ad/inverses.h"
#include "ad/linear.h"
#include "ad/linear_map.h"
#include "ad/nested_roots.h"
#include "ad/sparse_jacobian.h"
#include "base/check.h"
#include "ir/text.h"

namespace dini::ad {

using ir::OpCode;
using ir::Value;
using Values = std::vector<Value*>;

namespace {

// The equations of a root as a function of (captured values..., unknowns...), with one flat result.
enum class Form { Residual, FixedPoint };

Value* flat(ir::Builder& b, Value* v) {
  return v->type.rank() == 1 ? v : b.reshape(v, {product(b, b.dims(v))});
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
    Value* part = form == Form::Residual ? b.sub(sides[2 * k + 1], sides[2 * k])
                                         : ir::mapped(map, mapSide(op, region, k));
    parts.push_back(flat(b, part));
  }
  b.yield({parts.size() == 1 ? parts[0] : b.concat(parts, 0)});
  return made;
}

// A' of A = -F_z at the solution: its rows are the images of the basis vectors of the unknowns, taken
// from zero rather than negated, for zeros to keep their sign.
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
  return b.sub(b.real(0.0), matrix);
}

// A factorisation of the block's choice reads half of the matrix: the other half must agree.
void requireSymmetric(ir::Builder& b, Value* a, Span span) {
  b.setSpan(span);
  auto size = [&](Value* m) { return b.op(OpCode::Norm, {flat(b, m)}); };
  Value* difference = size(b.sub(a, b.transpose(a, {1, 0})));
  Value* bound = b.mul(b.real(1e-10), size(a));
  b.check(b.op(OpCode::FLe, {difference, bound}), ir::Status::Domain,
          "the Jacobian of this solve is not symmetric, as its `linear` says");
}

// Whether `regular`, which ends the call where the solution has no derivative, passes. A notice
// tells where it does not.
Value* passes(ir::Builder& b, const ir::Op& op, const std::function<void(ir::Builder&)>& regular) {
  auto test = [&](ir::Builder& in, std::span<Value* const>) {
    regular(in);
    return Values{in.boolean(true)};
  };
  auto notice = [&](ir::Builder& in, std::span<Value* const>) {
    ir::Attrs attrs;
    attrs.str = ir::failureNotice(op.span);
    in.emit(OpCode::Print, {}, std::move(attrs));
    return Values{in.boolean(false)};
  };
  return b.tryElse(test, notice)[0];
}

}  // namespace

// A z_dot = moved by the inverse of a function of the module, F(arguments..., v) = A v.
Value* solveByInverse(ir::Builder& b, const ir::Op& op, Value* multiple, const std::string& map, Values arguments,
                      Value* moved) {
  b.setSpan(op.span);
  const bool poisons = op.attrs.ints.size() > 4 && op.attrs.ints[4] == 1;
  const std::string name = inverses::nameOf(map, inverses::templateOf(op), poisons);
  auto regular = [&](ir::Builder& in) { in.check(in.op(OpCode::Not, {multiple}), ir::Status::MultipleRoot); };
  Value* factor = nullptr;
  if (poisons)
    factor = b.select(passes(b, op, regular), b.real(1.0), b.real(std::numeric_limits<double>::quiet_NaN()));
  else
    regular(b);
  arguments.push_back(moved);
  Value* z_dot = calls::emitCall(b, name, std::move(arguments), {moved->type})[0];
  z_dot->linear = moved->linear;
  return factor != nullptr ? b.mul(factor, z_dot) : z_dot;
}

std::string singularText(const ir::Op& root) {
  return root.attrs.i >= 1
             ? "active constraints depend on one another, or the minimiser is not isolated"
             : "";
}

// A z_dot = moved, by the factorisation that the block asks for. The matrix has its structure at
// this solution, not perhaps its derivative: attrs.ints[1] says so to linearSolveRule. Where a
// failing solve gives NaN, so does a failing derivative.
Value* solveSystem(ir::Builder& b, ir::Module& module, const ir::Op& op, Value* multiple, Value* matrix,
                   Value* moved) {
  const auto& asked = op.attrs.ints;
  if (!inverses::templateOf(op).empty())
    return solveByInverse(b, op, multiple, inverses::addMatrixMap(module, matrix->type, op.span), {matrix}, moved);
  auto structure = asked.size() > 3 ? static_cast<ir::Structure>(asked[3]) : ir::Structure::General;
  bool poisons = asked.size() > 4 && asked[4] == 1;
  auto regular = [&](ir::Builder& in) {
    in.setSpan(op.span);
    in.check(in.op(OpCode::Not, {multiple}), ir::Status::MultipleRoot);
    if (structure != ir::Structure::General) requireSymmetric(in, matrix, op.span);
    if (!poisons) return;
    Value* rcond = in.emit(OpCode::Factor, {matrix}).results[2];
    in.check(in.op(OpCode::FLe, {in.real(0.0), rcond}), ir::Status::Singular);
  };
  Value* factor = nullptr;  // of the tangent: 1, or NaN
  if (poisons) {
    Value* fine = passes(b, op, regular);
    Value* nan = b.real(std::numeric_limits<double>::quiet_NaN());
    factor = b.select(fine, b.real(1.0), nan);
    matrix = b.select(fine, matrix, identity(b, b.dim(matrix, 0)));
  } else {
    regular(b);
  }
  b.setSpan(op.span);
  ir::Attrs attrs;
  attrs.i = static_cast<int64_t>(structure);
  attrs.ints = {1};
  if (structure != ir::Structure::General) attrs.ints.push_back(1);
  attrs.str = singularText(op);
  Value* z_dot = b.op(OpCode::LinearSolve, {matrix, moved}, attrs);
  constexpr int kRefinements = 2;
  for (int k = 0; k < kRefinements && op.attrs.str == inverses::kRefined; ++k) {
    Value* rest = b.sub(moved, b.einsum("ji,j->i", matrix, z_dot));
    z_dot = b.add(z_dot, b.op(OpCode::LinearSolve, {matrix, rest}, attrs));
  }
  return factor != nullptr ? b.mul(factor, z_dot) : z_dot;
}

namespace {

// Where the matrix of the rule is sparse; only where nothing else is asked for.
std::optional<SparsePlan> sparsePlanOf(const ir::Op& op, const ir::Function& equations, const Values& captured) {
  const auto& asked = op.attrs.ints;
  const bool poisons = asked.size() > 4 && asked[4] == 1;
  const bool general = asked.size() <= 3 || static_cast<ir::Structure>(asked[3]) == ir::Structure::General;
  if (poisons || !general || op.attrs.str == inverses::kDense || op.attrs.str == inverses::kRefined) return std::nullopt;
  return sparsePlan(equations, captured.size(), equations.body.args.size() - captured.size(), captured);
}

}  // namespace

// Without kinks that are counted (root_rules.cpp has the others).
// F(z, x) = right - left = 0. implicit: A z_dot = B x_dot with A = -F_z, B = F_x at the solution.
// one_step: z_dot = T_x x_dot; neumann(k): z_dot = sum of T_z^j T_x x_dot over j = 0..k.
void Forward::plainRootRule(ir::Builder& b, const ir::Op& op) {
  const ir::Op& copy = ir::cloneOp(b, op, primal_);
  size_t from = b.region().ops.size();
  if (reducedRoot(b, op, copy, NearTies::Told)) {
    if (probing()) clearFlagsFrom(b.region(), from);
    return;
  }
  const ir::Region& equations = *op.regions[1];
  size_t unknowns = equations.args.size();
  Values captured = ir::captures(equations), arguments, tangents, shapes;
  Request request{{}, request_.ties};
  for (const Value* value : captured) {
    arguments.push_back(x(value));
    request.active.push_back(dot(value) != nullptr);
    if (dot(value) == nullptr) continue;
    tangents.push_back(dot(value));
    shapes.push_back(x(value));
  }
  size_t moving = tangents.size();
  if (moving == 0) return;
  for (size_t k = 0; k < unknowns; ++k) {
    arguments.push_back(copy.results[k]);
    request.active.push_back(true);
    tangents.push_back(nullptr);
  }
  bool is_implicit = isImplicitRoot(op);
  auto function = equationsOf(op, captured, is_implicit ? Form::Residual : Form::FixedPoint);
  auto linear = forward(module_, *function, request, "equations_jvp");
  split(module_, *linear);
  LinearMap map(std::move(linear), tangents.size(), 1);
  map.inlinePrimal(b, arguments);
  Values solutions(copy.results.begin(), copy.results.begin() + static_cast<ptrdiff_t>(unknowns));
  shapes.insert(shapes.end(), solutions.begin(), solutions.end());
  map.setShapes(shapes);
  Value* moved = map.apply(b, tangents)[0];  // B x_dot, respectively T_x x_dot
  Value* z_dot = moved;
  b.setSpan(op.span);  // what follows concerns the block, not the operations just copied
  if (is_implicit && !inverses::templateOf(op).empty()) {
    // Nothing is assembled.
    z_dot = solveByInverse(b, op, copy.results.back(),
                           inverses::addJacobianMap(module_, *function, unknowns, request.ties), arguments, moved);
  } else if (auto plan = is_implicit ? sparsePlanOf(op, *function, captured) : std::nullopt) {
    b.check(b.op(OpCode::Not, {copy.results.back()}), ir::Status::MultipleRoot);
    size_t matrix = b.region().ops.size();
    Value* entries = sparseEntries(b, map, moving, solutions, *plan);
    clearFlagsFrom(b.region(), matrix);
    ir::Attrs attrs;
    attrs.str = singularText(op);
    const auto count = static_cast<int64_t>(plan->rows.size());
    Value* rows = b.constantInts(ir::i64({count}), plan->rows);
    Value* cols = b.constantInts(ir::i64({count}), plan->cols);
    z_dot = b.op(OpCode::SparseSolve, {b.sub(b.real(0.0), entries), rows, cols, moved}, std::move(attrs));
  } else if (is_implicit) {
    Value* a = systemMatrixTransposed(b, map, moving);
    z_dot = solveSystem(b, module_, op, copy.results.back(), a, moved);
  } else if (op.attrs.str == "neumann") {
    int64_t terms = op.attrs.ints.empty() ? 0 : op.attrs.ints[0];
    z_dot = b.loop(b.integer(terms), {moved}, [&](ir::Builder& in, std::span<Value* const> args) {
      Values steps(moving, nullptr);
      for (Value* part : cutLike(in, args[1], solutions)) steps.push_back(part);
      return Values{in.add(map.apply(in, steps)[0], moved)};
    })[0];
  }
  Values parts = cutLike(b, z_dot, solutions);
  for (size_t k = 0; k < unknowns; ++k) setDot(op.results[k], parts[k]);
  if (probing()) clearFlagsFrom(b.region(), from);
}

namespace {

// Entries of the n x n matrix M where row - column compares as given: M itself there, 0 elsewhere.
Value* masked(ir::Builder& b, Value* m, Value* n, OpCode compare, bool rows_first) {
  Value* i = b.iota(n);
  Value *rows = b.broadcast(i, {0}, {n, n}), *columns = b.broadcast(i, {1}, {n, n});
  Value* inside = rows_first ? b.op(compare, {rows, columns}) : b.op(compare, {columns, rows});
  Value* zero = b.real(0.0);
  zero->linear = m->linear;
  return b.select(inside, m, zero);
}

// The tangent of a matrix A as a solver with a declared structure reads it.
Value* restricted(ir::Builder& b, Value* a_dot, Value* a, const ir::Attrs& attrs) {
  if (attrs.ints.size() > 1 && attrs.ints[1] == 1) return a_dot;  // structure of the value only
  switch (static_cast<ir::Structure>(attrs.i)) {
    case ir::Structure::General: return a_dot;
    case ir::Structure::Symmetric:
    case ir::Structure::PositiveDefinite:
      return b.mul(b.real(0.5), b.add(a_dot, b.transpose(a_dot, {1, 0})));
    case ir::Structure::Lower: return masked(b, a_dot, b.dim(a, 0), OpCode::ILe, false);
    case ir::Structure::Upper: return masked(b, a_dot, b.dim(a, 0), OpCode::ILe, true);
    case ir::Structure::UnitLower: return masked(b, a_dot, b.dim(a, 0), OpCode::ILt, false);
    case ir::Structure::Diagonal: return masked(b, a_dot, b.dim(a, 0), OpCode::IEq, true);
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
    a_dot = restricted(b, a_dot, x(op.operand(0)), op.attrs);
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
    a_dot = restricted(b, a_dot, x(factor->operand(0)), op.attrs);
    Value* t = product(b, a_dot, x(op.result()), transposed);
    rhs = rhs != nullptr ? b.sub(rhs, t) : b.neg(t);
  }
  setDot(op.result(),
         b.op(OpCode::SolveFactored, {x(op.operand(0)), x(op.operand(1)), rhs}, op.attrs));
}

}  // namespace dini::ad
