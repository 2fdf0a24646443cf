// Functions and statements of the C++ writer.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "emit/cpp_writer.h"
#include "ir/walk.h"

namespace dini::emit {

using ir::Op;
using ir::OpCode;
using ir::Value;

namespace {

const std::set<std::string, std::less<>>& reservedWords() {
  static const std::set<std::string, std::less<>> words{
      "ds", "std", "dini", "main", "alignas", "alignof", "and", "and_eq", "asm", "auto", "bitand", "bitor", "bool", "break",
      "case", "catch", "char", "class", "compl", "concept", "const", "consteval", "constexpr", "constinit", "continue",
      "co_await", "co_return", "co_yield", "decltype", "default", "delete", "do", "double", "else", "enum", "explicit",
      "export", "extern", "false", "float", "for", "friend", "goto", "if", "inline", "int", "long", "mutable",
      "namespace", "new", "noexcept", "not", "not_eq", "nullptr", "operator", "or", "or_eq", "private", "protected",
      "public", "register", "requires", "return", "short", "signed", "sizeof", "static", "struct", "switch", "template",
      "this", "throw", "true", "try", "typedef", "typeid", "typename", "union", "unsigned", "using", "virtual", "void",
      "volatile", "while", "xor", "xor_eq", "inf", "nan", "NAN", "INFINITY", "NULL", "EOF", "stdin", "stdout", "stderr",
      "errno", "assert", "linux", "unix"};
  return words;
}

// The array operations that may stand inside an expression; the others are statements.
bool standsInExpression(const Op& op) {
  switch (op.code) {
    case OpCode::Dim: case OpCode::Norm: case OpCode::Reduce: return op.result()->type.isScalar();
    case OpCode::Index: return op.operands.size() > 1 && op.result()->type.isScalar();
    default: return ir::isElementwise(op.code);
  }
}

bool inlinable(const Op& op, const Op& reader) {
  if (!standsInExpression(op)) return false;
  if (op.code == OpCode::Index && ir::isElementwise(reader.code) && !reader.result()->type.isScalar()) return false;
  bool array = !op.result()->type.isScalar();
  if (ir::isElementwise(reader.code)) return reader.result()->type.isScalar() != array;
  if (array) return false;
  bool twice = reader.code == OpCode::Einsum || reader.code == OpCode::Loop || reader.code == OpCode::While || reader.code == OpCode::Root;
  return !twice;
}

std::string quoted(const std::string& text) {
  std::string made = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') made += '\\';
    if (c == '\n') made += "\\n";
    else made += c;
  }
  return made + "\"";
}

const char* statusName(int64_t status) {
  static constexpr const char* names[] = {"", "not_converged", "non_finite", "singular", "start_out_of_domain", "multiple_root",
                                          "assertion", "bounds", "bound", "shape", "interrupted", "memory", "domain", "irregular"};
  return names[status];
}

}  // namespace

CppWriter::CppWriter(const Request& request)
    : request_(request), names_(reservedWords()), uses_(request.function, inlinable, isShown), lines_("//") {
  index_ = names_.fresh("k");
}

void CppWriter::refuse(const Op& op, const std::string& what) { throw Unspeakable{what, op.span}; }

std::string CppWriter::declared(const Value* value) {
  return fmt::format("{}{} {}", uses_.unused(value) ? "[[maybe_unused]] " : "", typeName(value->type), names_.of(value));
}

void CppWriter::declare(const Value* value, const std::string& initial) {
  lines_.line(fmt::format("{}{} = {};", value->type.isScalar() && !uses_.unused(value) ? "const " : "", declared(value), initial));
}

std::string CppWriter::moved(const Value* value, const Op& op) {
  std::string name = text(value);
  bool variable = !isLiteral(value) && !(value->def != nullptr && uses_.isInlined(*value->def));
  bool parameter = value->isArgument() && value->region == &request_.function.body;
  bool unknown = value->isArgument() && value->region->parent != nullptr && value->region->parent->code == OpCode::Root;
  if (!variable || parameter || unknown || value->type.isScalar() || !uses_.endsAt(value, op)) return name;
  return fmt::format("std::move({})", name);
}

void CppWriter::region(const ir::Region& region) {
  for (const auto& op : region.ops)
    if (op->code != OpCode::Yield) statement(*op);
}

void CppWriter::statement(const Op& op) {
  if (op.results.size() == 1 && isLiteral(op.result())) return;
  if (uses_.isInlined(op) || uses_.isDead(op)) return;
  lines_.place(request_.place(op.span));
  if (ir::isElementwise(op.code)) return elementwiseStatement(op);
  if (arrayStatement(op)) return;
  control(op);
}

