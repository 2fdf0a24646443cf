#include "plot/field.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include <fmt/format.h>

namespace dini::plot {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr int kHalvings = 14;     // of an edge of the grid
constexpr double kChange = 1e-2;  // of the largest gradient: less is no kink
constexpr size_t kArrows = 17;    // along each axis

struct Node {
  double x = 0, y = 0;
  std::optional<FieldSample> sample;
};

class Sampler {
 public:
  Sampler(const FieldFunction& function, Failures& failures) : function_(function), failures_(failures) {}

  Node at(double x, double y) {
    FieldSampled sampled = function_(x, y);
    ++failures_.of;
    std::string why;
    Node node{x, y, std::nullopt};
    if (auto* text = std::get_if<std::string>(&sampled)) why = *text;
    else if (!std::isfinite(std::get<FieldSample>(sampled).value)) why = "the value is not finite";
    else node.sample = std::move(std::get<FieldSample>(sampled));
    if (!node.sample && failures_.count++ == 0) failures_.first = fmt::format("({:.6g}, {:.6g}): {}", x, y, why);
    return node;
  }

 private:
  const FieldFunction& function_;
  Failures& failures_;
};

double coordinate(Interval over, size_t k, size_t count) {
  double t = static_cast<double>(k) / static_cast<double>(count - 1);
  return (1 - t) * over.from + t * over.to;
}

double length(const std::array<double, 2>& v) { return std::hypot(v[0], v[1]); }

// Scales of values and gradients over the grid.
struct Scale {
  double value = 0, gradient = 0;
};

Scale scaleOf(const std::vector<Node>& nodes) {
  double low = std::numeric_limits<double>::infinity(), high = -low, gradient = 0;
  for (const Node& node : nodes) {
    if (!node.sample) continue;
    low = std::min(low, node.sample->value);
    high = std::max(high, node.sample->value);
    double size = length(node.sample->gradient);
    if (std::isfinite(size)) gradient = std::max(gradient, size);
  }
  return {high > low ? high - low : 1, gradient};
}

// The switches of a and b differ: where between them, and what jumps there. True if it is the value.
bool searchEdge(Sampler& sampler, Node a, Node b, const Scale& scale, Field& field) {
  for (int k = 0; k < kHalvings; ++k) {
    Node middle = sampler.at(a.x + (b.x - a.x) / 2, a.y + (b.y - a.y) / 2);
    if (!middle.sample) return false;
    bool left = middle.sample->switches != a.sample->switches;
    (left ? b : a) = std::move(middle);
  }
  std::array<double, 2> change{b.sample->gradient[0] - a.sample->gradient[0],
                               b.sample->gradient[1] - a.sample->gradient[1]};
  double step = std::hypot(b.x - a.x, b.y - a.y);
  double jump = std::abs(b.sample->value - a.sample->value);
  Point at{(a.x + b.x) / 2, (a.y + b.y) / 2};
  bool jumps = jump > 1e-6 * scale.value + 4 * step * scale.gradient;
  if (jumps) field.jumps.push_back(at);
  else if (length(change) > kChange * scale.gradient) field.kinks.push_back(at);
  return jumps;
}

void searchEdges(Sampler& sampler, const std::vector<Node>& nodes, size_t n, const Scale& scale,
                 Field& field) {
  field.beside_jump.assign(nodes.size(), 0);
  auto edge = [&](size_t i, size_t j) {
    const Node &a = nodes[i], &b = nodes[j];
    if (a.sample && b.sample && a.sample->switches != b.sample->switches && searchEdge(sampler, a, b, scale, field))
      field.beside_jump[i] = field.beside_jump[j] = 1;
  };
  for (size_t row = 0; row < n; ++row)
    for (size_t column = 0; column < n; ++column) {
      if (column + 1 < n) edge(row * n + column, row * n + column + 1);
      if (row + 1 < n) edge(row * n + column, (row + 1) * n + column);
    }
}

// Arrows of one length except where the gradient is small; the length fits between neighbours.
void addArrows(const FieldRequest& request, const std::vector<Node>& nodes, size_t n, Field& field) {
  size_t stride = std::max<size_t>(1, (n - 1) / (kArrows - 1));
  double cell_x = request.x.width() * static_cast<double>(stride) / static_cast<double>(n - 1);
  double cell_y = request.y.width() * static_cast<double>(stride) / static_cast<double>(n - 1);
  std::vector<double> sizes;
  for (const Node& node : nodes)
    if (node.sample && std::isfinite(length(node.sample->gradient)))
      sizes.push_back(std::hypot(node.sample->gradient[0] * cell_y, node.sample->gradient[1] * cell_x));
  if (sizes.empty()) return;
  std::nth_element(sizes.begin(), sizes.begin() + static_cast<long>(sizes.size() / 2), sizes.end());
  double typical = sizes[sizes.size() / 2];
  for (size_t row = stride / 2; row < n; row += stride)
    for (size_t column = stride / 2; column < n; column += stride) {
      const Node& node = nodes[row * n + column];
      if (!node.sample) continue;
      // In cells of the grid, up to a common factor.
      double dx = -node.sample->gradient[0] * cell_y, dy = -node.sample->gradient[1] * cell_x;
      double size = std::hypot(dx, dy);
      if (!(size > 1e-9 * typical) || !std::isfinite(size)) continue;
      double shown = 0.78 * std::min(1.0, std::sqrt(size / std::max(typical, 1e-300))) / size;
      field.arrows.push_back({node.x, node.y, dx * shown * cell_x, dy * shown * cell_y});
    }
}

Descent descend(Sampler& sampler, const FieldRequest& request, std::array<double, 2> start) {
  Descent descent;
  descent.step = request.step;
  double x = start[0], y = start[1];
  for (size_t k = 0;; ++k) {
    Node node = sampler.at(x, y);
    if (!node.sample) {
      descent.failed = true;
      return descent;
    }
    descent.path.push_back({x, y});
    descent.last_value = node.sample->value;
    if (k == request.steps) return descent;
    x -= request.step * node.sample->gradient[0];
    y -= request.step * node.sample->gradient[1];
  }
}

}  // namespace

Field sampleField(const FieldFunction& function, const FieldRequest& request) {
  Field field;
  size_t n = request.points;
  field.columns = field.rows = n;
  Sampler sampler(function, field.failures);
  std::vector<Node> nodes;
  for (size_t row = 0; row < n; ++row)
    for (size_t column = 0; column < n; ++column) {
      nodes.push_back(sampler.at(coordinate(request.x, column, n), coordinate(request.y, row, n)));
      field.values.push_back(nodes.back().sample ? nodes.back().sample->value : kNaN);
    }
  Scale scale = scaleOf(nodes);
  searchEdges(sampler, nodes, n, scale, field);
  addArrows(request, nodes, n, field);
  for (const auto& start : request.starts) field.descents.push_back(descend(sampler, request, start));
  return field;
}

}  // namespace dini::plot
