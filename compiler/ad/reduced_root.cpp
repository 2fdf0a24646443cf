// The rule of roots with the system of active rows only: docs/design/reduction.md. In the equations
// z == T(z, x), with A = I - T_z, a row i in which the branch taken is constant in z has A_i = e_i',
// so z_dot_i = (T_x x_dot)_i is known at once. With S the other rows and N those of the resting ones
// that move with x,
//   A_SS z_dot_S = (T_x x_dot)_S + T_SN z_dot_N,
// for which only rows and columns of S and N are computed (restricted_map.h). In reverse mode the
// transpose of these operations does the same. Equations without the form keep all their rows.
#include <algorithm>

#include "ad/active_rows.h"
#include "ad/forward.h"
#include "ad/inverses.h"
#include "ad/linear.h"
#include "ad/probe.h"
#include "ad/restricted_map.h"
#include "ad/root_ties.h"
#include "batch/vmap.h"
#include "ir/walk.h"

namespace dini::ad {

using ir::OpCode;
using ir::Value;
using Values = std::vector<Value*>;

namespace {

constexpr int64_t kSmallest = 32;  // unknowns of a block below which the whole system is as cheap
constexpr size_t kOwnAttributes = 7;  // of a root's attrs.ints; more: it is joined of several
// How near to its tie a switch is noted, relative to its terms: for rounding, and per unit of the
// relative size of a Newton correction at the solution.
constexpr double kTieTerms = 1e-12, kTieCorrection = 100;

// The side of equation k that is not unknown k, where one is.
Value* otherSide(const ir::Region& equations, size_t k) {
  Value *unknown = equations.args[k], *left = equations.yields()[2 * k],
        *right = equations.yields()[2 * k + 1];
  if (left == right) return nullptr;
  return left == unknown ? right : right == unknown ? left : nullptr;
}

bool mayReduce(const ir::Op& op) {
  const ir::Region& equations = *op.regions[1];
  if (!inverses::templateOf(op).empty()) return false;  // which assembles nothing
  if (op.attrs.ints.size() > kOwnAttributes || equations.yields().size() != 2 * equations.args.size())
    return false;
  bool switches = false, fixed = true, large = false;
  for (size_t k = 0; k < equations.args.size(); ++k) {
    const ir::Type& type = equations.args[k]->type;
    fixed = fixed && type.isStatic();
    if (otherSide(equations, k) != nullptr && type.rank() == 1 && type.dims[0] >= kSmallest)
      large = true;
  }
  for (const auto& each : equations.ops)
    switches = switches || each->code == OpCode::Choose || each->code == OpCode::ChooseTie ||
               each->code == OpCode::ProjSimplex;
  for (const Value* value : ir::captures(equations)) fixed = fixed && value->type.isStatic();
  ir::walk(equations, [&](const ir::Op& each) {
    for (const Value* result : each.results) fixed = fixed && result->type.isStatic();
  });
  return switches && fixed && large;
}

// (captured..., unknowns...) -> per equation T - z, or right - left.
std::unique_ptr<ir::Function> separateEquations(const RootPoint& point) {
  const ir::Region& equations = *point.op.regions[1];
  auto made = std::make_unique<ir::Function>("equations");
  made->span = point.op.span;
  ir::Builder b(*made, made->body);
  ir::ValueMap map;
  for (Value* value : point.captured) {
    map[value] = made->addParameter(value->type, value->name);
    // Constants stay constants: trip counts and sizes among them are parts of types.
    if (value->def != nullptr && value->def->code == OpCode::Const) ir::cloneOp(b, *value->def, map);
  }
  for (Value* unknown : equations.args) map[unknown] = made->addParameter(unknown->type, unknown->name);
  b.setSpan(point.op.span);
  Values sides = ir::inlineRegion(b, equations, map), parts;
  for (size_t k = 0; k < sides.size() / 2; ++k) {
    bool swapped = otherSide(equations, k) == equations.yields()[2 * k];
    parts.push_back(swapped ? b.sub(sides[2 * k], sides[2 * k + 1])
                            : b.sub(sides[2 * k + 1], sides[2 * k]));
  }
  b.yield(std::move(parts));
  return made;
}

// Where a condition holds, in order.
PositionSet positionsWhere(ir::Builder& b, Value* condition) {
  Value *n = b.dim(condition, 0), *zero = b.integer(0);
  Values made = b.loop(n, {b.fill(zero, Values{n}), zero},
                       [&](ir::Builder& in, std::span<Value* const> args) {
                         Value* taken = in.op(OpCode::BoolToInt, {in.index(condition, {args[0]})});
                         Value* next = in.op(OpCode::IAdd, {args[2], taken});
                         return Values{in.update(args[1], args[0], {args[2]}), next};
                       });
  return {b.slice(made[0], {zero}, {made[1]}), made[1]};
}

// One unknown with its equation: `active` where its rows are a part, and those that rest but move
// with the captured values.
struct Block {
  PositionSet active, resting;
  bool reduced = false, has_resting = false;
};

class ReducedRoot {
 public:
  ReducedRoot(ir::Builder& b, ir::Module& module, const RootPoint& point, const Request& request,
              double tie_bound)
      : b_(b), module_(module), point_(point), request_(request),
        rows_(b, *point.op.regions[1], copies(point), moving(point), tie_bound) {}