void CppWriter::control(const Op& op) {
  switch (op.code) {
    case OpCode::Loop: return loop(op);
    case OpCode::While: return whileLoop(op);
    case OpCode::If:
    case OpCode::Try: return branches(op);
    case OpCode::Root: return root(op);
    case OpCode::Check: {
      std::string size = op.operands.size() > 1 ? ", " + text(op.operand(1)) : "";
      return lines_.line(fmt::format("ds::check({}, ds::status::{}, {}, {}{});", text(op.operand(0)), statusName(op.attrs.i), place(op), quoted(op.attrs.str), size));
    }
    case OpCode::Print: {
      std::string values;
      for (const Value* value : op.operands)
        values += isLiteral(value) ? fmt::format(", {}{{{}}}", scalarName(value->type), text(value)) : ", " + text(value);
      return lines_.line(fmt::format("ds::print({}{});", quoted(op.attrs.str), values));
    }
    case OpCode::Call: {
      std::string results, arguments;
      for (const Value* result : op.results) results += (results.empty() ? "" : ", ") + names_.of(result);
      for (const Value* value : op.operands)
        arguments += (arguments.empty() ? "" : ", ") + text(value) + (value->type.isScalar() || !value->type.isStatic() ? "" : ".elements()");
      std::string call = fmt::format("{}({})", calleeName(op.attrs.str), arguments);
      if (op.results.size() == 1) return declare(op.result(), call);
      return lines_.line(fmt::format("[[maybe_unused]] auto [{}] = {};", results, call));
    }
    default:
      refuse(op, fmt::format("the operation `{}`", ir::shape(op.code).mnemonic));
  }
}

// The parameters as spans and scalars, and arrays made of the spans.
void CppWriter::parameters(std::string& signature) {
  const auto& args = request_.function.body.args;
  std::vector<std::string> copies;
  for (size_t k = 0; k < args.size(); ++k) {
    const Value* value = args[k];
    std::string name = names_.fresh(request_.parameters[k]);
    names_.set(value, name);
    std::string unused = uses_.unused(value) ? "[[maybe_unused]] " : "";
    if (k > 0) signature += ", ";
    if (value->type.isScalar()) {
      signature += fmt::format("{}{} {}", unused, scalarName(value->type), name);
    } else if (!value->type.isStatic()) {
      signature += fmt::format("{}const {}& {}", unused, typeName(value->type), name);
    } else {
      std::string elements = names_.fresh(name + "_in"), dims;
      for (int64_t size : value->type.dims) dims += (dims.empty() ? "" : ", ") + fmt::format("{}", size);
      std::string element = value->type.elem == ir::Elem::I1 ? "unsigned char" : scalarName(value->type);
      signature += fmt::format("std::span<const {}> {}", element, elements);
      copies.push_back(fmt::format("{}const {} {}({{{}}}, {});", unused, typeName(value->type), name, dims, elements));
    }
  }
  lines_.open(signature + ") {");
  for (const std::string& copy : copies) lines_.line(copy);
}

std::string CppWriter::resultType() const {
  const auto& yields = request_.function.body.yields();
  return yields.size() == 1 ? typeName(yields[0]->type) : request_.name + "_result";
}

std::string CppWriter::resultStruct() const {
  const auto& yields = request_.function.body.yields();
  if (yields.size() == 1) return "";
  std::string made = fmt::format("struct {} {{\n", resultType());
  for (size_t k = 0; k < yields.size(); ++k)
    made += fmt::format("  {} {}{};\n", typeName(yields[k]->type), request_.results[k], yields[k]->type.isScalar() ? " = 0" : "");
  return made + "};\n";
}

std::string CppWriter::function() {
  const auto& yields = request_.function.body.yields();
  std::string signature = fmt::format("inline {} {}(", resultType(), request_.name);
  parameters(signature);
  region(request_.function.body);
  std::string values;
  for (const Value* value : yields) values += (values.empty() ? "" : ", ") + (yields.size() == 1 ? text(value) : moved(value, request_.function.body.terminator()));
  lines_.line(yields.size() == 1 ? fmt::format("return {};", values) : fmt::format("return {{{}}};", values));
  lines_.close();
  return lines_.take();
}

std::string cppPreamble(bool uses_routines) {
  std::string text =
      "// Made by `dini emit --as cpp`. Compile it as C++20 with -ffp-contract=off, because kinks are decided by\n"
         "// exact comparison, and with -fwrapv, because integers wrap around. A failing call throws ds::error.\n"
         "#ifdef __clang__\n#pragma STDC FP_CONTRACT OFF\n#endif\n#include <algorithm>\n#include <cmath>\n#include <cstdint>\n#include <limits>\n"
         "#include <span>\n#include <utility>\n\n";
  return text + fmt::format("#include \"dini/{}.hpp\"\n\nnamespace ds = dini::source;\n", uses_routines ? "source_routines" : "source");
}

Text cpp(const Request& request) {
  try {
    std::vector<std::string> prototypes, bodies;
    bool routines = false;
    for (const std::string& name : calleesOf(request.module, request.function)) {
      const ir::Function& callee = *request.module.find(name);
      Request inner{request.module, callee, calleeName(name), {}, {}, request.place};
      for (const Value* value : callee.body.args) inner.parameters.push_back(value->name.empty() ? "x" : value->name);
      for (size_t k = 0; k < callee.body.yields().size(); ++k) inner.results.push_back(fmt::format("value_{}", k));
      CppWriter writer(inner);
      std::string body = writer.function();
      prototypes.push_back(writer.resultStruct() + body.substr(0, body.find(" {\n")) + ";");
      bodies.push_back(body);
      routines = routines || writer.usesRoutines();
    }
    prototypes.insert(prototypes.end(), bodies.begin(), bodies.end());
    CppWriter writer(request);
    std::string body = writer.function();
    return {"\n" + writer.resultStruct() + body, prototypes, "", {}, routines || writer.usesRoutines()};
  } catch (const Unspeakable& refused) {
    return {"", {}, refused.what, refused.span};
  }
}

}  // namespace dini::emit
