// `return` and `break` inside expressions. What stands to the left of an expression that may leave is
// evaluated before it and kept (Frame::evaluated); then the expression itself; what remains of the
// statement, and the statements after it, run only if it did not leave. Where it left, the values
// that were not reached are zeros, which nothing reads.
// Not here: `return` as a statement, tail position (statements.cpp); loops (loops.cpp).
#include "ir/type_rules.h"
#include "lower/assignments.h"
#include "lower/scopes.h"
#include "syntax/ast_visit.h"

namespace dini::lower {

using ast::ExprKind;
using ast::StmtKind;

namespace {

bool isLogical(const ast::Expr& e) {
  if (e.kind != ExprKind::Binary) return false;
  ast::BinaryOp op = ast::as<ast::BinaryExpr>(e).op;
  return op == ast::BinaryOp::And || op == ast::BinaryOp::Or;
}

// Constants and functions: their value does not depend on when they are evaluated.
bool isTimeless(const ast::Expr& e) {
  return e.kind == ExprKind::Number || e.kind == ExprKind::Bool || e.kind == ExprKind::String ||
         (e.kind == ExprKind::Name &&
          ast::as<ast::NameExpr>(e).referent != ast::Referent::Binding);
}

}  // namespace

// Evaluates e up to and including its first part that may leave; false if there is none any more.
bool Emitter::evaluateAhead(const ast::Expr& e) {
  if (frame_->evaluated.contains(&e) || !mayLeave(e)) return false;
  switch (e.kind) {
    case ExprKind::If:
    case ExprKind::Block:
      break;
    case ExprKind::Solve:
    case ExprKind::Argmin:
      fail(DiagCode::TooLarge, e.span, "this has a part that leaves the function or the loop",
           "compute that part before, with a `let`");
    default: {
      if (isLogical(e)) break;
      std::vector<const ast::Expr*> parts;
      ast::forEachChild(e, [&](const ast::Expr& part) { parts.push_back(&part); });
      return evaluateAhead(parts);
    }
  }
  Val value = eval(e);
  frame_->evaluated[&e] = std::move(value);
  return true;
}

// The same for expressions that are evaluated one after the other.
bool Emitter::evaluateAhead(const std::vector<const ast::Expr*>& parts) {
  size_t count = parts.size();
  auto waits = [&](const ast::Expr& part) {
    return !frame_->evaluated.contains(&part) && mayLeave(part);
  };
  while (count > 0 && !waits(*parts[count - 1])) --count;
  for (size_t k = 0; k < count; ++k) {
    if (waits(*parts[k])) {
      if (evaluateAhead(*parts[k])) return true;
    } else if (!isTimeless(*parts[k]) && !frame_->evaluated.contains(parts[k])) {
      Val value = eval(*parts[k]);
      frame_->evaluated[parts[k]] = std::move(value);
    }
  }
  return false;
}

bool Emitter::evaluateAhead(const ast::Stmt& stmt) {
  switch (stmt.kind) {
    case StmtKind::Assign: {
      const auto& s = ast::as<ast::AssignStmt>(stmt);
      std::vector<const ast::Expr*> parts{s.value.get()};
      for (const ast::Expr* target = s.target.get(); target->kind != ExprKind::Name;) {
        if (target->kind == ExprKind::Field) {
          target = ast::as<ast::FieldExpr>(*target).base.get();
          continue;
        }
        const auto& index = ast::as<ast::IndexExpr>(*target);
        for (const ast::Subscript& subscript : index.subscripts)
          for (const ast::ExprPtr* part : {&subscript.at, &subscript.lo, &subscript.hi})
            if (*part != nullptr) parts.push_back(part->get());
        target = index.base.get();
      }
      return evaluateAhead(parts);
    }
    case StmtKind::For: {
      const auto& s = ast::as<ast::ForStmt>(stmt);
      std::vector<const ast::Expr*> parts{s.lo.get(), s.hi.get()};
      if (s.step != nullptr) parts.push_back(s.step.get());
      return evaluateAhead(parts);
    }
    case StmtKind::While:
      if (mayLeave(*ast::as<ast::WhileStmt>(stmt).condition))
        fail(DiagCode::TooLarge, stmt.span, "this has a part that leaves the function or the loop",
             "leave from the body of the loop");
      return false;
    case StmtKind::Expression: {
      const ast::Expr& e = *ast::as<ast::ExprStmt>(stmt).value;
      return e.kind != ExprKind::If && e.kind != ExprKind::Block && evaluateAhead(e);
    }
    default: {
      std::vector<const ast::Expr*> parts;
      ast::forEachChild(stmt, [&](const ast::Expr& part) { parts.push_back(&part); });
      return evaluateAhead(parts);
    }
  }
}

// Leaves like those given, for a place that is not reached.
std::vector<ir::Value*> Emitter::unreached(ir::Value* flag, std::span<ir::Value* const> like) {
  std::vector<ir::Value*> leaves;
  for (const ir::Value* leaf : like) {
    ir::Value* zero = leaf->type.isReal()                  ? b().real(0.0)
                      : leaf->type.elem == ir::Elem::I1 ? b().boolean(false)
                                                           : b().integer(0);
    std::vector<ir::Value*> sizes;
    for (int64_t dim : leaf->type.dims)
      sizes.push_back(dim != ir::kDynamic
                          ? integer(dim)
                          : b().op(ir::OpCode::Select, {flag, integer(0), integer(0)}));
    leaves.push_back(sizes.empty() ? zero : b().fill(zero, std::move(sizes)));
  }
  return leaves;
}

// What `rest` gives where no exit has been taken (`out` is false).
Val Emitter::unlessLeft(ir::Value* out, const std::vector<const ast::Binding*>& merged,
                        const Side& rest) {
  if (ir::constantInt(out) == 0) return rest();
  std::vector<Val> before, after;
  for (const ast::Binding* binding : merged) before.push_back(variable(*binding));
  ir::Op& op = b().emitUnchecked(ir::OpCode::If, {out});
  Val value;
  auto fill = [&](ir::Region& region, const std::function<std::vector<ir::Value*>()>& emit) {
    ir::Builder inner(function_, region);
    BuilderScope scope(*this, inner);
    inner.yield(emit());
  };
  auto append = [](std::vector<ir::Value*>& leaves, const Val& more) {
    for (ir::Value* leaf : leavesOf(more)) leaves.push_back(leaf);
  };
  fill(*op.regions[1], [&] {
    value = rest();
    std::vector<ir::Value*> leaves = leavesOf(value);
    for (size_t k = 0; k < merged.size(); ++k) {
      after.push_back(variable(*merged[k]));
      append(leaves, after.back());
      variable(*merged[k]) = before[k];
    }
    return leaves;
  });
  fill(*op.regions[0], [&] {
    std::vector<ir::Value*> leaves = unreached(out, leavesOf(value));
    for (const Val& variable : before) append(leaves, variable);
    return leaves;
  });
  std::vector<ir::Value*> results;
  for (size_t k = 0; k < op.regions[0]->yields().size(); ++k)
    results.push_back(function_.addResult(
        op, ir::joined(op.regions[0]->yields()[k]->type, op.regions[1]->yields()[k]->type)));
  std::span<ir::Value* const> rest_of = results;
  auto take = [&](const Val& like) {
    size_t count = leavesOf(like).size();
    Val made = withLeaves(like, rest_of.first(count));
    rest_of = rest_of.subspan(count);
    return made;
  };
  value = take(value);
  for (size_t k = 0; k < merged.size(); ++k) variable(*merged[k]) = take(after[k]);
  return value;
}

// An expression whose parts may leave.
Val Emitter::evalUnlessLeft(const ast::Expr& e) {
  while (evaluateAhead(e)) {
    if (ir::Value* out = exited(); out != nullptr && ir::constantInt(out) != 0)
      return unlessLeft(out, assignedIn(e), [&] { return evalUnlessLeft(e); });
  }
  return eval(e);
}

}  // namespace dini::lower
