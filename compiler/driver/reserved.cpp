// Commands that have their names already and come later: they say so, exit code 2.
#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "driver/reserved.h"

namespace dini::driver {
namespace {

constexpr std::array<std::string_view, 3> kCommands = {"lsp", "bench", "gradbench"};

template <class Words>
bool holds(const Words& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

std::span<const std::string_view> reservedCommands() { return kCommands; }

std::optional<std::string> reservedWord(std::span<const char* const> arguments) {
  const auto command = std::find_if(arguments.begin(), arguments.end(), [](std::string_view argument) {
    return argument == "--" || !argument.starts_with("-");
  });
  if (command == arguments.end() || !holds(kCommands, std::string_view(*command))) return std::nullopt;
  return fmt::format("the command `{}`", *command);
}

}  // namespace dini::driver
