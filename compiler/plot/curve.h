// Samples a function of one variable and finds its kinks and jumps. A sample carries a signature of
// the switches that the evaluation passed, so a kink is bracketed where the signatures of
// neighbours differ and bisected to the last bits; where a switch changed sign but neither value nor
// derivative jumps (kinks that cancel), nothing is marked. A second search, on large changes of value
// or derivative between neighbours, finds what has no switch: floor, norm at 0, solves that leap.
#pragma once

#include <cstdint>
#include <functional>
#include <variant>

#include "plot/picture.h"

namespace dini::plot {

struct Sample {
  double value = 0, derivative = 0;
  std::vector<int64_t> switches;  // which switches were passed, on which side; empty: not known
  bool tied = false;              // one of them at its tie, up to rounding
};
// A sample, or why there is none.
using Sampled = std::variant<Sample, std::string>;
using Function = std::function<Sampled(double x)>;

Curve sampleCurve(const std::string& name, const Function& function, Interval over, size_t points);

// The number with the fewest decimals, at most 6, within `tolerance` of x; else x.
double roundest(double x, double tolerance);

}  // namespace dini::plot
