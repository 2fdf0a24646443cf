// The Jacobians of a call that the ties at a point allow: one for each side of each tied switch class,
// solves included. They span the set of the program's weights; not each is extreme. A vertex is
// reachable where some direction of the inputs moves every tied switch to its side: then it is a limit
// of Jacobians at points nearby.
#pragma once

#include "certify/reach.h"
#include "certify/solution.h"
#include "certify/trace.h"

namespace dini::certify {

struct VertexJacobian {
  std::vector<int> sides;  // of the tied classes: 1, -1
  bool regular = true;     // false: a solve has a singular Jacobian there
  std::vector<double> jacobian;  // results x inputs
  Reach reach = Reach::Unclear;
};

struct ClarkeOptions {
  Unification unification = Unification::On;
  double tie_tolerance = -1;
  size_t limit = 64;  // vertices that are listed
};

struct VertexSet {
  std::string obstacle;  // empty, or why there is no answer
  Span obstacle_span;
  size_t results = 0, inputs = 0;
  std::vector<TiedSwitch> tied;
  double total = 1;  // of vertices, listed or not
  std::vector<VertexJacobian> vertices;  // in the order of binary numbers, the first switch fastest
  bool piecewise_linear = false;         // then an infeasible pattern is met nowhere near
};

VertexSet vertexJacobians(CallTrace call, const ClarkeOptions& options);

}  // namespace dini::certify
