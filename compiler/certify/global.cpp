#include "certify/global.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "certify/interval_algebra.h"
#include "ops/table.h"

namespace dini::certify {
namespace {

using ir::OpCode;

constexpr double kInfinite = std::numeric_limits<double>::infinity();
constexpr uint64_t kNodes = 1u << 18;      // of the recursion: a static rule is to be cheap
constexpr size_t kIntervalColumns = 64;    // of the rule by intervals

bool isSum(OpCode code) { return code == OpCode::Add || code == OpCode::Sub || code == OpCode::Neg; }
bool isPrimitive(const Node& node) { return node.leaf == Leaf::None; }

// What of a graph depends on unknowns, and which parameters must stay as they are.
struct Dependence {
  std::vector<char> on_unknowns;  // of nodes
  std::vector<char> held;         // of parameters
};

class Marker {
 public:
  explicit Marker(const System& system) : graph_(system.graph) {
    marks_.on_unknowns.assign(graph_.size(), 0);
    marks_.held.assign(graph_.parameters().size(), 0);
    for (size_t at = 0; at < graph_.size(); ++at) mark(static_cast<NodeId>(at));
    for (const Guard& guard : system.guards)
      for (NodeId side : {guard.p, guard.q}) hold(side);
  }
  const Dependence& marks() const { return marks_; }
  bool guarded(const System& system) const {
    return std::any_of(system.guards.begin(), system.guards.end(),
                       [&](const Guard& g) { return depends(g.p) || depends(g.q); });
  }

 private:
  bool depends(NodeId id) const { return marks_.on_unknowns[static_cast<size_t>(id)] != 0; }

  void mark(NodeId id) {
    const Node& node = graph_.node(id);
    bool any = node.leaf == Leaf::Unknown;
    for (NodeId operand : node.operands) any = any || (operand >= 0 && depends(operand));
    marks_.on_unknowns[static_cast<size_t>(id)] = any;
    bool affine = isSum(node.code) || node.code == OpCode::Choose;
    if (!any || !isPrimitive(node) || affine) return;
    for (NodeId operand : node.operands)
      if (operand >= 0 && !depends(operand)) hold(operand);
  }

  void hold(NodeId id) {
    const Node& node = graph_.node(id);
    if (node.leaf == Leaf::Parameter) marks_.held[node.index] = 1;
    if (!seen_.insert(id).second) return;
    for (NodeId operand : node.operands)
      if (operand >= 0) hold(operand);
  }

  const Graph& graph_;
  Dependence marks_;
  std::set<NodeId> seen_;
};

// The system with lo u + (hi - lo) choose(u > p; u - p, 0) for each function of one unknown-dependent
// operand u whose slope is in [lo, hi]: the same slopes, one weight each. p is a parameter of its own, so
// that the choose is in no other's class. Empty where an operation is not of this kind.
class SlopeForm {
 public:
  SlopeForm(const System& system, const Dependence& marks) : from_(system), marks_(marks) {}

  std::optional<System> make() {
    for (NodeId id : from_.graph.unknowns()) now_[id] = to_.graph.unknown(from_.graph.node(id).value);
    for (NodeId id : from_.graph.parameters()) now_[id] = to_.graph.parameter(from_.graph.node(id).value);
    for (NodeId equation : from_.equations) {
      if (!reach(equation)) return std::nullopt;
      to_.equations.push_back(now_.at(equation));
    }
    to_.own_unknowns = from_.own_unknowns;
    return std::move(to_);
  }

 private:
  // Operands first, without recursion: graphs are deep.
  bool reach(NodeId root) {
    std::vector<NodeId> open{root};
    while (!open.empty()) {
      NodeId id = open.back();
      size_t before = open.size();
      for (NodeId operand : from_.graph.node(id).operands)
        if (operand >= 0 && !now_.contains(operand)) open.push_back(operand);
      if (open.size() > before) continue;
      open.pop_back();
      if (!now_.contains(id) && !copy(id)) return false;
    }
    return true;
  }

  bool depends(NodeId id) const { return id >= 0 && marks_.on_unknowns[static_cast<size_t>(id)] != 0; }

  bool copy(NodeId id) {
    const Node& node = from_.graph.node(id);
    if (node.leaf == Leaf::Constant) {
      now_[id] = to_.graph.constant(node.value);
      return true;
    }
    auto at = node.operands;
    for (NodeId& operand : at)
      if (operand >= 0) operand = now_.at(operand);
    bool linear = isSum(node.code) || node.code == OpCode::Choose ||
                  (node.code == OpCode::Mul && depends(node.operands[0]) != depends(node.operands[1])) ||
                  (node.code == OpCode::Div && !depends(node.operands[1]));
    if (!depends(id) || linear) {
      now_[id] = again(node, at);
      return true;
    }
    std::optional<Interval> slopes = at[1] < 0 ? slopeOverReals(node.code) : std::nullopt;
    if (!slopes) return false;
    now_[id] = secant(at[0], *slopes, node.span);
    return true;
  }

