#include "certify/graph.h"

#include <bit>

#include "ops/table.h"

namespace dini::certify {

NodeId Graph::add(Node node, const Key& key) {
  auto [found, is_new] = known_.emplace(key, static_cast<NodeId>(nodes_.size()));
  if (is_new) nodes_.push_back(node);
  return found->second;
}

NodeId Graph::constant(double value) {
  Node node;
  node.leaf = Leaf::Constant;
  node.value = value;
  return add(node, {Leaf::Constant, node.code, 0, std::bit_cast<uint64_t>(value), node.operands});
}

NodeId Graph::next(Leaf leaf, double value, std::vector<NodeId>& all) {
  Node node;
  node.leaf = leaf;
  node.value = value;
  node.index = static_cast<uint32_t>(all.size());
  all.push_back(add(node, {leaf, node.code, node.index, 0, node.operands}));
  return all.back();
}

NodeId Graph::op(ir::OpCode code, std::initializer_list<NodeId> operands, Span span,
                 ops::Parameters parameters) {
  if (code == ir::OpCode::Stop) return *operands.begin();  // certificates see through it
  Node node;
  node.code = code;
  node.parameters = parameters;
  node.span = span;
  std::copy(operands.begin(), operands.end(), node.operands.begin());
  Key key{Leaf::None, code, parameters.i, std::bit_cast<uint64_t>(parameters.f), node.operands};
  if (auto found = known_.find(key); found != known_.end()) return found->second;
  double values[4] = {};
  for (size_t k = 0; k < operands.size(); ++k) values[k] = this->node(node.operands[k]).value;
  node.value = ops::evaluate(code, {values, operands.size()}, parameters);
  return add(node, key);
}

}  // namespace dini::certify
