// The checker proper: annotates one declaration, statement or expression at a time. One class,
// several sources: checker.cpp (scopes, names, fitting types), types.cpp (written types,
// signatures), expressions.cpp, indexing.cpp, operators.cpp, calls.cpp, functions.cpp (lambdas and
// functions as values), derivatives.cpp, builtins.cpp, array_builtins.cpp, solve.cpp,
// argmin.cpp, statements.cpp. Program (program.cpp) decides what is checked, and in which order.
//
// Invariants: check(e) always sets e.type, and reports at most once for one mistake (Kind::Error
// fits everywhere). Types of expressions may hold flexible sizes until finish() resolves them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "diag/diagnostic.h"
#include "sema/names.h"
#include "sema/sema.h"
#include "sema/sizes.h"
#include "syntax/ast.h"

namespace dini::sema {

using types::Kind;
using types::Scalar;
using types::Size;
using types::Type;
using types::TypePtr;

struct Parameter {
  std::string name;
  TypePtr type;
  Span span;  // of the declaration, invalid for builtins
  bool has_default = false;
  std::optional<Size> size;  // an int that is a size
};
// A function as calls see it: sizes that the call binds are flexible.
struct Signature {
  std::string name;  // empty for anonymous ones
  std::vector<Parameter> parameters;
  TypePtr result;
};

enum class ScopeKind { Function, Lambda, Block, Loop, Comprehension, Solve, Try };
struct Scope {
  ScopeKind kind = ScopeKind::Block;
  std::unordered_map<std::string, ast::BindingPtr> names;
  ast::LambdaExpr* lambda = nullptr;
  TypePtr result;  // Function: declared; Lambda: of the return statements so far, or null
};

class Checker {
 public:
  Checker(World& world, SizeTable& sizes, DiagnosticSink& sink)
      : world_(world), sizes_(sizes), sink_(sink) {}

  // --- declarations (types.cpp, functions.cpp)
  void declareType(ast::TypeDecl& decl);
  void declareFunction(ast::FnDecl& decl);
  void checkBody(ast::FnDecl& decl);
  void checkTest(ast::TestDecl& test);
  void checkBound(const ast::FnDecl& decl);
  // --- the top level (statements.cpp)
  void checkTopStatement(ast::Stmt& statement, TopLevel& scope);
  void checkTopExpression(ast::Expr& expression, TopLevel& scope);
  // Functions that the body of each function names.
  const std::unordered_map<const ast::FnDecl*, std::vector<const ast::FnDecl*>>& calls() const {
    return calls_;
  }

 private:
  // --- checker.cpp
  Diagnostic& report(DiagCode code, Span span, std::string message, std::string label = "");
  TypePtr error(DiagCode code, Span span, std::string message, std::string label = "");
  std::string str(const TypePtr& type) const { return sizes_.str(*type); }
  void suggest(Diagnostic& diagnostic, const std::string& name,
               const std::vector<std::string>& candidates);
  ast::BindingPtr bind(ast::BindingKind kind, const ast::Name& name, TypePtr type);
  ast::BindingPtr lookUp(const std::string& name);
  void noteValue(const ast::BindingPtr& binding, const ast::Expr* value);
  std::vector<std::string> visibleNames(FileId file);
  TypePtr checkName(ast::NameExpr& expr);
  void reportUnknownName(const ast::NameExpr& expr);
  // Whether a value of `actual` may stand where `expected` is wanted: an int as a real, sizes
  // unified. `type_differs` tells a wrong type from a wrong size.
  bool fits(const TypePtr& expected, const TypePtr& actual, Span where, bool& type_differs);
  // Reports where it does not; `why` completes "the argument is ..., ", `place` is labelled.
  bool fit(const TypePtr& expected, ast::Expr& value, const std::string& what, Span place = {},
           const std::string& place_label = "");
  // The type that both fit (an int beside a real), or null.
  TypePtr join(const TypePtr& a, const TypePtr& b, bool& type_differs);
  Verdict unifyDims(const std::vector<Size>& a, const std::vector<Size>& b, Span where = {});
  std::optional<Size> sizeOf(const ast::Expr& expr);
  std::optional<Size> sizeOfBinary(const ast::BinaryExpr& expr);
  std::optional<Size> sizeOfCall(const ast::CallExpr& call);
  Size sizeOrUnknown(const ast::ExprPtr& expr);
  // An int expression that is to be a dimension; unknown where its value is.
  Size checkSize(ast::ExprPtr& expr, const std::string& what);
  void finish();

