#include <fmt/format.h>

#include "clang_frontend/body.h"

namespace dini::clang_frontend {
namespace {

// Whether two lvalues may share memory: they have one variable, and are not different elements by literal
// indices.
bool mayOverlap(const clang::Expr& a, const clang::Expr& b) {
  const clang::VarDecl *first = nullptr, *second = nullptr;
  if (!rootOf(&a, first) || !rootOf(&b, second) || first != second) return false;
  auto literal = [](const clang::Expr& e) -> std::optional<uint64_t> {
    const clang::Expr* at = e.IgnoreUnlessSpelledInSource();
    const clang::Expr* index = nullptr;
    if (const auto* op = llvm::dyn_cast<clang::CXXOperatorCallExpr>(at); op && op->getOperator() == clang::OO_Subscript) index = op->getArg(1);
    if (const auto* element = llvm::dyn_cast<clang::ArraySubscriptExpr>(at)) index = element->getIdx();
    const auto* number = index ? llvm::dyn_cast<clang::IntegerLiteral>(index->IgnoreUnlessSpelledInSource()) : nullptr;
    return number ? std::optional(number->getValue().getZExtValue()) : std::nullopt;
  };
  const auto i = literal(a), j = literal(b);
  return !(i && j && *i != *j);
}

bool isReferring(clang::QualType type) {
  return type->isReferenceType() || type->isPointerType() || standardTemplate(type) == "span";
}

}  // namespace

void Body::checkArguments(const Signature& signature, const std::vector<const clang::Expr*>& arguments) {
  for (size_t k = 0; k < arguments.size(); ++k) {
    if (signature.parameters[k].role == Signature::Parameter::Role::In) continue;
    for (size_t j = 0; j < arguments.size(); ++j) {
      const clang::ParmVarDecl* other = signature.parameters[j].decl;
      if (j == k || !arguments[j] || !arguments[k] || (other && !isReferring(other->getType()))) continue;
      if (signature.parameters[j].role != Signature::Parameter::Role::In && j < k) continue;
      if (!mayOverlap(*arguments[k], *arguments[j])) continue;
      auto& finding = unit_.reporter().add(
          DiagCode::CppAlias, unit_.reporter().place(*arguments[k]),
          fmt::format("`{}` writes to memory that another argument shows", signature.function->getName().str()),
          "give it a copy: `const auto before = x;`", "written here");
      finding.marks.push_back({unit_.reporter().place(*arguments[j]), "and read or written here"});
      throw Stop{};
    }
  }
}

Value Body::argument(const clang::Expr& expr, const Signature::Parameter& parameter, std::optional<Place>& target) {
  const bool in = parameter.role == Signature::Parameter::Role::In;
  const bool shown = parameter.shape.isArray() && parameter.shape.holder == Shape::Holder::View;
  if (in && !shown && !parameter.single) return initial(expr, parameter.shape);
  if (!in) checkWritable(expr);
  const Place given = shown || parameter.single ? view(&expr) : place(&expr);
  if (!in) target = given;
  Value value = read(given);
  if (parameter.single && !given.single) {
    const Place first = element(given, numeral(int64_t{0}));
    if (!in) target = first;
    return read(first);
  }
  // A number whose address is taken, for an array of one.
  if (!parameter.single && given.single) return {Text("[") + value.text + "]"};
  return value;
}

Value Body::callOwn(const clang::CallExpr& call, const clang::FunctionDecl& callee, const clang::Expr* object) {
  using Role = Signature::Parameter::Role;
  unit_.arrays().bind(callee, {call.arg_begin(), call.arg_end()});
  const Signature& signature = unit_.called(callee, call);
  std::vector<const clang::Expr*> given;
  if (!signature.parameters.empty() && signature.parameters[0].decl == nullptr) given.push_back(object);
  const bool by_operator = llvm::isa<clang::CXXOperatorCallExpr>(call) && llvm::isa<clang::CXXMethodDecl>(callee);
  for (unsigned k = by_operator ? 1 : 0; k < call.getNumArgs(); ++k) given.push_back(call.getArg(k));
  if (given.size() != signature.parameters.size())
    unit_.reporter().unsupported(call, "a call with a variable number of arguments", "write one function for each number");
  checkArguments(signature, given);
  std::vector<std::optional<Place>> targets(given.size());
  std::vector<std::function<Value()>> makers;
  for (size_t k = 0; k < given.size(); ++k)
    makers.emplace_back([&, k] { return argument(*given[k], signature.parameters[k], targets[k]); });
  const std::vector<Value> values = inOrder(makers, call);
  Text arguments;
  std::vector<size_t> written;
  for (size_t k = 0; k < values.size(); ++k) {
    arguments += Text(k ? ", " : "") + values[k].text;
    if (signature.parameters[k].role != Role::In) written.push_back(k);
  }
  const Value called{Text(signature.inner + "(") + arguments + ")"};
  if (written.empty()) return called;
  const bool has_result = signature.result.kind != Shape::Kind::None;
  std::vector<std::string> names;
  if (has_result) names.push_back(names_.unique("t"));
  for (size_t k : written) names.push_back(names_.unique(signature.parameters[k].name + "_new"));
  if (names.size() == 1) {
    line(Text("let " + names[0] + " = ") + called.text, call);
  } else {
    std::string pattern;
    for (const std::string& name : names) pattern += (pattern.empty() ? "" : ", ") + name;
    line(Text("let (" + pattern + ") = ") + called.text, call);
  }
  for (size_t k = 0; k < written.size(); ++k) {
    const std::string& name = names[k + (has_result ? 1 : 0)];
    const bool lone = targets[written[k]]->single && !signature.parameters[written[k]].single;
    assign(*targets[written[k]], {lone ? name + "[0]" : name}, call);
  }
  return has_result ? Value{names[0], kPrimary, Range::Unknown, true} : Value{};
}

Value Body::call(const clang::CallExpr& call) {
  using namespace clang;
  Reporter& reporter = unit_.reporter();
  const FunctionDecl* callee = call.getDirectCallee();
  if (!callee) reporter.unsupported(call, "a call through a pointer", "call the function by its name, or make the caller a template");
  if (const auto* method = llvm::dyn_cast<CXXMethodDecl>(callee); method && method->isVirtual())
    reporter.unsupported(call, "a virtual call", "use a plain struct and a function for each case");
  const bool foreign = unit_.context().getSourceManager().isInSystemHeader(callee->getLocation()) || callee->getBuiltinID() != 0;
  if (const auto* member = llvm::dyn_cast<CXXMemberCallExpr>(&call)) {
    if (!sourceClass(member->getImplicitObjectArgument()->getType()).empty()) return sourceMember(*member);
    if (!foreign) return callOwn(call, *callee, member->getImplicitObjectArgument());
    if (std::optional<Value> made = memberOfStandard(*member)) return *made;
  } else if (const auto* op = llvm::dyn_cast<CXXOperatorCallExpr>(&call)) {
    if (const auto* method = llvm::dyn_cast<CXXMethodDecl>(callee); method && method->getParent()->isLambda()) {
      const Expr* value = inlined(*op);
      Shape shape = unit_.shapes().of(value->getType(), call);
      if (sourceClass(value->getType()) == "array") size(shape, sizes(*value));
      return initial(*value, shape);
    }
    if (sourceClass(call.getArg(0)->getType()) == "array") {
      if (op->getOperator() != OO_Equal) return read(place(&call));
      Shape shape = unit_.shapes().of(call.getArg(0)->getType(), call);
      size(shape, sizes(*call.getArg(0)));
      const Value value = initial(*call.getArg(1), shape);
      const Place target = place(call.getArg(0));
      assign(target, value, call);
      return read(target);
    }
    if (!foreign) return callOwn(call, *callee, call.getArg(0));
    if (op->getOperator() == OO_Subscript) return read(place(&call));
    if (op->getOperator() == OO_Equal) {
      const Value value = initial(*call.getArg(1), unit_.shapes().of(call.getArg(0)->getType(), call));
      const Place target = place(call.getArg(0));
      assign(target, value, call);
      return read(target);
    }
  } else if (!foreign) {
    if (std::optional<Value> made = sourceCall(call, *callee)) return *made;
    return callOwn(call, *callee, nullptr);
  }
  const std::string name = callee->getIdentifier() ? callee->getName().str() : callee->getNameAsString();
  if (std::optional<Value> made = standard(call, name)) return *made;
  if (std::optional<Value> made = constant(call)) return *made;
  reporter.unsupported(call, fmt::format("the library function `{}`", callee->getQualifiedNameAsString()),
                       "write what it does, with functions of <cmath>, or std::max, min, abs, clamp");
}

}  // namespace dini::clang_frontend
