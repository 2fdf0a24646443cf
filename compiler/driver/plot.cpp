// dini plot FILE --fn f --over x=-1..1 -o f.svg: value, derivative and kinks of a function of one
// variable; contours, gradient field, kinks and descents of one of two. What was found goes to
// standard output, evaluations without a value to standard error.
#include <cmath>
#include <cstdlib>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "driver/commands.h"
#include "driver/number_checks.h"
#include "session/plot.h"

namespace dini::driver {
namespace {

struct PlotCommand {
  std::string file;
  std::vector<std::string> functions, over, arguments, starts;
  session::PlotRequest request;
};

bool bad(Context& context, const std::string& message, const std::string& help) {
  context.fail(DiagCode::BadCommandLine, message, help);
  return false;
}

// The value of an expression that must be a number, such as pi/2.
std::optional<double> number(session::Session& session, const std::string& option, const std::string& text) {
  auto value = session.evaluateText(option, text);
  if (!value) return std::nullopt;
  if (value->type->isScalar() && !value->leaves[0].reals.empty()) return value->leaves[0].reals[0];
  if (value->type->isScalar() && !value->leaves[0].ints.empty()) return static_cast<double>(value->leaves[0].ints[0]);
  return std::nullopt;
}

bool readRange(Context& context, session::Session& session, const std::string& text, PlotCommand& command) {
  const char* help = "write `--over x=-1..1`, or `--over x=-1..1,y=0..2`";
  size_t equals = text.find('='), dots = text.find("..");
  if (dots == std::string::npos || (equals != std::string::npos && equals > dots))
    return bad(context, fmt::format("`--over {}` is no range", text), help);
  size_t begin = equals == std::string::npos ? 0 : equals + 1;
  auto from = number(session, "--over", text.substr(begin, dots - begin));
  auto to = number(session, "--over", text.substr(dots + 2));
  if (!from || !to) return bad(context, fmt::format("`--over {}` is no range", text), help);
  command.request.over.push_back({equals == std::string::npos ? "" : text.substr(0, equals), *from, *to});
  return true;
}

bool readStart(Context& context, session::Session& session, const std::string& text, PlotCommand& command) {
  const char* help = "write `--start 1,0`; the option may be repeated";
  size_t comma = text.find(',');
  if (comma == std::string::npos) return bad(context, fmt::format("`--start {}` is no pair", text), help);
  auto x = number(session, "--start", text.substr(0, comma)), y = number(session, "--start", text.substr(comma + 1));
  if (!x || !y) return bad(context, fmt::format("`--start {}` is no pair of numbers", text), help);
  command.request.starts.push_back({*x, *y});
  return true;
}

bool readArgument(Context& context, session::Session& session, const std::string& text, PlotCommand& command) {
  size_t equals = text.find('=');
  if (equals == 0 || equals == std::string::npos || equals + 1 == text.size())
    return bad(context, fmt::format("`--arg {}` has no value", text), "write `--arg a=0.5`");
  auto value = session.evaluateText("--arg " + text.substr(0, equals), text.substr(equals + 1));
  if (value) command.request.fixed.push_back({text.substr(0, equals), std::move(*value)});
  return value.has_value();
}

int plot(Context& context, PlotCommand command) {
  session::Session* session = context.session();
  if (!session) return context.finish();
  if (!session->readFile(command.file) || session->sink().hasErrors()) return context.finish();
  for (const std::string& function : command.functions)
    if (!session->program().findFunction(function))
      return context.fail(DiagCode::UnknownName, fmt::format("`{}` has no function `{}`", command.file, function));
  command.request.functions = command.functions;
  for (const std::string& text : command.over)
    if (!readRange(context, *session, text, command)) return context.finish();
  for (const std::string& text : command.starts)
    if (!readStart(context, *session, text, command)) return context.finish();
  for (const std::string& text : command.arguments)
    if (!readArgument(context, *session, text, command)) return context.finish();
  if (command.request.out.empty()) command.request.out = command.functions[0] + ".svg";
  auto lines = session::drawPlot(*session, command.request);
  if (!lines) return context.finish();
  for (const std::string& line : *lines) printLine(line);
  return context.finish();
}

}  // namespace

Command addPlot(CLI::App& parser) {
  CLI::App* app = parser.add_subcommand("plot", "draw a function of one or two variables, with its derivative and kinks");
  auto command = std::make_shared<PlotCommand>();
  app->add_option("FILE", command->file, "the file")->required();
  app->add_option("--fn", command->functions, "the function; several of one variable share a picture")
      ->required()->allow_extra_args(false);
  app->add_option("--over", command->over, "NAME=FROM..TO of one variable, or of two with a comma")
      ->required()->delimiter(',')->allow_extra_args(false);
  app->add_option("-o,--out", command->request.out,
                  "the picture: .svg, .png, or .gp for the gnuplot script (default: the function's name, .svg)");
  app->add_option("--arg", command->arguments, "NAME=EXPRESSION of another parameter")->allow_extra_args(false);
  app->add_option("--title", command->request.title, "above the picture");
  app->add_option("--points", command->request.points, "samples along each axis (401; two variables: 61)");
  app->add_option("--start", command->starts, "X,Y where a gradient descent starts; may be repeated")
      ->allow_extra_args(false);
  app->add_option("--step", command->request.step, "of the descents (0.01)")->check(checkPositive);
  app->add_option("--steps", command->request.steps, "of the descents (200)")->check(CLI::Range(size_t{1}, size_t{1000000}));
  return {app, [command](Context& context) { return plot(context, *command); }};
}

}  // namespace dini::driver
