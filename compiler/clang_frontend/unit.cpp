#include "clang_frontend/unit.h"

#include <algorithm>
#include <unordered_map>

#include <clang/AST/DeclTemplate.h>
#include <fmt/format.h>

#include "clang_frontend/body.h"

namespace dini::clang_frontend {
namespace {

// Operations of C++ that Dini writes differently. Integer division truncates; an unsigned long is held by its
// 64 bits; std::round rounds halves away from zero.
const std::unordered_map<std::string, const char*>& helperTexts() {
  static const std::unordered_map<std::string, const char*> table = {
      {"cpp_quotient",
       "fn cpp_quotient(a: int, b: int) -> int {\n  let q = div(a, b)\n"
       "  if mod(a, b) != 0 and (a < 0) != (b < 0) { q + 1 } else { q }\n}\n"},
      {"cpp_remainder", "fn cpp_remainder(a: int, b: int) -> int = a - b*cpp_quotient(a, b)\n"},
      {"cpp_below", "fn cpp_below(a: int, b: int) -> bool = if (a < 0) == (b < 0) { a < b } else { b < 0 }\n"},
      {"cpp_unsigned", "fn cpp_unsigned(a: int) -> int {\n  assert a >= 0\n  a\n}\n"},
      {"cpp_trunc", "fn cpp_trunc(x: real) -> real = if x < 0.0 { ceil(x) } else { floor(x) }\n"},
      {"cpp_round",
       "fn cpp_round(x: real) -> real {\n  let t = cpp_trunc(x)\n"
       "  if abs(x - t) >= 0.5 { if x < 0.0 { t - 1.0 } else { t + 1.0 } } else { t }\n}\n"},
      {"cpp_copysign",
       "fn cpp_copysign(x: real, s: real) -> real = if s < 0.0 or 1.0/s < 0.0 { -abs(x) } else { abs(x) }\n"},
      {"cpp_fmod",  // each subtraction is exact, and t is y times a power of two: so is the derivative
       "fn cpp_fmod(x: real, y: real) -> real {\n  if not isfinite(x) or isnan(y) or y == 0.0 { return nan }\n"
       "  let below = stop(x) < 0.0\n  let b = abs(y)\n  var r = if below { -x } else { x }\n"
       "  while r >= b {\n    var t = b\n    while t <= 0.5*r { t = 2*t }\n    r = r - t\n  }\n"
       "  if below { -r } else { r }\n}\n"},
      {"cpp_tgamma",
       "fn cpp_tgamma(x: real) -> real = if x >= 0.0 { exp(lgamma(x)) } else {\n"
       "  pi/(sin(pi*(x - 2*floor(stop(0.5*x))))*exp(lgamma(1 - x)))\n}\n"},
      {"cpp_matrix",  // of its entries, in any order; those at one place add up
       "fn cpp_matrix(values: real[k], rows: int[k], columns: int[k], n: int) -> real[n, n] {\n"
       "  var a = zeros(n, n)\n  for e in 0..k { a[rows[e], columns[e]] += values[e] }\n  a\n}\n"},
      {"cpp_leading",  // Veltkamp: the leading bits of x, for c = 2^k + 1 all but k of them
       "fn cpp_leading(x: real, c: real) -> real {\n  let y = c*x\n  y - (y - x)\n}\n"},
      {"cpp_nearest_float",
       "fn cpp_nearest_float(x: real) -> real {\n"
       "  if x == 0.0 { return x }\n"
       "  if abs(x) >= 3.4028235677973366e38 { return x*inf }\n"  // 2^128 - 2^103
       "  if abs(x) < 1.1754943508222875e-38 {\n"                 // 2^-126: multiples of 2^-149
       "    let shift = 9.466330862652142e-30\n"                  // 1.5 * 2^-97
       "    return if x < 0.0 { -((shift - x) - shift) } else { (shift + x) - shift }\n  }\n"
       "  let near = cpp_leading(x, 536870913.0)\n  let other = near + 2*(x - near)\n"
       "  let halfway = cpp_leading(other, 536870913.0) == other\n"
       "  if halfway and not (cpp_leading(near, 1073741825.0) == near) { other } else { near }\n}\n"},
      {"cpp_float",  // its derivative is 1; what is subtracted is 0
       "fn cpp_float(x: real) -> real =\n"
       "  if isfinite(x) { stop(cpp_nearest_float(x)) - (stop(x) - x) } else { x }\n"}};
  return table;
}

std::string simpleName(const clang::FunctionDecl& function) {
  if (function.getIdentifier()) return function.getName().str();
  return "operation";
}

}  // namespace

std::string Unit::helper(const std::string& name) {
  if (name == "cpp_remainder") helper("cpp_quotient");
  if (name == "cpp_round") helper("cpp_trunc");
  if (name == "cpp_float") helper("cpp_nearest_float");
  if (name == "cpp_nearest_float") helper("cpp_leading");
  helpers_.insert(name);
  return name;
}

Signature::Parameter Unit::parameter(const clang::ParmVarDecl& decl) {
  using Role = Signature::Parameter::Role;
  Signature::Parameter made;
  made.decl = &decl;
  const std::string name = decl.getName().empty() ? "unused" : decl.getName().str();
  made.name = Names().free(name) ? name : name + "_";
  made.shape = shapes_.of(decl.getType(), decl);
  if (sourceClass(decl.getType()) == "array") {
    const std::optional<Dims> dims = arrays_.dims(decl);
    if (!dims) reporter_.unsupported(decl, "an array without sizes as a parameter", "take a std::span, and make the array of it");
    for (int64_t dim : *dims) made.shape.dims.push_back(std::to_string(dim));
  }
  const Annotation annotation = annotationOf(decl, reporter_);
  made.size = annotation.size;
  if (const auto* array = context_.getAsConstantArrayType(decl.getOriginalType()); array && made.size.empty())
    made.size = std::to_string(array->getSize().getZExtValue());
  if (made.shape.sizeless() && made.size.empty() && standardTemplate(decl.getType()) == "span")
    if (const std::optional<int64_t> length = arrays_.length(decl)) made.shape.dims[0] = std::to_string(*length);
  const bool writes = writesThrough(decl.getType());
  if (writes) made.role = annotation.out ? Role::Out : Role::InOut;
  else if (annotation.out || annotation.inout)
    reporter_.stop(DiagCode::CppAnnotation, decl, fmt::format("`{}` is annotated as an output, and cannot be written to", name),
                   "take it by reference or pointer, without `const`");
  if (decl.getType()->isPointerType() && made.size.empty() && (annotation.out || annotation.inout)) {
    made.single = true;
    if (made.shape.dims.size() != 1) reporter_.stop(DiagCode::CppAnnotation, decl, fmt::format("`{}` has no size", name), "annotate it: `size n`");
    made.shape.kind = Shape::Kind::Scalar;
    made.shape.dims.clear();
  }
  if (!annotation.size.empty() && !made.shape.sizeless())
    reporter_.stop(DiagCode::CppAnnotation, decl, fmt::format("`{}` is annotated with a size, and its type has one or needs none", name), "leave `size` out");
  return made;
}

// Arrays of dini/source.hpp have the sizes of what the function returns.
void Unit::sizeResult(Signature& signature) {
  auto sizes = [&](const clang::Expr* value) {
    const std::optional<Dims> dims = value ? arrays_.dims(value) : std::nullopt;
    if (!dims) reporter_.unsupported(*signature.function, "a result whose sizes are known only when the program runs", "write the C++ for fixed sizes: `dini emit --dims n=100`");
    std::vector<std::string> texts;
    for (int64_t dim : *dims) texts.push_back(std::to_string(dim));
    return texts;
  };
  const clang::Expr* value = returned(*signature.function);
  if (sourceClass(signature.function->getReturnType()) == "array") {
    signature.result.dims = sizes(value);
  } else if (const Record* record = signature.result.record) {
    const auto values = value ? braced(value) : std::nullopt;
    for (size_t k = 0; k < record->fields.size(); ++k)
      if (sourceClass(record->fields[k].decl->getType()) == "array")
        shapes_.complete(*record, k, sizes(values && k < values->size() ? (*values)[k] : nullptr));
  }
}

Signature& Unit::declare(const clang::FunctionDecl& function) {
  Signature made;
  made.function = &function;
  made.bound = annotationOf(function, reporter_).bound;
  if (const auto* method = llvm::dyn_cast<clang::CXXMethodDecl>(&function); method && method->isInstance()) {
    Signature::Parameter object;
    object.name = "self";
    object.shape = shapes_.of(method->getFunctionObjectParameterType(), function);
    if (!method->isConst() && changedIn(function.getBody()).contains(nullptr)) object.role = Signature::Parameter::Role::InOut;
    made.parameters.push_back(object);
  }
  for (const clang::ParmVarDecl* decl : function.parameters()) made.parameters.push_back(parameter(*decl));
  if (!function.getReturnType()->isVoidType()) {
    if (function.getReturnType()->isPointerType() || (function.getReturnType()->isReferenceType() && writesThrough(function.getReturnType())))
      reporter_.unsupported(function, "a function that returns a pointer or reference", "return the value");
    made.result = shapes_.of(function.getReturnType(), function);
    sizeResult(made);
    const Annotation annotation = annotationOf(function, reporter_);
    if (made.result.sizeless()) {
      if (annotation.size.empty())
        reporter_.stop(DiagCode::CppAnnotation, function, fmt::format("the length of what `{}` returns is not known", simpleName(function)),
                       "annotate the function with it: `[[clang::annotate(\"dini: size n\")]]`");
      made.result.dims[0] = annotation.size;
    } else if (!annotation.size.empty()) {
      reporter_.stop(DiagCode::CppAnnotation, function, fmt::format("`{}` is annotated with a size, and returns no std::vector", simpleName(function)), "leave `size` out");
    }
  }
  made.separate = std::any_of(made.parameters.begin(), made.parameters.end(), [](const Signature::Parameter& parameter) {
    return parameter.shape.sizeless() || parameter.role == Signature::Parameter::Role::Out;
  });
  return signatures_[&function] = std::move(made);
}

const Signature& Unit::called(const clang::FunctionDecl& called, const clang::Stmt& call) {
  const clang::FunctionDecl* function = called.getDefinition();
  if (!function || !function->getBody())
    reporter_.unsupported(call, fmt::format("a call of `{}`, which is not defined here,", simpleName(called)), "define it in this file, or in a header");
  calls_[current_].emplace_back(function, reporter_.place(call));
  auto known = signatures_.find(function);
  Signature& signature = known != signatures_.end() ? known->second : declare(*function);
  if (signature.inner.empty())
    signature.inner = signature.outer.empty() || signature.separate ? names_.unique(simpleName(*function)) : signature.outer;
  const bool shared = signature.inner == signature.outer;
  if (seen_.insert({function, shared ? Form::Outer : Form::Inner}).second) waiting_.emplace_back(function, shared ? Form::Outer : Form::Inner);
  return signature;
}

// Importers may pass what they like: two parameters are different memory only if the function says so.
void Unit::checkAliases(const Signature& signature) {
  using Role = Signature::Parameter::Role;
  auto refers = [](const Signature::Parameter& p) {
    return p.decl && (p.decl->getType()->isReferenceType() || p.decl->getType()->isPointerType() || standardTemplate(p.decl->getType()) == "span");
  };
  auto apart = [&](const Signature::Parameter& p) {
    const Annotation annotation = annotationOf(*p.decl, reporter_);
    return p.decl->getType().isRestrictQualified() || annotation.out || annotation.inout;
  };
  for (const Signature::Parameter& written : signature.parameters) {
    if (written.role == Role::In || !refers(written) || apart(written)) continue;
    for (const Signature::Parameter& other : signature.parameters) {
      if (&other == &written || !refers(other) || other.shape.element != written.shape.element || other.shape.kind == Shape::Kind::Record) continue;
      auto& finding = reporter_.add(DiagCode::CppAlias, reporter_.place(*written.decl),
                                    fmt::format("`{}` and `{}` may be the same memory", written.decl->getName().str(), other.decl->getName().str()),
                                    fmt::format("write `__restrict {}`, or annotate it with `out`, or with `inout`", written.decl->getName().str()), "written to");
      finding.marks.push_back({reporter_.place(*other.decl), "perhaps the same"});
      throw Stop{};
    }
  }
}

void Unit::checkRecursion() {
  for (const auto& [function, signature] : signatures_) {
    if (!signature.bound.empty()) continue;
    std::set<const clang::FunctionDecl*> reached;
    std::vector<const clang::FunctionDecl*> open = {function};
    clang_client::Place back;
    while (!open.empty() && !back.valid()) {
      const clang::FunctionDecl* next = open.back();
      open.pop_back();
      for (const auto& [callee, place] : calls_[next]) {
        if (callee == function) back = place;
        if (signatures_.at(callee).bound.empty() && reached.insert(callee).second) open.push_back(callee);
      }
    }
    if (!back.valid()) continue;
    auto& finding = reporter_.add(DiagCode::CppRecursion, reporter_.place(*function),
                                  fmt::format("`{}` may call itself without a bound", simpleName(*function)),
                                  "say how deep it goes: `[[clang::annotate(\"dini: bound 100\")]]`, or write a loop");
    finding.marks.push_back({back, "this call leads back to it"});
  }
}

void Unit::lower(const Signature& signature, Form form) {
  using Role = Signature::Parameter::Role;
  current_ = signature.function;
  const bool outer = form == Form::Outer;
  Signature made = signature;
  std::string parameters, results;
  size_t result_count = 0;
  auto addResult = [&](const Shape& shape) {
    results += (result_count++ ? ", " : "") + shape.str();
  };
  if (made.result.kind != Shape::Kind::None) addResult(made.result);
  for (Signature::Parameter& parameter : made.parameters) {
    if (parameter.shape.sizeless()) {
      const bool given = outer && !parameter.size.empty();
      if (outer && !given && parameter.decl && parameter.decl->getType()->isPointerType())
        reporter_.stop(DiagCode::CppAnnotation, *parameter.decl, fmt::format("how many elements `{}` points to is not known", parameter.name),
                       "annotate the parameter: `[[clang::annotate(\"dini: size n\")]]`");
      if (outer && !given && parameter.role == Role::Out)
        reporter_.stop(DiagCode::CppAnnotation, *parameter.decl, fmt::format("how many elements `{}` has is not known before the call", parameter.name),
                       "annotate the parameter: `[[clang::annotate(\"dini: out, size n\")]]`");
      parameter.shape.dims[0] = given ? parameter.size : parameter.name + "_size";
    }
    if (!outer || parameter.role != Role::Out)
      parameters += fmt::format("{}{}: {}", parameters.empty() ? "" : ", ", parameter.name, parameter.shape.str());
    if (parameter.role != Role::In) addResult(parameter.shape);
  }
  if (result_count == 0)
    reporter_.unsupported(*signature.function, fmt::format("`{}`, which gives nothing back,", simpleName(*signature.function)), "return a value, or take a parameter by reference");
  const Text body = Body(*this, made, form).lower();
  Text text;
  if (!signature.bound.empty()) text += Text("@bound(" + signature.bound + ")\n");
  text += Text(fmt::format("fn ")) + Text(outer ? signature.outer : signature.inner).from(reporter_.place(*signature.function));
  text += Text(fmt::format("({}) -> {} {{\n", parameters, result_count == 1 ? results : "(" + results + ")"));
  text += body + "}\n";
  functions_ += text.from(reporter_.place(signature.function->getSourceRange())) + "\n";
}

void Unit::import(const std::vector<const clang::FunctionDecl*>& functions) {
  for (const clang::FunctionDecl* function : functions) {
    try {
      if (!Names().free(simpleName(*function)))
        reporter_.stop(DiagCode::CppAnnotation, *function, fmt::format("`{}` is a word or a function of Dini", simpleName(*function)), "give it another name");
      if (!names_.free(simpleName(*function)))
        reporter_.stop(DiagCode::CppAnnotation, *function, fmt::format("there are two annotated functions `{}`", simpleName(*function)),
                       "Dini has one function of a name: rename one of them");
      names_.take(simpleName(*function));
      current_ = function;
      Signature& signature = declare(*function);
      signature.outer = simpleName(*function);
      answer_.exported.push_back(signature.outer);
      checkAliases(signature);
      if (seen_.insert({function, Form::Outer}).second) waiting_.emplace_back(function, Form::Outer);
    } catch (Stop) {
      // The next function may be right.
    }
  }
  while (!waiting_.empty()) {
    const auto [function, form] = waiting_.front();
    waiting_.pop_front();
    try {
      lower(signatures_.at(function), form);
    } catch (Stop) {
      // Reported; the next function may be right.
    }
  }
  checkRecursion();
  if (!answer_.findings.empty()) return;
  Text all = shapes_.declarations() + functions_;
  for (const std::string& name : helpers_) all += Text(helperTexts().at(name)) + "\n";
  all = all.from({0, 0, 0});
  answer_.text = all.str();
  answer_.regions = all.regions();
}

}  // namespace dini::clang_frontend
