#include "session/plot.h"

#include <algorithm>
#include <cmath>
#include <fstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "plot/curve.h"
#include "plot/field.h"
#include "plot/gnuplot.h"
#include "session/plotted_function.h"

namespace dini::session {
namespace {

constexpr size_t kCurvePoints = 401, kFieldPoints = 61, kFewest = 3, kMost = 100'000, kMostAlong = 1001;

std::optional<plot::Format> formatOf(const std::string& path) {
  if (path.ends_with(".svg")) return plot::Format::Svg;
  if (path.ends_with(".png")) return plot::Format::Png;
  if (path.ends_with(".gp")) return plot::Format::Script;
  return std::nullopt;
}

std::string gap(const plot::Failures& failures) {
  return fmt::format("{} of {} evaluations gave no number and were left out; the first at {}",
                     failures.count, failures.of, failures.first);
}

class Drawing {
 public:
  Drawing(Session& session, const PlotRequest& request) : session_(session), request_(request) {}

  std::optional<std::vector<std::string>> draw() {
    format_ = formatOf(request_.out);
    if (!format_) {
      session_.sink().add(DiagCode::BadArguments, request_.span,
                          fmt::format("`{}`: the ending does not tell the format", request_.out)).help =
          "svg, png and gp (the gnuplot script itself) are written";
      return std::nullopt;
    }
    bool drawn = !request_.paths.empty() ? paths() : checkRanges() && (request_.over.size() == 1 ? curves() : field());
    if (!drawn || interrupted()) return std::nullopt;
    return std::move(lines_);
  }

 private:
  bool fail(DiagCode code, std::string message, std::string help = "") {
    session_.sink().add(code, request_.span, std::move(message)).help = std::move(help);
    return false;
  }

  bool interrupted() {
    if (!interruptFlag()) return false;
    fail(DiagCode::Interrupted, "interrupted");
    return true;
  }

  bool checkRanges() {
    if (request_.functions.empty()) return fail(DiagCode::BadArguments, "no function is given to plot");
    if (request_.over.empty() || request_.over.size() > 2)
      return fail(DiagCode::BadArguments, "a plot is over one variable or two",
                  "write `over = -1..1`, or the two parameters' names: `x = -1..1, y = 0..2`");
    for (const auto& over : request_.over)
      if (!(over.from < over.to) || !std::isfinite(over.to - over.from))
        return fail(DiagCode::BadArguments, fmt::format("the range {}..{} is empty", over.from, over.to));
    size_t most = request_.over.size() == 1 ? kMost : kMostAlong;
    if (request_.points != 0 && (request_.points < kFewest || request_.points > most))
      return fail(DiagCode::BadArguments, fmt::format("{} points along an axis", request_.points),
                  fmt::format("from {} to {}", kFewest, most));
    if (request_.over.size() == 2 && request_.functions.size() > 1)
      return fail(DiagCode::BadArguments, "only one function of two variables fits into a picture");
    return true;
  }

  void notes(const PlottedFunction& function, const plot::Failures& failures, const std::string& name) {
    if (failures.count > 0)
      session_.sink().add(DiagCode::PlotGaps, request_.span, fmt::format("`{}`: {}", name, gap(failures)));
    if (!function.obstacle().empty())
      lines_.push_back(fmt::format("  the switches of `{}` were not followed: {}", name, function.obstacle()));
  }

  bool curves() {
    plot::CurvePicture picture;
    const auto& over = request_.over[0];
    picture.over = {over.from, over.to};
    for (const std::string& name : request_.functions) {
      auto function = PlottedFunction::make(session_, request_, name);
      if (!function) return false;
      auto sample = [&](double x) -> plot::Sampled {
        auto evaluated = (*function)({&x, 1});
        if (auto* why = std::get_if<std::string>(&evaluated)) return *why;
        auto& e = std::get<PlottedFunction::Evaluated>(evaluated);
        return plot::Sample{e.value, e.gradient[0], std::move(e.switches), e.tied};
      };
      size_t points = request_.points == 0 ? kCurvePoints : request_.points;
      picture.curves.push_back(plot::sampleCurve(name, sample, picture.over, points));
      picture.curves.back().variable = function->variables()[0];
      describe(picture.curves.back());
      notes(*function, picture.curves.back().failures, name);
      if (interruptFlag()) return true;
    }
    picture.title = request_.title;
    return write(plot::script(picture, *format_, request_.out));
  }

  // What is rounding beside the values around it is 0.
  static double plain(double value, double beside) { return std::abs(value) < 1e-12 * std::abs(beside) ? 0 : value; }

  void describe(const plot::Curve& curve) {
    lines_.push_back(fmt::format("{} over {} from {:g} to {:g}", curve.name, curve.variable, request_.over[0].from,
                                 request_.over[0].to));
    for (const plot::Kink& k : curve.kinks)
      lines_.push_back(fmt::format("  kink at {:.10g}: value {:.6g}, derivative {:.6g} to {:.6g}{}", k.x, k.value, k.left,
                                   k.right, std::isfinite(k.chosen) ? fmt::format(", at the tie {:.6g}", k.chosen) : ""));
    for (const plot::Jump& j : curve.jumps)
      lines_.push_back(j.pole ? fmt::format("  pole at {:.10g}", j.x)
                              : fmt::format("  jump at {:.10g}: value {:.6g} to {:.6g}", j.x, plain(j.left, j.right), plain(j.right, j.left)));
  }