  NodeId again(const Node& node, const std::array<NodeId, 4>& at) {
    if (at[1] < 0) return to_.graph.op(node.code, {at[0]}, node.span, node.parameters);
    if (at[2] < 0) return to_.graph.op(node.code, {at[0], at[1]}, node.span, node.parameters);
    return to_.graph.op(node.code, {at[0], at[1], at[2], at[3]}, node.span, node.parameters);
  }

  NodeId secant(NodeId u, Interval slopes, Span span) {
    Graph& g = to_.graph;
    NodeId p = g.parameter(0);
    NodeId s = g.op(OpCode::Sub, {u, p}, span);
    NodeId w = g.op(OpCode::Choose, {u, p, s, g.constant(0)}, span, {0, 1});
    NodeId rise = g.op(OpCode::Mul, {g.constant(roundUp(slopes.hi - slopes.lo)), w}, span);
    if (slopes.lo == 0) return rise;
    return g.op(OpCode::Add, {g.op(OpCode::Mul, {g.constant(slopes.lo), u}, span), rise}, span);
  }

  const System& from_;
  const Dependence& marks_;
  System to_;
  std::map<NodeId, NodeId> now_;
};

Box everything(const Graph& graph, const std::vector<char>& held) {
  Box box = boxAround(graph, kInfinite, kInfinite);
  for (size_t k = 0; k < held.size(); ++k)
    if (held[k]) box.parameters[k] = graph.node(graph.parameters()[k]).value;
  return box;
}

// The entries of A do not depend on the box: it is evaluated at the solution, and over everything for B.
Regular bySlopes(System system, std::vector<char> held, Unification unification, uint64_t node_limit) {
  Regular none;
  Switches switches(system, unification);
  held.resize(system.graph.parameters().size(), 1);  // those of SlopeForm are no inputs
  Lifted lifted(system, switches, held);
  std::vector<int> tied(switches.classes().size(), 0);
  LiftedJacobian j, everywhere;
  if (!lifted.evaluate(boxAround(system.graph, 0, 0), Ends::Any).empty()) return none;
  if (!lifted.jacobian(j, &tied).empty() || j.n + j.k() > kDominanceLimit) return none;
  bool bounded = lifted.evaluate(everything(system.graph, held), Ends::Any).empty() &&
                 lifted.jacobian(everywhere, &tied).empty();
  if (bounded) j.parameters = everywhere.parameters;
  Regular result = byDominance(j, Matrix());
  if (!result.holds && j.n + j.k() <= kSizeLimit) {
    result = byNorm(j, Matrix());
    if (!result.holds && j.k() > 0) {
      Vertex zeros(j.k(), 0), ones(j.k(), 1);
      result = byMinors(j, Matrix(), {zeros, ones}, std::min(node_limit, kNodes));
    } else if (result.holds) {
      result.how = j.k() == 0 ? "the equations are affine with a regular matrix" : "||I - R A|| < 1";
    }
  }
  if (result.holds && bounded) tightenLipschitz(j, result);
  if (!bounded) result.bounded = false;
  return result;
}

// Values and slopes over all reals by forward interval arithmetic; kinks by the hull of their sides.
class SlopesByIntervals {
 public:
  SlopesByIntervals(const System& system, const std::vector<char>& held) : system_(system), held_(held) {
    for (size_t k = 0; k < held.size(); ++k)
      if (!held[k]) column_of_[static_cast<uint32_t>(k)] = system.graph.unknowns().size() + column_of_.size();
    columns_ = system.graph.unknowns().size() + column_of_.size();
  }

  Regular decide() {
    Regular result;
    const Graph& graph = system_.graph;
    size_t n = graph.unknowns().size();
    if (columns_ > kIntervalColumns) return result;
    Box box = everything(graph, held_);
    for (size_t at = 0; at < graph.size(); ++at)
      if (!visit(graph.node(static_cast<NodeId>(at)), box)) return result;
    Matrix a(n, n), b(n, columns_ - n);
    for (size_t i = 0; i < n; ++i)
      for (size_t c = 0; c < columns_; ++c)
        (c < n ? a.at(i, c) : b.at(i, c - n)) = slope(system_.equations[i], c);
    std::optional<Dominance> found = dominance(a);
    if (!found) return result;
    result.holds = true;
    result.how = n == 1 ? "the equation is strictly monotone in the unknown"
                        : "diagonal dominance of the slopes over all reals";
    result.bounded = b.finite();
    std::vector<double> sums(n, 0);
    for (size_t i = 0; i < n; ++i)
      for (size_t c = 0; c + n < columns_; ++c) sums[i] = roundUp(sums[i] + b.at(i, c).magnitude());
    if (result.bounded) result.lipschitz = found->bound(sums);
    return result;
  }

