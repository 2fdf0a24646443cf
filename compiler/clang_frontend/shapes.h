// Types of C++ as types of Dini: double and float are real, integers int, arrays of them arrays, plain
// structs records. What has no such type is reported.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <clang/AST/DeclCXX.h>
#include <clang/AST/Type.h>

#include "clang_frontend/names.h"
#include "clang_frontend/report.h"
#include "clang_frontend/text.h"

namespace dini::clang_frontend {

struct Record;

struct Shape {
  enum class Kind { None, Scalar, Array, Record };
  enum class Element { Real, Int, Bool };
  // How C++ holds an array: as a value of its own, or as a view of someone else's memory.
  enum class Holder { Value, View };
  Kind kind = Kind::None;
  Element element = Element::Real;
  std::vector<std::string> dims;  // Dini size expressions; "" where the type does not say
  Holder holder = Holder::Value;
  const Record* record = nullptr;

  bool isArray() const { return kind == Kind::Array; }
  bool isScalar() const { return kind == Kind::Scalar; }
  bool sizeless() const { return isArray() && !dims.empty() && dims[0].empty(); }
  std::string str() const;  // the Dini type
};

struct Record {
  struct Field {
    const clang::FieldDecl* decl;
    std::string name;
    Shape shape;
  };
  const clang::CXXRecordDecl* decl = nullptr;
  std::string name;
  std::vector<Field> fields;
};

class Shapes {
 public:
  Shapes(Reporter& reporter, Names& names) : reporter_(reporter), names_(names) {}
  // Of a value, an array, or a pointer to elements. `at` is where complaints go.
  template <class Node>
  Shape of(clang::QualType type, const Node& at) { return shape(type, reporter_.place(at)); }
  // The same without complaints: kind None where there is no such type.
  Shape known(clang::QualType type);
  // The sizes of a field, where its type does not say them.
  void complete(const Record& record, size_t field, std::vector<std::string> dims);
  // Declarations of the records that were met, as text.
  Text declarations();

 private:
  Shape shape(clang::QualType type, clang_client::Place at);
  Shape scalar(const clang::BuiltinType& type, clang_client::Place at);
  Shape ofClass(const clang::CXXRecordDecl& decl, clang_client::Place at);
  Shape arrayOf(clang::QualType element, std::string dim, Shape::Holder holder, clang_client::Place at);
  const Record& record(const clang::CXXRecordDecl& decl, clang_client::Place at);
  [[noreturn]] void refuse(clang_client::Place at, const std::string& what, std::string help);

  Reporter& reporter_;
  Names& names_;
  bool quiet_ = false;
  std::map<const clang::CXXRecordDecl*, std::unique_ptr<Record>> records_;
  std::vector<const Record*> order_;
};

// The class template that a type is an instance of, if it is one of namespace std: "array".
std::string standardTemplate(clang::QualType type);
bool isFloat(clang::QualType type);

}  // namespace dini::clang_frontend
