// Statements, in bodies and at the top level.
#include <algorithm>

#include <fmt/format.h>

#include "sema/checker.h"

namespace dini::sema {
namespace {

bool returnsFrom(const ast::Stmt& statement) {
  if (statement.kind == ast::StmtKind::Return) return true;
  if (statement.kind != ast::StmtKind::Expression) return false;
  return alwaysReturns(ast::as<ast::ExprStmt>(statement).value.get());
}

bool isInt(const Type& type) { return type.isScalar() && type.scalar == Scalar::Int; }

// Statements do not reach out of these scopes: what is inside runs per iteration, or not at all.
const char* barrier(ScopeKind kind) {
  switch (kind) {
    case ScopeKind::Lambda:
      return "an anonymous function";
    case ScopeKind::Comprehension:
      return "a comprehension or reduction";
    case ScopeKind::Solve:
      return "a `solve` block";
    case ScopeKind::Try:
      return "a `try`";
    default:
      return nullptr;
  }
}

}  // namespace

bool alwaysReturns(const ast::Expr* block) {
  if (!block) return false;
  if (block->kind == ast::ExprKind::If) {
    const auto& branch = ast::as<ast::IfExpr>(*block);
    return alwaysReturns(branch.then_block.get()) && alwaysReturns(branch.else_block.get());
  }
  if (block->kind != ast::ExprKind::Block) return false;
  const auto& body = ast::as<ast::BlockExpr>(*block);
  return std::any_of(body.statements.begin(), body.statements.end(),
                     [](const ast::StmtPtr& s) { return s && returnsFrom(*s); }) ||
         alwaysReturns(body.result.get());
}

bool Checker::isStorable(const TypePtr& type, Span span, const std::string& what) {
  if (type->kind == Kind::Function) {
    report(DiagCode::TypeMismatch, span,
           fmt::format("{} is a function, which is no value at run time", what));
    return false;
  }
  if (type->kind == Kind::Covector) {
    report(DiagCode::TypeMismatch, span, fmt::format("{} is a covector", what)).help =
        "keep the vector, and write the `'` where it is used";
    return false;
  }
  if (type->kind == Kind::Unit) {
    report(DiagCode::MissingResult, span, fmt::format("{} has no value", what));
    return false;
  }
  return true;
}

void Checker::declareLocal(ast::BindingKind kind, const ast::Name& name, const TypePtr& type,
                           const ast::Expr* value, ast::BindingPtr& binding) {
  bool top = scopes_.empty();
  ast::BindingPtr earlier;
  if (top) {
    auto found = top_->values.find(name.text);
    // A later input of a session redefines; within one text it is a mistake.
    if (found != top_->values.end() && found->second->span.file == name.span.file)
      earlier = found->second;
  } else {
    auto found = scopes_.back().names.find(name.text);
    if (found != scopes_.back().names.end()) earlier = found->second;
  }
  if (earlier) {
    auto& d =
        report(DiagCode::DuplicateName, name.span, fmt::format("`{}` is defined twice", name.text));
    d.labels.push_back({earlier->span, "first here"});
    if (earlier->assignable) d.help = fmt::format("to change it, write `{} = ...`", name.text);
  }
  binding = std::make_shared<ast::Binding>();
  binding->kind = top ? ast::BindingKind::TopLevel : kind;
  binding->name = name.text;
  binding->span = name.span;
  binding->type = type;
  binding->assignable = kind == ast::BindingKind::Var;
  noteValue(binding, value);
  if (name.text.empty()) return;
  if (top) {
    top_->values[name.text] = binding;
    top_->aliases.erase(name.text);
    world_.of(name.span.file).top_level[name.text] = name.span;
  } else {
    scopes_.back().names[name.text] = binding;
  }
}

void Checker::checkStatement(ast::Stmt& statement) {
  switch (statement.kind) {
    case ast::StmtKind::Let:
      return checkLet(ast::as<ast::LetStmt>(statement));
    case ast::StmtKind::Var:
      return checkVar(ast::as<ast::VarStmt>(statement));
    case ast::StmtKind::Assign:
      return checkAssign(ast::as<ast::AssignStmt>(statement));
    case ast::StmtKind::For:
      return checkFor(ast::as<ast::ForStmt>(statement));
    case ast::StmtKind::While: {
      auto& loop = ast::as<ast::WhileStmt>(statement);
      checkAttributes(loop.attributes, false);
      checkCondition(loop.condition, "the condition");
      ScopeGuard scope(*this, ScopeKind::Loop);
      return checkLoopBody(loop.body.get());
    }
    case ast::StmtKind::Break:
      return checkBreak(ast::as<ast::BreakStmt>(statement));
    case ast::StmtKind::Return:
      return checkReturn(ast::as<ast::ReturnStmt>(statement));
    case ast::StmtKind::Assert: {
      auto& assertion = ast::as<ast::AssertStmt>(statement);
      checkCondition(assertion.condition, "what is asserted");
      return;
    }
    case ast::StmtKind::Print:
      return checkPrint(ast::as<ast::PrintStmt>(statement));
    case ast::StmtKind::Expression:
      return checkExpressionStatement(ast::as<ast::ExprStmt>(statement));
  }
}

void Checker::checkLoopBody(ast::BlockExpr* body) {
  if (!body) return;
  body->type = checkBlock(*body, nullptr);
  if (body->result) noteUnused(*body->result);
}

// A value that nobody reads.
void Checker::noteUnused(const ast::Expr& value) {
  if (!value.type || value.type->kind == Kind::Unit || value.type->isError()) return;
  auto& d = report(DiagCode::MisplacedStatement, value.span,
                   fmt::format("the value of this expression, {}, is not used", str(value.type)));
  d.help = "write `print` before it to see it, or `let name =` to keep it";
}

void Checker::checkLet(ast::LetStmt& statement) {
  statement.bindings.clear();
  TypePtr declared = statement.declared ? resolveType(*statement.declared) : nullptr;
  TypePtr type = check(statement.value, declared);
  if (declared && statement.value)
    if (!fit(declared, *statement.value, "the value", statement.declared->span,
             fmt::format("declared as {}", str(declared))))
      type = types::errorType();
  if (declared) type = declared;
  if (!statement.isPattern()) {
    if (statement.names.empty()) return;
    if (type->kind == Kind::Unit && statement.value) {
      report(DiagCode::MissingResult, statement.value->span, "this has no value to bind");
      type = types::errorType();
    }
    statement.bindings.emplace_back();
    declareLocal(ast::BindingKind::Let, statement.names[0], type, statement.value.get(),
                 statement.bindings[0]);
    if (type->kind != Kind::Function) return;
    statement.bindings[0]->alias = statement.value.get();
    alias_signatures_[statement.bindings[0]] = signatureOf(*statement.value);
    if (scopes_.empty()) top_->aliases[statement.names[0].text] = statement.value.get();
    return;
  }
  bindPattern(statement, statement.pattern, type);
}

// The names of the pattern that are still to be bound, to the parts of a value of this type.
void Checker::bindPattern(ast::LetStmt& statement, const ast::Pattern& pattern, const TypePtr& type) {
  if (pattern.parts.empty()) {
    const ast::Name& name = statement.names[statement.bindings.size()];
    statement.bindings.emplace_back();
    return declareLocal(ast::BindingKind::Let, name, type, nullptr, statement.bindings.back());
  }
  bool tuple = type->kind == Kind::Tuple && type->elements.size() == pattern.parts.size();
  if (!tuple && !type->isError() && statement.value)
    report(DiagCode::TypeMismatch, statement.value->span,
           fmt::format("{} are bound to {}", counted(pattern.parts.size(), "name"), str(type)));
  for (size_t k = 0; k < pattern.parts.size(); ++k)
    bindPattern(statement, pattern.parts[k], tuple ? type->elements[k] : types::errorType());
}

void Checker::checkVar(ast::VarStmt& statement) {
  TypePtr declared = statement.declared ? resolveType(*statement.declared) : nullptr;
  TypePtr type = check(statement.value, declared);
  if (declared && statement.value)
    fit(declared, *statement.value, "the value", statement.declared->span,
        fmt::format("declared as {}", str(declared)));
  if (declared) type = declared;
  Span span = statement.value ? statement.value->span : statement.span;
  if (!isStorable(type, span, "the value of a `var`")) type = types::errorType();
  declareLocal(ast::BindingKind::Var, statement.name, type, nullptr, statement.binding);
}

const ast::NameExpr* Checker::assignedName(const ast::Expr& target) {
  switch (target.kind) {
    case ast::ExprKind::Name:
      return &ast::as<ast::NameExpr>(target);
    case ast::ExprKind::Field: {
      const auto& base = ast::as<ast::FieldExpr>(target).base;
      return base ? assignedName(*base) : nullptr;
    }
    case ast::ExprKind::Index: {
      const auto& base = ast::as<ast::IndexExpr>(target).base;
      return base ? assignedName(*base) : nullptr;
    }
    default:
      return nullptr;
  }
}

// Whether the var may be changed from here; reports where not.
bool Checker::checkAssignable(const ast::Expr& target) {
  const ast::NameExpr* root = assignedName(target);
  if (!root) {
    report(DiagCode::NotAssignable, target.span,
           "an assignment to what is neither a `var` nor an element, slice or field of one");
    return false;
  }
  if (root->referent != ast::Referent::Binding) {
    if (root->type && root->type->isError()) return false;
    report(DiagCode::NotAssignable, root->span,
           fmt::format("an assignment to `{}`, which is a function or a constant", root->name));
    return false;
  }
  const ast::Binding& binding = *root->binding;
  if (!binding.assignable) {
    bool parameter = binding.kind == ast::BindingKind::Parameter;
    auto& d = report(DiagCode::NotAssignable, root->span,
                     fmt::format("an assignment to `{}`, which is no `var`", root->name),
                     "assigned here");
    d.labels.push_back({binding.span, "declared here"});
    d.help = parameter ? fmt::format("copy it: `var {0}_ = {0}`", root->name)
                       : fmt::format("declare it with `var {} = ...`", root->name);
    return false;
  }
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    auto found = scope->names.find(root->name);
    if (found != scope->names.end()) break;
    if (const char* inside = barrier(scope->kind)) {
      auto& d = report(
          DiagCode::NotAssignable, root->span,
          fmt::format("an assignment inside {} to `{}`, declared outside", inside, root->name));
      d.labels.push_back({binding.span, "declared here"});
      if (scope->kind == ScopeKind::Comprehension)
        d.help = "iterations are independent here; a `for` loop can change a `var`";
      return false;
    }
  }
  return true;
}

