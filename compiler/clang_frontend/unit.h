// The functions of one C++ file that become Dini, and the order in which they are lowered: the exported
// ones, then what they call.
//
// A function with arrays may come in two forms. The inner one is what other C++ functions call: each array
// has a size of its own, and each parameter that is written is a parameter and a result. The outer
// one is what importers see: sizes are those of the annotations, and `out` parameters are results only.
// Not here: bodies (body.h), types (shapes.h).
#pragma once

#include <deque>
#include <map>
#include <set>

#include <clang/AST/ASTContext.h>
#include <clang/AST/DeclCXX.h>

#include "clang_frontend/annotations.h"
#include "clang_frontend/shapes.h"
#include "clang_frontend/source_arrays.h"

namespace dini::clang_frontend {

enum class Form { Inner, Outer };

struct Signature {
  struct Parameter {
    enum class Role { In, InOut, Out };
    const clang::ParmVarDecl* decl = nullptr;  // null: the object of a member function
    std::string name;
    Shape shape;
    Role role = Role::In;
    std::string size;     // of the annotation
    bool single = false;  // a pointer to one number
  };
  const clang::FunctionDecl* function = nullptr;
  std::string outer;  // its name for importers; empty: it is not exported
  std::string inner;  // its name for other C++ functions
  std::vector<Parameter> parameters;
  Shape result;       // kind None: void
  std::string bound;  // of a recursive function
  bool separate = false;  // the two forms differ
};

class Unit {
 public:
  Unit(clang::ASTContext& context, clang_client::ImportAnswer& answer)
      : context_(context), answer_(answer), reporter_(context.getSourceManager(), context.getLangOpts(), answer),
        shapes_(reporter_, names_), arrays_(context) {}

  // Lowers the annotated functions and those named, and all that they call, into the answer.
  void import(const std::vector<const clang::FunctionDecl*>& functions);

  clang::ASTContext& context() { return context_; }
  Reporter& reporter() { return reporter_; }
  Shapes& shapes() { return shapes_; }
  SourceArrays& arrays() { return arrays_; }
  Names& names() { return names_; }
  // A function of the text that stands for an operation of C++; it is added to the text.
  std::string helper(const std::string& name);
  // The signature of a function that is called at `call`, which is lowered later.
  const Signature& called(const clang::FunctionDecl& function, const clang::Stmt& call);

 private:
  Signature& declare(const clang::FunctionDecl& function);
  Signature::Parameter parameter(const clang::ParmVarDecl& decl);
  void sizeResult(Signature& signature);
  void checkAliases(const Signature& signature);
  void checkRecursion();
  void lower(const Signature& signature, Form form);

  clang::ASTContext& context_;
  clang_client::ImportAnswer& answer_;
  Reporter reporter_;
  Names names_;
  Shapes shapes_;
  SourceArrays arrays_;
  std::map<const clang::FunctionDecl*, Signature> signatures_;
  std::deque<std::pair<const clang::FunctionDecl*, Form>> waiting_;
  std::set<std::pair<const clang::FunctionDecl*, Form>> seen_;
  std::map<const clang::FunctionDecl*, std::vector<std::pair<const clang::FunctionDecl*, clang_client::Place>>> calls_;
  const clang::FunctionDecl* current_ = nullptr;
  std::set<std::string> helpers_;
  Text functions_;
};

}  // namespace dini::clang_frontend
