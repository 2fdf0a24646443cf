// Lowers the bodies of one IR function under construction. The emitter walks the checked tree and
// appends operations to the current region; calls of functions that cannot reach themselves are
// expanded in place, so that sizes, int literals and functions are known where they are used.
// Integer arithmetic is folded here (sizes and static decisions depend on it), real arithmetic is
// not (opt/ does that). A mistake is reported once and ends the lowering by LowerFailure.
// Parts: expressions.cpp, operators.cpp, integers.cpp, indexing.cpp, calls.cpp, instances.cpp,
// builtins.cpp, array_builtins.cpp, statements.cpp, early_exits.cpp, loops.cpp, comprehensions.cpp,
// derivatives.cpp, gradcheck.cpp, inspections.cpp, solve.cpp, argmin.cpp, argmin_rows.cpp,
// argmin_data.cpp, types.cpp.
// Longer than usual: one class, whose parts are implemented by the files of this folder.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "ir/builder.h"
#include "lower/lower.h"
#include "lower/values.h"

namespace dini::lower {

// Thrown after a diagnostic was added; caught by Lowerer.
struct LowerFailure {};
// Thrown where a recursive function takes a derivative of itself; caught where it was called first.
struct SelfDerivative {};

// A function of the module made from a recursive function of the source.
struct Instance {
  const ast::FnDecl* source = nullptr;
  ir::Function* function = nullptr;
  Val result;  // its shape; leaves are placeholders with the right types
  bool finished = false;
  bool reentered = false;  // called while its body was being lowered: truly recursive
};

// What all emitters of one Lowerer share.
struct Shared {
  const sema::Program& program;
  DiagnosticSink& sink;
  Options options;
  ir::Module module;
  std::map<std::string, Instance> instances;
  // Recursive functions with one instance per value of their int arguments: they differentiate
  // themselves, which ends only if those ints tell where.
  std::unordered_set<const ast::FnDecl*> by_value;
  int made = 0;   // functions named so far
  int depth = 0;  // of expanded calls
  int attempts = 0;  // > 0: what cannot be lowered is left out, and not reported

  std::string freshName(const std::string& base);
};

// One activation of a function, lambda or script statement.
struct Frame {
  Env env;
  Sizes sizes;
  types::TypePtr result;  // declared; null: inferred or none
  const ast::FnDecl* fn = nullptr;
  int64_t tie_mark = 0;  // of kinks written here: @ties of the function (ad/ties.h), 0 none
  // Early exits are pseudo variables, merged by `if` and carried by loops like any other.
  ast::Binding return_flag, return_value;
  bool return_ready = false;
  std::vector<const ast::Binding*> break_flags;  // innermost loop last; null: the loop has none
  // Parts of the statement at hand that are evaluated before a part of it that may leave.
  std::unordered_map<const ast::Expr*, Val> evaluated;
};

struct Assignments;  // assignments.h

struct NamedVal {
  std::string name;  // empty: positional
  Val value;
};

class Emitter {
 public:
  Emitter(Shared& shared, ir::Function& function, const Lowerer::Environment* environment);

  Val eval(const ast::Expr& e);
  void exec(const ast::Stmt& stmt);
  // All statements of a block, then its result expression.
  Val block(const ast::BlockExpr& block);
  Val callFunction(const FunctionValue& f, std::vector<NamedVal> arguments);
  void yield(const Val& value);
  const std::vector<std::string>& inputs() const { return inputs_; }
  ir::Builder& b() { return *builder_; }
  Frame& frame() { return *frame_; }

  // --- types.cpp
  const ast::TypeDecl* recordNamed(std::string name) const;
  Val coerce(Val value, const types::Type* type);  // int leaves become real where type says so
  Val zeros(const types::Type& type);              // in the sizes of the current frame
  Val zeros(const ast::TypeExpr& type);            // reals; its dimensions are any ints of the place
  Val parameterFor(const types::Type& type, const std::string& name);  // concrete type
  types::TypePtr typeOf(const Val& value) const;
  void bindSizes(const types::Type& type, const Val& value);
  void bindResultSizes(const types::Type& type, const FunctionValue& f);
  void checkSizes(const types::Type& type, const Val& value, const std::string& what);
  ir::Value* evalSize(const types::Size& size);  // null: has a name without a value here

