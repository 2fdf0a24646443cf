// The interactive session: reads inputs of one or several lines, runs them in one session, shows the
// values of expressions, and survives every mistake. Words that begin with a colon are commands
// (commands.h).
#pragma once

#include <string>

#include "diag/render.h"
#include "session/session.h"

namespace dini::repl {

struct Options {
  std::string file;  // run first, if not empty
  Colour colour = Colour::Off;
};

// Until :quit or the end of the input; gives the exit code.
int run(session::Session& session, const Options& options);

}  // namespace dini::repl
