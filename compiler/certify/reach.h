// Whether a sign pattern of tied switches is met next to the point: a direction y of unknowns and
// parameters along which every switch, linearised with the kinks before it on their sides of the
// pattern, moves to its side strictly. Feasible: there are points arbitrarily near whose Jacobian is the
// pattern's. Infeasible: there are none if the equations are piecewise linear; else nothing follows.
//
// By Gordan's alternative {y: G y > 0} is empty exactly if 0 is a convex combination of the rows of G,
// and otherwise the hull's point of least norm is such a y: Wolfe, Finding the nearest point in a
// polytope, Mathematical Programming 11 (1976). What it finds is checked with intervals.
#pragma once

#include <vector>

#include "certify/lifted.h"

namespace dini::certify {

enum class Reach { Feasible, Infeasible, Unclear };

// Of G y > 0, every row strictly; `direction` receives y where it is feasible.
Reach strictlyFeasible(const Matrix& g, std::vector<double>* direction = nullptr);

// For the tied classes of j, `sides` a side for every class; `lifted` was evaluated at the point.
Reach patternReach(Lifted& lifted, const LiftedJacobian& j, const std::vector<int>& sides);

}  // namespace dini::certify
