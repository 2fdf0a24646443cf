// One input of the REPL at a time: a command, declarations, statements or an expression.
#pragma once

#include <string>
#include <vector>

#include "repl/repl.h"

namespace dini::repl {

class Loop {
 public:
  Loop(session::Session& session, Options options)
      : session_(session), options_(std::move(options)) {}

  // Handles a whole input; false after :quit.
  bool handle(const std::string& input);
  // Runs a file's declarations and statements.
  void load(const std::string& path);
  // Names, keywords and commands that begin with `prefix`.
  std::vector<std::string> complete(const std::string& prefix) const;

 private:
  struct CommandRow;
  static const std::vector<CommandRow>& commands();

  bool command(const std::string& line);
  void code(const std::string& text);
  void item(ast::Item& item);
  void expression(ast::ExprStmt& statement);
  void showType(const std::string& text);
  void showIr(const std::string& text);
  void showTime(const std::string& text);
  void showTies(const std::string&);
  void showHelp();
  // Writes what the sink holds and clears it.
  void showDiagnostics();

  session::Session& session_;
  Options options_;
  size_t inputs_ = 0;
};

}  // namespace dini::repl
