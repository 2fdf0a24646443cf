// The parser of the command line.
#include <csignal>
#include <cstdlib>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "base/check.h"
#include "driver/bug_report.h"
#include "driver/commands.h"
#include "driver/number_checks.h"
#include "driver/reserved.h"

namespace dini::driver {
namespace {

extern "C" void onInterrupt(int) {
  // A second Ctrl-C before the first was answered ends the process.
  if (session::interruptFlag().exchange(true)) _exit(130);
}

void installInterruptHandler() {
  struct sigaction action = {};
  action.sa_handler = onInterrupt;
  sigaction(SIGINT, &action, nullptr);  // without SA_RESTART: a waiting prompt must notice
}

void addCommonOptions(CLI::App& app, CommonOptions& options) {
  app.add_option("--ties", options.ties,
                 "derivative at a kink: locked (default), first, second, average, weight(t), "
                 "framework(torch), framework(jax)");
  app.add_flag("--no-unify-kinks", options.no_unify_kinks,
               "weight each kink alone, even where two are the same switch");
  app.add_option("--tie-direction", options.tie_direction,
                 "the probe of `locked`: its first entries, as 1,-0.5, or seed(n)");
  app.add_option("--tie-tolerance", options.tie_tolerance,
                 "switches of at most this magnitude count as ties (default 0)")
      ->check(checkNonNegative);
  app.add_flag("--tie-report", options.tie_report,
               "report every tie that a derivative met, after the results");
  app.add_option("--engine", options.engine, "auto (default), interp, jit or library");
  app.add_option("-O", options.level, "optimisation of compiled code: 0, 1 or 2 (default)");
  app.add_flag("--no-cache", options.no_cache,
               "compile anew and keep nothing: no compiled code on disk");
  app.add_option("--on-failure", options.on_failure,
                 "a solve that fails: status (default) ends the call, nan makes its value NaN")
      ->check(CLI::IsMember({"status", "nan"}));
  app.add_option("--color", options.colour, "auto (default), always or never")
      ->check(CLI::IsMember({"auto", "always", "never"}));
  app.add_option("--diagnostics", options.diagnostics, "text (default) or json")
      ->check(CLI::IsMember({"text", "json"}));
}

// The command as written, if it is none that there is.
std::string unknownCommand(const CLI::App& parser, int argc, const char* const* argv) {
  if (argc < 2 || argv[1][0] == '-') return "";
  for (const CLI::App* command : parser.get_subcommands({}))
    if (command->get_name() == argv[1]) return "";
  return argv[1];
}

int badCommandLine(Context& context, const CLI::ParseError& error, const std::string& unknown) {
  std::string message = error.what();
  if (!unknown.empty()) message = fmt::format("there is no command `{}`", unknown);
  if (message.size() > 1 && !std::isupper(static_cast<unsigned char>(message[1])))
    message[0] = static_cast<char>(std::tolower(message[0]));
  while (!message.empty() && (message.back() == '.' || message.back() == '\n')) message.pop_back();
  context.fail(DiagCode::BadCommandLine, message, "`dini --help` lists commands and options");
  return kWrong;
}

}  // namespace

int runDini(int argc, const char* const* argv) {
  Context context;
  if (auto word = reservedWord({argv + 1, argv + argc}))
    return context.fail(DiagCode::NotYet, *word + " is not there yet");
  CLI::App parser("Dini: a small numeric language whose equations are values that can be "
                  "differentiated.\nAt a kink met exactly, derivatives take a side (`locked`) "
                  "unless --ties says otherwise.",
                  "dini");
  parser.set_version_flag("--version", "dini " DINI_VERSION);
  parser.require_subcommand(1);
  parser.fallthrough();
  addCommonOptions(parser, context.options);
  std::string later;
  for (std::string_view name : reservedCommands()) later += fmt::format(" {}", name);
  parser.footer("Not there yet:" + later + ".\nExit codes: 0 fine; 1 the program is wrong or a "
                "solve failed; 2 a known limitation; 70 a bug in the compiler.");
  const std::vector<Command> commands = {addRun(parser),  addEval(parser),    addCheck(parser),
                                         addTest(parser), addFmt(parser),     addEmit(parser),
                                         addExplain(parser), addRepl(parser), addCertify(parser),
                                         addClarke(parser), addPlot(parser), addBuild(parser),
                                         addImport(parser)};
  try {
    parser.parse(argc, argv);
  } catch (const CLI::Success& done) {
    return parser.exit(done);  // --help, --version
  } catch (const CLI::ParseError& error) {
    return badCommandLine(context, error, unknownCommand(parser, argc, argv));
  }
  installInterruptHandler();
  for (const Command& command : commands)
    if (command.app->parsed())
      return reportingBugs(context, {argv, static_cast<size_t>(argc)}, command.run);
  failCheck("a command line without a command");
}

}  // namespace dini::driver
