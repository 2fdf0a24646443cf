#include "clang_frontend/shapes.h"

#include <algorithm>

#include <clang/AST/DeclTemplate.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <llvm/ADT/StringExtras.h>

namespace dini::clang_frontend {

std::string Shape::str() const {
  if (kind == Kind::Record) return record->name;
  const char* of = element == Element::Real ? "real" : element == Element::Int ? "int" : "bool";
  return isArray() ? fmt::format("{}[{}]", of, fmt::join(dims, ", ")) : of;
}

std::string standardTemplate(clang::QualType type) {
  const auto* decl = llvm::dyn_cast_or_null<clang::ClassTemplateSpecializationDecl>(type->getAsCXXRecordDecl());
  return decl && decl->isInStdNamespace() ? decl->getName().str() : "";
}

bool isFloat(clang::QualType type) { return type->isSpecificBuiltinType(clang::BuiltinType::Float); }

Shape Shapes::known(clang::QualType type) {
  quiet_ = true;
  Shape made;
  try {
    made = shape(type, {});
  } catch (Stop) {
    made = {};
  }
  quiet_ = false;
  return made;
}

void Shapes::refuse(clang_client::Place at, const std::string& what, std::string help) {
  if (!quiet_) reporter_.add(DiagCode::CppUnsupported, at, what + " cannot be imported", std::move(help));
  throw Stop{};
}

Shape Shapes::scalar(const clang::BuiltinType& type, clang_client::Place at) {
  Shape made;
  made.kind = Shape::Kind::Scalar;
  if (type.getKind() == clang::BuiltinType::Bool) made.element = Shape::Element::Bool;
  else if (type.isInteger()) made.element = Shape::Element::Int;
  else if (type.getKind() == clang::BuiltinType::LongDouble) refuse(at, "a `long double`", "write `double`");
  else if (type.getKind() != clang::BuiltinType::Double && type.getKind() != clang::BuiltinType::Float)
    refuse(at, fmt::format("the type `{}`", type.getName(clang::PrintingPolicy({})).str()), "use double, int or bool");
  return made;
}

Shape Shapes::arrayOf(clang::QualType element, std::string dim, Shape::Holder holder, clang_client::Place at) {
  Shape made = shape(element, at);
  if (made.kind == Shape::Kind::Record)
    refuse(at, "an array of structs", "use one array for each field");
  if (made.isArray() && (made.dims[0].empty() || made.holder == Shape::Holder::View))
    refuse(at, "an array whose rows have lengths of their own", "use one array with the index `i*n + j`");
  made.kind = Shape::Kind::Array;
  made.dims.insert(made.dims.begin(), std::move(dim));
  made.holder = holder;
  return made;
}

Shape Shapes::ofClass(const clang::CXXRecordDecl& decl, clang_client::Place at) {
  const auto* instance = llvm::dyn_cast<clang::ClassTemplateSpecializationDecl>(&decl);
  if (instance && decl.isInStdNamespace()) {
    const auto& arguments = instance->getTemplateArgs();
    const llvm::StringRef name = decl.getName();
    if (name == "array")
      return arrayOf(arguments[0].getAsType(), llvm::toString(arguments[1].getAsIntegral(), 10), Shape::Holder::Value, at);
    if (name == "vector") return arrayOf(arguments[0].getAsType(), "", Shape::Holder::Value, at);
    if (name == "span") {
      const llvm::APSInt extent = arguments[1].getAsIntegral();
      const std::string dim = extent.isAllOnes() ? "" : llvm::toString(extent, 10);
      return arrayOf(arguments[0].getAsType(), dim, Shape::Holder::View, at);
    }
  }
  if (decl.isInStdNamespace())
    refuse(at, fmt::format("`std::{}`", decl.getName().str()), "use std::array, std::vector, std::span, or a struct");
  Shape made;
  if (instance && decl.getQualifiedNameAsString() == "dini::source::array") {  // its sizes: source_arrays.h
    made = shape(instance->getTemplateArgs()[0].getAsType(), at);
    made.kind = Shape::Kind::Array;
    return made;
  }
  made.kind = Shape::Kind::Record;
  made.record = &record(decl, at);
  return made;
}

Shape Shapes::shape(clang::QualType type, clang_client::Place at) {
  if (type.isVolatileQualified()) refuse(at, "a volatile object", "leave `volatile` out");
  const clang::QualType plain = type.getCanonicalType().getNonReferenceType().getUnqualifiedType();
  if (const auto* builtin = plain->getAs<clang::BuiltinType>()) return scalar(*builtin, at);
  if (const auto* array = plain->getAsArrayTypeUnsafe()) {
    const auto* constant = llvm::dyn_cast<clang::ConstantArrayType>(array);
    if (!constant) refuse(at, "an array whose length is not a constant", "use std::vector");
    return arrayOf(array->getElementType(), llvm::toString(constant->getSize(), 10, false), Shape::Holder::Value, at);
  }
  if (const auto* pointer = plain->getAs<clang::PointerType>()) {
    if (pointer->getPointeeType()->isFunctionType())
      refuse(at, "a function pointer", "call the function by its name, or make the caller a template");
    return arrayOf(pointer->getPointeeType(), "", Shape::Holder::View, at);
  }
  if (plain->isUnionType()) refuse(at, "a union", "use a struct");
  if (plain->isEnumeralType()) {
    Shape made;
    made.kind = Shape::Kind::Scalar;
    made.element = Shape::Element::Int;
    return made;
  }
  if (const auto* decl = plain->getAsCXXRecordDecl()) return ofClass(*decl, at);
  refuse(at, fmt::format("the type `{}`", type.getAsString()), "use double, int, bool, arrays of them or plain structs");
}

const Record& Shapes::record(const clang::CXXRecordDecl& found, clang_client::Place at) {
  const clang::CXXRecordDecl* decl = found.getDefinition();
  if (!decl) refuse(at, fmt::format("the incomplete type `{}`", found.getName().str()), "define it in this file");
  if (auto known = records_.find(decl); known != records_.end()) return *known->second;
  if (decl->isLambda()) refuse(at, "a lambda", "write a function");
  if (decl->isUnion()) refuse(at, "a union", "use a struct");
  if (decl->isPolymorphic()) refuse(at, fmt::format("`{}`, which has virtual functions,", decl->getName().str()),
                                    "use a plain struct and functions");
  if (decl->getNumBases() > 0)
    refuse(at, fmt::format("`{}`, which has base classes,", decl->getName().str()), "make the base a member");
  auto made = std::make_unique<Record>();
  made->decl = decl;
  for (const clang::FieldDecl* field : decl->fields()) {
    if (field->isAnonymousStructOrUnion() || field->isBitField())
      refuse(at, "an unnamed or bit field", "give the member a name and a type of its own");
    Shape shape = this->shape(field->getType(), quiet_ ? at : reporter_.place(*field));
    if (field->getType()->isReferenceType() || (shape.isArray() && (shape.sizeless() || shape.holder == Shape::Holder::View)))
      refuse(quiet_ ? at : reporter_.place(*field), "a member that points elsewhere or whose length is open", "use std::array");
    made->fields.push_back({field, field->getName().str(), std::move(shape)});
  }
  if (made->fields.empty()) refuse(at, "a struct without members", "leave it out");
  made->name = names_.unique(decl->getName().empty() ? "Record" : decl->getName().str());
  order_.push_back(made.get());
  return *(records_[decl] = std::move(made));
}

void Shapes::complete(const Record& record, size_t field, std::vector<std::string> dims) {
  records_.at(record.decl)->fields.at(field).shape.dims = std::move(dims);
}

Text Shapes::declarations() {
  Text all;
  for (const Record* record : order_) {
    std::vector<std::string> fields;
    for (const Record::Field& field : record->fields) fields.push_back(fmt::format("{}: {}", field.name, field.shape.str()));
    all += Text(fmt::format("type {} = {{ {} }}", record->name, fmt::join(fields, ", "))).from(reporter_.place(*record->decl)) + "\n";
  }
  return all;
}

}  // namespace dini::clang_frontend
