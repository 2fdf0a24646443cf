// The last step of `dini emit --as cpp`: Clang looks at the text and lays it out.
#pragma once

#include <optional>
#include <string>

#include "session/session.h"

namespace dini::driver {

// The text formatted; null where Clang objects, warnings of -Wall -Wextra included. Each objection is reported
// at the Dini line that the text names in a comment above it.
std::optional<std::string> laidOut(session::Session& session, const std::string& text);

}  // namespace dini::driver
