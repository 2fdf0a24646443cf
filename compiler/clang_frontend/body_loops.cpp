#include <fmt/format.h>

#include "clang_frontend/body.h"

namespace dini::clang_frontend {
namespace {

const clang::VarDecl* variableOf(const clang::Expr* expr) {
  const auto* name = llvm::dyn_cast<clang::DeclRefExpr>(expr->IgnoreParenImpCasts());
  return name ? llvm::dyn_cast<clang::VarDecl>(name->getDecl()) : nullptr;
}

// `i < bound; i += step`, counting up or down.
struct Counting {
  const clang::VarDecl* index = nullptr;
  const clang::Expr* bound = nullptr;
  const clang::Expr* step = nullptr;  // null: 1
  bool down = false;
  bool inclusive = false;
};

std::optional<Counting> countingOf(const clang::ForStmt& loop) {
  using namespace clang;
  const auto* declared = llvm::dyn_cast_or_null<DeclStmt>(loop.getInit());
  const auto* test = loop.getCond() ? llvm::dyn_cast<BinaryOperator>(loop.getCond()->IgnoreUnlessSpelledInSource()) : nullptr;
  if (!declared || !declared->isSingleDecl() || !test || !loop.getInc()) return std::nullopt;
  Counting made;
  made.index = llvm::dyn_cast<VarDecl>(declared->getSingleDecl());
  if (!made.index || !made.index->getInit() || !made.index->getType()->isIntegerType() || variableOf(test->getLHS()) != made.index) return std::nullopt;
  made.bound = test->getRHS();
  made.inclusive = test->getOpcode() == BO_LE || test->getOpcode() == BO_GE;
  made.down = test->getOpcode() == BO_GT || test->getOpcode() == BO_GE;
  if (!made.inclusive && !made.down && test->getOpcode() != BO_LT) return std::nullopt;
  const Expr* increment = loop.getInc()->IgnoreUnlessSpelledInSource();
  if (const auto* op = llvm::dyn_cast<UnaryOperator>(increment)) {
    if (!op->isIncrementDecrementOp() || variableOf(op->getSubExpr()) != made.index || op->isDecrementOp() != made.down) return std::nullopt;
    return made;
  }
  const auto* op = llvm::dyn_cast<CompoundAssignOperator>(increment);
  if (!op || variableOf(op->getLHS()) != made.index) return std::nullopt;
  const auto* step = llvm::dyn_cast<IntegerLiteral>(op->getRHS()->IgnoreUnlessSpelledInSource());
  if (!step || step->getValue() == 0 || made.down || op->getOpcode() != BO_AddAssign) return std::nullopt;
  made.step = step;
  return made;
}

bool disjoint(const Variables& a, const Variables& b) {
  return std::none_of(a.begin(), a.end(), [&](const clang::VarDecl* one) { return b.contains(one); });
}

// A plain expression: names, numbers, arithmetic and sizes.
bool isSteady(const clang::Expr* expr) {
  using namespace clang;
  const Expr* e = expr->IgnoreUnlessSpelledInSource();
  if (llvm::isa<DeclRefExpr, IntegerLiteral, CXXThisExpr>(e)) return true;
  if (const auto* op = llvm::dyn_cast<BinaryOperator>(e)) return !op->isAssignmentOp() && isSteady(op->getLHS()) && isSteady(op->getRHS());
  if (const auto* cast = llvm::dyn_cast<CastExpr>(e)) return isSteady(cast->getSubExpr());
  if (const auto* member = llvm::dyn_cast<MemberExpr>(e)) return isSteady(member->getBase());
  if (const auto* call = llvm::dyn_cast<CXXMemberCallExpr>(e))
    return call->getMethodDecl() && call->getMethodDecl()->isConst() && call->getNumArgs() == 0 && isSteady(call->getImplicitObjectArgument());
  return false;
}

}  // namespace

Text Body::loopBody(const clang::Stmt& body, const std::function<void()>& before, const std::function<void()>& after) {
  Loop here;
  if (needsFlag(body)) here.skip = names_.unique("skip");
  loops_.push_back(here);
  const Text lines = block([&] {
    if (before) before();
    if (!here.skip.empty()) line("var " + here.skip + " = false", body);
    sequence({&body});
    if (after) after();
  });
  loops_.pop_back();
  return lines;
}

// A loop whose index, bound and step nothing else changes is counted: its trips are known at its start.
bool Body::countedLoop(const clang::ForStmt& stmt) {
  const std::optional<Counting> counting = countingOf(stmt);
  if (!counting) return false;
  const Variables changed = changedIn(stmt.getBody());
  if (changed.contains(counting->index) || !isSteady(counting->bound) || !disjoint(readIn(counting->bound), changed) ||
      readIn(counting->bound).contains(counting->index))
    return false;
  // An object that a member function changes is not seen in the names that it reads.
  if (changed.contains(nullptr)) return false;
  const bool is_unsigned = counting->index->getType()->isUnsignedIntegerType();
  const Value first = expression(counting->index->getInit());
  Value bound = counting->down || !is_unsigned ? expression(counting->bound) : indexOf(*counting->bound);
  if (counting->down && is_unsigned) return false;
  if (is_unsigned && bound.range == Range::Unknown) {  // a negative number would be a huge one
    bound = named(bound, *counting->bound);
    line(Text("assert ") + bound.text + " >= 0", *counting->bound);
  }
  const Value one = numeral(int64_t{1});
  Variable index{names_.unique(counting->index->getName().str()), unit_.shapes().of(counting->index->getType(), stmt), false,
                 counting->down ? Range::Unknown : first.range};
  Text head;
  std::function<void()> before;
  if (counting->down) {
    const std::string turn = names_.unique("turn");
    Value start = first.lasting ? first : named(first, stmt);
    Value stop = bound.lasting ? bound : named(bound, stmt);
    Value trips = stop.text.str() == "0" ? start : joined(start, "-", kAdd, stop);
    if (counting->inclusive) trips = joined(trips, "+", kAdd, one);
    head = Text("for " + turn + " in 0..") + inside(trips, kAdd);
    before = [this, &stmt, start, turn, index] { line(Text("let " + index.name + " = ") + inside(start, kAdd) + " - " + turn, stmt); };
  } else {
    const Value end = counting->inclusive ? joined(bound, "+", kAdd, one) : bound;
    head = Text("for " + index.name + " in ") + inside(first, kAdd) + ".." + inside(end, kAdd);
    if (counting->step) head += Text(" by ") + expression(counting->step).text;
  }
  variables_[counting->index] = index;
  const bool was_changing = changing_.erase(counting->index) > 0;
  braces(head, loopBody(*stmt.getBody(), before, nullptr), stmt);
  if (was_changing) changing_.insert(counting->index);
  return true;
}

void Body::forStatement(const clang::ForStmt& stmt) {
  if (stmt.getConditionVariable()) unit_.reporter().unsupported(stmt, "a declaration as a condition", "declare it before the loop");
  if (orderedSum(stmt) || elementwise(stmt) || countedLoop(stmt)) return;
  if (stmt.getInit()) statement(stmt.getInit());
  loop(stmt.getCond(), *stmt.getBody(), stmt.getInc(), stmt);
}

void Body::loop(const clang::Expr* condition, const clang::Stmt& body, const clang::Expr* step, const clang::Stmt& at) {
  Value decided{"true"};
  Text before;
  if (condition) before = block([&] { decided = expression(condition); });
  std::function<void()> first, last;
  if (!before.empty()) {
    first = [&, text = decided.text] {
      out_ += before;
      line(Text("if not (") + text + ") { break }", *condition);
    };
    decided = {"true"};
  }
  if (step) last = [&] { expressionStatement(*step); };
  braces(Text("while ") + decided.text, loopBody(body, first, last), at);
}

// do body while (condition)
void Body::doStatement(const clang::DoStmt& stmt) {
  const std::string again = names_.unique("again");
  line("var " + again + " = true", stmt);
  const Text body = loopBody(*stmt.getBody(), nullptr, [&] {
    const Value decided = expression(stmt.getCond());
    line(Text(again + " = ") + decided.text, *stmt.getCond());
  });
  braces("while " + again, body, stmt);
}

// for (double v : x)
void Body::rangeLoop(const clang::CXXForRangeStmt& stmt) {
  Reporter& reporter = unit_.reporter();
  const clang::VarDecl* element_variable = stmt.getLoopVariable();
  const clang::Expr* range = stmt.getRangeInit();
  if (stmt.getInit()) statement(stmt.getInit());
  if (llvm::isa<clang::InitListExpr, clang::CXXStdInitializerListExpr>(range->IgnoreUnlessSpelledInSource()))
    reporter.unsupported(*range, "a loop over a list in braces", "name the list: `const double values[] = {...};`");
  const bool writes = writesThrough(element_variable->getType()) && changing_.contains(element_variable);
  const Place over = view(range);
  if (writes) {
    reporter.stop(DiagCode::CppAlias, *element_variable, fmt::format("`{}` is another name for memory that the function writes to", element_variable->getName().str()),
                  "write a loop with an index: `x[i] = ...`");
  }
  const clang::VarDecl* root = nullptr;
  if (element_variable->getType()->isReferenceType() && rootOf(range, root) && changedIn(stmt.getBody()).contains(root))
    reporter.stop(DiagCode::CppAlias, *element_variable, fmt::format("`{}` is another name for memory that the loop writes to", element_variable->getName().str()),
                  "take a copy of each element: `for (double v : x)`");
  const std::string index = names_.unique("i");
  Variable made{names_.unique(element_variable->getName().str()), unit_.shapes().of(element_variable->getType(), stmt), false, Range::Unknown};
  variables_[element_variable] = made;
  const bool changes = changing_.contains(element_variable);
  const Text body = loopBody(*stmt.getBody(), [&] {
    const Value value = read(element(over, {index}));
    line(Text((changes ? "var " : "let ") + made.name + " = ") + value.text, stmt);
  }, nullptr);
  braces(Text("for " + index + " in 0..") + length(over).text, body, stmt);
}

}  // namespace dini::clang_frontend
