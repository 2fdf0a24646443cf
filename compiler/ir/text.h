// Values as the language prints them, the same by every engine: reals with 17 significant digits,
// arrays as nested [...]. The attribute of a Print operation is a line with a `%` for each operand,
// in order (`%%` is a percent sign): lowering writes the brackets of tuples and the names of record
// fields into it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "ir/tensor.h"

namespace dini::ir {

std::string formatReal(double value);
void appendText(std::string& out, const Tensor& tensor);
// `print`'s line, without newline.
std::string formatLine(std::string_view format, std::span<const Tensor> operands);

// A line on the print channel that is not output but says that the solve at a place failed and its
// value is NaN from here on. Null: the line is output.
std::string failureNotice(Span solve);
std::optional<Span> parseFailureNotice(std::string_view line);

}  // namespace dini::ir
