// Samples a function of two variables on a grid: values, arrows along minus the gradient, points on
// the curves where the gradient or the value jumps (edges of the grid whose ends passed different
// switches, bisected), and gradient descent from given starts.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <variant>
#include <vector>

#include "plot/picture.h"

namespace dini::plot {

struct FieldSample {
  double value = 0;
  std::array<double, 2> gradient{};
  std::vector<int64_t> switches;  // as in Sample
};
using FieldSampled = std::variant<FieldSample, std::string>;
using FieldFunction = std::function<FieldSampled(double x, double y)>;

struct FieldRequest {
  Interval x, y;
  size_t points = 61;                         // along each axis
  std::vector<std::array<double, 2>> starts;  // of descents
  double step = 0.01;
  size_t steps = 200;
};

Field sampleField(const FieldFunction& function, const FieldRequest& request);

}  // namespace dini::plot
