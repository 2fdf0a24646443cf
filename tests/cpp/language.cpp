// What the constructs of C++ mean, one small function each. Each line `// call = value` is a test: the value is
// stated, and compared with the compiled file unless the call is Dini's alone: arrays, outputs as results.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>
#include <span>
#include <vector>

#define DINI [[clang::annotate("dini")]]

// quotient(7, 2) = 3
// quotient(-7, 2) = -3
// quotient(7, -2) = -3
// quotient(-6, -2) = 3
DINI int quotient(int a, int b) { return a / b; }
// remainder_of(7, 3) = 1
// remainder_of(-7, 3) = -1
// remainder_of(7, -3) = 1
DINI int remainder_of(int a, int b) { return a % b; }
// whole(2.75) = 2
// whole(-2.75) = -2
DINI int whole(double x) { return static_cast<int>(x); }
// narrowed(4294967299) = 3
// narrowed(2147483648) = -2147483648
DINI int narrowed(long k) { return static_cast<int>(k); }
// wrapped(1, 2) = 4294967295
// wrapped(5, 2) = 3
DINI long wrapped(unsigned a, unsigned b) { return a - b; }
// unsigned_order(-1) = 0
// unsigned_order(1) = 1
DINI int unsigned_order(int k) { return static_cast<std::size_t>(k) < 5; }
// half(3) = 1.5
DINI double half(int k) { return k / 2.0; }
// mixed(7) = 3.5
DINI double mixed(int k) { return k / 2 + 1.0 / 2; }
// truth(2.5) = 1
// truth(0.0) = 0
DINI int truth(double x) { return x ? 1 : 0; }
// both(1.0, -1.0) = 1
// both(1.0, 2.0) = 0
DINI int both(double x, double y) { return x > 0 && !(y > 0); }
// guarded(0.0) = 0
// guarded(4.0) = 1
DINI int guarded(double x) { return x != 0 && 1 / x < 0.5; }

// steps(5) = 51
DINI int steps(int k) {
  int a = k++, b = ++k, c = k--;
  a += b * c;
  b -= a--;
  return a + (b = 2, c -= 9);
}
// chained(3.0) = 12
DINI double chained(double x) {
  double a, b;
  a = b = 2 * x;
  return a + b;
}
// effects(1) = 12
DINI int effects(int k) {
  int a[3] = {5, 6, 7}, i = 0;
  a[i++] += k;
  const int first = a[i++ - 1];
  return first + a[i - 1];
}
// sequenced(2) = 45
DINI int sequenced(int k) {
  const int list[3] = {k++, k++, k};
  return list[0] * 10 + list[1] * 7 + list[2];
}
// skipped_effect(1) = 1
// skipped_effect(-1) = 12
DINI int skipped_effect(int k) {
  int touched = 1;
  if (k > 0 || (touched = 12) > 0) return touched;
  return 0;
}
// chosen_effect(1) = 11
// chosen_effect(-1) = 21
DINI int chosen_effect(int k) {
  int i = 0, j = 0;
  const int v = k > 0 ? ++i : (++j, 1);
  return v + 10 * i + 20 * j;
}

