#include "certify/block_witness.h"

#include <cmath>
#include <random>

#include "certify/block.h"

namespace dini::certify {
namespace {

struct Determinant {
  int sign = 0;
  double log = 0;
};

Determinant determinant(const Matrix& matrix) {
  size_t n = matrix.rows;
  std::vector<double> a;
  for (const Interval& entry : matrix.entries) a.push_back(entry.middle());
  Determinant result{1, 0};
  for (size_t k = 0; k < n; ++k) {
    size_t best = k;
    for (size_t i = k + 1; i < n; ++i)
      if (std::abs(a[i * n + k]) > std::abs(a[best * n + k])) best = i;
    if (a[best * n + k] == 0) return {};
    if (best != k) {
      for (size_t c = 0; c < n; ++c) std::swap(a[k * n + c], a[best * n + c]);
      result.sign = -result.sign;
    }
    if (a[k * n + k] < 0) result.sign = -result.sign;
    result.log += std::log(std::abs(a[k * n + k]));
    for (size_t i = k + 1; i < n; ++i) {
      double factor = a[i * n + k] / a[k * n + k];
      for (size_t c = k; c < n && factor != 0; ++c) a[i * n + c] -= factor * a[k * n + c];
    }
  }
  return result;
}

// Weights and elements; one group is a weight or an element.
struct Member {
  std::vector<double> weights;
  LiftedJacobian::Thetas thetas;
  size_t groups() const { return weights.size() + thetas.size(); }
  std::vector<double> group(size_t g) const {
    return g < weights.size() ? std::vector<double>{weights[g]} : thetas[g - weights.size()];
  }
  void set(size_t g, std::vector<double> value) {
    if (g < weights.size()) weights[g] = value[0];
    else thetas[g - weights.size()] = std::move(value);
  }
};

std::vector<double> mixed(const std::vector<double>& a, const std::vector<double>& b, double t) {
  std::vector<double> c;
  for (size_t i = 0; i < a.size(); ++i) c.push_back((1 - t) * a[i] + t * b[i]);
  return c;
}

class Search {
 public:
  Search(const LiftedJacobian& j, const std::vector<Block>& blocks)
      : j_(j), blocks_(blocks), feeds_(feedColumns(j)), reads_(readRows(j)) {}

  std::optional<BlockWitness> run() {
    constexpr int kStarts = 16;
    for (int start = 0; start < kStarts; ++start) {
      Member member = starting(start);
      if (auto found = see(member)) return found;
      for (int step = 0; step < 12; ++step) {
        bool moved = false;
        for (size_t g = 0; g < member.groups(); ++g) {
          if (auto found = improve(member, g, moved)) return found;
        }
        if (!moved) break;
      }
    }
    return std::nullopt;
  }

 private:
  Matrix at(const Member& m) const { return j_.at(pointWeights(m.weights), m.thetas); }

  // The centre, the two ends, and random members.
  Member starting(int number) {
    auto uniform = [&] { return static_cast<double>(draw_() >> 11) * 0x1p-52 - 1; };
    Member m;
    for (size_t i = 0; i < j_.k(); ++i) m.weights.push_back(number == 0 ? 0.5 : number < 3 ? number - 1 : uniform() > 0);
    for (const LiftedJacobian::Part& part : j_.parts) {
      const Block& block = blocks_[part.block];
      std::vector<double> h(part.columns);
      for (double& x : h) x = uniform();
      m.thetas.push_back(number == 0 ? centre(block) : element(block, h));
    }
    return m;
  }

  // What a member's determinant tells, with those of before.
  std::optional<BlockWitness> see(const Member& m) {
    Determinant det = determinant(at(m));
    if (det.sign == 0) return BlockWitness{m.weights, m.thetas, false};
    if (sign_ == 0) {
      sign_ = det.sign;
      first_ = m;
    }
    if (det.sign != sign_) return between(first_, m);
    return std::nullopt;
  }

  // From a to b one group after the other, and in the one where the sign changes by bisection.
  std::optional<BlockWitness> between(Member a, const Member& b) {
    for (size_t g = 0; g < a.groups(); ++g) {
      std::vector<double> from = a.group(g), to = b.group(g);
      a.set(g, to);
      int sign = determinant(at(a)).sign;
      if (sign == 0) return BlockWitness{a.weights, a.thetas, false};
      if (sign == sign_) continue;
      double low = 0, high = 1;
      while (high - low > 1e-17) {
        double middle = low + (high - low) / 2;
        if (middle <= low || middle >= high) break;
        a.set(g, mixed(from, to, middle));
        (determinant(at(a)).sign == sign_ ? low : high) = middle;
      }
      a.set(g, mixed(from, to, high));
      return BlockWitness{a.weights, a.thetas, true};
    }
    return std::nullopt;
  }

  // d log|det| / d group = -(C A^-1 B)', restricted; towards the element that lowers it most.
  std::optional<BlockWitness> improve(Member& m, size_t g, bool& moved) {
    Matrix a = at(m);
    std::optional<Preconditioner> p = precondition(a);
    if (!p) return std::nullopt;
    std::vector<double> old = m.group(g), target;
    if (g < j_.k()) {
      target = {gain(*p, g, g) < 0 ? 0.0 : 1.0};
    } else {
      const LiftedJacobian::Part& part = j_.parts[g - j_.k()];
      std::vector<double> slopes(part.rows * part.columns);
      for (size_t r = 0; r < part.rows; ++r)
        for (size_t c = 0; c < part.columns; ++c)
          slopes[r * part.columns + c] = -gain(*p, j_.k() + part.column + c, j_.k() + part.row + r);
      target = leastElement(blocks_[part.block], slopes);
    }
    double before = determinant(a).log;
    for (double step : {1.0, 0.5, 0.25}) {
      m.set(g, mixed(old, target, step));
      if (auto found = see(m)) return found;
      if (determinant(at(m)).log < before - 1e-9) {
        moved = true;
        return std::nullopt;
      }
    }
    m.set(g, old);
    return std::nullopt;
  }

  double gain(const Preconditioner& p, size_t row, size_t column) const {
    double sum = 0;
    for (size_t i = 0; i < p.n; ++i) {
      double left = 0;
      for (size_t k = 0; k < p.n; ++k) left += p.r[i * p.n + k] * feeds_.at(k, column).middle();
      sum += reads_.at(row, i).middle() * left;
    }
    return sum;
  }

  const LiftedJacobian& j_;
  const std::vector<Block>& blocks_;
  Matrix feeds_, reads_;
  std::mt19937_64 draw_{20210614};
  int sign_ = 0;
  Member first_;
};

}  // namespace

std::optional<BlockWitness> singularElement(const LiftedJacobian& j, const std::vector<Block>& blocks) {
  return Search(j, blocks).run();
}

}  // namespace dini::certify
