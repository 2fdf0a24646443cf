// Commands that are reserved for what is to come.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace dini::driver {

std::span<const std::string_view> reservedCommands();
// The first of them among the arguments (without the program's name), as words for a message.
std::optional<std::string> reservedWord(std::span<const char* const> arguments);

}  // namespace dini::driver
