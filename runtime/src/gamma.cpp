// log-gamma and the polygamma functions.
//
// psi_n(x) = (-1)^(n+1) n! zeta(n+1, x) for n >= 1 (Abramowitz & Stegun 6.4.10; NIST DLMF 5.15.1,
// 25.11.12). For large x the asymptotic series DLMF 5.11.2 and 5.15.8:
//   psi(x)   ~ log x - 1/(2x) - sum_k B_2k / (2k x^2k)
//   psi_n(x) ~ (-1)^(n+1) [ (n-1)!/x^n + n!/(2 x^(n+1)) + sum_k B_2k (2k+n-1)!/((2k)! x^(2k+n)) ].
// Smaller x is shifted up by psi_n(x) = psi_n(x+1) - (-1)^n n! x^-(n+1) (DLMF 5.15.5); negative x
// is reflected by (-1)^n psi_n(1-x) - psi_n(x) = pi (d/dx)^n cot(pi x) (DLMF 5.15.6).
#include <cmath>
#include <limits>

#include "dini/math.h"

namespace {

constexpr double kPi = 3.14159265358979323846;
// B_2, B_4, ..., B_24.
constexpr double kBernoulli[] = {
    1.0 / 6, -1.0 / 30,     1.0 / 42,      -1.0 / 30,       5.0 / 66,       -691.0 / 2730,
    7.0 / 6, -3617.0 / 510, 43867.0 / 798, -174611.0 / 330, 854513.0 / 138, -236364091.0 / 2730};
constexpr int kMaxReflectedOrder = 30;

double factorial(int n) { return std::tgamma(n + 1.0); }

// cot(pi x), with the argument reduced exactly.
double cotPi(double x) {
  const double r = x - std::rint(x);  // in [-1/2, 1/2], exact
  return std::fabs(r) == 0.5 ? 0.0 : 1 / std::tan(kPi * r);
}

// (d/dx)^n cot(pi x) = P_n(c), c = cot(pi x), P_0 = c, P_{n+1} = -pi (1 + c^2) P_n'.
double cotDerivative(int order, double x) {
  double p[kMaxReflectedOrder + 3] = {0, 1};
  for (int n = 0; n < order; ++n) {
    double next[kMaxReflectedOrder + 3] = {};
    for (int k = 1; k <= n + 1; ++k) {
      next[k - 1] -= kPi * k * p[k];
      next[k + 1] -= kPi * k * p[k];
    }
    for (int k = 0; k <= n + 2; ++k) p[k] = next[k];
  }
  const double c = cotPi(x);
  double value = 0;
  for (int k = order + 1; k >= 0; --k) value = value * c + p[k];
  return value;
}

double digammaPositive(double x) {
  double shift = 0;
  for (; x < 12; x += 1) shift -= 1 / x;
  const double w = 1 / (x * x);
  double tail = 0;
  for (int k = 9; k >= 0; --k) tail = tail * w + kBernoulli[k] / (2 * (k + 1));
  return shift + (std::log(x) - 0.5 / x - tail * w);
}

// |psi_n(x)| for n >= 1, x > 0: every term is positive.
double polygammaMagnitude(int n, double x) {
  const double n_factorial = factorial(n);
  double shift = 0;
  for (const double enough = 14 + n; x < enough; x += 1)
    shift += n_factorial * std::pow(x, -(n + 1));
  const double w = 1 / (x * x);
  // term_k = (2k+n-1)!/(2k)! x^-2k, by recurrence from k = 0: (n-1)!.
  double term = n_factorial / n, tail = 0;
  for (int k = 1; k <= 12; ++k) {
    term *= w * (2.0 * k + n - 1) * (2.0 * k + n - 2) / (2.0 * k * (2.0 * k - 1));
    tail += kBernoulli[k - 1] * term;
  }
  return shift + (n_factorial / n + n_factorial / (2 * x) + tail) * std::pow(x, -n);
}

double polygammaPositive(int n, double x) {
  if (n == 0) return digammaPositive(x);
  const double magnitude = polygammaMagnitude(n, x);
  return n % 2 == 1 ? magnitude : -magnitude;
}

}  // namespace

double dini_lgamma(double x) {
  int sign = 0;
  return lgamma_r(x, &sign);
}

double dini_polygamma(int order, double x) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  if (order < 0 || std::isnan(x)) return nan;
  if (std::isinf(x)) {
    if (x < 0) return nan;
    return order == 0 ? x : order % 2 == 1 ? 0.0 : -0.0;
  }
  if (x > 0) return polygammaPositive(order, x);
  const bool pole = x == std::floor(x);
  if (pole) return order % 2 == 1 ? HUGE_VAL : nan;
  if (order > kMaxReflectedOrder) return nan;
  const double mirrored = polygammaPositive(order, 1 - x);
  return (order % 2 == 0 ? mirrored : -mirrored) - kPi * cotDerivative(order, x);
}