// halvings(100) = 7
DINI int halvings(int n) {
  int count = 0;
  while (n > 0) {
    n /= 2;
    ++count;
  }
  return count;
}
// first_square_above(50) = 8
DINI int first_square_above(int n) {
  int k = 0;
  do {
    ++k;
  } while (k * k <= n);
  return k;
}
// odd_sum(10) = 25
DINI int odd_sum(int n) {
  int s = 0;
  for (int i = 0; i < n; i++) {
    if (i % 2 == 0) continue;
    s += i;
  }
  return s;
}
// mixed_exits(20) = 37
DINI int mixed_exits(int n) {
  int s = 0;
  for (int i = 0; i < n; ++i) {
    if (i % 3 == 0) {
      s += 1;
      if (i == 9) break;
      continue;
    } else if (i == 4) {
      s += 10;
      continue;
    }
    s += i;
  }
  return s;
}
// while_continue(10) = 30
DINI int while_continue(int n) {
  int s = 0, i = 0;
  while (true) {
    if (++i > n) break;
    if (i % 2) continue;
    s += i;
  }
  return s;
}
// down(5) = 54321
DINI int down(int n) {
  int s = 0;
  for (int i = n; i > 0; --i) s = 10 * s + i;
  return s;
}
// down_unsigned(5) = 43210
DINI int down_unsigned(int n) {
  int s = 0;
  for (std::size_t i = n; i-- > 0;) s = 10 * s + static_cast<int>(i);
  return s;
}
// by_threes(10) = 18
DINI int by_threes(int n) {
  int s = 0;
  for (int i = 0; i < n; i += 3) s += i;
  return s;
}
// moving_bound(5) = 7
DINI int moving_bound(int n) {
  int count = 0;
  for (int i = 0; i < n; ++i) {
    ++count;
    if (i == 2) n += 2;
  }
  return count;
}
// index_moved(10) = 6
DINI int index_moved(int n) {
  int count = 0;
  for (int i = 0; i < n; ++i) {
    ++count;
    if (i % 2 == 1) i += 2;
  }
  return count;
}
// nested_break(4) = 10
DINI int nested_break(int n) {
  int count = 0;
  for (int i = 0; i < n; ++i)
    for (int j = 0;; ++j) {
      ++count;
      if (j == i) break;
    }
  return count;
}
// found(3.5) = 2
// found(-1.0) = -1
DINI int found(double x) {
  const double table[] = {1.5, 2.5, 3.5, 4.5};
  for (int i = 0; i < 4; ++i) {
    if (table[i] == x) return i;
  }
  return -1;
}
// branch(0) = 10
// branch(1) = 21
// branch(2) = 21
// branch(7) = -1
DINI int branch(int k) {
  int r = 0;
  switch (k) {
    case 0:
      r = 10;
      break;
    case 1:
    case 2:
      r = 20;
      r += 1;
      break;
    default:
      return -1;
  }
  return r;
}
enum Colour { kRed, kGreen = 5 };
// colour(1) = 5
DINI int colour(int k) {
  Colour c = k ? kGreen : kRed;
  switch (c) {
    case kRed: return 0;
    case kGreen: return static_cast<int>(c);
  }
  return -1;
}
// shadowed(1) = 112
DINI int shadowed(int k) {
  int s = k;
  {
    int k = 10;
    s += k;
    for (int k = 0; k < 2; ++k) s += 50 * k;
    s += k;
  }
  return s + k + 40;
}

// greater(1.0, 2.0) = 2
// greater(nan, 1.0) = nan
// greater(1.0, nan) = 1
DINI double greater(double a, double b) { return std::max(a, b); }
// lesser(1.0, nan) = 1
// lesser(nan, 1.0) = nan
DINI double lesser(double a, double b) { return std::min(a, b); }
// quiet(nan, 1.0) = 1
// quiet(1.0, nan) = 1
// quiet(3.0, 2.0) = 3
DINI double quiet(double a, double b) { return std::fmax(a, b); }
// ramp(nan) = 0
// ramp(-1.0) = 0
// ramp(2.0) = 2
DINI double ramp(double x) { return x > 0 ? x : 0; }
// magnitude(-0.0) = -0.0
// magnitude(-2.5) = 2.5
DINI double magnitude(double x) { return x < 0 ? -x : x; }
// limited(7.0) = 3
// limited(-7.0) = -1
// limited(nan) = nan
DINI double limited(double x) { return std::clamp(x, -1.0, 3.0); }
// raised(-2.0) = -1
// raised(nan) = nan
DINI double raised(double x) {
  if (x < -1) x = -1;
  return x;
}
// greatest_int(3, 9) = 9
DINI int greatest_int(int a, int b) { return std::max(a, b) + std::abs(std::min(a, 0)); }
// rounded(2.5) = 3
// rounded(-2.5) = -3
// rounded(0.49999999999999994) = 0
DINI double rounded(double x) { return std::round(x); }
// even(2.5) = 2
DINI double even(double x) { return std::nearbyint(x); }
// cut(-2.75) = -2
DINI double cut(double x) { return std::trunc(x); }
// signed_like(3.0, -0.0) = -3
DINI double signed_like(double x, double y) { return std::copysign(x, y); }
// far(3.0, 4.0) = 5
DINI double far(double x, double y) { return std::hypot(x, y); }
// constants() = 6.283185307179586
DINI double constants() { return 2 * std::numbers::pi + (std::numeric_limits<double>::epsilon() > 1 ? 1 : 0); }
// infinite(1.0) = inf
DINI double infinite(double x) { return x * std::numeric_limits<double>::infinity(); }
// powers(2.0, 3) = 8
DINI double powers(double x, int k) { return std::pow(x, k); }

