// The questions that dini-clang answers (clang_client/protocol.h). Clang's own complaints about a file are
// findings like ours: its errors, and those of its warnings that mean undefined behaviour.
#pragma once

#include "clang_client/protocol.h"

namespace dini::clang_frontend {

clang_client::ImportAnswer importFile(const clang_client::ImportRequest& request);
// Lays out C++ that `dini emit` wrote, and says what Clang warns about in it.
clang_client::FormatAnswer formatText(const std::string& text);

}  // namespace dini::clang_frontend
