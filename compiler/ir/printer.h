// The text form of the IR, stable and parseable: parse(print(f)) prints the same.
#pragma once

#include <string>
#include <variant>

#include "ir/ir.h"

namespace dini::ir {

std::string print(const Function& function);
std::string print(const Module& module);
// A module, or a message with its line.
std::variant<std::unique_ptr<Module>, std::string> parseModule(std::string_view text);

}  // namespace dini::ir
