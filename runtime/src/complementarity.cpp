// The linear complementarity problem, and the one-sided derivative of a solve at its ties.
//
// Least-index principal pivoting (Murty 1974, Bard): y = q + M u, start with u = 0; while a basic
// variable is negative, exchange the one of least index with its complement. Finite for P-matrices,
// where every principal pivot is nonzero; the rule that exchanges all negative ones at once, which
// is semismooth Newton, cycles on M = [1 0 2; 2 1 0; 0 2 1], q = -1.
//
// The derivative. Along a direction, with tied switches at weight 0 and u_j = relu(s_j)_dot added
// where each feeds the equations,
//   A z_dot + C u + b = 0,   s_dot = P z_dot + R u + p,   u = relu(s_dot),
// so s_dot = q + S u with S = R - P A^-1 C, q = p - P A^-1 b. With y = u - s_dot = relu(-s_dot) this
// is y = M u - q, M = I - S, u >= 0, y >= 0, u'y = 0. All Jacobians of the equations are invertible
// if and only if A is and M is a P-matrix (docs/nonsmooth.md). A switch held at weight d adds
// u_j = d s_j_dot; those are eliminated first.
#include "dini/complementarity.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "array.h"
#include "dini/linalg.h"

namespace {

using Vector = dini::Array<double>;
using Numbers = dini::Array<int64_t>;

constexpr double kZero = 1e-12;  // of the terms of a sum that has been through solves
constexpr double kOpen = std::numeric_limits<double>::quiet_NaN();

// A square system, factored once.
class System {
 public:
  System(int64_t n, const double* a)
      : n_(n), factors_(n * n), pivots_(n) {
    if (n == 0) return;
    Vector work(dini_factor_work(n));
    double rcond = 0;
    regular_ = dini_factor(0, n, a, factors_.data(), pivots_.data(), &rcond, work.data()) == 0;
  }
  bool regular() const { return regular_; }
  // In place, [n, m].
  void solve(int64_t m, double* b) const {
    if (n_ > 0 && m > 0)
      dini_solve_factored(0, 0, n_, m, factors_.data(), pivots_.data(), b, b);
  }

 private:
  int64_t n_;
  Vector factors_;
  Numbers pivots_;
  bool regular_ = true;
};

// y = q + M u with the variables in `basic` exchanged, as a dictionary.
class Dictionary {
 public:
  Dictionary(int64_t k, const double* m, const double* q)
      : k_(k), m_(k * k), q_(k), exchanged_(k) {
    std::copy(m, m + k * k, m_.data());
    std::copy(q, q + k, q_.data());
    for (int64_t i = 0; i < k; ++i) {
      double largest = std::fabs(q[i]);
      for (int64_t j = 0; j < k; ++j) largest = std::max(largest, std::fabs(m[i * k + j] * q[j]));
      floor_.append(kZero * largest);
    }
  }

  // Index of the first negative basic variable; k: none.
  int64_t firstNegative() const {
    int64_t i = 0;
    while (i < k_ && !(q_[i] < -floor_[i])) ++i;
    return i;
  }
  bool exchange(int64_t r) {
    const double pivot = m_[r * k_ + r];
    if (!(std::fabs(pivot) > 0)) return false;
    for (int64_t i = 0; i < k_; ++i) {
      if (i == r) continue;
      const double factor = m_[i * k_ + r] / pivot;
      for (int64_t j = 0; j < k_; ++j)
        if (j != r) m_[i * k_ + j] -= factor * m_[r * k_ + j];
      q_[i] -= factor * q_[r];
      m_[i * k_ + r] = factor;
    }
    for (int64_t j = 0; j < k_; ++j)
      if (j != r) m_[r * k_ + j] /= -pivot;
    q_[r] /= -pivot;
    m_[r * k_ + r] = 1 / pivot;
    exchanged_[r] = !exchanged_[r];
    return true;
  }
  const dini::Array<char>& exchanged() const { return exchanged_; }

