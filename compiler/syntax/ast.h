// The syntax tree. The parser fills the syntactic members; the checker (sema/) fills those under
// "checked" and nothing else, so that the tree that lowering reads is the tree that was written.
// One struct per kind; `kind` says which, `as<T>` casts with a check.
// Longer than usual: the kinds of nodes refer to one another.
// Not here: printing (formatter.h), parsing (parser.h), what names mean (sema/).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/check.h"
#include "source/source.h"
#include "types/type.h"

namespace dini::ast {

struct Expr;
struct Stmt;
struct FnDecl;
struct TypeDecl;
using ExprPtr = std::unique_ptr<Expr>;
using StmtPtr = std::unique_ptr<Stmt>;

struct Name {
  std::string text;
  Span span;
};

// A thing that a name in a body can mean: parameter, let, var, loop index, unknown, size.
// Created by the checker; owned by the node that introduces it.
enum class BindingKind { Parameter, Let, Var, Index, Unknown, Size, TopLevel, Iterator };
struct Binding {
  BindingKind kind = BindingKind::Let;
  std::string name;
  Span span;
  types::TypePtr type;
  std::optional<types::Size> size;  // an int whose value is a size expression: n, 2*n + 1
  bool assignable = false;          // declared by `var`, in a body or at the top level
  const Expr* alias = nullptr;      // of a Function type: the expression that it stands for
};
using BindingPtr = std::shared_ptr<Binding>;

// ---------------------------------------------------------------- types
enum class TypeExprKind { Named, Tuple, Function };
struct TypeExpr {
  TypeExprKind kind = TypeExprKind::Named;
  Span span;
  Name name;                                       // Named: real, int, bool, sparse, a record
  std::vector<ExprPtr> dims;                       // Named
  std::vector<std::unique_ptr<TypeExpr>> elements; // Tuple; Function: parameters
  std::unique_ptr<TypeExpr> result;                // Function
  // checked
  types::TypePtr resolved;
};
using TypeExprPtr = std::unique_ptr<TypeExpr>;

// ---------------------------------------------------------------- expressions
enum class ExprKind {
  Number, Bool, String, Name, ArrayLiteral, Tuple, RecordLiteral, Comprehension, Reduction,
  Unary, Binary, Transpose, Call, Index, Field, If, Try, Block, Lambda, Solve, Argmin,
};

struct Expr {
  ExprKind kind;
  Span span;
  bool parenthesised = false;  // kept by the formatter where it changes nothing else
  uint32_t height = 1;         // levels of expressions from here down; the parser limits it, so
                               // that every stage may recurse over a tree
  // checked
  types::TypePtr type;
  explicit Expr(ExprKind k) : kind(k) {}
  virtual ~Expr() = default;
};

struct NumberExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::Number;
  std::string text;  // as written
  double value = 0;
  int64_t int_value = 0;
  bool is_int = false;
  NumberExpr() : Expr(kKind) {}
};
struct BoolExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::Bool;
  bool value = false;
  BoolExpr() : Expr(kKind) {}
};
struct StringExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::String;
  std::string value;  // escapes resolved
  StringExpr() : Expr(kKind) {}
};
enum class Referent { Unresolved, Binding, Function, Builtin };
struct NameExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::Name;
  std::string name;
  // checked: exactly one of these, as `referent` says
  Referent referent = Referent::Unresolved;
  BindingPtr binding;
  const FnDecl* function = nullptr;  // a file's or the prelude's
  int builtin = -1;                  // sema::Builtin
  NameExpr() : Expr(kKind) {}
};
struct ArrayLiteralExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::ArrayLiteral;
  std::vector<ExprPtr> elements;
  ArrayLiteralExpr() : Expr(kKind) {}
};
struct TupleExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::Tuple;
  std::vector<ExprPtr> elements;
  TupleExpr() : Expr(kKind) {}
};
struct FieldInit {
  Name name;
  ExprPtr value;
};
struct RecordLiteralExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::RecordLiteral;
  Name name;
  std::vector<FieldInit> fields;
  // checked
  const TypeDecl* decl = nullptr;
  RecordLiteralExpr() : Expr(kKind) {}
};
// `i in a..b`
struct Iterator {
  Name name;
  ExprPtr lo, hi;
  // checked
  BindingPtr binding;
};
struct ComprehensionExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::Comprehension;
  ExprPtr body;
  std::vector<Iterator> iterators;
  ComprehensionExpr() : Expr(kKind) {}
};
// sum(e for i in 0..n), and prod max min mean any all
struct ReductionExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::Reduction;
  Name op;
  ExprPtr body;
  std::vector<Iterator> iterators;
  ReductionExpr() : Expr(kKind) {}
};
enum class UnaryOp { Neg, Not };
struct UnaryExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::Unary;
  UnaryOp op = UnaryOp::Neg;
  ExprPtr operand;
  UnaryExpr() : Expr(kKind) {}
};
enum class BinaryOp {
  Add, Sub, Mul, Div, Solve /* \ */, Pow, ElemMul, ElemDiv, ElemPow,
  Eq, Ne, Lt, Le, Gt, Ge, And, Or, In,
};
const char* spelling(BinaryOp op);
struct BinaryExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::Binary;
  BinaryOp op = BinaryOp::Add;
  Span op_span;
  ExprPtr lhs, rhs;
  BinaryExpr() : Expr(kKind) {}
};
struct TransposeExpr : Expr {  // x'
  static constexpr ExprKind kKind = ExprKind::Transpose;
  ExprPtr operand;
  TransposeExpr() : Expr(kKind) {}
};
struct Argument {
  std::optional<Name> name;
  ExprPtr value;
  ExprPtr to;  // of a range: plot(f, over = -1..1); null otherwise
};
// The derivative forms grad(f), jac(f), ... are calls of builtins whose type is a function.
struct CallExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::Call;
  ExprPtr callee;
  std::vector<Argument> arguments;
  // checked: for calls of functions with declared parameters, parameter k takes
  // arguments[order[k]], or its default where order[k] < 0
  std::vector<int> order;
  CallExpr() : Expr(kKind) {}
};
struct Subscript {
  enum class Kind { At, Range, All } kind = Kind::At;
  Span span;
  ExprPtr at;      // At: an int or an int array
  ExprPtr lo, hi;  // Range: either may be null
};
struct IndexExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::Index;
  ExprPtr base;
  std::vector<Subscript> subscripts;
  IndexExpr() : Expr(kKind) {}
};
struct FieldExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::Field;
  ExprPtr base;
  Name name;
  FieldExpr() : Expr(kKind) {}
};
struct IfExpr : Expr {  // both branches are blocks; `else if` nests an IfExpr in a BlockExpr
  static constexpr ExprKind kKind = ExprKind::If;
  ExprPtr condition;
  ExprPtr then_block;
  ExprPtr else_block;  // null: a statement
  IfExpr() : Expr(kKind) {}
};
struct TryExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::Try;
  ExprPtr body, fallback;
  TryExpr() : Expr(kKind) {}
};
struct BlockExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::Block;
  std::vector<StmtPtr> statements;
  ExprPtr result;  // null: no value
  BlockExpr() : Expr(kKind) {}
};
struct Parameter {
  Name name;
  TypeExprPtr type;        // null only in a lambda whose context gives it
  ExprPtr default_value;   // may be null
  // checked
  BindingPtr binding;
};
struct LambdaExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::Lambda;
  std::vector<Parameter> parameters;
  ExprPtr body;
  // checked: the outer bindings that the body reads, in order of first use
  std::vector<BindingPtr> captures;
  std::vector<BindingPtr> sizes;  // size names that its parameters bind, as in FnDecl
  LambdaExpr() : Expr(kKind) {}
};
// z: real[n] = start
struct Unknown {
  Name name;
  TypeExprPtr type;
  ExprPtr start;  // may be null: zeros
  // checked
  BindingPtr binding;
};
struct SolverClause {  // using newton(tol = 1e-10)
  Span span;
  Name name;
  std::vector<Argument> arguments;
  // checked: null for `given`; parameter k of the function takes arguments[order[k]], its default
  // where order[k] is -1, and what the block supplies (F, T, z0) where it is -2
  const FnDecl* function = nullptr;
  std::vector<int> order;
};
struct DifferentiateClause {  // differentiate implicit(linear = lu, tol = 1e-12)
  Span span;
  Name mode;
  std::vector<Argument> arguments;
};
struct SolveExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::Solve;
  std::vector<Unknown> unknowns;
  std::vector<StmtPtr> lets;        // `let`s of the block, in order, before the equations use them
  std::vector<ExprPtr> equations;   // BinaryExpr Eq each
  std::optional<SolverClause> solver;
  std::optional<DifferentiateClause> differentiate;
  SolveExpr() : Expr(kKind) {}
};
struct ArgminConstraint {
  std::optional<Name> label;
  ExprPtr relation;  // BinaryExpr Eq, Le, Ge or In
};
struct ArgminExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::Argmin;
  std::vector<Unknown> unknowns;
  std::vector<StmtPtr> lets;
  bool maximize = false;
  ExprPtr objective;
  std::vector<ArgminConstraint> constraints;
  std::optional<SolverClause> solver;
  std::vector<Name> with;
  std::optional<DifferentiateClause> differentiate;
  ArgminExpr() : Expr(kKind) {}
};

