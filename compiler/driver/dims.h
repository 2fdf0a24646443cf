// The option --dims: sizes fixed on the command line.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "driver/context.h"

namespace dini::driver {

using Dims = std::map<std::string, int64_t>;

// Of texts such as "n=100"; reports what is none and gives nullopt.
std::optional<Dims> parseDims(Context& context, const std::vector<std::string>& texts);

}  // namespace dini::driver
