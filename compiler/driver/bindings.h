// --at x=0,b=[0, 1]: arguments of a call as written on the command line.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "driver/context.h"

namespace dini::driver {

// Defines the named parameters of the function in the session; their bindings "x = x" for the text of a
// call. Nullopt after an error.
std::optional<std::vector<std::string>> bindAt(Context& context, session::Session& session,
                                               const std::string& function,
                                               const std::vector<std::string>& at);

}  // namespace dini::driver
