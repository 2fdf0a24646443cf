#include "types/type.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace dini::types {
namespace {

TypePtr make(Type type) { return std::make_shared<const Type>(std::move(type)); }

bool sameAll(const std::vector<TypePtr>& a, const std::vector<TypePtr>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const TypePtr& x, const TypePtr& y) { return same(*x, *y); });
}

std::string sizes(const std::vector<Size>& dims, const std::function<std::string(SizeName)>& spell) {
  if (dims.empty()) return "";
  std::vector<std::string> texts;
  for (const Size& dim : dims) texts.push_back(dim.str(spell));
  return fmt::format("[{}]", fmt::join(texts, ", "));
}

}  // namespace

TypePtr errorType() { return make({}); }
TypePtr unitType() {
  Type t;
  t.kind = Kind::Unit;
  return make(std::move(t));
}
TypePtr array(Scalar scalar, std::vector<Size> dims) {
  Type t;
  t.kind = Kind::Array;
  t.scalar = scalar;
  t.dims = std::move(dims);
  return make(std::move(t));
}
TypePtr realType(std::vector<Size> dims) { return array(Scalar::Real, std::move(dims)); }
TypePtr intType(std::vector<Size> dims) { return array(Scalar::Int, std::move(dims)); }
TypePtr boolType(std::vector<Size> dims) { return array(Scalar::Bool, std::move(dims)); }
TypePtr covector(Size size) {
  Type t;
  t.kind = Kind::Covector;
  t.dims = {std::move(size)};
  return make(std::move(t));
}
TypePtr tuple(std::vector<TypePtr> elements) {
  Type t;
  t.kind = Kind::Tuple;
  t.elements = std::move(elements);
  return make(std::move(t));
}
TypePtr record(std::string name, std::vector<Size> arguments, std::vector<Field> fields) {
  Type t;
  t.kind = Kind::Record;
  t.name = std::move(name);
  t.arguments = std::move(arguments);
  t.fields = std::move(fields);
  return make(std::move(t));
}
TypePtr function(std::vector<TypePtr> parameters, TypePtr result) {
  Type t;
  t.kind = Kind::Function;
  t.elements = std::move(parameters);
  t.result = std::move(result);
  return make(std::move(t));
}

bool same(const Type& a, const Type& b) {
  if (a.isError() || b.isError()) return true;
  if (a.kind != b.kind) return false;
  switch (a.kind) {
    case Kind::Error:
    case Kind::Unit: return true;
    case Kind::Array: return a.scalar == b.scalar && a.dims == b.dims;
    case Kind::Covector: return a.dims == b.dims;
    case Kind::Tuple: return sameAll(a.elements, b.elements);
    case Kind::Record: return a.name == b.name && a.arguments == b.arguments;
    case Kind::Function: return sameAll(a.elements, b.elements) && same(*a.result, *b.result);
  }
  return false;
}

TypePtr substitute(const TypePtr& type,
                   const std::function<std::optional<Size>(SizeName)>& value) {
  if (!type) return type;
  Type copy = *type;
  for (Size& dim : copy.dims) dim = dim.substitute(value);
  for (TypePtr& element : copy.elements) element = substitute(element, value);
  copy.result = substitute(copy.result, value);
  for (Size& argument : copy.arguments) argument = argument.substitute(value);
  for (Field& field : copy.fields) field.type = substitute(field.type, value);
  return make(std::move(copy));
}

std::string str(const Type& type, const std::function<std::string(SizeName)>& spell) {
  auto list = [&](const std::vector<TypePtr>& elements) {
    std::vector<std::string> texts;
    for (const TypePtr& element : elements) texts.push_back(str(*element, spell));
    return fmt::format("({})", fmt::join(texts, ", "));
  };
  switch (type.kind) {
    case Kind::Error: return "unknown";
    case Kind::Unit: return "nothing";
    case Kind::Array: {
      const char* names[] = {"real", "int", "bool"};
      return names[static_cast<int>(type.scalar)] + sizes(type.dims, spell);
    }
    case Kind::Covector: return "covector" + sizes(type.dims, spell);
    case Kind::Tuple: return list(type.elements);
    case Kind::Record: {
      std::vector<Size> arguments = type.arguments;
      if (type.name == "sparse" && arguments.size() == 3) arguments.pop_back();  // the number of entries
      return type.name + sizes(arguments, spell);
    }
    case Kind::Function: return "fn" + list(type.elements) + " -> " + str(*type.result, spell);
  }
  return "";
}

bool holdsReals(const Type& type) {
  switch (type.kind) {
    case Kind::Array: return type.scalar == Scalar::Real;
    case Kind::Covector: return true;
    case Kind::Tuple:
      return std::any_of(type.elements.begin(), type.elements.end(),
                         [](const TypePtr& e) { return holdsReals(*e); });
    case Kind::Record:
      return std::any_of(type.fields.begin(), type.fields.end(),
                         [](const Field& f) { return holdsReals(*f.type); });
    default: return false;
  }
}

}  // namespace dini::types
