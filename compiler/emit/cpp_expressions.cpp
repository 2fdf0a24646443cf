// Expressions of the C++ writer: literals, elementwise operations, kinks by name.
#include <cmath>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "emit/cpp_writer.h"
#include "ops/table.h"

namespace dini::emit {

using ir::Elem;
using ir::Op;
using ir::OpCode;
using ir::Value;

namespace {

// Where the spelling of the op table names a function of the runtime, or what suits code that a
// compiler must take without warnings.
const char* spellingOf(OpCode code) {
  switch (code) {
    case OpCode::SafeDiv: return "ds::safe_div(%0, %1)";
    case OpCode::SafeMul: return "ds::safe_mul(%0, %1)";
    case OpCode::PowI: return "ds::powi(%0, %i)";
    case OpCode::Sigmoid: return "ds::sigmoid(%0)";
    case OpCode::Softplus: return "ds::softplus(%0)";
    case OpCode::Polygamma: return "ds::polygamma(%i, %0)";
    case OpCode::Sign: return "ds::sign(%0)";
    case OpCode::IDiv: return "ds::div(%0, %1)";
    case OpCode::IMod: return "ds::mod(%0, %1)";
    case OpCode::IMin: return "std::min<std::int64_t>(%0, %1)";
    case OpCode::IMax: return "std::max<std::int64_t>(%0, %1)";
    case OpCode::RealToInt: return "ds::to_int(%0)";
    case OpCode::BoolToInt: return "(%0 ? std::int64_t{1} : std::int64_t{0})";
    case OpCode::Hash: return "ds::hash(%0, %1)";
    case OpCode::BitsToUnit: return "ds::bits_to_unit(%0)";
    case OpCode::TieSide: return "ds::tie_side(%0, %1)";
    case OpCode::ChooseTie:
    case OpCode::Choose: return "ds::choose(%0, %1, %2, %3)";
    default: return ops::facts(code).cpp.value;
  }
}

std::string realLiteral(double number) {
  if (std::isnan(number)) return "ds::nan";
  if (std::isinf(number)) return number > 0 ? "ds::inf" : "-ds::inf";
  return decimal(number);
}

}  // namespace

Piece CppWriter::literal(const Value* value) {
  const ir::Attrs& attrs = value->def->attrs;
  if (value->type.elem == Elem::I1) return {attrs.i != 0 ? "true" : "false"};
  if (value->type.elem == Elem::I64) {
    if (attrs.i == INT64_MIN) return {"std::numeric_limits<std::int64_t>::min()"};
    return {fmt::format("{}", attrs.i), attrs.i >= 0};
  }
  return {realLiteral(attrs.f), !std::signbit(attrs.f) || std::isnan(attrs.f)};
}

Piece CppWriter::expression(const Value* value, At at) {
  if (isLiteral(value)) return literal(value);
  const Op* def = value->def;
  if (def != nullptr && uses_.isInlined(*def)) {
    if (ir::isElementwise(def->code)) return elementwise(*def, at);
    if (def->code == OpCode::Index)
      return {fmt::format("{}({})", text(def->operand(0)), list(*def, 1, def->operands.size()))};
    if (def->code == OpCode::Dim) return {dimension(def->operand(0), static_cast<size_t>(def->attrs.i))};
    return {arrayExpression(*def)};
  }
  if (at == At::Element && !value->type.isScalar()) return {fmt::format("{}[{}]", names_.of(value), index_)};
  return {names_.of(value)};
}

// relu, max, min and abs where a choose is one; pick with its weight.
std::optional<Piece> CppWriter::kink(const Op& op, const std::vector<Piece>& x) {
  const Value *p = op.operand(0), *q = op.operand(1), *a = op.operand(2), *b = op.operand(3);
  if (op.code == OpCode::Pick || op.code == OpCode::PickTie) {
    std::string weight = op.operands.size() > 4 ? x[4].text : realLiteral(op.attrs.f);
    std::string unordered = op.attrs.i != 0 ? ", " + x[3].text : "";
    return Piece{fmt::format("ds::pick({}, {}, {}, {}, {}{})", x[0].text, x[1].text, x[2].text, x[3].text, weight, unordered)};
  }
  if (p == a && q == b)
    return Piece{isRealLiteral(q, 0) ? fmt::format("ds::relu({})", x[0].text) : fmt::format("ds::max({}, {})", x[0].text, x[1].text)};
  if (p == b && q == a) return Piece{fmt::format("ds::min({}, {})", x[0].text, x[1].text)};
  bool negated = b->def != nullptr && b->def->code == OpCode::Neg && b->def->operand(0) == p;
  if (p == a && negated && isRealLiteral(q, 0)) return Piece{fmt::format("ds::abs({})", x[0].text)};
  return std::nullopt;
}

Piece CppWriter::elementwise(const Op& op, At at) {
  if (op.code == OpCode::NoteTie) return expression(op.operand(1), at);
  if (op.code == OpCode::ReportTie) return expression(op.operand(2), at);
  std::vector<Piece> operands;
  for (const Value* value : op.operands) operands.push_back(expression(value, at));
  if (std::string_view(ops::facts(op.code).signature.value).size() > 5)  // choose and pick
    if (std::optional<Piece> named = kink(op, operands)) return *named;
  // Sizes of one array, which compilers know to be equal.
  if ((op.code == OpCode::IEq || op.code == OpCode::ILe) && operands[0].text == operands[1].text) return {"true"};
  const char* spelling = spellingOf(op.code);
  if (*spelling == 0) refuse(op, fmt::format("the operation `{}`", ir::shape(op.code).mnemonic));
  return spelled(spelling, operands, op.attrs.i);
}

std::string CppWriter::list(const Op& op, size_t first, size_t last) {
  std::string made;
  for (size_t k = first; k < last; ++k) made += (k > first ? ", " : "") + text(op.operand(k));
  return made;
}

std::string CppWriter::scalarName(const ir::Type& type) {
  return type.elem == Elem::F64 ? "double" : type.elem == Elem::I64 ? "std::int64_t" : "bool";
}

std::string CppWriter::typeName(const ir::Type& type) {
  if (type.isScalar()) return scalarName(type);
  return type.elem == Elem::F64 ? "ds::reals" : type.elem == Elem::I64 ? "ds::ints" : "ds::bools";
}

std::string CppWriter::dimension(const Value* value, size_t axis) {
  int64_t size = value->type.dims[axis];
  return size != ir::kDynamic ? fmt::format("{}", size) : fmt::format("{}.dim({})", text(value), axis);
}

// "{3, n}": constants from the type, the others from the trailing operands.
std::string CppWriter::sizes(const Value* value, const Op& op, size_t first_size) {
  std::string made;
  for (int64_t size : value->type.dims)
    made += (made.empty() ? "" : ", ") + (size != ir::kDynamic ? fmt::format("{}", size) : text(op.operand(first_size++)));
  return "{" + made + "}";
}

// The text that a status names: "model.dini:3".
std::string CppWriter::place(const Op& op) {
  std::optional<Place> place = request_.place(op.span);
  return place ? fmt::format("\"{}:{}\"", place->file, place->line) : fmt::format("\"{}\"", request_.name);
}

}  // namespace dini::emit