  // Whether some rows may rest; makes the sets.
  bool findBlocks();
  void linearise(const Request& own);
  Value* matrix();
  // A_SS z_dot_S = this, along the tangents of captured values; keeps z_dot_N.
  Value* moved();
  // Tangents of the unknowns from z_dot_S.
  Values tangents(Value* active_dot);
  Value* nearTie(Value* relative) { return rows_.nearTie(b_, relative, request_.ties.tolerance); }
  Value* relativeCorrection(Value* matrix, bool poisons);

 private:
  static ir::ValueMap copies(const RootPoint& point) {
    ir::ValueMap map;
    const Values& unknowns = point.op.regions[1]->args;
    for (size_t k = 0; k < point.captured.size(); ++k) map[point.captured[k]] = point.arguments[k];
    for (size_t k = 0; k < unknowns.size(); ++k) map[unknowns[k]] = point.solutions()[k];
    return map;
  }
  static Values moving(const RootPoint& point) {
    Values found;
    for (size_t k = 0; k < point.captured.size(); ++k)
      if (point.active[k]) found.push_back(point.captured[k]);
    return found;
  }
  size_t count() const { return blocks_.size(); }
  Part activePart(size_t k) const {
    return blocks_[k].reduced ? Part{&blocks_[k].active, 0} : Part{};
  }
  const ir::Type& type(size_t k) const { return point_.solutions()[k]->type; }
  // Sizes of the active part of unknown k, and how many elements that has.
  Values activeSizes(size_t k) const;
  Value* activeCount(size_t k) const { return product(b_, activeSizes(k)); }
  std::vector<std::optional<Part>> activeRows() const;
  Values imagesOf(size_t unknown);
  Value* flatActive(Value* v, size_t k) const;

