// Functions from textbooks and public collections of test problems, written as C++ programmers write
// them. Nothing here was made for Dini but the annotations. Formulas are the published ones:
//   [MGH]  J. J. More, B. S. Garbow, K. E. Hillstrom, Testing unconstrained optimization software, ACM TOMS 7 (1981)
//   [LV]   L. Luksan, J. Vlcek, Test problems for nonsmooth unconstrained and linearly constrained optimization (2000)
//   [C]    J. J. Craig, Introduction to robotics (3rd ed. 2005), planar and DH kinematics
//   [HC]   K. H. Hunt, F. R. E. Crossley, Coefficient of restitution interpreted as damping in vibroimpact (1975)
//   [PR]   D.-Y. Peng, D. B. Robinson, A new two-constant equation of state (1976)
//   [BS]   F. Black, M. Scholes, The pricing of options and corporate liabilities (1973)
//   [W]    F. M. White, Fluid mechanics (Colebrook's equation)
#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <vector>

#define DINI [[clang::annotate("dini")]]

// ---------------------------------------------------------------- [MGH] residuals

// (1) Rosenbrock
DINI std::array<double, 2> rosenbrock(const std::array<double, 2>& x) {
  return {10 * (x[1] - x[0] * x[0]), 1 - x[0]};
}

// (2) Freudenstein and Roth
DINI void freudenstein_roth(const double x[2],
                            [[clang::annotate("dini: out")]] double f[2]) {
  f[0] = -13 + x[0] + ((5 - x[1]) * x[1] - 2) * x[1];
  f[1] = -29 + x[0] + ((x[1] + 1) * x[1] - 14) * x[1];
}

// (3) Powell badly scaled
DINI void powell_badly_scaled([[clang::annotate("dini: size 2")]] const double *x,
                              [[clang::annotate("dini: out, size 2")]] double *__restrict f) {
  f[0] = 1e4 * x[0] * x[1] - 1;
  f[1] = std::exp(-x[0]) + std::exp(-x[1]) - 1.0001;
}

// (5) Beale
DINI std::array<double, 3> beale(double x1, double x2) {
  static const double y[] = {1.5, 2.25, 2.625};
  std::array<double, 3> r;
  double power = 1;
  for (int i = 0; i < 3; ++i) {
    power *= x2;
    r[i] = y[i] - x1 * (1 - power);
  }
  return r;
}

// (6) Jennrich and Sampson, m = 10
DINI double jennrich_sampson(double x1, double x2) {
  double sum = 0;
  for (int i = 1; i <= 10; i++) {
    const double r = 2 + 2 * i - (exp(i * x1) + exp(i * x2));
    sum += r * r;
  }
  return sum;
}

// (7) Helical valley
DINI std::array<double, 3> helical_valley(const std::array<double, 3>& x) {
  const double pi = 3.14159265358979323846;
  double theta = std::atan(x[1] / x[0]) / (2 * pi);
  if (x[0] < 0) theta += 0.5;
  return {10 * (x[2] - 10 * theta), 10 * (std::sqrt(x[0] * x[0] + x[1] * x[1]) - 1), x[2]};
}

// (8) Bard
constexpr int kBardPoints = 15;
constexpr double kBardData[kBardPoints] = {0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39,
                                           0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39};
DINI [[clang::annotate("dini: size 15")]] std::vector<double> bard(const std::vector<double>& x) {
  std::vector<double> f(kBardPoints);
  for (int i = 0; i < kBardPoints; ++i) {
    const int u = i + 1, v = 16 - u, w = std::min(u, v);
    f[i] = kBardData[i] - (x[0] + u / (v * x[1] + w * x[2]));
  }
  return f;
}

// (10) Meyer
DINI double meyer(double x1, double x2, double x3) {
  const std::array<double, 16> y = {34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744,
                                    8261,  7030,  6005,  5147,  4427,  3820,  3307,  2872};
  double sum = 0;
  int i = 0;
  for (double yi : y) {
    const double t = 45 + 5 * (i + 1);
    const double f = x1 * exp(x2 / (t + x3)) - yi;
    sum += f * f;
    ++i;
  }
  return sum;
}

// (13) Powell singular
DINI std::array<double, 4> powell_singular(std::span<const double, 4> x) {
  const auto square = x[1] - 2 * x[2];
  return {x[0] + 10 * x[1], sqrt(5.0) * (x[2] - x[3]), square * square, sqrt(10.0) * pow(x[0] - x[3], 2)};
}

// (14) Wood
DINI double wood([[clang::annotate("dini: size 4")]] const double *x) {
  const double a = x[1] - x[0] * x[0], b = 1 - x[0], c = x[3] - x[2] * x[2], d = 1 - x[2];
  const double e = x[1] + x[3] - 2, g = x[1] - x[3];
  return 100 * a * a + b * b + 90 * c * c + d * d + 10 * e * e + 0.1 * g * g;
}

