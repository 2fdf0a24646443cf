#include "session/value_text.h"

#include <cmath>

#include <fmt/format.h>

#include "base/check.h"
#include "ir/text.h"

namespace dini::session {
namespace {

enum class Style { Text, Json };

// Walks a type and the leaves of its value together.
class Writer {
 public:
  Writer(const std::vector<ir::Tensor>& leaves, Style style) : leaves_(leaves), style_(style) {}

  void value(const types::Type& type) {
    switch (type.kind) {
      case types::Kind::Array:
      case types::Kind::Covector: leaf(); break;
      case types::Kind::Tuple: tuple(type); break;
      case types::Kind::Record: record(type); break;
      case types::Kind::Unit: out_ += style_ == Style::Json ? "null" : "()"; break;
      case types::Kind::Error:
      case types::Kind::Function: failCheck("a value of a type that has none");
    }
  }
  std::string take() { return std::move(out_); }

 private:
  void tuple(const types::Type& type) {
    out_ += style_ == Style::Json ? "[" : "(";
    for (size_t k = 0; k < type.elements.size(); ++k) {
      if (k > 0) out_ += ", ";
      value(*type.elements[k]);
    }
    out_ += style_ == Style::Json ? "]" : ")";
  }

  void record(const types::Type& type) {
    out_ += style_ == Style::Json ? "{" : type.name + " { ";
    for (size_t k = 0; k < type.fields.size(); ++k) {
      if (k > 0) out_ += ", ";
      const std::string& name = type.fields[k].name;
      out_ += style_ == Style::Json ? fmt::format("\"{}\": ", name) : name + " = ";
      value(*type.fields[k].type);
    }
    out_ += style_ == Style::Json ? "}" : " }";
  }

  void leaf() {
    check(next_ < leaves_.size(), "a value with fewer leaves than its type");
    const ir::Tensor& tensor = leaves_[next_++];
    if (style_ == Style::Text) return ir::appendText(out_, tensor);
    size_t at = 0;
    jsonAxis(tensor, 0, at);
  }

  void jsonAxis(const ir::Tensor& tensor, size_t axis, size_t& at) {
    if (axis == tensor.type.rank()) return jsonElement(tensor, at++);
    out_ += '[';
    for (int64_t k = 0; k < tensor.type.dims[axis]; ++k) {
      if (k > 0) out_ += ", ";
      jsonAxis(tensor, axis + 1, at);
    }
    out_ += ']';
  }

  void jsonElement(const ir::Tensor& tensor, size_t at) {
    switch (tensor.type.elem) {
      case ir::Elem::F64: {
        bool quoted = !std::isfinite(tensor.reals[at]);
        out_ += quoted ? fmt::format("\"{}\"", ir::formatReal(tensor.reals[at]))
                       : ir::formatReal(tensor.reals[at]);
        break;
      }
      case ir::Elem::I64: out_ += std::to_string(tensor.ints[at]); break;
      case ir::Elem::I1: out_ += tensor.bools[at] ? "true" : "false"; break;
    }
  }

  const std::vector<ir::Tensor>& leaves_;
  Style style_;
  size_t next_ = 0;
  std::string out_;
};

std::string written(const lower::HostValue& value, Style style) {
  Writer writer(value.leaves, style);
  writer.value(*value.type);
  return writer.take();
}

}  // namespace

std::string valueText(const lower::HostValue& value) { return written(value, Style::Text); }
std::string valueJson(const lower::HostValue& value) { return written(value, Style::Json); }

}  // namespace dini::session