 private:
  Interval slope(NodeId id, size_t c) const { return slopes_[static_cast<size_t>(id) * columns_ + c]; }
  Interval value(NodeId id) const { return values_[static_cast<size_t>(id)]; }

  // Whether the operation has a continuous value for all operands in x.
  static bool defined(const Node& node, std::span<const Interval> x) {
    switch (node.code) {
      case OpCode::Div: return !x[1].contains(0);
      case OpCode::Pow: return x[0].positive();
      case OpCode::Atan2: return x[1].positive();
      case OpCode::PowI: return node.parameters.i >= 0 || !x[0].contains(0);
      case OpCode::Floor:
      case OpCode::Ceil:
      case OpCode::Round:
      case OpCode::Sign: return false;
      default: break;
    }
    const ops::Interval domain = ops::facts(node.code).domain.value.operands[0];
    return x.size() > 1 || (domain.lo <= x[0].lo && x[0].hi <= domain.hi);
  }

  // False: nothing can be said.
  bool visit(const Node& node, const Box& box) {
    values_.emplace_back();
    slopes_.resize(slopes_.size() + columns_);
    Interval* own = slopes_.data() + slopes_.size() - columns_;
    if (node.leaf == Leaf::Constant) values_.back() = node.value;
    if (node.leaf == Leaf::Unknown) {
      values_.back() = box.unknowns[node.index];
      own[node.index] = 1.0;
    }
    if (node.leaf == Leaf::Parameter) {
      values_.back() = box.parameters[node.index];
      if (auto column = column_of_.find(node.index); column != column_of_.end()) own[column->second] = 1.0;
    }
    if (node.leaf != Leaf::None) return true;
    if (node.code == OpCode::Choose) return visitChoose(node, own);
    Interval x[4];
    size_t arity = static_cast<size_t>(ops::arity(node.code));
    for (size_t k = 0; k < arity; ++k) x[k] = value(node.operands[k]);
    values_.back() = intervalValue(node.code, {x, arity}, node.parameters);
    for (size_t k = 0; k < arity; ++k) {
      std::vector<size_t> columns;
      for (size_t c = 0; c < columns_; ++c)
        if (Interval s = slope(node.operands[k], c); s.lo != 0 || s.hi != 0) columns.push_back(c);
      if (columns.empty()) continue;
      if (!defined(node, {x, arity})) return false;
      Interval partial = intervalPartial(node.code, k, {x, arity}, values_.back(), node.parameters);
      bool nothing = !(partial.lo > -kInfinite) && !(partial.hi < kInfinite);
      if (nothing) return false;
      for (size_t c : columns) own[c] = own[c] + partial * slope(node.operands[k], c);
    }
    return true;
  }

  bool visitChoose(const Node& node, Interval* own) {
    if (std::isnan(node.parameters.f)) return false;
    Interval s = value(node.operands[0]) - value(node.operands[1]);
    NodeId a = node.operands[s.hi < 0 ? 3 : 2], b = node.operands[s.lo > 0 ? 2 : 3];
    values_.back() = hull(value(a), value(b));
    for (size_t c = 0; c < columns_; ++c) own[c] = hull(slope(a, c), slope(b, c));
    return true;
  }

  const System& system_;
  const std::vector<char>& held_;
  size_t columns_ = 0;
  std::map<uint32_t, size_t> column_of_;
  std::vector<Interval> values_, slopes_;
};

}  // namespace

GlobalRule globalRule(const System& system, Unification unification, uint64_t node_limit) {
  GlobalRule rule;
  Marker marker(system);
  if (marker.guarded(system)) return rule;
  const std::vector<char>& held = marker.marks().held;
  rule.held = static_cast<size_t>(std::count(held.begin(), held.end(), 1));
  rule.free = held.size() - rule.held;
  Regular found;
  if (std::optional<System> slopes = SlopeForm(system, marker.marks()).make())
    found = bySlopes(std::move(*slopes), held, unification, node_limit);
  if (!found.holds) found = SlopesByIntervals(system, held).decide();
  rule.holds = found.holds;
  rule.how = "slopes over all reals: " + found.how;
  if (found.bounded && std::isfinite(found.lipschitz)) rule.lipschitz = found.lipschitz;
  return rule;
}

}  // namespace dini::certify
