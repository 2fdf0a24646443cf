// Statements in order, assignment, and early exits. `break` and `return` set flags, which are
// pseudo variables: `if` merges them and loops carry them; what follows a statement that may exit
// runs under their negation. In tail position of a function an `if` with a `return` is one `if`
// whose sides give the function's value, so that the branch structure is the one written.
#include <fmt/format.h>

#include "base/check.h"
#include "lower/assignments.h"
#include "lower/scopes.h"

namespace dini::lower {

using ast::StmtKind;

std::vector<const ast::Binding*> Emitter::assignedIn(
    const std::vector<const ast::Stmt*>& statements) const {
  Assignments found;
  for (const ast::Stmt* stmt : statements) found.add(*stmt);
  return assignedVariables(found);
}

std::vector<const ast::Binding*> Emitter::assignedIn(const ast::Expr& e) const {
  Assignments found;
  found.add(e);
  return assignedVariables(found);
}

// Those that exist outside, and the flags of the exits.
std::vector<const ast::Binding*> Emitter::assignedVariables(const Assignments& found) const {
  std::vector<const ast::Binding*> result;
  for (const ast::Binding* binding : found.variables)
    if (frame_->env.contains(binding) || binding->kind == ast::BindingKind::TopLevel) {
      if (!found.declared.contains(binding)) result.push_back(binding);
    }
  if (found.returns && frame_->return_ready) {
    result.push_back(&frame_->return_flag);
    result.push_back(&frame_->return_value);
  }
  if (found.breaks && !frame_->break_flags.empty() && frame_->break_flags.back() != nullptr)
    result.push_back(frame_->break_flags.back());
  return result;
}

Val& Emitter::variable(const ast::Binding& binding) {
  auto it = frame_->env.find(&binding);
  if (it == frame_->env.end() && binding.kind == ast::BindingKind::TopLevel)
    it = frame_->env.emplace(&binding, topLevel(binding)).first;
  check(it != frame_->env.end(), "a variable without a value: " + binding.name);
  return it->second;
}

Val Emitter::block(const ast::BlockExpr& block) {
  return sequence(block.statements, 0, block.result.get());
}

// The statements from `from` on, then the result if there is one.
Val Emitter::sequence(const std::vector<ast::StmtPtr>& statements, size_t from,
                      const ast::Expr* result) {
  for (size_t k = from; k < statements.size();) {
    Assignments found;
    found.add(*statements[k]);
    if (!found.returns && !found.breaks) {
      exec(*statements[k++]);
      continue;
    }
    auto evaluated = frame_->evaluated;
    if (!evaluateAhead(*statements[k])) {
      exec(*statements[k++]);
      frame_->evaluated = std::move(evaluated);
    }
    ir::Value* out = exited();
    if (out == nullptr || ir::constantInt(out) == 0) continue;
    if (result == nullptr && (k == statements.size() || ir::constantInt(out) == 1)) return Val{};
    Assignments rest;
    for (size_t j = k; j < statements.size(); ++j) rest.add(*statements[j]);
    if (result != nullptr) rest.add(*result);
    return unlessLeft(out, assignedVariables(rest),
                      [&] { return sequence(statements, k, result); });
  }
  if (result == nullptr) return Val{};
  return mayLeave(*result) ? evalUnlessLeft(*result) : eval(*result);
}

ir::Value* Emitter::exited() {
  ir::Value* result = nullptr;
  if (frame_->return_ready) result = frame_->env.at(&frame_->return_flag).value;
  if (!frame_->break_flags.empty() && frame_->break_flags.back() != nullptr) {
    ir::Value* broke = frame_->env.at(frame_->break_flags.back()).value;
    result = result == nullptr ? broke : logicalOr(result, broke);
  }
  return result;
}

void Emitter::prepareReturn() {
  if (frame_->return_ready) return;
  if (frame_->result == nullptr)
    fail(DiagCode::TooLarge, span_, "an early `return` needs a function with a declared result",
         "make the anonymous function a named one");
  frame_->env[&frame_->return_flag] = Val::leaf(b().boolean(false));
  frame_->env[&frame_->return_value] = zeros(*frame_->result);
  frame_->return_ready = true;
}

void Emitter::exec(const ast::Stmt& stmt) {
  SpanScope span(*this, stmt.span);
  switch (stmt.kind) {
    case StmtKind::Let:
      return execLet(ast::as<ast::LetStmt>(stmt));
    case StmtKind::Var: {
      const auto& s = ast::as<ast::VarStmt>(stmt);
      Val value = coerce(eval(*s.value), s.binding->type.get());
      if (s.declared != nullptr && s.declared->resolved)
        checkSizes(*s.declared->resolved, value, s.name.text);
      frame_->env[s.binding.get()] = std::move(value);
      return;
    }
    case StmtKind::Assign:
      return execAssign(ast::as<ast::AssignStmt>(stmt));
    case StmtKind::For:
      return execFor(ast::as<ast::ForStmt>(stmt));
    case StmtKind::While:
      return execWhile(ast::as<ast::WhileStmt>(stmt));
    case StmtKind::Break:
      check(!frame_->break_flags.empty() && frame_->break_flags.back() != nullptr,
            "`break` outside a loop");
      frame_->env[frame_->break_flags.back()] = Val::leaf(b().boolean(true));
      return;
    case StmtKind::Return:
      return execReturn(ast::as<ast::ReturnStmt>(stmt));
    case StmtKind::Assert:
      return execAssert(ast::as<ast::AssertStmt>(stmt));
    case StmtKind::Print:
      return execPrint(ast::as<ast::PrintStmt>(stmt));
    case StmtKind::Expression:
      eval(*ast::as<ast::ExprStmt>(stmt).value);
      return;
  }
}

void Emitter::execLet(const ast::LetStmt& s) {
  Val value = eval(*s.value);
  if (s.declared != nullptr && s.declared->resolved) {
    value = coerce(std::move(value), s.declared->resolved.get());
    if (!value.isFunction()) checkSizes(*s.declared->resolved, value, s.names[0].text);
  }
  if (!s.isPattern()) {
    if (value.isLeaf() && value.value->name.empty()) value.value->name = s.names[0].text;
    frame_->env[s.bindings[0].get()] = std::move(value);
    return;
  }
  size_t next = 0;
  bindPattern(s, s.pattern, value, next);
}

void Emitter::bindPattern(const ast::LetStmt& s, const ast::Pattern& pattern, const Val& value,
                          size_t& next) {
  if (pattern.parts.empty()) {
    const ast::BindingPtr& binding = s.bindings.at(next++);
    if (binding != nullptr) frame_->env[binding.get()] = value;
    return;
  }
  check(value.elements.size() == pattern.parts.size(), "a tuple pattern of another length");
  for (size_t k = 0; k < pattern.parts.size(); ++k)
    bindPattern(s, pattern.parts[k], value.elements[k], next);
}

const ast::NameExpr& Emitter::rootName(const ast::Expr& target) const {
  const ast::Expr* e = &target;
  while (e->kind != ast::ExprKind::Name)
    e = e->kind == ast::ExprKind::Index ? ast::as<ast::IndexExpr>(*e).base.get()
                                        : ast::as<ast::FieldExpr>(*e).base.get();
  return ast::as<ast::NameExpr>(*e);
}

void Emitter::execAssign(const ast::AssignStmt& s) {
  const ast::NameExpr& root = rootName(*s.target);
  Val value = eval(*s.value);
  Val current = variable(*root.binding);
  Val changed = assignInto(*s.target, current, value, s.op);
  changed = coerce(std::move(changed), root.binding->type.get());
  variable(*root.binding) = sizedAs(current, changed);
}

// The value with the sizes of the variable it goes to: compared when the program runs where they
// are not known, since a variable keeps its size (loops carry it, and derivatives count on it).
Val Emitter::sizedAs(const Val& current, const Val& value) {
  std::vector<ir::Value*> before = leavesOf(current), leaves = leavesOf(value);
  check(before.size() == leaves.size(), "an assignment changes the shape of a variable");
  for (size_t k = 0; k < leaves.size(); ++k) {
    if (before[k] == leaves[k]) continue;
    requireEqualShapes(before[k], leaves[k]);
    if (before[k]->type.isStatic() && !leaves[k]->type.isStatic())
      leaves[k] = b().reshape(leaves[k], b().dims(before[k]));
  }
  return withLeaves(value, leaves);
}

// The root's value after the assignment, found from the target outwards in.
Val Emitter::assignInto(const ast::Expr& target, const Val& current, const Val& value,
                        ast::AssignOp op) {
  if (target.kind == ast::ExprKind::Name) {
    switch (op) {
      case ast::AssignOp::Set:
        return value;
      case ast::AssignOp::Add:
        return addOrSub(false, current, value);
      case ast::AssignOp::Sub:
        return addOrSub(true, current, value);
      case ast::AssignOp::Mul:
        return multiply(current, value);
    }
  }
  if (target.kind == ast::ExprKind::Field) {
    const auto& field = ast::as<ast::FieldExpr>(target);
    Val base = partOf(*field.base, current);
    auto at = static_cast<size_t>(base.field(field.name.text));
    if (op == ast::AssignOp::Set)
      base.elements[at] = coerce(value, target.type.get());
    else if (op == ast::AssignOp::Mul)
      base.elements[at] = multiply(base.elements[at], value);
    else
      base.elements[at] = addOrSub(op == ast::AssignOp::Sub, base.elements[at], value);
    return assignInto(*field.base, current, base, ast::AssignOp::Set);
  }
  const auto& index = ast::as<ast::IndexExpr>(target);
  Val base = partOf(*index.base, current);
  base = Val::leaf(assigned(base.value, selections(index, base.value), value.value, op));
  return assignInto(*index.base, current, base, ast::AssignOp::Set);
}

// What a target denotes, given the value of its root.
Val Emitter::partOf(const ast::Expr& target, const Val& root) {
  if (target.kind == ast::ExprKind::Name) return root;
  if (target.kind == ast::ExprKind::Field) {
    const auto& field = ast::as<ast::FieldExpr>(target);
    Val base = partOf(*field.base, root);
    return base.elements[static_cast<size_t>(base.field(field.name.text))];
  }
  const auto& index = ast::as<ast::IndexExpr>(target);
  Val base = partOf(*index.base, root);
  return Val::leaf(select(base.value, selections(index, base.value)));
}

void Emitter::execReturn(const ast::ReturnStmt& s) {
  check(frame_->return_ready, "a `return` that nobody expects");
  Val value = coerce(eval(*s.value), frame_->result.get());
  frame_->env[&frame_->return_value] = std::move(value);
  frame_->env[&frame_->return_flag] = Val::leaf(b().boolean(true));
}

void Emitter::execAssert(const ast::AssertStmt& s) {
  Val condition = eval(*s.condition);
  require(allTrue(condition.value), ir::Status::Assertion, "");
}

namespace {
void formatValue(const Val& value, std::string& format, std::vector<ir::Value*>& operands) {
  if (value.isLeaf()) {
    format += '%';
    operands.push_back(value.value);
    return;
  }
  bool record = value.kind == Val::Kind::Record;
  format += record ? value.record->name.text + " { " : "(";
  for (size_t k = 0; k < value.elements.size(); ++k) {
    if (k > 0) format += ", ";
    if (record) format += value.record->fields[k].name.text + " = ";
    formatValue(value.elements[k], format, operands);
  }
  format += record ? " }" : ")";
}
}  // namespace

void Emitter::execPrint(const ast::PrintStmt& s) {
  ir::Attrs attrs;
  std::vector<ir::Value*> operands;
  for (size_t k = 0; k < s.values.size(); ++k) {
    if (k > 0) attrs.str += ' ';
    if (s.values[k]->kind == ast::ExprKind::String) {
      for (char c : ast::as<ast::StringExpr>(*s.values[k]).value)
        attrs.str += c == '%' ? "%%" : std::string(1, c);
      continue;
    }
    Val value = eval(*s.values[k]);
    if (value.isFunction())
      fail(DiagCode::TypeMismatch, s.values[k]->span, "a function cannot be printed");
    formatValue(value, attrs.str, operands);
  }
  b().emit(ir::OpCode::Print, std::move(operands), std::move(attrs));
}

// --- tail position of a function

namespace {
bool mayReturn(const ast::Stmt& stmt) {
  Assignments found;
  found.add(stmt);
  return found.returns;
}
}  // namespace

// A side that ends the function: what it assigns does not concern the other.
Emitter::Side Emitter::isolated(Side side) {
  return [this, side = std::move(side)] {
    Env env = frame_->env;
    auto evaluated = frame_->evaluated;
    bool ready = frame_->return_ready;
    Val value = side();
    frame_->env = std::move(env);
    frame_->evaluated = std::move(evaluated);
    frame_->return_ready = ready;
    return value;
  };
}

// The function's value: what `rest` gives, or what has been returned.
Val Emitter::unlessReturned(Side rest) {
  ir::Value* returned = frame_->env.at(&frame_->return_flag).value;
  if (ir::constantInt(returned) == 0) return rest();
  Val early = frame_->env.at(&frame_->return_value);
  return branch(
      Branching::If, nullptr, returned, {}, frame_->result.get(), [&] { return early; },
      isolated(std::move(rest)));
}

// The function's value where it is that of e.
Val Emitter::tailValue(const ast::Expr& e) {
  if (mayLeave(e)) {
    prepareReturn();
    if (evaluateAhead(e)) return unlessReturned([&] { return tailValue(e); });
  }
  return coerce(eval(e), frame_->result.get());
}

// The function's value from here on.
Val Emitter::tail(Rest rest) {
  while (rest.at < rest.block->statements.size()) {
    const ast::Stmt& stmt = *rest.block->statements[rest.at++];
    if (stmt.kind == StmtKind::Return) {
      SpanScope span(*this, stmt.span);
      return tailValue(*ast::as<ast::ReturnStmt>(stmt).value);
    }
    if (!mayReturn(stmt)) {
      exec(stmt);
      continue;
    }
    if (stmt.kind == StmtKind::Expression) {
      const ast::Expr& e = *ast::as<ast::ExprStmt>(stmt).value;
      if (e.kind == ast::ExprKind::If) {
        const auto& choice = ast::as<ast::IfExpr>(e);
        if (alwaysReturns(choice.then_block.get()) || alwaysReturns(choice.else_block.get())) {
          SpanScope span(*this, stmt.span);
          return tailIf(choice, rest);
        }
      }
    }
    prepareReturn();
    if (evaluateAhead(stmt))
      --rest.at;
    else
      exec(stmt);
    return unlessReturned([&] { return tail(rest); });
  }
  if (rest.next != nullptr) {
    if (rest.block->result == nullptr) return tail(*rest.next);
    if (mayLeave(*rest.block->result)) prepareReturn();
    evalUnlessLeft(*rest.block->result);
    if (!frame_->return_ready) return tail(*rest.next);
    return unlessReturned([&] { return tail(*rest.next); });
  }
  check(rest.block->result != nullptr, "a function that ends without a value");
  return tailBlock(rest.block->result.get(), Rest{});
}

Val Emitter::tailIf(const ast::IfExpr& e, const Rest& rest) {
  if (mayLeave(*e.condition)) {
    prepareReturn();
    if (evaluateAhead(*e.condition)) return unlessReturned([&] { return tailIf(e, rest); });
  }
  return branch(Branching::If, e.condition.get(), nullptr, {}, frame_->result.get(),
                isolated([&] { return tailBlock(e.then_block.get(), rest); }),
                isolated([&] { return tailBlock(e.else_block.get(), rest); }));
}

// A side of an `if` in tail position, then the rest; without a rest its value is the function's.
Val Emitter::tailBlock(const ast::Expr* e, const Rest& rest) {
  if (e == nullptr) return tail(rest);
  if (e->kind == ast::ExprKind::If && (rest.block == nullptr) && mayLeave(*e))
    return tailIf(ast::as<ast::IfExpr>(*e), rest);
  if (e->kind == ast::ExprKind::Block && (rest.block != nullptr || mayLeave(*e)))
    return tail(Rest{&ast::as<ast::BlockExpr>(*e), 0, rest.block == nullptr ? nullptr : &rest});
  check(rest.block == nullptr, "the side of a statement `if` is a block");
  return tailValue(*e);
}

}  // namespace dini::lower
