#include "certify/enclosure.h"

#include <algorithm>

#include "dini/linalg.h"

namespace dini::certify {
namespace {

constexpr double kUnit = 0x1p-53;

// Gauss-Jordan with partial pivoting; empty: a pivot is 0.
std::vector<double> inverse(size_t n, std::vector<double> a) {
  std::vector<double> x(n * n, 0);
  for (size_t i = 0; i < n; ++i) x[i * n + i] = 1;
  for (size_t k = 0; k < n; ++k) {
    size_t best = k;
    for (size_t i = k + 1; i < n; ++i)
      if (std::abs(a[i * n + k]) > std::abs(a[best * n + k])) best = i;
    double pivot = a[best * n + k];
    if (!(std::abs(pivot) > 0) || !std::isfinite(pivot)) return {};
    for (size_t j = 0; j < n; ++j) {
      std::swap(a[k * n + j], a[best * n + j]);
      std::swap(x[k * n + j], x[best * n + j]);
    }
    for (size_t j = 0; j < n; ++j) {
      a[k * n + j] /= pivot;
      x[k * n + j] /= pivot;
    }
    for (size_t i = 0; i < n; ++i) {
      double factor = a[i * n + k];
      if (i == k || factor == 0) continue;
      for (size_t j = 0; j < n; ++j) {
        a[i * n + j] -= factor * a[k * n + j];
        x[i * n + j] -= factor * x[k * n + j];
      }
    }
  }
  return x;
}

// Entrywise bounds |target - R B| for all B in b, with target the identity or zero: the middle's
// product in floating point, its rounding by n + 2 units of the product of magnitudes.
std::vector<double> productBounds(const Preconditioner& p, const Matrix& b, bool less_identity) {
  size_t n = p.n, m = b.columns;
  std::vector<double> product(n * m, 0), slack(n * m, 0), middle(n * m), radius(n * m);
  for (size_t k = 0; k < n * m; ++k) {
    middle[k] = b.entries[k].middle();
    radius[k] = b.entries[k].radius();
  }
  double rounding = (static_cast<double>(n) + 4) * kUnit;
  for (size_t i = 0; i < n; ++i)
    for (size_t k = 0; k < n; ++k) {
      double r = p.r[i * n + k], size = std::abs(r);
      if (r == 0) continue;
      for (size_t j = 0; j < m; ++j) {
        product[i * m + j] += r * middle[k * m + j];
        slack[i * m + j] += size * (radius[k * m + j] + rounding * std::abs(middle[k * m + j]));
      }
    }
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < m; ++j) {
      size_t at = i * m + j;
      double off = std::abs(product[at] - (less_identity && i == j ? 1.0 : 0.0));
      product[at] = roundUp((off + slack[at]) * (1 + 2 * rounding + 8 * kUnit) +
                            std::numeric_limits<double>::min());
    }
  return product;
}

double largestRowSum(size_t n, size_t m, const std::vector<double>& bounds) {
  double largest = 0;
  for (size_t i = 0; i < n; ++i) {
    double sum = 0;
    for (size_t j = 0; j < m; ++j) sum = roundUp(sum + bounds[i * m + j]);
    if (std::isnan(sum)) return std::numeric_limits<double>::infinity();
    largest = std::max(largest, sum);
  }
  return largest;
}

}  // namespace

bool Matrix::finite() const {
  return std::all_of(entries.begin(), entries.end(), [](Interval x) { return x.finite(); });
}

std::optional<Preconditioner> precondition(const Matrix& a) {
  if (!a.finite()) return std::nullopt;
  Preconditioner p;
  p.n = a.rows;
  std::vector<double> middle;
  for (const Interval& entry : a.entries) middle.push_back(entry.middle());
  p.r = inverse(p.n, std::move(middle));
  bool bad = std::any_of(p.r.begin(), p.r.end(), [](double x) { return !std::isfinite(x); });
  if (p.r.size() != p.n * p.n || bad) return std::nullopt;
  p.eta = largestRowSum(p.n, p.n, productBounds(p, a, true));
  return p;
}

Matrix encloseSolution(const Preconditioner& p, const Matrix& a, const Matrix& b) {
  size_t n = p.n, m = b.columns;
  Matrix x(n, m);
  double shrink = roundDown(1 - p.eta);
  for (size_t c = 0; c < m; ++c) {
    std::vector<double> approximate(n, 0);
    for (size_t i = 0; i < n; ++i)
      for (size_t k = 0; k < n; ++k) approximate[i] += p.r[i * n + k] * b.at(k, c).middle();
    Matrix residual(n, 1);
    for (size_t i = 0; i < n; ++i) {
      Interval sum = b.at(i, c);
      for (size_t k = 0; k < n; ++k) sum = sum - a.at(i, k) * Interval(approximate[k]);
      residual.at(i, 0) = sum;
    }
    // |X - X~| <= |R (b - A X~)| + ||I - R A|| ||X - X~||
    double bound = largestRowSum(n, 1, productBounds(p, residual, false));
    double radius = roundUp(bound / shrink);
    bool exact = std::all_of(residual.entries.begin(), residual.entries.end(),
                             [](Interval r) { return r.lo == 0 && r.hi == 0; });
    for (size_t i = 0; i < n; ++i)
      x.at(i, c) = exact ? Interval(approximate[i])
                         : Interval(roundDown(approximate[i] - radius), roundUp(approximate[i] + radius));
  }
  return x;
}

double boundSolution(const Preconditioner& p, const Matrix& b) {
  bool zero = std::all_of(b.entries.begin(), b.entries.end(),
                          [](Interval x) { return x.lo == 0 && x.hi == 0; });
  if (zero) return 0;
  double top = largestRowSum(p.n, b.columns, productBounds(p, b, false));
  return roundUp(top / roundDown(1 - p.eta));
}

Singularity singularity(const Matrix& a) {
  size_t n = a.rows;
  Singularity result;
  std::vector<double> x, columns(n, 1);
  for (const Interval& entry : a.entries) x.push_back(entry.middle());
  if (n == 0 || !a.finite()) return result;
  for (size_t i = 0; i < n; ++i) {
    double largest = 0;
    for (size_t j = 0; j < n; ++j) largest = std::max(largest, std::abs(x[i * n + j]));
    for (size_t j = 0; j < n && largest > 0; ++j) x[i * n + j] /= largest;
  }
  for (size_t j = 0; j < n; ++j) {
    double largest = 0;
    for (size_t i = 0; i < n; ++i) largest = std::max(largest, std::abs(x[i * n + j]));
    if (largest > 0) columns[j] = largest;
    for (size_t i = 0; i < n; ++i) x[i * n + j] /= columns[j];
  }
  auto size = static_cast<int64_t>(n);
  std::vector<double> u(n * n), s(n), v(n * n), work(static_cast<size_t>(dini_svd_work(size, size)));
  if (dini_svd(size, size, x.data(), u.data(), s.data(), v.data(), work.data()) != 0) return result;
  result.ratio = s[0] > 0 ? s[n - 1] / s[0] : 0;
  double largest = 0;
  for (size_t i = 0; i < n; ++i) {
    result.kernel.push_back(v[i * n + n - 1] / columns[i]);
    largest = std::max(largest, std::abs(result.kernel.back()));
  }
  for (double& k : result.kernel) k /= largest > 0 ? largest : 1;
  return result;
}

}  // namespace dini::certify
