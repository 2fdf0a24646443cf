// The body of a C++ function as a Dini block, in one pass over Clang's tree. Expressions give text; what
// they do besides (++, assignments, calls that write to arguments) becomes statements before it, in
// C++'s order of evaluation. Each variable has a name of its own in the whole function.
// Statements are in body_statements.cpp and body_loops.cpp, variables in body_variables.cpp, lvalues and views
// in body_places.cpp, expressions in body_expressions.cpp and body_operators.cpp, kinks in body_kinks.cpp, calls of the file's functions in
// body_calls.cpp, those of the standard library in body_library.cpp, what `dini emit` writes in body_arrays.cpp and body_solves.cpp.
#pragma once

#include <functional>
#include <optional>

#include <clang/AST/ExprCXX.h>
#include <clang/AST/StmtCXX.h>

#include "clang_frontend/changes.h"
#include "clang_frontend/source_arrays.h"
#include "clang_frontend/unit.h"

namespace dini::clang_frontend {

// How tightly the outermost operator of a text binds.
enum Level { kIf = 0, kOr = 10, kAnd = 20, kNot = 30, kCompare = 40, kAdd = 50, kMul = 60, kNegation = 70, kPrimary = 100 };
// What is known of an integer: nothing, that it is not negative, or that it is in [0, 2^31), as sizes and indices are.
enum class Range { Unknown, NonNegative, Small };

struct Value {
  Text text;
  int level = kPrimary;
  Range range = Range::Unknown;
  bool lasting = false;  // a literal or a name that never changes: later statements leave it as it is
};

// An lvalue, or a view: the elements of an array from an offset on.
struct Place {
  Text text;
  bool open = false;    // ends inside an index list: A[i
  bool single = false;  // a pointer to one number: `text` is the number
  bool lasting = false; // a variable that never changes
  Range range = Range::Unknown;
  std::optional<Value> offset = std::nullopt, count = std::nullopt;
};

class Body {
 public:
  Body(Unit& unit, const Signature& signature, Form form);
  // The statements between the braces of the function.
  Text lower();

 private:
  struct Variable {
    std::string name;
    Shape shape;
    bool single = false;
    Range range = Range::Unknown;
  };
  // How `continue` leaves the rest of the innermost loop's body.
  struct Loop {
    std::string skip;      // the flag that it sets; empty: not needed
    bool breakable = true; // false inside a switch, whose own `break` ends a case
  };

  // --- lines
  void line(const Text& text, const clang::Stmt& at);
  Text indentation() const { return std::string(2*static_cast<size_t>(depth_), ' '); }
  Text block(const std::function<void()>& make);
  void braces(const Text& head, const Text& body, const clang::Stmt& at);
  std::string temporary(const Value& value, const clang::Stmt& at, const std::string& wanted = "t");
  // Lowers in order; what a later one does first does not change an earlier one.
  std::vector<Value> inOrder(const std::vector<std::function<Value()>>& makers, const clang::Expr& at);

  // --- variables
  void parameters();
  Value unset(const Shape& shape, const clang::Stmt& at);
  Value zero(const Shape& shape, const clang::Stmt& at);
  Value filled(const Shape& shape, const std::string& element);
  void declare(const clang::VarDecl& variable, const clang::Stmt& at);
  void declareReference(const clang::VarDecl& variable, const clang::Stmt& at);
  Value initial(const clang::Expr& value, const Shape& shape);
  Value constructed(const clang::CXXConstructExpr& made, const Shape& shape);
  Value vectorOf(const clang::CXXConstructExpr& made, const Shape& shape);
  Value listed(const clang::InitListExpr& list, const Shape& shape);
  const Variable& variable(const clang::VarDecl& decl, const clang::Expr& at);
  std::optional<Value> constant(const clang::Expr& expr);
  Value literal(const clang::APValue& value, const Shape& shape, const clang::Expr& at);
  const Variable& global(const clang::VarDecl& decl, const clang::Expr& at);

  // --- statements
  void statement(const clang::Stmt* stmt);
  void sequence(const std::vector<const clang::Stmt*>& statements);
  void ifStatement(const clang::IfStmt& stmt);
  void switchStatement(const clang::SwitchStmt& stmt);
  void returnStatement(const clang::ReturnStmt* stmt, const clang::Stmt& at);
  void breakStatement(const clang::Stmt& at);
  void expressionStatement(const clang::Expr& expr);
  [[noreturn]] void refuseStatement(const clang::Stmt& stmt);
  void forStatement(const clang::ForStmt& stmt);
  bool countedLoop(const clang::ForStmt& stmt);
  void rangeLoop(const clang::CXXForRangeStmt& stmt);
  // while (condition) { body; step }, condition null: true.
  void loop(const clang::Expr* condition, const clang::Stmt& body, const clang::Expr* step, const clang::Stmt& at);
  void doStatement(const clang::DoStmt& stmt);
  Text loopBody(const clang::Stmt& body, const std::function<void()>& before, const std::function<void()>& after);
  Text result(const std::optional<Value>& value) const;

