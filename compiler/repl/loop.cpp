#include "repl/loop.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <set>

#include <fmt/format.h>

#include "base/check.h"
#include "ir/printer.h"
#include "session/value_text.h"

namespace dini::repl {
namespace {

constexpr std::array kKeywords = {
    "fn",    "type", "test", "import", "let",   "var",    "for",   "in",       "by",
    "while", "if",   "else", "break",  "return", "assert", "print", "solve",    "using",
    "try",   "true", "false", "and",   "or",    "not",    "real",  "int",      "bool",
    "differentiate"};

std::string trimmed(const std::string& text) {
  size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

void show(const std::string& line) {
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

}  // namespace

struct Loop::CommandRow {
  const char* name;
  const char* argument;
  const char* summary;
  void (Loop::*run)(const std::string& argument);  // null: :quit and :help
};

const std::vector<Loop::CommandRow>& Loop::commands() {
  static const std::vector<CommandRow> rows = {
      {":type", "EXPR", "the type of an expression", &Loop::showType},
      {":ir", "EXPR", "the intermediate representation of an expression", &Loop::showIr},
      {":time", "INPUT", "run an input and show how long it took", &Loop::showTime},
      {":ties", "", "the ties that the last input's derivatives met", &Loop::showTies},
      {":load", "FILE", "run a script in this session", &Loop::load},
      {":help", "", "this list", nullptr},
      {":quit", "", "end the session (also Ctrl-D)", nullptr},
  };
  return rows;
}

bool Loop::handle(const std::string& input) {
  std::string text = trimmed(input);
  if (text.empty()) return true;
  bool go_on = true;
  session::interruptFlag() = false;
  try {
    if (text[0] == ':')
      go_on = command(text);
    else
      code(input);
  } catch (const InternalError& bug) {
    // The session's own state is changed only after a stage has succeeded: it can go on.
    showDiagnostics();
    fmt::print(stderr, "internal error: this is a bug in the compiler\n  {}\n", bug.what());
  } catch (const std::bad_alloc&) {
    session_.sink().add(DiagCode::OutOfMemory, Span{}, "not enough memory");
  }
  showDiagnostics();
  session::interruptFlag() = false;
  return go_on;
}

void Loop::showDiagnostics() {
  std::fflush(stdout);
  for (const Diagnostic& diagnostic : session_.sink().all()) {
    std::string text = render(session_.sources(), diagnostic, options_.colour);
    fmt::print(stderr, "{}{}", text, text.ends_with('\n') ? "" : "\n");
  }
  session_.sink().clear();
}

bool Loop::command(const std::string& line) {
  size_t end = line.find_first_of(" \t");
  std::string name = line.substr(0, end);
  std::string argument = end == std::string::npos ? "" : trimmed(line.substr(end));
  if (name == ":quit" || name == ":q") return false;
  if (name == ":help" || name == ":h") {
    showHelp();
    return true;
  }
  for (const CommandRow& row : commands()) {
    if (name != row.name) continue;
    if (argument.empty() && row.argument[0] != '\0')
      session_.sink().add(DiagCode::BadCommandLine, Span{},
                          fmt::format("`{}` needs {}", row.name, row.argument));
    else
      (this->*row.run)(argument);
    return true;
  }
  session_.sink().add(DiagCode::BadCommandLine, Span{}, fmt::format("unknown command `{}`", name))
      .help = "`:help` lists them";
  return true;
}

void Loop::code(const std::string& text) {
  ast::File* file = session_.readText(fmt::format("input {}", ++inputs_), text);
  if (!file || session_.sink().hasErrors()) return;
  for (ast::Item& each : file->items) {
    item(each);
    if (session_.sink().hasErrors()) return;
  }
}

void Loop::item(ast::Item& item) {
  if (item.kind == ast::ItemKind::Test) {
    if (session_.runTest(*item.test)) show(fmt::format("passed: {}", item.test->title));
  } else if (item.kind == ast::ItemKind::Statement) {
    if (item.statement->kind == ast::StmtKind::Expression)
      expression(ast::as<ast::ExprStmt>(*item.statement));
    else
      session_.runStatement(*item.statement);
  }
}

void Loop::expression(ast::ExprStmt& statement) {
  ast::Expr& e = *statement.value;
  bool is_statement = e.kind == ast::ExprKind::Call &&
                      ast::as<ast::CallExpr>(e).callee->kind == ast::ExprKind::Name;
  if (is_statement) {
    const std::string& name = ast::as<ast::NameExpr>(*ast::as<ast::CallExpr>(e).callee).name;
    is_statement = (name == "save" || name == "plot") && !session_.program().findFunction(name);
  }
  bool no_value = e.kind == ast::ExprKind::If && !ast::as<ast::IfExpr>(e).else_block;
  if (is_statement || no_value) {
    session_.runStatement(statement);
    return;
  }
  std::optional<lower::HostValue> value = session_.evaluate(statement.value);
  if (value && value->type->kind != types::Kind::Unit) show(session::valueText(*value));
}

void Loop::load(const std::string& path) {
  ast::File* file = session_.reloadFile(path);
  if (file && !session_.sink().hasErrors()) session_.runStatements(*file);
}

void Loop::showType(const std::string& text) {
  types::TypePtr type = session_.typeOfText(":type", text);
  if (type) show(session_.program().str(*type));
}

void Loop::showIr(const std::string& text) {
  std::optional<lower::Lowered> lowered = session_.lowerText(":ir", text);
  if (lowered) show(ir::print(*lowered->function));
}

void Loop::showTime(const std::string& text) {
  auto start = std::chrono::steady_clock::now();
  code(text);
  std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - start;
  show(fmt::format("{:.3g} ms", taken.count()));
}

void Loop::showTies(const std::string&) {
  show(session_.tieReport(session::Session::TiesOf::Statement));
}

void Loop::showHelp() {
  show("Expressions print their value; statements and declarations extend the session; a name can\n"
       "be defined again. An input goes on over lines until its brackets are closed; Ctrl-C drops\n"
       "it, and stops a computation.");
  for (const CommandRow& row : commands())
    show(fmt::format("  {:16}{}", fmt::format("{} {}", row.name, row.argument), row.summary));
}

std::vector<std::string> Loop::complete(const std::string& prefix) const {
  std::set<std::string> words;
  auto offer = [&](const std::string& word) {
    if (word.starts_with(prefix) && word.find(' ') == std::string::npos) words.insert(word);
  };
  if (prefix.starts_with(":")) {
    for (const CommandRow& row : commands()) offer(row.name);
  } else {
    for (const char* keyword : kKeywords) offer(keyword);
    for (const std::string& name : session_.program().names()) offer(name);
    for (const auto& [name, binding] : session_.scope().values) offer(name);
    for (const auto& [name, alias] : session_.scope().aliases) offer(name);
  }
  return {words.begin(), words.end()};
}

}  // namespace dini::repl
