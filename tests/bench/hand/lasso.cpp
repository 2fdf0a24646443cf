#include "hand/lasso.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "dini/linalg.h"
#include "hand/lanes.h"

namespace dini::bench {
namespace {

double dot(const double* u, const double* v, int64_t n) {
  Lanes s[4] = {};
  int64_t i = 0;
  for (; i + 32 <= n; i += 32)
    for (int64_t j = 0; j < 4; ++j) s[j] += load(u + i + 8 * j) * load(v + i + 8 * j);
  double sum = sumLanes((s[0] + s[1]) + (s[2] + s[3]));
  for (; i < n; ++i) sum += u[i] * v[i];
  return sum;
}

// Of u with four columns at once.
void dots(const double* u, const double* const v[4], int64_t n, double made[4]) {
  Lanes s[4] = {}, t[4] = {};
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const Lanes first = load(u + i), second = load(u + i + 8);
    for (int64_t j = 0; j < 4; ++j) {
      s[j] += first * load(v[j] + i);
      t[j] += second * load(v[j] + i + 8);
    }
  }
  for (int64_t j = 0; j < 4; ++j) {
    made[j] = sumLanes(s[j] + t[j]);
    for (int64_t rest = i; rest < n; ++rest) made[j] += u[rest] * v[j][rest];
  }
}

void addTo(double* u, double a, const double* v, int64_t n) {
  for (int64_t i = 0; i < n; ++i) u[i] += a * v[i];
}

std::vector<double> byColumns(const std::vector<double>& rows, int64_t m, int64_t n) {
  std::vector<double> columns(rows.size());
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) columns[static_cast<std::size_t>(j * m + i)] = rows[static_cast<std::size_t>(i * n + j)];
  return columns;
}

double soft(double v, double t) { return v > t ? v - t : v < -t ? v + t : 0; }
double signOf(double v) { return v > 0 ? 1 : v < 0 ? -1 : 0; }

}  // namespace

LassoByHand::LassoByHand(const LassoProblem& p)
    : m_(p.m), n_(p.n), k_(p.k), X_(byColumns(p.X, p.m, p.n)), y_(p.y), V_(byColumns(p.V, p.k, p.n)),
      t_(p.t), b_(static_cast<std::size_t>(p.n)), r_(p.y), c_(b_), in_set_(b_.size()), u_(b_), beta_(b_),
      step_(b_), miss_(p.t) {
  for (int64_t j = 0; j < n_; ++j) order_.push_back(j);
}

// The columns that correlate most with the residual join.
void LassoByHand::enlarge(std::size_t size) {
  size = std::min(size, static_cast<std::size_t>(n_));
  std::nth_element(order_.begin(), order_.begin() + static_cast<std::ptrdiff_t>(size - 1), order_.end(),
                   [&](int64_t i, int64_t j) { return std::fabs(c_[static_cast<std::size_t>(i)]) > std::fabs(c_[static_cast<std::size_t>(j)]); });
  const std::size_t from = set_.size();
  for (std::size_t k = 0; k < size; ++k) {
    const auto j = static_cast<std::size_t>(order_[k]);
    if (in_set_[j]) continue;
    in_set_[j] = 1;
    beta_[set_.size()] = 0;
    set_.push_back(order_[k]);
  }
  addToGram(from);
}

void LassoByHand::addToGram(std::size_t from) {
  const std::size_t size = set_.size(), stride = static_cast<std::size_t>(n_);
  gram_.resize(std::max(gram_.size(), size * stride));
  const auto column = [&](std::size_t i) { return &X_[static_cast<std::size_t>(set_[i] * m_)]; };
  for (std::size_t i = from; i < size; ++i)
    for (std::size_t j = 0; j <= i; j += 4) {
      const double* const four[4] = {column(j), column(std::min(j + 1, i)), column(std::min(j + 2, i)),
                                     column(std::min(j + 3, i))};
      double made[4];
      dots(column(i), four, m_, made);
      for (std::size_t k = 0; k < 4 && j + k <= i; ++k)
        gram_[i * stride + j + k] = gram_[(j + k) * stride + i] = made[k];
    }
  for (std::size_t i = 0; i < size; ++i) u_[i] = c_[static_cast<std::size_t>(set_[i])];
}

bool LassoByHand::factor() {
  support_.clear();
  for (std::size_t i = 0; i < set_.size(); ++i)
    if (beta_[i] != 0) support_.push_back(i);
  const std::size_t s = support_.size();
  factor_.resize(s * s);
  for (std::size_t i = 0; i < s; ++i)
    for (std::size_t j = 0; j < s; ++j) factor_[i * s + j] = gram_[support_[i] * static_cast<std::size_t>(n_) + support_[j]];
  return dini_cholesky(static_cast<int64_t>(s), factor_.data(), factor_.data()) == 0;
}