void Checker::checkAssign(ast::AssignStmt& statement) {
  TypePtr target = check(statement.target);
  TypePtr value = check(statement.value, target);
  if (!statement.target || !statement.value || !checkAssignable(*statement.target)) return;
  if (target->isError() || value->isError()) return;
  const auto* root = assignedName(*statement.target);
  if (statement.op == ast::AssignOp::Set) {
    // A scalar fills a slice.
    bool fills = statement.target->kind == ast::ExprKind::Index && target->kind == Kind::Array &&
                 value->isScalar();
    bool type_differs = false;
    if (fills && fits(types::array(target->scalar), value, {}, type_differs)) return;
    fit(target, *statement.value, "the value", root->binding->span,
        fmt::format("`{}` is {}", root->name, str(root->binding->type)));
    return;
  }
  // x += e is x = x + e.
  ast::BinaryExpr sum;
  sum.op = statement.op == ast::AssignOp::Add   ? ast::BinaryOp::Add
           : statement.op == ast::AssignOp::Sub ? ast::BinaryOp::Sub
                                                : ast::BinaryOp::Mul;
  sum.span = statement.span;
  sum.op_span = statement.span;
  sum.lhs = std::move(statement.target);
  sum.rhs = std::move(statement.value);
  sum.type = sum.op == ast::BinaryOp::Mul ? multiply(sum) : additive(sum);
  if (!sum.type->isError())
    fit(target, sum, fmt::format("the result of `{}=`", ast::spelling(sum.op)), root->binding->span,
        fmt::format("`{}` is {}", root->name, str(root->binding->type)));
  statement.target = std::move(sum.lhs);
  statement.value = std::move(sum.rhs);
}