  // --- types.cpp
  TypePtr resolveType(ast::TypeExpr& type);
  TypePtr resolveRecord(ast::TypeExpr& type);
  TypePtr recordOf(const ast::TypeDecl& decl, const std::vector<Size>& arguments);
  Size resolveDimension(ast::ExprPtr& dim);
  // Binds the size names of a list of parameters in the current scope, and the parameters.
  void declareParameters(std::vector<ast::Parameter>& parameters, const ast::TypeExpr* result,
                         std::vector<ast::BindingPtr>& sizes);
  void declareSizes(std::vector<ast::Parameter>& parameters, const ast::TypeExpr* result,
                    std::vector<ast::BindingPtr>& sizes);
  void checkAttributes(std::vector<ast::Attribute>& attributes, bool on_function);
  void checkTies(ast::Attribute& attribute);

  // --- expressions.cpp
  TypePtr check(ast::ExprPtr& expr, const TypePtr& expected = nullptr);
  TypePtr checkTyped(ast::Expr& expr, const TypePtr& expected = nullptr);
  TypePtr checkKind(ast::Expr& expr, const TypePtr& expected);
  TypePtr checkArrayLiteral(ast::ArrayLiteralExpr& expr);
  TypePtr checkRecordLiteral(ast::RecordLiteralExpr& expr);
  void checkIterators(std::vector<ast::Iterator>& iterators, std::vector<Size>& dims,
                      bool rectangular);
  TypePtr checkComprehension(ast::ComprehensionExpr& expr);
  TypePtr batched(const TypePtr& body, const std::vector<Size>& dims, Span span);
  TypePtr checkReduction(ast::ReductionExpr& expr);
  TypePtr checkIf(ast::IfExpr& expr, const TypePtr& expected);
  TypePtr checkTry(ast::TryExpr& expr, const TypePtr& expected);
  TypePtr checkBlock(ast::BlockExpr& expr, const TypePtr& expected);
  TypePtr checkField(ast::FieldExpr& expr);
  bool checkCondition(ast::ExprPtr& expr, const std::string& what);
  // --- sparse.cpp: sparse[m, n] is the prelude's record `sparse`, with the number of entries behind
  bool isSparse(const Type& type) const { return type.kind == Kind::Record && type.name == "sparse"; }
  TypePtr sparseType(Size rows, Size columns, Size entries);
  TypePtr resolveSparse(ast::TypeExpr& type);
  void nameEntries(ast::TypeExpr& type, const std::string& name);
  TypePtr sparseProduct(ast::BinaryExpr& expr);
  TypePtr sparseSystem(ast::BinaryExpr& expr);
  TypePtr sparseIndex(ast::IndexExpr& expr);
  // --- indexing.cpp
  TypePtr checkIndex(ast::IndexExpr& expr);
  bool checkSubscript(ast::Subscript& subscript, const Size& dim, std::vector<Size>& dims);
  // --- operators.cpp
  TypePtr checkUnary(ast::UnaryExpr& expr);
  TypePtr checkBinary(ast::BinaryExpr& expr);
  TypePtr checkTranspose(ast::TransposeExpr& expr);
  TypePtr badOperands(const ast::BinaryExpr& expr, const std::string& help = "");
  TypePtr sizesDiffer(const ast::BinaryExpr& expr, const std::string& rule);
  TypePtr additive(ast::BinaryExpr& expr);
  TypePtr elementwise(ast::BinaryExpr& expr, Scalar result);
  TypePtr multiply(ast::BinaryExpr& expr);
  TypePtr multiplyCovector(ast::BinaryExpr& expr);
  TypePtr divide(ast::BinaryExpr& expr);
  TypePtr solveLinear(ast::BinaryExpr& expr);
  TypePtr power(ast::BinaryExpr& expr);
  TypePtr compare(ast::BinaryExpr& expr);
  TypePtr logical(ast::BinaryExpr& expr);

