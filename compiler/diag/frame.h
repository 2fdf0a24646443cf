// The source frames of a diagnostic: the lines that its labels lie on, underlined.
#pragma once

#include <string>

#include "diag/diagnostic.h"
#include "diag/paint.h"

namespace dini {

// Columns that the line numbers of all labels need.
size_t gutterWidth(const SourceManager& sources, const Diagnostic& diagnostic);
// One frame per file, the primary label's first. `ink` colours the primary underline.
std::string frames(const SourceManager& sources, const Diagnostic& diagnostic, size_t gutter,
                   Ink ink, const Paint& paint);

}  // namespace dini
