#include <fmt/format.h>

#include "clang_frontend/body.h"

namespace dini::clang_frontend {

const Body::Variable& Body::variable(const clang::VarDecl& decl, const clang::Expr& at) {
  const auto known = variables_.find(&decl);
  return known != variables_.end() ? known->second : global(decl, at);
}

// Of the file, or static: a constant, or it is refused.
const Body::Variable& Body::global(const clang::VarDecl& decl, const clang::Expr& at) {
  if (auto known = globals_.find(&decl); known != globals_.end()) return known->second;
  Reporter& reporter = unit_.reporter();
  if (!decl.getType().isConstQualified() && !decl.isConstexpr()) {
    auto& finding = reporter.add(DiagCode::CppUnsupported, reporter.place(at),
                                 fmt::format("`{}`, which outlives the call and may change, cannot be imported", decl.getName().str()),
                                 "make it `constexpr`, or a parameter");
    finding.marks.push_back({reporter.place(decl), "declared here"});
    throw Stop{};
  }
  const clang::VarDecl* defined = decl.getInitializingDeclaration();
  const clang::APValue* value = defined && defined->getInit() && !defined->getInit()->isValueDependent() ? defined->evaluateValue() : nullptr;
  if (!value) reporter.unsupported(at, fmt::format("`{}`, whose value the compiler does not know,", decl.getName().str()), "make it `constexpr`");
  Variable made;
  made.shape = unit_.shapes().of(decl.getType(), at);
  if (made.shape.sizeless()) reporter.unsupported(at, "a constant of this type", "use std::array");
  made.name = names_.unique(decl.getName().str());
  prologue_ += Text("  let " + made.name + " = ") + literal(*value, made.shape, at).text.from(reporter.place(decl)) + "\n";
  return globals_[&decl] = made;
}

// ---------------------------------------------------------------- values without an initialiser

Value Body::filled(const Shape& shape, const std::string& element) {
  std::string iterators;
  for (const std::string& dim : shape.dims)
    iterators += fmt::format("{}{} in 0..{}", iterators.empty() ? "" : ", ", names_.unique("k"), dim);
  return {fmt::format("[{} for {}]", element, iterators)};
}

namespace {

// Elements that were never written show themselves: no plausible number.
const char* unsetElement(Shape::Element element) {
  return element == Shape::Element::Real ? "nan" : element == Shape::Element::Int ? "-9223372036854775807" : "false";
}
const char* zeroElement(Shape::Element element) {
  return element == Shape::Element::Real ? "0.0" : element == Shape::Element::Int ? "0" : "false";
}

}  // namespace

Value Body::unset(const Shape& shape, const clang::Stmt& at) {
  if (shape.isScalar()) return {unsetElement(shape.element), kNegation};
  if (shape.isArray()) return filled(shape, unsetElement(shape.element));
  Text fields;
  for (const Record::Field& field : shape.record->fields) {
    const Value value = field.decl->hasInClassInitializer() ? initial(*field.decl->getInClassInitializer(), field.shape) : unset(field.shape, at);
    fields += Text(fields.empty() ? "" : ", ") + field.name + " = " + value.text;
  }
  return {Text(shape.record->name + " { ") + fields + " }"};
}

Value Body::zero(const Shape& shape, const clang::Stmt& at) {
  if (shape.isScalar()) return {zeroElement(shape.element), kPrimary, Range::Unknown, true};
  if (shape.isArray()) return filled(shape, zeroElement(shape.element));
  Text fields;
  for (const Record::Field& field : shape.record->fields) {
    const Value value = field.decl->hasInClassInitializer() ? initial(*field.decl->getInClassInitializer(), field.shape) : zero(field.shape, at);
    fields += Text(fields.empty() ? "" : ", ") + field.name + " = " + value.text;
  }
  return {Text(shape.record->name + " { ") + fields + " }"};
}

// ---------------------------------------------------------------- initialisers

Value Body::listed(const clang::InitListExpr& given, const Shape& shape) {
  const clang::InitListExpr& list = given.isSemanticForm() || !given.getSemanticForm() ? given : *given.getSemanticForm();
  if (shape.isScalar()) return list.getNumInits() ? expression(list.getInit(0)) : zero(shape, list);
  if (list.getNumInits() == 1 && unit_.shapes().known(list.getInit(0)->getType()).str() == shape.str() && !list.isStringLiteralInit() &&
      unit_.context().hasSameUnqualifiedType(list.getInit(0)->getType(), list.getType()))
    return initial(*list.getInit(0), shape);
  std::vector<std::function<Value()>> makers;
  if (shape.kind == Shape::Kind::Record) {
    for (size_t k = 0; k < shape.record->fields.size(); ++k)
      makers.emplace_back([&, k] {
        const Shape& field = shape.record->fields[k].shape;
        return k < list.getNumInits() ? initial(*list.getInit(static_cast<unsigned>(k)), field) : zero(field, list);
      });
    const std::vector<Value> values = inOrder(makers, list);
    Text fields;
    for (size_t k = 0; k < values.size(); ++k)
      fields += Text(k ? ", " : "") + shape.record->fields[k].name + " = " + values[k].text;
    return {Text(shape.record->name + " { ") + fields + " }"};
  }
  // std::array holds one array: { { 1, 2 } }.
  if (standardTemplate(list.getType()) == "array" && list.getNumInits() == 1) return initial(*list.getInit(0), shape);
  Shape element = shape;
  element.dims.erase(element.dims.begin());
  if (element.dims.empty()) element.kind = Shape::Kind::Scalar;
  const bool open = shape.dims[0].empty();
  const size_t count = open ? list.getNumInits() : std::stoul(shape.dims[0]);
  if (list.getNumInits() == 0) return zero(shape, list);
  for (size_t k = 0; k < count; ++k)
    makers.emplace_back([&, k] { return k < list.getNumInits() ? initial(*list.getInit(static_cast<unsigned>(k)), element) : zero(element, list); });
  Text elements;
  for (const Value& value : inOrder(makers, list)) elements += Text(elements.empty() ? "" : ", ") + value.text;
  return {Text("[") + elements + "]"};
}

// std::vector<double>(n), (n, value), { a, b }.
Value Body::vectorOf(const clang::CXXConstructExpr& made, const Shape& shape) {
  using namespace clang;
  unsigned given = 0;
  while (given < made.getNumArgs() && !llvm::isa<CXXDefaultArgExpr>(made.getArg(given))) ++given;
  Reporter& reporter = unit_.reporter();
  if (given == 0) {
    Shape empty = shape;
    empty.dims[0] = "0";
    return zero(empty, made);
  }
  if (made.isStdInitListInitialization()) {
    const Expr* list = made.getArg(0)->IgnoreUnlessSpelledInSource();
    if (const auto* outer = llvm::dyn_cast<CXXStdInitializerListExpr>(list)) list = outer->getSubExpr()->IgnoreUnlessSpelledInSource();
    if (const auto* elements = llvm::dyn_cast<InitListExpr>(list)) return listed(*elements, shape);
  }
  if (made.getArg(0)->getType()->isIntegerType() && given <= 2) {
    Shape sized = shape;
    sized.dims[0] = inside(indexOf(*made.getArg(0)), kAdd).str();
    if (given == 1) return zero(sized, made);
    Shape element = shape;
    element.dims.erase(element.dims.begin());
    if (element.dims.empty()) element.kind = Shape::Kind::Scalar;
    const Value value = named(initial(*made.getArg(1), element), made);
    sized.dims.resize(1);
    return filled(sized, value.text.str());
  }
  reporter.unsupported(made, "this way to make a std::vector", "write `std::vector<double> v(n)` or `v(n, value)`, and fill it in a loop");
}

Value Body::constructed(const clang::CXXConstructExpr& made, const Shape& shape) {
  const clang::CXXConstructorDecl* constructor = made.getConstructor();
  if (constructor->isCopyOrMoveConstructor() && made.getNumArgs() == 1) return initial(*made.getArg(0), shape);
  const std::string of = standardTemplate(made.getType());
  if (sourceClass(made.getType()) == "array") return sourceConstructed(made, shape);
  if (of == "vector") return vectorOf(made, shape);
  if (of == "span") return read(view(&made));
  if (made.getNumArgs() == 0 && (constructor->isImplicit() || constructor->isDefaulted() || of == "array"))
    return made.requiresZeroInitialization() ? zero(shape, made) : unset(shape, made);
  unit_.reporter().unsupported(made, fmt::format("a constructor of `{}`", made.getType().getAsString()),
                               "leave the constructors out and write the members in braces");
}

Value Body::initial(const clang::Expr& given, const Shape& shape) {
  using namespace clang;
  const Expr* e = given.IgnoreParens();
  if (const auto* full = llvm::dyn_cast<FullExpr>(e)) return initial(*full->getSubExpr(), shape);
  if (const auto* temporary = llvm::dyn_cast<MaterializeTemporaryExpr>(e)) return initial(*temporary->getSubExpr(), shape);
  if (const auto* bound = llvm::dyn_cast<CXXBindTemporaryExpr>(e)) return initial(*bound->getSubExpr(), shape);
  if (const auto* cast = llvm::dyn_cast<CastExpr>(e); cast && !shape.isScalar() &&
      (cast->getCastKind() == CK_NoOp || cast->getCastKind() == CK_ConstructorConversion || cast->getCastKind() == CK_LValueToRValue))
    return initial(*cast->getSubExpr(), shape);
  if (const auto* list = llvm::dyn_cast<InitListExpr>(e)) return listed(*list, shape);
  if (const auto* made = llvm::dyn_cast<CXXConstructExpr>(e)) return constructed(*made, shape);
  if (llvm::isa<ImplicitValueInitExpr, CXXScalarValueInitExpr>(e)) return zero(shape, *e);
  if (const auto* loop = llvm::dyn_cast<ArrayInitLoopExpr>(e)) return read(place(loop->getCommonExpr()->getSourceExpr()));
  if (shape.isArray() && shape.holder == Shape::Holder::View) return read(view(e));
  return expression(e);
}

// ---------------------------------------------------------------- declarations

// References and pointers: a name for a value that nothing changes is a copy; all others are refused.
void Body::declareReference(const clang::VarDecl& decl, const clang::Stmt& at) {
  Reporter& reporter = unit_.reporter();
  const std::string name = decl.getName().str();
  const bool pointer = decl.getType()->isPointerType() || standardTemplate(decl.getType()) == "span";
  const clang::VarDecl* root = nullptr;
  const bool rooted = decl.getInit() && rootOf(decl.getInit(), root);
  const bool steady = !decl.getInit() || !rooted || (root ? root->getType().isConstQualified() || !changing_.contains(root) : !changing_.contains(nullptr));
  if (changing_.contains(&decl) || !steady || !decl.getInit()) {
    auto& finding = reporter.add(DiagCode::CppAlias, reporter.place(decl),
                                 fmt::format("`{}` is another name for memory that the function writes to", name),
                                 pointer ? "index the array itself, with an offset" : "use the variable itself, or copy the value: `const double`");
    if (root) finding.marks.push_back({reporter.place(*root), fmt::format("`{}` is the memory", root->getName().str())});
    throw Stop{};
  }
  Variable made;
  made.shape = unit_.shapes().of(decl.getType(), at);
  const Value value = pointer ? read(view(decl.getInit())) : initial(*decl.getInit(), made.shape);
  made.range = value.range;
  made.name = names_.unique(name);
  line(Text("let " + made.name + " = ") + value.text, at);
  variables_[&decl] = made;
}

void Body::declare(const clang::VarDecl& decl, const clang::Stmt& at) {
  Reporter& reporter = unit_.reporter();
  const std::string name = decl.getName().str();
  if (decl.isStaticLocal()) {
    if (decl.getType().isConstQualified() || decl.isConstexpr()) return;  // read as a constant of the file
    reporter.unsupported(decl, fmt::format("`{}`, which keeps its value from call to call,", name), "make it a parameter and a result");
  }
  if (llvm::isa<clang::DecompositionDecl>(decl)) reporter.unsupported(decl, "a structured binding", "name the struct and read its members");
  const clang::QualType type = decl.getType();
  if (type->isReferenceType() || type->isPointerType() || standardTemplate(type) == "span") return declareReference(decl, at);
  if (declareSource(decl, at)) return;
  Variable made;
  made.shape = unit_.shapes().of(type, decl);
  if (sourceClass(type) == "array") {
    const std::optional<Dims> dims = unit_.arrays().dims(decl);
    if (!dims) reporter.unsupported(decl, fmt::format("`{}`, whose sizes are known only when the program runs,", name), "write the C++ for fixed sizes: `dini emit --dims n=100`");
    size(made.shape, *dims);
  }
  const bool changes = changing_.contains(&decl);
  Value value;
  if (decl.getInit()) value = initial(*decl.getInit(), made.shape);
  else if (made.shape.isScalar() && made.shape.element == Shape::Element::Bool)
    reporter.unsupported(decl, "a bool without an initial value", fmt::format("write `bool {} = false;`", name));
  else value = unset(made.shape, at);
  made.range = changes ? Range::Unknown : value.range;
  made.name = names_.unique(name);
  line(Text((changes ? "var " : "let ") + made.name + " = ") + value.text, at);
  variables_[&decl] = made;
}

void Body::parameters() {
  using Role = Signature::Parameter::Role;
  for (const Signature::Parameter& parameter : signature_.parameters) {
    Variable made{parameter.name, parameter.shape, parameter.single, Range::Unknown};
    for (const Signature::Parameter& other : signature_.parameters)
      if (form_ == Form::Outer && other.size == parameter.name) made.range = Range::Small;
    const bool created = form_ == Form::Outer && parameter.role == Role::Out;
    const bool changes = parameter.role != Role::In || changing_.contains(parameter.decl);
    if (changes) made.range = Range::Unknown;
    if (created || changes) made.name = created ? parameter.name : names_.unique(parameter.name);
    const clang::Stmt& at = *signature_.function->getBody();
    if (created) line(Text("var " + made.name + " = ") + unset(made.shape, at).text, at);
    else if (changes) line(Text("var " + made.name + " = " + parameter.name), at);
    (parameter.decl ? variables_[parameter.decl] : object_) = made;
  }
}

}  // namespace dini::clang_frontend
