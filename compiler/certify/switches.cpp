#include "certify/switches.h"

#include <algorithm>
#include <cmath>

namespace dini::certify {

using ir::OpCode;

namespace {

// Sums, products and quotients that do not round; nullopt where they would.
std::optional<double> exactSum(double a, double b) {
  double s = a + b, t = s - a;
  double error = (a - (s - t)) + (b - t);
  return error == 0 && std::isfinite(s) ? std::optional(s) : std::nullopt;
}
std::optional<double> exactProduct(double a, double b) {
  double p = a * b;
  bool exact = std::fma(a, b, -p) == 0 && std::isfinite(p) && (p == 0 || std::abs(p) > 1e-280);
  return exact && (p != 0 || a == 0 || b == 0) ? std::optional(p) : std::nullopt;
}
std::optional<double> exactQuotient(double a, double b) {
  double q = a / b;
  bool exact = std::isfinite(q) && std::fma(q, b, -a) == 0 && (a == 0 || std::abs(q) > 1e-280);
  return exact ? std::optional(q) : std::nullopt;
}

class Former {
 public:
  explicit Former(const Graph& graph) : graph_(graph) {}

  // form += c * node. False where a coefficient cannot be exact.
  bool add(AffineForm& form, NodeId id, double c) const {
    const Node& node = graph_.node(id);
    auto isConstant = [&](NodeId at) { return graph_.node(at).leaf == Leaf::Constant; };
    if (node.leaf == Leaf::Constant) {
      std::optional<double> term = exactProduct(c, node.value);
      std::optional<double> sum = term ? exactSum(form.constant, *term) : std::nullopt;
      if (!sum) return atom(form, id, c);
      form.constant = *sum;
      return true;
    }
    if (node.leaf != Leaf::None) return atom(form, id, c);
    NodeId a = node.operands[0], b = node.operands[1];
    switch (node.code) {
      case OpCode::Add: return add(form, a, c) && add(form, b, c);
      case OpCode::Sub: return add(form, a, c) && add(form, b, -c);
      case OpCode::Neg: return add(form, a, -c);
      case OpCode::Mul: {
        if (isConstant(b)) std::swap(a, b);
        if (!isConstant(a)) break;
        if (auto scaled = exactProduct(c, graph_.node(a).value)) return add(form, b, *scaled);
        break;
      }
      case OpCode::Div:
        if (!isConstant(b)) break;
        if (auto scaled = exactQuotient(c, graph_.node(b).value)) return add(form, a, *scaled);
        break;
      default: break;
    }
    return atom(form, id, c);
  }

