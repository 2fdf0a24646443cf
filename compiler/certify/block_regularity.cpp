#include "certify/block_regularity.h"

#include <algorithm>
#include <cmath>

#include "certify/block.h"

namespace dini::certify {
namespace {

constexpr size_t kGainLimit = 300;  // rows and columns of K

// One scalar weight or one Theta: where it stands in K.
struct Group {
  size_t row = 0, rows = 1;        // of Delta: columns of K
  size_t column = 0, columns = 1;  // of Delta: rows of K
  double reach = 0.5;
};

std::vector<Group> groupsOf(const LiftedJacobian& j, const std::vector<Block>& blocks) {
  std::vector<Group> groups;
  for (size_t i = 0; i < j.k(); ++i) groups.push_back({i, 1, i, 1, 0.5});
  for (const LiftedJacobian::Part& part : j.parts)
    groups.push_back({j.k() + part.row, part.rows, j.k() + part.column, part.columns, reach(blocks[part.block].set)});
  return groups;
}

// Scalings t and the norm that they give, in floating point: nothing rests on them but the choice.
class Scaling {
 public:
  Scaling(const Matrix& k, const std::vector<Group>& groups) : groups_(groups), rows_(k.rows), columns_(k.columns) {
    for (const Interval& entry : k.entries) k_.push_back(entry.middle());
    for (const Group& g : groups_)
      for (size_t i = g.column; i < g.column + g.columns; ++i)
        for (size_t c = 0; c < columns_; ++c) k_[i * columns_ + c] *= g.reach;
  }

  struct Found {
    std::vector<double> t;
    double norm;
  };
  Found find() {
    t_.assign(groups_.size(), 1);
    balance();
    std::vector<double> best = t_;
    double least = norm();
    for (int step = 0; step < 80 && least > 0; ++step) {
      // d norm / d log t_g = norm (|u_g|^2 - |v_g|^2)
      for (size_t g = 0; g < groups_.size(); ++g)
        t_[g] *= std::exp(-0.7 / (1 + 0.05 * step) * (part(u_, groups_[g].column, groups_[g].columns) -
                                                      part(v_, groups_[g].row, groups_[g].rows)));
      if (double now = norm(); now < least) {
        least = now;
        best = t_;
      }
    }
    return {best, least};
  }

 private:
  static double part(const std::vector<double>& x, size_t from, size_t count) {
    double sum = 0;
    for (size_t i = from; i < from + count; ++i) sum += x[i] * x[i];
    return sum;
  }
  double blockNorm(const Group& a, const Group& b) const {
    double sum = 0;
    for (size_t i = a.column; i < a.column + a.columns; ++i)
      for (size_t c = b.row; c < b.row + b.rows; ++c) sum += k_[i * columns_ + c] * k_[i * columns_ + c];
    return std::sqrt(sum);
  }

  // Rows and columns of the matrix of block norms to equal size (Osborne).
  void balance() {
    size_t n = groups_.size();
    std::vector<double> size(n * n);
    for (size_t a = 0; a < n; ++a)
      for (size_t b = 0; b < n; ++b) size[a * n + b] = blockNorm(groups_[a], groups_[b]);
    for (int sweep = 0; sweep < 12; ++sweep)
      for (size_t g = 0; g < n; ++g) {
        double row = 0, column = 0;
        for (size_t h = 0; h < n; ++h) {
          if (h == g) continue;
          row += std::pow(t_[g] * size[g * n + h] / t_[h], 2);
          column += std::pow(t_[h] * size[h * n + g] / t_[g], 2);
        }
        double least = 1e-16 * (row + column);
        if (row + column > 0) t_[g] *= std::pow(std::max(column, least) / std::max(row, least), 0.25);
        t_[g] = std::clamp(t_[g], 1e-6, 1e6);
      }
  }

