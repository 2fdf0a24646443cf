#include "session/load_calls.h"

namespace dini::session {
namespace {

class Replacer {
 public:
  std::vector<LoadCall> found;

  void statement(ast::Stmt& s) {
    switch (s.kind) {
      case ast::StmtKind::Let: return slot(ast::as<ast::LetStmt>(s).value);
      case ast::StmtKind::Var: return slot(ast::as<ast::VarStmt>(s).value);
      case ast::StmtKind::Assign:
        slot(ast::as<ast::AssignStmt>(s).target);
        return slot(ast::as<ast::AssignStmt>(s).value);
      case ast::StmtKind::For: {
        auto& loop = ast::as<ast::ForStmt>(s);
        slot(loop.lo);
        slot(loop.hi);
        return slot(loop.step);
      }
      case ast::StmtKind::While: return slot(ast::as<ast::WhileStmt>(s).condition);
      case ast::StmtKind::Assert: return slot(ast::as<ast::AssertStmt>(s).condition);
      case ast::StmtKind::Print:
        for (auto& value : ast::as<ast::PrintStmt>(s).values) slot(value);
        return;
      case ast::StmtKind::Expression: return slot(ast::as<ast::ExprStmt>(s).value);
      case ast::StmtKind::Break:
      case ast::StmtKind::Return: return;
    }
  }

  void slot(ast::ExprPtr& e) {
    if (!e) return;
    switch (e->kind) {
      case ast::ExprKind::Call: return call(e);
      case ast::ExprKind::ArrayLiteral:
        for (auto& x : ast::as<ast::ArrayLiteralExpr>(*e).elements) slot(x);
        return;
      case ast::ExprKind::Tuple:
        for (auto& x : ast::as<ast::TupleExpr>(*e).elements) slot(x);
        return;
      case ast::ExprKind::RecordLiteral:
        for (auto& field : ast::as<ast::RecordLiteralExpr>(*e).fields) slot(field.value);
        return;
      case ast::ExprKind::Unary: return slot(ast::as<ast::UnaryExpr>(*e).operand);
      case ast::ExprKind::Binary:
        slot(ast::as<ast::BinaryExpr>(*e).lhs);
        return slot(ast::as<ast::BinaryExpr>(*e).rhs);
      case ast::ExprKind::Transpose: return slot(ast::as<ast::TransposeExpr>(*e).operand);
      case ast::ExprKind::Index: return index(ast::as<ast::IndexExpr>(*e));
      case ast::ExprKind::Field: return slot(ast::as<ast::FieldExpr>(*e).base);
      // A block or an iteration would hide when the file is read: load stands outside of them.
      case ast::ExprKind::Number:
      case ast::ExprKind::Bool:
      case ast::ExprKind::String:
      case ast::ExprKind::Name:
      case ast::ExprKind::Comprehension:
      case ast::ExprKind::Reduction:
      case ast::ExprKind::If:
      case ast::ExprKind::Try:
      case ast::ExprKind::Block:
      case ast::ExprKind::Lambda:
      case ast::ExprKind::Solve:
      case ast::ExprKind::Argmin: return;
    }
  }

 private:
  void index(ast::IndexExpr& e) {
    slot(e.base);
    for (auto& subscript : e.subscripts) {
      slot(subscript.at);
      slot(subscript.lo);
      slot(subscript.hi);
    }
  }

  void call(ast::ExprPtr& e) {
    auto& call = ast::as<ast::CallExpr>(*e);
    bool is_load = call.callee->kind == ast::ExprKind::Name &&
                   ast::as<ast::NameExpr>(*call.callee).name == "load" &&
                   call.arguments.size() == 1 &&
                   call.arguments[0].value->kind == ast::ExprKind::String;
    if (!is_load) {
      slot(call.callee);
      for (auto& argument : call.arguments) slot(argument.value);
      return;
    }
    LoadCall load;
    load.path = ast::as<ast::StringExpr>(*call.arguments[0].value).value;
    load.name = "load \"" + load.path + "\"";
    load.span = e->span;
    auto name = std::make_unique<ast::NameExpr>();
    name->span = e->span;
    name->name = load.name;
    found.push_back(std::move(load));
    e = std::move(name);
  }
};

}  // namespace

std::vector<LoadCall> replaceLoadCalls(ast::Stmt& statement) {
  Replacer replacer;
  replacer.statement(statement);
  return std::move(replacer.found);
}

std::vector<LoadCall> replaceLoadCalls(ast::ExprPtr& expression) {
  Replacer replacer;
  replacer.slot(expression);
  return std::move(replacer.found);
}

}  // namespace dini::session