// ---------------------------------------------------------------- statements
enum class StmtKind { Let, Var, Assign, For, While, Break, Return, Assert, Print, Expression };

struct Attribute {  // @ties(average), @bound(100)
  Name name;
  std::vector<ExprPtr> arguments;
  Span span;
};

struct Stmt {
  StmtKind kind;
  Span span;
  explicit Stmt(StmtKind k) : kind(k) {}
  virtual ~Stmt() = default;
};
struct Pattern {  // what stands in a let: a name, or parts in parentheses
  std::vector<Pattern> parts;  // none: a name
};
// As it is written: `names` from `next` on, which ends behind the pattern's last.
std::string str(const Pattern& pattern, const std::vector<Name>& names, size_t& next);
struct LetStmt : Stmt {  // let a = e, let (a, (b, c)) = e, let a: real = e
  static constexpr StmtKind kKind = StmtKind::Let;
  std::vector<Name> names;  // one, or those of the pattern from left to right
  Pattern pattern;
  bool isPattern() const { return !pattern.parts.empty(); }
  TypeExprPtr declared;     // may be null
  ExprPtr value;
  // checked
  std::vector<BindingPtr> bindings;
  LetStmt() : Stmt(kKind) {}
};
struct VarStmt : Stmt {
  static constexpr StmtKind kKind = StmtKind::Var;
  Name name;
  TypeExprPtr declared;
  ExprPtr value;
  // checked
  BindingPtr binding;
  VarStmt() : Stmt(kKind) {}
};
enum class AssignOp { Set, Add, Sub, Mul };
struct AssignStmt : Stmt {  // the target is a name, or an index or field of one
  static constexpr StmtKind kKind = StmtKind::Assign;
  AssignOp op = AssignOp::Set;
  ExprPtr target, value;
  AssignStmt() : Stmt(kKind) {}
};
struct ForStmt : Stmt {
  static constexpr StmtKind kKind = StmtKind::For;
  std::vector<Attribute> attributes;
  Name name;
  ExprPtr lo, hi, step;  // step may be null
  std::unique_ptr<BlockExpr> body;
  // checked
  BindingPtr binding;
  ForStmt() : Stmt(kKind) {}
};
struct WhileStmt : Stmt {
  static constexpr StmtKind kKind = StmtKind::While;
  std::vector<Attribute> attributes;
  ExprPtr condition;
  std::unique_ptr<BlockExpr> body;
  WhileStmt() : Stmt(kKind) {}
};
struct BreakStmt : Stmt {
  static constexpr StmtKind kKind = StmtKind::Break;
  BreakStmt() : Stmt(kKind) {}
};
struct ReturnStmt : Stmt {
  static constexpr StmtKind kKind = StmtKind::Return;
  ExprPtr value;
  ReturnStmt() : Stmt(kKind) {}
};
struct AssertStmt : Stmt {
  static constexpr StmtKind kKind = StmtKind::Assert;
  ExprPtr condition;
  AssertStmt() : Stmt(kKind) {}
};
struct PrintStmt : Stmt {
  static constexpr StmtKind kKind = StmtKind::Print;
  std::vector<ExprPtr> values;  // strings allowed
  PrintStmt() : Stmt(kKind) {}
};
struct ExprStmt : Stmt {  // an `if` without value, save(...), plot(...), a REPL expression
  static constexpr StmtKind kKind = StmtKind::Expression;
  ExprPtr value;
  ExprStmt() : Stmt(kKind) {}
};

