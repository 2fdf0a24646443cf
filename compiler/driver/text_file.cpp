#include "driver/text_file.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>

#include <fmt/format.h>

namespace dini::driver {

std::optional<std::string> readTextFile(Context& context, const std::string& path) {
  auto all = [](std::istream& in) {
    return std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  };
  if (path == "-") return all(std::cin);
  std::error_code failure;
  if (std::filesystem::is_directory(path, failure)) {
    context.fail(DiagCode::FileNotFound, fmt::format("`{}` is a folder", path));
    return std::nullopt;
  }
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    context.fail(DiagCode::FileNotFound,
                 fmt::format("cannot open `{}`: {}", path, std::strerror(errno)));
    return std::nullopt;
  }
  return all(in);
}

}  // namespace dini::driver
