#include "clang_frontend/source_arrays.h"

#include <algorithm>
#include <numeric>

#include <clang/AST/DeclTemplate.h>
#include <clang/AST/RecursiveASTVisitor.h>

namespace dini::clang_frontend {
namespace {

constexpr llvm::StringRef kSpace = "dini::source::";

bool copies(const clang::CXXConstructExpr& made) {
  return made.getConstructor()->isCopyOrMoveConstructor() && made.getNumArgs() == 1;
}

// What is assigned to a variable, in the order of the text.
class Assignments : public clang::RecursiveASTVisitor<Assignments> {
 public:
  explicit Assignments(const clang::VarDecl& of) : of_(of) {}
  std::vector<const clang::Expr*> found;

  bool shouldVisitLambdaBody() const { return true; }
  bool VisitCXXOperatorCallExpr(clang::CXXOperatorCallExpr* op) {
    const auto* target = op->getOperator() == clang::OO_Equal ? llvm::dyn_cast<clang::DeclRefExpr>(bare(op->getArg(0))) : nullptr;
    if (target && target->getDecl() == &of_) found.push_back(op->getArg(1));
    return true;
  }

 private:
  const clang::VarDecl& of_;
};

class Returns : public clang::RecursiveASTVisitor<Returns> {
 public:
  const clang::Expr* first = nullptr;
  bool TraverseLambdaExpr(clang::LambdaExpr*) { return true; }
  bool VisitReturnStmt(clang::ReturnStmt* stmt) {
    if (!first) first = stmt->getRetValue();
    return true;
  }
};

// Arrays that are made of the elements of a span: `ds::reals A({3, 3}, A_in)`.
class Copies : public clang::RecursiveASTVisitor<Copies> {
 public:
  explicit Copies(const clang::VarDecl& of) : of_(of) {}
  const clang::CXXConstructExpr* found = nullptr;

  bool VisitCXXConstructExpr(clang::CXXConstructExpr* made) {
    if (found || sourceClass(made->getType()) != "array" || made->getNumArgs() < 2) return true;
    const auto* span = llvm::dyn_cast<clang::DeclRefExpr>(bare(made->getArg(1)));
    if (span && span->getDecl() == &of_) found = made;
    return true;
  }