  // --- calls.cpp
  TypePtr checkCall(ast::CallExpr& expr, const TypePtr& expected);
  // Fills order; false (reported) where the arguments do not go with the parameters.
  // `skip`: a parameter that something else supplies.
  bool matchArguments(const Signature& signature, std::vector<ast::Argument>& arguments, Span call,
                      std::vector<int>& order, const std::function<bool(size_t)>& skip = nullptr);
  bool nothingMissing(const Signature& signature, Span call, const std::vector<int>& order);
  bool checkArguments(const Signature& signature, std::vector<ast::Argument>& arguments, Span call,
                      const std::vector<int>& order, const std::string& callee);
  bool fitArgument(const Signature& signature, size_t k, ast::ExprPtr& value,
                   const std::string& callee);
  void checkLeftovers(std::vector<ast::Argument>& arguments);
  // --- functions.cpp
  Signature instantiate(const ast::FnDecl& decl);
  // The signature of a checked expression of Function type.
  Signature signatureOf(const ast::Expr& expr);
  bool checkFunctionArgument(ast::ExprPtr& value, const TypePtr& expected, const std::string& what,
                             Span place);
  TypePtr checkLambda(ast::LambdaExpr& expr, const TypePtr& expected);
  std::optional<Signature> builtinSignature(Builtin builtin);
  void setSignature(const ast::Expr& expr, Signature signature);
  void checkFunctionBody(ast::FnDecl& decl, const TypePtr& result);
  static Span declaredResult(const ast::FnDecl& decl);
  // --- derivatives.cpp
  TypePtr checkDerivative(ast::CallExpr& expr, Builtin builtin);
  // certificate(f), certified(f): take what f takes.
  TypePtr checkInspection(ast::CallExpr& expr, Builtin builtin);
  bool checkFormOperand(ast::CallExpr& expr, Builtin builtin, Signature& f);
  bool selectParameters(ast::CallExpr& expr, const Signature& f, std::vector<size_t>& selected);
  Signature derivedSignature(const Signature& f, const std::vector<size_t>& selected,
                             Builtin builtin);
  TypePtr jacobian(const TypePtr& out, const TypePtr& in);
  // --- builtins.cpp, array_builtins.cpp
  struct Operands;
  TypePtr checkBuiltinCall(ast::CallExpr& expr, Builtin builtin, const TypePtr& expected);
  bool gatherOperands(ast::CallExpr& expr, Builtin builtin, Operands& operands);
  TypePtr builtinResult(Operands& operands);
  // The result of a builtin for operands of given types, as when it is passed as a function.
  TypePtr builtinApplied(Builtin builtin, const std::vector<TypePtr>& operands, Span span);
  TypePtr elementwiseUnary(Operands& operands);
  TypePtr elementwiseMany(Operands& operands);
  TypePtr extremes(Operands& operands);
  TypePtr reduce(Operands& operands);
  TypePtr fill(Operands& operands);
  TypePtr reshape(Operands& operands);
  TypePtr concatenate(Operands& operands);
  TypePtr reorder(Operands& operands);
  TypePtr diagonal(Operands& operands);
  TypePtr norms(Operands& operands);
  TypePtr maxPool(Operands& operands);
  TypePtr vectorProjection(Operands& operands);
  TypePtr linearAlgebra(Operands& operands);
  TypePtr closeness(Operands& operands);
  TypePtr conversion(Operands& operands);
  TypePtr hashing(Operands& operands);
  TypePtr files(Operands& operands);
  TypePtr operandError(const Operands& operands, size_t k, const std::string& wanted);
  bool axisOf(const Operands& operands, size_t rank, size_t& axis);

