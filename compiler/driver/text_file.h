// A source file as text, for the commands that do not need the checker.
#pragma once

#include <optional>
#include <string>

#include "driver/context.h"

namespace dini::driver {

// Reads `path` ("-": standard input). Null after an error, which is reported.
std::optional<std::string> readTextFile(Context& context, const std::string& path);

}  // namespace dini::driver