  // --- statements.cpp: variables that a part of a program assigns, in order of first assignment
  std::vector<const ast::Binding*> assignedIn(
      const std::vector<const ast::Stmt*>& statements) const;
  std::vector<const ast::Binding*> assignedIn(const ast::Expr& e) const;

 private:
  friend class Lowerer;
  friend class SolveLowering;
  friend class ArgminLowering;
  [[noreturn]] void fail(DiagCode code, Span span, std::string message, std::string help = "");

  class SpanScope;
  class BuilderScope;
  class FrameScope;

  // --- expressions.cpp
  Val evalName(const ast::NameExpr& e);
  Val evalBinding(const ast::Binding& binding, const ast::NameExpr& e);
  Val topLevel(const ast::Binding& binding);
  Val evalArrayLiteral(const ast::ArrayLiteralExpr& e);
  bool constantElements(const Val& value, bool real, std::vector<double>& reals,
                        std::vector<int64_t>& ints);
  Val evalRecordLiteral(const ast::RecordLiteralExpr& e);
  Val evalIf(const ast::IfExpr& e);
  Val evalTry(const ast::TryExpr& e);
  Val evalTranspose(const ast::TransposeExpr& e);
  Val transposed(const Val& value);
  std::shared_ptr<const FunctionValue> evalFunction(const ast::Expr& e);
  // Two-way control: each side gives a value; both sides' assignments are merged.
  using Side = std::function<Val()>;
  enum class Branching { If, Try };
  Val branch(Branching how, const ast::Expr* condition, ir::Value* flag,
             const std::vector<const ast::Binding*>& merged, const types::Type* type,
             const Side& first, const Side& second);
  // The comparison's reals where an `if` on it is a switch; attrs.str names the relation.
  std::vector<ir::Value*> comparedReals(const ast::Expr& condition, ir::Value*& flag,
                                        ir::Attrs& attrs);

  // --- operators.cpp
  Val evalUnary(const ast::UnaryExpr& e);
  Val evalBinary(const ast::BinaryExpr& e);
  Val evalLogical(const ast::BinaryExpr& e);
  Val negate(const Val& value);
  Val arithmetic(ir::OpCode real_code, ir::OpCode int_code, const Val& a, const Val& b);
  Val addOrSub(bool subtract, const Val& a, const Val& b);
  Val multiply(const Val& a, const Val& b, bool a_transposed = false);
  Val matrixProduct(const Val& a, const Val& b, bool a_transposed);
  Val divide(const Val& a, const Val& b);
  Val power(const ast::BinaryExpr& e);
  Val power(const Val& base, const Val& exponent);
  Val compare(ast::BinaryOp op, const Val& a, const Val& b);
  Val linearSolve(const ast::BinaryExpr& e);
  ir::Value* dot(ir::Value* x, ir::Value* y);
  ir::Value* sizeOf(ir::Value* v, size_t axis);
  const ast::Expr* squaredNorm(const ast::BinaryExpr& e);
  ir::Value* toReal(ir::Value* v);
  // Both reals if either is, with a check where their sizes are not known to agree.
  void unify(ir::Value*& a, ir::Value*& b);
  void requireEqualShapes(ir::Value* a, ir::Value* b);
  ir::Value* choose(ir::Value* p, ir::Value* q, ir::Value* a, ir::Value* b, double gap,
                    const char* kink);

  // --- sparse.cpp
  static bool isSparse(const Val& value);
  Val callPrelude(const char* name, std::vector<NamedVal> arguments);
  ir::Value* sparseTimes(const Val& matrix, ir::Value* x, bool transposed);
  Val sparseProduct(const Val& a, const Val& b, bool a_transposed);
  Val sparseSystem(const Val& matrix, const Val& rhs, bool transposed);
  Val sparseIndex(const Val& matrix, const ast::IndexExpr& e);
  void requireSamePattern(const Val& matrix, const Val& other);

