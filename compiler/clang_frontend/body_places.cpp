#include <fmt/format.h>

#include "clang_frontend/body.h"

namespace dini::clang_frontend {
namespace {

const clang::Expr* stripped(const clang::Expr* expr) {
  for (;;) {
    const clang::Expr* next = expr->IgnoreParens();
    if (const auto* full = llvm::dyn_cast<clang::FullExpr>(next)) next = full->getSubExpr();
    else if (const auto* temporary = llvm::dyn_cast<clang::MaterializeTemporaryExpr>(next)) next = temporary->getSubExpr();
    else if (const auto* bound = llvm::dyn_cast<clang::CXXBindTemporaryExpr>(next)) next = bound->getSubExpr();
    if (next == expr) return expr;
    expr = next;
  }
}

}  // namespace

Text Body::whole(const Place& place) const {
  if (!place.offset && !place.count) return place.open ? place.text + "]" : place.text;
  Text range = place.offset ? inside(*place.offset, kAdd) : Text("0");
  range += "..";
  if (place.count) range += place.offset ? inside(*place.offset, kAdd) + " + " + inside(*place.count, kAdd + 1) : inside(*place.count, kAdd);
  return place.text + (place.open ? ", " : "[") + range + "]";
}

Value Body::read(const Place& place) const {
  const bool part = place.open || place.offset || place.count;
  return {whole(place), kPrimary, part ? Range::Unknown : place.range, place.lasting && !part};
}

Value Body::length(const Place& place) const {
  if (place.count) return *place.count;
  Value made{Text("len(") + whole(place) + ")", kPrimary, Range::Small};
  return made;
}

Value Body::indexOf(const clang::Expr& expr) {
  // The conversion to an unsigned index changes nothing of an index in bounds.
  const clang::Expr* inner = stripped(&expr);
  while (const auto* cast = llvm::dyn_cast<clang::ImplicitCastExpr>(inner)) {
    if (cast->getCastKind() != clang::CK_IntegralCast) break;
    inner = stripped(cast->getSubExpr());
  }
  return expression(inner);
}

Place Body::element(Place base, Value index) {
  if (base.offset) index = base.offset->text.str() == "0" ? index : joined(*base.offset, "+", kAdd, index);
  Place made;
  made.text = base.text + (base.open ? ", " : "[") + index.text;
  made.open = true;
  return made;
}

// The array that a pointer, span or decayed array shows, from where on.
Place Body::view(const clang::Expr* given) {
  using namespace clang;
  const Expr* e = stripped(given);
  Reporter& reporter = unit_.reporter();
  if (const auto* cast = llvm::dyn_cast<CastExpr>(e)) {
    const CastKind kind = cast->getCastKind();
    if (kind == CK_ArrayToPointerDecay) return place(cast->getSubExpr());
    if (kind == CK_NoOp || kind == CK_LValueToRValue || kind == CK_ConstructorConversion) return view(cast->getSubExpr());
    if (kind == CK_NullToPointer) reporter.unsupported(*e, "a null pointer", "pass an array");
    reporter.unsupported(*e, "a cast of a pointer", "convert the numbers themselves, one by one");
  }
  if (const auto* op = llvm::dyn_cast<UnaryOperator>(e); op && op->getOpcode() == UO_AddrOf) {
    const Expr* of = stripped(op->getSubExpr());
    if (const auto* at = llvm::dyn_cast<ArraySubscriptExpr>(of)) {
      Place made = view(at->getBase());
      const Value index = indexOf(*at->getIdx());
      made.offset = made.offset ? joined(*made.offset, "+", kAdd, index) : index;
      return made;
    }
    if (const auto* at = llvm::dyn_cast<CXXOperatorCallExpr>(of); at && at->getOperator() == OO_Subscript) {
      Place made = place(at->getArg(0));
      const Value index = indexOf(*at->getArg(1));
      made.offset = made.offset ? joined(*made.offset, "+", kAdd, index) : index;
      return made;
    }
    Place made = place(of);
    made.single = unit_.shapes().of(of->getType(), *of).isScalar();
    return made;
  }
  if (const auto* op = llvm::dyn_cast<BinaryOperator>(e); op && (op->getOpcode() == BO_Add || op->getOpcode() == BO_Sub)) {
    const bool left = op->getLHS()->getType()->isPointerType();
    if (!left && op->getOpcode() == BO_Sub) reporter.unsupported(*e, "the difference of two pointers", "use indices");
    Place made = view(left ? op->getLHS() : op->getRHS());
    const Value index = indexOf(*(left ? op->getRHS() : op->getLHS()));
    if (op->getOpcode() == BO_Sub) {
      if (!made.offset) made.offset = numeral(int64_t{0});
      made.offset = joined(*made.offset, "-", kAdd, index);
    } else {
      made.offset = made.offset ? joined(*made.offset, "+", kAdd, index) : index;
    }
    return made;
  }
  if (const auto* made = llvm::dyn_cast<CXXConstructExpr>(e); made && standardTemplate(e->getType()) == "span") {
    if (made->getNumArgs() == 1 || made->getConstructor()->isCopyOrMoveConstructor()) return view(made->getArg(0));
    if (made->getNumArgs() == 2 && made->getArg(1)->getType()->isIntegerType()) {
      Place shown = view(made->getArg(0));
      shown.count = indexOf(*made->getArg(1));
      return shown;
    }
    reporter.unsupported(*e, "this way to make a span", "make it of a container, or of a pointer and a length");
  }
  return place(e);
}

Place Body::place(const clang::Expr* given) {
  using namespace clang;
  const Expr* e = stripped(given);
  if (const auto* name = llvm::dyn_cast<DeclRefExpr>(e))
    if (const auto* decl = llvm::dyn_cast<VarDecl>(name->getDecl())) {
      const Variable& known = variable(*decl, *e);
      Place made;
      made.text = Text(known.name).from(unit_.reporter().place(*e));
      made.single = known.single;
      made.lasting = !changing_.contains(decl);
      made.range = known.range;
      return made;
    }
  if (llvm::isa<CXXThisExpr>(e)) return Place{object_.name};
  if (const auto* member = llvm::dyn_cast<MemberExpr>(e)) {
    if (const auto* variable = llvm::dyn_cast<VarDecl>(member->getMemberDecl())) {
      Place made;
      made.text = global(*variable, *e).name;
      return made;
    }
    if (const auto* name = llvm::dyn_cast<DeclRefExpr>(bare(member->getBase())))
      if (auto parts = parts_.find(llvm::dyn_cast<VarDecl>(name->getDecl())); parts != parts_.end()) {
        Place made{parts->second.at(member->getMemberDecl()->getName().str())};
        made.lasting = true;
        return made;
      }
    return Place{whole(place(member->getBase())) + "." + member->getMemberDecl()->getName().str()};
  }
  if (const auto* at = llvm::dyn_cast<ArraySubscriptExpr>(e)) {
    const Place base = view(at->getBase());
    if (base.single) unit_.reporter().stop(DiagCode::CppAnnotation, *e, "an index on a pointer to one number", "annotate the parameter with its length: `[[clang::annotate(\"dini: size n\")]]`");
    return element(base, indexOf(*at->getIdx()));
  }
  if (const auto* op = llvm::dyn_cast<UnaryOperator>(e)) {
    if (op->getOpcode() == UO_Deref) {
      const Place base = view(op->getSubExpr());
      return base.single ? base : element(base, numeral(int64_t{0}));
    }
    if (op->isIncrementDecrementOp() && !op->isPostfix()) {
      step(*op, false);
      return place(op->getSubExpr());
    }
  }
  if (const auto* op = llvm::dyn_cast<BinaryOperator>(e); op && op->isAssignmentOp()) {
    assignment(*op, false);
    return place(op->getLHS());
  }
  if (const auto* op = llvm::dyn_cast<CXXOperatorCallExpr>(e); op && (op->getOperator() == OO_Subscript || op->getOperator() == OO_Call))
    if (sourceClass(op->getArg(0)->getType()) == "array") return sourceElement(*op);
  if (const auto* op = llvm::dyn_cast<CXXOperatorCallExpr>(e))
    if (op->getOperator() == OO_Subscript && unit_.shapes().known(op->getArg(0)->getType()).isArray())
      return element(place(op->getArg(0)), indexOf(*op->getArg(1)));
  if (const auto* call = llvm::dyn_cast<CXXMemberCallExpr>(e); call && call->getMethodDecl() && call->getMethodDecl()->getParent()->isInStdNamespace()) {
    const std::string name = call->getMethodDecl()->getIdentifier() ? call->getMethodDecl()->getName().str() : "";
    const Expr* object = call->getImplicitObjectArgument();
    if (name == "at") return element(place(object), indexOf(*call->getArg(0)));
    if (name == "front") return element(place(object), numeral(int64_t{0}));
    if (name == "back") {
      const Place base = place(object);
      return element(base, joined(length(base), "-", kAdd, numeral(int64_t{1})));
    }
    if (name == "data") return place(object);
    if (name == "subspan" || name == "first" || name == "last") {
      Place made = view(object);
      const bool last = name == "last", whole_rest = name == "subspan" && (call->getNumArgs() < 2 || llvm::isa<CXXDefaultArgExpr>(call->getArg(1)));
      if (call->getNumArgs() == 0) unit_.reporter().unsupported(*e, "this part of a span", "write the offset and the length as arguments");
      const Value given_size = indexOf(*call->getArg(0));
      const Value from = last ? joined(length(made), "-", kAdd, given_size) : given_size;
      if (name != "first") made.offset = made.offset ? joined(*made.offset, "+", kAdd, from) : from;
      if (!whole_rest) made.count = name == "subspan" ? indexOf(*call->getArg(1)) : given_size;
      return made;
    }
  }
  if (const auto* cast = llvm::dyn_cast<CastExpr>(e))
    if (cast->getCastKind() == CK_NoOp || cast->getCastKind() == CK_LValueToRValue || cast->getCastKind() == CK_ArrayToPointerDecay || cast->getCastKind() == CK_DerivedToBase)
      return place(cast->getSubExpr());
  if (llvm::isa<DeclRefExpr>(e))
    unit_.reporter().unsupported(*e, "a function as a value", "call it by its name, or make the caller a template");
  return Place{temporary(expression(e), *e)};
}

}  // namespace dini::clang_frontend
