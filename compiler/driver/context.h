// What the subcommands share: options that all of them take, the session, and how diagnostics and
// results reach the terminal. Results go to stdout, everything else to stderr.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "diag/render.h"
#include "driver/progress.h"
#include "session/session.h"

namespace dini::driver {

enum ExitCode { kFine = 0, kWrong = 1, kLimitation = 2, kCompilerBug = 70 };

// Options of every subcommand, as written on the command line.
struct CommonOptions {
  std::string ties = "locked";
  bool no_unify_kinks = false;
  bool no_cache = false;
  bool tie_report = false;
  bool keep_ties = false;  // for :ties
  std::string tie_direction;
  double tie_tolerance = 0;
  std::string on_failure = "status";
  lower::Jacobians jacobians = lower::Jacobians::Found;  // of the subcommand, not on the command line
  std::string colour = "auto";
  std::string engine = "auto";
  std::string level = "2";
  std::string diagnostics = "text";
  std::vector<std::string> cpp_functions;  // of dini import
  std::vector<std::string> cpp_flags;
};

class Context {
 public:
  Context() = default;
  explicit Context(CommonOptions given) : options(std::move(given)) {}
  CommonOptions options;
  session::TrainingOptions training;

  // Before the session is made: what long runs say goes to stderr.
  void showProgress();
  // The options that change what a program computes, as text.
  std::string resultSettings() const;

  // The session, made at the first call from the options; null after a bad option (reported).
  session::Session* session();
  SourceManager& sources();
  DiagnosticSink& sink();

  // Writes what is new in the sink to stderr.
  void flushDiagnostics();
  // Reports one diagnostic without a place and gives the exit code that goes with it.
  int fail(DiagCode code, std::string message, std::string help = "");
  // Flushes, then the exit code of everything reported so far.
  int finish();
  bool colourOnStderr() const;

 private:
  std::unique_ptr<session::Session> session_;
  std::unique_ptr<ProgressDisplay> progress_;
  SourceManager early_sources_;  // of what is reported before there is a session
  DiagnosticSink early_sink_;
  size_t shown_ = 0;
  size_t early_shown_ = 0;
};

// A line of results.
void printLine(const std::string& line);

}  // namespace dini::driver
