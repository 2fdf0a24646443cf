#include <set>
#include <unordered_map>

#include <fmt/format.h>

#include "clang_frontend/body.h"

namespace dini::clang_frontend {
namespace {

// Functions of <cmath> that Dini has under a name of its own, with their number of arguments.
const std::unordered_map<std::string, std::pair<const char*, unsigned>>& sameFunctions() {
  static const std::unordered_map<std::string, std::pair<const char*, unsigned>> table = {
      {"sqrt", {"sqrt", 1}},   {"cbrt", {"cbrt", 1}},   {"exp", {"exp", 1}},     {"expm1", {"expm1", 1}},
      {"log", {"log", 1}},     {"log1p", {"log1p", 1}}, {"sin", {"sin", 1}},     {"cos", {"cos", 1}},
      {"tan", {"tan", 1}},     {"asin", {"asin", 1}},   {"acos", {"acos", 1}},   {"atan", {"atan", 1}},
      {"atan2", {"atan2", 2}}, {"sinh", {"sinh", 1}},   {"cosh", {"cosh", 1}},   {"tanh", {"tanh", 1}},
      {"asinh", {"asinh", 1}}, {"acosh", {"acosh", 1}}, {"atanh", {"atanh", 1}}, {"erf", {"erf", 1}},
      {"erfc", {"erfc", 1}},   {"lgamma", {"lgamma", 1}}, {"pow", {"pow", 2}},   {"floor", {"floor", 1}},
      {"ceil", {"ceil", 1}},   {"fabs", {"abs", 1}},    {"abs", {"abs", 1}},     {"labs", {"abs", 1}},
      {"llabs", {"abs", 1}},   {"isnan", {"isnan", 1}}, {"isfinite", {"isfinite", 1}}, {"rint", {"round", 1}},
      {"nearbyint", {"round", 1}}};
  return table;
}

// sqrtf, __builtin_sqrt and the like are overloads of one function.
std::string plainName(std::string name) {
  if (name.starts_with("__builtin_")) name = name.substr(10);
  static const std::set<std::string> others = {"fmin", "fmax", "fdim", "fmod", "hypot", "exp2", "log2", "log10",
                                               "trunc", "round", "tgamma", "copysign"};
  if (name.size() > 2 && name.back() == 'f')
    if (const std::string plain = name.substr(0, name.size() - 1); sameFunctions().contains(plain) || others.contains(plain)) return plain;
  return name;
}

}  // namespace

// A name for a value that is read more than once.
Value Body::named(Value value, const clang::Stmt& at) {
  if (value.lasting) return value;
  return {temporary(value, at), kPrimary, value.range, true};
}

std::optional<Value> Body::mathematics(const clang::CallExpr& call, const std::string& name) {
  auto arguments = [&] {
    std::vector<std::function<Value()>> makers;
    // An int among the arguments of a real function becomes a real.
    const bool widen = !call.getType()->isIntegerType() || call.getType()->isBooleanType();
    for (const clang::Expr* argument : call.arguments())
      makers.emplace_back([this, argument, widen] {
        const Value value = expression(argument);
        return widen && argument->getType()->isIntegerType() ? toReal(value, argument->getType(), *argument) : value;
      });
    return inOrder(makers, call);
  };
  auto rounding = [&](Value value) { return call.getType()->isRealFloatingType() ? rounded(std::move(value), call.getType()) : value; };
  const auto same = sameFunctions().find(name);
  if (same != sameFunctions().end() && same->second.second == call.getNumArgs()) {
    const std::vector<Value> a = arguments();
    Text text = Text(same->second.first) + "(" + a[0].text;
    if (a.size() > 1) text += Text(", ") + a[1].text;
    const std::string_view own = same->second.first;
    const bool exact = own == "abs" || own == "floor" || own == "ceil" || own == "round";
    return exact ? Value{text + ")"} : rounding({text + ")"});
  }
  if (name == "isinf") {
    const Value x = named(arguments()[0], call);
    return Value{Text("not isfinite(") + x.text + ") and not isnan(" + x.text + ")", kAnd};
  }
  if (name == "hypot") {
    const std::vector<Value> a = arguments();
    Text text = Text("norm([") + a[0].text;
    for (size_t k = 1; k < a.size(); ++k) text += Text(", ") + a[k].text;
    return rounding({text + "])"});
  }
  if (name == "exp2") return rounding({Text("pow(2.0, ") + arguments()[0].text + ")"});
  if (name == "log2") return rounding({Text("log(") + arguments()[0].text + ") / 0.6931471805599453", kMul});
  if (name == "log10") return rounding({Text("log(") + arguments()[0].text + ") / 2.302585092994046", kMul});
  if (name == "trunc" || name == "round") return Value{Text(unit_.helper("cpp_" + name)) + "(" + arguments()[0].text + ")"};
  if (name == "tgamma") return rounding({Text(unit_.helper("cpp_tgamma")) + "(" + arguments()[0].text + ")"});
  if (name == "copysign" || name == "fmod") {
    const std::vector<Value> a = arguments();
    return Value{Text(unit_.helper("cpp_" + name)) + "(" + a[0].text + ", " + a[1].text + ")"};
  }
  return std::nullopt;
}

// std::max and std::min are their definitions, `(a < b) ? b : a`; fmax and fmin let a NaN lose.
std::optional<Value> Body::extreme(const clang::CallExpr& call, const std::string& name) {
  const bool greatest = name == "max" || name == "fmax", library = name == "max" || name == "min";
  if (name != "max" && name != "min" && name != "fmax" && name != "fmin" && name != "fdim" && name != "clamp") return std::nullopt;
  std::vector<const clang::Expr*> given(call.arg_begin(), call.arg_end());
  if (given.empty()) return std::nullopt;  // std::numeric_limits<double>::max()
  if (library && given.size() == 1) {
    const clang::Expr* list = given[0]->IgnoreUnlessSpelledInSource();
    if (const auto* made = llvm::dyn_cast<clang::CXXStdInitializerListExpr>(list)) list = made->getSubExpr()->IgnoreUnlessSpelledInSource();
    const auto* elements = llvm::dyn_cast<clang::InitListExpr>(list);
    if (!elements) return std::nullopt;
    given.clear();
    for (unsigned k = 0; k < elements->getNumInits(); ++k) given.push_back(elements->getInit(k));
  } else if (given.size() != (name == "clamp" ? 3U : 2U)) {
    unit_.reporter().unsupported(call, fmt::format("`{}` with a comparison", name), "write the comparison as an `if`");
  }
  std::vector<std::function<Value()>> makers;
  for (const clang::Expr* argument : given) makers.emplace_back([this, argument] { return expression(argument); });
  std::vector<Value> a = inOrder(makers, call);
  for (Value& value : a) value = named(value, call);
  auto chosen = [&](const Text& condition, const Value& yes, const Value& no) {
    const bool nested = no.text.str().starts_with("if ");
    return Value{Text("if ") + condition + " { " + yes.text + " } else " + (nested ? no.text : Text("{ ") + no.text + " }"), kIf};
  };
  auto less = [](const Value& x, const Value& y) { return joined(x, "<", kCompare, y).text; };
  if (name == "fdim") return chosen(less(a[1], a[0]), joined(a[0], "-", kAdd, a[1]), numeral(0.0));
  const bool real = call.getType()->isRealFloatingType() || call.getType().getNonReferenceType()->isRealFloatingType();
  if (name == "clamp" && !real) return chosen(less(a[0], a[1]), a[1], chosen(less(a[2], a[0]), a[2], a[0]));
  if (name == "clamp") {  // the same where lo <= hi, which std::clamp asks for
    const Value raised = named(*extremum(clang::BO_LT, a[0], a[1], a[1], a[0], call), call);
    return extremum(clang::BO_LT, a[2], raised, a[2], raised, call);
  }
  if (!library) {
    Value made{Text(greatest ? "max(" : "min(") + a[0].text + ", " + a[1].text + ")"};
    if (!isNumeral(a[1])) made = chosen(Text("isnan(") + a[1].text + ")", a[0], made);
    return isNumeral(a[0]) ? made : chosen(Text("isnan(") + a[0].text + ")", a[1], made);
  }
  Value best = a[0];
  for (size_t k = 1; k < a.size(); ++k) {
    best = named(best, call);
    if (real) best = greatest ? *extremum(clang::BO_LT, best, a[k], a[k], best, call) : *extremum(clang::BO_LT, a[k], best, a[k], best, call);
    else best = chosen(greatest ? less(best, a[k]) : less(a[k], best), a[k], best);
  }
  return best;
}

std::optional<Value> Body::algorithm(const clang::CallExpr& call, const std::string& name) {
  if (name == "swap" && call.getNumArgs() == 2) {
    const Place first = place(call.getArg(0)), second = place(call.getArg(1));
    const std::string kept = temporary(read(first), call);
    assign(first, read(second), call);
    assign(second, {kept}, call);
    return Value{};
  }
  if (name == "move" || name == "forward" || name == "as_const") return plain(call.getArg(0));
  if ((name == "size" || name == "ssize") && call.getNumArgs() == 1) return length(view(call.getArg(0)));
  return std::nullopt;
}

std::optional<Value> Body::standard(const clang::CallExpr& call, const std::string& given) {
  const std::string name = plainName(given);
  if (std::optional<Value> made = extreme(call, name)) return made;
  if (std::optional<Value> made = algorithm(call, name)) return made;
  const bool numbers = std::all_of(call.arg_begin(), call.arg_end(), [&](const clang::Expr* argument) {
    return unit_.shapes().known(argument->getType()).isScalar();
  });
  return numbers && call.getNumArgs() > 0 ? mathematics(call, name) : std::nullopt;
}

// Member functions of arrays, vectors and spans.
std::optional<Value> Body::memberOfStandard(const clang::CXXMemberCallExpr& call) {
  const clang::CXXMethodDecl* method = call.getMethodDecl();
  const std::string name = method->getIdentifier() ? method->getName().str() : "";
  const clang::Expr* object = call.getImplicitObjectArgument();
  if (!unit_.shapes().known(object->getType()).isArray()) return std::nullopt;
  if (name == "size") return length(view(object));
  if (name == "empty") return joined(length(view(object)), "==", kCompare, numeral(int64_t{0}));
  if (name == "at" || name == "front" || name == "back" || name == "data" || name == "subspan" || name == "first" || name == "last")
    return read(place(&call));
  if (name == "fill") {
    const Value value = named(expression(call.getArg(0)), call);
    const Place target = place(object);
    const Shape shape = unit_.shapes().of(object->getType(), call);
    assign(target, filled(shape, value.text.str()), call);
    return Value{};
  }
  if (name == "assign" && call.getNumArgs() == 2 && call.getArg(0)->getType()->isIntegerType()) {
    Shape shape = unit_.shapes().of(object->getType(), call);
    shape.dims[0] = indexOf(*call.getArg(0)).text.str();
    const Value value = named(expression(call.getArg(1)), call);
    assign(place(object), filled(shape, value.text.str()), call);
    return Value{};
  }
  unit_.reporter().unsupported(call, fmt::format("`{}` of `std::{}`", name, standardTemplate(object->getType())),
                               "give the array its length where it is declared, and index it");
}

}  // namespace dini::clang_frontend
