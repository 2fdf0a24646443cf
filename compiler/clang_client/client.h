// Asks `dini-clang`, the program beside this one that holds Clang. The process is started for each
// question and ends with its answer.
// Not here: what is asked and answered (protocol.h).
#pragma once

#include "clang_client/protocol.h"

namespace dini::clang_client {

struct Failure {
  std::string message;  // empty: there is an answer
};

// Functions of a C++ file as a Dini program. Flags of $DINI_CXXFLAGS (split at blanks) are added.
Failure importCpp(const ImportRequest& request, ImportAnswer& answer);
// C++ text laid out by Clang's formatter and looked at by its front end.
Failure formatCpp(const std::string& text, FormatAnswer& answer);

}  // namespace dini::clang_client