struct Inner {
  double a = 1.5;
  int n = 2;
};
struct Outer {
  Inner inner;
  std::array<double, 2> v{};
  double total() const { return inner.a * inner.n + v[0] + v[1]; }
  void scale(double s) {
    inner.a *= s;
    for (std::size_t i = 0; i < v.size(); ++i) v[i] *= s;
  }
};
Outer operator+(const Outer& p, double s) {
  Outer q = p;
  q.v[0] += s;
  return q;
}
// structs(2.0) = 22
DINI double structs(double x) {
  Outer o;
  o.v = {x, 3 * x};
  o.scale(2);
  return (o + 0.0).total() + Outer{}.inner.n - 2 + 0 * o.inner.n;
}
namespace geometry {
template <class T, int N>
T squared(const std::array<T, N>& v) {
  T s{};
  for (const T& e : v) s += e * e;
  return s;
}
}  // namespace geometry
// templated(2.0) = 13
DINI double templated(double x) { return geometry::squared<double, 3>({x, 3, 0}); }

// on_double(3.0) = 10
template <class T>
DINI T on_double(T x) {
  return x * x + 1;
}
// Dini: instantiated(2.0) = 4
template <class T, int N>
DINI T instantiated(T x) {
  return N * x;
}
template double instantiated<double, 2>(double);

// read_rows(2.0) = 11
DINI double read_rows(double x) {
  double m[2][2] = {{x, 4}, {5}};
  for (auto& row : m)
    for (auto& v : row) x += v;
  return x - 2;
}

static void bump(double& x, int by = 2) { x += by; }
static double take(std::vector<double>& v, std::size_t i) {
  const double old = v[i];
  v[i] = 0;
  return old;
}
// by_reference(1.0) = 13.5
DINI double by_reference(double x) {
  bump(x);
  bump(x, 7);
  std::vector<double> v(3, x);
  v[1] = 3.5;
  const double got = take(v, 1);
  return got + v[0] + v[1];
}
static void fill_row(double* row, int n, double start) {
  for (int j = 0; j < n; ++j) row[j] = start + j;
}
// rows(2.0) = 2 3 10 11
DINI std::array<double, 4> rows(double x) {
  double m[2][2];
  fill_row(m[0], 2, x);
  fill_row(m[1], 2, 10);
  return {m[0][0], m[0][1], m[1][0], m[1][1]};
}
static double sum_of(const double* x, int n) {
  double s = 0;
  for (const double* p = x; n > 0; --n) s += p[n - 1];
  return s;
}
// tails(1.0) = 12
DINI double tails(double x) {
  const double a[4] = {x, 2, 4, 6};
  return sum_of(a + 1, 3) + 0 * sum_of(&a[2], 2);
}
static void halves(const double* in, double* out, int n) {
  for (int i = 0; i < n; ++i) out[i] = in[i] / 2;
}
// parts(8.0) = 0 4 3 0
DINI std::array<double, 4> parts(double x) {
  std::array<double, 2> in{x, 6};
  std::array<double, 4> out{};
  halves(in.data(), out.data() + 1, 2);
  return out;
}
// swapped(1.0, 2.0) = 21
DINI double swapped(double a, double b) {
  std::swap(a, b);
  return 10 * a + b;
}
// Dini: outputs(3.0) = 4 9 27
DINI int outputs(double x, [[clang::annotate("dini: out")]] double& square, [[clang::annotate("dini: out")]] double* cube) {
  square = x * x;
  *cube = square * x;
  return 4;
}
// Dini: running([1, 2], 3.0) = 1 5
DINI void running([[clang::annotate("dini: inout, size 2")]] double* state, double x) { state[1] += x; }
// Dini: unset(2.0) = 2 nan
DINI void unset(double x, [[clang::annotate("dini: out")]] double y[2]) { y[0] = x; }
// Dini: spans([1, 2, 3, 4]) = 25
DINI double spans(std::span<const double> x) {
  double s = 0;
  for (double v : x.subspan(1, 2)) s += v;
  return 10 * s / 2 - x.first(2)[1] + x.back() - x.front() - 1;
}
// factorial(5) = 120
[[clang::annotate("dini: bound 20")]] int factorial(int n) { return n < 2 ? 1 : n * factorial(n - 1); }
// Dini: mean_of([1, 2, 6]) = 3
DINI double mean_of(const std::vector<double>& x) {
  double s = 0;
  for (std::size_t i = 0; i != x.size(); ++i) s += x[i];
  return x.empty() ? 0 : s / x.size();
}

