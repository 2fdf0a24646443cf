// Complex numbers in the place of double, for derivatives by the complex step (J. N. Lyness, C. B. Moler,
// Numerical differentiation of analytic functions, 1967): f(x + ih) has the imaginary part h f'(x). Order and
// magnitude look at the real part, so that both sides of a kink are differentiated as they stand.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <span>
#include <vector>

struct stepped {
  double re = 0, im = 0;
  constexpr stepped(double real = 0, double imaginary = 0) : re(real), im(imaginary) {}
  stepped(std::complex<double> z) : re(z.real()), im(z.imag()) {}
  std::complex<double> z() const { return {re, im}; }
  stepped operator-() const { return {-re, -im}; }
};
inline stepped operator+(stepped a, stepped b) { return a.z() + b.z(); }
inline stepped operator-(stepped a, stepped b) { return a.z() - b.z(); }
inline stepped operator*(stepped a, stepped b) { return a.z() * b.z(); }
inline stepped operator/(stepped a, stepped b) { return a.z() / b.z(); }
inline stepped& operator+=(stepped& a, stepped b) { return a = a + b; }
inline stepped& operator-=(stepped& a, stepped b) { return a = a - b; }
inline stepped& operator*=(stepped& a, stepped b) { return a = a * b; }
inline stepped& operator/=(stepped& a, stepped b) { return a = a / b; }
inline bool operator<(stepped a, stepped b) { return a.re < b.re; }
inline bool operator>(stepped a, stepped b) { return a.re > b.re; }
inline bool operator<=(stepped a, stepped b) { return a.re <= b.re; }
inline bool operator>=(stepped a, stepped b) { return a.re >= b.re; }

namespace std {  // where the functions under test look them up
inline stepped exp(stepped x) { return exp(x.z()); }
inline stepped log(stepped x) { return log(x.z()); }
inline stepped log10(stepped x) { return log10(x.z()); }
inline stepped sqrt(stepped x) { return sqrt(x.z()); }
inline stepped sin(stepped x) { return sin(x.z()); }
inline stepped cos(stepped x) { return cos(x.z()); }
inline stepped atan(stepped x) { return atan(x.z()); }
// A whole power of a negative number has no logarithm: it is a product.
inline stepped pow(stepped x, stepped y) {
  if (y.im != 0) return pow(x.z(), y.z());
  if (y.re != std::floor(y.re) || y.re < 0 || y.re > 20) return pow(x.z(), y.re);
  stepped product = 1;
  for (int k = 0; k < y.re; ++k) product *= x;
  return product;
}
inline stepped fabs(stepped x) { return x.re < 0 ? -x : x; }
inline stepped fmax(stepped a, stepped b) { return a.re < b.re ? b : a; }
inline stepped clamp(stepped x, double lo, double hi) { return x.re < lo ? stepped(lo) : x.re > hi ? stepped(hi) : x; }
// Not analytic in the library: to first order.
inline stepped erfc(stepped x) { return {erfc(x.re), -x.im * 1.1283791670955126 * exp(-x.re * x.re)}; }
}  // namespace std
using std::cos, std::erfc, std::exp, std::fabs, std::fmax, std::log, std::log10, std::pow, std::sin, std::sqrt;
