// Which variables a piece of C++ may change: by assignment, ++ and --, or because a function gets a pointer
// or reference through which it may write.
#pragma once

#include <set>

#include <clang/AST/Decl.h>
#include <clang/AST/Stmt.h>

namespace dini::clang_frontend {

using Variables = std::set<const clang::VarDecl*>;

// Null stands for the object of a member function.
Variables changedIn(const clang::Stmt* stmt);
// The variable whose memory an lvalue, pointer or view is part of; false where there is none.
bool rootOf(const clang::Expr* expr, const clang::VarDecl*& root);
// Every variable that is read, for more than the length of an array.
Variables readIn(const clang::Stmt* stmt);
// Whether a parameter of this type lets the callee write to the argument.
bool writesThrough(clang::QualType type);

}  // namespace dini::clang_frontend