  // --- integers.cpp: folding and ranges of i64 scalars
  struct Interval {
    int64_t lo = INT64_MIN, hi = INT64_MAX;
  };
  struct Affine {  // sum of coefficient * value + constant
    std::map<const ir::Value*, int64_t> terms;
    int64_t constant = 0;
  };
  ir::Value* integer(int64_t v) { return b().integer(v); }
  ir::Value* intOp(ir::OpCode code, ir::Value* a, ir::Value* b);
  ir::Value* iadd(ir::Value* a, ir::Value* b) { return intOp(ir::OpCode::IAdd, a, b); }
  ir::Value* isub(ir::Value* a, ir::Value* b) { return intOp(ir::OpCode::ISub, a, b); }
  ir::Value* imul(ir::Value* a, ir::Value* b) { return intOp(ir::OpCode::IMul, a, b); }
  ir::Value* logicalAnd(ir::Value* a, ir::Value* b);
  ir::Value* logicalOr(ir::Value* a, ir::Value* b);
  ir::Value* logicalNot(ir::Value* a);
  Interval rangeOf(const ir::Value* v) const;
  Affine affineOf(const ir::Value* v) const;
  // a - b where it is the same in every run.
  std::optional<int64_t> knownDifference(const ir::Value* a, const ir::Value* b) const;
  bool provablyLess(const ir::Value* a, const ir::Value* b) const;    // a < b
  bool provablyAtMost(const ir::Value* a, const ir::Value* b) const;  // a <= b
  void require(ir::Value* ok, ir::Status status, const std::string& text);
  ir::Value* tripCount(ir::Value* lo, ir::Value* hi, ir::Value* step);

  // --- indexing.cpp
  struct Selection {  // one subscript, evaluated
    enum class Kind { At, Range, All, Gather } kind = Kind::All;
    ir::Value* start = nullptr;  // At, Range
    ir::Value* size = nullptr;   // Range, All
    ir::Value* indices = nullptr;
  };
  Val evalIndex(const ast::IndexExpr& e);
  Selection rangeSelection(const ast::Subscript& subscript, ir::Value* size);
  std::vector<Selection> selections(const ast::IndexExpr& e, ir::Value* base);
  ir::Value* select(ir::Value* base, const std::vector<Selection>& at);
  ir::Value* assigned(ir::Value* base, const std::vector<Selection>& at, ir::Value* v,
                      ast::AssignOp op);
  ir::Value* scattered(ir::Value* base, const std::vector<Selection>& at, ir::Value* v);
  ir::Value* gatherAxis(ir::Value* base, size_t axis, ir::Value* indices);
  void checkIndex(ir::Value* i, ir::Value* size);
  void checkIndices(ir::Value* indices, ir::Value* size);

  // --- statements.cpp, loops.cpp
  void execLet(const ast::LetStmt& s);
  void bindPattern(const ast::LetStmt& s, const ast::Pattern& pattern, const Val& value, size_t& next);
  void execAssign(const ast::AssignStmt& s);
  Val partOf(const ast::Expr& target, const Val& root);
  std::vector<const ast::Binding*> assignedVariables(const Assignments& found) const;
  Val assignInto(const ast::Expr& target, const Val& current, const Val& value, ast::AssignOp op);
  Val sizedAs(const Val& current, const Val& value);
  const ast::NameExpr& rootName(const ast::Expr& target) const;
  void execFor(const ast::ForStmt& s);
  void execWhile(const ast::WhileStmt& s);
  void execReturn(const ast::ReturnStmt& s);
  void execPrint(const ast::PrintStmt& s);
  void execAssert(const ast::AssertStmt& s);
  Val sequence(const std::vector<ast::StmtPtr>& statements, size_t from, const ast::Expr* result);
  ir::Value* exited();  // null: no exit is possible here
  void prepareReturn();
  struct Rest {  // statements still to run, innermost block first
    const ast::BlockExpr* block = nullptr;
    size_t at = 0;
    const Rest* next = nullptr;
  };
  Val tail(Rest rest);
  Val tailValue(const ast::Expr& e);
  Val unlessReturned(Side rest);
  Side isolated(Side side);
  Val tailIf(const ast::IfExpr& e, const Rest& rest);
  Val tailBlock(const ast::Expr* e, const Rest& rest);
  class BreakScope;
  ir::Value* leaving(const Assignments& found);
  void restoreVariables(const std::vector<const ast::Binding*>& variables,
                        const std::vector<Val>& before, std::span<ir::Value* const> results);
  std::vector<ir::Value*> carriesOf(const std::vector<const ast::Binding*>& variables);
  void setVariables(const std::vector<const ast::Binding*>& variables,
                    std::span<ir::Value* const> leaves);
  Val& variable(const ast::Binding& binding);
  int64_t boundOf(const std::vector<ast::Attribute>& attributes);

