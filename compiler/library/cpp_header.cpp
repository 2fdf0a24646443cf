// The C++ header: one function per exported one. Arrays are spans, numbers are values; sizes that a
// vector argument shows by its length are taken from it, the others are arguments.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "library/headers.h"

namespace dini::library {
namespace {

const char* cppType(ir::Elem elem) {
  return elem == ir::Elem::F64 ? "double" : elem == ir::Elem::I64 ? "std::int64_t" : "bool";
}

class CppFunction {
 public:
  explicit CppFunction(const Function& function) : f_(function) {
    for (const SizeArgument& size : f_.sizes) sources_.push_back(sourceOf(size));
  }

  std::string text() const {
    return fmt::format("inline dini::status {}({}) {{\n{}}}\n", f_.symbol,
                       fmt::join(parameters(true), ", "), body()) +
           convenience();
  }

 private:
  // The vector, argument or result, whose length is the size; empty: there is none.
  std::string sourceOf(const SizeArgument& size) const {
    if (isParameterSize(size)) return "";
    for (const std::vector<Leaf>* leaves : {&f_.inputs, &f_.results})
      for (const Leaf& leaf : *leaves)
        if (leaf.dims.size() == 1 && leaf.dims[0] == types::Size::named(size.id)) return leaf.name;
    return "";
  }

  bool isParameterSize(const SizeArgument& size) const {
    for (const Leaf& leaf : f_.inputs)
      if (leaf.size_argument >= 0 &&
          f_.sizes[static_cast<size_t>(leaf.size_argument)].id == size.id)
        return true;
    return false;
  }

  static std::string memoryType(ir::Elem elem) {
    return elem == ir::Elem::I1 ? "std::uint8_t" : cppType(elem);
  }

  std::vector<std::string> parameters(bool with_results) const {
    std::vector<std::string> list{"dini::workspace& work"};
    if (f_.step == Function::Step::Forward)
      list.push_back("dini::tape& tape");
    else if (f_.step != Function::Step::Whole)
      list.push_back("const dini::tape& tape");
    for (size_t k = 0; k < f_.sizes.size(); ++k)
      if (sources_[k].empty()) list.push_back("std::int64_t " + f_.sizes[k].name);
    for (const Leaf& leaf : f_.inputs) {
      if (leaf.size_argument >= 0) continue;
      if (leaf.isScalar())
        list.push_back(fmt::format("{} {}", cppType(leaf.elem), leaf.name));
      else
        list.push_back(fmt::format("std::span<const {}> {}", memoryType(leaf.elem), leaf.name));
    }
    if (!with_results) return list;
    for (const Leaf& leaf : f_.results)
      list.push_back(leaf.isScalar()
                         ? fmt::format("{}& {}", memoryType(leaf.elem), leaf.name)
                         : fmt::format("std::span<{}> {}", memoryType(leaf.elem), leaf.name));
    list.push_back("dini_info info = {}");
    return list;
  }

  std::string count(const Leaf& leaf) const {
    std::string text;
    for (const types::Size& dim : leaf.dims)
      text += (text.empty() ? "(" : " * (") + f_.spell(dim) + ")";
    return text;
  }