 private:
  const clang::VarDecl& of_;
};

const clang::FunctionDecl* around(const clang::VarDecl& variable) {
  return llvm::dyn_cast_or_null<clang::FunctionDecl>(variable.getParentFunctionOrMethod());
}

}  // namespace

std::string sourceClass(clang::QualType type) {
  const clang::CXXRecordDecl* decl = type.getNonReferenceType()->getAsCXXRecordDecl();
  if (!decl) return "";
  const std::string name = decl->getQualifiedNameAsString();
  return llvm::StringRef(name).starts_with(kSpace) ? name.substr(kSpace.size()) : "";
}

std::string sourceFunction(const clang::FunctionDecl& function) {
  if (const auto* method = llvm::dyn_cast<clang::CXXMethodDecl>(&function))
    return method->getParent()->getQualifiedNameAsString() == "dini::source::array" && method->getIdentifier() ? "array::" + method->getName().str() : "";
  const std::string name = function.getQualifiedNameAsString();
  if (!llvm::StringRef(name).starts_with(kSpace)) return "";
  return name.substr(kSpace.size());
}

const clang::Expr* bare(const clang::Expr* expr) {
  using namespace clang;
  for (;;) {
    const Expr* next = expr->IgnoreParens();
    if (const auto* full = llvm::dyn_cast<FullExpr>(next)) next = full->getSubExpr();
    else if (const auto* temporary = llvm::dyn_cast<MaterializeTemporaryExpr>(next)) next = temporary->getSubExpr();
    else if (const auto* bound = llvm::dyn_cast<CXXBindTemporaryExpr>(next)) next = bound->getSubExpr();
    else if (const auto* cast = llvm::dyn_cast<CastExpr>(next)) next = cast->getSubExpr();
    else if (const auto* made = llvm::dyn_cast<CXXConstructExpr>(next); made && copies(*made)) next = made->getArg(0);
    else if (const auto* call = llvm::dyn_cast<CallExpr>(next); call && call->isCallToStdMove()) next = call->getArg(0);
    if (next == expr) return expr;
    expr = next;
  }
}

std::optional<std::vector<const clang::Expr*>> braced(const clang::Expr* expr) {
  using namespace clang;
  const Expr* e = bare(expr);
  if (const auto* given = llvm::dyn_cast<CXXDefaultArgExpr>(e)) e = bare(given->getExpr());
  if (const auto* made = llvm::dyn_cast<CXXConstructExpr>(e)) {
    if (made->getNumArgs() == 0 || llvm::isa<CXXDefaultArgExpr>(made->getArg(0))) return std::vector<const Expr*>{};
    if (!made->isStdInitListInitialization()) return std::nullopt;
    e = bare(made->getArg(0));
  }
  if (const auto* list = llvm::dyn_cast<CXXStdInitializerListExpr>(e)) e = bare(list->getSubExpr());
  const auto* list = llvm::dyn_cast<InitListExpr>(e);
  if (!list) return std::nullopt;
  if (!list->isSemanticForm() && list->getSemanticForm()) list = list->getSemanticForm();
  return std::vector<const Expr*>(list->inits().begin(), list->inits().end());
}

const clang::Expr* returned(const clang::FunctionDecl& function) {
  const clang::FunctionDecl* defined = function.getDefinition();
  if (!defined || !defined->getBody()) return nullptr;
  Returns returns;
  returns.TraverseStmt(defined->getBody());
  return returns.first;
}

std::optional<int64_t> SourceArrays::length(const clang::ParmVarDecl& span) {
  const clang::FunctionDecl* function = around(span);
  Copies copies(span);
  if (function && function->getBody()) copies.TraverseStmt(function->getBody());
  const std::optional<Dims> sizes = copies.found ? dims(copies.found) : std::nullopt;
  if (!sizes) return std::nullopt;
  return std::accumulate(sizes->begin(), sizes->end(), int64_t{1}, std::multiplies<>());
}

std::optional<int64_t> SourceArrays::number(const clang::Expr* expr) const {
  clang::Expr::EvalResult result;
  if (expr->isValueDependent() || !expr->EvaluateAsInt(result, context_)) return std::nullopt;
  return result.Val.getInt().getExtValue();
}

std::optional<Dims> SourceArrays::numbers(const clang::Expr* list) const {
  const auto all = braced(list);
  if (!all) return std::nullopt;
  Dims made;
  for (const clang::Expr* one : *all) {
    const std::optional<int64_t> value = number(one);
    if (!value) return std::nullopt;
    made.push_back(*value);
  }
  return made;
}

void SourceArrays::bind(const clang::FunctionDecl& function, const std::vector<const clang::Expr*>& arguments) {
  const clang::FunctionDecl* defined = function.getDefinition();
  for (size_t k = 0; defined && k < arguments.size() && k < defined->getNumParams(); ++k) {
    const clang::ParmVarDecl* parameter = defined->getParamDecl(static_cast<unsigned>(k));
    if (sourceClass(parameter->getType()) != "array" || known_.contains(parameter)) continue;
    if (const std::optional<Dims> given = dims(arguments[k])) known_[parameter] = *given;
  }
}

std::optional<Dims> SourceArrays::dims(const clang::VarDecl& variable) {
  if (auto known = known_.find(&variable); known != known_.end()) return known->second;
  if (!open_.insert(&variable).second) return std::nullopt;
  std::optional<Dims> made;
  if (variable.getInit()) made = dims(variable.getInit());
  if (const clang::FunctionDecl* function = around(variable); !made && function && !llvm::isa<clang::ParmVarDecl>(variable)) {
    Assignments assignments(variable);
    assignments.TraverseStmt(function->getBody());
    for (const clang::Expr* value : assignments.found)
      if ((made = dims(value))) break;
  }
  open_.erase(&variable);
  if (made) known_[&variable] = *made;
  return made;
}

std::optional<Dims> SourceArrays::dims(const clang::Expr* given) {
  using namespace clang;
  const Expr* e = bare(given);
  if (const auto* name = llvm::dyn_cast<DeclRefExpr>(e)) {
    const auto* variable = llvm::dyn_cast<VarDecl>(name->getDecl());
    return variable ? dims(*variable) : std::nullopt;
  }
  if (const auto* made = llvm::dyn_cast<CXXConstructExpr>(e)) {
    if (sourceClass(made->getType()) != "array" || made->getNumArgs() == 0) return std::nullopt;
    return numbers(made->getArg(0));
  }
  if (const auto* choice = llvm::dyn_cast<ConditionalOperator>(e)) {
    const std::optional<Dims> yes = dims(choice->getTrueExpr());
    return yes ? yes : dims(choice->getFalseExpr());
  }
  if (const auto* member = llvm::dyn_cast<MemberExpr>(e)) return ofField(*member);
  if (const auto* call = llvm::dyn_cast<CallExpr>(e)) return ofCall(*call);
  return std::nullopt;
}

// A field of what a function returned: `return {a, b};`.
std::optional<Dims> SourceArrays::ofField(const clang::MemberExpr& member) {
  const auto* field = llvm::dyn_cast<clang::FieldDecl>(member.getMemberDecl());
  const clang::Expr* base = bare(member.getBase());
  if (sourceClass(base->getType()) == "factors" && field && field->getName() == "f") {
    if (const auto* name = llvm::dyn_cast<clang::DeclRefExpr>(base))
      if (const auto* variable = llvm::dyn_cast<clang::VarDecl>(name->getDecl()); variable && variable->getInit()) base = bare(variable->getInit());
    const auto* call = llvm::dyn_cast<clang::CallExpr>(base);
    return call ? dims(call->getArg(0)) : std::nullopt;
  }
  const std::string kind = sourceClass(base->getType());
  if (const auto* name = llvm::dyn_cast<clang::DeclRefExpr>(base))
    if (const auto* variable = llvm::dyn_cast<clang::VarDecl>(name->getDecl()); variable && variable->getInit()) base = bare(variable->getInit());
  const auto* call = llvm::dyn_cast<clang::CallExpr>(base);
  const clang::FunctionDecl* callee = call ? call->getDirectCallee() : nullptr;
  if (call && field && !kind.empty()) return ofPart(*call, kind, field->getName().str());
  const clang::Expr* value = callee ? returned(*callee) : nullptr;
  if (!value || !field) return std::nullopt;
  bind(*callee, {call->arg_begin(), call->arg_end()});
  const auto fields = braced(value);
  return fields && field->getFieldIndex() < fields->size() ? dims((*fields)[field->getFieldIndex()]) : std::nullopt;
}

// A field of what a decomposition gives.
std::optional<Dims> SourceArrays::ofPart(const clang::CallExpr& call, const std::string& kind, const std::string& field) {
  const std::optional<Dims> a = dims(call.getArg(0));
  if (!a || a->size() != 2) return std::nullopt;
  const int64_t m = (*a)[0], n = (*a)[1], least = std::min(m, n);
  if (kind == "spectrum") return field == "values" ? Dims{n} : Dims{n, n};
  if (kind == "singular_values") return field == "s" ? Dims{least} : field == "u" ? Dims{m, least} : Dims{n, least};
  if (kind == "orthogonal") return field == "q" ? Dims{m, least} : Dims{least, n};
  const std::optional<Dims> tied = kind == "tied_switches" ? dims(call.getArg(1)) : std::nullopt;
  if (!tied) return std::nullopt;
  return field == "weights" ? *tied : field == "z_dot" ? Dims{n - tied->at(0)} : Dims{2};
}

std::optional<Dims> SourceArrays::ofCall(const clang::CallExpr& call) {
  const clang::FunctionDecl* callee = call.getDirectCallee();
  if (!callee) return std::nullopt;
  if (const auto* member = llvm::dyn_cast<clang::CXXMemberCallExpr>(&call)) {
    const bool reshapes = sourceClass(member->getImplicitObjectArgument()->getType()) == "array" && callee->getIdentifier() && callee->getName() == "reshaped";
    return reshapes ? numbers(call.getArg(0)) : std::nullopt;
  }
  if (const std::string name = sourceFunction(*callee); !name.empty()) return ofOperation(name, call);
  const bool closure = llvm::isa<clang::CXXOperatorCallExpr>(call) && llvm::isa<clang::CXXMethodDecl>(callee);
  const clang::Expr* value = returned(*callee);
  if (!value) return std::nullopt;
  bind(*callee, {call.arg_begin() + (closure ? 1 : 0), call.arg_end()});
  return dims(value);
}

std::optional<Dims> SourceArrays::ofOperation(const std::string& name, const clang::CallExpr& call) {
  static const std::set<std::string> kSame = {"flip", "normalize", "cholesky", "argsort", "sort_pick", "reduce_pick_t", "proj_simplex", "proj_soc",
                                              "simplex_weights", "soc_map"};
  auto argument = [&](unsigned k) { return k < call.getNumArgs() ? dims(call.getArg(k)) : std::nullopt; };
  if (kSame.contains(name)) return argument(0);
  if (name == "array::of") return numbers(call.getArg(0));
  if (name == "solve" || name == "solve_factored" || name == "spectral") return argument(1);
  if (name == "sparse_solve") return argument(3);
  if (name == "slice") return numbers(call.getArg(2));
  if (name == "broadcast") return numbers(call.getArg(1));
  if (name == "iota") {
    const std::optional<int64_t> n = number(call.getArg(0));
    return n ? std::optional(Dims{*n}) : std::nullopt;
  }
  if (name == "pack" || name == "concat") {
    const bool packs = name == "pack";
    const auto parts = braced(call.getArg(packs ? 0 : 1));
    if (!parts || parts->empty()) return std::nullopt;
    std::optional<Dims> made = dims((*parts)[0]);
    if (!made) return std::nullopt;
    if (packs) {
      made->insert(made->begin(), static_cast<int64_t>(parts->size()));
      return made;
    }
    const std::optional<int64_t> axis = number(call.getArg(0));
    for (size_t k = 1; axis && k < parts->size(); ++k) {
      const std::optional<Dims> next = dims((*parts)[k]);
      if (!next || next->size() != made->size()) return std::nullopt;
      (*made)[static_cast<size_t>(*axis)] += (*next)[static_cast<size_t>(*axis)];
    }
    return axis ? made : std::nullopt;
  }
  const std::optional<Dims> x = argument(0);
  if (!x) return std::nullopt;
  Dims made;
  if (name == "part") {
    const size_t taken = call.getNumArgs() - 1;
    return taken <= x->size() ? std::optional(Dims(x->begin() + static_cast<std::ptrdiff_t>(taken), x->end())) : std::nullopt;
  }
  if (name == "transpose") {
    const std::optional<Dims> order = numbers(call.getArg(1));
    if (!order) return std::nullopt;
    for (int64_t axis : *order) made.push_back((*x)[static_cast<size_t>(axis)]);
    return made;
  }
  if (name == "gather" || name == "lstsq") {
    const std::optional<Dims> other = argument(1);
    if (!other || x->empty() || other->empty()) return std::nullopt;
    made = name == "gather" ? *x : *other;
    made[0] = name == "gather" ? (*other)[0] : (*x)[1];
    return made;
  }
  static const std::set<std::string> kReducing = {"sum", "greatest", "least", "any", "all", "reduce_pick"};
  if (!kReducing.contains(name)) return std::nullopt;
  const std::optional<Dims> axes = numbers(call.getArg(name == "reduce_pick" ? 2 : 1));
  if (!axes) return std::nullopt;
  for (size_t k = 0; k < x->size(); ++k)
    if (std::find(axes->begin(), axes->end(), static_cast<int64_t>(k)) == axes->end()) made.push_back((*x)[k]);
  return made;
}

}  // namespace dini::clang_frontend