void Checker::checkFor(ast::ForStmt& statement) {
  checkAttributes(statement.attributes, false);
  for (ast::ExprPtr* bound : {&statement.lo, &statement.hi, &statement.step}) {
    TypePtr type = check(*bound);
    if (type->isError() || isInt(*type)) continue;
    report(DiagCode::TypeMismatch, (*bound)->span,
           fmt::format("a loop's range has {}, where an int is expected", str(type)));
  }
  if (statement.step) {
    auto step = sizeOf(*statement.step);
    if (step && *step == Size(0))
      report(DiagCode::TypeMismatch, statement.step->span, "a loop's step is 0");
  }
  ScopeGuard scope(*this, ScopeKind::Loop);
  statement.binding = bind(ast::BindingKind::Index, statement.name, types::intType());
  noteValue(statement.binding, nullptr);
  checkLoopBody(statement.body.get());
}

void Checker::checkBreak(const ast::BreakStmt& statement) {
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    if (scope->kind == ScopeKind::Loop) return;
    if (scope->kind != ScopeKind::Block) break;
  }
  report(DiagCode::MisplacedStatement, statement.span, "`break` stands outside loops");
}

void Checker::checkReturn(ast::ReturnStmt& statement) {
  auto scope = scopes_.rbegin();
  while (scope != scopes_.rend() && scope->kind != ScopeKind::Function &&
         scope->kind != ScopeKind::Lambda && !barrier(scope->kind))
    ++scope;
  bool placed = scope != scopes_.rend() && (scope->kind == ScopeKind::Lambda || scope->result);
  if (!placed) {
    check(statement.value);
    std::string where = scope != scopes_.rend() && barrier(scope->kind)
                            ? fmt::format("inside {}", barrier(scope->kind))
                            : "outside functions";
    report(DiagCode::MisplacedStatement, statement.span, fmt::format("`return` stands {}", where));
    return;
  }
  auto index = static_cast<size_t>(scope.base() - scopes_.begin() - 1);
  TypePtr wanted = scopes_[index].result;
  bool lambda = scopes_[index].kind == ScopeKind::Lambda;
  if (!statement.value) {
    report(DiagCode::MissingResult, statement.span, "`return` without a value");
    return;
  }
  TypePtr type = check(statement.value, wanted);
  if (!lambda) {
    fit(wanted, *statement.value, "the result", function_ ? declaredResult(*function_) : Span{},
        "declared here");
    return;
  }
  bool type_differs = false;
  TypePtr joined = wanted ? join(wanted, type, type_differs) : type;
  if (!joined)
    fit(wanted, *statement.value, "the result");
  else
    scopes_[index].result = joined;
}

