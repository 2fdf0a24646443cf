#include "driver/text_file.h"

#include <iostream>

#include "session/data_file.h"

namespace dini::driver {

std::optional<std::string> readTextFile(Context& context, const std::string& path) {
  auto all = [](std::istream& in) {
    return std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  };
  if (path == "-") return all(std::cin);
  auto bytes = session::readBytes(path);
  if (auto* error = std::get_if<session::DataError>(&bytes)) {
    context.fail(error->code, error->message, error->help);
    return std::nullopt;
  }
  return std::move(std::get<std::string>(bytes));
}

}  // namespace dini::driver
