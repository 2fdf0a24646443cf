// The equations of one solve over scalars: an expression graph whose leaves are constants, unknowns
// and parameters (the values that the residual captures), and whose inner nodes are elementwise
// operations of the op table. Equal expressions are one node; operands have smaller ids than users.
// Values at the solution are kept beside. Nothing is folded: the machine's rounding is no part of the
// function that a certificate speaks about.
// Not here: how the graph is made (trace.h), kink classes (switches.h), intervals (lifted.h).
#pragma once

#include <array>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "ops/row.h"
#include "source/source.h"

namespace dini::certify {

using NodeId = int32_t;
enum class Leaf : uint8_t { None, Constant, Unknown, Parameter };

struct Node {
  Leaf leaf = Leaf::None;
  ir::OpCode code = ir::OpCode::Add;  // where leaf is None
  uint32_t index = 0;                 // of the unknown or parameter
  double value = 0;                   // at the solution
  ops::Parameters parameters;
  std::array<NodeId, 4> operands{-1, -1, -1, -1};
  Span span;
};

class Graph {
 public:
  NodeId constant(double value);
  NodeId unknown(double value) { return next(Leaf::Unknown, value, unknowns_); }
  NodeId parameter(double value) { return next(Leaf::Parameter, value, parameters_); }
  NodeId op(ir::OpCode code, std::initializer_list<NodeId> operands, Span span,
            ops::Parameters parameters = {});
  const Node& node(NodeId id) const { return nodes_[static_cast<size_t>(id)]; }
  size_t size() const { return nodes_.size(); }
  const std::vector<NodeId>& unknowns() const { return unknowns_; }
  const std::vector<NodeId>& parameters() const { return parameters_; }

 private:
  using Key = std::tuple<Leaf, ir::OpCode, int64_t, uint64_t, std::array<NodeId, 4>>;
  NodeId add(Node node, const Key& key);
  NodeId next(Leaf leaf, double value, std::vector<NodeId>& all);
  std::vector<Node> nodes_;
  std::vector<NodeId> unknowns_, parameters_;
  std::map<Key, NodeId> known_;
};

// A comparison of reals whose outcome at the solution decided which code was executed.
struct Guard {
  ir::OpCode relation = ir::OpCode::FLt;  // FLt, FLe, FEq, FNe
  NodeId p = -1, q = -1;
  bool outcome = false;
  Span span;
  bool then_side = false;  // of an `if` far from its tie, where p < q always
};

// y = P(v), a map with its Jacobians (block.h). The outputs are unknowns of the graph.
enum class BlockSet : uint8_t { None, Ball, Order, Cone, Spectral };

struct Block {
  BlockSet set = BlockSet::None;
  std::vector<NodeId> inputs, outputs;
  std::vector<double> at;           // the inputs, as P was evaluated
  double error = 0;                 // Euclidean, of the values of the outputs there
  double stretch = 1;               // Lipschitz constant of P
  size_t rows = 0, columns = 0;     // of Theta
  std::vector<double> base;         // outputs x inputs; empty: 0
  std::vector<double> left, right;  // outputs x rows, columns x inputs; empty: I
  double gap = std::numeric_limits<double>::infinity();  // to the next kink; infinite: T holds everywhere
  double condition = 1;             // size of the inputs / gap
  double blur = 0;                  // the bound on E at radius 0
  double distance = 0, magnitude = 0;  // from the kink, and of the terms that form it
  Span span;
};

// F = 0 with as many equations as the graph has unknowns. With `obstacle`, there is something in
// the residual that no certificate can be given for: it says what.
struct System {
  Graph graph;
  std::vector<NodeId> equations;  // that of a block's output is the output alone: y - P(v) = 0 is the block's
  std::vector<Guard> guards;
  std::vector<Block> blocks;
  size_t own_unknowns = 0;  // the others stand for results of inner solves
  Span span;
  std::string obstacle;
  Span obstacle_span;

  // What the equations are made of: themselves and the inputs of blocks, in this order.
  std::vector<NodeId> roots() const {
    std::vector<NodeId> all = equations;
    for (const Block& block : blocks) all.insert(all.end(), block.inputs.begin(), block.inputs.end());
    return all;
  }
};

}  // namespace dini::certify