// (15) Kowalik and Osborne
DINI void kowalik_osborne(std::span<const double, 4> x, [[clang::annotate("dini: out")]] std::span<double, 11> f) {
  constexpr std::array y = {0.1957, 0.1947, 0.1735, 0.1600, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246};
  constexpr std::array u = {4.0, 2.0, 1.0, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625};
  for (std::size_t i = 0; i < y.size(); ++i)
    f[i] = y[i] - x[0] * (u[i] * u[i] + u[i] * x[1]) / (u[i] * u[i] + u[i] * x[2] + x[3]);
}

// (26) Trigonometric
DINI void trigonometric(int n, [[clang::annotate("dini: size n")]] const double *x,
                        [[clang::annotate("dini: out, size n")]] double *f) {
  double total = 0;
  for (int j = 0; j < n; j++) total += cos(x[j]);
  for (int i = 0; i < n; i++) f[i] = n - total + (i + 1) * (1 - cos(x[i])) - sin(x[i]);
}

// (28) Discrete boundary value
DINI [[clang::annotate("dini: size n")]] std::vector<double> boundary_value(int n, [[clang::annotate("dini: size n")]] const std::vector<double>& x) {
  const double h = 1.0 / (n + 1);
  std::vector<double> f(n, 0.0);
  for (int i = 0; i < n; ++i) {
    const double left = i > 0 ? x[i - 1] : 0, right = i < n - 1 ? x[i + 1] : 0;
    const double t = (i + 1) * h;
    f[i] = 2 * x[i] - left - right + h * h * std::pow(x[i] + t + 1, 3) / 2;
  }
  return f;
}

// (30) Broyden tridiagonal
DINI void broyden_tridiagonal(int n, [[clang::annotate("dini: size n")]] const double *x,
                              [[clang::annotate("dini: out, size n")]] double *f) {
  for (int k = 0; k < n; ++k) {
    double temp = (3.0 - 2.0 * x[k]) * x[k];
    double temp1 = 0.0, temp2 = 0.0;
    if (k != 0) temp1 = x[k - 1];
    if (k != n - 1) temp2 = x[k + 1];
    f[k] = temp - temp1 - 2.0 * temp2 + 1.0;
  }
}

// ---------------------------------------------------------------- [LV] nonsmooth

DINI double crescent(double x1, double x2) {
  const double a = x1 * x1 + (x2 - 1) * (x2 - 1) + x2 - 1;
  const double b = -x1 * x1 - (x2 - 1) * (x2 - 1) + x2 + 1;
  return std::max(a, b);
}

DINI double cb2(double x1, double x2) {
  return std::max({x1 * x1 + pow(x2, 4), (2 - x1) * (2 - x1) + (2 - x2) * (2 - x2), 2 * exp(x2 - x1)});
}

DINI double dem(double x1, double x2) {
  double best = 5 * x1 + x2;
  if (-5 * x1 + x2 > best) best = -5 * x1 + x2;
  const double third = x1 * x1 + x2 * x2 + 4 * x2;
  if (third > best) best = third;
  return best;
}

DINI double mifflin1(double x, double y) {
  const double excess = x * x + y * y - 1;
  return -x + 20 * (excess > 0 ? excess : 0);
}

DINI double wolfe(double x, double y) {
  if (x >= fabs(y)) return 5 * sqrt(9 * x * x + 16 * y * y);
  if (x > 0) return 9 * x + 16 * fabs(y);
  return 9 * x + 16 * fabs(y) - pow(x, 9);
}

DINI double maxq(std::span<const double> x) {
  double value = x[0] * x[0];
  for (std::size_t i = 1; i < x.size(); ++i) value = std::max(value, x[i] * x[i]);
  return value;
}

// ---------------------------------------------------------------- [C] robot arms

struct Pose {
  double x, y, phi;
};
DINI Pose planar_arm(const std::array<double, 3>& joints, const std::array<double, 3>& links) {
  Pose tip{0, 0, 0};
  for (std::size_t i = 0; i < joints.size(); ++i) {
    tip.phi += joints[i];
    tip.x += links[i] * std::cos(tip.phi);
    tip.y += links[i] * std::sin(tip.phi);
  }
  return tip;
}

using Matrix4 = std::array<std::array<double, 4>, 4>;

static Matrix4 link_frame(double a, double alpha, double d, double theta) {
  const double ct = cos(theta), st = sin(theta), ca = cos(alpha), sa = sin(alpha);
  return {{{ct, -st * ca, st * sa, a * ct}, {st, ct * ca, -ct * sa, a * st}, {0, sa, ca, d}, {0, 0, 0, 1}}};
}

