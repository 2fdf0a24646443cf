#include "ad/tied_equations.h"

#include <cmath>
#include <limits>

#include "ad/equation_copy.h"
#include "ad/ties.h"
#include "analysis/kinks.h"
#include "base/check.h"
#include "ir/walk.h"

namespace dini::ad {

using ir::OpCode;
using ir::Value;
using Values = std::vector<Value*>;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();  // a weight that is decided

bool isKink(const ir::Op& op) {
  return op.code == OpCode::Choose || op.code == OpCode::ChooseTie || analysis::isComparisonIf(op);
}
// Whether it has a weight of its own as an operand.
bool isDecided(const ir::Op& op) {
  return op.code == OpCode::ChooseTie || (isIf(op) && op.operands.size() > 3);
}
// Whether the kinks inside the operation are counted.
bool isFollowed(const ir::Op& op) {
  return (op.code == OpCode::Loop && ir::constantInt(op.operand(0))) || op.code == OpCode::If;
}

int orientationOf(const TieOptions& ties, const ir::Op& op) {
  return ties.unify && op.attrs.ints.size() >= 2 && op.attrs.ints[1] < 0 ? -1 : 1;
}

double firstCoefficient(const analysis::AffineForm& form) {
  return form.terms.empty() ? 1 : form.terms.begin()->second;
}

bool isFramework(const TieOptions& ties) {
  return ties.policy == TieOptions::Policy::Torch || ties.policy == TieOptions::Policy::Jax;
}

}  // namespace

int64_t TieGroup::count() const {
  int64_t product = 1;
  for (int64_t dim : dims) product *= dim;
  return product;
}

TiedEquations::TiedEquations(const ir::Op& root, Values captured, const TieOptions& ties,
                             Kinks kinks)
    : root_(root), captured_(std::move(captured)), ties_(ties), kinks_(kinks) {
  std::vector<int64_t> trips;
  scan(*root.regions[1], trips);
}

void TiedEquations::scan(const ir::Region& region, std::vector<int64_t>& trips) {
  for (const auto& op : region.ops) {
    if (isKink(*op)) enter(*op, trips);
    if (!isFollowed(*op)) continue;
    bool loop = op->code == OpCode::Loop;
    if (loop) trips.push_back(*ir::constantInt(op->operand(0)));
    for (const auto& nested : op->regions) scan(*nested, trips);
    if (loop) trips.pop_back();
  }
}

// A group of the same class whose first member stands in a region around this kink.
TieGroup* TiedEquations::groupOf(const ir::Op& op) {
  if (!ties_.unify || isFramework(tiesFor(ties_, op)) || op.attrs.ints.size() < 2) return nullptr;
  for (TieGroup& group : groups_)
    if (group.first().attrs.ints.size() >= 2 && group.first().attrs.ints[0] == op.attrs.ints[0] &&
        ir::isInside(op.parent, group.first().parent))
      return &group;
  return nullptr;
}

void TiedEquations::enter(const ir::Op& op, const std::vector<int64_t>& trips) {
  if (kinks_ == Kinks::Open && isDecided(op)) return;
  if (isIf(op) && !isDecided(op) && !isLocked(ties_, op) && !blendsComparisons(ties_, op)) return;
  if (!switchLeft(op)->type.isStatic() || !switchRight(op)->type.isStatic()) return;
  TieGroup* group = groupOf(op);
  if (group == nullptr) {
    group = &groups_.emplace_back();
    group->orientation = orientationOf(ties_, op);
    group->dims = trips;
    const ir::Type &p = switchLeft(op)->type, &q = switchRight(op)->type;
    const auto& shape = p.isScalar() ? q.dims : p.dims;
    group->dims.insert(group->dims.end(), shape.begin(), shape.end());
    double own = tieWeight(ties_, op);
    group->weight = isLocked(ties_, op) ? kNaN : group->orientation > 0 ? own : 1 - own;
  }
  TieMember member = memberOf(op, *group);
  for (double factor : member.factors) group->has_gap = group->has_gap && !std::isnan(factor);
  group->members.push_back(std::move(member));
}

// Its switch is scale times the class's, in the class's orientation.
TieMember TiedEquations::memberOf(const ir::Op& op, const TieGroup& group) {
  TieMember member{&op, static_cast<double>(group.orientation), analysis::gapsOf(numbers_, op)};
  if (!group.members.empty()) {
    double ratio = firstCoefficient(analysis::switchForm(numbers_, op)) /
                   firstCoefficient(analysis::switchForm(numbers_, group.first()));
    member.scale = ratio * group.orientation;
  }
  for (double& factor : member.factors) factor *= std::fabs(member.scale);
  return member;
}

// --- copies of the equations

