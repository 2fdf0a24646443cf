#include <fmt/format.h>
#include <fmt/ranges.h>

#include "library/headers.h"

namespace dini::library {
namespace {

const char* cType(ir::Elem elem) {
  return elem == ir::Elem::F64 ? "double" : elem == ir::Elem::I64 ? "int64_t" : "uint8_t";
}

std::string shapeOf(const Function& function, const Leaf& leaf) {
  std::string text = fmt::format("{} {}", cType(leaf.elem), leaf.name);
  for (const types::Size& dim : leaf.dims) text += fmt::format("[{}]", function.spell(dim));
  return text;
}

const char* statusName(ir::Status status) {
  switch (status) {
    case ir::Status::NotConverged:
      return "DINI_NOT_CONVERGED";
    case ir::Status::NonFinite:
      return "DINI_NON_FINITE";
    case ir::Status::Singular:
      return "DINI_SINGULAR";
    case ir::Status::StartOutOfDomain:
      return "DINI_START_OUT_OF_DOMAIN";
    case ir::Status::MultipleRoot:
      return "DINI_MULTIPLE_ROOT";
    case ir::Status::Assertion:
      return "DINI_ASSERTION";
    case ir::Status::Bounds:
      return "DINI_BOUNDS";
    case ir::Status::Bound:
      return "DINI_BOUND";
    case ir::Status::Shape:
      return "DINI_SHAPE";
    case ir::Status::Domain:
      return "DINI_DOMAIN";
    case ir::Status::Irregular:
      return "DINI_IRREGULAR";
    default:
      return nullptr;
  }
}

const char* inputName(const Function& function) {
  return function.step == Function::Step::Backward  ? "out_bar"
         : function.step == Function::Step::Tangent ? "in_dot"
                                                    : "in";
}

const char* resultName(const Function& function) {
  return function.step == Function::Step::Backward  ? "in_bar"
         : function.step == Function::Step::Tangent ? "out_dot"
                                                    : "out";
}

std::string comment(const Function& function) {
  std::string text = fmt::format("/* {}\n", function.place);
  if (!function.derivative.empty()) text += fmt::format(" *   {} of\n", function.derivative);
  // A signature may go over several lines.
  std::string signature = function.signature;
  for (size_t at = 0; (at = signature.find('\n', at)) != std::string::npos; at += 6)
    signature.replace(at, 1, "\n *   ");
  text += fmt::format(" *   {}\n", signature);
  if (!function.sizes.empty()) {
    text += " * sizes:";
    for (size_t k = 0; k < function.sizes.size(); ++k)
      text += fmt::format(" [{}] {}", k, function.sizes[k].name);
    text += '\n';
  }
  size_t at = 0;
  for (const Leaf& leaf : function.inputs)
    if (leaf.size_argument < 0)
      text += fmt::format(" * {}[{}]: {}\n", inputName(function), at++, shapeOf(function, leaf));
  for (size_t k = 0; k < function.results.size(); ++k)
    text += fmt::format(" * {}[{}]: {}\n", resultName(function), k,
                        shapeOf(function, function.results[k]));
  std::vector<const char*> names;
  for (const ir::Status status : function.statuses)
    if (const char* name = statusName(status)) names.push_back(name);
  text += fmt::format(" * statuses: {}\n",
                      names.empty() ? "DINI_OK only" : fmt::format("{}", fmt::join(names, ", ")));
  if (function.step == Function::Step::Forward)
    text +=
        function.exact_tape
            ? " * tape: always enough\n"
            : " * tape: a minimum; what more is needed depends on the data. After DINI_MEMORY call "
              "again with\n *   one of info->needed_bytes, and info->tape_bytes set\n";
  text +=
      function.exact_work
          ? " * workspace: always enough\n"
          : " * workspace: a minimum; what more is needed depends on the data. After DINI_MEMORY "
            "call again with\n *   a larger one and its size in info->work_bytes\n";
  return text + " */\n";
}

std::string declaration(const Function& function) {
  std::string parameters = "const void *const *in, void *const *out, const int64_t *sizes";
  if (function.step == Function::Step::Forward) parameters += ", void *tape";
  if (function.step == Function::Step::Backward)
    parameters =
        "const void *tape, const void *const *out_bar, void *const *in_bar,\n    const int64_t "
        "*sizes";
  if (function.step == Function::Step::Tangent)
    parameters =
        "const void *tape, const void *const *in_dot, void *const *out_dot,\n    const int64_t "
        "*sizes";
  std::string text = fmt::format(
      "int {0}({1}, void *work,\n    dini_info *info);\nsize_t {0}_work_bytes(const int64_t "
      "*sizes);\n",
      function.symbol, parameters);
  if (!function.tape_symbol.empty())
    text += fmt::format("size_t {}(const int64_t *sizes);\n", function.tape_symbol);
  return text + "\n";
}

}  // namespace

std::string cHeader(const Library& library) {
  std::string guard;
  for (const char c : library.name)
    guard += std::isalnum(static_cast<unsigned char>(c))
                 ? static_cast<char>(std::toupper(static_cast<unsigned char>(c)))
                 : '_';
  std::string text = fmt::format(
      "/* Functions compiled from Dini. Their form, and what `info` holds: dini/dini.h. */\n"
      "#ifndef {0}_H\n#define {0}_H\n\n#include \"dini/dini.h\"\n\n"
      "#ifdef __cplusplus\nextern \"C\" {{\n#endif\n\n",
      guard);
  for (const Function& function : library.functions)
    text += comment(function) + declaration(function);
  return text + "#ifdef __cplusplus\n}\n#endif\n#endif\n";
}

}  // namespace dini::library
