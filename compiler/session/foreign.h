// Reads files of other languages for a program: C++, through the process that holds Clang.
// Not here: what a construct of C++ becomes (clang_frontend/).
#pragma once

#include "clang_client/protocol.h"
#include "sema/sema.h"

namespace dini::session {

// A reader that puts the files it reads into `sources` and what Clang says into `sink`.
sema::ForeignReader cppReader(SourceManager& sources, DiagnosticSink& sink,
                              std::vector<std::string> functions = {}, std::vector<std::string> flags = {});

}  // namespace dini::session