void Checker::checkPrint(ast::PrintStmt& statement) {
  for (auto& value : statement.values) {
    if (!value) continue;
    if (value->kind == ast::ExprKind::String) {
      value->type = types::unitType();
      continue;
    }
    TypePtr type = check(value);
    if (type->kind == Kind::Function) {
      auto& d = report(DiagCode::TypeMismatch, value->span, "a function is printed");
      d.help = "call it: print its value at a point";
    } else if (type->kind == Kind::Unit) {
      report(DiagCode::MissingResult, value->span, "this has no value to print");
    }
  }
}

void Checker::checkExpressionStatement(ast::ExprStmt& statement) {
  TypePtr type = check(statement.value);
  if (type->kind == Kind::Unit || type->isError()) return;
  noteUnused(*statement.value);
}

// ---------------------------------------------------------------- the top level

void Checker::checkTopStatement(ast::Stmt& statement, TopLevel& scope) {
  scopes_.clear();
  top_ = &scope;
  checkStatement(statement);
  finish();
  top_ = nullptr;
}

void Checker::checkTopExpression(ast::Expr& expression, TopLevel& scope) {
  scopes_.clear();
  top_ = &scope;
  checkTyped(expression);
  finish();
  top_ = nullptr;
}

void Checker::checkTest(ast::TestDecl& test) {
  scopes_.clear();
  ScopeGuard scope(*this, ScopeKind::Function);
  checkLoopBody(test.body.get());
  finish();
}

// @bound(n) before a function that is not recursive bounds nothing.
void Checker::checkBound(const ast::FnDecl& decl) {
  for (const ast::Attribute& attribute : decl.attributes)
    if (attribute.name.text == "bound" && !decl.recursive)
      report(DiagCode::BadAttribute, attribute.span,
             fmt::format("`@bound` before `{}`, which is not recursive", decl.name.text))
          .help = "it stands before a loop or a recursive function";
}

}  // namespace dini::sema
