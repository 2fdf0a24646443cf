#include <fmt/format.h>

#include "clang_frontend/body.h"

namespace dini::clang_frontend {

Value Body::unary(const clang::UnaryOperator& op) {
  using namespace clang;
  const Expr* sub = op.getSubExpr();
  switch (op.getOpcode()) {
    case UO_Plus:
      return plain(sub);
    case UO_Minus: {
      const Value value = expression(sub);
      Value made{Text("-") + inside(value, kNegation + 1), kNegation, Range::Unknown, value.lasting};
      return op.getType()->isUnsignedIntegerType() ? toInteger(made, unit_.context().LongTy, op.getType()) : made;
    }
    case UO_LNot:
      return {Text("not ") + inside(expression(sub), kNot), kNot};
    case UO_Deref:
      return read(place(&op));
    case UO_PreInc:
    case UO_PreDec:
    case UO_PostInc:
    case UO_PostDec:
      return step(op, true);
    case UO_AddrOf:
      return read(view(&op));
    case UO_Not:
      unit_.reporter().unsupported(op, "an operation on bits", "use arithmetic");
    default:
      unit_.reporter().unsupported(op, "this operator", "use arithmetic");
  }
}

// What is written to must be a variable, or a part of one.
void Body::checkWritable(const clang::Expr& target) {
  const clang::VarDecl* root = nullptr;
  if (!rootOf(&target, root)) unit_.reporter().unsupported(target, "a change of what this expression chooses", "write the choice as an `if`");
}

Value Body::step(const clang::UnaryOperator& op, bool value_used) {
  checkWritable(*op.getSubExpr());
  const Place target = place(op.getSubExpr());
  const clang::QualType type = op.getType();
  Value before = read(target);
  if (value_used && op.isPostfix()) before.text = temporary(before, op), before.level = kPrimary;
  const Value one = type->isRealFloatingType() ? numeral(1.0) : numeral(int64_t{1});
  if (!type->isUnsignedIntegerType() && !isFloat(type)) {
    line(whole(target) + (op.isIncrementOp() ? " += " : " -= ") + one.text, op);
    before.range = Range::Unknown;
    return op.isPostfix() ? before : read(target);
  }
  assign(target, arithmetic(op.isIncrementOp() ? clang::BO_Add : clang::BO_Sub, before, one, type, op), op);
  before.range = Range::Unknown;
  return op.isPostfix() ? before : read(target);
}

Value Body::integers(clang::BinaryOperatorKind kind, Value a, Value b, clang::QualType type, const clang::Expr& at) {
  using namespace clang;
  const bool positive = a.range != Range::Unknown && b.range != Range::Unknown;
  auto both = [&](const char* name) {
    return Value{Text(name) + "(" + a.text + ", " + b.text + ")", kPrimary, a.range == Range::Small ? Range::Small : positive ? Range::NonNegative : Range::Unknown};
  };
  auto whole = [&](Value& value) {
    if (type->isUnsignedIntegerType() && value.range == Range::Unknown)
      value = {Text(unit_.helper("cpp_unsigned") + "(") + value.text + ")", kPrimary, Range::NonNegative};
  };
  Value made;
  switch (kind) {
    case BO_Add:
      made = joined(a, "+", kAdd, b);
      made.range = positive ? Range::NonNegative : Range::Unknown;
      break;
    case BO_Sub:
      made = joined(a, "-", kAdd, b);
      break;
    case BO_Mul:
      made = joined(a, "*", kMul, b);
      made.range = positive ? Range::NonNegative : Range::Unknown;
      break;
    case BO_Div:
    case BO_Rem: {
      whole(a);
      whole(b);
      const bool floor = a.range != Range::Unknown && b.range != Range::Unknown;
      if (floor) return both(kind == BO_Div ? "div" : "mod");
      return both(unit_.helper(kind == BO_Div ? "cpp_quotient" : "cpp_remainder").c_str());
    }
    default:
      unit_.reporter().unsupported(at, "an operation on bits", "use arithmetic: * and / by powers of two, %");
  }
  // An unsigned int wraps around at 32 bits; signed overflow has no meaning in C++.
  return type->isUnsignedIntegerType() && made.range == Range::Unknown ? toInteger(made, unit_.context().LongTy, type) : made;
}

Value Body::arithmetic(clang::BinaryOperatorKind kind, Value a, Value b, clang::QualType type, const clang::Expr& at) {
  using namespace clang;
  if (type->isIntegerType()) return integers(kind, std::move(a), std::move(b), type, at);
  const char* op = kind == BO_Add ? "+" : kind == BO_Sub ? "-" : kind == BO_Mul ? "*" : kind == BO_Div ? "/" : nullptr;
  if (!op) unit_.reporter().unsupported(at, "this operator", "use + - * /");
  return rounded(joined(a, op, kind == BO_Add || kind == BO_Sub ? kAdd : kMul, b), type);
}

Value Body::binary(const clang::BinaryOperator& op) {
  using namespace clang;
  if (op.isAssignmentOp()) return assignment(op, true);
  if (op.isLogicalOp()) return logical(op);
  if (op.isComparisonOp()) return comparison(op);
  if (op.getOpcode() == BO_Comma) {
    expressionStatement(*op.getLHS());
    return expression(op.getRHS());
  }
  if (op.getType()->isPointerType()) return read(view(&op));
  if (op.getLHS()->getType()->isPointerType() && op.getRHS()->getType()->isPointerType())
    unit_.reporter().unsupported(op, "the difference of two pointers", "use indices");
  const std::vector<Value> operands =
      inOrder({[&] { return expression(op.getLHS()); }, [&] { return expression(op.getRHS()); }}, op);
  return arithmetic(op.getOpcode(), operands[0], operands[1], op.getType(), op);
}

Value Body::comparison(const clang::BinaryOperator& op) {
  using namespace clang;
  const QualType type = op.getLHS()->getType();
  if (type->isPointerType()) unit_.reporter().unsupported(op, "a comparison of pointers", "compare indices");
  std::vector<Value> operands =
      inOrder({[&] { return expression(op.getLHS()); }, [&] { return expression(op.getRHS()); }}, op);
  const std::string sign = op.getOpcodeStr().str();
  if (type->isBooleanType() && op.isRelationalOp()) unit_.reporter().unsupported(op, "an order of bools", "use && and !");
  const bool unsure = operands[0].range == Range::Unknown || operands[1].range == Range::Unknown;
  if (!type->isUnsignedIntegerType() || type->isBooleanType() || op.isEqualityOp() || !unsure || unit_.context().getIntWidth(type) < 64)
    return joined(operands[0], sign.c_str(), kCompare, operands[1]);
  // Of unsigned longs, whose upper half are negative ints.
  const bool swapped = op.getOpcode() == BO_GT || op.getOpcode() == BO_LE;
  const bool negated = op.getOpcode() == BO_GE || op.getOpcode() == BO_LE;
  if (swapped) std::swap(operands[0], operands[1]);
  const Text below = Text(unit_.helper("cpp_below") + "(") + operands[0].text + ", " + operands[1].text + ")";
  return negated ? Value{Text("not ") + below, kNot} : Value{below};
}

Value Body::logical(const clang::BinaryOperator& op) {
  const bool conjunction = op.getOpcode() == clang::BO_LAnd;
  const Value first = expression(op.getLHS());
  std::optional<Value> second;
  const Text before = block([&] { second = expression(op.getRHS()); });
  if (before.empty()) return joined(first, conjunction ? "and" : "or", conjunction ? kAnd : kOr, *second);
  // What the second operand does happens only where it is looked at.
  const std::string name = temporary(first, op, "holds");
  const Text variable = name + "_so_far";
  line(Text("var ") + variable + " = " + name, op);
  line(Text(conjunction ? "if " : "if not ") + variable + " {\n" + before +
           std::string(2*static_cast<size_t>(depth_ + 1), ' ') + variable + " = " + second->text + "\n" + indentation() + "}", op);
  return {variable, kPrimary, Range::Unknown, true};
}

void Body::assign(const Place& place, const Value& value, const clang::Expr& at) {
  line(whole(place) + " = " + value.text, at);
}

Value Body::assignment(const clang::BinaryOperator& op, bool value_used) {
  using namespace clang;
  if (op.getLHS()->getType()->isPointerType())
    unit_.reporter().stop(DiagCode::CppAlias, op, "a pointer that is moved to other memory", "keep the array and change an index");
  checkWritable(*op.getLHS());
  Value value = expression(isSourceBool(*op.getLHS()) ? bare(op.getRHS()) : op.getRHS());
  const size_t before = out_.str().size();
  const Place target = place(op.getLHS());
  if (out_.str().size() != before && !value.lasting)  // C++ computes the right side first
    unit_.reporter().unsupported(op, "an assignment whose left side has effects of its own", "make them a statement before it");
  if (const auto* compound = llvm::dyn_cast<CompoundAssignOperator>(&op)) {
    const BinaryOperatorKind kind = BinaryOperator::getOpForCompoundAssignment(op.getOpcode());
    const QualType type = compound->getComputationLHSType(), kept = op.getLHS()->getType();
    const char* sign = kind == BO_Add ? "+=" : kind == BO_Sub ? "-=" : kind == BO_Mul ? "*=" : nullptr;
    const bool direct = sign && unit_.context().hasSameUnqualifiedType(type, kept) && !isFloat(type) &&
                        !type->isUnsignedIntegerType();
    if (direct) {
      line(whole(target) + " " + sign + " " + value.text, op);
      return read(target);
    }
    Value old = read(target);
    if (type->isRealFloatingType() && kept->isIntegerType()) old = toReal(old, kept, op);
    value = arithmetic(kind, old, value, compound->getComputationResultType(), op);
    if (type->isRealFloatingType() && kept->isIntegerType())
      value = toInteger({Text("int(") + value.text + ")"}, unit_.context().LongTy, kept);
    else if (kept->isIntegerType())
      value = toInteger(value, type, kept);
    else if (isFloat(kept) && !isFloat(type))
      value = rounded(value, kept);
  }
  assign(target, value, op);
  return value_used ? read(target) : Value{};
}

}  // namespace dini::clang_frontend
