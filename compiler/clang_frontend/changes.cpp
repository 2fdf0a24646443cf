#include "clang_frontend/changes.h"

#include <clang/AST/RecursiveASTVisitor.h>

#include "clang_frontend/shapes.h"
#include "clang_frontend/source_arrays.h"

namespace dini::clang_frontend {
namespace {

class Changes : public clang::RecursiveASTVisitor<Changes> {
 public:
  Variables found;

  bool VisitBinaryOperator(clang::BinaryOperator* op) {
    if (op->isAssignmentOp()) add(op->getLHS());
    return true;
  }
  bool VisitUnaryOperator(clang::UnaryOperator* op) {
    if (op->isIncrementDecrementOp()) add(op->getSubExpr());
    return true;
  }
  bool VisitCallExpr(clang::CallExpr* call) {
    const clang::FunctionDecl* callee = call->getDirectCallee();
    if (!callee) return true;
    if (const auto* member = llvm::dyn_cast<clang::CXXMemberCallExpr>(call))
      if (const auto* method = member->getMethodDecl(); method && !method->isConst() && !reads(*method))
        add(member->getImplicitObjectArgument());
    size_t first = 0;
    if (const auto* op = llvm::dyn_cast<clang::CXXOperatorCallExpr>(call))
      if (const auto* method = llvm::dyn_cast<clang::CXXMethodDecl>(callee)) {
        if (!method->isConst() && op->getOperator() != clang::OO_Subscript &&
            !(op->getOperator() == clang::OO_Call && (sourceClass(call->getArg(0)->getType()) == "array" || method->getParent()->isLambda())))
          add(call->getArg(0));
        first = 1;
      }
    for (size_t k = first; k < call->getNumArgs() && k - first < callee->getNumParams(); ++k)
      if (writesThrough(callee->getParamDecl(static_cast<unsigned>(k - first))->getType()))
        add(call->getArg(static_cast<unsigned>(k)));
    return true;
  }

 private:
  // Members of std classes that only lead to elements: what is done with those counts.
  static bool reads(const clang::CXXMethodDecl& method) {
    static const std::set<std::string> kReading = {"at", "data", "front", "back", "begin", "end", "size", "empty"};
    return method.getParent()->isInStdNamespace() && method.getIdentifier() && kReading.contains(method.getName().str());
  }
  void add(const clang::Expr* target) {
    const clang::VarDecl* root = nullptr;
    if (rootOf(target, root)) found.insert(root);
  }
};

class Reads : public clang::RecursiveASTVisitor<Reads> {
 public:
  Variables found;
  // The length of an array stays what it is.
  bool TraverseCXXMemberCallExpr(clang::CXXMemberCallExpr* call) {
    const clang::CXXMethodDecl* method = call->getMethodDecl();
    if (method && method->getIdentifier() && method->getName() == "size" &&
        (method->getParent()->isInStdNamespace() || sourceClass(call->getImplicitObjectArgument()->getType()) == "array"))
      return true;
    return RecursiveASTVisitor::TraverseCXXMemberCallExpr(call);
  }
  bool VisitDeclRefExpr(clang::DeclRefExpr* expr) {
    if (const auto* variable = llvm::dyn_cast<clang::VarDecl>(expr->getDecl())) found.insert(variable);
    return true;
  }
};

const clang::Expr* inner(const clang::Expr* expr) {
  if (const auto* call = llvm::dyn_cast<clang::CXXOperatorCallExpr>(expr))
    return call->getNumArgs() > 0 ? call->getArg(0) : nullptr;
  if (const auto* call = llvm::dyn_cast<clang::CXXMemberCallExpr>(expr)) return call->getImplicitObjectArgument();
  if (const auto* member = llvm::dyn_cast<clang::MemberExpr>(expr)) return member->getBase();
  if (const auto* element = llvm::dyn_cast<clang::ArraySubscriptExpr>(expr)) return element->getBase();
  if (const auto* op = llvm::dyn_cast<clang::UnaryOperator>(expr)) return op->getSubExpr();
  if (const auto* op = llvm::dyn_cast<clang::BinaryOperator>(expr))
    return op->isAssignmentOp() || op->getLHS()->getType()->isPointerType() ? op->getLHS() : op->getRHS();
  if (const auto* cast = llvm::dyn_cast<clang::CastExpr>(expr)) return cast->getSubExpr();
  if (const auto* made = llvm::dyn_cast<clang::CXXConstructExpr>(expr))
    return made->getNumArgs() > 0 && standardTemplate(made->getType()) == "span" ? made->getArg(0) : nullptr;
  return nullptr;
}

}  // namespace

bool writesThrough(clang::QualType type) {
  if (type->isReferenceType()) {
    const clang::QualType to = type->getPointeeType();
    return !to.isConstQualified() || (standardTemplate(to) == "span" && writesThrough(to.getUnqualifiedType()));
  }
  if (type->isPointerType()) return !type->getPointeeType().isConstQualified();
  if (standardTemplate(type) != "span") return false;
  const auto* span = llvm::cast<clang::ClassTemplateSpecializationDecl>(type->getAsCXXRecordDecl());
  return !span->getTemplateArgs()[0].getAsType().isConstQualified();
}

bool rootOf(const clang::Expr* expr, const clang::VarDecl*& root) {
  while (expr) {
    expr = expr->IgnoreUnlessSpelledInSource();
    if (const auto* name = llvm::dyn_cast<clang::DeclRefExpr>(expr)) {
      root = llvm::dyn_cast<clang::VarDecl>(name->getDecl());
      return root != nullptr;
    }
    if (llvm::isa<clang::CXXThisExpr>(expr)) {
      root = nullptr;
      return true;
    }
    expr = inner(expr);
  }
  return false;
}

Variables changedIn(const clang::Stmt* stmt) {
  Changes changes;
  changes.TraverseStmt(const_cast<clang::Stmt*>(stmt));
  return std::move(changes.found);
}

Variables readIn(const clang::Stmt* stmt) {
  Reads reads;
  reads.TraverseStmt(const_cast<clang::Stmt*>(stmt));
  return std::move(reads.found);
}

}  // namespace dini::clang_frontend
