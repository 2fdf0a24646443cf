// The prelude's files, runtime/prelude/*.dini, as they were when Dini was built.
#pragma once

#include "base/embedded.h"

namespace dini {

std::span<const EmbeddedText> preludeTexts();

}  // namespace dini