  // --- early_exits.cpp
  bool evaluateAhead(const ast::Expr& e);
  bool evaluateAhead(const ast::Stmt& stmt);
  bool evaluateAhead(const std::vector<const ast::Expr*>& parts);
  std::vector<ir::Value*> unreached(ir::Value* flag, std::span<ir::Value* const> like);
  Val unlessLeft(ir::Value* out, const std::vector<const ast::Binding*>& merged, const Side& rest);
  Val evalUnlessLeft(const ast::Expr& e);

  // --- comprehensions.cpp
  Val evalComprehension(const ast::ComprehensionExpr& e);
  Val evalReduction(const ast::ReductionExpr& e);
  Val mapOver(std::span<const ast::Iterator> iterators, const Side& body);
  Val reduceOver(std::span<const ast::Iterator> iterators, sema::Builtin how, const Side& body);
  // Over the given axes of every leaf.
  Val reduced(sema::Builtin how, const Val& value, const std::vector<int64_t>& axes);
  ir::Value* reduced(sema::Builtin how, ir::Value* x, const std::vector<int64_t>& axes);
  bool isExtremeOfInts(sema::Builtin how, const Val& value) const;
  void requireSome(ir::Value* count);
  ir::Value* product(ir::Value* x, const std::vector<int64_t>& axes);
  ir::Value* countOf(ir::Value* x, const std::vector<int64_t>& axes);

  // --- calls.cpp, instances.cpp
  Val evalCall(const ast::CallExpr& e);
  Val derivativeForm(const ast::CallExpr& e, Form form);
  std::vector<NamedVal> evalArguments(const std::vector<ast::Argument>& arguments);
  // `bound` receives the values of the parameters.
  Val callUser(const ast::FnDecl& fn, std::vector<NamedVal> arguments, Env* bound = nullptr);
  Val callLambda(const FunctionValue& f, std::vector<NamedVal> arguments);
  Val callRecursive(const ast::FnDecl& fn, Frame& callee);
  bool keepsConstants(const ast::FnDecl& fn, const ast::Parameter& parameter) const;
  void noteSelfDerivative(const ir::Function& f);
  std::shared_ptr<const FunctionValue> closedFunction(const FunctionValue& f);
  Val closedFunctions(const Val& value);
  static std::shared_ptr<const FunctionValue> overValues(const FunctionValue& f,
                                                         std::vector<ir::Value*> closed_over);
  void bindParameters(const std::vector<ast::Parameter>& parameters,
                      std::vector<NamedVal> arguments, Frame& callee, const std::string& name);
  Val functionBody(const ast::FnDecl& fn);
  std::vector<std::string> parameterNames(const FunctionValue& f) const;
  std::vector<const types::Type*> parameterTypes(const FunctionValue& f) const;
  void parametersInto(const ast::FnDecl& fn, const Frame& caller, Frame& own);
  Val parameterLike(const Val& value, bool constants, const std::string& name);
  std::shared_ptr<const FunctionValue> parameterLike(const FunctionValue& f);
  Val placeholder(const types::Type& type);
  ir::Value* callDepth(const ast::FnDecl& fn);
  void limitDepth(const ast::FnDecl& fn);
  Instance& instanceOf(const ast::FnDecl& fn, const Frame& callee);

