// What an expression is while it is lowered: a tree whose leaves are IR values. Tuples and records
// exist only here (the IR sees their leaves in declaration order), covectors are vectors with a
// flag, and functions are compile-time values: what is called is always known.
// Not here: how the trees are made (emitter.h).
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "ir/ir.h"
#include "sema/sema.h"
#include "syntax/ast.h"

namespace dini::lower {

struct FunctionValue;
class Emitter;

struct Val {
  enum class Kind { Unit, Leaf, Tuple, Record, Function };
  Kind kind = Kind::Unit;
  ir::Value* value = nullptr;                        // Leaf
  bool covector = false;                             // Leaf: x' of a vector
  ir::Structure structure = ir::Structure::General;  // Leaf: what the source says of a matrix
  std::vector<Val> elements;                         // Tuple; Record: fields in declaration order
  const ast::TypeDecl* record = nullptr;
  std::shared_ptr<const FunctionValue> function;

  bool isLeaf() const { return kind == Kind::Leaf; }
  bool isFunction() const { return kind == Kind::Function; }
  bool isAggregate() const { return kind == Kind::Tuple || kind == Kind::Record; }
  const ir::Type& type() const { return value->type; }
  size_t rank() const { return value->type.rank(); }

  static Val leaf(ir::Value* value, bool covector = false);
  static Val tuple(std::vector<Val> elements);
  static Val recordOf(const ast::TypeDecl* decl, std::vector<Val> fields);
  static Val of(std::shared_ptr<const FunctionValue> function);
  // The field's position in a record, or -1.
  int field(const std::string& name) const;
};

using Env = std::unordered_map<const ast::Binding*, Val>;
using Sizes = std::unordered_map<uint32_t, ir::Value*>;  // SizeName id -> i64

enum class Form {
  Grad, ValueAndGrad, Jac, Hess, Hvp, Jvp, Vjp, DirDeriv, GradCheck,
  Maps,  // jvp and vjp in one, for libraries: no name in the language
  Certificate, Certified, Ties  // not derivatives: what is known of a call
};

// A function known at compile time.
struct FunctionValue {
  enum class Kind { User, Builtin, Lambda, Derivative, Native };
  Kind kind = Kind::User;
  const ast::FnDecl* decl = nullptr;        // User
  sema::Builtin builtin{};                  // Builtin
  const ast::LambdaExpr* lambda = nullptr;  // Lambda, with what it captured
  Env captured;
  Sizes sizes;
  int64_t tie_mark = 0;    // of the function that the lambda stands in
  Form form = Form::Grad;  // Derivative
  std::shared_ptr<const FunctionValue> base;
  std::vector<std::string> wrt;  // empty: every parameter that holds reals
  std::function<Val(Emitter&, std::span<const Val>)> native;  // Native: residuals of a solve
  std::vector<std::string> native_parameters;
  std::vector<ir::Type> native_arguments;
  // Native, once it is a function of the IR: that, and the values that it reads beside its argument.
  std::shared_ptr<const ir::Function> closed;
  std::vector<ir::Value*> closed_over;
};

// The leaves of a value, in declaration order. Functions have none.
std::vector<ir::Value*> leavesOf(const Val& value);
// A value shaped like `skeleton` with other leaves. Declared structure does not survive.
Val withLeaves(const Val& skeleton, std::span<ir::Value* const> leaves);
// `change` of every leaf.
Val mapLeaves(const Val& value, const std::function<ir::Value*(ir::Value*)>& change);
bool holdsReals(const Val& value);

}  // namespace dini::lower
