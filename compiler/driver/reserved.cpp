// Commands and options that have their names already and come later: they say so, exit code 2.
#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "driver/reserved.h"

namespace dini::driver {
namespace {

constexpr std::array<std::string_view, 3> kCommands = {"lsp", "bench", "gradbench"};
constexpr std::array<std::string_view, 2> kOptions = {"--progress", "--resume"};

template <class Words>
bool holds(const Words& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

std::span<const std::string_view> reservedCommands() { return kCommands; }

std::optional<std::string> reservedWord(std::span<const char* const> arguments) {
  bool command_seen = false, judges_ties = false;
  for (std::string_view argument : arguments) {
    if (argument == "--") return std::nullopt;
    if (argument.starts_with("--")) {
      std::string_view name = argument.substr(0, argument.find('='));
      if (judges_ties && name == "--tie-tolerance") continue;
      if (holds(kOptions, name)) return fmt::format("the option `{}`", name);
    } else if (!argument.starts_with("-") && !command_seen) {
      command_seen = true;
      judges_ties = argument == "certify" || argument == "clarke";
      if (holds(kCommands, argument)) return fmt::format("the command `{}`", argument);
    }
  }
  return std::nullopt;
}

}  // namespace dini::driver
