#include "hand/brusselator.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <utility>

namespace dini::bench {
namespace {

constexpr double kStep = 0.1, kA = 1, kB = 3.4, kDiffusion = 0.002;
std::size_t at(int64_t k) { return static_cast<std::size_t>(k); }

}  // namespace

// Column e of the Jacobian of z - h f(z): the four neighbours of its chemical, itself, and the other chemical there. The
// Jacobian of diffusion is symmetric. Rows ascend; `entries_` has the diffusion, the reaction is added by jacobian().
BrusselatorByHand::BrusselatorByHand(int64_t n, int64_t steps, std::vector<double> start, bool always_search)
    : n_(n), m_(2 * n * n), steps_(steps), start_(std::move(start)), z_(start_), r_(start_), bar_(start_),
      always_search_(always_search) {
  starts_.push_back(0);
  for (int64_t e = 0; e < m_; ++e) {
    const int64_t s = e % 2, i = e / 2 / n, j = e / 2 % n;
    auto of = [&](int64_t row, int64_t column) { return 2 * (n * ((row + n) % n) + (column + n) % n) + s; };
    std::array<int64_t, 6> rows = {of(i + 1, j), of(i - 1, j), of(i, j + 1), of(i, j - 1), e, e + 1 - 2 * s};
    std::sort(rows.begin(), rows.end());
    rows_.insert(rows_.end(), rows.begin(), rows.end());
    starts_.push_back(static_cast<int64_t>(rows_.size()));
  }
  entries_.resize(rows_.size());
  path_.assign(at(steps + 1), start_);
  klu_l_defaults(&common_);
  symbolic_ = klu_l_analyze(m_, starts_.data(), rows_.data(), &common_);
}

BrusselatorByHand::~BrusselatorByHand() {
  if (numeric_ != nullptr) klu_l_free_numeric(&numeric_, &common_);
  klu_l_free_symbolic(&symbolic_, &common_);
}

void BrusselatorByHand::jacobian() {
  const double scale = kStep * kDiffusion * static_cast<double>(n_ * n_);
  for (int64_t e = 0; e < m_; ++e) {
    const double u = z_[at(e - e % 2)], v = z_[at(e + 1 - e % 2)];
    for (int64_t k = starts_[at(e)]; k < starts_[at(e + 1)]; ++k) {
      const int64_t row = rows_[at(k)];
      double& entry = entries_[at(k)];
      if (row == e) entry = 1 + 4 * scale - kStep * (e % 2 == 0 ? 2 * u * v - (kB + 1) : -u * u);
      else if (row / 2 == e / 2) entry = -kStep * (e % 2 == 0 ? kB - 2 * u * v : u * u);
      else entry = -scale;
    }
  }
}

// r = z - h f(z) - old; its largest entry.
double BrusselatorByHand::residual(const std::vector<double>& old) {
  const double scale = kDiffusion * static_cast<double>(n_ * n_);
  double largest = 0;
  for (int64_t i = 0; i < n_; ++i) {
    const int64_t up = n_ * (i + 1 == n_ ? 0 : i + 1), down = n_ * (i == 0 ? n_ - 1 : i - 1), here = n_ * i;
    for (int64_t j = 0; j < n_; ++j) {
      const int64_t right = j + 1 == n_ ? 0 : j + 1, left = j == 0 ? n_ - 1 : j - 1, p = 2 * (here + j);
      auto lap = [&](int64_t s) {
        return z_[at(2 * (up + j) + s)] + z_[at(2 * (down + j) + s)] + z_[at(2 * (here + right) + s)] + z_[at(2 * (here + left) + s)] - 4 * z_[at(p + s)];
      };
      const double u = z_[at(p)], v = z_[at(p + 1)];
      r_[at(p)] = u - kStep * (kA + u * u * v - (kB + 1) * u + scale * lap(0)) - old[at(p)];
      r_[at(p + 1)] = v - kStep * (kB * u - u * u * v + scale * lap(1)) - old[at(p + 1)];
      largest = std::max({largest, std::fabs(r_[at(p)]), std::fabs(r_[at(p + 1)])});
    }
  }
  return largest;
}

bool BrusselatorByHand::factor(bool search) {
  if (numeric_ != nullptr && !search && !always_search_)
    return klu_l_refactor(starts_.data(), rows_.data(), entries_.data(), symbolic_, numeric_, &common_) != 0;
  if (numeric_ != nullptr) klu_l_free_numeric(&numeric_, &common_);
  numeric_ = klu_l_factor(starts_.data(), rows_.data(), entries_.data(), symbolic_, &common_);
  return numeric_ != nullptr;
}

bool BrusselatorByHand::step(const std::vector<double>& old) {
  for (int turn = 0; turn < 20; ++turn) {
    if (residual(old) < 1e-13) return true;
    jacobian();
    if (!factor(turn == 0)) return false;
    klu_l_solve(symbolic_, numeric_, m_, 1, r_.data(), &common_);
    for (std::size_t k = 0; k < z_.size(); ++k) z_[k] -= r_[k];
  }
  return false;
}

void BrusselatorByHand::finish() {
  double sum = 0, squares = 0;
  const double count = static_cast<double>(n_ * n_);
  for (std::size_t k = 0; k < z_.size(); k += 2) sum += z_[k];
  for (std::size_t k = 0; k < z_.size(); k += 2) squares += (z_[k] - sum / count) * (z_[k] - sum / count);
  value_ = squares / count;
  for (std::size_t k = 0; k < z_.size(); ++k) bar_[k] = k % 2 == 0 ? 2 * (z_[k] - sum / count) / count : 0;
}

bool BrusselatorByHand::run() {
  z_ = start_;
  for (int64_t k = 0; k < steps_; ++k) {
    path_[at(k)] = z_;
    if (!step(path_[at(k)])) return false;
  }
  path_[at(steps_)] = z_;
  finish();
  return true;
}

bool BrusselatorByHand::runAndGradient() {
  if (!run()) return false;
  for (int64_t k = steps_; k > 0; --k) {
    z_ = path_[at(k)];
    jacobian();
    if (!factor(false)) return false;
    klu_l_tsolve(symbolic_, numeric_, m_, 1, bar_.data(), &common_);
  }
  return true;
}

}  // namespace dini::bench