  // The norm of T K T^-1 by powers; its singular vectors stay in u_ and v_.
  double norm() {
    if (v_.empty()) v_.assign(columns_, 1);
    std::vector<double> left(rows_, 1), right(columns_, 1);
    for (size_t g = 0; g < groups_.size(); ++g) {
      for (size_t i = 0; i < groups_[g].columns; ++i) left[groups_[g].column + i] = t_[g];
      for (size_t i = 0; i < groups_[g].rows; ++i) right[groups_[g].row + i] = t_[g];
    }
    double value = 0;
    for (double& x : v_) x += 1e-3 / std::sqrt(static_cast<double>(columns_));
    for (int round = 0; round < 60; ++round) {
      normalise(v_);
      u_.assign(rows_, 0);
      for (size_t i = 0; i < rows_; ++i)
        for (size_t c = 0; c < columns_; ++c) u_[i] += left[i] * k_[i * columns_ + c] / right[c] * v_[c];
      value = normalise(u_);
      v_.assign(columns_, 0);
      for (size_t i = 0; i < rows_; ++i)
        for (size_t c = 0; c < columns_; ++c) v_[c] += left[i] * k_[i * columns_ + c] / right[c] * u_[i];
    }
    normalise(v_);
    return value;
  }
  static double normalise(std::vector<double>& x) {
    double length = std::sqrt(part(x, 0, x.size()));
    for (double& value : x) value /= length > 0 ? length : 1;
    return length;
  }

  const std::vector<Group>& groups_;
  size_t rows_, columns_;
  std::vector<double> k_, t_, u_, v_;
};

// A bound below 1 on ||X||, about `guess`, or 1: X'X < bound^2 by Cholesky.
double normBelowOne(const Matrix& x, double guess) {
  IntervalMatrix gram(x.columns);
  for (size_t i = 0; i < x.columns; ++i)
    for (size_t c = 0; c <= i; ++c) {
      Interval sum = 0.0;
      for (size_t l = 0; l < x.rows; ++l) sum = sum + x.at(l, i) * x.at(l, c);
      gram.at(i, c) = gram.at(c, i) = -sum;
    }
  for (double share : {1e-7, 1e-3, 0.1, 0.5, 0.9}) {
    double bound = guess + share * (1 - guess);
    if (!(bound < 1)) continue;
    IntervalMatrix rest = gram;
    for (size_t i = 0; i < x.columns; ++i) rest.at(i, i) = rest.at(i, i) + Interval(bound) * Interval(bound);
    if (symmetricPartPositiveDefinite(rest)) return bound;
  }
  return 1;
}

double length(const Matrix& x, size_t column) {
  double sum = 0;
  for (size_t i = 0; i < x.rows; ++i)
    if (double size = x.at(i, column).magnitude(); size > 0) sum = roundUp(sum + roundUp(size * size));
  return roundUp(std::sqrt(sum));
}

Matrix product(const Matrix& a, const Matrix& b) {
  Matrix c(a.rows, b.columns);
  for (size_t i = 0; i < a.rows; ++i)
    for (size_t l = 0; l < a.columns; ++l) {
      Interval x = a.at(i, l);
      if (x.lo == 0 && x.hi == 0) continue;
      for (size_t k = 0; k < b.columns; ++k) c.at(i, k) = c.at(i, k) + x * b.at(l, k);
    }
  return c;
}

// With x0 = A_c^-1 b and X = A_c^-1 B, the solution of A x = b is x0 + X w, w = Delta (s + K w); scaled,
// |t w| <= |reach t s| / (1 - bound). The largest row sum of |x| over the columns of b.
class Bounds {
 public:
  Bounds(const Matrix& x, const std::vector<Group>& groups, const std::vector<double>& t, double bound)
      : groups_(groups), t_(t), bound_(bound) {
    for (size_t i = 0; i < x.rows; ++i) {
      double sum = 0;
      for (size_t g = 0; g < groups.size(); ++g)
        for (size_t c = groups[g].row; c < groups[g].row + groups[g].rows; ++c)
          if (double size = (x.at(i, c) / Interval(t[g])).magnitude(); size > 0) sum = roundUp(sum + roundUp(size * size));
      rows_.push_back(roundUp(std::sqrt(sum)));
    }
  }

