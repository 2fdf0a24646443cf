// The types of the language as the checker sees them: immutable, shared, with symbolic sizes.
// The IR has simpler ones of its own (ops/type.h): records and tuples are flattened there.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "types/size.h"

namespace dini::types {

enum class Kind {
  Error,     // what a reported mistake has: fits everywhere, reports nothing more
  Unit,      // a block without a value
  Array,     // real, int or bool with zero or more dimensions; rank 0 is the scalar
  Covector,  // x' of a real vector: one dimension
  Tuple,
  Record,
  Function,
};

enum class Scalar { Real, Int, Bool };

struct Type;
using TypePtr = std::shared_ptr<const Type>;

struct Field {
  std::string name;
  TypePtr type;
};

struct Type {
  Kind kind = Kind::Error;
  Scalar scalar = Scalar::Real;   // Array
  std::vector<Size> dims;         // Array, Covector
  std::vector<TypePtr> elements;  // Tuple: elements; Function: parameters
  TypePtr result;                 // Function
  std::string name;               // Record
  std::vector<Size> arguments;    // Record: size arguments
  std::vector<Field> fields;      // Record: with sizes substituted

  bool isScalar() const { return kind == Kind::Array && dims.empty(); }
  bool isArray(Scalar s) const { return kind == Kind::Array && scalar == s; }
  bool isReal() const { return isArray(Scalar::Real); }
  bool isError() const { return kind == Kind::Error; }
  size_t rank() const { return dims.size(); }
};

TypePtr errorType();
TypePtr unitType();
TypePtr array(Scalar scalar, std::vector<Size> dims = {});
TypePtr realType(std::vector<Size> dims = {});
TypePtr intType(std::vector<Size> dims = {});
TypePtr boolType(std::vector<Size> dims = {});
TypePtr covector(Size size);
TypePtr tuple(std::vector<TypePtr> elements);
TypePtr record(std::string name, std::vector<Size> arguments, std::vector<Field> fields);
TypePtr function(std::vector<TypePtr> parameters, TypePtr result);

// Structural equality, sizes by normal form. Error equals everything.
bool same(const Type& a, const Type& b);
// Replaces size names throughout.
TypePtr substitute(const TypePtr& type,
                   const std::function<std::optional<Size>(SizeName)>& value);
// "real[n, 2*m]", "(real, int[3])", "Layer[n]", "fn(real) -> real".
std::string str(const Type& type, const std::function<std::string(SizeName)>& spell);
// Whether any leaf is a real (such parameters are selected for derivatives).
bool holdsReals(const Type& type);

}  // namespace dini::types
