// The functions of a file as IR, as `dini emit` shows them.
#pragma once

#include "driver/context.h"

namespace dini::driver {

// Prints them and gives the exit code; `dims` are sizes, such as "n=100".
int emitIr(Context& context, const std::string& file, const std::vector<std::string>& dims);

}  // namespace dini::driver
