// The pages of the error catalogue, docs/errors/*.md. Their names are the codes.
#pragma once

#include "base/embedded.h"

namespace dini {

std::span<const EmbeddedText> errorPages();

}  // namespace dini
