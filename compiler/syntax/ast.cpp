#include "syntax/ast.h"

#include "syntax/ast_visit.h"

namespace dini::ast {

const char* spelling(BinaryOp op) {
  switch (op) {
    case BinaryOp::Add:
      return "+";
    case BinaryOp::Sub:
      return "-";
    case BinaryOp::Mul:
      return "*";
    case BinaryOp::Div:
      return "/";
    case BinaryOp::Solve:
      return "\\";
    case BinaryOp::Pow:
      return "^";
    case BinaryOp::ElemMul:
      return ".*";
    case BinaryOp::ElemDiv:
      return "./";
    case BinaryOp::ElemPow:
      return ".^";
    case BinaryOp::Eq:
      return "==";
    case BinaryOp::Ne:
      return "!=";
    case BinaryOp::Lt:
      return "<";
    case BinaryOp::Le:
      return "<=";
    case BinaryOp::Gt:
      return ">";
    case BinaryOp::Ge:
      return ">=";
    case BinaryOp::And:
      return "and";
    case BinaryOp::Or:
      return "or";
    case BinaryOp::In:
      return "in";
  }
  failCheck("unknown binary operator");
}

Span Item::span() const {
  switch (kind) {
    case ItemKind::Fn:
      return fn->span;
    case ItemKind::Type:
      return type->span;
    case ItemKind::Import:
      return import->span;
    case ItemKind::Test:
      return test->span;
    case ItemKind::Statement:
      return statement->span;
  }
  failCheck("unknown item");
}

namespace {

class ChildWalk {
 public:
  explicit ChildWalk(const ExprVisitor& visit) : visit_(visit) {}

  void one(const ExprPtr& expr) {
    if (expr) visit_(*expr);
  }
  void block(const std::unique_ptr<BlockExpr>& block) {
    if (block) visit_(*block);
  }
  void all(const std::vector<ExprPtr>& exprs) {
    for (const ExprPtr& e : exprs) one(e);
  }
  void all(const std::vector<StmtPtr>& statements) {
    for (const StmtPtr& s : statements) forEachChild(*s, visit_);
  }
  void all(const std::vector<Argument>& arguments) {
    for (const Argument& a : arguments) {
      one(a.value);
      one(a.to);
    }
  }
  void all(const std::vector<Iterator>& iterators) {
    for (const Iterator& i : iterators) one(i.lo), one(i.hi);
  }
  void all(const std::vector<Attribute>& attributes) {
    for (const Attribute& a : attributes) all(a.arguments);
  }
  void all(const std::vector<Parameter>& parameters) {
    for (const Parameter& p : parameters) type(p.type), one(p.default_value);
  }
  void all(const std::vector<Unknown>& unknowns) {
    for (const Unknown& u : unknowns) type(u.type), one(u.start);
  }
  void type(const TypeExprPtr& type) {
    if (type) forEachChild(*type, visit_);
  }
  template <class Clause>
  void clause(const std::optional<Clause>& clause) {
    if (clause) all(clause->arguments);
  }
  void node(const Expr& e);
  void node(const Stmt& s);