  // --- solve.cpp
  TypePtr checkSolve(ast::SolveExpr& expr);
  void checkUnknowns(std::vector<ast::Unknown>& unknowns), checkLets(std::vector<ast::StmtPtr>& lets);
  // False where their number was found wrong.
  bool checkEquations(ast::SolveExpr& expr);
  bool reportedInside(Span span) const;
  std::optional<Size> checkEquation(ast::SolveExpr& expr, ast::ExprPtr& equation);
  bool countEquations(ast::SolveExpr& expr, const Size& equations);
  // Where the block is in fixed-point form nothing, otherwise why it is not.
  std::optional<std::string> notFixedPoint(const ast::SolveExpr& expr, Span& where);
  void checkSolver(ast::SolveExpr& expr);
  void checkGiven(ast::SolveExpr& expr);
  void checkProtocol(ast::SolveExpr& expr, ast::SolverClause& clause, const ast::FnDecl& solver);
  bool suppliesForms(ast::SolveExpr& expr, ast::SolverClause& clause, const Signature& signature,
                     const TypePtr& vector);
  Diagnostic& badSolver(ast::SolverClause& clause, const std::string& message, Span place,
                        const std::string& label);
  void checkDifferentiate(ast::DifferentiateClause& clause);
  void checkNeumann(const ast::SolveExpr& expr);
  void reportNoSolver(ast::SolverClause& clause);
  TypePtr checkArgmin(ast::ArgminExpr& expr);  // --- argmin.cpp
  void checkObjective(ast::ArgminExpr& expr), checkLabels(ast::ArgminExpr& expr);
  TypePtr checkConstraint(ast::ArgminConstraint& constraint), checkCone(ast::BinaryExpr& relation);
  TypePtr checkWith(ast::ArgminExpr& expr);
  void checkArgminSolver(ast::ArgminExpr& expr);
  bool suppliesData(ast::ArgminExpr& expr, const Signature& signature);

  // --- statements.cpp
  void checkStatement(ast::Stmt& statement);
  void checkLet(ast::LetStmt& statement);
  void bindPattern(ast::LetStmt& statement, const ast::Pattern& pattern, const TypePtr& type);
  void checkVar(ast::VarStmt& statement);
  void checkAssign(ast::AssignStmt& statement);
  bool checkAssignable(const ast::Expr& target);
  void checkLoopBody(ast::BlockExpr* body);
  void noteUnused(const ast::Expr& value);
  const ast::NameExpr* assignedName(const ast::Expr& target);
  void checkFor(ast::ForStmt& statement);
  void checkReturn(ast::ReturnStmt& statement);
  void checkBreak(const ast::BreakStmt& statement);
  void checkPrint(ast::PrintStmt& statement);
  void checkExpressionStatement(ast::ExprStmt& statement);
  void declareLocal(ast::BindingKind kind, const ast::Name& name, const TypePtr& type,
                    const ast::Expr* value, ast::BindingPtr& binding);
  bool isStorable(const TypePtr& type, Span span, const std::string& what);

  struct ScopeGuard {
    explicit ScopeGuard(Checker& c, ScopeKind kind) : checker(c) {
      checker.scopes_.push_back({kind, {}, nullptr, nullptr});
    }
    ~ScopeGuard() { checker.scopes_.pop_back(); }
    ScopeGuard(const ScopeGuard&) = delete;
    Checker& checker;
  };

  World& world_;
  SizeTable& sizes_;
  DiagnosticSink& sink_;
  std::vector<Scope> scopes_;
  TopLevel* top_ = nullptr;                // while a top-level statement is checked
  const ast::FnDecl* function_ = nullptr;  // while its body is checked
  size_t depth_ = 0;
  size_t unknown_uses_ = 0;             // names resolved to unknowns of open solve blocks
  std::vector<ast::Expr*> unfinished_;  // typed with flexible sizes
  std::vector<ast::BindingPtr> unfinished_bindings_;
  std::unordered_map<const ast::Expr*, Signature> signatures_;  // until finish()
  std::unordered_map<ast::BindingPtr, Signature> alias_signatures_;
  std::unordered_map<ast::BindingPtr, Size> values_;  // of immutable ints, if not Binding::size
  std::unordered_set<const ast::TypeDecl*> open_types_, closed_types_;
  std::unordered_map<const ast::FnDecl*, std::vector<const ast::FnDecl*>> calls_;
};

// Every path through the block ends in a return.
bool alwaysReturns(const ast::Expr* block);
Size elements(const std::vector<Size>& dims);  // scalars in an array; in all unknowns of a block:
Size unknownElements(const std::vector<ast::Unknown>& unknowns);
// "1 equation", "2 equations".
std::string counted(size_t count, const std::string& noun);
bool isNumeric(const Type& type);  // an array of reals or ints
std::optional<Builtin> builtinNamed(const std::string& name);
bool isRealElementwise(Builtin builtin);  // real -> real, any shape

}  // namespace dini::sema
