// Sampling for pictures: kinks and jumps are found where they are, marked once, and nothing else is.
#include <cmath>

#include <doctest/doctest.h>

#include "plot/curve.h"
#include "plot/field.h"
#include "plot/gnuplot.h"

using namespace dini::plot;

namespace {

int64_t side(double s) { return s > 0 ? 1 : s < 0 ? 2 : 3; }

Curve curveOf(const Function& f, double from, double to) { return sampleCurve("f", f, {from, to}, 101); }

bool hasGapAt(const Line& line, double x) {
  for (const Point& p : line)
    if (std::isnan(p.y) && std::abs(p.x - x) < 1e-9) return true;
  return false;
}

}  // namespace

TEST_CASE("plot: a kink between samples is found to the last digits") {
  const double at = std::sqrt(2) / 3;
  Curve curve = curveOf(
      [&](double x) -> Sampled {
        double s = x - at;
        return Sample{std::abs(s) + x * x, (s < 0 ? -1.0 : 1.0) + 2 * x, {side(s)}, s == 0};
      },
      -1, 2);
  REQUIRE(curve.kinks.size() == 1);
  CHECK(std::abs(curve.kinks[0].x - at) < 1e-8);
  CHECK(std::abs(curve.kinks[0].left - (2 * at - 1)) < 1e-6);
  CHECK(std::abs(curve.kinks[0].right - (2 * at + 1)) < 1e-6);
  CHECK(curve.jumps.empty());
  CHECK(hasGapAt(curve.derivative, curve.kinks[0].x));
  CHECK(!hasGapAt(curve.value, curve.kinks[0].x));
}

TEST_CASE("plot: a kink on a sample, and the derivative computed there") {
  Curve curve = curveOf([](double x) -> Sampled { return Sample{std::abs(x), x > 0 ? 1.0 : x < 0 ? -1.0 : 0.25, {side(x)}, x == 0}; }, -1, 1);
  REQUIRE(curve.kinks.size() == 1);
  CHECK(curve.kinks[0].x == 0);
  CHECK(curve.kinks[0].left == doctest::Approx(-1));
  CHECK(curve.kinks[0].right == doctest::Approx(1));
  CHECK(curve.kinks[0].chosen == 0.25);
}

TEST_CASE("plot: switches whose kinks cancel, and smooth powers, are not marked") {
  auto smooth = [](double x) -> Sampled { return Sample{std::tanh(x), 1 - std::tanh(x) * std::tanh(x), {side(x)}, x == 0}; };
  CHECK(curveOf(smooth, -1, 1.1).kinks.empty());
  // unless the derivative at the tie is another than beside it
  Curve wrong = curveOf([](double x) -> Sampled { return Sample{x, x == 0 ? 2.0 : 1.0, {side(x)}, x == 0}; }, -1, 1);
  REQUIRE(wrong.kinks.size() == 1);
  CHECK(wrong.kinks[0].left == doctest::Approx(1));
  CHECK(wrong.kinks[0].right == doctest::Approx(1));
  CHECK(wrong.kinks[0].chosen == 2);
  auto power = [](double x) -> Sampled {
    return Sample{std::pow(std::abs(x), 1.5), std::copysign(1.5 * std::sqrt(std::abs(x)), x), {side(x)}, x == 0};
  };
  Curve curve = curveOf(power, -1, 1.1);
  CHECK(curve.kinks.empty());
  CHECK(curve.jumps.empty());
}

TEST_CASE("plot: a cusp has infinite one-sided derivatives") {
  auto cusp = [](double x) -> Sampled {
    return Sample{std::sqrt(std::abs(x)), std::copysign(0.5 / std::sqrt(std::abs(x)), x), {side(x)}, x == 0};
  };
  Curve curve = curveOf(cusp, -1, 1.1);
  REQUIRE(curve.kinks.size() == 1);
  CHECK(curve.kinks[0].left == -std::numeric_limits<double>::infinity());
  CHECK(curve.kinks[0].right == std::numeric_limits<double>::infinity());
}

