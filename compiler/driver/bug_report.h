// What happens when the compiler itself fails: a message, and a file with all that is needed to see
// the failure again. Crashes of the process are in bin/main.cpp.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "driver/context.h"

namespace dini::driver {

// Runs a subcommand. An exception is a bug: reported on stderr, with the exit code kCompilerBug and
// a reproducer in the temporary folder; but memory that ran out is E0611.
// `command`: the words of the command line.
int reportingBugs(Context& context, std::span<const char* const> command,
                  const std::function<int(Context&)>& run);

}  // namespace dini::driver
