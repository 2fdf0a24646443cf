// A session ties the stages together: it reads files, checks, lowers and runs top-level statements
// one at a time, and holds the values of the top-level variables between them. The driver's
// commands and the REPL are thin layers over it. Mistakes and statuses land in sink(); nothing is
// printed here but through Options::execution.print.
// Not here: rendering (diag/), the command line (driver/), lines typed by a person (repl/).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lower/lower.h"
#include "sema/sema.h"
#include "session/execute.h"
#include "session/options.h"
#include "session/training.h"

namespace dini::session {

// Set by the signal handler of Ctrl-C; polled by the engines. Whoever reports it clears it.
std::atomic<bool>& interruptFlag();

class Session {
 public:
  explicit Session(Options options);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const Options& options() const { return options_; }
  SourceManager& sources() { return sources_; }
  DiagnosticSink& sink() { return sink_; }
  sema::Program& program() { return *program_; }
  sema::TopLevel& scope() { return scope_; }
  const lower::Lowerer::Environment& environment() const { return environment_; }
  Executor& executor() { return executor_; }
  // Made anew after declarations were added: it caches instances by function.
  lower::Lowerer& lowerer();
  // The same for the variant with the probe of `locked`, which is right at ties without a second run.
  lower::Lowerer& probeLowerer();

  // Reads a file and what it imports, checks the declarations. Null: it cannot be read. Errors in
  // its text are in the sink.
  ast::File* readFile(const std::string& path);
  ast::File* readText(const std::string& name, std::string text);
  // The same of a file, read anew each time: its declarations replace those of the same names.
  ast::File* reloadFile(const std::string& path);

  // Runs the statements of a file in order; false after the first that fails. With
  // Options::training, loops run in parts, and a checkpoint is started from and kept.
  bool runStatements(ast::File& file);
  bool runStatement(ast::Stmt& statement);
  // Checks without running; data files are read, because the types depend on them.
  bool checkStatement(ast::Stmt& statement);
  bool runTest(ast::TestDecl& test);
  // The value of an expression; null after an error or a status.
  std::optional<lower::HostValue> evaluate(ast::ExprPtr& expression);
  // The same of text, which is parsed as the source called `name` and kept.
  std::optional<lower::HostValue> evaluateText(const std::string& name, std::string text);
  // Checks the expression and gives its type, without running it.
  types::TypePtr typeOfText(const std::string& name, std::string text);
  // The IR of an expression, before optimisation; null after an error.
  std::optional<lower::Lowered> lowerText(const std::string& name, std::string text);
  std::optional<lower::Lowered> lowerProbeText(const std::string& name, std::string text);
  // Makes a top-level variable.
  void define(const std::string& name, lower::HostValue value);
  void forget(const std::string& name);
  // What the last statement met, and with Options::tie_report what all have met.
  enum class TiesOf { Statement, Session };
  std::string tieReport(TiesOf which) const;
  // Null: there is no such variable.
  const lower::HostValue* find(const std::string& name) const;

 private:
  ast::Expr* parse(const std::string& name, std::string text);
  void forgetInstances();
  bool readData(const std::vector<struct LoadCall>& loads);
  // A path of load or save: relative to the file it stands in, as in import.
  std::string besideSource(const std::string& path, Span span) const;
  bool wellFormedSave(const ast::CallExpr& call);
  bool runSave(ast::CallExpr& call);
  bool runPlot(ast::CallExpr& call);
  bool checkPlot(ast::CallExpr& call);
  struct Executed {
    types::TypePtr type;
    std::vector<ir::Tensor> leaves;
  };
  using Lowering = std::function<std::optional<lower::Lowered>(lower::Lowerer&)>;
  struct Variant {
    std::optional<lower::Lowered> lowered;  // when it first ran
    std::optional<Prepared> prepared;       // of code that runs again
  };
  // What `lower` gives, and what is kept of it between runs.
  struct Code {
    Lowering lower;
    Variant fast, probe;
    bool runs_again = false;
    ir::RunNotes notes;  // of code that runs again: of all its runs, still to be reported
  };
  // Runs code: its fast variant and, where that met a tie of `locked`, the one with the
  // probe, whose lines appear from where the first run met the tie.
  std::optional<Executed> execute(Code& code, Span span);
  std::optional<Executed> execute(const Lowering& lower, Span span);
  // Null: it does not lower.
  std::optional<ir::Outcome> run(lower::Lowerer& lowerer, Code& code, Variant& variant);
  std::vector<ir::Tensor> inputsOf(const lower::Lowered& lowered) const;
  // Whether the solves of a statement are PROVED at its inputs.
  bool isCertified(lower::Lowerer& lowerer, const lower::Lowered& lowered);
  void showLine(const std::string& line);
  void reportNotes(const ir::RunNotes& notes, Span fallback);
  bool storeOutputs(const std::vector<std::string>& outputs, std::vector<ir::Tensor> leaves);

  // Long runs (training.cpp).
  void tell(Progress::Kind kind, Span statement, double seconds);
  bool runTold(ast::Stmt& statement);
  bool runLoop(ast::Stmt& statement);
  struct LoopRun;
  std::optional<LoopRange> rangeOf(ast::Stmt& statement);
  bool runPart(LoopRun& loop, int64_t iterations);
  bool startTraining(const ast::File& file);
  bool passOver(ast::Stmt& statement);
  bool sameData(const std::string& path, const lower::HostValue& value, Span span);
  bool keepCheckpoint(bool at_once);
  void setHidden(const char* name, int64_t value);
  enum class IntsAre { Constants, Inputs };
  void markInts(const LoopRun& loop, IntsAre what);

  Options options_;
  SourceManager sources_;
  DiagnosticSink sink_;
  std::unique_ptr<sema::Program> program_;
  sema::TopLevel scope_;
  lower::Lowerer::Environment environment_;
  std::unique_ptr<lower::Lowerer> lowerer_, probe_lowerer_;
  Executor executor_;
  ir::RunNotes notes_;      // of the run that gave the last value
  ir::RunNotes all_notes_;  // ties only
  bool unproved_ = false;   // a run that they come from solved an equation that is not certified
  size_t shown_ = 0;     // lines of the running statement that were shown,
  size_t repeated_ = 0;  // and lines still to come that were shown before
  std::vector<ast::ExprPtr> kept_;  // expressions that were given as text
  std::vector<std::unique_ptr<ast::Stmt>> loops_;  // that run in parts
  Training training_;
};

// `type` with the sizes that the leaves, its own in order, have.
types::TypePtr concreteType(const types::TypePtr& type, std::span<const ir::Tensor> leaves);
size_t leafCount(const types::Type& type);

}  // namespace dini::session
