// Array operations, linear systems and sums of the C++ writer.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "emit/cpp_writer.h"
#include "ir/type_rules.h"

namespace dini::emit {

using ir::Op;
using ir::OpCode;
using ir::Value;

namespace {

std::string axes(const std::vector<int64_t>& ints) { return fmt::format("{{{}}}", fmt::join(ints, ", ")); }

const char* structureName(int64_t structure) {
  static constexpr const char* names[] = {"general", "symmetric", "positive_definite", "lower", "upper", "unit_lower", "diagonal"};
  return names[structure];
}

std::string transposedFlag(const Op& op) {
  return !op.attrs.ints.empty() && op.attrs.ints[0] == 1 ? "true" : "false";
}

}  // namespace

// One loop over the elements, with what is read only here in the same expression.
void CppWriter::elementwiseStatement(const Op& op) {
  const Value* result = op.result();
  if (result->type.isScalar()) return declare(result, elementwise(op, At::Whole).text);
  const Value* like = nullptr;  // an array that stands in a variable, for sizes not known here
  std::vector<const Value*> left;
  auto look = [&](const Op& at) {
    for (size_t k = 0; k < at.operands.size(); ++k)
      if (isShown(uses_, at, k)) left.push_back(at.operand(k));
  };
  look(op);
  while (!left.empty() && like == nullptr) {
    const Value* value = left.back();
    left.pop_back();
    if (value->type.isScalar()) continue;
    if (value->def != nullptr && uses_.isInlined(*value->def)) look(*value->def);
    else like = value;
  }
  std::string dims = result->type.isStatic() ? axes(result->type.dims) : names_.of(like) + ".dims()";
  const std::string& name = names_.of(result);
  lines_.line(fmt::format("{}({});", declared(result), dims));
  lines_.line(fmt::format("for (std::int64_t {0} = 0; {0} < {1}.size(); ++{0}) {1}[{0}] = {2};", index_, name,
                          elementwise(op, At::Element).text));
}

void CppWriter::constant(const Op& op) {
  const Value* result = op.result();
  std::string items;
  for (int64_t k = 0, n = result->type.elementCount(); k < n; ++k) {
    auto at = static_cast<size_t>(k);
    Op element{OpCode::Const, {}, {}, {}, {}, {}, nullptr};
    if (result->type.isReal()) element.attrs.f = (*op.attrs.data)[at];
    else element.attrs.i = op.attrs.ints[at];
    Value scalar;
    scalar.type.elem = result->type.elem;
    scalar.def = &element;
    items += (items.empty() ? "" : ", ") + literal(&scalar).text;
  }
  declare(result, fmt::format("{}::of({}, {{{}}})", typeName(result->type), axes(result->type.dims), items));
}

// x with a part replaced or added to: a copy, or x itself where nothing reads it afterwards.
void CppWriter::update(const Op& op) {
  const Value *result = op.result(), *v = op.operand(1);
  size_t first = 2, last = op.operands.size();
  std::string value = text(v);  // read before x is moved
  bool element = v->type.isScalar();
  bool adds = op.code == OpCode::AddAt || op.code == OpCode::AddSlice;
  declare(result, moved(op.operand(0), op));
  const std::string& name = names_.of(result);
  if (op.code == OpCode::UpdateSlice || op.code == OpCode::AddSlice)
    return lines_.line(fmt::format("ds::{}_slice({}, {}, {{{}}});", adds ? "add" : "set", name, value, list(op, first, last)));
  if (element)
    return lines_.line(fmt::format("{}({}) {} {};", name, list(op, first, last), adds ? "+=" : "=", value));
  lines_.line(fmt::format("ds::{}_part({}, {}, {});", adds ? "add" : "set", name, value, list(op, first, last)));
}

// Loops over the letters of the result, and inside over those summed.
void CppWriter::einsum(const Op& op) {
  ir::EinsumSpec spec = ir::parseEinsum(op.attrs.str);
  const Value *result = op.result(), *a = op.operand(0), *b = op.operand(1);
  std::string left = text(a), right = text(b);
  std::map<char, std::string> letter;
  auto size = [&](char c) {
    size_t in_a = spec.a.find(c);
    return in_a != std::string::npos ? dimension(a, in_a) : dimension(b, spec.b.find(c));
  };
  auto at = [&](const std::string& name, const std::string& letters) {
    std::string made;
    for (char c : letters) made += (made.empty() ? "" : ", ") + letter[c];
    return letters.empty() ? name : fmt::format("{}({})", name, made);
  };
  auto open = [&](char c) {
    letter[c] = names_.fresh(std::string(1, c));
    lines_.open(fmt::format("for (std::int64_t {0} = 0; {0} < {1}; ++{0}) {{", letter[c], size(c)));
  };
  std::string dims;
  for (char c : spec.result) dims += (dims.empty() ? "" : ", ") + size(c);
  const std::string& name = names_.of(result);
  lines_.line(spec.result.empty() ? fmt::format("{} = 0;", declared(result)) : fmt::format("{}({{{}}});", declared(result), dims));
  bool block = spec.result.empty();
  if (block) lines_.open("{");
  for (char c : spec.result) open(c);
  std::string sum;
  if (!spec.contracted.empty()) {
    sum = names_.fresh("total");
    lines_.line(fmt::format("ds::ordered_sum {};", sum));
    for (char c : spec.contracted) open(c);
  }
  std::string term = fmt::format("{} * {}", at(left, spec.a), at(right, spec.b));
  if (sum.empty()) {
    lines_.line(fmt::format("{} = {};", at(name, spec.result), term));
  } else {
    lines_.line(fmt::format("{}.add({});", sum, term));
    for (size_t k = 0; k < spec.contracted.size(); ++k) lines_.close();
    lines_.line(fmt::format("{} = {}.value();", at(name, spec.result), sum));
  }
  for (size_t k = 0; k < spec.result.size(); ++k) lines_.close();
  if (block) lines_.close();
  for (const auto& [c, index] : letter) names_.release(index);
  if (!sum.empty()) names_.release(sum);
}

void CppWriter::systems(const Op& op) {
  auto kind = [&] { return fmt::format("ds::structure::{}", structureName(op.attrs.i)); };
  switch (op.code) {
    case OpCode::LinearSolve:
      return declare(op.result(), fmt::format("ds::solve({}, {}, {}, {}, {})", text(op.operand(0)), text(op.operand(1)), kind(), transposedFlag(op), place(op)));
    case OpCode::SparseSolve:
      return declare(op.result(), fmt::format("ds::sparse_solve({}, {}, {}, {}, {}, {})", text(op.operand(0)), text(op.operand(1)), text(op.operand(2)), text(op.operand(3)), transposedFlag(op), place(op)));
    case OpCode::Factor: {
      std::string name = names_.fresh("factors");
      lines_.line(fmt::format("const ds::factors {} = ds::factor({}, {}, {});", name, text(op.operand(0)), kind(), place(op)));
      const char* fields[] = {"f", "pivots", "rcond"};
      for (size_t k = 0; k < 3; ++k)
        if (!uses_.unused(op.result(k))) declare(op.result(k), fmt::format("{}.{}", name, fields[k]));
      return;
    }
    case OpCode::SolveFactored:
      return declare(op.result(), fmt::format("ds::solve_factored({{{}, {}, {}}}, {}, {})", kind(), text(op.operand(0)), text(op.operand(1)), text(op.operand(2)), transposedFlag(op)));
    default:
      return declare(op.result(), fmt::format("ds::cholesky({}, {})", text(op.operand(0)), place(op)));
  }
}

// A call that gives a struct: the results that are read become its fields' copies.
void CppWriter::parts(const Op& op, const std::string& type, const std::string& call, std::initializer_list<const char*> fields) {
  std::string name = names_.fresh("parts");
  lines_.line(fmt::format("const ds::{} {} = ds::{};", type, name, call));
  size_t k = 0;
  for (const char* field : fields) {
    if (!uses_.unused(op.result(k))) declare(op.result(k), fmt::format("{}.{}", name, field));
    ++k;
  }
}

// Tangents that decide ties: operands from `first` on, every `stride`-th.
std::string CppWriter::decisions(const Op& op, size_t first, size_t stride) {
  std::string made;
  for (size_t k = first; k < op.operands.size(); k += stride) made += (made.empty() ? "" : ", ") + text(op.operand(k));
  return fmt::format("{{{}}}", made);
}

// What source_routines.hpp has; false: another operation.
bool CppWriter::routine(const Op& op) {
  auto x = [&](size_t k) { return text(op.operand(k)); };
  std::string t = decimal(op.attrs.f);
  switch (op.code) {
    case OpCode::LeastSquares: declare(op.result(), fmt::format("ds::lstsq({}, {}, {})", x(0), x(1), place(op))); return true;
    case OpCode::Eigh: parts(op, "spectrum", fmt::format("eigh({}, {})", x(0), place(op)), {"values", "vectors"}); return true;
    case OpCode::Svd: parts(op, "singular_values", fmt::format("svd({}, {})", x(0), place(op)), {"u", "s", "v"}); return true;
    case OpCode::Qr: parts(op, "orthogonal", fmt::format("qr({}, {})", x(0), place(op)), {"q", "r"}); return true;
    case OpCode::RootTies:
      parts(op, "tied_switches", fmt::format("root_ties({}, {}, {})", x(0), x(1), x(2)), {"weights", "z_dot", "verdict"});
      return true;
    case OpCode::ProjSimplex: declare(op.result(), fmt::format("ds::proj_simplex({}, {})", x(0), x(1))); return true;
    case OpCode::SimplexWeights:
      declare(op.result(), fmt::format("ds::simplex_weights({}, {}, {}, {}, {})", x(0), x(1), t, decisions(op, 2, 2), decisions(op, 3, 2)));
      return true;
    case OpCode::ProjSoc: declare(op.result(), fmt::format("ds::proj_soc({})", x(0))); return true;
    case OpCode::SocMap: declare(op.result(), fmt::format("ds::soc_map({}, {}, {}, {})", x(0), x(1), t, decisions(op, 2, 1))); return true;
    case OpCode::Spectral:
    case OpCode::SpectralMap: {
      bool map = op.code == OpCode::SpectralMap;
      std::string kind = op.attrs.str;
      for (char& c : kind) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      declare(op.result(), fmt::format("ds::spectral(DINI_SPECTRAL_{}, {}, {{{}, {}}}, {}, {}, {}, {})", kind, x(0), x(1), x(2),
                                       map ? x(3) : "{}", t, place(op), decisions(op, map ? 4 : 3, 1)));
      return true;
    }
    default: return false;
  }
}

// Operations whose value is one expression; empty: not one of them.
std::string CppWriter::arrayExpression(const Op& op) {
  const Value* result = op.result();
  auto x = [&](size_t k) { return text(op.operand(k)); };
  std::string element = scalarName(result->type);
  switch (op.code) {
    case OpCode::Fill: return fmt::format("{}({}, {})", typeName(result->type), sizes(result, op, 1), x(0));
    case OpCode::Iota: return fmt::format("ds::iota({})", result->type.dims[0] != ir::kDynamic ? fmt::format("{}", result->type.dims[0]) : x(0));
    case OpCode::Dim: return dimension(op.operand(0), static_cast<size_t>(op.attrs.i));
    case OpCode::Pack:
      if (op.operand(0)->type.isScalar())
        return fmt::format("{}::of({{{}}}, {{{}}})", typeName(result->type), op.operands.size(), list(op, 0, op.operands.size()));
      return fmt::format("ds::pack<{}>({{{}}})", element, list(op, 0, op.operands.size()));
    case OpCode::Index:
      if (op.operands.size() == 1) return x(0);
      if (result->type.isScalar()) return fmt::format("{}({})", x(0), list(op, 1, op.operands.size()));
      return fmt::format("ds::part({}, {})", x(0), list(op, 1, op.operands.size()));
    case OpCode::Slice: {
      size_t rank = result->type.rank();
      return fmt::format("ds::slice({}, {{{}}}, {})", x(0), list(op, 1, 1 + rank), sizes(result, op, 1 + rank));
    }
    case OpCode::Gather: return fmt::format("ds::gather({}, {})", x(0), x(1));
    case OpCode::Concat: return fmt::format("ds::concat<{}>({}, {{{}}})", element, op.attrs.i, list(op, 0, op.operands.size()));
    case OpCode::Reshape:
      if (op.operand(0)->type.isScalar()) return fmt::format("{}({}, {})", typeName(result->type), sizes(result, op, 1), x(0));
      return result->type.isScalar() ? x(0) + "[0]" : fmt::format("{}.reshaped({})", x(0), sizes(result, op, 1));
    case OpCode::Transpose: return fmt::format("ds::transpose({}, {})", x(0), axes(op.attrs.ints));
    case OpCode::Broadcast:
      if (op.operand(0)->type.isScalar()) return fmt::format("{}({}, {})", typeName(result->type), sizes(result, op, 1), x(0));
      return fmt::format("ds::broadcast({}, {}, {})", x(0), sizes(result, op, 1), axes(op.attrs.ints));
    case OpCode::Flip: return fmt::format("ds::flip({}, {})", x(0), op.attrs.i);
    case OpCode::ArgSort: return fmt::format("ds::argsort({})", x(0));
    case OpCode::ArgExtreme: return fmt::format("ds::arg_extreme({}, {})", x(0), op.attrs.str == "max");
    case OpCode::Norm: return op.operand(0)->type.isScalar() ? fmt::format("std::fabs({})", x(0)) : fmt::format("ds::norm({})", x(0));
    case OpCode::Normalize: return fmt::format("ds::normalize({})", x(0));
    case OpCode::SortPick:
    case OpCode::SortPickT:
      if (op.operands.size() > 2) refuse(op, "ties of a sort that are decided while it runs");
      return fmt::format("ds::sort_pick({}, {}, {}, {})", x(0), x(1), decimal(op.attrs.f), op.code == OpCode::SortPickT);
    case OpCode::ReducePick:
    case OpCode::ReducePickT:
      if (op.operands.size() > 2) refuse(op, "ties of a maximum that are decided while it runs");
      return fmt::format("ds::{}({}, {}, {}, {}, {}){}", op.code == OpCode::ReducePick ? "reduce_pick" : "reduce_pick_t", x(0),
                         op.operand(1)->type.isScalar() ? fmt::format("ds::reals({{}}, {})", x(1)) : x(1), axes(op.attrs.ints),
                         op.attrs.str == "max", decimal(op.attrs.f), result->type.isScalar() ? "[0]" : "");
    case OpCode::Reduce: {
      std::string name = op.attrs.str == "max" ? "greatest" : op.attrs.str == "min" ? "least" : op.attrs.str;
      return result->type.isScalar() ? fmt::format("ds::{}({})", name, x(0)) : fmt::format("ds::{}({}, {})", name, x(0), axes(op.attrs.ints));
    }
    default: return "";
  }
}

bool CppWriter::arrayStatement(const Op& op) {
  switch (op.code) {
    case OpCode::Const: constant(op); return true;
    case OpCode::Update: case OpCode::AddAt: case OpCode::UpdateSlice: case OpCode::AddSlice: update(op); return true;
    case OpCode::ScatterAdd: {
      std::string rows = text(op.operand(1)), v = text(op.operand(2));
      declare(op.result(), moved(op.operand(0), op));
      lines_.line(fmt::format("ds::scatter_add({}, {}, {});", names_.of(op.result()), rows, v));
      return true;
    }
    case OpCode::Einsum: einsum(op); return true;
    case OpCode::LinearSolve: case OpCode::SparseSolve: case OpCode::Factor: case OpCode::SolveFactored: case OpCode::Cholesky: systems(op); return true;
    default: break;
  }
  if (routine(op)) return uses_routines_ = true;
  if (ir::shape(op.code).stratum != ir::Stratum::Array) return false;
  std::string value = arrayExpression(op);
  if (value.empty()) return false;
  declare(op.result(), value);
  return true;
}

}  // namespace dini::emit
