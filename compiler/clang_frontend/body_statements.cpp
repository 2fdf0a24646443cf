#include <algorithm>

#include <fmt/format.h>

#include "clang_frontend/body.h"

namespace dini::clang_frontend {

Body::Body(Unit& unit, const Signature& signature, Form form)
    : unit_(unit), names_(unit.names()), signature_(signature), form_(form),
      changing_(changedIn(signature.function->getBody())) {
  for (const Signature::Parameter& parameter : signature.parameters) {
    names_.take(parameter.name);
    for (const std::string& dim : parameter.shape.dims)
      for (const std::string& name : namesIn(dim)) names_.take(name);
  }
}

// ---------------------------------------------------------------- lines

void Body::line(const Text& text, const clang::Stmt& at) {
  out_ += indentation() + text.from(unit_.reporter().place(at)) + "\n";
}

Text Body::block(const std::function<void()>& make) {
  Text kept = std::move(out_);
  out_ = {};
  ++depth_;
  make();
  --depth_;
  std::swap(kept, out_);
  return kept;
}

void Body::braces(const Text& head, const Text& body, const clang::Stmt& at) {
  line(head + " {\n" + body + indentation() + "}", at);
}

std::string Body::temporary(const Value& value, const clang::Stmt& at, const std::string& wanted) {
  const std::string name = names_.unique(wanted);
  line(Text("let " + name + " = ") + value.text, at);
  return name;
}

std::vector<Value> Body::inOrder(const std::vector<std::function<Value()>>& makers, const clang::Expr& at) {
  std::vector<Value> values;
  for (const auto& make : makers) {
    const Text before = std::move(out_);
    out_ = {};
    Value value = make();
    const Text added = std::move(out_);
    out_ = before;
    if (!added.empty())
      for (Value& earlier : values)
        if (!earlier.lasting && !earlier.text.empty()) earlier = {temporary(earlier, at), kPrimary, earlier.range, true};
    out_ += added;
    values.push_back(std::move(value));
  }
  return values;
}

// ---------------------------------------------------------------- statements

Text Body::lower() {
  parameters();
  const clang::Stmt* body = signature_.function->getBody();
  sequence({body});
  if (signature_.result.kind == Shape::Kind::None) line(Text("return ") + result(std::nullopt), *body);
  return prologue_ + out_;
}

// What the function gives back: its value, then what it wrote through parameters.
Text Body::result(const std::optional<Value>& value) const {
  Text all;
  size_t count = 0;
  auto add = [&](const Text& text) {
    all += Text(count++ ? ", " : "") + text;
  };
  if (value) add(value->text);
  for (const Signature::Parameter& parameter : signature_.parameters)
    if (parameter.role != Signature::Parameter::Role::In)
      add(parameter.decl ? variables_.at(parameter.decl).name : object_.name);
  return count == 1 ? all : Text("(") + all + ")";
}

void Body::returnStatement(const clang::ReturnStmt* stmt, const clang::Stmt& at) {
  std::optional<Value> value;
  if (stmt && stmt->getRetValue() && signature_.result.kind != Shape::Kind::None) {
    value = initial(*stmt->getRetValue(), signature_.result);
    value->text = value->text.from(unit_.reporter().place(*stmt->getRetValue()));
  }
  line(Text("return ") + result(value), at);
}

namespace {

// The statements of a block, with the blocks inside it opened: names are unique.
void flatten(const clang::Stmt* stmt, std::vector<const clang::Stmt*>& all) {
  if (const auto* block = llvm::dyn_cast<clang::CompoundStmt>(stmt)) {
    for (const clang::Stmt* inner : block->body()) flatten(inner, all);
    return;
  }
  all.push_back(stmt);
}

// if (condition) continue;
const clang::IfStmt* guard(const clang::Stmt* stmt) {
  const auto* branch = llvm::dyn_cast<clang::IfStmt>(stmt);
  if (!branch || branch->getElse() || branch->getInit() || branch->getConditionVariable()) return nullptr;
  std::vector<const clang::Stmt*> then;
  flatten(branch->getThen(), then);
  return then.size() == 1 && llvm::isa<clang::ContinueStmt>(then[0]) ? branch : nullptr;
}

}  // namespace

bool continues(const clang::Stmt* stmt) {
  if (!stmt || llvm::isa<clang::Expr>(stmt)) return false;
  if (llvm::isa<clang::ContinueStmt>(stmt)) return true;
  if (llvm::isa<clang::ForStmt, clang::WhileStmt, clang::DoStmt, clang::CXXForRangeStmt>(stmt)) return false;
  for (const clang::Stmt* child : stmt->children())
    if (continues(child)) return true;
  return false;
}

bool needsFlag(const clang::Stmt& body) {
  std::vector<const clang::Stmt*> statements;
  flatten(&body, statements);
  return std::any_of(statements.begin(), statements.end(), [](const clang::Stmt* stmt) { return continues(stmt) && !guard(stmt); });
}

// After a statement that may have met `continue`, the rest runs only if it has not.
void Body::sequence(const std::vector<const clang::Stmt*>& given) {
  std::vector<const clang::Stmt*> statements;
  for (const clang::Stmt* stmt : given) flatten(stmt, statements);
  for (size_t k = 0; k < statements.size(); ++k) {
    const std::vector<const clang::Stmt*> rest(statements.begin() + static_cast<std::ptrdiff_t>(k) + 1, statements.end());
    if (const clang::IfStmt* branch = guard(statements[k]); branch && loops_.back().skip.empty()) {
      const Value decided = condition(*branch->getCond());
      const Text body = block([&] { sequence(rest); });
      line(Text("if ") + decided.text + " {\n" + indentation() + "} else {\n" + body + indentation() + "}", *branch);
      return;
    }
    statement(statements[k]);
    if (k + 1 == statements.size() || !continues(statements[k])) continue;
    if (llvm::isa<clang::ContinueStmt>(statements[k])) return;  // nothing after it is reached
    const Text body = block([&] { sequence(rest); });
    braces("if not " + loops_.back().skip, body, *statements[k]);
    return;
  }
}

void Body::statement(const clang::Stmt* stmt) {
  using namespace clang;
  if (const auto* value = llvm::dyn_cast<ValueStmt>(stmt); value && llvm::isa<Expr>(stmt)) return expressionStatement(*llvm::cast<Expr>(stmt));
  if (llvm::isa<CompoundStmt>(stmt)) return sequence({stmt});
  if (const auto* declared = llvm::dyn_cast<DeclStmt>(stmt)) {
    for (const Decl* decl : declared->decls())
      if (const auto* variable = llvm::dyn_cast<VarDecl>(decl)) declare(*variable, *stmt);
    return;
  }
  if (const auto* returned = llvm::dyn_cast<ReturnStmt>(stmt)) return returnStatement(returned, *stmt);
  if (const auto* branch = llvm::dyn_cast<IfStmt>(stmt)) return ifStatement(*branch);
  if (const auto* counted = llvm::dyn_cast<ForStmt>(stmt)) return forStatement(*counted);
  if (const auto* ranged = llvm::dyn_cast<CXXForRangeStmt>(stmt)) return rangeLoop(*ranged);
  if (const auto* repeated = llvm::dyn_cast<WhileStmt>(stmt)) {
    if (repeated->getConditionVariable()) unit_.reporter().unsupported(*stmt, "a declaration as a condition", "declare it before the loop");
    return loop(repeated->getCond(), *repeated->getBody(), nullptr, *stmt);
  }
  if (const auto* repeated = llvm::dyn_cast<DoStmt>(stmt)) return doStatement(*repeated);
  if (const auto* chosen = llvm::dyn_cast<SwitchStmt>(stmt)) return switchStatement(*chosen);
  if (const auto* tried = llvm::dyn_cast<CXXTryStmt>(stmt)) return tryStatement(*tried);
  if (llvm::isa<BreakStmt>(stmt)) return breakStatement(*stmt);
  if (llvm::isa<ContinueStmt>(stmt)) return line(loops_.back().skip + " = true", *stmt);
  if (llvm::isa<NullStmt>(stmt)) return;
  if (const auto* attributed = llvm::dyn_cast<AttributedStmt>(stmt)) return statement(attributed->getSubStmt());
  refuseStatement(*stmt);
}

void Body::refuseStatement(const clang::Stmt& stmt) {
  Reporter& reporter = unit_.reporter();
  if (llvm::isa<clang::GotoStmt, clang::LabelStmt, clang::IndirectGotoStmt>(stmt))
    reporter.unsupported(stmt, "a goto", "write a loop, with `break`, `continue` or `return`");
  if (llvm::isa<clang::AsmStmt>(stmt)) reporter.unsupported(stmt, "inline assembly", "write it in C++");
  reporter.unsupported(stmt, fmt::format("this statement ({})", stmt.getStmtClassName()), "use if, for, while, return and assignments");
}

void Body::breakStatement(const clang::Stmt& at) {
  if (!loops_.back().breakable)
    unit_.reporter().unsupported(at, "a `break` inside a branch of a case", "end the case with `break`, or return");
  line("break", at);
}

void Body::expressionStatement(const clang::Expr& given) {
  using namespace clang;
  const Expr* e = given.IgnoreParens();
  if (const auto* full = llvm::dyn_cast<FullExpr>(e)) return expressionStatement(*full->getSubExpr());
  if (const auto* cast = llvm::dyn_cast<CastExpr>(e); cast && cast->getCastKind() == CK_ToVoid) return expressionStatement(*cast->getSubExpr());
  if (llvm::isa<DeclRefExpr>(e)) return;  // (void)unused
  if (const auto* op = llvm::dyn_cast<BinaryOperator>(e); op && op->isAssignmentOp()) {
    assignment(*op, false);
    return;
  }
  if (const auto* op = llvm::dyn_cast<BinaryOperator>(e); op && op->getOpcode() == BO_Comma) {
    expressionStatement(*op->getLHS());
    return expressionStatement(*op->getRHS());
  }
  if (const auto* op = llvm::dyn_cast<UnaryOperator>(e); op && op->isIncrementDecrementOp()) {
    step(*op, false);
    return;
  }
  expression(e);  // what it does besides its value has become lines
}

void Body::ifStatement(const clang::IfStmt& stmt) {
  if (stmt.getInit()) statement(stmt.getInit());
  if (const clang::VarDecl* variable = stmt.getConditionVariable()) declare(*variable, stmt);
  if (stmt.isConstexpr() && stmt.getNondiscardedCase(unit_.context())) {
    if (const clang::Stmt* taken = *stmt.getNondiscardedCase(unit_.context())) sequence({taken});
    return;
  }
  if (clampStatement(stmt)) return;
  const Value decided = condition(*stmt.getCond());
  const Text yes = block([&] { sequence({stmt.getThen()}); });
  Text no;
  if (stmt.getElse()) no = block([&] { sequence({stmt.getElse()}); });
  Text text = Text("if ") + decided.text + " {\n" + yes + indentation() + "}";
  if (stmt.getElse()) text += Text(" else {\n") + no + indentation() + "}";
  line(text, stmt);
}

// Cases that end with break or return become a chain of ifs.
void Body::switchStatement(const clang::SwitchStmt& stmt) {
  using namespace clang;
  Reporter& reporter = unit_.reporter();
  if (stmt.getInit()) statement(stmt.getInit());
  struct Case {
    std::vector<const Expr*> values;
    bool is_default = false;
    std::vector<const Stmt*> body;
  };
  std::vector<Case> cases;
  const auto* body = llvm::dyn_cast<CompoundStmt>(stmt.getBody());
  if (!body) reporter.unsupported(stmt, "a switch without braces", "write `if`");
  for (const Stmt* inner : body->body()) {
    bool fresh = true;
    while (const auto* label = llvm::dyn_cast<SwitchCase>(inner)) {
      const bool open = !cases.empty() && !cases.back().body.empty() &&
                        !llvm::isa<BreakStmt, ReturnStmt>(cases.back().body.back());
      if (open) reporter.unsupported(*label, "a case that goes on into the next", "end it with `break`, or repeat what it shares");
      if (fresh) cases.emplace_back();
      fresh = false;
      if (const auto* value = llvm::dyn_cast<CaseStmt>(label)) cases.back().values.push_back(value->getLHS());
      else cases.back().is_default = true;
      inner = label->getSubStmt();
    }
    if (cases.empty()) reporter.unsupported(*inner, "a statement before the first case", "write it before the switch");
    std::vector<const Stmt*> flat;
    flatten(inner, flat);
    cases.back().body.insert(cases.back().body.end(), flat.begin(), flat.end());
  }
  const Value value = named(expression(stmt.getCond()), *stmt.getCond());
  for (size_t k = 0; k + 1 < cases.size(); ++k)
    if (cases[k].is_default) std::rotate(cases.begin() + static_cast<std::ptrdiff_t>(k), cases.begin() + static_cast<std::ptrdiff_t>(k) + 1, cases.end());
  Text text;
  if (!loops_.empty()) loops_.push_back({loops_.back().skip, false});
  else loops_.push_back({"", false});
  for (Case& c : cases) {
    if (!c.body.empty() && llvm::isa<BreakStmt>(c.body.back())) c.body.pop_back();
    const Text lines = block([&] { sequence(c.body); });
    Text test;
    for (const Expr* one : c.values) test += Text(test.empty() ? "" : " or ") + value.text + " == " + inside(expression(one), kCompare + 1);
    if (c.is_default && cases.size() == 1) text = lines;
    else if (c.is_default) text += Text(" else {\n") + lines + indentation() + "}";
    else text += Text(text.empty() ? "if " : " else if ") + test + " {\n" + lines + indentation() + "}";
  }
  loops_.pop_back();
  if (!text.empty()) line(text, stmt);
}

}  // namespace dini::clang_frontend
