// Typed tree to IR. Functions are instantiated on demand with concrete argument types (sizes,
// function arguments, tie policy); what a derivative form asks for is differentiated (ad/) as soon
// as the function it applies to is lowered. Records and tuples become lists of leaves, in
// declaration order.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ad/ad.h"
#include "diag/diagnostic.h"
#include "ir/ir.h"
#include "ir/tensor.h"
#include "sema/sema.h"

namespace dini::lower {

// A concrete type (sizes are constants) and its leaves: a top-level variable's value.
struct HostValue {
  types::TypePtr type;
  std::vector<ir::Tensor> leaves;
  bool varies = false;  // an int that is no constant of the code that reads it
};
// Leaf types of a concrete type, in declaration order.
std::vector<ir::Type> leafTypes(const types::Type& type);

// What a failing solve does: end the call with its status, or give NaN with a warning (a line on
// the print channel, ir::failureNotice).
enum class OnFailure { Status, Nan };

// Of solves: sparse where they are found to be, or dense always: for code that may not allocate, or has no KLU.
enum class Jacobians { Found, Dense };

struct Options {
  ad::TieOptions ties;
  OnFailure on_failure = OnFailure::Status;
  Jacobians jacobians = Jacobians::Found;
};

// An IR function made from source: parameters are the leaves of `inputs`, results those of `type`.
struct Lowered {
  const ir::Function* function = nullptr;
  std::vector<std::string> inputs;  // names of the top-level variables that it reads
  types::TypePtr type;              // of the result, concrete but for kDynamic sizes
};

class Lowerer {
 public:
  Lowerer(const sema::Program& program, DiagnosticSink& sink, Options options);
  ~Lowerer();
  ir::Module& module();

  using Environment = std::unordered_map<std::string, HostValue>;  // types of top-level variables
  // A checked top-level expression, a test's body, or a statement's effect on variables. Reports
  // and gives nullopt where it cannot (a limitation, a size that does not fit).
  std::optional<Lowered> lowerExpression(const ast::Expr& expression,
                                         const Environment& environment);
  // Results: the leaves of each variable that the statement defines or assigns, in `outputs` order.
  std::optional<Lowered> lowerStatement(const ast::Stmt& statement, const Environment& environment,
                                        std::vector<std::string>& outputs);
  std::optional<Lowered> lowerBlock(const ast::BlockExpr& block, const Environment& environment);
  // A named function for given argument types (`emit --fn`, `build`). `constants` holds, by name,
  // the int parameters whose value is known: the IR function has no parameter for them.
  using Constants = std::map<std::string, int64_t>;
  std::optional<Lowered> lowerFunction(const ast::FnDecl& function,
                                       const std::vector<types::TypePtr>& argument_types,
                                       const Constants& constants = {});
  // A derivative of it by all parameters that hold reals: "grad", "value_and_grad", "jvp" (tangents
  // follow the arguments), "vjp" (the cotangent follows), "jac" or "hess"; or "maps": value, tangent and cotangent, after both.
  // `result`: the function's, with the sizes of the cotangent that are known; null: as it is declared.
  std::optional<Lowered> lowerDerivative(const ast::FnDecl& function,
                                         const std::vector<types::TypePtr>& argument_types,
                                         const std::string& form,
                                         const Constants& constants = {},
                                         const types::TypePtr& result = nullptr);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dini::lower