  double largest(const Matrix& x0, Matrix s) const {
    for (size_t g = 0; g < groups_.size(); ++g)
      for (size_t i = groups_[g].column; i < groups_[g].column + groups_[g].columns; ++i)
        for (size_t c = 0; c < s.columns; ++c)
          s.at(i, c) = Interval(groups_[g].reach) * Interval(t_[g]) * s.at(i, c);
    std::vector<double> sums(x0.rows, 0);
    for (size_t c = 0; c < x0.columns; ++c) {
      double w = roundUp(length(s, c) / roundDown(1 - bound_));
      for (size_t i = 0; i < x0.rows; ++i) {
        double size = roundUp(x0.at(i, c).magnitude() + roundUp(rows_[i] * w));
        if (size > 0) sums[i] = roundUp(sums[i] + size);
      }
    }
    return sums.empty() ? 0 : *std::max_element(sums.begin(), sums.end());
  }

 private:
  const std::vector<Group>& groups_;
  const std::vector<double>& t_;
  double bound_;
  std::vector<double> rows_;
};

}  // namespace

LiftedJacobian::Thetas centres(const LiftedJacobian& j, const std::vector<Block>& blocks) {
  LiftedJacobian::Thetas all;
  for (const LiftedJacobian::Part& part : j.parts) all.push_back(centre(blocks[part.block]));
  return all;
}

Matrix feedColumns(const LiftedJacobian& j) {
  Matrix b(j.n + j.k(), j.k() + j.feeds.columns);
  for (size_t i = 0; i < j.k(); ++i) b.at(j.n + i, i) = 1.0;
  for (size_t i = 0; i < j.feeds.rows; ++i)
    for (size_t c = 0; c < j.feeds.columns; ++c) b.at(i, j.k() + c) = j.feeds.at(i, c);
  return b;
}

Matrix readRows(const LiftedJacobian& j) {
  Matrix c(j.k() + j.reads.rows, j.n + j.k());
  for (size_t l = 0; l < c.columns; ++l) {
    for (size_t i = 0; i < j.k(); ++i) c.at(i, l) = j.unknowns.at(j.n + i, l);
    for (size_t i = 0; i < j.reads.rows; ++i) c.at(j.k() + i, l) = j.reads.at(i, l);
  }
  return c;
}

Regular byBlocks(const LiftedJacobian& j, const std::vector<Block>& blocks, const Matrix& residual) {
  Regular result;
  result.how = "the scaled norm of the response of kinks of rank above one";
  std::vector<Group> groups = groupsOf(j, blocks);
  std::vector<Interval> halves(j.k(), Interval(0.5));
  LiftedJacobian::Thetas thetas = centres(j, blocks);
  Matrix a = j.at(halves, thetas), b = feedColumns(j), c = readRows(j);
  if (b.columns > kGainLimit || c.rows > kGainLimit) return result;
  std::optional<Preconditioner> p = regularAt(a);
  if (!p) return result;
  Matrix x = encloseSolution(*p, a, b);
  Matrix gain = product(c, x);
  const auto [t, guess] = Scaling(gain, groups).find();
  for (const Group& g : groups)
    for (const Group& h : groups)
      for (size_t i = g.column; i < g.column + g.columns; ++i)
        for (size_t l = h.row; l < h.row + h.rows; ++l) {
          size_t from = static_cast<size_t>(&h - groups.data()), to = static_cast<size_t>(&g - groups.data());
          gain.at(i, l) = Interval(g.reach) * Interval(t[to]) * gain.at(i, l) / Interval(t[from]);
        }
  double bound = normBelowOne(gain, guess);
  if (!(bound < 1)) return result;
  result.holds = result.bounded = true;
  Bounds bounds(x, groups, t, bound);
  if (residual.rows > 0) {
    Matrix f(j.n + j.k(), 1);
    for (size_t i = 0; i < j.n; ++i) f.at(i, 0) = residual.at(i, 0);
    Matrix x0 = encloseSolution(*p, a, f);
    result.correction = bounds.largest(x0, product(c, x0));
  }
  Matrix right = j.parametersAt(halves, thetas);
  Matrix x0 = encloseSolution(*p, a, right), s = product(c, x0);
  for (size_t l = 0; l < s.columns; ++l) {
    for (size_t i = 0; i < j.k(); ++i) s.at(i, l) = s.at(i, l) - j.parameters.at(j.n + i, l);
    for (size_t i = 0; i < j.reads.rows; ++i) s.at(j.k() + i, l) = s.at(j.k() + i, l) - j.reads_parameters.at(i, l);
  }
  result.lipschitz = bounds.largest(x0, std::move(s));
  return result;
}

}  // namespace dini::certify
