#include "certify/clarke.h"

#include <algorithm>
#include <cmath>

#include "certify/regularity.h"

namespace dini::certify {
namespace {

using ir::OpCode;

bool isPiecewiseLinear(const Graph& graph) {
  std::vector<char> constant(graph.size(), 0);
  for (size_t at = 0; at < graph.size(); ++at) {
    const Node& node = graph.node(static_cast<NodeId>(at));
    auto fixed = [&](size_t k) { return node.operands[k] < 0 || constant[static_cast<size_t>(node.operands[k])]; };
    constant[at] = node.leaf == Leaf::Constant || (node.leaf == Leaf::None && fixed(0) && fixed(1) && fixed(2) && fixed(3));
    if (node.leaf != Leaf::None || constant[at]) continue;
    switch (node.code) {
      case OpCode::Add:
      case OpCode::Sub:
      case OpCode::Neg:
      case OpCode::Choose: break;
      case OpCode::Mul:
        if (!fixed(0) && !fixed(1)) return false;
        break;
      case OpCode::Div:
        if (!fixed(1)) return false;
        break;
      default: return false;
    }
  }
  return true;
}

// One more unknown for each result, with the equation that sets it: they are the last ones.
CallTrace withResults(CallTrace call) {
  Graph& graph = call.system.graph;
  for (NodeId result : call.results) {
    NodeId unknown = graph.unknown(graph.node(result).value);
    call.system.equations.push_back(graph.op(OpCode::Sub, {unknown, result}, call.system.span));
  }
  return call;
}

class Vertices {
 public:
  Vertices(CallTrace call, const ClarkeOptions& options)
      : call_(withResults(std::move(call))), options_(options), switches_(call_.system, options.unification),
        lifted_(call_.system, switches_) {}

  VertexSet run() {
    const Graph& graph = call_.system.graph;
    out_.results = call_.results.size();
    out_.inputs = graph.parameters().size();
    out_.piecewise_linear = isPiecewiseLinear(graph);
    if (graph.unknowns().size() > kSizeLimit) return stop("more than 400 results and unknowns of solves");
    at_ = atSolution(call_.system, switches_, lifted_, options_.tie_tolerance, ExplicitTies::Exact);
    if (!at_.obstacle.empty()) return stop(at_.obstacle);
    out_.tied = at_.tied;
    size_t k = at_.tied.size();
    out_.total = std::ldexp(1.0, static_cast<int>(std::min<size_t>(k, 1000)));
    auto count = static_cast<uint64_t>(std::min(out_.total, static_cast<double>(options_.limit)));
    for (uint64_t number = 0; number < count; ++number) {
      std::vector<int> sides(k);
      for (size_t i = 0; i < k; ++i) sides[i] = i < 64 && (number >> i & 1u) != 0 ? -1 : 1;
      if (!add(std::move(sides))) return out_;
    }
    return out_;
  }

 private:
  VertexSet stop(std::string why) {
    out_.obstacle = std::move(why);
    return out_;
  }

  // With A X = -B at the pattern: the results' rows of X, and how the switches move, s_x + s_z X.
  bool add(std::vector<int> tied_sides) {
    VertexJacobian vertex;
    std::vector<int> sides = at_.sides;
    for (size_t i = 0; i < tied_sides.size(); ++i) sides[static_cast<size_t>(at_.tied[i].class_id)] = tied_sides[i];
    vertex.sides = std::move(tied_sides);
    LiftedJacobian j;
    if (std::string why = lifted_.jacobian(j, &sides); !why.empty()) {
      out_.obstacle = why;
      return false;
    }
    std::optional<Preconditioner> p = regularAt(j.unknowns);
    vertex.regular = p.has_value();
    if (p) {
      Matrix b = j.parameters;
      for (Interval& entry : b.entries) entry = -entry;
      Matrix x = encloseSolution(*p, j.unknowns, b);
      for (size_t i = j.n - call_.results.size(); i < j.n; ++i)
        for (size_t c = 0; c < b.columns; ++c)
          vertex.jacobian.push_back(x.at(i, c).contains(0) ? 0 : x.at(i, c).middle());
      vertex.reach = reach(sides, x);
    }
    out_.vertices.push_back(std::move(vertex));
    return true;
  }

  Reach reach(const std::vector<int>& sides, const Matrix& x) {
    Matrix g(at_.tied.size(), x.columns);
    for (size_t i = 0; i < g.rows; ++i) {
      int c = at_.tied[i].class_id;
      auto row = lifted_.switchRow(c, sides);
      if (!row) return Reach::Unclear;
      for (size_t col = 0; col < g.columns; ++col) {
        Interval moved = (*row)[x.rows + col];
        for (size_t l = 0; l < x.rows; ++l)
          if (const Interval& slope = (*row)[l]; slope.lo != 0 || slope.hi != 0) moved = moved + slope * x.at(l, col);
        g.at(i, col) = sides[static_cast<size_t>(c)] > 0 ? moved : -moved;
      }
    }
    return strictlyFeasible(g);
  }

  CallTrace call_;
  ClarkeOptions options_;
  Switches switches_;
  Lifted lifted_;
  Solution at_;
  VertexSet out_;
};

}  // namespace

VertexSet vertexJacobians(CallTrace call, const ClarkeOptions& options) {
  if (!call.system.obstacle.empty()) {
    VertexSet out;
    out.obstacle = call.system.obstacle;
    out.obstacle_span = call.system.obstacle_span;
    return out;
  }
  return Vertices(std::move(call), options).run();
}

}  // namespace dini::certify
