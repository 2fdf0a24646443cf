#include "ir/text.h"

#include <cmath>
#include <cstdio>

#include <fmt/format.h>

#include "base/check.h"

namespace dini::ir {
namespace {

void appendElement(std::string& out, const Tensor& tensor, size_t at) {
  switch (tensor.type.elem) {
    case Elem::F64:
      out += formatReal(tensor.reals[at]);
      break;
    case Elem::I64:
      fmt::format_to(std::back_inserter(out), "{}", tensor.ints[at]);
      break;
    case Elem::I1:
      out += tensor.bools[at] ? "true" : "false";
      break;
  }
}

void appendAxis(std::string& out, const Tensor& tensor, size_t axis, size_t& at) {
  if (axis == tensor.type.rank()) return appendElement(out, tensor, at++);
  out += '[';
  for (int64_t k = 0; k < tensor.type.dims[axis]; ++k) {
    if (k > 0) out += ", ";
    appendAxis(out, tensor, axis + 1, at);
  }
  out += ']';
}

}  // namespace

std::string formatReal(double value) {
  if (std::isnan(value)) return "nan";  // whatever its sign bit says
  return fmt::format("{:.17g}", value);
}

void appendText(std::string& out, const Tensor& tensor) {
  size_t at = 0;
  appendAxis(out, tensor, 0, at);
}

std::string formatLine(std::string_view format, std::span<const Tensor> operands) {
  std::string out;
  size_t next = 0;
  for (size_t k = 0; k < format.size(); ++k) {
    if (format[k] != '%') {
      out += format[k];
    } else if (k + 1 < format.size() && format[k + 1] == '%') {
      out += '%';
      ++k;
    } else {
      check(next < operands.size(), "a print operation with fewer operands than its format names");
      appendText(out, operands[next++]);
    }
  }
  return out;
}

namespace {

constexpr std::string_view kNoticeMark = "\x01solve ";  // no program can print a control character

}  // namespace

std::string failureNotice(Span solve) {
  return fmt::format("{}{} {} {}", kNoticeMark, solve.file.index, solve.begin, solve.end);
}

std::optional<Span> parseFailureNotice(std::string_view line) {
  if (!line.starts_with(kNoticeMark)) return std::nullopt;
  Span span;
  int read = std::sscanf(std::string(line.substr(kNoticeMark.size())).c_str(), "%d %u %u",
                         &span.file.index, &span.begin, &span.end);
  check(read == 3, "a failure notice without a place");
  return span;
}

}  // namespace dini::ir
