// The arrays of runtime/include/dini/source.hpp, which C++ that `dini emit` wrote computes with. Their type does
// not say their sizes, and a type of Dini does; the program does, as `dini emit` writes it for sizes that are known:
// where an array is made, `ds::reals t({3, 4})`, where a variable is first assigned to, by what the operations do.
// Not here: how the operations are lowered (body_arrays.cpp).
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <clang/AST/ASTContext.h>
#include <clang/AST/ExprCXX.h>

namespace dini::clang_frontend {

using Dims = std::vector<int64_t>;

// The name of a class of that header ("array", "residual"), or "".
std::string sourceClass(clang::QualType type);
// The name of a function of that header, or of a static member of its arrays.
std::string sourceFunction(const clang::FunctionDecl& function);
// Without casts, temporaries, copies and moves.
const clang::Expr* bare(const clang::Expr* expr);
// The expressions between braces, `{a, b}`; nothing where these are no braces.
std::optional<std::vector<const clang::Expr*>> braced(const clang::Expr* expr);
// What the function returns, by its first `return`.
const clang::Expr* returned(const clang::FunctionDecl& function);

class SourceArrays {
 public:
  explicit SourceArrays(const clang::ASTContext& context) : context_(context) {}
  // Nothing where the sizes are not constants of the program.
  std::optional<Dims> dims(const clang::Expr* expr);
  std::optional<Dims> dims(const clang::VarDecl& variable);
  std::optional<Dims> numbers(const clang::Expr* list) const;
  std::optional<int64_t> number(const clang::Expr* expr) const;
  // Of a span whose elements become an array of known sizes.
  std::optional<int64_t> length(const clang::ParmVarDecl& span);
  // The parameters get the sizes of the arguments.
  void bind(const clang::FunctionDecl& function, const std::vector<const clang::Expr*>& arguments);

 private:
  std::optional<Dims> ofCall(const clang::CallExpr& call);
  std::optional<Dims> ofOperation(const std::string& name, const clang::CallExpr& call);
  std::optional<Dims> ofPart(const clang::CallExpr& call, const std::string& kind, const std::string& field);
  std::optional<Dims> ofField(const clang::MemberExpr& member);

  const clang::ASTContext& context_;
  std::map<const clang::VarDecl*, Dims> known_;
  std::set<const clang::VarDecl*> open_;
};

}  // namespace dini::clang_frontend