void LassoByHand::solveFactored() {
  constexpr int64_t kPositiveDefinite = 2;  // of ir::Structure
  dini_solve_factored(kPositiveDefinite, 0, static_cast<int64_t>(support_.size()), 1, factor_.data(), nullptr,
                      step_.data(), step_.data());
}

// G_SS d = (what is left of q - G beta) - penalty sign(beta).
bool LassoByHand::newton(bool& settled) {
  if (!factor()) return false;
  const auto s = static_cast<int64_t>(support_.size());
  for (int64_t i = 0; i < s; ++i)
    step_[static_cast<std::size_t>(i)] = u_[support_[static_cast<std::size_t>(i)]] - penalty_ * signOf(beta_[support_[static_cast<std::size_t>(i)]]);
  solveFactored();
  settled = true;
  for (int64_t i = 0; i < s; ++i) {
    const double beta = beta_[support_[static_cast<std::size_t>(i)]];
    settled = settled && signOf(beta + step_[static_cast<std::size_t>(i)]) == signOf(beta);
  }
  if (!settled) return true;
  for (int64_t i = 0; i < s; ++i) {
    const std::size_t at = support_[static_cast<std::size_t>(i)];
    beta_[at] += step_[static_cast<std::size_t>(i)];
    addTo(u_.data(), -step_[static_cast<std::size_t>(i)], &gram_[at * static_cast<std::size_t>(n_)], static_cast<int64_t>(set_.size()));
  }
  for (std::size_t i = 0; i < set_.size(); ++i) settled = settled && std::fabs(u_[i]) <= penalty_ * (1 + 1e-11);
  return true;
}

bool LassoByHand::minimiseOnSet() {
  const std::size_t size = set_.size(), stride = static_cast<std::size_t>(n_);
  for (int pass = 0; pass < 1000; ++pass) {
    bool same = true;
    for (std::size_t j = 0; j < size; ++j) {
      const double h = gram_[j * stride + j], old = beta_[j];
      const double beta = soft(old + u_[j] / h, penalty_ / h);
      if (beta == old) continue;
      same = same && signOf(beta) == signOf(old);
      beta_[j] = beta;
      addTo(u_.data(), old - beta, &gram_[j * stride], static_cast<int64_t>(size));
    }
    if (!same) continue;
    bool settled = false;
    if (!newton(settled)) return false;
    if (settled) return true;
  }
  return false;
}

void LassoByHand::residual() {
  r_ = y_;
  for (std::size_t i = 0; i < set_.size(); ++i)
    if (beta_[i] != 0) addTo(r_.data(), -beta_[i], &X_[static_cast<std::size_t>(set_[i] * m_)], m_);
  for (int64_t j = 0; j < n_; ++j) c_[static_cast<std::size_t>(j)] = dot(&X_[static_cast<std::size_t>(j * m_)], r_.data(), m_);
}

double LassoByHand::loss() {
  miss_ = t_;
  for (std::size_t i = 0; i < set_.size(); ++i)
    if (beta_[i] != 0) addTo(miss_.data(), -beta_[i], &V_[static_cast<std::size_t>(set_[i] * k_)], k_);
  return dot(miss_.data(), miss_.data(), k_) / 2;
}

bool LassoByHand::solve(double penalty) {
  penalty_ = penalty;
  set_.clear();
  std::fill(in_set_.begin(), in_set_.end(), 0);
  residual();
  for (int turn = 0; turn < 50; ++turn) {
    std::size_t violating = 0;
    for (int64_t j = 0; j < n_; ++j)
      violating += !in_set_[static_cast<std::size_t>(j)] && std::fabs(c_[static_cast<std::size_t>(j)]) > penalty_ * (1 + 1e-10);
    if (turn > 0 && violating == 0) break;
    if (turn == 49) return false;
    enlarge(turn == 0 ? 30 : std::min<std::size_t>(violating, 30));
    if (!minimiseOnSet()) return false;
    residual();
  }
  std::fill(b_.begin(), b_.end(), 0.0);
  for (std::size_t i = 0; i < set_.size(); ++i) b_[static_cast<std::size_t>(set_[i])] = beta_[i];
  value_ = loss();
  return true;
}

// The loss falls by miss'V_S db_S, and db_S = -(X_S'X_S)^-1 sign(b_S) d penalty; the factor stands.
bool LassoByHand::solveAndSlope(double penalty) {
  if (!solve(penalty)) return false;
  for (std::size_t i = 0; i < support_.size(); ++i) step_[i] = signOf(beta_[support_[i]]);
  solveFactored();
  slope_ = 0;
  for (std::size_t i = 0; i < support_.size(); ++i)
    slope_ += step_[i] * dot(miss_.data(), &V_[static_cast<std::size_t>(set_[support_[i]] * k_)], k_);
  return true;
}

}  // namespace dini::bench
