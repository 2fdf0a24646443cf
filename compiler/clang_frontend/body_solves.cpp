// What emitted solves are made of: sums in a fixed order, linear systems, the two sides of equations, lambdas that are
// called where they stand, and `try` around what may fail.
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "clang_frontend/body.h"

namespace dini::clang_frontend {
namespace {

const clang::VarDecl* variableOf(const clang::Expr* expr) {
  const auto* name = llvm::dyn_cast<clang::DeclRefExpr>(bare(expr));
  return name ? llvm::dyn_cast<clang::VarDecl>(name->getDecl()) : nullptr;
}

// The statement alone, without blocks around it.
const clang::Stmt* lone(const clang::Stmt* stmt) {
  const auto* block = llvm::dyn_cast<clang::CompoundStmt>(stmt);
  return block && block->size() == 1 ? lone(block->body_front()) : stmt;
}

// Whether control may leave the statement, other than at its end.
bool leaves(const clang::Stmt* stmt, bool in_loop = false) {
  using namespace clang;
  if (!stmt || llvm::isa<LambdaExpr>(stmt)) return false;
  if (llvm::isa<ReturnStmt>(stmt)) return true;
  if (llvm::isa<BreakStmt, ContinueStmt>(stmt)) return !in_loop;
  const bool loop = in_loop || llvm::isa<ForStmt, WhileStmt, DoStmt, CXXForRangeStmt>(stmt);
  return std::any_of(stmt->child_begin(), stmt->child_end(), [&](const Stmt* child) { return leaves(child, loop); });
}

// variable = value; of a number or an array: null for other statements.
const clang::VarDecl* assigned(const clang::Stmt* stmt, const clang::Expr*& value) {
  using namespace clang;
  const auto* expr = llvm::dyn_cast<Expr>(stmt);
  const Expr* e = expr ? bare(expr) : nullptr;
  if (const auto* op = llvm::dyn_cast_or_null<CXXOperatorCallExpr>(e); op && op->getOperator() == OO_Equal) {
    value = op->getArg(1);
    return variableOf(op->getArg(0));
  }
  const auto* op = llvm::dyn_cast_or_null<BinaryOperator>(e);
  if (!op || op->getOpcode() != BO_Assign) return nullptr;
  value = op->getRHS();
  return variableOf(op->getLHS());
}

size_t namings(const clang::VarDecl* variable, const clang::Stmt* stmt) {
  if (!stmt) return 0;
  const auto* name = llvm::dyn_cast<clang::DeclRefExpr>(stmt);
  size_t count = name && name->getDecl() == variable ? 1 : 0;
  for (const clang::Stmt* child : stmt->children()) count += namings(variable, child);
  return count;
}

// Whether the block gives the variable a value, and does not name it otherwise.
bool overwrites(const clang::VarDecl* variable, const clang::CompoundStmt& block) {
  const bool given = std::any_of(block.body_begin(), block.body_end(), [&](const clang::Stmt* stmt) {
    const clang::Expr* value = nullptr;
    return assigned(stmt, value) == variable;
  });
  return given && namings(variable, &block) == 1;
}

}  // namespace

// Variables that are no values: a sum being made, factors, the sides of equations, a lambda.
bool Body::declareSource(const clang::VarDecl& decl, const clang::Stmt& at) {
  const std::string kind = sourceClass(decl.getType());
  if (kind == "ordered_sum") {
    sums_.insert(&decl);
    variables_.erase(&decl);  // a lambda is inlined at each call
    return true;
  }
  if (kind == "residual") {
    const Sides made{names_.unique("difference"), names_.unique("scale"), names_.unique("finite")};
    line("var " + made.difference + " = 0.0", at);
    line("var " + made.scale + " = 0.0", at);
    line("var " + made.finite + " = true", at);
    sides_[&decl] = made;
    return true;
  }
  const auto* call = decl.getInit() ? llvm::dyn_cast<clang::CallExpr>(bare(decl.getInit())) : nullptr;
  const std::string made_by = call && call->getDirectCallee() ? sourceFunction(*call->getDirectCallee()) : "";
  if (kind == "factors" && made_by == "factor") {
    factors_[&decl] = temporary(declaredPart(*call->getArg(0), *call->getArg(1)), at, decl.getName().str());
    return true;
  }
  // Factors are not values of Dini: what stands for them is the matrix, which is factored where it is solved with.
  if (const auto* member = decl.getInit() ? llvm::dyn_cast<clang::MemberExpr>(bare(decl.getInit())) : nullptr)
    if (auto of = factors_.find(variableOf(member->getBase())); of != factors_.end() && member->getMemberDecl()->getName() != "rcond") {
      factors_[&decl] = of->second;
      return true;
    }
  static const std::map<std::string, std::vector<std::string>> kParts = {
      {"eigh", {"values", "vectors"}}, {"svd", {"u", "s", "v"}}, {"qr", {"q", "r"}}, {"root_ties", {"weights", "z_dot", "verdict"}}};
  if (auto fields = kParts.find(made_by); fields != kParts.end()) {
    Text arguments;
    for (const Value& value : sourceArguments(*call))
      if (!value.text.empty()) arguments += Text(arguments.empty() ? "" : ", ") + value.text;
    std::vector<std::string> names;
    for (const std::string& field : fields->second) {
      names.push_back(names_.unique(field));
      parts_[&decl][field] = names.back();
    }
    line(Text(fmt::format("let ({}) = {}(", fmt::join(names, ", "), made_by)) + arguments + ")", at);
    return true;
  }
  if (!kind.empty() && kind != "array") unit_.reporter().unsupported(decl, fmt::format("`ds::{}`", kind), "write the C++ for fixed sizes: `dini emit --dims n=100`");
  const clang::CXXRecordDecl* record = decl.getType()->getAsCXXRecordDecl();
  if (!record || !record->isLambda()) return false;
  const auto* lambda = decl.getInit() ? llvm::dyn_cast<clang::LambdaExpr>(bare(decl.getInit())) : nullptr;
  if (!lambda) unit_.reporter().unsupported(decl, "a lambda that is not written here", "write a function");
  for (const clang::LambdaCapture& capture : lambda->captures()) {
    const auto* captured = capture.capturesVariable() ? llvm::dyn_cast<clang::VarDecl>(capture.getCapturedVar()) : nullptr;
    if (!captured || lambda->isInitCapture(&capture)) unit_.reporter().unsupported(decl, "a lambda with this capture", "capture by reference: `[&]`");
    if (capture.getCaptureKind() == clang::LCK_ByCopy && changing_.contains(captured))
      unit_.reporter().unsupported(decl, fmt::format("a lambda that keeps a copy of `{}`, which changes,", captured->getName().str()), "pass it as an argument");
  }
  return true;
}

// The body of a local lambda in place of its call. What it gives is the value of its last statement.
const clang::Expr* Body::inlined(const clang::CXXOperatorCallExpr& call) {
  using namespace clang;
  Reporter& reporter = unit_.reporter();
  const auto* method = llvm::cast<CXXMethodDecl>(call.getDirectCallee());
  const auto* body = llvm::dyn_cast_or_null<CompoundStmt>(method->getBody());
  if (!variableOf(call.getArg(0)) || method->isTemplateInstantiation() || !body || body->body_empty())
    reporter.unsupported(call, "this call of a lambda", "name the lambda, give its parameters types, and call it by its name");
  const auto* last = llvm::dyn_cast<ReturnStmt>(body->body_back());
  const bool early = std::any_of(body->body_begin(), body->body_end() - 1, [](const Stmt* stmt) { return leaves(stmt); });
  if (!last || !last->getRetValue() || early) reporter.unsupported(call, "a lambda that returns anywhere but in its last line", "write a function");
  unit_.arrays().bind(*method, {call.arg_begin() + 1, call.arg_end()});
  for (unsigned k = 0; k < method->getNumParams(); ++k) {
    const ParmVarDecl* parameter = method->getParamDecl(k);
    if (writesThrough(parameter->getType())) reporter.unsupported(call, "a lambda that writes to its arguments", "return the value");
    Variable made;
    made.shape = unit_.shapes().of(parameter->getType(), call);
    if (sourceClass(parameter->getType()) == "array") size(made.shape, sizes(*call.getArg(k + 1)));
    const Value value = initial(*call.getArg(k + 1), made.shape);
    made.name = names_.unique(parameter->getName().empty() ? "unused" : parameter->getName().str());
    line(Text(changing_.contains(parameter) ? "var " : "let ") + made.name + " = " + value.text, call);
    variables_[parameter] = made;
  }
  sequence({body->body_begin(), body->body_end() - 1});
  return last->getRetValue();
}

// sides.equation(left, right), equations(x).start(place), equations(x).accept(tolerance, place).
Value Body::sourceResidual(const clang::CXXMemberCallExpr& call, const std::string& name) {
  const clang::Expr* object = bare(call.getImplicitObjectArgument());
  if (const auto* op = llvm::dyn_cast<clang::CXXOperatorCallExpr>(object)) object = inlined(*op);
  const clang::VarDecl* variable = variableOf(object);
  const auto found = sides_.find(variable);
  if (found == sides_.end()) unit_.reporter().unsupported(call, "a residual that is not made here", "write `ds::residual sides;`");
  const Sides sides = found->second;
  if (name == "equation") {
    const bool arrays = sourceClass(call.getArg(0)->getType()) == "array";
    const std::vector<Value> given = inOrder({[&] { return expression(call.getArg(0)); }, [&] { return expression(call.getArg(1)); }}, call);
    const Value left = named(given[0], call), right = named(given[1], call);
    const char* size = arrays ? "norminf(" : "abs(";
    auto finite = [&](const Value& x) { return arrays ? Text("all(isfinite(") + x.text + "))" : Text("isfinite(") + x.text + ")"; };
    auto magnitude = [&](const Text& x) { return Text(size) + x + ")"; };
    line(Text(sides.finite) + " = " + sides.finite + " and " + finite(left) + " and " + finite(right), call);
    line(Text(sides.difference) + " = max(" + sides.difference + ", " + magnitude(left.text + " - " + right.text) + ")", call);
    line(Text(sides.scale) + " = max(" + sides.scale + ", max(" + magnitude(left.text) + ", " + magnitude(right.text) + "))", call);
    return {};
  }
  if (name == "start") {
    line("assert " + sides.finite, call);
    return {};
  }
  const Value tolerance = expression(call.getArg(0));
  line(Text("assert ") + sides.finite + " and " + sides.difference + " <= " + inside(tolerance, kMul) + "*(1.0 + " + sides.scale + ")", call);
  return {};
}

// for (...) [for (...)] total.add(term); is a sum, whose order is that of the language.
bool Body::orderedSum(const clang::ForStmt& stmt) {
  using namespace clang;
  std::vector<const ForStmt*> loops;
  const Stmt* inner = &stmt;
  while (const auto* next = llvm::dyn_cast<ForStmt>(inner)) {
    loops.push_back(next);
    inner = lone(next->getBody());
  }
  if (const auto* expr = llvm::dyn_cast<Expr>(inner)) inner = bare(expr);
  const auto* added = llvm::dyn_cast<CXXMemberCallExpr>(inner);
  if (!added || sourceClass(added->getImplicitObjectArgument()->getType()) != "ordered_sum") return false;
  const VarDecl* sum = variableOf(added->getImplicitObjectArgument());
  auto refuse = [&]() { unit_.reporter().unsupported(stmt, "this way to add to an ordered sum", "write `for (std::int64_t i = 0; i < n; ++i) total.add(...);`"); };
  if (!sums_.contains(sum) || variables_.contains(sum)) refuse();
  Text ranges;
  Value term;
  const Text before = block([&] {
    for (const ForStmt* loop : loops) {
      const auto* declared = llvm::dyn_cast_or_null<DeclStmt>(loop->getInit());
      const auto* index = declared && declared->isSingleDecl() ? llvm::dyn_cast<VarDecl>(declared->getSingleDecl()) : nullptr;
      const auto* test = loop->getCond() ? llvm::dyn_cast<BinaryOperator>(loop->getCond()->IgnoreUnlessSpelledInSource()) : nullptr;
      const auto* step = loop->getInc() ? llvm::dyn_cast<UnaryOperator>(loop->getInc()) : nullptr;
      if (!index || !index->getInit() || !test || test->getOpcode() != BO_LT || variableOf(test->getLHS()) != index || !step || !step->isIncrementOp() || variableOf(step->getSubExpr()) != index) refuse();
      const Value from = expression(index->getInit()), end = expression(test->getRHS());
      Variable made{names_.unique(index->getName().str()), unit_.shapes().of(index->getType(), *loop), false, Range::Small};
      ranges += Text(ranges.empty() ? "" : ", ") + made.name + " in " + inside(from, kAdd) + ".." + inside(end, kAdd);
      variables_[index] = made;
    }
    term = expression(added->getArg(0));
  });
  if (!before.empty()) refuse();
  Variable made;
  made.shape.kind = Shape::Kind::Scalar;
  made.name = temporary({Text("sum(") + term.text + " for " + ranges + ")"}, stmt, sum->getName().str());
  variables_[sum] = made;
  return true;
}

// What the declared structure reads of a matrix.
Value Body::declaredPart(const clang::Expr& matrix, const clang::Expr& kind) {
  const auto* name = llvm::dyn_cast<clang::DeclRefExpr>(bare(&kind));
  const std::string structure = name ? name->getDecl()->getName().str() : "";
  const Value a = expression(&matrix);
  if (structure == "general" || structure == "symmetric") return a;
  const Value known = named(a, matrix);
  auto element = [&](const std::string& i, const std::string& j) { return known.text + "[" + i + ", " + j + "]"; };
  return over(sizes(matrix), [&](const std::vector<std::string>& k) {
    const std::string &i = k[0], &j = k[1];
    auto where = [&](const std::string& condition, const Text& otherwise) { return Text("if " + condition + " { ") + element(i, j) + " } else { " + otherwise + " }"; };
    if (structure == "positive_definite") return where(i + " >= " + j, element(j, i));
    if (structure == "lower") return where(i + " >= " + j, "0.0");
    if (structure == "upper") return where(i + " <= " + j, "0.0");
    if (structure == "unit_lower") return where(i + " > " + j, Text("if " + i + " == " + j + " { 1.0 } else { 0.0 }"));
    if (structure == "diagonal") return where(i + " == " + j, "0.0");
    unit_.reporter().unsupported(kind, "this structure", "write `ds::structure::general`");
  });
}

std::optional<Value> Body::linearSystem(const clang::CallExpr& call, const std::string& name) {
  const bool factored = name == "solve_factored", sparse = name == "sparse_solve";
  if (!factored && !sparse && name != "solve") return std::nullopt;
  const unsigned right_at = sparse ? 3 : 1, flag_at = factored ? 2 : sparse ? 4 : 3;
  const clang::Expr* flag = bare(call.getArg(flag_at));
  if (const auto* given = llvm::dyn_cast<clang::CXXDefaultArgExpr>(flag)) flag = bare(given->getExpr());
  const auto* literal = llvm::dyn_cast<clang::CXXBoolLiteralExpr>(flag);
  if (!literal) unit_.reporter().unsupported(call, "a transposition that is not written here", "write true or false");
  const bool transposed = literal->getValue();
  auto matrix = [&]() -> Value {
    if (sparse) {
      const std::vector<Value> x = sourceArguments(call);
      return {Text(unit_.helper("cpp_matrix")) + "(" + x[0].text + ", " + x[1].text + ", " + x[2].text + fmt::format(", {})", sizes(*call.getArg(3))[0])};
    }
    if (!factored) return declaredPart(*call.getArg(0), *call.getArg(2));
    // Factors by name, or {structure, f.f, f.pivots}: what stands for them is the matrix.
    const clang::VarDecl* factors = variableOf(call.getArg(0));
    if (const auto fields = braced(call.getArg(0)); fields && fields->size() >= 2) {
      const auto* member = llvm::dyn_cast<clang::MemberExpr>(bare((*fields)[1]));
      factors = member ? variableOf(member->getBase()) : variableOf((*fields)[1]);
    }
    const auto known = factors_.find(factors);
    if (known == factors_.end()) unit_.reporter().unsupported(call, "factors that are not made in this function", "factor the matrix here");
    return {known->second, kPrimary, Range::Unknown, true};
  };
  const std::vector<Value> values = inOrder({matrix, [&] { return expression(call.getArg(right_at)); }}, call);
  Text a = inside(values[0], kPrimary);
  if (transposed) a += "'";
  return Value{a + " \\ " + inside(values[1], kMul + 1), kMul};
}

// try { ...; x = a; } catch (const ds::error&) { ...; x = b; }: what either gives to the variables outside.
void Body::tryStatement(const clang::CXXTryStmt& stmt) {
  using namespace clang;
  Reporter& reporter = unit_.reporter();
  const CXXCatchStmt* handler = stmt.getNumHandlers() == 1 ? stmt.getHandler(0) : nullptr;
  const bool all = handler && handler->getCaughtType().isNull();
  if (!handler || (!all && sourceClass(handler->getCaughtType()) != "error"))
    reporter.unsupported(stmt, "a try block", "check before the call, or give a number such as NaN");
  const CompoundStmt* body = stmt.getTryBlock();
  if (leaves(body) || leaves(handler->getHandlerBlock())) reporter.unsupported(stmt, "a try block that is left from inside", "assign to a variable, and return after it");
  // Where the block fails, a variable outside has its old value: none that it wrote before it failed is read.
  std::vector<const VarDecl*> results;
  auto writes = [&](const Stmt* one) {
    std::vector<const VarDecl*> found;
    for (const VarDecl* variable : changedIn(one))
      if (variables_.contains(variable) && !(stmt.getBeginLoc() < variable->getLocation() && variable->getLocation() < stmt.getEndLoc())) found.push_back(variable);
    return found;
  };
  const std::vector<const Stmt*> statements(body->body_begin(), body->body_end());
  size_t last = statements.size();
  for (const Expr* value = nullptr; last > 0 && assigned(statements[last - 1], value) && (variableOf(value) || value->isEvaluatable(unit_.context())); value = nullptr) --last;
  for (size_t k = 0; k < statements.size(); ++k)
    for (const VarDecl* variable : writes(statements[k])) {
      if (k < last && (!variable || !overwrites(variable, *llvm::cast<CompoundStmt>(handler->getHandlerBlock()))))
        reporter.unsupported(*statements[k], fmt::format("a try block that may fail after it wrote to `{}`", variable ? variable->getName().str() : "this"), "assign to it at the end of the block, or in `catch` too");
      if (std::find(results.begin(), results.end(), variable) == results.end()) results.push_back(variable);
    }
  for (const VarDecl* variable : writes(handler->getHandlerBlock()))
    if (std::find(results.begin(), results.end(), variable) == results.end()) results.push_back(variable);
  if (results.empty()) return;  // what it computes, nothing reads
  std::sort(results.begin(), results.end(), [](const VarDecl* a, const VarDecl* b) { return a->getLocation() < b->getLocation(); });
  auto arm = [&](const Stmt* part) {
    return block([&] {
      std::vector<std::string> names, kept;
      for (const VarDecl* variable : results) {
        kept.push_back(variables_.at(variable).name);
        names.push_back(names_.unique(kept.back()));
        line("var " + names.back() + " = " + kept.back(), *part);
        variables_[variable].name = names.back();
      }
      sequence({part});
      line(names.size() == 1 ? names[0] : fmt::format("({})", fmt::join(names, ", ")), *part);
      for (size_t k = 0; k < results.size(); ++k) variables_[results[k]].name = kept[k];
    });
  };
  const Text yes = arm(body), no = arm(handler->getHandlerBlock());
  std::vector<std::string> given;
  for (const VarDecl* variable : results) given.push_back(names_.unique(variables_.at(variable).name));
  const std::string pattern = given.size() == 1 ? given[0] : fmt::format("({})", fmt::join(given, ", "));
  line(Text("let " + pattern + " = try {\n") + yes + indentation() + "} else {\n" + no + indentation() + "}", stmt);
  for (size_t k = 0; k < results.size(); ++k) line(variables_.at(results[k]).name + " = " + given[k], stmt);
}

}  // namespace dini::clang_frontend
