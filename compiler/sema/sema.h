// The checker: names, types and symbolic shapes. It annotates the syntax tree in place (the
// members under "checked" in syntax/ast.h) and reports. A Program is a set of files that import one
// another plus the prelude; a script's statements and a session's inputs are checked one at a time
// against the Scope of what the earlier ones defined.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "diag/diagnostic.h"
#include "syntax/ast.h"

namespace dini::sema {

enum class Builtin {
#define DINI_BUILTIN(name, spelling) name,
#include "sema/builtins.def"
#undef DINI_BUILTIN
};
const char* spelling(Builtin builtin);

// What top-level statements have defined so far. Redefinition replaces (REPL) or is an error (file).
struct TopLevel {
  std::unordered_map<std::string, ast::BindingPtr> values;
  // let g = grad(f): compile-time aliases of functions, by name.
  std::unordered_map<std::string, const ast::Expr*> aliases;
};

class Program {
 public:
  Program(SourceManager& sources, DiagnosticSink& sink);
  ~Program();

  // Reads a file given by path (and what it imports), parses and checks its declarations.
  // Null after a failure to read; otherwise the file, errors are in the sink.
  ast::File* addFile(const std::string& path);
  // The same for text that is not a file (REPL input, eval, tests).
  ast::File* addText(const std::string& name, std::string text);
  // The prelude: declarations in scope everywhere, hidden silently by a file's own.
  void addPrelude(const std::string& name, std::string text);

  // Checks one top-level statement of a script or session: annotates it, extends `scope`.
  bool checkStatement(ast::Stmt& statement, TopLevel& scope);
  bool checkExpression(ast::Expr& expression, TopLevel& scope);
  bool checkTest(ast::TestDecl& test);

  const ast::FnDecl* findFunction(const std::string& name) const;
  const ast::TypeDecl* findType(const std::string& name) const;
  const ast::FnDecl* preludeFunction(const std::string& name) const;
  // Every name in scope at top level, for completion and suggestions.
  std::vector<std::string> names() const;
  // Spelling of size names in types.
  std::string str(const types::Type& type) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dini::sema
