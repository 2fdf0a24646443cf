// The report of ties as text, for people: --tie-report and the REPL's :ties.
#pragma once

#include <string>

#include "ir/run_notes.h"
#include "source/source.h"

namespace dini::session {

// One line per tie, then what kind of derivative it makes. `unproved`: an equation was solved
// whose certificate is not PROVED.
std::string tieReport(const SourceManager& sources, const ir::RunNotes& notes, bool unproved);

}  // namespace dini::session