// Arithmetic in float is rounded to float; its derivative is that of the unrounded formula.
// float_sum(16777216.0, 1.0) = 16777216
// float_sum(16777216.0, 3.0) = 16777220
// float_sum(1.5, 0.25) = 1.75
DINI float float_sum(float x, float y) { return x + y; }
// float_product(16777215.0, 16777215.0) = 281474943156224
// float_product(1e-30, -1e-30) = -0.0
// float_product(1.40129846432481707e-45, 0.5) = 0
// float_product(1.40129846432481707e-45, 1.5) = 2.802596928649634e-45
// float_product(3e38, -2.0) = -inf
// Dini: grad(float_product)(1.5, -2.25) = -2.25, 1.5
// Dini: 1/float_product(-1.0, 0.0) = -inf
DINI float float_product(float x, float y) { return x * y; }
// float_quotient(1.0, 3.0) = 0.3333333432674408
DINI float float_quotient(float x, float y) { return x / y; }
// to_float(0.1) = 0.10000000149011612
// to_float(3.4028235677973366e38) = inf
// to_float(nan) = nan
DINI double to_float(double x) { return static_cast<float>(x); }
// float_of_int(16777217) = 16777216
DINI float float_of_int(int k) { return k; }
// float_loop(0.5) = 1.0745820999145508
// Dini: grad(float_loop)(0.5) = -0.024209991238767228
DINI float float_loop(float x) {
  float y = 0.1f;
  for (int i = 0; i < 3; ++i) y = y * x + i * 0.1f;
  y *= 0.5;
  y += 1;
  return std::sqrt(y * y - x * 0.25f);
}
// float_names(0.75, -2.0) = 2
DINI float float_names(float x, float y) { return fmaxf(fabsf(y), fminf(x, y)) + truncf(x); }
// rest_of(7.5, 2.0) = 1.5
// rest_of(-7.5, 2.0) = -1.5
// rest_of(1e17, 0.3) = 0.2007434154171886
// rest_of(5.0, inf) = 5
// rest_of(5.0, 0.0) = nan
// Dini: grad(rest_of)(7.3, -2.0) = 1, 3
DINI double rest_of(double x, double y) { return std::fmod(x, y); }
// Dini: factorial_of(4.0) = 24
// Dini: factorial_of(-1.5) = -3.5449077018110318
// Dini: grad(factorial_of)(1.5) = 0.93473452162608583
DINI double factorial_of(double x) { return std::tgamma(x + 1); }

// Lambdas stand for their statements.
// lambda_value(3) = 93
DINI double lambda_value(double x) {
  const auto square = [](double t) { return t * t; };
  const double shift = 2;
  const auto next = [&](double t) {
    double u = square(t);
    for (int k = 0; k < 2; ++k) u += shift;
    return u;
  };
  return next(square(x)) + (x > 5 ? next(1) : square(2)) + square(square(1)) + 3;
}
// lambda_writes(2) = 24
DINI double lambda_writes(double x) {
  double total = 0;
  const auto add = [&](double t) { total += t; return total; };
  const double first = add(x) * 1;
  double both = add(1);
  both += 10 * add(0);
  double rest = 0;
  while (add(-1) > 0) rest += 1;
  return first - both + 55 * (rest > 1 ? 1 : 0) + total;
}
// attempted(1) = [2, 1]
// attempted(7) = [-2, 0]
DINI std::array<double, 2> attempted(int k) {
  const std::array<double, 3> x = {1, 2, 3};
  double found = -1, fine = 0;
  try {
    const double y = x.at(static_cast<std::size_t>(k));
    found = y;
    fine = 1;
  } catch (...) {
    found = -2;
  }
  return {found, fine};
}
