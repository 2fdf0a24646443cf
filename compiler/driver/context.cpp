#include "driver/context.h"

#include <cstdio>
#include <unistd.h>

#include <fmt/format.h>

namespace dini::driver {

void printLine(const std::string& line) {
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fputc('\n', stdout);
}

session::Session* Context::session() {
  if (session_) return session_.get();
  session::Options made;
  auto policy = session::parseTies(options.ties, !options.no_unify_kinks);
  auto chosen_engine = session::parseEngine(options.engine);
  auto chosen_level = session::parseLevel(options.level);
  if (!policy) {
    fail(DiagCode::BadTies, fmt::format("`{}` is not a tie policy", options.ties),
         "locked, first, second, average, weight(t) with t from 0 to 1, framework(torch), framework(jax)");
    return nullptr;
  }
  if (policy && !session::parseDirection(options.tie_direction, *policy)) {
    fail(DiagCode::BadTies, fmt::format("`{}` is not a direction", options.tie_direction),
         "numbers that are not all 0, such as 1,-0.5, or seed(n) with an integer n");
    return nullptr;
  }
  if (!chosen_engine) {
    fail(DiagCode::BadCommandLine, fmt::format("`{}` is not an engine", options.engine),
         "auto, interp, jit or library");
    return nullptr;
  }
  if (!chosen_level) {
    fail(DiagCode::BadCommandLine, fmt::format("`{}` is not an optimisation level", options.level),
         "-O0, -O1 or -O2");
    return nullptr;
  }
  made.ties = *policy;
  made.ties.tolerance = options.tie_tolerance;
  made.tie_report = options.tie_report;
  made.keep_ties = options.keep_ties;
  made.cpp_functions = options.cpp_functions;
  made.cpp_flags = options.cpp_flags;
  made.jacobians = options.jacobians;
  if (options.on_failure == "nan") made.on_failure = lower::OnFailure::Nan;
  if (options.no_unify_kinks) made.execution.certification.unification = certify::Unification::Off;
  made.execution.engine = *chosen_engine;
  made.execution.level = *chosen_level;
  if (!options.no_cache) made.execution.cache_folder = jit::cacheFolder();
  made.training = training;
  made.execution.print = [this](const std::string& line) {
    if (progress_) progress_->clear();
    printLine(line);
    std::fflush(stdout);
  };
  session_ = std::make_unique<session::Session>(std::move(made));
  return session_.get();
}

SourceManager& Context::sources() { return session_ ? session_->sources() : early_sources_; }
DiagnosticSink& Context::sink() { return session_ ? session_->sink() : early_sink_; }

bool Context::colourOnStderr() const {
  return options.colour == "always" || (options.colour == "auto" && isatty(STDERR_FILENO));
}

void Context::showProgress() {
  progress_ = std::make_unique<ProgressDisplay>();
  training.progress = [this](const session::Progress& progress) {
    progress_->show(sources().file(progress.statement.file), progress);
  };
}

std::string Context::resultSettings() const {
  return fmt::format("{} {} {} {} {}", options.ties, options.no_unify_kinks, options.tie_direction,
                     options.tie_tolerance, options.on_failure);
}

void Context::flushDiagnostics() {
  if (progress_) progress_->clear();
  std::fflush(stdout);
  auto show = [&](const SourceManager& sources, const DiagnosticSink& sink, size_t& shown) {
    const std::vector<Diagnostic>& all = sink.all();
    if (shown > all.size()) shown = 0;  // the sink was cleared
    for (; shown < all.size(); ++shown) {
      std::string text =
          options.diagnostics == "json"
              ? renderJson(sources, all[shown])
              : render(sources, all[shown], colourOnStderr() ? Colour::On : Colour::Off);
      if (text.empty() || text.back() != '\n') text += '\n';
      std::fwrite(text.data(), 1, text.size(), stderr);
    }
  };
  show(early_sources_, early_sink_, early_shown_);
  if (session_) show(session_->sources(), session_->sink(), shown_);
}

int Context::fail(DiagCode code, std::string message, std::string help) {
  DiagnosticSink& to = sink();
  to.add(code, Span{}, std::move(message)).help = std::move(help);
  return finish();
}

int Context::finish() {
  flushDiagnostics();
  if (options.tie_report && session_ && !session_->sink().hasErrors())
    fmt::print(stderr, "{}\n", session_->tieReport(session::Session::TiesOf::Session));
  int early = exitCode(early_sink_.all());
  if (early != kFine) return early;
  return session_ ? exitCode(session_->sink().all()) : kFine;
}

}  // namespace dini::driver