  ir::Builder& b_;
  ir::Module& module_;
  const RootPoint& point_;
  const Request& request_;
  ActiveRows rows_;
  std::vector<Block> blocks_;
  std::optional<LinearMap> map_;
  Values residuals_;     // per equation, at the solution
  Values resting_dots_;  // per block, or null
};

bool ReducedRoot::findBlocks() {
  const ir::Region& equations = *point_.op.regions[1];
  bool any = false;
  for (size_t k = 0; k < equations.args.size(); ++k) {
    Block block;
    const Value* side = otherSide(equations, k);
    Movement movement;
    if (side != nullptr && type(k).rank() == 1) movement = rows_.byUnknowns(side);
    block.reduced = movement.some() && side->type.rank() == 1;
    if (block.reduced) {
      block.active = positionsWhere(b_, movement.condition);
      Movement captured = rows_.byCaptured(side);
      block.has_resting = captured.kind != Movement::Kind::None && captured.condition != movement.condition;
      Value* rests = b_.op(OpCode::Not, {movement.condition});
      if (captured.some()) rests = b_.op(OpCode::And, {rests, captured.condition});
      if (block.has_resting) block.resting = positionsWhere(b_, rests);
    }
    any = any || (block.reduced && type(k).dims[0] >= kSmallest);
    blocks_.push_back(block);
  }
  return any;
}

void ReducedRoot::linearise(const Request& own) {
  auto linear = forward(module_, *separateEquations(point_), own, "equations_jvp");
  split(module_, *linear);
  map_.emplace(std::move(linear), point_.moving + count(), count());
  map_->setShapes(point_.shapes);
  residuals_ = map_->inlinePrimal(b_, point_.arguments);
}

Values ReducedRoot::activeSizes(size_t k) const {
  if (blocks_[k].reduced) return {blocks_[k].active.count};
  Values sizes;
  for (int64_t dim : type(k).dims) sizes.push_back(b_.integer(dim));
  return sizes;
}

std::vector<std::optional<Part>> ReducedRoot::activeRows() const {
  std::vector<std::optional<Part>> parts;
  for (size_t k = 0; k < count(); ++k) parts.push_back(activePart(k));
  return parts;
}

Value* ReducedRoot::flatActive(Value* v, size_t k) const {
  return type(k).rank() == 1 ? v : b_.reshape(v, {activeCount(k)});
}

// Per equation its active rows' derivatives by the active elements of an unknown, these along axis 0.
Values ReducedRoot::imagesOf(size_t unknown) {
  std::vector<std::optional<Part>> given(point_.moving + count());
  given[point_.moving + unknown] = activePart(unknown);
  RestrictedMap images(b_, *map_, given, activeRows());
  Values sizes = activeSizes(unknown), seeds(given.size(), nullptr), equation_counts;
  for (size_t k = 0; k < count(); ++k) equation_counts.push_back(activeCount(k));
  Value* seed_count = activeCount(unknown);
  Value* numbers = b_.iota(seed_count);
  Values made = b_.loop(seed_count, {}, [&](ir::Builder& in, std::span<Value* const> args) {
    Value* own = in.op(OpCode::IEq, {numbers, args[0]});
    Value* e = in.select(own, in.real(1.0), in.real(0.0));
    if (sizes.empty()) e = in.index(e, {in.integer(0)});
    else if (sizes.size() > 1) e = in.reshape(e, sizes);
    seeds[point_.moving + unknown] = e;
    Values columns = images.apply(in, seeds);
    for (size_t k = 0; k < columns.size(); ++k)
      if (type(k).rank() != 1) columns[k] = in.reshape(columns[k], {equation_counts[k]});
    return columns;
  });
  made[0]->def->attrs.str = batch::kBasisLoop;
  return made;
}

// A' of A = -F_z: rows are unknowns, taken from zero rather than negated, for zeros to keep their sign.
Value* ReducedRoot::matrix() {
  size_t from = b_.region().ops.size();
  Values rows;
  for (size_t k = 0; k < count(); ++k) {
    Values images = imagesOf(k);
    rows.push_back(images.size() == 1 ? images[0] : b_.concat(images, 1));
  }
  Value* joined_rows = rows.size() == 1 ? rows[0] : b_.concat(rows, 0);
  clearFlagsFrom(b_.region(), from);
  return b_.sub(b_.real(0.0), joined_rows);
}

Value* ReducedRoot::moved() {
  std::vector<std::optional<Part>> given(point_.moving + count()), wanted(count());
  for (size_t k = 0; k < point_.moving; ++k) given[k] = Part{};
  Values seeds(point_.tangents.begin(), point_.tangents.begin() + static_cast<ptrdiff_t>(point_.moving));
  seeds.resize(given.size(), nullptr);
  for (size_t k = 0; k < count(); ++k)
    if (blocks_[k].has_resting) wanted[k] = Part{&blocks_[k].resting, 0};
  resting_dots_ = RestrictedMap(b_, *map_, given, wanted).apply(b_, seeds);
  for (size_t k = 0; k < count(); ++k) {
    if (!blocks_[k].has_resting) continue;
    given[point_.moving + k] = wanted[k];
    seeds[point_.moving + k] = resting_dots_[k];
  }
  Values parts = RestrictedMap(b_, *map_, given, activeRows()).apply(b_, seeds);
  for (size_t k = 0; k < count(); ++k) parts[k] = flatActive(parts[k], k);
  return joined(b_, parts);
}

Values ReducedRoot::tangents(Value* active_dot) {
  Values made;
  Value* at = b_.integer(0);
  for (size_t k = 0; k < count(); ++k) {
    Value* size = activeCount(k);
    Value* part = count() == 1 ? active_dot : b_.slice(active_dot, {at}, {size});
    at = b_.op(OpCode::IAdd, {at, size});
    if (blocks_[k].reduced) part = spreadOut(b_, part, activePart(k), type(k));
    else if (type(k).isScalar()) part = b_.index(part, {b_.integer(0)});
    else if (type(k).rank() > 1) part = b_.reshape(part, activeSizes(k));
    if (blocks_[k].has_resting)
      part = b_.op(OpCode::ScatterAdd, {part, blocks_[k].resting.positions, resting_dots_[k]});
    made.push_back(part);
  }
  return made;
}

// The size of a Newton correction by that of the solution. `poisons`: 0 where the system is singular,
// which a NaN says elsewhere.
Value* ReducedRoot::relativeCorrection(Value* matrix, bool poisons) {
  Values active, sizes;
  auto largest = [&](ir::Builder& in, Value* v) {
    Value* size = absolute(in, v);
    return size->type.isScalar() ? size : in.reduce("max", size, {0});
  };
  auto larger = [&](Value* u, Value* v) { return b_.select(b_.op(OpCode::FLt, {u, v}), v, u); };
  Value *residual = b_.real(0.0), *solution = b_.real(1e-300);
  for (size_t k = 0; k < count(); ++k) {
    Value* r = residuals_[k];
    active.push_back(flatActive(blocks_[k].reduced ? gathered(b_, r, activePart(k)) : r, k));
    auto whole = [&](Value* v) { return type(k).rank() < 2 ? v : b_.reshape(v, {product(b_, b_.dims(v))}); };
    residual = larger(residual, largest(b_, whole(r)));
    solution = larger(solution, largest(b_, whole(point_.solutions()[k])));
  }
  Value* right = joined(b_, active);
  auto size = [&](ir::Builder& in) {
    Value* step = in.linearSolve(matrix, right, ir::Structure::General, true);
    if (!poisons) step->def->attrs.str = singularText(point_.op);
    return largest(in, step);
  };
  Value* step = poisons ? b_.tryElse([&](ir::Builder& in, auto) { return Values{size(in)}; },
                                     [&](ir::Builder& in, auto) { return Values{in.real(0.0)}; })[0]
                        : size(b_);
  return b_.div(larger(residual, step), solution);
}

}  // namespace

bool Forward::reducedRoot(ir::Builder& b, const ir::Op& op, const ir::Op& copy, NearTies ties) {
  if (!mayReduce(op)) return false;
  std::optional<RootPoint> point = rootPoint(op, copy);
  if (!point || !point->isImplicit()) return false;
  size_t from = b.region().ops.size();
  bool noted = ties == NearTies::Noted;
  double tie_bound = std::max(request_.ties.tolerance, noted ? 0 : request_.ties.undecided);
  ReducedRoot reduced(b, module_, *point, request_, tie_bound);
  b.setSpan(op.span);
  if (!reduced.findBlocks()) {
    b.region().ops.resize(from);
    return false;
  }
  Request own{point->active, request_.ties};
  if (noted) {
    own.ties.report = false;
    if (!hasOtherKinks(*op.regions[1])) {
      own.ties.variant = TieOptions::Variant::Probe;
      own.ties.undecided = 0;
    }
  }
  reduced.linearise(own);
  b.setSpan(op.span);
  Value* matrix = reduced.matrix();
  bool poisons = op.attrs.ints.size() > 4 && op.attrs.ints[4] == 1;
  Value* near = nullptr;
  if (noted) {
    // Before the status of a singular matrix, which a tie may cause.
    matrix = b.op(OpCode::NoteTie, {reduced.nearTie(b.real(kTieTerms)), matrix});
    Value* correction = reduced.relativeCorrection(matrix, poisons);
    near = reduced.nearTie(b.add(b.real(kTieTerms), b.mul(b.real(kTieCorrection), correction)));
  }
  Value* z_dot = solveSystem(b, module_, op, point->multiple, matrix, reduced.moved());
  if (noted) z_dot = b.op(OpCode::NoteTie, {near, z_dot});
  Values dots = reduced.tangents(z_dot);
  for (size_t k = 0; k < dots.size(); ++k) setDot(op.results[k], dots[k]);
  return true;
}

}  // namespace dini::ad
