#include "abs_normal/cut.h"

#include <cmath>
#include <map>

#include "base/check.h"
#include "certify/switches.h"
#include "certify/trace.h"
#include "ir/builder.h"

namespace dini::abs_normal {
namespace {

using certify::Graph;
using certify::Leaf;
using certify::NodeId;
using ir::Value;

double middle(const certify::Interval& x) { return x.lo == x.hi ? x.lo : 0.5 * (x.lo + x.hi); }

// Writes the graph's nodes as IR, each once, operands first.
class Writer {
 public:
  Writer(const Graph& graph, const certify::Switches& switches, CutFunction& cut)
      : graph_(graph), switches_(switches), builder_(*cut.function, cut.function->body), values_(graph.size(), nullptr) {
    auto vector = [&](size_t n, const char* name) {
      return cut.function->addParameter({ir::Elem::F64, {static_cast<int64_t>(n)}}, name);
    };
    unknowns_ = vector(graph.unknowns().size(), "u");
    parameters_ = vector(graph.parameters().size(), "x");
    magnitudes_ = vector(switches.classes().size(), "w");
  }

  // Nodes have larger numbers than their operands, so one pass over what is needed suffices.
  void write(const std::vector<NodeId>& roots) {
    std::vector<char> needed(graph_.size(), 0);
    for (NodeId root : roots) needed[static_cast<size_t>(root)] = 1;
    for (size_t at = needed.size(); at-- > 0;)
      if (needed[at])
        for (NodeId operand : graph_.node(static_cast<NodeId>(at)).operands)
          if (operand >= 0) needed[static_cast<size_t>(operand)] = 1;
    for (size_t at = 0; at < needed.size(); ++at)
      if (needed[at]) values_[at] = made(static_cast<NodeId>(at));
  }

  Value* value(NodeId id) const { return values_[static_cast<size_t>(id)]; }
  Value* element(Value* vector, size_t k) { return builder_.index(vector, {builder_.integer(static_cast<int64_t>(k))}); }
  ir::Builder& builder() { return builder_; }

 private:
  Value* made(NodeId id) {
    const certify::Node& node = graph_.node(id);
    switch (node.leaf) {
      case Leaf::Constant: return builder_.real(node.value);
      case Leaf::Unknown: return element(unknowns_, node.index);
      case Leaf::Parameter: return element(parameters_, node.index);
      case Leaf::None: break;
    }
    builder_.setSpan(node.span);
    if (node.code == ir::OpCode::Choose) return choose(id, node);
    std::vector<Value*> operands;
    for (NodeId operand : node.operands)
      if (operand >= 0) operands.push_back(value(operand));
    ir::Attrs attrs;
    attrs.i = node.parameters.i;
    attrs.f = node.parameters.f;
    return builder_.op(node.code, std::move(operands), std::move(attrs));
  }

  // b + g (s + |s|)/2, where |s| is the class's w times the kink's scale.
  Value* choose(NodeId id, const certify::Node& node) {
    const certify::Kink& kink = switches_.kinks()[static_cast<size_t>(switches_.kinkOf(id))];
    Value* s = builder_.sub(value(node.operands[0]), value(node.operands[1]));
    Value* w = element(magnitudes_, static_cast<size_t>(kink.class_id));
    Value* magnitude = builder_.mul(builder_.real(middle(kink.scale)), w);
    Value* relu = builder_.mul(builder_.real(0.5 * node.parameters.f), builder_.add(s, magnitude));
    return builder_.add(value(node.operands[3]), relu);
  }

  const Graph& graph_;
  const certify::Switches& switches_;
  ir::Builder builder_;
  std::vector<Value*> values_;
  Value* unknowns_ = nullptr;
  Value* parameters_ = nullptr;
  Value* magnitudes_ = nullptr;
};

// The trace with both sides of every `if` on reals, or, where a side cannot be evaluated, with the sides
// that were taken.
certify::CallTrace traced(const ir::Module& module, const ir::Function& function,
                          std::span<const ir::Tensor> arguments, const ir::InterpretOptions& options) {
  certify::CallTrace trace = certify::traceCall(module, function, arguments, options, certify::Sides::Both);
  if (trace.system.obstacle.empty()) return trace;
  return certify::traceCall(module, function, arguments, options, certify::Sides::Taken);
}

}  // namespace

CutFunction cutAtKinks(const ir::Module& module, const ir::Function& function,
                       std::span<const ir::Tensor> arguments, const ir::InterpretOptions& options) {
  CutFunction cut;
  certify::CallTrace trace = traced(module, function, arguments, options);
  certify::System& system = trace.system;
  auto stop = [&](std::string why, Span where) {
    cut.obstacle = std::move(why);
    cut.obstacle_span = where;
  };
  if (!system.obstacle.empty()) {
    stop(system.obstacle, system.obstacle_span);
    return cut;
  }
  cut.equations = system.equations.size();
  cut.results = trace.results.size();
  cut.comparisons = system.guards.size();
  // One list of roots, so that both get the gaps of their ifs.
  system.equations.insert(system.equations.end(), trace.results.begin(), trace.results.end());
  certify::Switches switches(system, certify::Unification::On);
  const Graph& graph = system.graph;
  for (const certify::Kink& kink : switches.kinks())
    if (!std::isfinite(graph.node(kink.node).parameters.f)) {
      stop("the sides of this `if` do not differ by a multiple of its switch", graph.node(kink.node).span);
      return cut;
    }
  cut.switches = switches.classes().size();
  cut.function = std::make_unique<ir::Function>("cut");
  Writer writer(graph, switches, cut);
  writer.write(system.equations);
  std::vector<Value*> rows;
  for (size_t k = 0; k < cut.equations; ++k) rows.push_back(writer.value(system.equations[k]));
  for (const certify::KinkClass& one : switches.classes()) {
    const certify::Node& first = graph.node(one.first);
    NodeId p = first.operands[0], q = first.operands[1];
    rows.push_back(writer.builder().sub(writer.value(p), writer.value(q)));
    cut.z0.push_back(graph.node(p).value - graph.node(q).value);
    cut.w0.push_back(std::abs(cut.z0.back()));
    cut.places.push_back(first.span);
  }
  for (size_t k = cut.equations; k < system.equations.size(); ++k) {
    rows.push_back(writer.value(system.equations[k]));
    cut.y0.push_back(graph.node(system.equations[k]).value);
  }
  for (NodeId id : graph.unknowns()) cut.u0.push_back(graph.node(id).value);
  for (NodeId id : graph.parameters()) cut.x0.push_back(graph.node(id).value);
  writer.builder().yield({writer.builder().pack(rows)});
  return cut;
}

}  // namespace dini::abs_normal