 private:
  bool atom(AffineForm& form, NodeId id, double c) const {
    if (c == 0) return true;
    double& coefficient = form.terms[id];
    std::optional<double> sum = exactSum(coefficient, c);
    if (!sum) return false;
    coefficient = *sum;
    if (coefficient == 0) form.terms.erase(id);
    return true;
  }
  const Graph& graph_;
};

std::optional<AffineForm> difference(const Graph& graph, NodeId a, NodeId b) {
  AffineForm form;
  Former former(graph);
  if (former.add(form, a, 1) && former.add(form, b, -1)) return form;
  return std::nullopt;
}

// a = ratio * b, decided by exact cross products; the ratio as (numerator, denominator).
std::optional<std::pair<double, double>> ratio(const AffineForm& a, const AffineForm& b) {
  if (a.terms.empty() || a.terms.size() != b.terms.size()) return std::nullopt;
  double numerator = a.terms.begin()->second, denominator = b.terms.begin()->second;
  auto proportional = [&](double x, double y) {
    auto left = exactProduct(x, denominator), right = exactProduct(y, numerator);
    return left && right && *left == *right;
  };
  auto other = b.terms.begin();
  for (const auto& [id, coefficient] : a.terms) {
    if (other->first != id || !proportional(coefficient, other->second)) return std::nullopt;
    ++other;
  }
  if (!proportional(a.constant, b.constant)) return std::nullopt;
  return std::pair(numerator, denominator);
}

double magnitudeOf(const Graph& graph, const AffineForm& form) {
  double sum = std::abs(form.constant);
  for (const auto& [id, coefficient] : form.terms) sum += std::abs(coefficient * graph.node(id).value);
  return sum;
}

bool isChoose(const Node& node) { return node.leaf == Leaf::None && node.code == OpCode::Choose; }

}  // namespace

std::vector<char> Switches::reachable(const std::vector<NodeId>& roots) const {
  std::vector<char> marks(graph_.size(), 0);
  for (NodeId id : roots) marks[static_cast<size_t>(id)] = 1;
  for (size_t at = marks.size(); at-- > 0;)
    if (marks[at])
      for (NodeId operand : graph_.node(static_cast<NodeId>(at)).operands)
        if (operand >= 0) marks[static_cast<size_t>(operand)] = 1;
  return marks;
}

void Switches::enter(NodeId id) {
  kink_of_.resize(graph_.size(), -1);
  if (kink_of_[static_cast<size_t>(id)] >= 0) return;
  const Node& node = graph_.node(id);
  Kink kink;
  kink.node = id;
  std::optional<AffineForm> form = difference(graph_, node.operands[0], node.operands[1]);
  if (!form) {  // a form of its own: the two sides as they stand
    form = AffineForm{};
    form->terms = {{node.operands[0], 1.0}, {node.operands[1], -1.0}};
  }
  for (size_t c = 0; c < classes_.size() && unification_ == Unification::On; ++c) {
    auto scale = ratio(*form, classes_[c].form);
    if (!scale) continue;
    kink.class_id = static_cast<int>(c);
    kink.orientation = (scale->first > 0) == (scale->second > 0) ? 1 : -1;
    kink.scale = Interval(std::abs(scale->first)) / Interval(std::abs(scale->second));
    if (std::abs(scale->first) == std::abs(scale->second)) kink.scale = 1.0;
    break;
  }
  if (kink.class_id < 0) {
    kink.class_id = static_cast<int>(classes_.size());
    classes_.push_back({*form, id, {}, magnitudeOf(graph_, *form)});
  }
  classes_[static_cast<size_t>(kink.class_id)].members.push_back(kinks_.size());
  kink_of_[static_cast<size_t>(id)] = static_cast<int>(kinks_.size());
  kinks_.push_back(kink);
}

// The node as it is where the class's switch has the sign `side`.
NodeId Switches::resolved(NodeId id, int class_id, int side, std::map<NodeId, NodeId>& done) {
  if (auto found = done.find(id); found != done.end()) return found->second;
  Node node = graph_.node(id);
  NodeId result = id;
  int kink = isChoose(node) ? kinkOf(id) : -1;
  if (kink >= 0 && kinks_[static_cast<size_t>(kink)].class_id == class_id) {
    bool first = kinks_[static_cast<size_t>(kink)].orientation * side > 0;
    result = resolved(node.operands[first ? 2 : 3], class_id, side, done);
  } else if (node.leaf == Leaf::None) {
    auto at = node.operands;
    for (NodeId& operand : at)
      if (operand >= 0) operand = resolved(operand, class_id, side, done);
    if (at != node.operands) {
      if (at[1] < 0) result = graph_.op(node.code, {at[0]}, node.span, node.parameters);
      else if (at[2] < 0) result = graph_.op(node.code, {at[0], at[1]}, node.span, node.parameters);
      else result = graph_.op(node.code, {at[0], at[1], at[2], at[3]}, node.span, node.parameters);
      if (isChoose(graph_.node(result))) enter(result);
    }
  }
  return done[id] = result;
}

// choose(p, q, a, b) of an `if`: b + c relu(p - q) if a - b = c (p - q) where a is taken on its own
// side and b on the other. Without such a c the node as it is.
NodeId Switches::withGap(NodeId id) {
  Node node = graph_.node(id);
  const Kink kink = kinks_[static_cast<size_t>(kinkOf(id))];
  std::map<NodeId, NodeId> above, below;
  NodeId a = resolved(node.operands[2], kink.class_id, kink.orientation, above);
  NodeId b = resolved(node.operands[3], kink.class_id, -kink.orientation, below);
  auto gap = difference(graph_, a, b);
  auto form = difference(graph_, node.operands[0], node.operands[1]);
  if (!gap || !form) return id;
  if (gap->terms.empty() && gap->constant == 0) return b;
  auto scale = ratio(*gap, *form);
  auto c = scale ? exactQuotient(scale->first, scale->second) : std::nullopt;
  if (!c) return id;
  NodeId s = graph_.op(OpCode::Sub, {node.operands[0], node.operands[1]}, node.span);
  NodeId relu = graph_.op(OpCode::Choose, {node.operands[0], node.operands[1], s, graph_.constant(0)},
                          node.span, {0, 1});
  enter(relu);
  NodeId jump = graph_.op(OpCode::Mul, {graph_.constant(*c), relu}, node.span);
  return graph_.op(OpCode::Add, {b, jump}, node.span);
}

// Replaces the ifs that have a gap, inner ones first.
void Switches::rewrite(std::vector<NodeId>& roots) {
  std::map<NodeId, NodeId> now;
  std::vector<char> used = reachable(roots);
  for (size_t at = 0; at < used.size(); ++at) {
    if (!used[at]) continue;
    auto id = static_cast<NodeId>(at);
    Node node = graph_.node(id);
    NodeId result = id;
    if (node.leaf == Leaf::None) {
      auto x = node.operands;
      for (NodeId& operand : x)
        if (operand >= 0) operand = now.at(operand);
      if (x != node.operands) {
        if (x[1] < 0) result = graph_.op(node.code, {x[0]}, node.span, node.parameters);
        else if (x[2] < 0) result = graph_.op(node.code, {x[0], x[1]}, node.span, node.parameters);
        else result = graph_.op(node.code, {x[0], x[1], x[2], x[3]}, node.span, node.parameters);
      }
      if (isChoose(node)) {
        enter(result);
        if (std::isnan(graph_.node(result).parameters.f)) result = withGap(result);
      }
    }
    now[id] = result;
  }
  for (NodeId& root : roots) root = now.at(root);
}

Switches::Switches(System& system, Unification unification)
    : graph_(system.graph), unification_(unification) {
  std::vector<NodeId> roots = system.roots();
  std::vector<char> used = reachable(roots);
  bool without_gap = false;
  for (size_t at = 0; at < used.size(); ++at) {
    const Node& node = graph_.node(static_cast<NodeId>(at));
    without_gap |= used[at] && isChoose(node) && std::isnan(node.parameters.f);
  }
  if (without_gap) {
    rewrite(roots);
    auto next = std::copy_n(roots.begin(), system.equations.size(), system.equations.begin());
    auto from = roots.begin() + (next - system.equations.begin());
    for (Block& block : system.blocks)
      for (NodeId& input : block.inputs) input = *from++;
  }
  kinks_.clear();
  classes_.clear();
  kink_of_.assign(graph_.size(), -1);
  used = reachable(roots);
  for (size_t at = 0; at < used.size(); ++at)
    if (used[at] && isChoose(graph_.node(static_cast<NodeId>(at)))) enter(static_cast<NodeId>(at));
}

}  // namespace dini::certify