  std::string body() const {
    std::string text;
    for (size_t k = 0; k < f_.sizes.size(); ++k)
      if (!sources_[k].empty())
        text += fmt::format("  const auto {} = static_cast<std::int64_t>({}.size());\n",
                            f_.sizes[k].name, sources_[k]);
    const auto checkSpan = [&](const Leaf& leaf) {
      if (leaf.isScalar()) return;
      text += fmt::format(
          "  if (static_cast<std::int64_t>({0}.size()) != {1}) return "
          "dini::status::shape(\"{0}\");\n",
          leaf.name, count(leaf));
    };
    for (const Leaf& leaf : f_.inputs) checkSpan(leaf);
    for (const Leaf& leaf : f_.results) checkSpan(leaf);
    std::vector<std::string> sizes, in, out;
    for (const SizeArgument& size : f_.sizes) sizes.push_back(size.name);
    for (const Leaf& leaf : f_.inputs) {
      if (leaf.size_argument >= 0) continue;
      if (leaf.isScalar() && leaf.elem == ir::Elem::I1) {
        text += fmt::format("  const std::uint8_t {0}_byte = {0} ? 1 : 0;\n", leaf.name);
        in.push_back(fmt::format("&{}_byte", leaf.name));
      } else {
        in.push_back(leaf.isScalar() ? "&" + leaf.name : leaf.name + ".data()");
      }
    }
    for (const Leaf& leaf : f_.results)
      out.push_back(leaf.isScalar() ? "&" + leaf.name : leaf.name + ".data()");
    const auto array = [](const char* type, const char* name, const std::vector<std::string>& all) {
      return all.empty()
                 ? fmt::format("  {}* const* {} = nullptr;\n", type, name)
                 : fmt::format("  {}* const {}[] = {{{}}};\n", type, name, fmt::join(all, ", "));
    };
    text += sizes.empty()
                ? "  const std::int64_t* sizes = nullptr;\n"
                : fmt::format("  const std::int64_t sizes[] = {{{}}};\n", fmt::join(sizes, ", "));
    text += array("const void", "in", in) + array("void", "out", out);
    text += fmt::format(
        "  work.reserve(::{0}_work_bytes(sizes));\n  info.work_bytes = work.size();\n", f_.symbol);
    const std::string passed = "in, out, sizes, work.data(), &info";
    if (f_.step == Function::Step::Whole) {
      text += fmt::format("  ::{}({});\n", f_.symbol, passed);
    } else if (f_.step == Function::Step::Forward) {
      // A tape of a size that the data decide grows until it is enough.
      text += fmt::format(
          "  tape.reserve(::{}(sizes));\n  do {{\n    tape.reserve(info.needed_bytes);\n"
          "    info.tape_bytes = tape.size();\n"
          "    ::{}(in, out, sizes, tape.data(), work.data(), &info);\n"
          "  }} while (info.status == DINI_MEMORY && info.needed_bytes > tape.size());\n",
          f_.tape_symbol, f_.symbol);
    } else {
      text += fmt::format("  info.tape_bytes = tape.size();\n  ::{}(tape.data(), {});\n", f_.symbol,
                          passed);
    }
    return text + "  return dini::status(info);\n";
  }

  // A function with one number as its result gives it as an `expected`.
  std::string convenience() const {
    if (f_.results.size() != 1 || !f_.results[0].isScalar()) return "";
    std::vector<std::string> passed{"work"};
    if (f_.step != Function::Step::Whole) passed.push_back("tape");
    for (size_t k = 0; k < f_.sizes.size(); ++k)
      if (sources_[k].empty()) passed.push_back(f_.sizes[k].name);
    for (const Leaf& leaf : f_.inputs)
      if (leaf.size_argument < 0) passed.push_back(leaf.name);
    passed.push_back("result");
    const std::string type = memoryType(f_.results[0].elem);
    return fmt::format(
        "inline dini::expected<{0}> {1}({2}) {{\n  {0} result{{}};\n"
        "  const dini::status ended = {1}({3});\n"
        "  if (!ended) return ended;\n  return result;\n}}\n",
        type, f_.symbol, fmt::join(parameters(false), ", "), fmt::join(passed, ", "));
  }

  const Function& f_;
  std::vector<std::string> sources_;
};

std::string namespaceOf(const std::string& name) {
  std::string text;
  for (const char c : name) text += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return std::isdigit(static_cast<unsigned char>(text[0])) ? "_" + text : text;
}

}  // namespace

std::string cppHeader(const Library& library) {
  std::string text = fmt::format(
      "// Functions compiled from Dini, for C++20. Shapes and statuses: {0}.h. The memory of "
      "`work` "
      "is reused\n// from call to call; every thread has one of its own.\n#pragma once\n\n"
      "#include \"{0}.h\"\n#include \"dini/library.hpp\"\n\nnamespace {1} {{\n\n",
      library.name, namespaceOf(library.name));
  for (const Function& function : library.functions) {
    text +=
        fmt::format("// {}{}\n", function.derivative.empty() ? "" : function.derivative + " of ",
                    function.signature.substr(0, function.signature.find('\n')));
    text += CppFunction(function).text() + "\n";
  }
  return text + fmt::format("}}  // namespace {}\n", namespaceOf(library.name));
}

}  // namespace dini::library
