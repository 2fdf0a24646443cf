// Written types, size names of signatures, record declarations, attributes.
#include <algorithm>

#include <fmt/format.h>

#include "sema/checker.h"

namespace dini::sema {
namespace {

using Names = std::vector<const ast::NameExpr*>;

// Names in a dimension; `bad` gets the part that is not a polynomial.
void collectNames(const ast::Expr* dim, Names& names, const ast::Expr*& bad) {
  if (!dim) return;
  switch (dim->kind) {
    case ast::ExprKind::Number:
      if (!ast::as<ast::NumberExpr>(*dim).is_int) bad = dim;
      return;
    case ast::ExprKind::Name:
      names.push_back(&ast::as<ast::NameExpr>(*dim));
      return;
    case ast::ExprKind::Unary: {
      const auto& unary = ast::as<ast::UnaryExpr>(*dim);
      if (unary.op != ast::UnaryOp::Neg) bad = dim;
      return collectNames(unary.operand.get(), names, bad);
    }
    case ast::ExprKind::Binary: {
      const auto& binary = ast::as<ast::BinaryExpr>(*dim);
      if (binary.op != ast::BinaryOp::Add && binary.op != ast::BinaryOp::Sub &&
          binary.op != ast::BinaryOp::Mul)
        bad = dim;
      collectNames(binary.lhs.get(), names, bad);
      return collectNames(binary.rhs.get(), names, bad);
    }
    default:
      bad = dim;
  }
}

template <class Visit>
void eachDimension(const ast::TypeExpr* type, const Visit& visit) {
  if (!type) return;
  for (const auto& dim : type->dims) visit(dim.get());
  for (const auto& element : type->elements) eachDimension(element.get(), visit);
  eachDimension(type->result.get(), visit);
}

bool isPlainInt(const ast::TypeExpr* type) {
  return type && type->kind == ast::TypeExprKind::Named && type->name.text == "int" &&
         type->dims.empty();
}

}  // namespace

Size Checker::resolveDimension(ast::ExprPtr& dim) { return checkSize(dim, "a dimension"); }

TypePtr Checker::resolveType(ast::TypeExpr& type) {
  auto resolve = [&]() -> TypePtr {
    switch (type.kind) {
      case ast::TypeExprKind::Tuple:
      case ast::TypeExprKind::Function: {
        std::vector<TypePtr> elements;
        for (auto& element : type.elements) {
          elements.push_back(element ? resolveType(*element) : types::errorType());
          if (elements.back()->kind == Kind::Function && type.kind == ast::TypeExprKind::Tuple)
            elements.back() = error(DiagCode::TypeMismatch, element->span,
                                    "a function is no value: it cannot stand in a tuple");
        }
        if (type.kind == ast::TypeExprKind::Tuple) return types::tuple(std::move(elements));
        TypePtr result = type.result ? resolveType(*type.result) : types::errorType();
        return types::function(std::move(elements), result);
      }
      case ast::TypeExprKind::Named:
        break;
    }
    const std::string& name = type.name.text;
    if (name.empty()) return types::errorType();
    if (name == "sparse") return resolveSparse(type);
    if (name != "real" && name != "int" && name != "bool") return resolveRecord(type);
    std::vector<Size> dims;
    for (auto& dim : type.dims) dims.push_back(resolveDimension(dim));
    Scalar scalar = name == "real" ? Scalar::Real : name == "int" ? Scalar::Int : Scalar::Bool;
    return types::array(scalar, std::move(dims));
  };
  return type.resolved = resolve();
}

TypePtr Checker::resolveRecord(ast::TypeExpr& type) {
  std::vector<Size> arguments;
  for (auto& dim : type.dims) arguments.push_back(resolveDimension(dim));
  ast::TypeDecl* decl = world_.type(type.span.file, type.name.text);
  if (!decl) {
    auto& d = report(DiagCode::UnknownName, type.name.span,
                     fmt::format("there is no type `{}`", type.name.text));
    suggest(d, type.name.text, world_.typeNames(type.span.file));
    return types::errorType();
  }
  declareType(*decl);
  if (arguments.size() != decl->sizes.size()) {
    auto& d = report(DiagCode::BadDimension, type.span,
                     fmt::format("`{}` has {} here, where it takes {}", type.name.text,
                                 counted(arguments.size(), "size"), decl->sizes.size()));
    d.labels.push_back({decl->name.span, "declared here"});
    if (!arguments.empty() && decl->sizes.empty())
      d.help = "there are no arrays of records; a record can hold arrays";
    return types::errorType();
  }
  return recordOf(*decl, arguments);
}

TypePtr Checker::recordOf(const ast::TypeDecl& decl, const std::vector<Size>& arguments) {
  auto value = [&](types::SizeName name) -> std::optional<Size> {
    for (size_t k = 0; k < decl.size_names.size() && k < arguments.size(); ++k)
      if (decl.size_names[k] == name) return arguments[k];
    return std::nullopt;
  };
  std::vector<types::Field> fields;
  for (const types::Field& field : decl.resolved)
    fields.push_back({field.name, types::substitute(field.type, value)});
  return types::record(decl.name.text, arguments, std::move(fields));
}

void Checker::declareType(ast::TypeDecl& decl) {
  if (closed_types_.count(&decl)) return;
  bool builtin = decl.name.text == "real" || decl.name.text == "int" || decl.name.text == "bool";
  auto sparse = world_.prelude.types.find("sparse");
  if (builtin || (decl.name.text == "sparse" && sparse != world_.prelude.types.end() && sparse->second != &decl))
    report(DiagCode::DuplicateName, decl.name.span,
           fmt::format("`{}` is a type that comes with the language", decl.name.text));
  if (!open_types_.insert(&decl).second) {
    report(DiagCode::TypeMismatch, decl.name.span,
           fmt::format("`{}` contains itself, which no finite value can", decl.name.text));
    return;
  }
  std::vector<Scope> outer;
  std::swap(outer, scopes_);
  {
    ScopeGuard scope(*this, ScopeKind::Function);
    for (const ast::Name& name : decl.sizes) {
      decl.size_names.push_back(sizes_.rigid(name.text));
      bind(ast::BindingKind::Size, name, types::intType())->size =
          Size::named(decl.size_names.back());
    }
    std::unordered_map<std::string, Span> seen;
    for (auto& field : decl.fields) {
      auto [first, fresh] = seen.emplace(field.name.text, field.name.span);
      if (!fresh) {
        auto& d = report(DiagCode::DuplicateName, field.name.span,
                         fmt::format("the field `{}` is there twice", field.name.text));
        d.labels.push_back({first->second, "first here"});
        continue;
      }
      if (field.type)
        eachDimension(field.type.get(), [&](const ast::Expr* dim) {
          Names names;
          const ast::Expr* bad = nullptr;
          collectNames(dim, names, bad);
          for (const ast::NameExpr* name : names)
            if (!scopes_.back().names.count(name->name)) {
              auto& d = report(DiagCode::UnknownSize, name->span,
                               fmt::format("nothing gives the size `{}` a value", name->name));
              d.help = fmt::format("write `type {}[{}] = ...`", decl.name.text, name->name);
              bind(ast::BindingKind::Size, {name->name, name->span}, types::intType())->size =
                  Size::named(sizes_.unknown(name->name));
            }
        });
      TypePtr type = field.type ? resolveType(*field.type) : types::errorType();
      if (type->kind == Kind::Function)
        type = error(DiagCode::TypeMismatch, field.type->span,
                     "a function is no value: it cannot be a field");
      decl.resolved.push_back({field.name.text, type});
    }
  }
  std::swap(outer, scopes_);
  closed_types_.insert(&decl);
}

void Checker::declareSizes(std::vector<ast::Parameter>& parameters, const ast::TypeExpr* result,
                           std::vector<ast::BindingPtr>& sizes) {
  Names in_parameters, in_result;
  auto collect = [&](const ast::TypeExpr* type, Names& names) {
    eachDimension(type, [&](const ast::Expr* dim) {
      const ast::Expr* bad = nullptr;
      collectNames(dim, names, bad);
      if (bad) {
        auto& d =
            report(DiagCode::BadDimension, bad->span,
                   "a dimension in a signature is a polynomial in size names and ints", "not this");
        d.help = "make it an int parameter, which can be named in a dimension";
      }
    });
  };
  for (const auto& parameter : parameters) collect(parameter.type.get(), in_parameters);
  collect(result, in_result);
  auto named = [](const Names& names, const std::string& name) {
    return std::any_of(names.begin(), names.end(),
                       [&](const ast::NameExpr* n) { return n->name == name; });
  };
  // Int parameters that are sizes come first: they bind the name.
  for (auto& parameter : parameters) {
    const std::string& name = parameter.name.text;
    if (!isPlainInt(parameter.type.get()) ||
        (!named(in_parameters, name) && !named(in_result, name)))
      continue;
    parameter.binding = bind(ast::BindingKind::Parameter, parameter.name, types::intType());
    parameter.binding->size = Size::named(sizes_.rigid(name));
  }
  for (const ast::NameExpr* name : in_parameters) {
    if (name->name.empty() || scopes_.back().names.count(name->name)) continue;
    ast::BindingPtr outer = lookUp(name->name);  // a lambda may name the sizes around it
    if (outer && outer->type->isScalar() && outer->type->scalar == Scalar::Int) continue;
    auto binding = bind(ast::BindingKind::Size, {name->name, name->span}, types::intType());
    binding->size = Size::named(sizes_.rigid(name->name));
    sizes.push_back(binding);
  }
  for (const ast::NameExpr* name : in_result) {
    if (name->name.empty() || lookUp(name->name)) continue;
    auto& d =
        report(DiagCode::UnknownSize, name->span,
               fmt::format("nothing gives the size `{}` a value: no parameter has it", name->name));
    d.help = fmt::format("add a parameter `{}: int`", name->name);
    bind(ast::BindingKind::Size, {name->name, name->span}, types::intType())->size =
        Size::named(sizes_.unknown(name->name));
  }
}

void Checker::declareParameters(std::vector<ast::Parameter>& parameters,
                                const ast::TypeExpr* result, std::vector<ast::BindingPtr>& sizes) {
  for (auto& parameter : parameters)
    if (parameter.type) nameEntries(*parameter.type, "nnz_" + parameter.name.text);
  declareSizes(parameters, result, sizes);
  std::unordered_map<std::string, Span> seen;
  for (auto& parameter : parameters) {
    auto [first, fresh] = seen.emplace(parameter.name.text, parameter.name.span);
    if (!fresh && !parameter.name.text.empty()) {
      auto& d = report(DiagCode::DuplicateName, parameter.name.span,
                       fmt::format("two parameters are called `{}`", parameter.name.text));
      d.labels.push_back({first->second, "first here"});
    }
    if (!parameter.type) continue;
    TypePtr type = resolveType(*parameter.type);
    if (!parameter.binding)
      parameter.binding = bind(ast::BindingKind::Parameter, parameter.name, type);
    noteValue(parameter.binding, nullptr);
  }
}

void Checker::checkAttributes(std::vector<ast::Attribute>& attributes, bool on_function) {
  for (ast::Attribute& attribute : attributes) {
    const std::string& name = attribute.name.text;
    if (name == "ties" && on_function) {
      checkTies(attribute);
    } else if (name == "bound") {
      if (attribute.arguments.size() != 1) {
        report(DiagCode::BadAttribute, attribute.span,
               fmt::format("`@bound` has {} here, where it takes one: the largest number of "
                           "iterations or calls",
                           counted(attribute.arguments.size(), "argument")));
        continue;
      }
      checkSize(attribute.arguments[0], "the bound");
    } else {
      auto& d = report(DiagCode::BadAttribute, attribute.span,
                       name == "ties" ? "`@ties` stands before a `fn`, not before a loop"
                                      : fmt::format("there is no attribute `@{}`", name));
      if (name != "ties") suggest(d, name, {"ties", "bound"});
    }
  }
}

void Checker::checkTies(ast::Attribute& attribute) {
  const std::vector<std::string> policies = {"locked",  "first",  "second",
                                             "average", "weight", "framework"};
  auto bad = [&](const std::string& message) {
    auto& d = report(DiagCode::BadTies, attribute.span, message);
    d.help =
        "the policies are locked, first, second, average, weight(t), framework(torch) and "
        "framework(jax)";
  };
  if (attribute.arguments.size() != 1 || !attribute.arguments[0])
    return bad("`@ties` takes one policy");
  const ast::Expr& policy = *attribute.arguments[0];
  const ast::CallExpr* call =
      policy.kind == ast::ExprKind::Call ? &ast::as<ast::CallExpr>(policy) : nullptr;
  const ast::Expr* head = call ? call->callee.get() : &policy;
  if (!head || head->kind != ast::ExprKind::Name) return bad("this is no tie policy");
  const std::string& name = ast::as<ast::NameExpr>(*head).name;
  const ast::Expr* operand =
      call && call->arguments.size() == 1 ? call->arguments[0].value.get() : nullptr;
  if (name == "weight") {
    bool number = operand && operand->kind == ast::ExprKind::Number;
    if (!number || ast::as<ast::NumberExpr>(*operand).value > 1)
      bad("`weight` takes a number between 0 and 1");
  } else if (name == "framework") {
    bool known = operand && operand->kind == ast::ExprKind::Name &&
                 (ast::as<ast::NameExpr>(*operand).name == "torch" ||
                  ast::as<ast::NameExpr>(*operand).name == "jax");
    if (!known) bad("`framework` takes torch or jax");
  } else if (std::find(policies.begin(), policies.end(), name) == policies.end() || call) {
    bad(fmt::format("`{}` is no tie policy", name));
  }
}

}  // namespace dini::sema
