// Long runs: top-level loops in parts of about kPart seconds, what they say of their progress, and
// checkpoints between parts. All parts run one compiled body, whose results depend on nothing but the
// variables; so where a part ends changes no bit, and a run that goes on from a checkpoint ends as one that
// was never stopped.
#include "session/training.h"

#include <algorithm>
#include <filesystem>
#include <limits>

#include <fmt/format.h>

#include "base/check.h"
#include "jit/object_cache.h"
#include "lower/assignments.h"
#include "session/session.h"

namespace dini::session {
namespace {

constexpr double kPart = 0.2;      // seconds
constexpr double kWritable = 0.05; // of the time may go into checkpoints

bool isHidden(const std::string& name) { return name.starts_with("loop ") || name.starts_with("load "); }

int64_t intOf(const lower::HostValue& value) { return value.leaves.at(0).ints.at(0); }

// The names that a statement makes.
std::vector<std::string> declaredBy(const ast::Stmt& statement) {
  std::vector<std::string> names;
  if (statement.kind == ast::StmtKind::Var) names.push_back(ast::as<ast::VarStmt>(statement).name.text);
  if (statement.kind == ast::StmtKind::Let)
    for (const ast::Name& name : ast::as<ast::LetStmt>(statement).names) names.push_back(name.text);
  return names;
}

constexpr const char* kStartAnew = "remove it to start anew, or give `--resume` another file";

}  // namespace

struct Session::LoopRun {
  ast::Stmt& statement;
  LoopRange range;
  Code code = {};
  std::vector<std::string> outputs = {};
  std::vector<std::string> assigned = {};
  int64_t done = 0;
  bool left = false;  // by `break`
};

void Session::setHidden(const char* name, int64_t value) {
  define(name, {types::intType(), {ir::Tensor::integer(value)}});
  scope_.values.at(name)->assignable = true;
}

void Session::tell(Progress::Kind kind, Span statement, double seconds) {
  if (!options_.training.progress) return;
  Progress progress;
  progress.kind = kind;
  progress.statement = statement;
  progress.seconds = seconds;
  options_.training.progress(progress);
}

bool Session::runTold(ast::Stmt& statement) {
  const Clock::time_point start = Clock::now();
  const Span span = statement.span;
  tell(Progress::Kind::Begins, span, 0);
  const bool good = runStatement(statement);
  tell(Progress::Kind::Ends, span, secondsSince(start));
  return good;
}

bool Session::runStatements(ast::File& file) {
  const bool keeps = !options_.training.checkpoint.empty();
  if (keeps && !startTraining(file)) return false;
  const size_t passed = training_.start ? static_cast<size_t>(training_.start->statement) : 0;
  for (size_t k = 0; k < file.items.size(); ++k) {
    ast::Item& item = file.items[k];
    if (item.kind != ast::ItemKind::Statement) continue;
    if (k < passed) {
      if (!passOver(*item.statement)) return false;
      continue;
    }
    training_.next.statement = static_cast<int64_t>(k);
    training_.next.iterations = -1;
    if (!runTold(*item.statement)) {
      // What was reached is kept, that of the loop included.
      if (keeps && (k > 0 || training_.next.iterations >= 0)) keepCheckpoint(true);
      return false;
    }
    training_.start.reset();
    training_.written = false;
    training_.next.statement = static_cast<int64_t>(k) + 1;
    training_.next.iterations = -1;
    if (keeps && !keepCheckpoint(false)) return false;
  }
  std::error_code ignored;
  if (keeps) std::filesystem::remove(options_.training.checkpoint, ignored);
  return true;
}

// ---------------------------------------------------------------- loops

// The head of a loop, evaluated once. Null after an error; a count of -1: the loop is to run as it is.
std::optional<LoopRange> Session::rangeOf(ast::Stmt& statement) {
  if (statement.kind == ast::StmtKind::While) return LoopRange{0, 1, std::numeric_limits<int64_t>::max()};
  auto& loop = ast::as<ast::ForStmt>(statement);
  std::optional<lower::HostValue> lo = evaluate(loop.lo), hi = evaluate(loop.hi), step;
  if (loop.step) step = evaluate(loop.step);
  if (!lo || !hi || (loop.step && !step)) return std::nullopt;
  std::optional<LoopRange> range = loopRange(intOf(*lo), intOf(*hi), step ? intOf(*step) : 1);
  return range ? *range : LoopRange{0, 0, -1};
}

// What the loop changes is not the same in each part: its code must not hold the values of the first.
void Session::markInts(const LoopRun& loop, IntsAre what) {
  const auto mark = [&](const std::string& name) {
    environment_.at(name).varies = what == IntsAre::Inputs;
  };
  std::for_each(loop.assigned.begin(), loop.assigned.end(), mark);
  mark(kLoopFrom);
  mark(kLoopTo);
}

bool Session::runPart(LoopRun& loop, int64_t iterations) {
  setHidden(kLoopFrom, loop.range.lo + loop.done * loop.range.step);
  setHidden(kLoopTo, loop.range.lo + (loop.done + iterations) * loop.range.step);
  markInts(loop, IntsAre::Inputs);
  auto executed = execute(loop.code, loop.statement.span);
  if (!executed || !storeOutputs(loop.outputs, std::move(executed->leaves))) return false;
  const int64_t done = intOf(environment_.at(kLoopDone));
  loop.left = done < loop.done + iterations;
  loop.done = done;
  return true;
}

bool Session::runLoop(ast::Stmt& statement) {
  if (!checkStatement(statement)) return false;
  const bool resumes = training_.start && training_.start->iterations >= 0;
  std::optional<LoopRange> range = resumes ? training_.start->range : rangeOf(statement);
  if (!range) return false;
  if (range->count < 0) {
    std::vector<std::string> outputs;
    auto executed = execute(
        [&](lower::Lowerer& lowerer) { return lowerer.lowerStatement(statement, environment_, outputs); },
        statement.span);
    return executed && storeOutputs(outputs, std::move(executed->leaves));
  }
  Progress progress;
  progress.kind = Progress::Kind::Continues;
  progress.statement = statement.span;
  progress.count = statement.kind == ast::StmtKind::While ? -1 : range->count;
  loops_.push_back(inParts(statement));
  LoopRun loop{*loops_.back(), *range};
  loop.done = progress.done_before = resumes ? training_.start->iterations : 0;
  loop.code.runs_again = true;
  loop.code.lower = [&](lower::Lowerer& lowerer) {
    return lowerer.lowerStatement(loop.statement, environment_, loop.outputs);
  };
  setHidden(kLoopFrom, 0);
  setHidden(kLoopTo, 0);
  setHidden(kLoopStep, range->step);
  setHidden(kLoopDone, loop.done);
  if (!program_->checkStatement(loop.statement, scope_)) return false;
  lower::Assignments found;
  found.add(loop.statement);
  for (const ast::Binding* binding : found.variables)
    if (binding->kind == ast::BindingKind::TopLevel) loop.assigned.push_back(binding->name);
  training_.next.range = *range;
  const Clock::time_point start = Clock::now();
  bool good = true;
  for (int64_t part = 1; good && !loop.left && loop.done < range->count;) {
    const Clock::time_point part_start = Clock::now();
    good = runPart(loop, std::min(part, range->count - loop.done));
    if (!good) break;
    const double took = secondsSince(part_start);
    if (took < kPart / 2) part *= 2;
    if (took > kPart * 2) part = std::max<int64_t>(part / 2, 1);
    training_.next.iterations = loop.done;
    training_.written = false;
    progress.done = loop.done;
    progress.seconds = secondsSince(start);
    progress.residual = notes_.residual;
    if (options_.training.progress) options_.training.progress(progress);
    // After a `break` the loop is over, which an iteration number does not say.
    if (!loop.left && !options_.training.checkpoint.empty()) good = keepCheckpoint(false);
  }
  markInts(loop, IntsAre::Constants);
  reportNotes(loop.code.notes, loop.statement.span);
  return good;
}

// ---------------------------------------------------------------- checkpoints

bool Session::startTraining(const ast::File& file) {
  const std::string& path = options_.training.checkpoint;
  training_ = {};
  Checkpoint& next = training_.next;
  next.program = hashOf(options_.training.settings);
  for (size_t k = 0; k < sources_.size(); ++k) {
    const SourceFile& source = sources_.file({static_cast<int32_t>(k)});
    if (source.path().starts_with("<prelude>/")) continue;
    next.program = hashOf(source.text(), hashOf(source.path(), next.program));
  }
  next.build = hashOf(jit::buildId());
  std::error_code failure;
  if (!std::filesystem::exists(path, failure)) return true;
  const auto refuse = [&](const std::string& why) {
    sink_.add(DiagCode::BadCheckpoint, Span{}, fmt::format("`{}` {}", path, why)).help = kStartAnew;
    return false;
  };
  auto bytes = readBytes(path);
  if (auto* error = std::get_if<DataError>(&bytes)) return refuse("cannot be read: " + error->message);
  training_.start = readCheckpoint(std::get<std::string>(bytes));
  if (!training_.start) return refuse("is no checkpoint, or is damaged");
  if (training_.start->build != next.build) return refuse("was written by another build of dini");
  if (training_.start->program != next.program ||
      training_.start->statement > static_cast<int64_t>(file.items.size()))
    return refuse("was written by another program, or by this one before it or its options changed");
  return true;
}

// Data is read again by statements that are passed over, in the same order.
bool Session::sameData(const std::string& path, const lower::HostValue& value, Span span) {
  std::vector<DataMark>& read = training_.next.data;
  read.push_back({path, hashOf(value)});
  if (!training_.start || read.size() > training_.start->data.size()) return true;
  const DataMark& before = training_.start->data[read.size() - 1];
  if (before.path == read.back().path && before.hash == read.back().hash) return true;
  sink_.add(DiagCode::BadCheckpoint, span,
            fmt::format("`{}` is not what it was when `{}` was written", path, options_.training.checkpoint))
      .help = kStartAnew;
  return false;
}

bool Session::passOver(ast::Stmt& statement) {
  if (!checkStatement(statement)) return false;
  for (const std::string& name : declaredBy(statement)) {
    const auto& variables = training_.start->variables;
    auto found = std::find_if(variables.begin(), variables.end(),
                              [&](const auto& variable) { return variable.name == name; });
    if (found != variables.end() && !storeOutputs({name}, found->leaves)) return false;
  }
  return true;
}

bool Session::keepCheckpoint(bool at_once) {
  if (training_.written) return true;
  const double wait = std::max(options_.training.interval, training_.cost / kWritable);
  if (!at_once && secondsSince(training_.last) < wait) return true;
  Checkpoint& next = training_.next;
  next.variables.clear();
  for (const auto& [name, value] : environment_)
    if (!isHidden(name)) next.variables.push_back({name, value.leaves});
  const Clock::time_point start = Clock::now();
  DataError error = writeAtomically(checkpointBytes(next), options_.training.checkpoint);
  next.variables.clear();
  training_.last = Clock::now();
  training_.cost = secondsSince(start);
  training_.written = true;
  if (error.message.empty()) return true;
  sink_.add(error.code, Span{}, error.message).help = error.help;
  return false;
}

}  // namespace dini::session
