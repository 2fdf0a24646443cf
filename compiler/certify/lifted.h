// The lifted system: one more unknown w_c = relu(s_c) per tied switch class, so that
//   F(z, w, x) = 0,   w_c = d_c s_c(z, w, x),   d_c in [0, 1],
// is smooth in everything but d, and every tie weight stands in one row. A choose with gap g whose
// switch is orientation * scale * s_c is b + g scale w_c (orientation 1) or a + g scale w_c (-1).
// A block (block.h) gives the rows y - base v - left Theta right v = 0. Where Theta is a number in [0, 1] it
// is treated like a switch class, numbered after those; else Theta stands apart:
//   A(d, Theta) = A(d, 0) - feeds Theta reads.
// Evaluates F, the switches and their Jacobians over boxes of unknowns and parameters.
// Not here: which weights are regular (certificate.h).
#pragma once

#include "certify/enclosure.h"
#include "certify/graph.h"
#include "certify/switches.h"

namespace dini::certify {

struct Box {
  std::vector<Interval> unknowns, parameters;
};
// Every unknown within r, every parameter within delta, of its value at the solution.
Box boxAround(const Graph& graph, double r, double delta);

// Of the rows F and s_c (c tied) with respect to z, w and x, enclosed over a box.
struct LiftedJacobian {
  size_t n = 0;             // unknowns
  std::vector<int> tied;    // classes
  std::vector<int> sides;   // of every class: 1, -1, 0 tied
  Matrix unknowns;          // (n + k) x (n + k)
  Matrix parameters;        // (n + k) x m
  size_t k() const { return tied.size(); }

  // Of the blocks whose Theta stands apart, one behind the other.
  struct Part {
    size_t block = 0;            // its number
    size_t rows = 0, columns = 0;  // of Theta
    size_t row = 0, column = 0;  // where its rows begin in feeds, its columns in reads
  };
  std::vector<Part> parts;
  Matrix feeds;             // (n + k) x rows
  Matrix reads;             // columns x (n + k)
  Matrix reads_parameters;  // columns x m
  using Thetas = std::vector<std::vector<double>>;  // of the parts; none: 0

  // The lifted Jacobian for weights d: [F_z F_w; -d s_z, I - d s_w], less feeds Theta reads.
  Matrix at(const std::vector<Interval>& d, const Thetas& thetas = {}) const;
  // Its right-hand side for the parameters: [F_x; -d s_x], less feeds Theta reads_parameters.
  Matrix parametersAt(const std::vector<Interval>& d, const Thetas& thetas = {}) const;
};

// Whether the equations must have finite values over a box.
enum class Ends { Finite, Any };

class Lifted {
 public:
  // `held` parameters take no derivative (none: all do).
  Lifted(const System& system, const Switches& switches, const std::vector<char>& held = {});

  // Empty, or why nothing can be said about this box.
  std::string evaluate(const Box& box, Ends ends = Ends::Finite);
  // F over the box that was evaluated.
  Matrix residual() const;
  Interval switchValue(int class_id) const;
  // Classes, and behind them blocks with a number for Theta.
  size_t classCount() const { return switches_.classes().size() + scalar_blocks_.size(); }
  // The number of the block that a class stands for; -1: a class of switches.
  int blockOfClass(int class_id) const;
  const std::vector<size_t>& scalarBlocks() const { return scalar_blocks_; }
  // The largest absolute row sum of the derivatives of what a block's Theta reads with respect to z.
  double blockSlope(size_t block, const std::vector<int>& sides);
  // Of every class: 1, -1, or 0 where the switch may vanish in the box.
  std::vector<int> sides() const;
  // The derivatives of a class's switch with respect to z and x, the other switches on the given sides,
  // none tied; nothing where they are not known.
  std::optional<std::vector<Interval>> switchRow(int class_id, const std::vector<int>& sides);
  // Classes whose switch may vanish in the box are tied; `forced` (a side per class) overrides.
  std::string jacobian(LiftedJacobian& result, const std::vector<int>* forced = nullptr);

 private:
  Interval value(NodeId id) const { return values_[static_cast<size_t>(id)]; }
  bool guardHolds(const Guard& guard) const;
  // One row by a reverse sweep: d(sum of the seeds) with respect to z, w (columns after n), x.
  using Seeds = std::vector<std::pair<NodeId, Interval>>;
  std::string row(const Seeds& seeds, const LiftedJacobian& shape, size_t at, LiftedJacobian& result);
  double inputRadius(const Block& block) const;
  std::string blockRow(const Block& block, size_t output, const LiftedJacobian& shape, size_t at, LiftedJacobian& result);
  Seeds readSeeds(const Block& block, size_t column) const;
  std::string readRows(const LiftedJacobian& shape, LiftedJacobian& result);
  std::string spread(NodeId id, Interval bar, const LiftedJacobian& shape, size_t at,
                     LiftedJacobian& result);

  const System& system_;
  const Switches& switches_;
  std::vector<char> still_;  // of nodes: takes no derivative
  std::vector<Interval> values_;
  std::vector<Interval> bars_;
  std::vector<char> pending_;
  std::vector<size_t> scalar_blocks_;
  std::map<NodeId, std::pair<size_t, size_t>> output_of_;  // block and number of a block's output
};

}  // namespace dini::certify
