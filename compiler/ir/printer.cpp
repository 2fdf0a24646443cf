#include "ir/printer.h"

#include <bit>
#include <cmath>
#include <unordered_map>

#include <fmt/format.h>

namespace dini::ir {
namespace {

bool isPlain(std::string_view text) {
  if (text.empty()) return false;
  for (char c : text)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_') return false;
  return true;
}

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (c == '\n') result += "\\n";
    else result += c;
  }
  return result + "\"";
}

std::string number(double value) {
  return std::isnan(value) ? "nan" : fmt::format("{}", value);  // shortest that reads back exactly
}

class Printer {
 public:
  std::string function(const Function& f) {
    text_ += "func " + symbol(f.name) + arguments(f.body) + " {\n";
    operations(f.body, 1);
    text_ += "}\n";
    return std::move(text_);
  }

  static std::string symbol(const std::string& name) {
    return "@" + (isPlain(name) ? name : quoted(name));
  }

 private:
  // Numbers are given in order of printing, so that they do not depend on the history.
  std::string use(const Value* value) {
    auto [it, fresh] = numbers_.emplace(value, numbers_.size());
    std::string text = fmt::format("%{}", it->second);
    if (!value->name.empty()) {
      text += '.';
      for (char c : value->name) text += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
    }
    return text;
  }

  std::string typeOf(const Value* value) {
    return str(value->type) + (value->linear ? " linear" : "");
  }

  std::string arguments(const Region& region) {
    std::string text = "(";
    for (const Value* argument : region.args) {
      if (text.size() > 1) text += ", ";
      text += use(argument) + ": " + typeOf(argument);
    }
    return text + ")";
  }

  static std::string attributes(const Attrs& attrs) {
    std::string text;
    auto add = [&](const std::string& item) { text += (text.empty() ? "" : ", ") + item; };
    if (attrs.i != 0) add(fmt::format("i={}", attrs.i));
    if (std::bit_cast<uint64_t>(attrs.f) != 0) add("f=" + number(attrs.f));
    if (!attrs.str.empty()) add("str=" + quoted(attrs.str));
    if (!attrs.ints.empty()) add(fmt::format("ints=[{}]", fmt::join(attrs.ints, ", ")));
    if (attrs.data) {
      std::string items;
      for (double value : *attrs.data) items += (items.empty() ? "" : ", ") + number(value);
      add("data=[" + items + "]");
    }
    return text.empty() ? "" : " <" + text + ">";
  }

  void operations(const Region& region, size_t depth) {
    for (const auto& op : region.ops) operation(*op, depth);
  }

  void operation(const Op& op, size_t depth) {
    std::string indent(2 * depth, ' ');
    std::string operands, results, types;
    for (const Value* value : op.operands) operands += (operands.empty() ? "" : ", ") + use(value);
    for (const Value* value : op.results) {
      results += (results.empty() ? "" : ", ") + use(value);
      types += (types.empty() ? "" : ", ") + typeOf(value);
    }
    text_ += indent + results + (results.empty() ? "" : " = ") + shape(op.code).mnemonic + "(" +
             operands + ")" + attributes(op.attrs) + (types.empty() ? "" : " : ") + types;
    for (const auto& region : op.regions) {
      text_ += " {" + arguments(*region) + "\n";
      operations(*region, depth + 1);
      text_ += indent + "}";
    }
    text_ += "\n";
  }

  std::string text_;
  std::unordered_map<const Value*, size_t> numbers_;
};

}  // namespace

std::string print(const Function& function) { return Printer().function(function); }

std::string print(const Module& module) {
  std::string text;
  for (const auto& [name, function] : module.functions)
    text += (text.empty() ? "" : "\n") + print(*function);
  return text;
}

}  // namespace dini::ir
