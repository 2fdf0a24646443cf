// The checker: names, types and symbolic shapes. It annotates the syntax tree in place (the
// members under "checked" in syntax/ast.h) and reports. A Program is a set of files that import one
// another plus the prelude; a script's statements and a session's inputs are checked one at a time
// against the TopLevel of what the earlier ones defined.
//
// What holds of a tree that was checked without errors (beyond syntax/ast.h):
// - Every Expr has a type. Widening is not a node: where the context is real (a real operand beside
//   it, a parameter, a field, a declared result, the other branch) an int expression keeps its int
//   type and is converted by whoever reads it.
// - Dimensions in types are polynomials in size names. Rigid names belong to a binding whose `size`
//   is that name (FnDecl::sizes, LambdaExpr::sizes, int parameters that are sizes); all others
//   stand for ints that are known only when the program runs, and the annotations say no more.
//   Binding::size never holds one of those.
// - Sizes that only run time decides were accepted: whoever lowers compares them.
// - A let of a Function type makes a compile-time alias: its binding has `alias`, no value.
// - CallExpr::order is set for every call with named parameters, builtins included
// (builtinParameters
//   gives their names); empty for builtins with any number of operands: there, use argument().
// - In grad(f, wrt = x) and differentiate implicit(linear = lu) the names are words, unresolved.
// - A comprehension over a record body has a Record type named "[Name]", its fields with the
//   dimensions of the comprehension in front.
// - jac of or with respect to a record counts it as the tuple of its fields that hold reals.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "diag/diagnostic.h"
#include "syntax/ast.h"
#include "syntax/parser.h"

namespace dini::sema {

enum class Builtin {
#define DINI_BUILTIN(name, spelling) name,
#include "sema/builtins.def"
#undef DINI_BUILTIN
};
const char* spelling(Builtin builtin);
int builtinCount();
// Names of the parameters of a builtin with a fixed list of them; empty for the others.
const std::vector<std::string>& builtinParameters(Builtin builtin);
// The argument of a checked call for a parameter: by `order` if it is set, otherwise the named
// argument, or the positional one of that index. Null if it was left out.
const ast::Expr* argument(const ast::CallExpr& call, size_t parameter, std::string_view name);

// Whether an argmin block gives a solver the parameter of this name.
bool isSuppliedByArgmin(const std::string& name);

// What top-level statements have defined so far. Redefinition replaces (REPL) or is an error
// (file).
struct TopLevel {
  std::unordered_map<std::string, ast::BindingPtr> values;
  // let g = grad(f): compile-time aliases of functions, by name. Their bindings are in `values`
  // too.
  std::unordered_map<std::string, const ast::Expr*> aliases;
};

// A file of another language as a Dini program.
struct ForeignUnit {
  FileId file;                                // the file as it is on disk
  std::vector<FileId> included;               // other files that parts of it come from
  std::string text;                           // the program
  std::vector<syntax::SourceRegion> regions;  // where its text comes from
  std::unordered_set<std::string> exported;   // functions that importers see
};
// Reads one by its path; null after an error, which it reports at the span of the import.
using ForeignReader = std::function<std::optional<ForeignUnit>(const std::string& path, Span import)>;

class Program {
 public:
  Program(SourceManager& sources, DiagnosticSink& sink, ForeignReader foreign = {});
  ~Program();

  // Reads a file given by path (and what it imports), parses and checks its declarations.
  // Null after a failure to read; otherwise the file, errors are in the sink.
  ast::File* addFile(const std::string& path);
  // Reading it again replaces what it declared.
  // The same for text that is not a file (REPL input, eval, tests). What a text with errors declares
  // is seen by its own statements only: the session stays as it was.
  ast::File* addText(const std::string& name, std::string text);
  // A file of the prelude: declarations in scope everywhere, hidden silently by a file's own. It is
  // read when a text, or one of the look-ups below, names what it declares.
  void addPrelude(const std::string& name, std::string text);

  // Checks one top-level statement of a script or session: annotates it, extends `scope`. False if
  // it reported errors. A bare expression is an error here: a session checks it as an expression.
  // After the statement has run, the session may replace a binding's type by the concrete one and
  // set the `size` of an int.
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
  void readDeclaring(const std::string& name) const;

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dini::sema
