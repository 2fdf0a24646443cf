// Diagnostics for people (with source frames) and for programs (JSON).
#pragma once

#include <string>

#include "diag/diagnostic.h"

namespace dini {

enum class Colour { Off, On };
std::string render(const SourceManager& sources, const Diagnostic& diagnostic, Colour colour);
// One JSON object on one line.
std::string renderJson(const SourceManager& sources, const Diagnostic& diagnostic);
// The page of a code ("E0301"), empty if there is none: `dini explain`. The pages are
// docs/errors/*.md, embedded when Dini is built.
std::string explanation(std::string_view code);

}  // namespace dini