namespace {

// The side of the equation `unknown == expr` that is not the unknown.
Value* mapSide(const ir::Op& op, size_t pair) {
  const ir::Region& equations = *op.regions[1];
  const Values& yields = equations.yields();
  Value* unknown = equations.args[pair];
  if (yields[2 * pair] == unknown) return yields[2 * pair + 1];
  if (yields[2 * pair + 1] == unknown) return yields[2 * pair];
  throw Unsupported("this way of differentiating needs equations `unknown == expression`", op.span);
}

// F, or T where the equations are z == T(z).
Value* sidesJoined(ir::Builder& b, const ir::Op& root, const Values& sides, const ir::ValueMap& map,
                   EquationForm form) {
  Values parts;
  for (size_t k = 0; k < sides.size() / 2; ++k) {
    Value* part = form == EquationForm::Residual ? b.sub(sides[2 * k], sides[2 * k + 1])
                                                 : ir::mapped(map, mapSide(root, k));
    parts.push_back(flat(b, part));
  }
  return joined(b, parts);
}

// Constants stay constants: trip counts and sizes among them are parts of types.
std::unique_ptr<ir::Function> withParameters(const ir::Op& root, const Values& captured,
                                             ir::ValueMap& map) {
  auto made = std::make_unique<ir::Function>("equations");
  made->span = root.span;
  ir::Builder b(*made, made->body);
  for (Value* value : captured) {
    map[value] = made->addParameter(value->type, value->name);
    if (value->def != nullptr && value->def->code == OpCode::Const) ir::cloneOp(b, *value->def, map);
  }
  for (Value* unknown : root.regions[1]->args)
    map[unknown] = made->addParameter(unknown->type, unknown->name);
  return made;
}

}  // namespace

std::unique_ptr<ir::Function> TiedEquations::plain(EquationForm form) const {
  ir::ValueMap map;
  auto made = withParameters(root_, captured_, map);
  ir::Builder b(*made, made->body);
  b.setSpan(root_.span);
  EquationCopy copy(groups_, map, EquationCopy::Want::Switches, {});
  Values sides = copy.copy(b, *root_.regions[1]);
  Values results{sidesJoined(b, root_, sides, map, form)};
  for (const auto& found : copy.found()) results.push_back(flat(b, found.s));
  b.yield(std::move(results));
  return made;
}

std::unique_ptr<ir::Function> TiedEquations::description() const {
  ir::ValueMap map;
  auto made = withParameters(root_, captured_, map);
  ir::Builder b(*made, made->body);
  b.setSpan(root_.span);
  EquationCopy copy(groups_, map, EquationCopy::Want::Description, {});
  copy.copy(b, *root_.regions[1]);
  Values results;
  for (const auto& found : copy.found()) {
    results.push_back(flat(b, found.magnitude));
    results.push_back(flat(b, found.weight));
  }
  b.yield(std::move(results));
  return made;
}

std::unique_ptr<ir::Function> TiedEquations::lifted(EquationForm form) const {
  ir::ValueMap map;
  auto made = withParameters(root_, captured_, map);
  std::vector<Decision> decisions;
  for (const TieGroup& group : groups_) {
    Value* tied = made->addParameter(ir::i1(group.dims));
    Value* weight = made->addParameter(ir::f64(group.dims));
    decisions.push_back({tied, weight, made->addParameter(ir::f64(group.dims))});
  }
  ir::Builder b(*made, made->body);
  b.setSpan(root_.span);
  EquationCopy copy(groups_, map, EquationCopy::Want::Switches, decisions);
  Values sides = copy.copy(b, *root_.regions[1]);
  Values results{sidesJoined(b, root_, sides, map, form)};
  for (const auto& found : copy.found()) results.push_back(flat(b, found.s));
  b.yield(std::move(results));
  return made;
}

Values TiedEquations::decided(ir::Builder& b, const ir::ValueMap& around,
                              std::span<Value* const> unknowns,
                              std::span<const Decision> decisions) const {
  ir::ValueMap map = around;
  const ir::Region& equations = *root_.regions[1];
  for (size_t k = 0; k < unknowns.size(); ++k) map[equations.args[k]] = unknowns[k];
  EquationCopy copy(groups_, map, EquationCopy::Want::Nothing, decisions);
  return copy.copy(b, equations);
}

// --- flat vectors

Value* flat(ir::Builder& b, Value* v) {
  return v->type.rank() == 1 ? v : b.reshape(v, {b.integer(v->type.elementCount())});
}

Value* joined(ir::Builder& b, std::span<Value* const> parts) {
  return parts.size() == 1 ? parts[0] : b.concat(Values(parts.begin(), parts.end()), 0);
}

Values unflattened(ir::Builder& b, Value* vector, std::span<const ir::Type> types) {
  Values parts;
  int64_t at = 0;
  for (const ir::Type& type : types) {
    int64_t count = type.elementCount();
    if (type.isScalar()) {
      parts.push_back(b.index(vector, {b.integer(at)}));
    } else {
      Value* part = vector;
      if (count != vector->type.dims[0])
        part = b.slice(vector, {b.integer(at)}, {b.integer(count)});
      Values sizes;
      for (int64_t dim : type.dims) sizes.push_back(b.integer(dim));
      parts.push_back(type.rank() == 1 ? part : b.reshape(part, sizes));
    }
    at += count;
  }
  return parts;
}

}  // namespace dini::ad
