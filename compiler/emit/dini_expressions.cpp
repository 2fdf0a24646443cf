// Expressions of the Dini writer.
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "emit/dini_writer.h"
#include "ops/table.h"

namespace dini::emit {

using ir::Elem;
using ir::Op;
using ir::OpCode;
using ir::Value;

namespace {

std::string realText(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number > 0 ? "inf" : "-inf";
  return decimal(number);
}

Piece literal(const Value* value) {
  const ir::Attrs& attrs = value->def->attrs;
  if (value->type.elem == Elem::I1) return {attrs.i != 0 ? "true" : "false"};
  if (value->type.elem == Elem::I64) return {fmt::format("{}", attrs.i), attrs.i >= 0};
  return {realText(attrs.f), !std::signbit(attrs.f) || std::isnan(attrs.f)};
}

bool isNegationOf(const Value* b, const Value* p) {
  return b->def != nullptr && b->def->code == OpCode::Neg && b->def->operand(0) == p;
}

// choose as the function that it came from.
enum class Named { None, Relu, Max, Min, Abs };
Named namedKink(const Op& op) {
  const Value *p = op.operand(0), *q = op.operand(1), *a = op.operand(2), *b = op.operand(3);
  if (op.code != OpCode::Choose && op.code != OpCode::ChooseTie) return Named::None;
  if (p == a && q == b) return isRealLiteral(q, 0) ? Named::Relu : Named::Max;
  if (p == b && q == a) return Named::Min;
  return p == a && isNegationOf(b, p) && isRealLiteral(q, 0) ? Named::Abs : Named::None;
}

// The spelling on whole arrays; empty: element by element only.
std::string wholeSpelling(const Op& op) {
  bool first = !op.operand(0)->type.isScalar(), second = op.operands.size() > 1 && !op.operand(1)->type.isScalar();
  switch (op.code) {
    case OpCode::Mul: return first && second ? "%0 .* %1" : "%0 * %1";
    case OpCode::Div: return second ? "%0 ./ %1" : "%0 / %1";
    case OpCode::Pow: return "%0 .^ %1";
    case OpCode::PowI: return op.attrs.i >= 0 ? "%0.^%i" : "";
    case OpCode::Add: case OpCode::Sub: case OpCode::Neg: case OpCode::Stop: return ops::facts(op.code).dini.value;
    case OpCode::NoteTie: return op.operand(1)->type.rank() == op.result()->type.rank() ? "%1" : "";
    case OpCode::ReportTie: return op.operand(2)->type.rank() == op.result()->type.rank() ? "%2" : "";
    case OpCode::Choose:
    case OpCode::ChooseTie:
      switch (namedKink(op)) {
        case Named::Relu: return "relu(%0)";
        case Named::Max: return "max(%0, %1)";
        case Named::Min: return "min(%0, %1)";
        case Named::Abs: return "abs(%0)";
        case Named::None: return "";
      }
      return "";
    case OpCode::Polygamma: return op.attrs.i == 0 ? "digamma(%0)" : "";
    default: break;
  }
  std::string_view spelling = ops::facts(op.code).dini.value;
  bool real_function = op.operands.size() == 1 && op.operand(0)->type.isReal() && op.result()->type.isReal() && spelling.ends_with("(%0)");
  return real_function ? std::string(spelling) : "";
}

}  // namespace

bool hasWholeSpelling(const Op& op) { return !wholeSpelling(op).empty(); }

std::string DiniWriter::element(const std::string& name, const Indices& at) const {
  return at.empty() ? name : fmt::format("{}[{}]", name, fmt::join(at, ", "));
}

Piece DiniWriter::expression(const Value* value, const Indices* at) {
  if (isLiteral(value)) return literal(value);
  const Op* def = value->def;
  bool inlined = def != nullptr && uses_.isInlined(*def);
  const Indices* here = value->type.isScalar() ? nullptr : at;
  if (inlined && ir::isElementwise(def->code)) return elementwise(*def, here);
  if (inlined) return {arrayExpression(*def), false};
  if (here != nullptr) return {element(names_.of(value), *here)};
  return {names_.of(value)};
}

// What is not ordered gives nan, as in the operation.
Piece DiniWriter::kink(const Op& op, const std::vector<Piece>& x) {
  std::string p = operand(x[0]), q = operand(x[1]), a = x[2].text, b = x[3].text;
  bool pick = op.code == OpCode::Pick || op.code == OpCode::PickTie;
  std::string otherwise = pick && op.attrs.i != 0 ? b : "nan";
  if (op.code == OpCode::PickTie)  // a weight that is not decided counts as 0
    return {fmt::format("if {0} > {1} {{ {2} }} else if {0} < {1} {{ {3} }} else if {0} == {1} {{ if {5} == 1 {{ {2} }} else if {5} > 0 {{ {5}*{6} + (1 - {5})*{7} }} else {{ {3} }} }} else {{ {4} }}",
                        p, q, a, b, otherwise, operand(x[4]), operand(x[2]), operand(x[3])), false};
  std::string weight = realText(op.attrs.f);
  if (!pick || weight == "1.0")
    return {fmt::format("if {0} >= {1} {{ {2} }} else if {0} < {1} {{ {3} }} else {{ {4} }}", p, q, a, b, otherwise), false};
  if (weight == "0.0")
    return {fmt::format("if {0} > {1} {{ {2} }} else if {0} <= {1} {{ {3} }} else {{ {4} }}", p, q, a, b, otherwise), false};
  const Value *above = op.operand(2), *below = op.operand(3);
  std::string tie = fmt::format("{0}*{1} + (1 - {0})*{2}", weight, operand(x[2]), operand(x[3]));
  if (isLiteral(above) && isLiteral(below))
    tie = realText(op.attrs.f * above->def->attrs.f + (1 - op.attrs.f) * below->def->attrs.f);
  return {fmt::format("if {0} > {1} {{ {2} }} else if {0} < {1} {{ {3} }} else if {0} == {1} {{ {5} }} else {{ {4} }}", p, q, a, b, otherwise, tie), false};
}

Piece DiniWriter::elementwise(const Op& op, const Indices* at) {
  std::vector<Piece> x;
  if (op.code == OpCode::NoteTie) return expression(op.operand(1), at);
  if (op.code == OpCode::ReportTie) return expression(op.operand(2), at);
  for (const Value* value : op.operands) x.push_back(expression(value, at));
  std::string spelling = at == nullptr && !op.result()->type.isScalar() ? wholeSpelling(op) : "";
  if (spelling.empty()) {
    switch (op.code) {
      case OpCode::TieSide: return {fmt::format("if {0} > 64*eps*{1} {{ 1.0 }} else if {0} < -64*eps*{1} {{ 0.0 }} else {{ nan }}", operand(x[0]), operand(x[1])), false};
      case OpCode::ChooseTie:
      case OpCode::Choose:
        if (namedKink(op) == Named::None) return kink(op, x);
        spelling = wholeSpelling(op);
        break;
      case OpCode::PickTie:
      case OpCode::Pick: return kink(op, x);
      case OpCode::SafeDiv: return {fmt::format("if {1} == 0 {{ 0.0 }} else {{ {0} / {1} }}", operand(x[0]), operand(x[1])), false};
      case OpCode::SafeMul: return {fmt::format("if {1} == 0 {{ 0.0 }} else {{ {0} * {1} }}", operand(x[0]), operand(x[1])), false};
      case OpCode::Mul: spelling = "%0 * %1"; break;
      case OpCode::Hash: spelling = "hash_bits(%0, %1)"; break;
      case OpCode::BitsToUnit: spelling = "unit_real(%0)"; break;
      case OpCode::Polygamma:
        spelling = "digamma";
        for (int64_t k = 0; k < op.attrs.i; ++k) spelling = "grad(" + spelling + ")";
        spelling += "(%0)";
        break;
      case OpCode::PowI:
        spelling = op.attrs.i >= 0 ? "%0^%i" : "%0^(%i)";
        break;
      default: spelling = ops::facts(op.code).dini.value;
    }
  }
  if (spelling.empty()) refuse(op, fmt::format("the operation `{}`", ir::shape(op.code).mnemonic));
  return spelled(spelling, x, op.attrs.i);
}

// Of an axis that `len` does not reach: what the operation that made the array was given.
std::string DiniWriter::statedSize(const Value* value, size_t axis) {
  const Op* op = value->def;
  if (op != nullptr && ir::isElementwise(op->code)) {
    if (const Value* like = arrayLike(*op)) return size(like, axis);
  } else if (op != nullptr && (op->code == OpCode::Broadcast || op->code == OpCode::Fill || op->code == OpCode::Reshape)) {
    return sizes(value->type, *op, 1)[axis];
  }
  throw Unspeakable{"the size of an axis that is known only when the program runs", {}};
}

std::string DiniWriter::size(const Value* value, size_t axis) {
  int64_t known = value->type.dims[axis];
  if (known != ir::kDynamic) return fmt::format("{}", known);
  if (axis > 1 || (axis == 1 && value->type.rank() != 2)) return statedSize(value, axis);
  return axis == 0 ? fmt::format("len({})", text(value)) : fmt::format("len({}')", atom(value));
}

std::vector<std::string> DiniWriter::sizes(const Value* value) {
  std::vector<std::string> all;
  for (size_t axis = 0; axis < value->type.rank(); ++axis) all.push_back(size(value, axis));
  return all;
}

// Those of a type whose sizes that are not constant are operands from `first` on.
std::vector<std::string> DiniWriter::sizes(const ir::Type& type, const Op& op, size_t first) {
  std::vector<std::string> all;
  for (int64_t known : type.dims) all.push_back(known != ir::kDynamic ? fmt::format("{}", known) : text(op.operand(first++)));
  return all;
}

std::string DiniWriter::typeText(const ir::Type& type) const {
  std::string made = type.elem == Elem::F64 ? "real" : type.elem == Elem::I64 ? "int" : "bool";
  if (!type.isStatic()) throw Unspeakable{"a result whose size is known only when the program runs", {}};
  return type.isScalar() ? made : fmt::format("{}[{}]", made, fmt::join(type.dims, ", "));
}

// [body for i in 0..m, j in 0..n]
std::string DiniWriter::comprehension(const std::vector<std::string>& sizes, const std::function<std::string(const Indices&)>& body) {
  Indices at;
  std::string ranges;
  for (const std::string& size : sizes) {
    at.push_back(names_.fresh(std::string(1, static_cast<char>('i' + at.size()))));
    ranges += fmt::format("{}{} in 0..{}", ranges.empty() ? "" : ", ", at.back(), size);
  }
  std::string made = fmt::format("[{} for {}]", body(at), ranges);
  for (const std::string& index : at) names_.release(index);
  return made;
}

std::string DiniWriter::comprehension(const ir::Type& type, const std::function<std::string(const Indices&)>& body) {
  std::vector<std::string> all;
  for (int64_t known : type.dims) {
    if (known == ir::kDynamic) throw Unspeakable{"a size that is known only when the program runs", {}};
    all.push_back(fmt::format("{}", known));
  }
  return comprehension(all, body);
}

}  // namespace dini::emit
