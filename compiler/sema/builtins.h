// The operands of a call of a builtin, as the typing rules see them. Rules are in builtins.cpp and
// array_builtins.cpp; parameter names in builtin_table.cpp.
#pragma once

#include "sema/checker.h"

namespace dini::sema {

struct Checker::Operands {
  Builtin builtin{};
  Span span;                   // of the call
  std::vector<TypePtr> types;  // null: left out
  std::vector<Span> spans;
  std::vector<ast::ExprPtr*> exprs;  // null where only types are known
  const ast::Expr* axis = nullptr;

  bool has(size_t k) const { return k < types.size() && types[k]; }
  const Type& operator[](size_t k) const { return *types[k]; }
};

// How many of builtinParameters a call must give.
size_t requiredParameters(Builtin builtin);
bool takesAnyNumber(Builtin builtin);

}  // namespace dini::sema
