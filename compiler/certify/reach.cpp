#include "certify/reach.h"

#include <algorithm>
#include <cmath>

namespace dini::certify {
namespace {

using Row = std::vector<double>;

double dot(const Row& a, const Row& b) {
  double sum = 0;
  for (size_t k = 0; k < a.size(); ++k) sum += a[k] * b[k];
  return sum;
}

// The point of least norm in the convex hull of the rows.
class Wolfe {
 public:
  explicit Wolfe(const std::vector<Row>& rows) : rows_(rows) {}

  Row run() {
    corral_ = {0};
    weights_ = {1};
    for (size_t round = 0; round < 20 * rows_.size() + 100; ++round) {
      Row y = point();
      size_t best = 0;
      double least = dot(rows_[0], y);
      for (size_t k = 1; k < rows_.size(); ++k)
        if (double value = dot(rows_[k], y); value < least) {
          least = value;
          best = k;
        }
      bool known = std::find(corral_.begin(), corral_.end(), best) != corral_.end();
      if (known || least >= dot(y, y) - 1e-14) return y;
      corral_.push_back(best);
      weights_.push_back(0);
      while (!stepToAffineLeast()) {}
    }
    return point();
  }

 private:
  Row point() const {
    Row y(rows_[0].size(), 0);
    for (size_t k = 0; k < corral_.size(); ++k)
      for (size_t j = 0; j < y.size(); ++j) y[j] += weights_[k] * rows_[corral_[k]][j];
    return y;
  }

  // Towards the least norm in the affine hull of the corral, up to where a weight vanishes; true where
  // it was reached, or the corral is degenerate.
  bool stepToAffineLeast() {
    Row target = affineLeast();
    if (target.empty()) return true;
    double step = 1;
    for (size_t k = 0; k < target.size(); ++k)
      if (target[k] < 1e-14 && weights_[k] > target[k])
        step = std::min(step, weights_[k] / (weights_[k] - target[k]));
    bool reached = true;
    for (size_t k = target.size(); k-- > 0;) {
      weights_[k] += step * (target[k] - weights_[k]);
      if (weights_[k] > 1e-14 || corral_.size() == 1) continue;
      weights_.erase(weights_.begin() + static_cast<long>(k));
      corral_.erase(corral_.begin() + static_cast<long>(k));
      reached = false;
    }
    return reached;
  }

  // sum a = 1, (K + 1 1') a parallel to 1, with K the Gram matrix: regular for independent points.
  Row affineLeast() const {
    size_t n = corral_.size();
    std::vector<Row> a(n, Row(n + 1, 1));
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j < n; ++j) a[i][j] = 1 + dot(rows_[corral_[i]], rows_[corral_[j]]);
    for (size_t k = 0; k < n; ++k) {
      size_t pivot = k;
      for (size_t i = k + 1; i < n; ++i)
        if (std::abs(a[i][k]) > std::abs(a[pivot][k])) pivot = i;
      std::swap(a[k], a[pivot]);
      if (std::abs(a[k][k]) < 1e-13) return {};
      for (size_t i = 0; i < n; ++i) {
        if (i == k) continue;
        double factor = a[i][k] / a[k][k];
        for (size_t j = k; j <= n; ++j) a[i][j] -= factor * a[k][j];
      }
    }
    Row result(n);
    double sum = 0;
    for (size_t k = 0; k < n; ++k) sum += result[k] = a[k][n] / a[k][k];
    for (double& x : result) x /= sum;
    return result;
  }

  const std::vector<Row>& rows_;
  std::vector<size_t> corral_;
  Row weights_;
};

}  // namespace

Reach strictlyFeasible(const Matrix& g, std::vector<double>* direction) {
  if (!g.finite()) return Reach::Unclear;
  std::vector<Row> rows;
  for (size_t i = 0; i < g.rows; ++i) {
    Row row;
    double size = 0;
    for (size_t j = 0; j < g.columns; ++j) {
      row.push_back(g.at(i, j).middle());
      size = std::max(size, std::abs(row.back()));
    }
    if (size == 0) return Reach::Infeasible;  // a switch that does not move
    double length = size * std::sqrt(dot(row, row) / (size * size));
    for (double& x : row) x /= length;
    rows.push_back(std::move(row));
  }
  Row y(g.columns, 0);
  if (!rows.empty()) y = Wolfe(rows).run();
  for (size_t i = 0; i < g.rows; ++i) {
    Interval moved = 0.0;
    for (size_t j = 0; j < g.columns; ++j)
      if (y[j] != 0) moved = moved + g.at(i, j) * Interval(y[j]);
    if (moved.lo > 0) continue;
    return dot(y, y) < 1e-20 ? Reach::Infeasible : Reach::Unclear;
  }
  if (direction) *direction = y;
  return Reach::Feasible;
}

Reach patternReach(Lifted& lifted, const LiftedJacobian& j, const std::vector<int>& sides) {
  Matrix g;
  for (int c : j.tied) {
    auto row = lifted.switchRow(c, sides);
    if (!row) return Reach::Unclear;
    g.columns = row->size();
    ++g.rows;
    for (const Interval& slope : *row)
      g.entries.push_back(sides[static_cast<size_t>(c)] > 0 ? slope : -slope);
  }
  return strictlyFeasible(g);
}

}  // namespace dini::certify