 private:
  int64_t k_;
  Vector m_, q_, floor_;
  dini::Array<char> exchanged_;
};

// u with u_i = 0 outside `support` and y = 0 on it, afresh; false where M is singular there.
bool solveOn(const Numbers& support, int64_t k, const double* m, const double* q, double* u) {
  const auto size = support.size();
  Vector part(size * size), rhs(size);
  for (int64_t i = 0; i < size; ++i) {
    for (int64_t j = 0; j < size; ++j) part[i * size + j] = m[support[i] * k + support[j]];
    rhs[i] = -q[support[i]];
  }
  System system(size, part.data());
  if (!system.regular()) return false;
  system.solve(1, rhs.data());
  std::fill(u, u + k, 0.0);
  for (int64_t i = 0; i < size; ++i) u[support[i]] = rhs[i];
  return true;
}

// -1 where both u_i and y_i vanish, else which does not; false if one is negative.
bool classify(int64_t k, const double* m, const double* q, const dini::Array<char>& basic,
              const double* u, int64_t* sides) {
  for (int64_t i = 0; i < k; ++i) {
    double others = q[i], size = std::fabs(q[i]);
    for (int64_t j = 0; j < k; ++j) {
      if (j == i) continue;
      others += m[i * k + j] * u[j];
      size += std::fabs(m[i * k + j] * u[j]);
    }
    // On the support M_ii u_i = -others, outside of it y_i = others.
    const double value = basic[i] ? m[i * k + i] * u[i] : others;
    sides[i] = std::fabs(value) <= kZero * size ? -1 : basic[i] ? 1 : 0;
    if (sides[i] >= 0 && !(value > 0)) return false;
  }
  return true;
}

}  // namespace

int dini_lcp(int64_t k, const double* m, const double* q, double* u, int64_t* sides) {
  Dictionary dictionary(k, m, q);
  const int64_t limit = 1000 + 100 * k;
  int64_t steps = 0;
  for (int64_t r = dictionary.firstNegative(); r < k; r = dictionary.firstNegative())
    if (++steps > limit || !dictionary.exchange(r)) return 0;
  Numbers support;
  for (int64_t i = 0; i < k; ++i)
    if (dictionary.exchanged()[i]) support.append(i);
  if (!solveOn(support, k, m, q, u)) return 0;
  return classify(k, m, q, dictionary.exchanged(), u, sides) ? 1 : 0;
}

namespace {

// Responses of the switches and of the solution, all with tied switches at weight 0. A sum below
// 1e-12 of its terms, with |A^-1| |b| for the terms of A^-1 b, is rounding and becomes 0: what is
// exactly 0 must leave the side open.
struct Response {
  int64_t n, k;
  Vector moved;  // [n, k + 1]: z_dot for a unit of each u, and for the direction
  Vector s;      // [k, k + 1]: s_dot for the same; the last column is q
};

double cleaned(double sum, double size) { return std::fabs(sum) <= kZero * size ? 0 : sum; }

Response respond(int64_t n, int64_t k, const double* jacobian, const System& system) {
  const int64_t width = n + k, m = k + 1;
  Response made{n, k, Vector(n * m), Vector(k * m)};
  Vector inverse(n * n), terms(n * m);
  for (int64_t i = 0; i < n; ++i) inverse[i * n + i] = 1;
  system.solve(n, inverse.data());
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < m; ++j) {
      for (int64_t l = 0; l < n; ++l) {
        const double term = -inverse[i * n + l] * jacobian[(n + j) * width + l];
        made.moved[i * m + j] += term;
        terms[i * m + j] += std::fabs(term);
      }
      made.moved[i * m + j] = cleaned(made.moved[i * m + j], terms[i * m + j]);
    }
  for (int64_t i = 0; i < k; ++i)
    for (int64_t j = 0; j < m; ++j) {
      double sum = jacobian[(n + j) * width + n + i], size = std::fabs(sum);
      for (int64_t l = 0; l < n; ++l) {
        const double slope = jacobian[l * width + n + i];
        sum += slope * made.moved[l * m + j];
        size += std::fabs(slope) * terms[l * m + j];
      }
      made.s[i * m + j] = cleaned(sum, size);
    }
  return made;
}

// u of the switches in `free` in terms of q, those in `fixed` at their weights: S and q restricted
// to `free` with the others eliminated, then the complementarity problem.
class Sides {
 public:
  Sides(int64_t k, const Response& response, const uint8_t* tied, const double* held)
      : k_(k), response_(response), held_(held) {
    for (int64_t i = 0; i < k; ++i)
      if (tied[i]) (std::isnan(held[i]) ? free_ : fixed_).append(i);
  }

