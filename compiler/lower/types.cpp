// Concrete types: sizes of the language against dimensions of values.
#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"
#include "ir/clone.h"
#include "ir/walk.h"
#include "lower/scopes.h"
#include "opt/opt.h"

namespace dini::lower {
namespace {

ir::Elem elemOf(types::Scalar scalar) {
  switch (scalar) {
    case types::Scalar::Real:
      return ir::Elem::F64;
    case types::Scalar::Int:
      return ir::Elem::I64;
    case types::Scalar::Bool:
      return ir::Elem::I1;
  }
  failCheck("unknown scalar kind");
}

types::Scalar scalarOf(ir::Elem elem) {
  return elem == ir::Elem::F64   ? types::Scalar::Real
         : elem == ir::Elem::I64 ? types::Scalar::Int
                                 : types::Scalar::Bool;
}

ir::Type leafType(const types::Type& type) {
  ir::Type result{type.kind == types::Kind::Covector ? ir::Elem::F64 : elemOf(type.scalar), {}};
  for (const types::Size& dim : type.dims)
    result.dims.push_back(dim.constant().value_or(ir::kDynamic));
  return result;
}

// The name that a size consists of, if it is one.
std::optional<types::SizeName> loneName(const types::Size& size) {
  std::vector<types::SizeName> names = size.names();
  if (names.size() == 1 && size == types::Size::named(names[0])) return names[0];
  return std::nullopt;
}

bool isLeafKind(const types::Type& type) {
  return type.kind == types::Kind::Array || type.kind == types::Kind::Covector;
}

void collectLeafTypes(const types::Type& type, std::vector<ir::Type>& leaves) {
  if (isLeafKind(type)) leaves.push_back(leafType(type));
  if (type.kind == types::Kind::Tuple)
    for (const types::TypePtr& element : type.elements) collectLeafTypes(*element, leaves);
  for (const types::Field& field : type.fields) collectLeafTypes(*field.type, leaves);
}

}  // namespace

std::vector<ir::Type> leafTypes(const types::Type& type) {
  std::vector<ir::Type> leaves;
  collectLeafTypes(type, leaves);
  return leaves;
}

// The declaration behind "Name", or behind "[Name]": arrays of it made by a comprehension.
const ast::TypeDecl* Emitter::recordNamed(std::string name) const {
  name.erase(0, name.find_first_not_of('['));
  name.resize(std::min(name.size(), name.find(']')));
  const ast::TypeDecl* decl = shared_.program.findType(name);
  check(decl != nullptr, "a record type without a declaration: " + name);
  return decl;
}

Val Emitter::coerce(Val value, const types::Type* type) {
  if (type == nullptr) return value;
  if (type->kind == types::Kind::Array && value.isLeaf()) {
    if (type->scalar == types::Scalar::Real && value.type().elem == ir::Elem::I64)
      value.value = toReal(value.value);
    return value;
  }
  if (!value.isAggregate()) return value;
  for (size_t k = 0; k < value.elements.size(); ++k) {
    const types::Type* element = nullptr;
    if (type->kind == types::Kind::Tuple && k < type->elements.size())
      element = type->elements[k].get();
    if (type->kind == types::Kind::Record && k < type->fields.size())
      element = type->fields[k].type.get();
    value.elements[k] = coerce(std::move(value.elements[k]), element);
  }
  return value;
}

Val Emitter::zeros(const types::Type& type) {
  if (isLeafKind(type)) {
    ir::Elem elem = leafType(type).elem;
    ir::Value* zero = elem == ir::Elem::F64   ? b().real(0.0)
                      : elem == ir::Elem::I64 ? b().integer(0)
                                              : b().boolean(false);
    if (type.dims.empty()) return Val::leaf(zero);
    std::vector<ir::Value*> sizes;
    for (const types::Size& dim : type.dims) {
      ir::Value* size = evalSize(dim);
      if (size == nullptr)
        fail(DiagCode::TooLarge, span_,
             "a value of a size that is known only when the program runs "
             "is needed before it exists",
             "give the result a declared size");
      sizes.push_back(size);
    }
    return Val::leaf(b().fill(zero, sizes), type.kind == types::Kind::Covector);
  }
  std::vector<Val> elements;
  for (const types::TypePtr& element : type.elements) elements.push_back(zeros(*element));
  if (type.kind == types::Kind::Tuple) return Val::tuple(std::move(elements));
  check(type.kind == types::Kind::Record, "zeros of a type without values");
  for (const types::Field& field : type.fields) elements.push_back(zeros(*field.type));
  return Val::recordOf(recordNamed(type.name), std::move(elements));
}

Val Emitter::zeros(const ast::TypeExpr& type) {
  std::vector<ir::Value*> sizes;
  for (const ast::ExprPtr& dim : type.dims) sizes.push_back(eval(*dim).value);
  ir::Value* zero = b().real(0.0);
  return Val::leaf(sizes.empty() ? zero : b().fill(zero, sizes));
}

Val Emitter::parameterFor(const types::Type& type, const std::string& name) {
  if (isLeafKind(type))
    return Val::leaf(function_.addParameter(leafType(type), name),
                     type.kind == types::Kind::Covector);
  std::vector<Val> elements;
  if (type.kind == types::Kind::Tuple) {
    for (size_t k = 0; k < type.elements.size(); ++k)
      elements.push_back(parameterFor(*type.elements[k], fmt::format("{}.{}", name, k)));
    return Val::tuple(std::move(elements));
  }
  check(type.kind == types::Kind::Record, "a parameter of a type without values");
  for (const types::Field& field : type.fields)
    elements.push_back(parameterFor(*field.type, name + "." + field.name));
  return Val::recordOf(recordNamed(type.name), std::move(elements));
}

namespace {

// The size arguments of a record, read off its fields' dimensions.
void matchSizes(const types::Type& declared, const types::Type& actual,
                std::unordered_map<uint32_t, types::Size>& found) {
  for (size_t k = 0; k < declared.dims.size() && k < actual.dims.size(); ++k)
    if (auto name = loneName(declared.dims[k])) found.emplace(name->id, actual.dims[k]);
  for (size_t k = 0; k < declared.elements.size() && k < actual.elements.size(); ++k)
    matchSizes(*declared.elements[k], *actual.elements[k], found);
  for (size_t k = 0; k < declared.fields.size() && k < actual.fields.size(); ++k)
    matchSizes(*declared.fields[k].type, *actual.fields[k].type, found);
}

// One pair of brackets per dimension that a comprehension put in front of the fields'.
std::string recordName(const Val& value, const std::vector<types::Field>& fields) {
  std::string name = value.record->name.text;
  const types::Type* actual = fields.empty() ? nullptr : fields[0].type.get();
  const types::Type* declared =
      value.record->resolved.empty() ? nullptr : value.record->resolved[0].type.get();
  while (declared != nullptr && actual != nullptr && declared->kind != types::Kind::Array) {
    if (declared->elements.empty() && declared->fields.empty()) return name;
    bool tuple = declared->kind == types::Kind::Tuple;
    declared = tuple ? declared->elements[0].get() : declared->fields[0].type.get();
    actual = tuple ? actual->elements[0].get() : actual->fields[0].type.get();
  }
  if (declared == nullptr || actual == nullptr) return name;
  for (size_t k = declared->rank(); k < actual->rank(); ++k) name = "[" + name + "]";
  return name;
}

}  // namespace

types::TypePtr Emitter::typeOf(const Val& value) const {
  switch (value.kind) {
    case Val::Kind::Unit:
      return types::unitType();
    case Val::Kind::Function:
      return types::errorType();
    case Val::Kind::Leaf: {
      std::vector<types::Size> dims;
      for (int64_t dim : value.type().dims) dims.emplace_back(dim);
      if (value.covector) return types::covector(dims[0]);
      return types::array(scalarOf(value.type().elem), std::move(dims));
    }
    case Val::Kind::Tuple: {
      std::vector<types::TypePtr> elements;
      for (const Val& element : value.elements) elements.push_back(typeOf(element));
      return types::tuple(std::move(elements));
    }
    case Val::Kind::Record:
      break;
  }
  std::vector<types::Field> fields;
  std::unordered_map<uint32_t, types::Size> sizes;
  for (size_t k = 0; k < value.elements.size(); ++k) {
    fields.push_back({value.record->fields[k].name.text, typeOf(value.elements[k])});
    if (k < value.record->resolved.size())
      matchSizes(*value.record->resolved[k].type, *fields.back().type, sizes);
  }
  std::vector<types::Size> arguments;
  for (types::SizeName name : value.record->size_names) {
    auto it = sizes.find(name.id);
    arguments.push_back(it == sizes.end() ? types::Size(ir::kDynamic) : it->second);
  }
  return types::record(recordName(value, fields), std::move(arguments), std::move(fields));
}

ir::Value* Emitter::evalSize(const types::Size& size) {
  ir::Value* sum = nullptr;
  for (const auto& [names, coefficient] : size.terms()) {
    ir::Value* term = integer(coefficient);
    for (types::SizeName name : names) {
      auto it = frame_->sizes.find(name.id);
      if (it == frame_->sizes.end()) return nullptr;
      term = imul(term, it->second);
    }
    sum = sum == nullptr ? term : iadd(sum, term);
  }
  return sum == nullptr ? integer(0) : sum;
}

namespace {

// Whether the type has a dimension that is a name without a value yet.
bool hasOpenSize(const types::Type& type, const Sizes& known) {
  auto open = [&](const types::TypePtr& part) { return hasOpenSize(*part, known); };
  for (const types::Size& dim : type.dims)
    if (auto name = loneName(dim); name && !known.contains(name->id)) return true;
  return std::any_of(type.elements.begin(), type.elements.end(), open) ||
         std::any_of(type.fields.begin(), type.fields.end(),
                     [&](const types::Field& field) { return open(field.type); });
}

}  // namespace

// A size that only the result of a function parameter tells: that of the function's value at zeros,
// of which nothing but sizes is computed.
void Emitter::bindResultSizes(const types::Type& type, const FunctionValue& f) {
  if (!hasOpenSize(*type.result, frame_->sizes)) return;
  std::vector<Val> arguments;
  for (const types::TypePtr& parameter : type.elements) {
    if (parameter->kind == types::Kind::Function || hasOpenSize(*parameter, frame_->sizes)) return;
    arguments.push_back(zeros(*parameter));
  }
  std::vector<ir::Value*> leaves;
  Closed sizes = close("size", arguments, [&](std::span<const Val> at) {
    std::vector<NamedVal> given;
    for (const Val& argument : at) given.push_back({"", argument});
    Val result = callFunction(f, std::move(given));
    std::vector<Val> dims;
    leaves = leavesOf(result);
    for (ir::Value* leaf : leaves)
      for (size_t k = 0; k < leaf->type.rank(); ++k) dims.push_back(Val::leaf(b().dim(leaf, k)));
    return Val::tuple({result, Val::tuple(std::move(dims))});
  });
  auto& yields = sizes.function->body.terminator().operands;
  yields.erase(yields.begin(), yields.begin() + static_cast<ptrdiff_t>(leaves.size()));
  opt::simplify(shared_.module, *sizes.function);
  for (const auto& op : sizes.function->body.ops)
    if (ir::hasEffect(*op))
      fail(DiagCode::TooLarge, span_,
           "a size that only the result of a function argument tells is not known before the call",
           "name that size in the type of another parameter");
  std::vector<ir::Value*> dims = ir::inlineCall(b(), *sizes.function, sizes.operands);
  std::vector<ir::Value*> shaped;
  for (size_t k = 0, at = 0; k < leaves.size(); ++k) {
    std::vector<ir::Value*> own(dims.begin() + static_cast<ptrdiff_t>(at),
                                dims.begin() + static_cast<ptrdiff_t>(at + leaves[k]->type.rank()));
    at += own.size();
    ir::Value* zero = b().real(0.0);
    shaped.push_back(own.empty() ? zero : b().fill(zero, own));
  }
  bindSizes(*type.result, withLeaves(sizes.result.elements[0], shaped));
}

void Emitter::bindSizes(const types::Type& type, const Val& value) {
  if (type.kind == types::Kind::Function && value.isFunction())
    return bindResultSizes(type, *value.function);
  if (isLeafKind(type) && value.isLeaf()) {
    for (size_t k = 0; k < type.dims.size() && k < value.rank(); ++k) {
      // d == c m + r with one name m that is still open (often just d == m).
      for (types::SizeName name : type.dims[k].names()) {
        if (frame_->sizes.contains(name.id)) continue;
        ir::Value* dim = b().dim(value.value, k);
        if (loneName(type.dims[k])) {
          frame_->sizes[name.id] = dim;
          continue;
        }
        frame_->sizes[name.id] = integer(0);
        ir::Value* at_zero = evalSize(type.dims[k]);
        frame_->sizes[name.id] = integer(1);
        ir::Value* at_one = evalSize(type.dims[k]);
        frame_->sizes.erase(name.id);
        if (at_zero == nullptr || at_one == nullptr) continue;
        frame_->sizes[name.id] = intOp(ir::OpCode::IDiv, isub(dim, at_zero), isub(at_one, at_zero));
      }
    }
    return;
  }
  for (size_t k = 0; k < type.elements.size() && k < value.elements.size(); ++k)
    if (type.kind == types::Kind::Tuple) bindSizes(*type.elements[k], value.elements[k]);
  for (size_t k = 0; k < type.fields.size() && k < value.elements.size(); ++k)
    bindSizes(*type.fields[k].type, value.elements[k]);
}

void Emitter::checkSizes(const types::Type& type, const Val& value, const std::string& what) {
  if (isLeafKind(type) && value.isLeaf()) {
    check(type.dims.size() == value.rank(), "a value of another rank than its type");
    for (size_t k = 0; k < type.dims.size(); ++k) {
      ir::Value* expected = evalSize(type.dims[k]);
      if (expected == nullptr) continue;  // a size that only this value knows
      ir::Value* actual = b().dim(value.value, k);
      auto difference = knownDifference(expected, actual);
      if (difference == 0) continue;
      auto e = ir::constantInt(expected), a = ir::constantInt(actual);
      if (e && a)
        fail(DiagCode::ShapeMismatch, span_,
             fmt::format("{} has {} where {} is needed", what, *a, *e));
      require(b().op(ir::OpCode::IEq, {expected, actual}), ir::Status::Shape,
              fmt::format("the size of {} differs", what));
    }
    return;
  }
  for (size_t k = 0; k < type.elements.size() && k < value.elements.size(); ++k)
    if (type.kind == types::Kind::Tuple) checkSizes(*type.elements[k], value.elements[k], what);
  for (size_t k = 0; k < type.fields.size() && k < value.elements.size(); ++k)
    checkSizes(*type.fields[k].type, value.elements[k], what);
}

}  // namespace dini::lower
