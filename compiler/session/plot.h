// Pictures of functions: what `dini plot` and plot(...) at the top level of a script do. A function
// of one variable gives value, derivative and kinks; one of two variables, or of a real[2], contours,
// the field of its gradient, kinks and descents; arrays of points give lines.
// Not here: sampling and drawing (plot/), the command line (driver/plot.cpp).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "session/session.h"

namespace dini::session {

struct PlotRequest {
  struct Variable {
    std::string name;  // of the parameter; empty: the next one
    double from = 0, to = 0;
  };
  struct Fixed {
    std::string name;
    lower::HostValue value;
  };
  struct Points {
    std::string name;
    lower::HostValue value;  // real[n, 2]
  };
  std::vector<std::string> functions;  // expressions of function type, as text
  std::vector<Points> paths;           // or these
  std::vector<Variable> over;
  std::vector<Fixed> fixed;            // other arguments of the functions
  std::string out;                     // .svg, .png or .gp
  std::string title, x_label, y_label;
  size_t points = 0;                   // along each axis; 0: 401 for curves, 61 for fields
  std::vector<std::array<double, 2>> starts;
  double step = 0.01;
  size_t steps = 200;
  Span span;                           // of the call in a script
};

// Draws; gives lines that say what was found, or nullopt after an error, which is in the sink.
// Evaluations that failed are left out and counted in a warning.
std::optional<std::vector<std::string>> drawPlot(Session& session, const PlotRequest& request);

// plot(f, g, "out.svg", over = -1..1, a = 2.0): the request that a call stands for, but for the folder of
// `out`; nullopt after an error.
std::optional<PlotRequest> readPlotCall(Session& session, ast::CallExpr& call);

}  // namespace dini::session
