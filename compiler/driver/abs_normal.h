// dini emit --as abs-normal: the form as a piece of Dini source (abs_normal/abs_normal.h says what it is).
#pragma once

#include <string>
#include <vector>

#include "driver/context.h"

namespace dini::driver {

// Of the function at the point of --at; gives the exit code.
int emitAbsNormal(Context& context, session::Session& session, const std::string& file,
                  const std::string& function, const std::vector<std::string>& at);

}  // namespace dini::driver