TEST_CASE("plot: kinks and jumps that no switch tells") {
  const double at = 0.1234567;
  Curve kink = curveOf([&](double x) -> Sampled { return Sample{std::abs(x - at), x < at ? -1.0 : 1.0, {}, false}; }, -1, 1);
  REQUIRE(kink.kinks.size() == 1);
  CHECK(std::abs(kink.kinks[0].x - at) < 1e-8);
  CHECK(std::isnan(kink.kinks[0].chosen));
  Curve jump = curveOf([&](double x) -> Sampled { return Sample{x < at ? x : x + 1, 1, {}, false}; }, -1, 1);
  REQUIRE(jump.jumps.size() == 1);
  CHECK(std::abs(jump.jumps[0].x - at) < 1e-8);
  CHECK(jump.jumps[0].right - jump.jumps[0].left == doctest::Approx(1));
  CHECK(!jump.jumps[0].pole);
  CHECK(hasGapAt(jump.value, jump.jumps[0].x));
  CHECK(jump.kinks.empty());
}

TEST_CASE("plot: a pole and a domain's edge are gaps") {
  Curve pole = curveOf([](double x) -> Sampled { return Sample{1 / (x - 0.3141), -1 / ((x - 0.3141) * (x - 0.3141)), {}, false}; }, -1, 1);
  REQUIRE(pole.jumps.size() == 1);
  CHECK(pole.jumps[0].pole);
  Curve edge = curveOf(
      [](double x) -> Sampled {
        if (x < 0.5) return "no root";
        return Sample{std::sqrt(x - 0.5), 0.5 / std::sqrt(x - 0.5), {}, false};
      },
      0, 1.003);
  CHECK(edge.failures.count == 50);
  CHECK(edge.failures.of == 101);
  CHECK(edge.failures.first == "0: no root");
  double first = 2;
  for (const Point& p : edge.value)
    if (std::isfinite(p.y)) first = std::min(first, p.x);
  CHECK(std::abs(first - 0.5) < 1e-10);
}

TEST_CASE("plot: the shortest number nearby") {
  CHECK(roundest(0.49999999999, 1e-9) == 0.5);
  CHECK(roundest(-1e-14, 1e-9) == 0);
  CHECK(roundest(2.0 / 3, 1e-9) == 2.0 / 3);
}

TEST_CASE("plot: kinks and descents of a field") {
  FieldRequest request;
  request.x = request.y = {-1, 1};
  request.points = 11;
  request.starts = {{0.5, 0.8}};
  request.step = 0.1;
  request.steps = 3;
  Field field = sampleField(
      [](double x, double y) -> FieldSampled {
        double s = x - 0.05;
        return FieldSample{std::abs(s) + y * y, {s > 0 ? 1.0 : -1.0, 2 * y}, {side(s)}};
      },
      request);
  CHECK(field.kinks.size() == 11);
  for (const Point& p : field.kinks) CHECK(std::abs(p.x - 0.05) < 1e-4);
  CHECK(field.jumps.empty());
  REQUIRE(field.descents.size() == 1);
  REQUIRE(field.descents[0].path.size() == 4);
  CHECK(field.descents[0].path[3].x == doctest::Approx(0.2));
  CHECK(field.descents[0].path[3].y == doctest::Approx(0.8 * 0.8 * 0.8 * 0.8));
  for (const Arrow& a : field.arrows) CHECK(a.dx * (a.x - 0.05) < 0);
}

TEST_CASE("plot: names cannot break out of the script's strings") {
  PathPicture picture;
  picture.title = "it's\n'; system \"true\"";
  picture.names = {""};
  picture.lines = {{{0, 0}, {1, 1}}};
  std::string text = script(picture, Format::Svg, "a.svg");
  CHECK(text.find("set title 'it''s''; system \"true\"'") != std::string::npos);
}
