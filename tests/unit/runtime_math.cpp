// Laws of runtime/include/dini/math.h: special values are libm's, lanes are independent and equal
// to the scalar functions, polygamma satisfies its recurrence, reflection and known values.
#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "dini/cpu.h"
#include "dini/math.h"

namespace {

const double kInf = std::numeric_limits<double>::infinity();
const double kNan = std::numeric_limits<double>::quiet_NaN();
const std::vector<double> kSpecial = {
    0.0,  -0.0,  1,      -1,     2,      -2,           0.5, -0.5, kInf, -kInf,
    kNan, 1e300, -1e300, 1e-300, 5e-324, -5e-324,      709, 710,  -745, -746,
    1e10, 1e22,  -1e22,  3e15,   20,     0.9999999999, 27,  8};

bool same(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) || std::bit_cast<int64_t>(a) == std::bit_cast<int64_t>(b);
}

bool close(double a, double b, double ulps) {
  if (same(a, b)) return true;
  if (!std::isfinite(a) || !std::isfinite(b) || std::signbit(a) != std::signbit(b)) return false;
  return std::fabs(a - b) <= ulps * (std::nextafter(std::fabs(b), kInf) - std::fabs(b));
}

struct Sampler {
  std::mt19937_64 bits{20240607};
  double operator()() {
    const double unit = static_cast<double>(static_cast<int64_t>(bits())) * 0x1p-63;
    switch (bits() % 4) {
      case 0:
        return std::ldexp(unit, static_cast<int>(bits() % 8) - 3);
      case 1:
        return std::ldexp(unit, static_cast<int>(bits() % 40) - 20);
      case 2:
        return kSpecial[bits() % kSpecial.size()];
      default:
        return std::bit_cast<double>(bits());
    }
  }
};

using F1 = double (*)(double);
using F2 = double (*)(double, double);

void checkUnary(const char* name, F1 ours, void (*wide)(const double*, double*), F1 libm) {
  CAPTURE(name);
  for (double x : kSpecial) {
    CAPTURE(x);
    CHECK(close(ours(x), libm(x), 4));
  }
  Sampler sample;
  int different = 0, inaccurate = 0;
  for (int trial = 0; trial < 5000; ++trial) {
    double x[8], y[8];
    for (double& v : x) v = sample();
    wide(x, y);
    for (int k = 0; k < 8; ++k) {
      different += !same(y[k], ours(x[k]));
      inaccurate += !close(y[k], libm(x[k]), 4);
    }
  }
  CHECK(different == 0);
  CHECK(inaccurate == 0);
}

void checkBinary(const char* name, F2 ours, void (*wide)(const double*, const double*, double*),
                 F2 libm) {
  CAPTURE(name);
  for (double x : kSpecial)
    for (double y : kSpecial) {
      CAPTURE(x);
      CAPTURE(y);
      CHECK(close(ours(x, y), libm(x, y), 4));
    }
  Sampler sample;
  int different = 0;
  for (int trial = 0; trial < 5000; ++trial) {
    double x[8], y[8], z[8];
    for (double& v : x) v = sample();
    for (double& v : y) v = sample();
    wide(x, y, z);
    for (int k = 0; k < 8; ++k) different += !same(z[k], ours(x[k], y[k]));
  }
  CHECK(different == 0);
}

}  // namespace