  // u [k] and the weights of the free switches; false: no solution.
  bool decide(double* u, double* weights) {
    const auto f = free_.size();
    Vector fixed_part;  // [fixed, f + 1]: u of the fixed ones by a unit of each free u, and by q
    if (!eliminate(fixed_part)) return false;
    Vector m(f * f), q(f), part(f);
    for (int64_t i = 0; i < f; ++i)
      for (int64_t j = 0; j <= f; ++j) {
        const int64_t column = j < f ? free_[j] : k_;
        double sum = s(free_[i], column), size = std::fabs(sum);
        for (int64_t l = 0; l < fixed_.size(); ++l) {
          const double term = s(free_[i], fixed_[l]) * fixed_part[l * (f + 1) + j];
          sum += term;
          size += std::fabs(term);
        }
        if (j < f) m[i * f + j] = (i == j ? 1.0 : 0.0) - sum;
        else q[i] = -cleaned(sum, size);
      }
    Numbers sides(f);
    if (dini_lcp(f, m.data(), q.data(), part.data(), sides.data()) == 0) return false;
    for (int64_t i = 0; i < f; ++i) {
      u[free_[i]] = part[i];
      weights[free_[i]] = sides[i] < 0 ? kOpen : static_cast<double>(sides[i]);
    }
    for (int64_t l = 0; l < fixed_.size(); ++l) {
      double sum = fixed_part[l * (f + 1) + f];
      for (int64_t j = 0; j < f; ++j) sum += fixed_part[l * (f + 1) + j] * part[j];
      u[fixed_[l]] = sum;
    }
    return true;
  }

 private:
  double s(int64_t i, int64_t j) const { return response_.s[i * (k_ + 1) + j]; }

  // (I - D S) u = D (S_free u_free + q) on the fixed ones.
  bool eliminate(Vector& part) const {
    const auto h = fixed_.size(), f = free_.size();
    Vector system(h * h);
    part = Vector(h * (f + 1));
    for (int64_t i = 0; i < h; ++i) {
      const double d = held_[fixed_[i]];
      for (int64_t j = 0; j < h; ++j)
        system[i * h + j] = (i == j ? 1.0 : 0.0) - d * s(fixed_[i], fixed_[j]);
      for (int64_t j = 0; j <= f; ++j)
        part[i * (f + 1) + j] = d * s(fixed_[i], j < f ? free_[j] : k_);
    }
    System factored(h, system.data());
    if (!factored.regular()) return false;
    factored.solve(f + 1, part.data());
    return true;
  }

  int64_t k_;
  const Response& response_;
  const double* held_;
  Numbers free_, fixed_;
};

bool isFinite(const Vector& values) {
  return std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
}

// M = I - S of the tied switches; gives the verdict, and of a refutation the witness in `weights`.
int test(int64_t k, const Response& response, const uint8_t* tied, double* weights, double* verdict) {
  Numbers numbers;
  for (int64_t i = 0; i < k; ++i)
    if (tied[i]) numbers.append(i);
  const auto t = numbers.size();
  Vector m(t * t), witness(t);
  for (int64_t i = 0; i < t; ++i)
    for (int64_t j = 0; j < t; ++j)
      m[i * t + j] = (i == j ? 1.0 : 0.0) - response.s[numbers[i] * (k + 1) + numbers[j]];
  int64_t index = 0;
  const int answer = dini_p_matrix(t, m.data(), witness.data(), &index);
  verdict[0] = answer;
  verdict[1] = -1;
  if (answer != DINI_REFUTED) return answer;
  verdict[1] = static_cast<double>(numbers[index]);
  for (int64_t i = 0; i < t; ++i) weights[numbers[i]] = witness[i];
  return answer;
}

}  // namespace

void dini_root_ties(int64_t n, int64_t k, const double* jacobian, const uint8_t* tied,
                    const double* held, double* weights, double* z_dot, double* verdict) {
  const int64_t width = n + k;
  std::fill(weights, weights + k, kOpen);
  std::fill(z_dot, z_dot + n, kOpen);
  verdict[0] = DINI_REFUTED;
  verdict[1] = -1;
  Vector a(n * n);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) a[i * n + j] = jacobian[j * width + i];
  System system(n, a.data());
  if (!isFinite(a)) verdict[0] = DINI_UNKNOWN;
  if (!isFinite(a) || !system.regular()) return;
  const Response response = respond(n, k, jacobian, system);
  if (!isFinite(response.s)) {
    verdict[0] = DINI_UNKNOWN;
    return;
  }
  if (test(k, response, tied, weights, verdict) == DINI_REFUTED) return;
  for (int64_t i = 0; i < k; ++i)
    if (tied[i]) weights[i] = held[i];
  Vector u(k);
  if (!Sides(k, response, tied, held).decide(u.data(), weights)) std::fill(u.begin(), u.end(), 0.0);
  for (int64_t i = 0; i < n; ++i) {
    z_dot[i] = response.moved[i * (k + 1) + k];
    for (int64_t j = 0; j < k; ++j) z_dot[i] += response.moved[i * (k + 1) + j] * u[j];
  }
}
