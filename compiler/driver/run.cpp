// dini run FILE: runs the script's statements in order, or with --fn one function of it, whose
// arguments are expressions or, after an @, data files.
#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "driver/commands.h"
#include "driver/number_checks.h"
#include "driver/point_call.h"
#include "driver/progress.h"
#include "session/data_file.h"
#include "session/value_text.h"

namespace dini::driver {
namespace {

struct RunOptions {
  std::string file;
  std::string function;
  std::vector<std::string> arguments;
  std::string out;
  bool json = false;
  bool audit = false;
  bool progress = false;
  std::string checkpoint;
  double interval = session::TrainingOptions{}.interval;
};

std::string vectorText(const std::vector<double>& x) { return fmt::format("[{:.9g}]", fmt::join(x, ", ")); }

// What the audit found, after the script's own output.
void printAudit(const SourceManager& sources, const certify::Audit& audit) {
  if (audit.solves().empty()) printLine("audit: no solve was executed outside of comprehensions");
  for (const certify::AuditedSolve& solve : audit.solves()) {
    printLine(fmt::format("audit: the solve at {} was executed {} time{}: {} suspect step{}, {} leap{}, {} unknown",
                          place(sources, solve.span), solve.executions, solve.executions == 1 ? "" : "s",
                          solve.suspect, solve.suspect == 1 ? "" : "s", solve.leaps, solve.leaps == 1 ? "" : "s",
                          solve.unknown));
    for (const certify::AuditedStep& step : audit.steps()) {
      if (!(step.span == solve.span)) continue;
      bool leap = step.kind == certify::StepKind::Leap;
      printLine(fmt::format("  {} at execution {}: parameters {}{}, solution {} to {}", leap ? "leap" : "unknown",
                            step.number, vectorText(step.from), leap ? "" : " to " + vectorText(step.to),
                            vectorText(step.before), vectorText(step.after)));
    }
  }
}

// Binds one NAME=VALUE; gives the name, empty after an error.
std::string bindArgument(Context& context, session::Session& session, const std::string& text) {
  size_t equals = text.find('=');
  if (equals == 0 || equals == std::string::npos || equals + 1 == text.size()) {
    context.fail(DiagCode::BadCommandLine, fmt::format("`--arg {}` has no value", text),
                 "write `--arg x=0.5` or `--arg X=@X.npy`");
    return "";
  }
  std::string name = text.substr(0, equals), value = text.substr(equals + 1);
  if (value[0] == '@') {
    session::Loaded loaded = session::loadData(value.substr(1));
    if (auto* error = std::get_if<session::DataError>(&loaded)) {
      context.fail(error->code, error->message, error->help);
      return "";
    }
    session.define(name, std::move(std::get<lower::HostValue>(loaded)));
    return name;
  }
  std::optional<lower::HostValue> evaluated =
      session.evaluateText(fmt::format("--arg {}", name), value);
  if (!evaluated) return "";
  session.define(name, std::move(*evaluated));
  return name;
}

int runFunction(Context& context, session::Session& session, const RunOptions& options) {
  if (!session.program().findFunction(options.function))
    return context.fail(DiagCode::UnknownName,
                        fmt::format("`{}` has no function `{}`", options.file, options.function));
  std::vector<std::string> bindings;
  for (const std::string& argument : options.arguments) {
    std::string name = bindArgument(context, session, argument);
    if (name.empty()) return context.finish();
    bindings.push_back(fmt::format("{0} = {0}", name));
  }
  std::optional<lower::HostValue> value = session.evaluateText(
      "command line", fmt::format("{}({})", options.function, fmt::join(bindings, ", ")));
  if (!value) return context.finish();
  if (options.out.empty()) {
    printLine(options.json ? session::valueJson(*value) : session::valueText(*value));
    return context.finish();
  }
  session::DataError error = session::saveData(*value, options.out);
  if (!error.message.empty()) return context.fail(error.code, error.message, error.help);
  return context.finish();
}

int end(Context& context, const certify::Audit* audit) {
  if (audit) printAudit(context.sources(), *audit);
  return context.finish();
}

int run(Context& context, const RunOptions& options) {
  if (options.function.empty() && (!options.arguments.empty() || !options.out.empty()))
    return context.fail(DiagCode::BadCommandLine, "`--arg` and `--out` belong to a function",
                        "name it: `--fn f`");
  if (!options.checkpoint.empty() && (!options.function.empty() || options.audit))
    return context.fail(DiagCode::BadCommandLine, "`--resume` is for the statements of a script",
                        "leave out `--fn` and `--audit`");
  context.training.checkpoint = options.checkpoint;
  context.training.interval = options.interval;
  context.training.settings = context.resultSettings();
  if (options.progress) context.showProgress();
  session::Session* session = context.session();
  if (!session) return context.finish();
  ast::File* file = session->readFile(options.file);
  if (!file || session->sink().hasErrors()) return context.finish();
  std::unique_ptr<certify::Audit> audit;
  if (options.audit) {
    audit = std::make_unique<certify::Audit>(session->executor().options().certification);
    session->executor().options().audit = audit.get();
  }
  if (!options.function.empty()) {
    runFunction(context, *session, options);
    return end(context, audit.get());
  }
  session->runStatements(*file);
  return end(context, audit.get());
}

}  // namespace

Command addRun(CLI::App& parser) {
  CLI::App* app = parser.add_subcommand("run", "run a script, or one function of a file");
  auto options = std::make_shared<RunOptions>();
  app->add_option("FILE", options->file, "the script")->required();
  app->add_option("--fn", options->function, "run this function instead of the statements");
  app->add_option("--arg", options->arguments, "NAME=EXPRESSION or NAME=@FILE.npy")
      ->allow_extra_args(false);
  app->add_option("--out", options->out, "write the function's value to this .npy or .csv file");
  app->add_flag("--json", options->json, "print the function's value as JSON");
  app->add_flag("--audit", options->audit,
                "follow solves from one execution to the next and name the steps that leap a discontinuity");
  app->add_flag("--progress", options->progress,
                "say on standard error which statement runs, how far its loop is, and the residuals of solves");
  app->add_option("--resume", options->checkpoint,
                  "go on from this checkpoint if there is one, and keep it up to date while the script runs");
  app->add_option("--checkpoint-interval", options->interval,
                  "seconds between two checkpoints, at least (default 5)")
      ->check(checkNonNegative);
  return {app, [options](Context& context) { return run(context, *options); }};
}

}  // namespace dini::driver
