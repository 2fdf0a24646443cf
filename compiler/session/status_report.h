// Run-time statuses as diagnostics E06xx: what ended the call, where, its numbers, and a remedy.
#pragma once

#include "diag/diagnostic.h"
#include "ir/tensor.h"

namespace dini::session {

// `fallback` is the place named where the status itself has none.
void reportStatus(const ir::StatusInfo& status, Span fallback, DiagnosticSink& sink);
// What happened, without its place and numbers.
std::string statusMessage(const ir::StatusInfo& status);

}  // namespace dini::session