// ---------------------------------------------------------------- files
struct FnDecl {
  Span span;
  std::vector<Attribute> attributes;
  Name name;
  std::vector<Parameter> parameters;
  TypeExprPtr result;
  ExprPtr body;           // after `=`, or a BlockExpr
  bool block_body = false;
  // checked
  types::TypePtr type;               // Function
  std::vector<BindingPtr> sizes;     // size names, in order of first appearance
  bool recursive = false;            // may reach itself
  bool in_prelude = false;
  bool internal = false;             // of an imported file: what it exports calls it
};
struct TypeDecl {
  Span span;
  Name name;
  std::vector<Name> sizes;
  struct FieldDecl {
    Name name;
    TypeExprPtr type;
  };
  std::vector<FieldDecl> fields;
  // checked
  std::vector<types::SizeName> size_names;
  std::vector<types::Field> resolved;
};
struct ImportDecl {
  Span span;
  bool cpp = false;
  std::string path;
  Span path_span;
};
struct TestDecl {
  Span span;
  std::string title;
  std::unique_ptr<BlockExpr> body;
};

enum class ItemKind { Fn, Type, Import, Test, Statement };
struct Item {
  ItemKind kind;
  std::unique_ptr<FnDecl> fn;
  std::unique_ptr<TypeDecl> type;
  std::unique_ptr<ImportDecl> import;
  std::unique_ptr<TestDecl> test;
  StmtPtr statement;
  Span span() const;
};

struct File {
  FileId id;
  std::vector<Item> items;
};

template <class T, class Node>
T& as(Node& node) {
  check(node.kind == T::kKind, "syntax node of another kind");
  return static_cast<T&>(node);
}
template <class T, class Node>
const T& as(const Node& node) {
  check(node.kind == T::kKind, "syntax node of another kind");
  return static_cast<const T&>(node);
}

}  // namespace dini::ast
