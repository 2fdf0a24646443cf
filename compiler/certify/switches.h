// Kink classes of a System: the chooses that its equations reach, grouped by switches that are equal
// up to sign and positive scale. Switches are compared as affine forms whose coefficients are exact;
// where folding a coefficient would round, the term stays as it is, so unequal reals never meet in
// one class. An `if` without a stated gap gets one where its sides, with inner chooses of its own
// class resolved, differ by a multiple of its switch; it is then rewritten with relu.
// docs/nonsmooth.md has the theory; analysis/kinks.h does the like for derivatives.
#pragma once

#include "certify/graph.h"
#include "certify/interval.h"

namespace dini::certify {

struct AffineForm {
  std::map<NodeId, double> terms;
  double constant = 0;
};

struct Kink {
  NodeId node = -1;
  int class_id = -1;
  int orientation = 1;  // its switch is orientation * scale * the class's
  Interval scale = 1.0;
};

struct KinkClass {
  AffineForm form;
  NodeId first = -1;                // the first kink
  std::vector<size_t> members;      // numbers of kinks
  double magnitude = 0;             // sum of the magnitudes of the terms added to form the switch
};

enum class Unification { On, Off };

class Switches {
 public:
  // May add nodes to the system's graph and replace its equations by equal ones.
  Switches(System& system, Unification unification);
  const std::vector<Kink>& kinks() const { return kinks_; }
  const std::vector<KinkClass>& classes() const { return classes_; }
  // Number of a node's kink; -1: none.
  int kinkOf(NodeId node) const {
    return static_cast<size_t>(node) < kink_of_.size() ? kink_of_[static_cast<size_t>(node)] : -1;
  }

 private:
  void enter(NodeId node);
  NodeId resolved(NodeId node, int class_id, int side, std::map<NodeId, NodeId>& done);
  NodeId withGap(NodeId node);
  void rewrite(std::vector<NodeId>& roots);
  std::vector<char> reachable(const std::vector<NodeId>& roots) const;

  Graph& graph_;
  Unification unification_;
  std::vector<Kink> kinks_;
  std::vector<KinkClass> classes_;
  std::vector<int> kink_of_;
};

}  // namespace dini::certify