 private:
  const ExprVisitor& visit_;
};

void ChildWalk::node(const Expr& e) {
  switch (e.kind) {
    case ExprKind::Number:
    case ExprKind::Bool:
    case ExprKind::String:
    case ExprKind::Name:
      return;
    case ExprKind::ArrayLiteral:
      return all(as<ArrayLiteralExpr>(e).elements);
    case ExprKind::Tuple:
      return all(as<TupleExpr>(e).elements);
    case ExprKind::RecordLiteral:
      for (const FieldInit& f : as<RecordLiteralExpr>(e).fields) one(f.value);
      return;
    case ExprKind::Comprehension:
      one(as<ComprehensionExpr>(e).body);
      return all(as<ComprehensionExpr>(e).iterators);
    case ExprKind::Reduction:
      one(as<ReductionExpr>(e).body);
      return all(as<ReductionExpr>(e).iterators);
    case ExprKind::Unary:
      return one(as<UnaryExpr>(e).operand);
    case ExprKind::Binary:
      one(as<BinaryExpr>(e).lhs);
      return one(as<BinaryExpr>(e).rhs);
    case ExprKind::Transpose:
      return one(as<TransposeExpr>(e).operand);
    case ExprKind::Call:
      one(as<CallExpr>(e).callee);
      return all(as<CallExpr>(e).arguments);
    case ExprKind::Index:
      one(as<IndexExpr>(e).base);
      for (const Subscript& s : as<IndexExpr>(e).subscripts) one(s.at), one(s.lo), one(s.hi);
      return;
    case ExprKind::Field:
      return one(as<FieldExpr>(e).base);
    case ExprKind::If:
      one(as<IfExpr>(e).condition);
      one(as<IfExpr>(e).then_block);
      return one(as<IfExpr>(e).else_block);
    case ExprKind::Try:
      one(as<TryExpr>(e).body);
      return one(as<TryExpr>(e).fallback);
    case ExprKind::Block:
      all(as<BlockExpr>(e).statements);
      return one(as<BlockExpr>(e).result);
    case ExprKind::Lambda:
      all(as<LambdaExpr>(e).parameters);
      return one(as<LambdaExpr>(e).body);
    case ExprKind::Solve: {
      const auto& solve = as<SolveExpr>(e);
      all(solve.unknowns), all(solve.lets), all(solve.equations);
      clause(solve.solver), clause(solve.differentiate);
      return;
    }
    case ExprKind::Argmin: {
      const auto& argmin = as<ArgminExpr>(e);
      all(argmin.unknowns), all(argmin.lets), one(argmin.objective);
      for (const ArgminConstraint& c : argmin.constraints) one(c.relation);
      clause(argmin.solver), clause(argmin.differentiate);
      return;
    }
  }
}

void ChildWalk::node(const Stmt& s) {
  switch (s.kind) {
    case StmtKind::Let:
      type(as<LetStmt>(s).declared);
      return one(as<LetStmt>(s).value);
    case StmtKind::Var:
      type(as<VarStmt>(s).declared);
      return one(as<VarStmt>(s).value);
    case StmtKind::Assign:
      one(as<AssignStmt>(s).target);
      return one(as<AssignStmt>(s).value);
    case StmtKind::For: {
      const auto& loop = as<ForStmt>(s);
      all(loop.attributes), one(loop.lo), one(loop.hi), one(loop.step);
      return block(loop.body);
    }
    case StmtKind::While:
      all(as<WhileStmt>(s).attributes);
      one(as<WhileStmt>(s).condition);
      return block(as<WhileStmt>(s).body);
    case StmtKind::Break:
      return;
    case StmtKind::Return:
      return one(as<ReturnStmt>(s).value);
    case StmtKind::Assert:
      return one(as<AssertStmt>(s).condition);
    case StmtKind::Print:
      return all(as<PrintStmt>(s).values);
    case StmtKind::Expression:
      return one(as<ExprStmt>(s).value);
  }
}

}  // namespace

std::string str(const Pattern& pattern, const std::vector<Name>& names, size_t& next) {
  if (pattern.parts.empty()) return names[next++].text;
  std::string result = "(";
  for (const Pattern& part : pattern.parts)
    result += (result.size() > 1 ? ", " : "") + str(part, names, next);
  return result + ")";
}

void forEachChild(const Expr& expr, const ExprVisitor& visit) { ChildWalk(visit).node(expr); }

void forEachChild(const Stmt& stmt, const ExprVisitor& visit) { ChildWalk(visit).node(stmt); }

void forEachChild(const TypeExpr& type, const ExprVisitor& visit) {
  ChildWalk walk(visit);
  walk.all(type.dims);
  for (const TypeExprPtr& element : type.elements) walk.type(element);
  walk.type(type.result);
}

}  // namespace dini::ast
