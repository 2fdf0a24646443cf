// Conditions that only choose the larger or smaller of two numbers become `max` and `min`: kinks that Dini
// knows to be continuous. All others stay branches.
//
// `P < Q ? A : B` with {A, B} = {P, Q}. C++ gives B at a tie and where one of them is NaN (`<=` gives A at a
// tie). max(f, s) and min(f, s) give f at a tie, to the sign of a zero, and NaN where one is NaN: so f is what
// C++ gives at the tie, and where A alone is NaN a branch in front gives B.
#include <fmt/format.h>

#include "clang_frontend/body.h"

namespace dini::clang_frontend {
namespace {

// The text of -value; nothing that occurs where it would need brackets.
std::string negated(const Value& value) {
  const std::string& text = value.text.str();
  if (value.level == kNegation) return text.substr(1);
  return value.level == kPrimary ? "-" + text : "";
}

}  // namespace

bool isNumeral(const Value& value) {
  const std::string& text = value.text.str();
  return !text.empty() && text.find_first_not_of("0123456789.e+-") == std::string::npos && text != "-";
}

std::optional<Value> Body::extremum(clang::BinaryOperatorKind op, const Value& p, const Value& q, const Value& yes,
                                    const Value& no, const clang::Stmt& at) {
  const bool below = op == clang::BO_LT || op == clang::BO_LE, strict = op == clang::BO_LT || op == clang::BO_GT;
  if (!below && op != clang::BO_GT && op != clang::BO_GE) return std::nullopt;
  const std::string &P = p.text.str(), &Q = q.text.str(), &A = yes.text.str(), &B = no.text.str();
  bool least = below;
  if (A == P && B == Q) least = below;
  else if (A == Q && B == P) least = !below;
  else if ((Q == "0.0" && A == P && B == negated(p)) || (P == "0.0" && A == negated(q) && B == Q)) least = below;
  else if ((Q == "0.0" && A == negated(p) && B == P) || (P == "0.0" && A == Q && B == negated(q))) least = !below;
  else return std::nullopt;
  const bool both_read = A == P || A == Q;
  const bool magnitude = Q == "0.0" || P == "0.0" ? B == negated(yes) || A == negated(no) : false;
  Value a = yes, b = no;
  if (!a.lasting && !isNumeral(a)) a = both_read && !magnitude ? named(a, at) : a;
  const Value& first = strict ? b : a;
  const Value& second = strict ? a : b;
  Value made{Text(least ? "min(" : "max(") + first.text + ", " + second.text + ")"};
  if (magnitude || isNumeral(a)) return made;
  return Value{Text("if isnan(") + a.text + ") { " + b.text + " } else { " + made.text + " }", kIf};
}

// `condition ? yes : no` as an extremum, if it is one. Leaves nothing behind otherwise.
std::optional<Value> Body::kink(const clang::Expr& condition, const std::function<Value()>& yes,
                                const std::function<Value()>& no, const clang::Stmt& at) {
  const auto* test = llvm::dyn_cast<clang::BinaryOperator>(condition.IgnoreParens());
  if (!test || !test->isRelationalOp() || !test->getLHS()->getType()->isRealFloatingType()) return std::nullopt;
  const Names names = names_;
  std::optional<Value> p, q, a, b;
  const Text lines = block([&] {
    p = expression(test->getLHS());
    q = expression(test->getRHS());
    a = yes();
    b = no();
  });
  std::optional<Value> made;
  if (lines.empty()) made = extremum(test->getOpcode(), *p, *q, *a, *b, at);
  if (!made) names_ = names;
  return made;
}

// if (x < lo) x = lo;
bool Body::clampStatement(const clang::IfStmt& stmt) {
  using namespace clang;
  if (stmt.getElse() || stmt.getInit() || stmt.getConditionVariable()) return false;
  const Stmt* then = stmt.getThen();
  if (const auto* braces = llvm::dyn_cast<CompoundStmt>(then)) {
    if (braces->size() != 1) return false;
    then = braces->body_front();
  }
  const auto* assigned = llvm::dyn_cast<BinaryOperator>(then);
  if (!assigned || assigned->getOpcode() != BO_Assign || !assigned->getType()->isRealFloatingType()) return false;
  const VarDecl* root = nullptr;
  if (!rootOf(assigned->getLHS(), root)) return false;
  const Expr& condition = *stmt.getCond();
  std::optional<Value> made = kink(condition, [&] { return expression(assigned->getRHS()); }, [&] { return read(place(assigned->getLHS())); }, stmt);
  if (!made) return false;
  assign(place(assigned->getLHS()), *made, *assigned);
  return true;
}

}  // namespace dini::clang_frontend
