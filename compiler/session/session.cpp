#include "session/session.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "base/check.h"
#include "session/data_file.h"
#include "session/foreign.h"
#include "session/inspect.h"
#include "session/load_calls.h"
#include "session/plot.h"
#include "session/prelude.h"
#include "session/status_report.h"
#include "session/tie_report.h"
#include "ir/text.h"
#include "ir/walk.h"
#include "syntax/parser.h"

namespace dini::session {
namespace {

constexpr double kIllConditioned = 1e-10;  // reciprocal condition below which W0502 warns

}  // namespace

std::atomic<bool>& interruptFlag() {
  static constinit std::atomic<bool> flag{false};
  return flag;
}

Session::Session(Options options)
    : options_(std::move(options)),
      program_(std::make_unique<sema::Program>(sources_, sink_, cppReader(sources_, sink_, options_.cpp_functions, options_.cpp_flags))),
      executor_(options_.execution) {
  if (!executor_.options().interrupt) executor_.options().interrupt = &interruptFlag();
  executor_.options().sources = &sources_;
  executor_.options().print = [this](const std::string& line) { showLine(line); };
  for (const EmbeddedText& text : preludeTexts())
    program_->addPrelude(fmt::format("<prelude>/{}.dini", text.name), std::string(text.text));
}

Session::~Session() = default;

lower::Lowerer& Session::lowerer() {
  if (!lowerer_) {
    ad::TieOptions ties = options_.ties;
    ties.report = options_.tie_report || options_.keep_ties;
    // An audit follows each execution of a solve: a statement may not run twice.
    if (options_.tie_report || executor_.options().audit != nullptr)
      ties.variant = ad::TieOptions::Variant::Probe;
    lowerer_ = std::make_unique<lower::Lowerer>(*program_, sink_,
                                                lower::Options{ties, options_.on_failure, options_.jacobians});
  }
  return *lowerer_;
}

lower::Lowerer& Session::probeLowerer() {
  if (!probe_lowerer_) {
    ad::TieOptions ties = options_.ties;
    ties.variant = ad::TieOptions::Variant::Probe;
    probe_lowerer_ = std::make_unique<lower::Lowerer>(*program_, sink_,
                                                      lower::Options{ties, options_.on_failure, options_.jacobians});
  }
  return *probe_lowerer_;
}

void Session::showLine(const std::string& line) {
  if (repeated_ > 0) {
    --repeated_;
    return;
  }
  ++shown_;
  if (auto solve = ir::parseFailureNotice(line))
    sink_.add(DiagCode::SolveFailed, *solve,
              "this solve or its derivative failed; what failed is NaN, and all that follows from it");
  else if (options_.execution.print)
    options_.execution.print(line);
}

namespace {

bool declares(const ast::File& file) {
  return std::any_of(file.items.begin(), file.items.end(), [](const ast::Item& item) {
    return item.kind == ast::ItemKind::Fn || item.kind == ast::ItemKind::Type ||
           item.kind == ast::ItemKind::Import;
  });
}

}  // namespace

void Session::forgetInstances() {
  lowerer_.reset();
  probe_lowerer_.reset();
}

ast::File* Session::readFile(const std::string& path) {
  ast::File* file = program_->addFile(path);
  if (file && declares(*file)) forgetInstances();
  return file;
}

ast::File* Session::readText(const std::string& name, std::string text) {
  ast::File* file = program_->addText(name, std::move(text));
  if (file && declares(*file)) forgetInstances();
  return file;
}

ast::File* Session::reloadFile(const std::string& path) {
  auto bytes = readBytes(path);
  if (DataError* error = std::get_if<DataError>(&bytes)) {
    sink_.add(error->code, Span{}, error->message).help = error->help;
    return nullptr;
  }
  return readText(path, std::move(std::get<std::string>(bytes)));
}

std::string Session::besideSource(const std::string& path, Span span) const {
  namespace fs = std::filesystem;
  if (fs::path(path).is_absolute() || !span.valid()) return path;
  fs::path folder = fs::path(sources_.file(span.file).path()).parent_path();
  return folder.empty() ? path : (folder / path).string();
}

bool Session::readData(const std::vector<LoadCall>& loads) {
  for (const LoadCall& load : loads) {
    std::string path = besideSource(load.path, load.span);
    std::error_code failure;
    if (!std::filesystem::exists(path, failure) && std::filesystem::exists(load.path, failure))
      path = load.path;
    Loaded loaded = loadData(path);
    if (DataError* error = std::get_if<DataError>(&loaded)) {
      sink_.add(error->code, load.span, error->message).help = error->help;
      return false;
    }
    auto& value = std::get<lower::HostValue>(loaded);
    if (!options_.training.checkpoint.empty() && !sameData(load.path, value, load.span)) return false;
    define(load.name, std::move(value));
  }
  return true;
}

namespace {

// save(value, "path") or plot(...) as a statement of its own, unless the program has a function of that
// name.
ast::CallExpr* hostCall(ast::Stmt& statement, const char* name, const sema::Program& program) {
  if (statement.kind != ast::StmtKind::Expression) return nullptr;
  ast::Expr* e = ast::as<ast::ExprStmt>(statement).value.get();
  if (!e || e->kind != ast::ExprKind::Call) return nullptr;
  auto& call = ast::as<ast::CallExpr>(*e);
  bool matches = call.callee->kind == ast::ExprKind::Name &&
                 ast::as<ast::NameExpr>(*call.callee).name == name && !program.findFunction(name);
  return matches ? &call : nullptr;
}

}  // namespace

bool Session::wellFormedSave(const ast::CallExpr& call) {
  if (call.arguments.size() == 2 && call.arguments[1].value->kind == ast::ExprKind::String)
    return true;
  sink_.add(DiagCode::BadArguments, call.span, "save takes a value and a path").help =
      "write `save(v, \"v.npy\")`";
  return false;
}

bool Session::runSave(ast::CallExpr& call) {
  if (!wellFormedSave(call)) return false;
  std::optional<lower::HostValue> value = evaluate(call.arguments[0].value);
  if (!value) return false;
  const std::string& path = ast::as<ast::StringExpr>(*call.arguments[1].value).value;
  DataError error = saveData(*value, besideSource(path, call.span));
  if (error.message.empty()) return true;
  sink_.add(error.code, call.span, error.message).help = error.help;
  return false;
}

bool Session::runPlot(ast::CallExpr& call) {
  std::optional<PlotRequest> request = readPlotCall(*this, call);
  if (!request) return false;
  request->out = besideSource(request->out, call.span);
  return drawPlot(*this, *request).has_value();
}

// Names and types of its arguments; what they say is read when it runs.
bool Session::checkPlot(ast::CallExpr& call) {
  auto good = [&](ast::ExprPtr& e) {
    bool text = !e || e->kind == ast::ExprKind::String;
    return text || (readData(replaceLoadCalls(e)) && program_->checkExpression(*e, scope_));
  };
  return std::all_of(call.arguments.begin(), call.arguments.end(),
                     [&](ast::Argument& argument) { return good(argument.value) && good(argument.to); });
}

bool Session::checkStatement(ast::Stmt& statement) {
  if (ast::CallExpr* plot = hostCall(statement, "plot", *program_)) return checkPlot(*plot);
  if (ast::CallExpr* save = hostCall(statement, "save", *program_)) {
    if (!wellFormedSave(*save)) return false;
    ast::ExprPtr& value = save->arguments[0].value;
    return readData(replaceLoadCalls(value)) && program_->checkExpression(*value, scope_);
  }
  return readData(replaceLoadCalls(statement)) && program_->checkStatement(statement, scope_);
}

bool Session::runStatement(ast::Stmt& statement) {
  if (ast::CallExpr* save = hostCall(statement, "save", *program_)) return runSave(*save);
  if (ast::CallExpr* plot = hostCall(statement, "plot", *program_)) return runPlot(*plot);
  if (options_.training.inParts() && runsInParts(statement)) return runLoop(statement);
  if (!checkStatement(statement)) return false;
  bool alias = statement.kind == ast::StmtKind::Let &&
               ast::as<ast::LetStmt>(statement).value->type &&
               ast::as<ast::LetStmt>(statement).value->type->kind == types::Kind::Function;
  if (alias) return true;
  std::vector<std::string> outputs;
  auto executed = execute(
      [&](lower::Lowerer& lowerer) {
        return lowerer.lowerStatement(statement, environment_, outputs);
      },
      statement.span);
  return executed && storeOutputs(outputs, std::move(executed->leaves));
}

bool Session::runTest(ast::TestDecl& test) {
  if (!program_->checkTest(test)) return false;
  auto lower = [&](lower::Lowerer& lowerer) { return lowerer.lowerBlock(*test.body, {}); };
  return execute(lower, test.span).has_value();
}

ast::Expr* Session::parse(const std::string& name, std::string text) {
  FileId file = sources_.add(name, std::move(text));
  size_t before = sink_.errorCount();
  ast::ExprPtr expression = syntax::parseExpression(sources_, file, sink_);
  if (!expression || sink_.errorCount() > before) return nullptr;
  kept_.push_back(std::move(expression));
  return kept_.back().get();
}

std::optional<lower::HostValue> Session::evaluateText(const std::string& name, std::string text) {
  if (!parse(name, std::move(text))) return std::nullopt;
  return evaluate(kept_.back());
}

types::TypePtr Session::typeOfText(const std::string& name, std::string text) {
  if (!parse(name, std::move(text))) return nullptr;
  if (!readData(replaceLoadCalls(kept_.back()))) return nullptr;
  if (!program_->checkExpression(*kept_.back(), scope_)) return nullptr;
  return kept_.back()->type;
}

std::optional<lower::Lowered> Session::lowerText(const std::string& name, std::string text) {
  if (!typeOfText(name, std::move(text))) return std::nullopt;
  return lowerer().lowerExpression(*kept_.back(), environment_);
}

std::optional<lower::Lowered> Session::lowerProbeText(const std::string& name, std::string text) {
  if (!typeOfText(name, std::move(text))) return std::nullopt;
  return probeLowerer().lowerExpression(*kept_.back(), environment_);
}

std::optional<lower::HostValue> Session::evaluate(ast::ExprPtr& expression) {
  if (!readData(replaceLoadCalls(expression))) return std::nullopt;
  if (!program_->checkExpression(*expression, scope_)) return std::nullopt;
  if (expression->type->kind == types::Kind::Function) {
    sink_.add(DiagCode::TypeMismatch, expression->span,
              fmt::format("this is a function, {}, not a value", program_->str(*expression->type)))
        .help = "call it with arguments";
    return std::nullopt;
  }
  auto executed = execute(
      [&](lower::Lowerer& lowerer) { return lowerer.lowerExpression(*expression, environment_); },
      expression->span);
  if (!executed) return std::nullopt;
  types::TypePtr type = concreteType(executed->type, executed->leaves);
  return lower::HostValue{std::move(type), std::move(executed->leaves)};
}

std::vector<ir::Tensor> Session::inputsOf(const lower::Lowered& lowered) const {
  std::vector<ir::Tensor> arguments;
  for (const std::string& name : lowered.inputs) {
    const lower::HostValue* value = find(name);
    check(value != nullptr, "a statement reads a variable that has no value");
    arguments.insert(arguments.end(), value->leaves.begin(), value->leaves.end());
  }
  return arguments;
}

bool Session::isCertified(lower::Lowerer& lowerer, const lower::Lowered& lowered) {
  bool solves = false;
  ir::walk(lowered.function->body, [&](const ir::Op& op) { solves |= op.code == ir::OpCode::Root; });
  if (!solves) return true;
  CertifiedCall call = certifyCall(lowerer.module(), *lowered.function, inputsOf(lowered),
                                   {executor_.options().certification, &interruptFlag(), &sources_});
  return std::all_of(call.certificates.begin(), call.certificates.end(), [](const auto& certificate) {
    return certificate.verdict == certify::Verdict::Proved;
  });
}

std::optional<ir::Outcome> Session::run(lower::Lowerer& lowerer, Code& code, Variant& variant) {
  if (!variant.lowered) variant.lowered = code.lower(lowerer);
  if (!variant.lowered) return std::nullopt;
  std::vector<ir::Tensor> arguments = inputsOf(*variant.lowered);
  notes_ = {};
  executor_.options().notes = &notes_;
  if (code.runs_again)
    return executor_.runAgain(lowerer.module(), *variant.lowered->function, arguments, variant.prepared);
  return executor_.run(lowerer.module(), *variant.lowered->function, arguments);
}

std::optional<Session::Executed> Session::execute(const Lowering& lower, Span span) {
  Code code;
  code.lower = lower;
  return execute(code, span);
}

std::optional<Session::Executed> Session::execute(Code& code, Span span) {
  shown_ = repeated_ = 0;
  if (!options_.tie_report) unproved_ = false;
  lower::Lowerer* used = &lowerer();
  Variant* variant = &code.fast;
  executor_.options().decided = false;
  std::optional<ir::Outcome> outcome = run(*used, code, *variant);
  if (!outcome) return std::nullopt;
  const auto* status = std::get_if<ir::StatusInfo>(&*outcome);
  if (notes_.tie && !(status && status->status == ir::Status::Interrupted)) {
    repeated_ = shown_;
    used = &probeLowerer();
    variant = &code.probe;
    executor_.options().decided = true;
    outcome = run(*used, code, *variant);
    if (!outcome) return std::nullopt;
    status = std::get_if<ir::StatusInfo>(&*outcome);
  }
  if (code.runs_again)
    code.notes.addRun(notes_);
  else
    reportNotes(notes_, span);
  if (options_.tie_report)
    all_notes_.add(notes_);
  bool told = options_.tie_report || options_.keep_ties;
  if (told && !status && !notes_.ties.empty()) unproved_ |= !isCertified(*used, *variant->lowered);
  if (status) {
    reportStatus(*status, span, sink_);
    return std::nullopt;
  }
  return Executed{variant->lowered->type, std::move(std::get<std::vector<ir::Tensor>>(*outcome))};
}

std::string Session::tieReport(TiesOf which) const {
  return session::tieReport(sources_, which == TiesOf::Session ? all_notes_ : notes_, unproved_);
}

void Session::reportNotes(const ir::RunNotes& notes, Span fallback) {
  for (const ir::TieRow& tie : notes.ties) {
    Span place = tie.span.valid() ? tie.span : fallback;
    if (tie.kind == ir::TieKind::Undecided)
      sink_.add(DiagCode::UndecidedTie, place,
                "a derivative was taken exactly at this kink, and no direction of the probe decides it",
                fmt::format("weight {} was taken", tie.weight))
          .help = "the result is conservative, not a Clarke element; `--ties` or `@ties` choose a policy";
    if (tie.kind == ir::TieKind::Unproved)
      sink_.add(DiagCode::UnprovedTies, place,
                "a derivative was taken through this solve at ties of its equations, and whether their "
                "Jacobian is invertible for all weights was not decided")
          .help = "`dini certify` looks longer";
    if (tie.kind == ir::TieKind::Equal)
      sink_.add(DiagCode::JumpDifferentiated, place,
                "the reals that this condition compares are equal, where a derivative was taken",
                "the derivative is that of the side taken")
          .help = "a switch, with a weight at its tie, is an `if` on one comparison by `<`, `<=`, `>` or `>=`";
    if (tie.kind == ir::TieKind::Jump)
      sink_.add(DiagCode::JumpDifferentiated, place,
                "the sides of this `if` differ at equality, where a derivative was taken",
                "the derivative is that of the side taken");
  }
  if (notes.rcond < kIllConditioned)
    sink_.add(DiagCode::IllConditioned, notes.system_span.valid() ? notes.system_span : fallback,
              "this linear system is close to singular",
              fmt::format("condition estimate {:.2g}", 1 / notes.rcond));
}

bool Session::storeOutputs(const std::vector<std::string>& outputs,
                           std::vector<ir::Tensor> leaves) {
  size_t at = 0;
  for (const std::string& name : outputs) {
    auto found = scope_.values.find(name);
    check(found != scope_.values.end(), "a statement defines a variable that the scope lacks");
    ast::Binding& binding = *found->second;
    size_t count = leafCount(*binding.type);
    check(at + count <= leaves.size(), "a statement gave fewer values than it defines");
    std::vector<ir::Tensor> own(std::make_move_iterator(leaves.begin() + static_cast<long>(at)),
                                std::make_move_iterator(leaves.begin() +
                                                        static_cast<long>(at + count)));
    at += count;
    binding.type = concreteType(binding.type, own);
    // An int that cannot change is a size that the next statements know.
    if (!binding.assignable && binding.type->isScalar() && own[0].type.elem == ir::Elem::I64)
      binding.size = types::Size(own[0].ints[0]);
    environment_[name] = {binding.type, std::move(own)};
  }
  return true;
}

void Session::define(const std::string& name, lower::HostValue value) {
  auto binding = std::make_shared<ast::Binding>();
  binding->kind = ast::BindingKind::TopLevel;
  binding->name = name;
  binding->type = value.type;
  scope_.values[name] = std::move(binding);
  environment_[name] = std::move(value);
}

void Session::forget(const std::string& name) {
  scope_.values.erase(name);
  environment_.erase(name);
}

const lower::HostValue* Session::find(const std::string& name) const {
  auto found = environment_.find(name);
  return found == environment_.end() ? nullptr : &found->second;
}

}  // namespace dini::session
