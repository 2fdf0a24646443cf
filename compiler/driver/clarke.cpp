// dini clarke FILE --fn f --at x=0: the Jacobians that the ties at a point allow, one for each choice of
// sides, and which of them are met nearby. Text for people, --json for programs.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <CLI/CLI.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "certify/clarke.h"
#include "driver/commands.h"
#include "driver/number_checks.h"
#include "driver/point_call.h"
#include "session/plot.h"
#include "session/status_report.h"

namespace dini::driver {
namespace {

using certify::Reach;
using certify::VertexJacobian;
using certify::VertexSet;

struct ClarkeCommand {
  std::string file, function, out;
  std::vector<std::string> at;
  certify::ClarkeOptions limits;
  bool json = false;
};

std::string matrix(const VertexSet& set, const VertexJacobian& vertex, int digits) {
  auto number = [&](double x) { return fmt::format("{:.{}g}", x == 0 ? 0.0 : x, digits); };
  std::vector<std::string> rows;
  for (size_t i = 0; i < set.results; ++i) {
    std::vector<std::string> row;
    for (size_t c = 0; c < set.inputs; ++c) row.push_back(number(vertex.jacobian[i * set.inputs + c]));
    rows.push_back(fmt::format("[{}]", fmt::join(row, ", ")));
  }
  return set.results == 1 ? rows[0] : fmt::format("[{}]", fmt::join(rows, ", "));
}

const char* met(const VertexSet& set, const VertexJacobian& vertex) {
  if (!vertex.regular) return "an equation is singular there: no Jacobian";
  if (vertex.reach == Reach::Feasible) return "reachable";
  if (vertex.reach == Reach::Infeasible && set.piecewise_linear) return "not reachable";
  return "not reachable to first order, which decides nothing here";
}

void printText(const SourceManager& sources, const VertexSet& set) {
  size_t reachable = 0;
  for (const VertexJacobian& vertex : set.vertices) reachable += vertex.reach == Reach::Feasible;
  printLine(fmt::format("{} tied switch{}, {:.0f} vertex Jacobian{}, {} reachable", set.tied.size(),
                        set.tied.size() == 1 ? "" : "es", set.total, set.total == 1 ? "" : "s", reachable));
  for (size_t k = 0; k < set.tied.size(); ++k)
    printLine(fmt::format("  switch {}: {}, {:g}", k + 1, place(sources, set.tied[k].span), set.tied[k].value));
  for (const VertexJacobian& vertex : set.vertices) {
    std::string signs;
    for (int side : vertex.sides) signs += side > 0 ? '+' : '-';
    if (!vertex.regular) printLine(fmt::format("{}{}{}", signs, signs.empty() ? "" : "  ", met(set, vertex)));
    else printLine(fmt::format("{}{}{}  {}", signs, signs.empty() ? "" : "  ", matrix(set, vertex, 12), met(set, vertex)));
  }
  if (set.total > static_cast<double>(set.vertices.size()))
    printLine(fmt::format("the first {} of {:.0f}; `--limit` lists more", set.vertices.size(), set.total));
}

std::string json(const SourceManager& sources, const VertexSet& set) {
  std::vector<std::string> ties, vertices;
  for (const certify::TiedSwitch& tie : set.tied)
    ties.push_back(fmt::format(R"({{"place": {}, "switch": {:.17g}}})", jsonText(place(sources, tie.span)), tie.value));
  for (const VertexJacobian& vertex : set.vertices) {
    bool conclusive = vertex.reach == Reach::Infeasible && set.piecewise_linear;
    const char* reach = vertex.reach == Reach::Feasible ? "true" : conclusive ? "false" : "null";
    std::string own = vertex.regular ? matrix(set, vertex, 17) : "null";
    vertices.push_back(fmt::format(R"({{"sides": [{}], "reachable": {}, "jacobian": {}}})",
                                   fmt::join(vertex.sides, ", "), reach, own));
  }
  return fmt::format(R"({{"tied": [{}], "total": {:.0f}, "piecewise_linear": {}, "vertices": [{}]}})",
                     fmt::join(ties, ", "), set.total, set.piecewise_linear, fmt::join(vertices, ", "));
}

// ---------------------------------------------------------------- the picture
using Points = std::vector<std::array<double, 2>>;

session::PlotRequest::Points path(const std::string& name, const Points& points) {
  ir::Tensor leaf = ir::Tensor::zeros({ir::Elem::F64, {static_cast<int64_t>(points.size()), 2}});
  for (size_t k = 0; k < points.size(); ++k) std::copy(points[k].begin(), points[k].end(), &leaf.reals[2 * k]);
  types::TypePtr type = types::realType({types::Size(static_cast<int64_t>(points.size())), types::Size(2)});
  return {name, {type, {std::move(leaf)}}};
}

// The corners of the convex hull in order, closed (Andrew's monotone chain).
Points hullOf(Points points) {
  std::sort(points.begin(), points.end());
  points.erase(std::unique(points.begin(), points.end()), points.end());
  auto turn = [](const auto& a, const auto& b, const auto& c) {
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
  };
  Points hull;
  for (int half = 0; half < 2; ++half) {
    size_t begin = hull.size();
    for (const auto& point : points) {
      while (hull.size() >= begin + 2 && turn(hull[hull.size() - 2], hull.back(), point) <= 0) hull.pop_back();
      hull.push_back(point);
    }
    if (points.size() > 1) hull.pop_back();
    std::reverse(points.begin(), points.end());
  }
  hull.push_back(hull[0]);
  return hull;
}

// Two variables: the gradients as points of the plane and their hull. One: lines with the slopes.
bool draw(session::Session& session, const ClarkeCommand& command, const VertexSet& set) {
  session::PlotRequest request;
  request.out = command.out;
  request.title = fmt::format("Jacobians of {} that the ties at {} allow", command.function, fmt::join(command.at, ", "));
  Points all, reachable, others;
  for (const VertexJacobian& vertex : set.vertices) {
    if (!vertex.regular) continue;
    if (set.inputs == 1) {
      double slope = vertex.jacobian[0];
      const char* note = vertex.reach == Reach::Feasible ? "reachable" : "not shown to be reachable";
      std::string label = fmt::format("{:g}, {}", slope, note);
      bool known = std::any_of(request.paths.begin(), request.paths.end(), [&](const auto& p) { return p.name == label; });
      if (!known) request.paths.push_back(path(label, {{-1, -slope}, {1, slope}}));
      continue;
    }
    all.push_back({vertex.jacobian[0], vertex.jacobian[1]});
    (vertex.reach == Reach::Feasible ? reachable : others).push_back(all.back());
  }
  if (set.inputs == 1) {
    request.x_label = "step of the input";
    request.y_label = "step of the result";
    return drawPlot(session, request).has_value();
  }
  request.x_label = "derivative in the first variable";
  request.y_label = "derivative in the second";
  if (all.empty()) return true;
  double size = 0;
  for (const auto& a : all)
    for (const auto& b : all) size = std::max({size, std::abs(a[0] - b[0]), std::abs(a[1] - b[1])});
  double arm = size == 0 ? 0.05 : 0.02 * size, gap = std::numeric_limits<double>::quiet_NaN();
  auto crosses = [&](const std::string& name, const Points& points) {
    Points lines;
    for (const auto& p : points) {
      for (double s : {1.0, -1.0}) {
        lines.push_back({p[0] - arm, p[1] - s * arm});
        lines.push_back({p[0] + arm, p[1] + s * arm});
        lines.push_back({p[0], gap});
      }
    }
    if (!points.empty()) request.paths.push_back(path(name, lines));
  };
  request.paths.push_back(path("hull of all", hullOf(all)));
  crosses("reachable", reachable);
  crosses("not shown to be reachable", others);
  return drawPlot(session, request).has_value();
}

int run(Context& context, ClarkeCommand command) {
  session::Session* session = context.session();
  if (!session) return context.finish();
  std::optional<PointCall> call = callAtPoint(context, command.file, command.function, command.at);
  if (!call) return context.finish();
  const ir::Module& module = session->lowerer().module();
  ir::InterpretOptions interpretation;
  interpretation.interrupt = &session::interruptFlag();
  std::optional<ir::Outcome> outcome = ir::interpret(module, *call->function, call->arguments, interpretation);
  if (auto* status = std::get_if<ir::StatusInfo>(&*outcome)) {
    session::reportStatus(*status, call->function->span, session->sink());
    return context.finish();
  }
  command.limits.unification = session->executor().options().certification.unification;
  VertexSet set = certify::vertexJacobians(
      certify::traceCall(module, *call->function, call->arguments, interpretation), command.limits);
  if (!set.obstacle.empty()) {
    session->sink().add(DiagCode::NotDifferentiable, set.obstacle_span.valid() ? set.obstacle_span : call->function->span,
                        "the Jacobians at this point cannot be listed: " + set.obstacle);
    return context.finish();
  }
  if (!command.out.empty()) {
    if (set.results != 1 || set.inputs > 2)
      return context.fail(DiagCode::BadCommandLine, "`-o` draws real functions of one or two variables",
                          fmt::format("`{}` has {} results and {} variables", command.function, set.results, set.inputs));
    if (!draw(*session, command, set)) return context.finish();
  }
  if (command.json) printLine(json(session->sources(), set));
  else printText(session->sources(), set);
  return context.finish();
}

}  // namespace

Command addClarke(CLI::App& parser) {
  CLI::App* app = parser.add_subcommand("clarke", "the Jacobians that the ties at a point allow");
  auto command = std::make_shared<ClarkeCommand>();
  app->add_option("FILE", command->file, "the file")->required();
  app->add_option("--fn", command->function, "the function")->required();
  app->add_option("--at", command->at, "NAME=EXPRESSION, repeated or with commas")->allow_extra_args(false);
  app->add_option("-o", command->out, "draw the set: a .svg, .png or .gp file; functions of one or two variables");
  app->add_flag("--json", command->json, "one line of JSON");
  app->add_option("--limit", command->limits.limit, "how many vertices are listed")->check(CLI::Range(1, 1 << 20));
  app->add_option("--tie-tolerance", command->limits.tie_tolerance, "switches of at most this size are tied")
      ->check(checkNonNegative);
  return {app, [command](Context& context) { return run(context, *command); }};
}

}  // namespace dini::driver
