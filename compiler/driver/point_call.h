// What `certify` and `clarke` share: the call of a function of a file at a point, `--fn f --at x=0`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "driver/context.h"

namespace dini::driver {

struct PointCall {
  const ir::Function* function = nullptr;  // of the session's lowerer: the call, its parameters the values
  std::vector<std::string> inputs;         // names of the values, in order
  std::vector<ir::Tensor> arguments;       // their leaves
};

// Nothing after an error, which is reported.
std::optional<PointCall> callAtPoint(Context& context, const std::string& file, const std::string& function,
                                     const std::vector<std::string>& at);

// "file:line:column".
std::string place(const SourceManager& sources, Span span);
// As a JSON string, with its quotes.
std::string jsonText(const std::string& text);

}  // namespace dini::driver
