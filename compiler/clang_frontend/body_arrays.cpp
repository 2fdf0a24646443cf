// Arrays of dini/source.hpp (source_arrays.h): how they are made, their elements, and the operations on them.
#include <algorithm>
#include <numeric>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "clang_frontend/body.h"

namespace dini::clang_frontend {
namespace {

// A[i, j] of a primary expression.
Text at(const Value& array, const std::vector<std::string>& indices) {
  return inside(array, kPrimary) + fmt::format("[{}]", fmt::join(indices, ", "));
}

// `of` for all reductions over several axes: the last axis first, so that the others keep their numbers.
Text reduced(const char* of, Text array, Dims axes) {
  std::sort(axes.rbegin(), axes.rend());
  for (int64_t axis : axes) array = Text(of) + "(" + array + fmt::format(", axis = {})", axis);
  return array;
}

bool literalText(const clang::Expr* expr) { return llvm::isa<clang::StringLiteral>(bare(expr)); }

}  // namespace

Dims Body::sizes(const clang::Expr& array) {
  if (std::optional<Dims> made = unit_.arrays().dims(&array)) return *made;
  unit_.reporter().unsupported(array, "an array whose sizes are known only when the program runs",
                               "write the C++ for fixed sizes: `dini emit --dims n=100`");
}

void Body::size(Shape& shape, const Dims& dims) {
  shape.dims.clear();
  for (int64_t dim : dims) shape.dims.push_back(fmt::format("{}", dim));
}

Value Body::over(const Dims& dims, const std::function<Text(const std::vector<std::string>&)>& element) {
  std::vector<std::string> indices, ranges;
  for (int64_t dim : dims) {
    indices.push_back(names_.unique("k"));
    ranges.push_back(fmt::format("{} in 0..{}", indices.back(), dim));
  }
  return {Text("[") + element(indices) + fmt::format(" for {}]", fmt::join(ranges, ", "))};
}

// ds::reals x({3, 4}), x({3, 4}, 1.0), x({3, 4}, span of elements).
Value Body::sourceConstructed(const clang::CXXConstructExpr& made, Shape shape) {
  if (made.getNumArgs() == 0) return unset(shape, made);
  const Dims dims = sizes(made);
  size(shape, dims);
  if (dims.empty() && made.getNumArgs() > 1) return expression(made.getArg(1));  // a number
  if (made.getNumArgs() < 2 || llvm::isa<clang::CXXDefaultArgExpr>(made.getArg(1))) return zero(shape, made);
  if (standardTemplate(made.getArg(1)->getType()) == "span")
    return {Text("reshape(") + read(view(made.getArg(1))).text + fmt::format(", {})", fmt::join(dims, ", "))};
  return filled(shape, named(expression(made.getArg(1)), made).text.str());
}

// A(i, j), and x[k] with k counting all elements row by row.
Place Body::sourceElement(const clang::CXXOperatorCallExpr& op) {
  Place made = place(op.getArg(0));
  if (op.getOperator() == clang::OO_Call) {
    for (unsigned k = 1; k < op.getNumArgs(); ++k) made = element(made, indexOf(*op.getArg(k)));
    return made;
  }
  const Dims dims = sizes(*op.getArg(0));
  if (dims.empty()) return made;
  if (const auto* name = llvm::dyn_cast<clang::DeclRefExpr>(bare(op.getArg(1))))
    if (auto found = flat_.find(name->getDecl()); found != flat_.end() && found->second.first == dims) {
      for (const std::string& index : found->second.second) made = element(made, {index});
      return made;
    }
  Value index = indexOf(*op.getArg(1));
  if (dims.size() == 1) return element(made, index);
  index = named(index, op);
  int64_t below = 1;
  for (int64_t dim : dims) below *= dim;
  for (size_t k = 0; k < dims.size(); ++k) {
    below /= std::max<int64_t>(dims[k], 1);
    Text part = below == 1 ? index.text : Text("div(") + index.text + fmt::format(", {})", below);
    if (k > 0) part = Text("mod(") + part + fmt::format(", {})", dims[k]);
    made = element(made, {part});
  }
  return made;
}

// Its elements are bytes in C++.
bool Body::isSourceBool(const clang::Expr& expr) {
  const auto* op = llvm::dyn_cast<clang::CXXOperatorCallExpr>(expr.IgnoreParenLValueCasts());
  if (!op || sourceClass(op->getArg(0)->getType()) != "array") return false;
  return unit_.shapes().of(op->getArg(0)->getType(), expr).element == Shape::Element::Bool;
}

// for (k = 0; k < x.size(); ++k) x[k] = ...; with elements at k of arrays like x only is one array.
bool Body::elementwise(const clang::ForStmt& stmt) {
  using namespace clang;
  const auto* declared = llvm::dyn_cast_or_null<DeclStmt>(stmt.getInit());
  const auto* index = declared && declared->isSingleDecl() ? llvm::dyn_cast<VarDecl>(declared->getSingleDecl()) : nullptr;
  const auto* test = stmt.getCond() ? llvm::dyn_cast<BinaryOperator>(stmt.getCond()->IgnoreUnlessSpelledInSource()) : nullptr;
  const auto* assigned = llvm::dyn_cast<BinaryOperator>(stmt.getBody());
  if (!index || !index->getInit() || !test || test->getOpcode() != BO_LT || !assigned || assigned->getOpcode() != BO_Assign) return false;
  const auto* size = llvm::dyn_cast<CXXMemberCallExpr>(bare(test->getRHS()));
  const auto* target = llvm::dyn_cast<CXXOperatorCallExpr>(bare(assigned->getLHS()));
  if (!size || !target || target->getOperator() != OO_Subscript || sourceClass(target->getArg(0)->getType()) != "array") return false;
  auto variableOf = [](const Expr* expr) {
    const auto* name = llvm::dyn_cast<DeclRefExpr>(bare(expr));
    return name ? name->getDecl() : nullptr;
  };
  const ValueDecl* array = variableOf(target->getArg(0));
  if (!array || variableOf(size->getImplicitObjectArgument()) != array || variableOf(target->getArg(1)) != index || variableOf(test->getLHS()) != index) return false;
  if (unit_.arrays().number(index->getInit()) != std::optional<int64_t>(0)) return false;
  const Dims dims = sizes(*target->getArg(0));
  std::vector<std::string> indices;
  for (size_t k = 0; k < dims.size(); ++k) indices.push_back(names_.unique("k"));
  if (!onlyElementsAt(*index, dims, assigned->getRHS())) return false;
  flat_[index] = {dims, indices};
  Value element;
  const Expr* right = isSourceBool(*assigned->getLHS()) ? bare(assigned->getRHS()) : assigned->getRHS();
  const Text before = block([&] { element = expression(right); });
  flat_.erase(index);
  if (!before.empty()) return false;
  std::vector<std::string> ranges;
  for (size_t k = 0; k < dims.size(); ++k) ranges.push_back(fmt::format("{} in 0..{}", indices[k], dims[k]));
  line(whole(place(target->getArg(0))) + " = [" + element.text + fmt::format(" for {}]", fmt::join(ranges, ", ")), stmt);
  return true;
}

// Whether the index stands nowhere but in x[k] of arrays of these sizes.
bool Body::onlyElementsAt(const clang::VarDecl& index, const Dims& dims, const clang::Stmt* stmt) {
  using namespace clang;
  if (const auto* name = llvm::dyn_cast<DeclRefExpr>(stmt)) return name->getDecl() != &index;
  if (const auto* op = llvm::dyn_cast<CXXOperatorCallExpr>(stmt); op && op->getOperator() == OO_Subscript && sourceClass(op->getArg(0)->getType()) == "array") {
    const auto* name = llvm::dyn_cast<DeclRefExpr>(bare(op->getArg(1)));
    if (name && name->getDecl() == &index) return unit_.arrays().dims(op->getArg(0)) == std::optional(dims);
  }
  return std::all_of(stmt->child_begin(), stmt->child_end(), [&](const Stmt* child) { return !child || onlyElementsAt(index, dims, child); });
}

// size(), dim(0), reshaped({2, 3}).
Value Body::sourceMember(const clang::CXXMemberCallExpr& call) {
  const clang::CXXMethodDecl* method = call.getMethodDecl();
  const std::string name = method->getIdentifier() ? method->getName().str() : "";
  const clang::Expr* object = call.getImplicitObjectArgument();
  const std::string kind = sourceClass(object->getType());
  if (kind == "residual") return sourceResidual(call, name);
  if (kind == "ordered_sum") {
    const clang::VarDecl* sum = nullptr;
    if (name == "value" && rootOf(object, sum) && sums_.contains(sum) && variables_.contains(sum)) return {variables_.at(sum).name, kPrimary, Range::Unknown, true};
    unit_.reporter().unsupported(call, "this use of an ordered sum", "write `for (std::int64_t i = 0; i < n; ++i) total.add(...);`, and `total.value()` after it");
  }
  if (kind == "array" && (name == "size" || name == "dim")) {
    const Dims dims = sizes(*object);
    int64_t count = 1;
    for (int64_t dim : dims) count *= dim;
    const std::optional<int64_t> axis = name == "dim" ? unit_.arrays().number(call.getArg(0)) : std::nullopt;
    if (name == "size") return numeral(count);
    if (axis && *axis >= 0 && *axis < static_cast<int64_t>(dims.size())) return numeral(dims[static_cast<size_t>(*axis)]);
  }
  if (kind == "array" && name == "elements") {
    const Dims dims = sizes(*object);
    return {Text("reshape(") + expression(object).text + fmt::format(", {})", std::accumulate(dims.begin(), dims.end(), int64_t{1}, std::multiplies<>()))};
  }
  if (kind == "array" && name == "reshaped")
    return {Text("reshape(") + expression(object).text + fmt::format(", {})", fmt::join(sizes(call), ", "))};
  unit_.reporter().unsupported(call, fmt::format("`{}` of `ds::{}`", name, kind), "use elements and the functions of dini/source.hpp that `dini emit` writes");
}

// An array of the elements that a list gives row by row.
Value Body::listedElements(const Dims& dims, const std::vector<const clang::Expr*>& elements, const clang::Expr& at) {
  std::vector<std::function<Value()>> makers;
  for (const clang::Expr* element : elements) makers.emplace_back([this, element] { return expression(element); });
  std::vector<Text> texts;
  for (const Value& value : inOrder(makers, at)) texts.push_back(value.text);
  for (size_t axis = dims.size(); axis-- > 0;) {
    const size_t length = static_cast<size_t>(dims[axis]);
    std::vector<Text> rows;
    for (size_t k = 0; k < texts.size(); k += length) {
      Text row;
      for (size_t j = k; j < std::min(k + length, texts.size()); ++j) row += Text(j == k ? "" : ", ") + texts[j];
      rows.push_back(Text("[") + row + "]");
    }
    texts = std::move(rows);
  }
  return {texts.at(0)};
}

// What stays where it is when lists, places and structures are left out: arrays and numbers.
std::vector<Value> Body::sourceArguments(const clang::CallExpr& call) {
  std::vector<std::function<Value()>> makers;
  for (const clang::Expr* argument : call.arguments())
    makers.emplace_back([this, argument]() -> Value {
      const clang::QualType type = argument->getType();
      if (sourceClass(type) != "array" && !type->isArithmeticType()) return {};
      return expression(argument);
    });
  return inOrder(makers, call);
}

// Statements: what they write to is the first argument.
bool Body::sourceStore(const clang::CallExpr& call, const std::string& name) {
  const bool part = name == "set_part" || name == "add_part", slice = name == "set_slice" || name == "add_slice";
  if (!part && !slice && name != "scatter_add") return false;
  const char* sign = name.starts_with("set") ? " = " : " += ";
  std::vector<Value> x = sourceArguments(call);
  Place target = place(call.getArg(0));
  if (part) {
    for (size_t k = 2; k < x.size(); ++k) target = element(target, x[k]);
    line(whole(target) + sign + x[1].text, call);
    return true;
  }
  if (slice) {
    const Dims dims = sizes(*call.getArg(1));
    line(whole(target) + "[" + ranges(*call.getArg(2), dims) + "]" + sign + x[1].text, call);
    return true;
  }
  const Value rows = named(x[1], call), v = named(x[2], call);
  const std::string k = names_.unique("k");
  const Text body = block([&] { line(whole(target) + "[" + rows.text + "[" + k + "]] += " + v.text + "[" + k + "]", call); });
  braces(fmt::format("for {} in 0..{}", k, sizes(*call.getArg(1)).at(0)), body, call);
  return true;
}

// a..a + n for each axis.
Text Body::ranges(const clang::Expr& starts, const Dims& dims) {
  const auto given = braced(&starts);
  if (!given || given->size() != dims.size()) unit_.reporter().unsupported(starts, "a list that is not written here", "write `{i, j}`");
  Text made;
  for (size_t k = 0; k < dims.size(); ++k) {
    const std::optional<int64_t> known = unit_.arrays().number((*given)[k]);
    const Value from = known ? numeral(*known) : indexOf(*(*given)[k]);
    const Text end = known ? Text(fmt::format("{}", *known + dims[k])) : inside(from, kAdd) + fmt::format(" + {}", dims[k]);
    made += Text(k ? ", " : "") + inside(from, kAdd) + ".." + end;
  }
  return made;
}

std::optional<Value> Body::sourceCall(const clang::CallExpr& call, const clang::FunctionDecl& callee) {
  const std::string name = sourceFunction(callee);
  if (name.empty()) return std::nullopt;
  if (name == "check") {
    line(Text("assert ") + expression(call.getArg(0)).text, call);
    return Value{};
  }
  if (name == "max" || name == "min" || name == "abs" || name == "relu") {
    Text arguments;
    for (const Value& value : sourceArguments(call)) arguments += Text(arguments.empty() ? "" : ", ") + value.text;
    return Value{Text(name + "(") + arguments + ")"};
  }
  if (name == "hash" || name == "bits_to_unit") {
    const std::vector<Value> x = sourceArguments(call);
    return Value{name == "hash" ? Text("hash_bits(") + x[0].text + ", " + x[1].text + ")" : Text("unit_real(") + x[0].text + ")"};
  }
  const bool arrays = sourceClass(call.getType()) == "array" ||
                      std::any_of(call.arg_begin(), call.arg_end(), [](const clang::Expr* argument) { return sourceClass(argument->getType()) == "array"; });
  if (!arrays) return std::nullopt;  // of numbers: imported as it is written
  if (sourceStore(call, name)) return Value{};
  if (std::optional<Value> made = rearranged(call, name)) return made;
  if (std::optional<Value> made = linearSystem(call, name)) return made;
  if (std::optional<Value> made = derivativeOf(call, name)) return made;
  static const std::map<std::string, const char*> kSame = {{"sum", "sum"}, {"greatest", "max"}, {"least", "min"}, {"any", "any"}, {"all", "all"},
                                                           {"norm", "norm"}, {"argsort", "argsort"}, {"cholesky", "cholesky"}, {"lstsq", "lstsq"},
                                                           {"proj_simplex", "proj_simplex"}, {"proj_soc", "proj_soc"}};
  if (auto same = kSame.find(name); same != kSame.end()) {
    const std::vector<Value> x = sourceArguments(call);
    const bool reduces = name == "sum" || name == "greatest" || name == "least" || name == "any" || name == "all";
    if (reduces && x.size() == 2) {
      const std::optional<Dims> axes = unit_.arrays().numbers(call.getArg(1));
      if (!axes) unit_.reporter().unsupported(call, "axes that are not written here", "write `{0, 1}`");
      return Value{reduced(same->second, x[0].text, *axes)};
    }
    Text arguments;
    for (size_t k = 0; k < x.size(); ++k)
      if (!literalText(call.getArg(static_cast<unsigned>(k)))) arguments += Text(k ? ", " : "") + x[k].text;
    return Value{Text(same->second) + "(" + arguments + ")"};
  }
  if (name == "arg_extreme") {
    const clang::Expr* largest = bare(call.getArg(1));
    const bool max = llvm::isa<clang::CXXBoolLiteralExpr>(largest) && llvm::cast<clang::CXXBoolLiteralExpr>(largest)->getValue();
    return Value{Text(max ? "argmax(" : "argmin(") + sourceArguments(call)[0].text + ")"};
  }
  if (name == "normalize") {
    const Value x = named(sourceArguments(call)[0], call), length = named({Text("norm(") + x.text + ")"}, call);
    return over(sizes(*call.getArg(0)), [&](const auto& k) { return Text("if ") + length.text + " == 0.0 { 0.0 } else { " + at(x, k) + " / " + length.text + " }"; });
  }
  unit_.reporter().unsupported(call, fmt::format("`ds::{}`", name), "import the function whose derivative this is, and differentiate it in Dini");
}

// Tangents that decide ties, in braces, as rows; `like` is of the size of one.
Text Body::stacked(const clang::Expr& list, const clang::Expr& like) {
  const auto given = braced(&list);
  if (!given) unit_.reporter().unsupported(list, "a list that is not written here", "write the tangents in braces");
  Text rows;
  for (const clang::Expr* one : *given) rows += Text(rows.empty() ? "" : ", ") + expression(one).text;
  if (given->empty()) return fmt::format("zeros(0, {})", fmt::join(sizes(like), ", "));
  return Text("stack(") + rows + ")";
}

// Derivatives of sorting, extremes, projections and functions of a spectrum.
std::optional<Value> Body::derivativeOf(const clang::CallExpr& call, const std::string& name) {
  static const std::set<std::string> kNames = {"sort_pick", "reduce_pick", "reduce_pick_t", "simplex_weights", "soc_map", "spectral"};
  if (!kNames.contains(name)) return std::nullopt;
  auto argument = [&](unsigned k) {
    const clang::Expr* given = bare(call.getArg(k));
    if (const auto* set = llvm::dyn_cast<clang::CXXDefaultArgExpr>(given)) given = set->getExpr();
    return given;
  };
  auto x = [&](unsigned k) { return expression(argument(k)).text; };
  if (name == "sort_pick") return Value{Text("sorted_like(") + x(0) + ", " + x(1) + ", " + x(2) + ", " + x(3) + ")"};
  if (name == "soc_map") return Value{Text("soc_map(") + x(0) + ", " + x(1) + ", " + x(2) + ", " + stacked(*argument(3), *call.getArg(0)) + ")"};
  if (name == "simplex_weights") {
    const auto radii = braced(argument(4));
    Text of_radius = "zeros(0)";
    if (radii && !radii->empty()) of_radius = listedElements({static_cast<int64_t>(radii->size())}, *radii, call).text;
    return Value{Text("simplex_weights(") + x(0) + ", " + x(1) + ", " + x(2) + ", " + stacked(*argument(3), *call.getArg(0)) + ", " + of_radius + ")"};
  }
  if (name == "spectral") {
    const auto basis = braced(call.getArg(2));
    const std::optional<int64_t> kind = unit_.arrays().number(call.getArg(0));
    if (!basis || basis->size() != 2 || !kind || *kind < 0 || *kind > 3) unit_.reporter().unsupported(call, "this function of a spectrum", "write {values, vectors}");
    const Text values = expression((*basis)[0]).text, vectors = expression((*basis)[1]).text;
    if (*kind == 0) return Value{Text("positive_part(") + x(1) + ", " + values + ", " + vectors + ")"};
    const char* of = *kind == 1 ? "projector" : *kind == 2 ? "tangent" : "gap";
    const auto c = braced(call.getArg(3));
    const Text given = c && c->empty() ? Text() : x(3) + ", ";
    return Value{Text(fmt::format("spectral_{}(", of)) + values + ", " + vectors + ", " + given + x(4) + ", " + stacked(*argument(6), *call.getArg(1)) + ")"};
  }
  const Dims dims = sizes(*call.getArg(0));
  const std::optional<Dims> axes = unit_.arrays().numbers(call.getArg(2));
  const auto* max = llvm::dyn_cast<clang::CXXBoolLiteralExpr>(bare(call.getArg(3)));
  if (!max || !axes || dims.size() > 2 || (axes->size() != 1 && axes->size() != dims.size()))
    unit_.reporter().unsupported(call, fmt::format("`ds::{}` over these axes", name), "import the function whose derivative this is, and differentiate it in Dini");
  // The groups are one array, or the rows or columns of a matrix.
  const bool back = name == "reduce_pick_t", whole = axes->size() == dims.size(), columns = !whole && (*axes)[0] == 0;
  const Text of = back ? "to_extreme(" : "at_extreme(", extreme = max->getValue() ? "max(" : "min(", t = x(4);
  const std::string flat = fmt::format(", {})", std::accumulate(dims.begin(), dims.end(), int64_t{1}, std::multiplies<>()));
  auto shaped = [&](unsigned k) { return whole && dims.size() > 1 && (k == 0 || !back) ? Text("reshape(") + x(k) + flat : x(k); };
  const Value values = named({shaped(0)}, call), other = named({shaped(1)}, call);
  auto group = [&](const Text& i, const Text& j) { return of + values.text + i + ", " + other.text + j + ", " + extreme + values.text + i + "), " + t + ")"; };
  if (whole) return Value{back && dims.size() > 1 ? Text("reshape(") + group("", "") + fmt::format(", {})", fmt::join(dims, ", ")) : group("", "")};
  const Value made = over({dims[columns ? 1 : 0]}, [&](const std::vector<std::string>& k) {
    const Text at = columns ? "[:, " + k[0] + "]" : "[" + k[0] + "]";
    return group(at, back ? Text("[" + k[0] + "]") : at);
  });
  return back && columns ? Value{made.text + "'"} : made;
}

// Elements in another order, or several times.
std::optional<Value> Body::rearranged(const clang::CallExpr& call, const std::string& name) {
  static const std::set<std::string> kNames = {"array::of", "iota", "pack", "concat", "part", "slice", "gather", "broadcast", "transpose", "flip"};
  if (!kNames.contains(name)) return std::nullopt;
  const Dims dims = sizes(call);
  if (name == "iota") return over(dims, [](const auto& k) { return Text(k[0]); });
  if (name == "array::of" || name == "pack" || name == "concat") {
    const auto elements = braced(call.getArg(name == "pack" ? 0 : 1));
    if (!elements) unit_.reporter().unsupported(call, "a list that is not written here", "write the elements in braces");
    if (name == "array::of") {
      if (!elements->empty()) return listedElements(dims, *elements, call);
      Shape shape = unit_.shapes().of(call.getType(), call);
      size(shape, dims);
      return zero(shape, call);
    }
    if (name == "pack") return listedElements({dims[0]}, *elements, call);
    Value all = expression((*elements)[0]);
    for (size_t k = 1; k < elements->size(); ++k)
      all = {Text("concat(") + all.text + ", " + expression((*elements)[k]).text + fmt::format(", axis = {})", unit_.arrays().number(call.getArg(0)).value_or(0))};
    return all;
  }
  const std::vector<Value> x = sourceArguments(call);
  if (name == "slice") return Value{inside(x[0], kPrimary) + "[" + ranges(*call.getArg(1), dims) + "]"};
  if (name == "gather") return Value{inside(x[0], kPrimary) + "[" + x[1].text + "]"};
  if (name == "flip") return Value{Text("flip(") + x[0].text + ", axis = " + x[1].text + ")"};
  if (name == "part") {
    Text indices;
    for (size_t k = 1; k < x.size(); ++k) indices += Text(k > 1 ? ", " : "") + x[k].text;
    return Value{inside(x[0], kPrimary) + "[" + indices + "]"};
  }
  const std::optional<Dims> axes = unit_.arrays().numbers(call.getArg(name == "transpose" ? 1 : 2));
  if (!axes) unit_.reporter().unsupported(call, "axes that are not written here", "write `{0, 1}`");
  if (name == "transpose" && *axes == Dims{1, 0}) return Value{inside(x[0], kPrimary) + "'"};
  const Value array = named(x[0], call);
  return over(dims, [&](const std::vector<std::string>& k) {
    std::vector<std::string> from(axes->size());
    for (size_t j = 0; j < from.size(); ++j) {
      const auto axis = static_cast<size_t>((*axes)[j]);
      if (name == "transpose") from[axis] = k[j];
      else from[j] = k[axis];
    }
    return from.empty() ? array.text : at(array, from);
  });
}

}  // namespace dini::clang_frontend
