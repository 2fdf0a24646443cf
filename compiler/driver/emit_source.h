// dini emit --as cpp and --as dini: a function, or its derivative, as source text.
#pragma once

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
// The text of one function; reports a limitation and gives nullopt where an operation has no
// spelling. `parameters`: of the function that was lowered, records as fields.
std::optional<std::string> sourceText(session::Session& session, const SourceTarget& target,
                                      const ast::FnDecl& function, const lower::Lowered& lowered);
// What stands before the functions.
std::string sourcePreamble(const std::string& stage);

}  // namespace dini::driver
