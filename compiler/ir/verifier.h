// Checks the invariants that ir.h states. Passes run it on their output in debug builds.
#pragma once

#include <string>
#include <vector>

#include "ir/ir.h"

namespace dini::ir {

// Empty: the function is well-formed. With a module, calls are checked against their callees.
std::vector<std::string> verify(const Function& function, const Module* module = nullptr);
// InternalError that names the culprit (`after`: the pass that ran) and prints the function.
void verifyOrFail(const Function& function, std::string_view after, const Module* module = nullptr);

}  // namespace dini::ir
