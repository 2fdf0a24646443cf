// dini emit --as cpp and --as dini: a function, or its derivative, as source text.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "lower/lower.h"
#include "session/session.h"

namespace dini::driver {

struct SourceTarget {
  std::string stage;       // cpp or dini
  std::string function;    // its name in the program
  std::string derivative;  // empty: the function itself
};

// The texts of functions that stand in one file.
class SourceTexts {
 public:
  // Adds nothing where an operation has no spelling.
  void add(session::Session& session, const SourceTarget& target, const ast::FnDecl& function,
           const lower::Lowered& lowered);
  // What has no spelling: one diagnostic for each place and reason.
  void report(session::Session& session) const;
  // With what stands before the functions; empty where there are none.
  std::string text() const;

 private:
  std::string stage_, text_;
  bool uses_routines_ = false;
  std::set<std::string> helpers_;
  struct Refusal {
    Span span;
    std::string reason;
    std::vector<std::string> names;
  };
  std::vector<Refusal> refusals_;
};

}  // namespace dini::driver
