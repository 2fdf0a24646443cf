#include <cmath>

#include <clang/AST/DeclTemplate.h>
#include <fmt/format.h>

#include "clang_frontend/body.h"

namespace dini::clang_frontend {

Text inside(const Value& value, int level) {
  return value.level < level ? Text("(") + value.text + ")" : value.text;
}

Value joined(const Value& a, const char* op, int level, const Value& b) {
  // Comparisons do not chain; the other operators lean to the left.
  const int left = level == kCompare ? level + 1 : level;
  return {inside(a, left) + fmt::format(" {} ", op) + inside(b, level + 1), level};
}

Value numeral(double value) {
  if (std::isnan(value)) return {"nan", kPrimary, Range::Unknown, true};
  if (std::isinf(value)) return {value < 0 ? "-inf" : "inf", value < 0 ? kNegation : kPrimary, Range::Unknown, true};
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return {text, std::signbit(value) ? kNegation : kPrimary, Range::Unknown, true};
}

Value numeral(int64_t value) {
  // The least int has no literal of its own.
  if (value == INT64_MIN) return {"-9223372036854775807 - 1", kAdd, Range::Unknown, true};
  const Range range = value < 0 ? Range::Unknown : value < (int64_t{1} << 31) ? Range::Small : Range::NonNegative;
  return {fmt::format("{}", value), value < 0 ? kNegation : kPrimary, range, true};
}

Value Body::expression(const clang::Expr* expr) {
  Value made = plain(expr);
  made.text = made.text.from(unit_.reporter().place(*expr));
  return made;
}

Value Body::plain(const clang::Expr* given) {
  using namespace clang;
  const Expr* e = given->IgnoreParens();
  Reporter& reporter = unit_.reporter();
  if (const auto* full = llvm::dyn_cast<FullExpr>(e)) return plain(full->getSubExpr());
  if (const auto* temporary = llvm::dyn_cast<MaterializeTemporaryExpr>(e)) return plain(temporary->getSubExpr());
  if (const auto* bound = llvm::dyn_cast<CXXBindTemporaryExpr>(e)) return plain(bound->getSubExpr());
  if (const auto* given_default = llvm::dyn_cast<CXXDefaultArgExpr>(e)) return plain(given_default->getExpr());
  if (const auto* given_default = llvm::dyn_cast<CXXDefaultInitExpr>(e)) return plain(given_default->getExpr());
  if (const auto* replaced = llvm::dyn_cast<SubstNonTypeTemplateParmExpr>(e)) return plain(replaced->getReplacement());
  if (const auto* number = llvm::dyn_cast<IntegerLiteral>(e)) {
    if (number->getValue().getActiveBits() > 63) reporter.unsupported(*e, "an integer beyond 63 bits", "use a double");
    return numeral(static_cast<int64_t>(number->getValue().getZExtValue()));
  }
  if (const auto* number = llvm::dyn_cast<FloatingLiteral>(e)) {
    if (isFloat(e->getType()) || e->getType()->isSpecificBuiltinType(BuiltinType::Double))
      return numeral(number->getValueAsApproximateDouble());
    reporter.unsupported(*e, "a `long double`", "write a double");
  }
  if (const auto* truth = llvm::dyn_cast<CXXBoolLiteralExpr>(e)) return {truth->getValue() ? "true" : "false", kPrimary, Range::Unknown, true};
  if (const auto* made = llvm::dyn_cast<CastExpr>(e)) return cast(*made);
  if (const auto* op = llvm::dyn_cast<UnaryOperator>(e)) return unary(*op);
  if (const auto* op = llvm::dyn_cast<BinaryOperator>(e)) return binary(*op);
  if (const auto* op = llvm::dyn_cast<ConditionalOperator>(e)) return conditional(*op);
  if (const auto* made = llvm::dyn_cast<CallExpr>(e)) return call(*made);
  if (llvm::isa<DeclRefExpr, MemberExpr, ArraySubscriptExpr, CXXThisExpr>(e)) {
    if (std::optional<Value> known = constant(*e)) return *known;
    return read(place(e));
  }
  if (llvm::isa<InitListExpr, CXXConstructExpr, CXXStdInitializerListExpr, ImplicitValueInitExpr, CXXScalarValueInitExpr, ArrayInitLoopExpr>(e))
    return initial(*e, unit_.shapes().of(e->getType(), *e));
  if (llvm::isa<CXXNewExpr, CXXDeleteExpr>(e)) reporter.unsupported(*e, "new or delete", "use std::vector or std::array");
  if (llvm::isa<CXXThrowExpr>(e)) reporter.unsupported(*e, "an exception", "give a number such as NaN, or check before the call");
  if (llvm::isa<LambdaExpr>(e)) reporter.unsupported(*e, "a lambda", "write a function");
  if (std::optional<Value> known = constant(*e)) return *known;  // sizeof and the like
  reporter.unsupported(*e, fmt::format("this expression ({})", e->getStmtClassName()), "use arithmetic, calls and conditions");
}

// What the compiler can compute: constants of the file, std::numeric_limits, sizeof.
std::optional<Value> Body::constant(const clang::Expr& expr) {
  if (const auto* name = llvm::dyn_cast<clang::DeclRefExpr>(&expr))
    if (const auto* variable = llvm::dyn_cast<clang::VarDecl>(name->getDecl()))
      if (variables_.contains(variable) || !variable->getType().isConstQualified()) return std::nullopt;
  if (llvm::isa<clang::MemberExpr>(expr) || llvm::isa<clang::ArraySubscriptExpr>(expr)) {
    const clang::VarDecl* root = nullptr;
    if (rootOf(&expr, root) && (!root || variables_.contains(root))) return std::nullopt;
  }
  clang::Expr::EvalResult result;
  if (expr.isValueDependent() || !expr.EvaluateAsRValue(result, unit_.context()) || result.HasSideEffects) return std::nullopt;
  const Shape shape = unit_.shapes().known(expr.getType());
  if (!shape.isScalar()) return std::nullopt;
  return literal(result.Val, shape, expr);
}

Value Body::literal(const clang::APValue& value, const Shape& shape, const clang::Expr& at) {
  if (value.isFloat()) {
    bool lost = false;
    llvm::APFloat number = value.getFloat();
    number.convert(llvm::APFloat::IEEEdouble(), llvm::APFloat::rmNearestTiesToEven, &lost);
    return numeral(number.convertToDouble());
  }
  if (value.isInt()) {
    if (shape.element == Shape::Element::Bool) return {value.getInt().getBoolValue() ? "true" : "false", kPrimary, Range::Unknown, true};
    if (!value.getInt().isRepresentableByInt64()) return numeral(static_cast<int64_t>(value.getInt().getZExtValue()));
    return numeral(value.getInt().getExtValue());
  }
  if (value.isArray()) {
    Text elements;
    Shape inner = shape;
    inner.dims.erase(inner.dims.begin());
    inner.kind = inner.dims.empty() ? Shape::Kind::Scalar : Shape::Kind::Array;
    for (unsigned k = 0; k < value.getArraySize(); ++k) {
      const bool given = k < value.getArrayInitializedElts();
      elements += Text(k ? ", " : "") + literal(given ? value.getArrayInitializedElt(k) : value.getArrayFiller(), inner, at).text;
    }
    return {Text("[") + elements + "]", kPrimary, Range::Unknown, true};
  }
  if (value.isStruct() && shape.isArray() && value.getStructNumFields() == 1)  // std::array
    return literal(value.getStructField(0), shape, at);
  if (value.isStruct() && shape.kind == Shape::Kind::Record) {
    Text fields;
    for (const Record::Field& field : shape.record->fields)
      fields += Text(fields.empty() ? "" : ", ") + field.name + " = " +
                literal(value.getStructField(field.decl->getFieldIndex()), field.shape, at).text;
    return {Text(shape.record->name + " { ") + fields + " }", kPrimary, Range::Unknown, true};
  }
  unit_.reporter().unsupported(at, "this constant", "use numbers, arrays of numbers and plain structs");
}

Value Body::toReal(Value value, clang::QualType from, const clang::Expr& at) {
  if (from->isBooleanType()) return {Text("real(") + value.text + ")"};
  if (value.lasting && value.level >= kNegation) {  // a literal, or a name
    const std::string& text = value.text.str();
    if (text.find_first_not_of("-0123456789") == std::string::npos && text.size() < 16) {
      value.text = Text(text + ".0").from(unit_.reporter().place(at));
      value.range = Range::Unknown;
      return value;
    }
  }
  if (from->isUnsignedIntegerType() && value.range == Range::Unknown)
    value = {Text(unit_.helper("cpp_unsigned") + "(") + value.text + ")"};
  return {Text("real(") + value.text + ")"};
}

// To an integer of another width or sign. An int of Dini has 64 bits, which hold an unsigned long too.
Value Body::toInteger(Value value, clang::QualType from, clang::QualType to) {
  const auto width = unit_.context().getIntWidth(to);
  if (to->isBooleanType()) return {inside(value, kCompare + 1) + " != 0", kCompare};
  if (from->isBooleanType()) return {Text("if ") + value.text + " { 1 } else { 0 }", kIf, Range::Small};
  const bool fits = unit_.context().getIntWidth(from) < width && (!to->isUnsignedIntegerType() || from->isUnsignedIntegerType());
  const bool same = unit_.context().getIntWidth(from) == width && from->isUnsignedIntegerType() == to->isUnsignedIntegerType();
  if (width >= 64 || fits || same || (value.range == Range::Small && width >= 32)) return value;
  const std::string size = fmt::format("{}", uint64_t{1} << width), half = fmt::format("{}", uint64_t{1} << (width - 1));
  if (to->isUnsignedIntegerType()) return {Text("mod(") + value.text + ", " + size + ")", kPrimary, Range::NonNegative};
  return {Text("mod(") + inside(value, kAdd) + " + " + half + ", " + size + ") - " + half, kAdd};
}

// Arithmetic of `float` is computed in double and then rounded: for + - * / and sqrt that is what a
// machine with float instructions gives, as 53 bits are more than twice 24 and two.
Value Body::rounded(Value value, clang::QualType type) {
  if (!isFloat(type)) return value;
  return {Text(unit_.helper("cpp_float") + "(") + value.text + ")"};
}

Value Body::cast(const clang::CastExpr& cast) {
  using namespace clang;
  const Expr* sub = cast.getSubExpr();
  const QualType from = sub->getType(), to = cast.getType();
  Reporter& reporter = unit_.reporter();
  switch (cast.getCastKind()) {
    case CK_LValueToRValue:
    case CK_NoOp:
    case CK_UserDefinedConversion:
      return plain(sub);
    case CK_ConstructorConversion:
      return initial(*sub, unit_.shapes().of(to, cast));
    case CK_IntegralToFloating: {
      Value value = toReal(expression(sub), from, cast);
      if (isFloat(to) && value.lasting) return numeral(static_cast<double>(std::stof(value.text.str())));
      return rounded(value, to);
    }
    case CK_FloatingToIntegral:
      return toInteger({Text("int(") + expression(sub).text + ")"}, unit_.context().LongTy, to);
    case CK_FloatingToBoolean:
      return {inside(expression(sub), kCompare + 1) + " != 0.0", kCompare};
    case CK_IntegralToBoolean:
    case CK_IntegralCast:
      if (isSourceBool(*sub)) return plain(sub);
      return toInteger(expression(sub), from, to);
    case CK_FloatingCast: {
      if (to->isSpecificBuiltinType(BuiltinType::Double) && isFloat(from)) return plain(sub);
      if (const auto* number = llvm::dyn_cast<FloatingLiteral>(sub->IgnoreParens()); number && isFloat(to))
        return numeral(static_cast<double>(static_cast<float>(number->getValueAsApproximateDouble())));
      if (isFloat(to)) return rounded(expression(sub), to);
      reporter.unsupported(cast, "a `long double`", "write `double`");
    }
    case CK_ArrayToPointerDecay:
      return read(view(&cast));
    case CK_BitCast:
    case CK_LValueBitCast:
    case CK_IntegralToPointer:
    case CK_PointerToIntegral:
    case CK_ReinterpretMemberPointer:
      reporter.unsupported(cast, "a cast of a pointer", "convert the numbers themselves, one by one");
    case CK_FunctionToPointerDecay:
      reporter.unsupported(cast, "a function pointer", "call the function by its name, or make the caller a template");
    case CK_ToVoid:
      return plain(sub);
    default:
      reporter.unsupported(cast, "this cast", "convert between double, int and bool only");
  }
}

Value Body::condition(const clang::Expr& expr) { return expression(&expr); }

Value Body::choice(const clang::Expr& at, const Value& condition, const Shape& shape,
                   const std::function<Value()>& yes, const std::function<Value()>& no) {
  std::optional<Value> first, second;
  const Text before_first = block([&] { first = yes(); });
  const Text before_second = block([&] { second = no(); });
  if (before_first.empty() && before_second.empty()) {
    const bool nested = second->text.str().starts_with("if ");
    return {Text("if ") + condition.text + " { " + first->text + " } else " + (nested ? second->text : Text("{ ") + second->text + " }"), kIf};
  }
  const std::string name = names_.unique("t");
  line(Text("var " + name + " = ") + unset(shape, at).text, at);
  auto arm = [&](const Text& before, const Value& value) {
    return before + std::string(2*static_cast<size_t>(depth_ + 1), ' ') + name + " = " + value.text + "\n";
  };
  line(Text("if ") + condition.text + " {\n" + arm(before_first, *first) + indentation() + "} else {\n" +
           arm(before_second, *second) + indentation() + "}", at);
  return {name, kPrimary, Range::Unknown, true};
}

Value Body::conditional(const clang::ConditionalOperator& op) {
  if (op.getType()->isRealFloatingType())
    if (std::optional<Value> made = kink(*op.getCond(), [&] { return expression(op.getTrueExpr()); }, [&] { return expression(op.getFalseExpr()); }, op))
      return *made;
  const Value decided = condition(*op.getCond());
  return choice(op, decided, unit_.shapes().of(op.getType(), op), [&] { return expression(op.getTrueExpr()); },
                [&] { return expression(op.getFalseExpr()); });
}

}  // namespace dini::clang_frontend