static Matrix4 multiply(const Matrix4& a, const Matrix4& b) {
  Matrix4 c{};
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < 4; ++j)
      for (int k = 0; k < 4; ++k) c[i][j] += a[i][k] * b[k][j];
  return c;
}

// The wrist of a PUMA 560 (first three joints).
DINI std::array<double, 3> puma_wrist(double q1, double q2, double q3) {
  const double half_pi = 1.57079632679489661923;
  Matrix4 t = link_frame(0, half_pi, 0, q1);
  t = multiply(t, link_frame(0.4318, 0, 0, q2));
  t = multiply(t, link_frame(0.0203, -half_pi, 0.15005, q3));
  return {t[0][3], t[1][3], t[2][3]};
}

// ---------------------------------------------------------------- physics, chemistry, finance

// [HC] with the adhesion that the formula allows cut off
DINI double hunt_crossley(double depth, double rate, double stiffness, double damping) {
  if (depth <= 0) return 0;
  const double force = stiffness * std::pow(depth, 1.5) * (1 + 1.5 * damping * rate);
  return std::clamp(force, 0.0, 1e6);
}

// A ball that slides on the ground: Coulomb friction, regularised
template <typename T>
T sign_of(T value, T width) {
  if (value > width) return 1;
  if (value < -width) return -1;
  return value / width;
}
DINI double friction(double speed, double normal, double mu) { return -mu * fmax(normal, 0.0) * sign_of<double>(speed, 1e-3); }

// [PR] pressure of a fluid, SI units
class PengRobinson {
 public:
  double critical_temperature, critical_pressure, acentric;

  double pressure(double temperature, double molar_volume) const {
    const double kappa = 0.37464 + (1.54226 - 0.26992 * acentric) * acentric;
    const double root = 1 + kappa * (1 - sqrt(temperature / critical_temperature));
    const double a = 0.45724 * kGas * kGas * critical_temperature * critical_temperature / critical_pressure * root * root;
    const double b = 0.07780 * kGas * critical_temperature / critical_pressure;
    return kGas * temperature / (molar_volume - b) - a / (molar_volume * (molar_volume + b) + b * (molar_volume - b));
  }

 private:
  static constexpr double kGas = 8.31446261815324;
};
DINI double carbon_dioxide(double temperature, double molar_volume) {
  const PengRobinson fluid{304.13, 7.3773e6, 0.22394};
  return fluid.pressure(temperature, molar_volume);
}

DINI double van_der_waals(double temperature, double molar_volume, double a, double b) {
  return 8.31446261815324 * temperature / (molar_volume - b) - a / (molar_volume * molar_volume);
}

// [BS]
inline double normal_cdf(double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); }
DINI double black_scholes_call(double spot, double strike, double rate, double volatility, double maturity) {
  const double scale = volatility * sqrt(maturity);
  const double d1 = (log(spot / strike) + (rate + volatility * volatility / 2) * maturity) / scale;
  const double d2 = d1 - scale;
  return spot * normal_cdf(d1) - strike * exp(-rate * maturity) * normal_cdf(d2);
}

// [W] residual of Colebrook's equation in the friction factor
DINI double colebrook(double factor, double reynolds, double roughness) {
  const double root = 1 / sqrt(factor);
  return root + 2 * log10(roughness / 3.7 + 2.51 / reynolds * root);
}

// Kepler's equation by Newton's iteration, as in every textbook of celestial mechanics
DINI double eccentric_anomaly(double mean_anomaly, double eccentricity) {
  double e = mean_anomaly;
  for (int k = 0; k < 50; ++k) {
    const double step = (e - eccentricity * sin(e) - mean_anomaly) / (1 - eccentricity * cos(e));
    e -= step;
    if (fabs(step) < 1e-14) break;
  }
  return e;
}

// Cholesky factorisation and a solve with it, in place, on a flat matrix
DINI void cholesky_solve(int n, [[clang::annotate("dini: size n*n")]] const double *matrix,
                         [[clang::annotate("dini: size n")]] const double *right,
                         [[clang::annotate("dini: out, size n")]] double *x) {
  std::vector<double> l(n * n, 0.0);
  for (int j = 0; j < n; j++) {
    for (int i = j; i < n; i++) {
      double s = matrix[i * n + j];
      for (int k = 0; k < j; k++) s -= l[i * n + k] * l[j * n + k];
      l[i * n + j] = i == j ? sqrt(s) : s / l[j * n + j];
    }
  }
  for (int i = 0; i < n; i++) {
    x[i] = right[i];
    for (int k = 0; k < i; k++) x[i] -= l[i * n + k] * x[k];
    x[i] /= l[i * n + i];
  }
  for (int i = n - 1; i >= 0; i--) {
    for (int k = i + 1; k < n; k++) x[i] -= l[k * n + i] * x[k];
    x[i] /= l[i * n + i];
  }
}
