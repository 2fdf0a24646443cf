// What names mean at the level of files: which file declares what, and which other files' names
// it sees. Local names are the checker's (scopes in checker.h).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "syntax/ast.h"

namespace dini::sema {

struct Namespace {
  std::unordered_map<std::string, ast::FnDecl*> functions;
  std::unordered_map<std::string, ast::TypeDecl*> types;
  std::unordered_map<std::string, Span> top_level;  // what statements define: not seen by functions
  std::vector<Namespace*> imports;                  // later ones first in doubt
  std::unordered_set<std::string> lost;  // defined in text that the parser did not understand
};

// All namespaces of a program. Text that is not a file (REPL lines, expressions of a command line)
// shares one of them, the session's.
class World {
 public:
  Namespace prelude, session;
  Namespace& add(FileId file);
  // The other file is part of the first: its text sees the same names.
  void join(FileId file, FileId other) { joined_[other.index] = file.index; }
  Namespace& of(FileId file);

  ast::FnDecl* function(FileId from, const std::string& name);
  ast::TypeDecl* type(FileId from, const std::string& name);
  // Names of functions (types) that a file sees, builtins included, for suggestions.
  std::vector<std::string> functionNames(FileId from);
  std::vector<std::string> typeNames(FileId from);

 private:
  std::unordered_map<int32_t, std::unique_ptr<Namespace>> files_;
  std::unordered_map<int32_t, int32_t> joined_;
};

// Words that follow `fn`, `let`, `var` or `type` in a text.
std::vector<std::string> definedWords(std::string_view text);
// The candidate closest to `name` by edit distance, empty if none is close.
std::string closest(const std::string& name, const std::vector<std::string>& candidates);

}  // namespace dini::sema