  // --- builtins.cpp, array_builtins.cpp
  Val callBuiltin(sema::Builtin builtin, std::vector<NamedVal> arguments);
  Val elementwiseBuiltin(sema::Builtin builtin, const Val& x);
  std::vector<Val> orderedArguments(sema::Builtin builtin, std::vector<NamedVal> arguments);
  Val integerDivision(sema::Builtin builtin, const Val& a, const Val& b);
  Val conversion(sema::Builtin builtin, const Val& x);
  Val reductionBuiltin(sema::Builtin builtin, std::vector<Val>& arguments);
  Val arrayBuiltin(sema::Builtin builtin, std::vector<Val>& arguments);
  Val shapeBuiltin(sema::Builtin builtin, std::vector<NamedVal>& arguments);
  void requireCountable(std::span<ir::Value* const> sizes);
  Val reshaped(std::vector<NamedVal>& arguments);
  Val joined(bool stack, std::vector<NamedVal>& arguments);
  Val matrixBuiltin(sema::Builtin builtin, std::vector<Val>& arguments);
  Val projection(sema::Builtin builtin, std::vector<Val>& arguments);
  ir::Value* irreducible(ir::OpCode code, std::vector<ir::Value*> operands, std::string kind = "");
  ir::Value* radiusOf(const Val& given);
  ir::Value* projectedOnL1(ir::Value* v, ir::Value* radius);
  ir::Value* projectedOnL2(ir::Value* v, ir::Value* radius);
  ir::Value* positivePart(ir::Value* matrix);
  ir::Value* nuclearNorm(ir::Value* a);
  ir::Value* clamped(ir::Value* x, ir::Value* lo, ir::Value* hi);
  Val extreme(bool max, const Val& a, const Val& b);
  ir::Value* relu(ir::Value* x, const char* kink = "relu");
  ir::Value* absolute(ir::Value* x);
  Val diagonal(const Val& x);
  Val maxPool(const Val& x, ir::Value* k);
  Val closeTo(const Val& a, const Val& b, ir::Value* tolerance);
  ir::Value* allTrue(ir::Value* v);
  int64_t constantArgument(const Val& value, const char* what);
  ir::Value* normInf(ir::Value* x);
  ir::Value* where(ir::Value* c, ir::Value* a, ir::Value* b);

  // --- derivatives.cpp
  // A closed function of the leaves of `arguments` made from what `body` emits; what it reads from
  // around becomes further parameters. Constant ints stay constants.
  struct Closed {
    std::unique_ptr<ir::Function> function;
    std::vector<ir::Value*> operands;  // of a call: argument leaves, then captured values
    std::vector<int> parameter_of;     // per leaf of the arguments; -1 where it is a constant
    Val result;                        // shape; its leaves only tell types
  };
  Closed close(const std::string& name, std::span<const Val> arguments,
               const std::function<Val(std::span<const Val>)>& body);
  // A request to differentiate: arguments by parameter of the base function (Unit where left out),
  // those of the derived function that follow, and which parameters are selected, in order.
  struct Differentiation {
    const FunctionValue* f = nullptr;
    std::vector<Val> arguments, further;
    std::vector<size_t> selected;
    Closed base;
    ad::Request request;
  };
  Val callDerivative(const FunctionValue& f, std::vector<NamedVal> arguments);
  void bindDerivative(Differentiation& d, std::vector<NamedVal> arguments);
  void closeBase(Differentiation& d);
  void warnOfJumps(const Differentiation& d);
  std::vector<ir::Value*> differentiated(
      Differentiation& d, std::vector<ir::Value*> more,
      const std::function<std::unique_ptr<ir::Function>(ir::Module&, const ir::Function&)>&
          transform);
  // The selected arguments with their real leaves replaced: bare if one, a tuple if several.
  Val likeSelected(const Differentiation& d, std::span<ir::Value* const> leaves);
  Val gradient(Differentiation& d);
  Val jacobian(Differentiation& d);
  Val tangent(Differentiation& d);
  Val cotangent(Differentiation& d);
  Val bothMaps(Differentiation& d);
  Val gradientError(Differentiation& d);
  Val inspection(Differentiation& d);
  Val tiesMet(Differentiation& d);
  Val jacobianParts(const Val& out, const Val& in,
                    const std::vector<std::vector<ir::Value*>>& blocks, size_t& row);

  // --- solve.cpp
  Val evalSolve(const ast::SolveExpr& e);
  // --- argmin.cpp
  Val evalArgmin(const ast::ArgminExpr& e);

  void setSpan(Span span);

  Shared& shared_;
  ir::Function& function_;
  const Lowerer::Environment* environment_;
  ir::Builder body_builder_;
  ir::Builder* builder_;
  Frame top_frame_;
  Frame* frame_;
  Span span_;
  int prelude_depth_ = 0;  // inside prelude code statuses point at the call
  std::unordered_map<const ir::Value*, Interval> ranges_;  // of loop indices
  // In an instance of a function with @bound: how deep its own calls are nested.
  std::unordered_map<const ast::FnDecl*, ir::Value*> call_depths_;
  std::vector<std::string> inputs_;
  std::unordered_map<std::string, Val> input_values_;
};

}  // namespace dini::lower