  // --- expressions
  Value expression(const clang::Expr* expr);
  Value plain(const clang::Expr* expr);
  Value condition(const clang::Expr& expr);
  Value cast(const clang::CastExpr& cast);
  Value toInteger(Value value, clang::QualType from, clang::QualType to);
  Value toReal(Value value, clang::QualType from, const clang::Expr& at);
  Value rounded(Value value, clang::QualType type);
  Value unary(const clang::UnaryOperator& op);
  Value step(const clang::UnaryOperator& op, bool value_used);
  Value binary(const clang::BinaryOperator& op);
  Value arithmetic(clang::BinaryOperatorKind kind, Value a, Value b, clang::QualType type, const clang::Expr& at);
  Value integers(clang::BinaryOperatorKind kind, Value a, Value b, clang::QualType type, const clang::Expr& at);
  Value comparison(const clang::BinaryOperator& op);
  Value logical(const clang::BinaryOperator& op);
  Value conditional(const clang::ConditionalOperator& op);
  Value choice(const clang::Expr& at, const Value& condition, const Shape& shape, const std::function<Value()>& yes,
               const std::function<Value()>& no);
  std::optional<Value> extremum(clang::BinaryOperatorKind op, const Value& p, const Value& q, const Value& yes, const Value& no,
                                const clang::Stmt& at);
  std::optional<Value> kink(const clang::Expr& condition, const std::function<Value()>& yes, const std::function<Value()>& no,
                            const clang::Stmt& at);
  bool clampStatement(const clang::IfStmt& stmt);
  Value assignment(const clang::BinaryOperator& op, bool value_used);
  void checkWritable(const clang::Expr& target);
  void assign(const Place& place, const Value& value, const clang::Expr& at);

  // --- places
  Place place(const clang::Expr* expr);
  Place view(const clang::Expr* expr);
  Place element(Place base, Value index);
  Value indexOf(const clang::Expr& expr);
  Text whole(const Place& place) const;
  Value read(const Place& place) const;
  // What an array's or view's leading dimension is.
  Value length(const Place& place) const;

  // --- calls
  Value call(const clang::CallExpr& call);
  Value callOwn(const clang::CallExpr& call, const clang::FunctionDecl& callee, const clang::Expr* object);
  Value argument(const clang::Expr& expr, const Signature::Parameter& parameter, std::optional<Place>& target);
  void checkArguments(const Signature& signature, const std::vector<const clang::Expr*>& arguments);
  std::optional<Value> memberOfStandard(const clang::CXXMemberCallExpr& call);
  std::optional<Value> standard(const clang::CallExpr& call, const std::string& name);
  std::optional<Value> mathematics(const clang::CallExpr& call, const std::string& name);
  std::optional<Value> extreme(const clang::CallExpr& call, const std::string& name);
  std::optional<Value> algorithm(const clang::CallExpr& call, const std::string& name);
  Value named(Value value, const clang::Stmt& at);

  // --- dini/source.hpp
  Dims sizes(const clang::Expr& array);
  static void size(Shape& shape, const Dims& dims);
  Value over(const Dims& dims, const std::function<Text(const std::vector<std::string>&)>& element);
  Value sourceConstructed(const clang::CXXConstructExpr& made, Shape shape);
  Place sourceElement(const clang::CXXOperatorCallExpr& op);
  bool isSourceBool(const clang::Expr& expr);
  bool elementwise(const clang::ForStmt& stmt);
  bool onlyElementsAt(const clang::VarDecl& index, const Dims& dims, const clang::Stmt* stmt);
  Value sourceMember(const clang::CXXMemberCallExpr& call);
  Value listedElements(const Dims& dims, const std::vector<const clang::Expr*>& elements, const clang::Expr& at);
  std::vector<Value> sourceArguments(const clang::CallExpr& call);
  bool sourceStore(const clang::CallExpr& call, const std::string& name);
  Text ranges(const clang::Expr& starts, const Dims& dims);
  std::optional<Value> sourceCall(const clang::CallExpr& call, const clang::FunctionDecl& callee);
  std::optional<Value> rearranged(const clang::CallExpr& call, const std::string& name);
  bool declareSource(const clang::VarDecl& decl, const clang::Stmt& at);
  const clang::Expr* inlined(const clang::CXXOperatorCallExpr& call);
  Value sourceResidual(const clang::CXXMemberCallExpr& call, const std::string& name);
  bool orderedSum(const clang::ForStmt& stmt);
  Value declaredPart(const clang::Expr& matrix, const clang::Expr& kind);
  std::optional<Value> derivativeOf(const clang::CallExpr& call, const std::string& name);
  Text stacked(const clang::Expr& list, const clang::Expr& like);
  std::optional<Value> linearSystem(const clang::CallExpr& call, const std::string& name);
  void tryStatement(const clang::CXXTryStmt& stmt);

  Unit& unit_;
  Names names_;  // of this function
  const Signature& signature_;
  Form form_;
  Text out_;       // lines of the block that is being made
  Text prologue_;  // lines before all others: constants of the file
  int depth_ = 1;
  std::map<const clang::VarDecl*, Variable> variables_;
  std::map<const clang::VarDecl*, Variable> globals_;
  Variable object_;  // *this
  // The largest difference of the sides of equations, their largest magnitude, whether all are finite.
  struct Sides {
    std::string difference, scale, finite;
  };
  std::map<const clang::VarDecl*, Sides> sides_;
  Variables sums_;
  // Factors of a matrix, and copies of theirs: the name of the matrix.
  std::map<const clang::VarDecl*, std::string> factors_;
  // What a decomposition gives, by the fields' names.
  std::map<const clang::VarDecl*, std::map<std::string, std::string>> parts_;
  // Indices that count the elements of arrays of these sizes, as one name for each axis.
  std::map<const clang::ValueDecl*, std::pair<Dims, std::vector<std::string>>> flat_;
  Variables changing_;
  std::vector<Loop> loops_;
};

// Whether a `continue` of the loop around is in the statement.
bool continues(const clang::Stmt* stmt);
// Whether one of the loop body's is anywhere but in an `if (...) continue;` of its own.
bool needsFlag(const clang::Stmt& body);
// Text of an operator between two operands, with the brackets that it needs.
Value joined(const Value& a, const char* op, int level, const Value& b);
Text inside(const Value& value, int level);
// Whether a text is a number.
bool isNumeral(const Value& value);
Value numeral(double value);
Value numeral(int64_t value);

}  // namespace dini::clang_frontend