  bool field() {
    const std::string& name = request_.functions[0];
    auto function = PlottedFunction::make(session_, request_, name);
    if (!function) return false;
    auto sample = [&](double x, double y) -> plot::FieldSampled {
      std::array at{x, y};
      auto evaluated = (*function)(at);
      if (auto* why = std::get_if<std::string>(&evaluated)) return *why;
      auto& e = std::get<PlottedFunction::Evaluated>(evaluated);
      return plot::FieldSample{e.value, {e.gradient[0], e.gradient[1]}, std::move(e.switches)};
    };
    plot::FieldRequest grid;
    grid.x = {request_.over[0].from, request_.over[0].to};
    grid.y = {request_.over[1].from, request_.over[1].to};
    grid.points = request_.points == 0 ? kFieldPoints : request_.points;
    grid.starts = request_.starts;
    grid.step = request_.step;
    grid.steps = request_.steps;
    plot::FieldPicture picture;
    picture.x = grid.x, picture.y = grid.y;
    picture.name = name;
    picture.x_name = function->variables()[0], picture.y_name = function->variables()[1];
    picture.title = request_.title;
    picture.field = plot::sampleField(sample, grid);
    describe(picture);
    notes(*function, picture.field.failures, name);
    return write(plot::script(picture, *format_, request_.out));
  }

  void describe(const plot::FieldPicture& picture) {
    auto count = [](size_t n, const char* what) { return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s"); };
    lines_.push_back(fmt::format("{} over {} from {:g} to {:g}, {} from {:g} to {:g}", picture.name, picture.x_name,
                                 picture.x.from, picture.x.to, picture.y_name, picture.y.from, picture.y.to));
    lines_.push_back(fmt::format("  the grid crosses kinks at {}, jumps at {}", count(picture.field.kinks.size(), "point"),
                                 count(picture.field.jumps.size(), "point")));
    for (const plot::Descent& d : picture.field.descents) {
      if (d.path.empty()) {
        lines_.push_back("  a descent starts where the function has no value");
        continue;
      }
      lines_.push_back(fmt::format("  descent from ({:g}, {:g}), {} of {:g}: ({:.10g}, {:.10g}), value {:.10g}{}", d.path[0].x,
                                   d.path[0].y, count(d.path.size() - 1, "step"), d.step, d.path.back().x, d.path.back().y,
                                   d.last_value, d.failed ? "; then the function has no value" : ""));
    }
  }

  bool paths() {
    plot::PathPicture picture;
    picture.title = request_.title;
    if (!request_.x_label.empty()) picture.x_name = request_.x_label;
    if (!request_.y_label.empty()) picture.y_name = request_.y_label;
    for (const auto& path : request_.paths) {
      const ir::Tensor& points = path.value.leaves[0];
      plot::Line line;
      auto at = [&](size_t k) {
        return points.reals.empty() ? static_cast<double>(points.ints[k]) : points.reals[k];
      };
      for (size_t k = 0; k + 1 < static_cast<size_t>(points.size()); k += 2) line.push_back({at(k), at(k + 1)});
      picture.names.push_back(path.name);
      picture.lines.push_back(std::move(line));
    }
    bool any = std::any_of(picture.lines.begin(), picture.lines.end(), [](const plot::Line& line) {
      return std::any_of(line.begin(), line.end(), [](const plot::Point& p) { return std::isfinite(p.x) && std::isfinite(p.y); });
    });
    if (!any) return fail(DiagCode::BadArguments, "there is no point to plot");
    return write(plot::script(picture, *format_, request_.out));
  }

  bool write(const std::string& script) {
    if (interruptFlag()) return true;
    std::ofstream out(request_.out, std::ios::app);  // whether it can be written at all
    if (!out) return fail(DiagCode::CannotWrite, fmt::format("`{}` cannot be written", request_.out));
    out.close();
    if (*format_ == plot::Format::Script) {
      std::ofstream(request_.out) << script;
      return true;
    }
    plot::DrawResult result = plot::draw(script);
    if (result.drawn == plot::Drawn::Done) return true;
    std::remove(request_.out.c_str());
    if (result.drawn == plot::Drawn::NoGnuplot)
      return fail(DiagCode::PlotFailed, "pictures are drawn by gnuplot, which is not installed",
                  "install it (Debian: gnuplot-nox), or write the script alone with an output that ends in .gp");
    return fail(DiagCode::PlotFailed, "gnuplot failed: " + result.said.substr(0, 400));
  }

  Session& session_;
  const PlotRequest& request_;
  std::optional<plot::Format> format_;
  std::vector<std::string> lines_;
};

}  // namespace

std::optional<std::vector<std::string>> drawPlot(Session& session, const PlotRequest& request) {
  return Drawing(session, request).draw();
}

}  // namespace dini::session
