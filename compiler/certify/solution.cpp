#include "certify/solution.h"

#include <algorithm>
#include <cmath>

#include "certify/block.h"
#include "certify/regularity.h"

namespace dini::certify {
namespace {

class AtSolution {
 public:
  AtSolution(const System& system, const Switches& switches, Lifted& lifted, double tolerance, ExplicitTies ties)
      : system_(system), switches_(switches), lifted_(lifted), tolerance_(tolerance), ties_(ties) {}

  Solution run() {
    out_.obstacle = lifted_.evaluate(boxAround(system_.graph, 0, 0));
    if (!out_.obstacle.empty()) return out_;
    out_.residual = lifted_.residual();
    if (ties_ == ExplicitTies::Exact) markMoved();
    newtonCorrection();
    return out_;
  }

 private:
  double switchAt(size_t c) const { return lifted_.switchValue(static_cast<int>(c)).middle(); }

  // The sides by sign, zeros to one side; where that Jacobian is singular, to the other.
  void newtonCorrection() {
    double size = 0;
    for (const Interval& f : out_.residual.entries) size = std::max(size, f.magnitude());
    out_.correction = size;
    for (int tie : {1, -1}) {
      std::vector<int> sides;
      for (size_t c = 0; c < switches_.classes().size(); ++c) {
        double s = switchAt(c);
        sides.push_back(s > 0 ? 1 : s < 0 ? -1 : tie);
      }
      for (size_t b : lifted_.scalarBlocks()) {
        double s = system_.blocks[b].distance;
        sides.push_back(s > 0 ? 1 : s < 0 ? -1 : tie);
      }
      LiftedJacobian j;
      if (!lifted_.jacobian(j, &sides).empty()) continue;
      std::optional<Preconditioner> p = j.n <= kSizeLimit ? precondition(j.at({}, someElements(j, tie))) : std::nullopt;
      bool usable = p && p->eta < 1;
      double step = usable ? boundSolution(*p, out_.residual) : size;
      takeTies(sides, step);
      if (!usable) continue;
      out_.correction = step;
      return;
    }
    if (out_.sides.empty()) out_.sides.assign(lifted_.classCount(), 1);
  }

  LiftedJacobian::Thetas someElements(const LiftedJacobian& j, int tie) const {
    LiftedJacobian::Thetas all;
    for (const LiftedJacobian::Part& part : j.parts) {
      const Block& block = system_.blocks[part.block];
      all.push_back(tie > 0 ? centre(block) : element(block, std::vector<double>(part.columns, 1)));
    }
    return all;
  }

  // tau_c = ||ds_c/dz|| e + 64 eps scale(s_c); ds_c/dz with the other switches on their sides.
  void takeTies(const std::vector<int>& sides, double correction) {
    out_.tied.clear();
    out_.sides = sides;
    for (size_t c = 0; c < switches_.classes().size(); ++c) {
      if (!isTied(c, sides, correction)) continue;
      out_.sides[c] = 0;
      const KinkClass& own = switches_.classes()[c];
      out_.tied.push_back({system_.graph.node(own.first).span, switchAt(c), 0, static_cast<int>(c), "", -1, {}});
    }
    takeBlocks(sides, correction);
  }

  void takeBlocks(const std::vector<int>& sides, double correction) {
    out_.blocks_tied = true;
    size_t switches = switches_.classes().size();
    const std::vector<size_t>& numbers = lifted_.scalarBlocks();
    for (size_t k = 0; k < numbers.size(); ++k) {
      const Block& block = system_.blocks[numbers[k]];
      if (!isTiedBlock(numbers[k], sides, correction)) continue;
      out_.sides[switches + k] = 0;
      out_.tied.push_back({block.span, block.distance, 0, static_cast<int>(switches + k), describe(block), -1, {}});
    }
    for (size_t b = 0; b < system_.blocks.size(); ++b) {
      const Block& block = system_.blocks[b];
      bool number = std::find(numbers.begin(), numbers.end(), b) != numbers.end();
      if (number || block.set == BlockSet::None) continue;
      if (isTiedBlock(b, sides, correction))
        out_.tied.push_back({block.span, block.distance, 0, -1, describe(block), static_cast<int>(b), {}});
      else out_.blocks_tied = false;
    }
  }

  bool isTiedBlock(size_t b, const std::vector<int>& sides, double correction) {
    const Block& block = system_.blocks[b];
    double distance = std::abs(block.distance);
    if (tolerance_ >= 0) return distance <= tolerance_;
    double rounding = 64 * std::numeric_limits<double>::epsilon() * block.magnitude;
    if (distance <= rounding) return true;
    return correction > 0 && distance <= lifted_.blockSlope(b, sides) * correction + rounding;
  }

  bool isTied(size_t c, const std::vector<int>& sides, double correction) {
    const KinkClass& own = switches_.classes()[c];
    double value = switchAt(c);
    if (tolerance_ >= 0) return std::abs(value) <= tolerance_;
    if (ties_ == ExplicitTies::Exact && !moved(own)) return exactlyTied(own);
    double rounding = 64 * std::numeric_limits<double>::epsilon() * own.magnitude;
    if (std::abs(value) <= rounding) return true;
    if (!(correction > 0)) return false;
    auto slopes = lifted_.switchRow(static_cast<int>(c), sides);
    double slope = 0;
    for (size_t col = 0; slopes && col < system_.graph.unknowns().size(); ++col) slope += (*slopes)[col].magnitude();
    return std::abs(value) <= slope * correction + rounding;
  }

  bool exactlyTied(const KinkClass& own) const {
    return std::any_of(own.members.begin(), own.members.end(), [&](size_t member) {
      const Node& node = system_.graph.node(switches_.kinks()[member].node);
      return system_.graph.node(node.operands[0]).value == system_.graph.node(node.operands[1]).value;
    });
  }

  void markMoved() {
    const Graph& graph = system_.graph;
    moved_.assign(graph.size(), 0);
    for (size_t at = 0; at < moved_.size(); ++at) {
      const Node& node = graph.node(static_cast<NodeId>(at));
      moved_[at] = node.leaf == Leaf::Unknown;
      for (NodeId operand : node.operands)
        if (operand >= 0 && moved_[static_cast<size_t>(operand)]) moved_[at] = 1;
    }
  }
  bool moved(const KinkClass& own) const {
    const Node& first = system_.graph.node(own.first);
    return moved_[static_cast<size_t>(first.operands[0])] || moved_[static_cast<size_t>(first.operands[1])];
  }

  const System& system_;
  const Switches& switches_;
  Lifted& lifted_;
  double tolerance_;
  ExplicitTies ties_;
  Solution out_;
  std::vector<char> moved_;  // nodes that depend on unknowns
};

}  // namespace

Solution atSolution(const System& system, const Switches& switches, Lifted& lifted, double tie_tolerance,
                    ExplicitTies explicit_ties) {
  return AtSolution(system, switches, lifted, tie_tolerance, explicit_ties).run();
}

}  // namespace dini::certify