TEST_CASE("vector functions: special values, independent lanes, accuracy") {
#define DINI_MATH1(name) \
  checkUnary(#name, dini_##name, dini_v8_##name, [](double x) { return std::name(x); });
#define DINI_MATH2(name)                          \
  checkBinary(#name, dini_##name, dini_v8_##name, \
              [](double x, double y) { return std::name(x, y); });
#include "dini/math_functions.def"
#undef DINI_MATH1
#undef DINI_MATH2
}

TEST_CASE("the instruction set is no wider than the environment asks for") {
  const char* word = std::getenv("DINI_CPU_LEVEL");
  const std::string asked = word != nullptr ? word : "";
  if (asked == "sse2") CHECK(dini_cpu_level() == DINI_CPU_SSE2);
  CHECK(dini_cpu_level() <= (asked == "avx2" ? DINI_CPU_AVX2 : DINI_CPU_AVX512));
  CHECK(dini_vector_lanes() == 1 << dini_cpu_level());
}

TEST_CASE("powers of small integers are exact") {
  for (int base = 1; base <= 10; ++base)
    for (int n = 0; n <= 12; ++n) {
      double exact = 1;
      for (int k = 0; k < n; ++k) exact *= base;
      CHECK(dini_pow(base, n) == exact);
      CHECK(dini_powi(base, n) == exact);
      CHECK(dini_powi(base, -n) == 1 / exact);
    }
  CHECK(dini_powi(3.5, 2) == 3.5 * 3.5);
  CHECK(dini_powi(0.0, 0) == 1);
}

TEST_CASE("polygamma: known values, recurrence, reflection, poles") {
  const double euler = 0.57721566490153286061;
  const double pi = 3.14159265358979323846;
  CHECK(dini_polygamma(0, 1) == doctest::Approx(-euler).epsilon(1e-15));
  CHECK(dini_polygamma(0, 0.5) == doctest::Approx(-euler - 2 * std::log(2.0)).epsilon(1e-15));
  CHECK(dini_polygamma(1, 1) == doctest::Approx(pi * pi / 6).epsilon(1e-14));
  CHECK(dini_polygamma(1, 0.5) == doctest::Approx(pi * pi / 2).epsilon(1e-14));
  CHECK(dini_polygamma(2, 1) == doctest::Approx(-2.40411380631918857080).epsilon(1e-14));
  CHECK(dini_polygamma(3, 1) == doctest::Approx(std::pow(pi, 4) / 15).epsilon(1e-14));
  CHECK(dini_polygamma(1, 1e8) == doctest::Approx(1e-8 + 0.5e-16).epsilon(1e-15));
  for (int n = 0; n <= 4; ++n)
    for (double x : {0.1, 0.7, 3.3, 9.9, 40.0, -0.3, -2.6, -7.1}) {
      CAPTURE(n);
      CAPTURE(x);
      const double sign = n % 2 == 0 ? 1 : -1;
      const double step = sign * std::tgamma(n + 1.0) * std::pow(x, -(n + 1));
      const double scale = std::fabs(dini_polygamma(n, x)) + std::fabs(step) + 1;
      CHECK(std::fabs(dini_polygamma(n, x + 1) - dini_polygamma(n, x) - step) < 1e-12 * scale);
    }
  CHECK(std::isnan(dini_polygamma(0, -2)));
  CHECK(dini_polygamma(1, -2) == kInf);
  CHECK(dini_polygamma(0, kInf) == kInf);
  CHECK(dini_polygamma(1, kInf) == 0);
}

TEST_CASE("sigmoid and softplus saturate without NaN") {
  CHECK(dini_sigmoid(0) == 0.5);
  CHECK(dini_sigmoid(kInf) == 1);
  CHECK(dini_sigmoid(-kInf) == 0);
  CHECK(std::isnan(dini_sigmoid(kNan)));
  CHECK(dini_softplus(kInf) == kInf);
  CHECK(dini_softplus(-kInf) == 0);
  CHECK(dini_softplus(800) == 800);
  CHECK(std::isnan(dini_softplus(kNan)));
}

TEST_CASE("norm does not over- or underflow") {
  const double big[] = {3e300, -4e300}, small[] = {3e-310, 4e-310}, mixed[] = {kInf, 1},
               nan[] = {kInf, kNan};
  CHECK(dini_norm(big, 2) == doctest::Approx(5e300));
  CHECK(dini_norm(small, 2) == doctest::Approx(5e-310));
  CHECK(dini_norm(mixed, 2) == kInf);
  CHECK(std::isnan(dini_norm(nan, 2)));
  CHECK(dini_norm(nullptr, 0) == 0);
  const double plain[] = {3, 4};
  CHECK(dini_norm(plain, 2) == 5);
}

TEST_CASE("sums follow the eight interleaved partials") {
  std::vector<double> x(21);
  Sampler sample;
  for (double& v : x) v = std::fmod(static_cast<double>(sample.bits() % 1000), 7.3);
  double p[8] = {};
  for (size_t k = 0; k < x.size(); ++k) p[k % 8] += x[k];
  CHECK(same(dini_sum(x.data(), 21),
             ((p[0] + p[1]) + (p[2] + p[3])) + ((p[4] + p[5]) + (p[6] + p[7]))));
}

TEST_CASE("hash and its reals") {
  CHECK(dini_hash(1, 2) != dini_hash(2, 1));
  CHECK(dini_bits_to_unit(0) == 0x1p-53);
  CHECK(dini_bits_to_unit(-1) < 1);
  CHECK(dini_real_to_int(kNan) == 0);
  CHECK(dini_real_to_int(1e300) == INT64_MAX);
  CHECK(dini_real_to_int(-2.9) == -2);
}
