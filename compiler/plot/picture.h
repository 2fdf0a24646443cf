// What a picture shows, as data that samplers make and gnuplot.h draws. NaN stands for "nothing
// here": a gap in a line, no derivative at a kink.
// Not here: sampling (curve.h, field.h), drawing (gnuplot.h).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace dini::plot {

struct Interval {
  double from = 0, to = 0;
  double width() const { return to - from; }
};

struct Point {
  double x = 0, y = 0;
};
using Line = std::vector<Point>;  // a point with y = NaN breaks it

// Where the derivative jumps and the value does not.
struct Kink {
  double x = 0, value = 0;
  double left = 0, right = 0;  // one-sided derivatives
  double chosen = 0;           // the derivative that is computed at the tie; NaN: no tie was met
};

// Where the value jumps, or goes to infinity.
struct Jump {
  double x = 0;
  double left = 0, right = 0;  // one-sided values
  double left_slope = 0, right_slope = 0;
  bool pole = false;
};

// Evaluations that gave no number.
struct Failures {
  size_t count = 0, of = 0;
  std::string first;  // where, and why
};

struct Curve {
  std::string name, variable;
  Line value, derivative;
  std::vector<Kink> kinks;
  std::vector<Jump> jumps;
  Failures failures;
};

struct CurvePicture {
  std::string title;
  Interval over;
  std::vector<Curve> curves;
};

struct Arrow {
  double x = 0, y = 0, dx = 0, dy = 0;
};

// Steps x <- x - step * gradient from a start.
struct Descent {
  Line path;
  double step = 0;
  double last_value = 0;
  bool failed = false;  // it ended where the function has no value
};

struct Field {
  size_t columns = 0, rows = 0;
  std::vector<double> values;       // row by row, from the lowest y; NaN: no value
  std::vector<char> beside_jump;    // of a node: a jump lies between it and a neighbour
  std::vector<Arrow> arrows;        // minus the gradient, scaled to be seen
  std::vector<Point> kinks, jumps;  // points on the curves where the gradient, the value, jumps
  std::vector<Descent> descents;
  Failures failures;
};

struct FieldPicture {
  std::string title, name, x_name, y_name;
  Interval x, y;
  Field field;
};

// Lines through given points: plot(points, "path.svg").
struct PathPicture {
  std::string title, x_name = "x", y_name = "y";
  std::vector<std::string> names;
  std::vector<Line> lines;
};

}  // namespace dini::plot
