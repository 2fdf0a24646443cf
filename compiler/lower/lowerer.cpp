// The entry points: one IR function per expression, statement, block or named function.
#include "lower/lower.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"
#include "ir/clone.h"
#include "ir/size_limit.h"
#include "ir/verifier.h"
#include "lower/assignments.h"
#include "lower/scopes.h"

namespace dini::lower {

struct Lowerer::State {
  Shared shared;
};

Lowerer::Lowerer(const sema::Program& program, DiagnosticSink& sink, Options options)
    : state_(new State{Shared{program, sink, options, {}, {}, {}, 0, 0, 0}}) {}
Lowerer::~Lowerer() = default;
ir::Module& Lowerer::module() { return state_->shared.module; }

namespace {

// Makes the function `name` by running `body` on a fresh emitter; nothing after a diagnostic.
template <class Body>
std::optional<Lowered> make(Shared& shared, const std::string& name, Span span,
                            const Lowerer::Environment* environment, const Body& body) {
  auto owned = std::make_unique<ir::Function>(shared.freshName(name));
  owned->span = span;
  int depth = shared.depth;
  try {
    Emitter emitter(shared, *owned, environment);
    Val value = body(emitter);
    emitter.yield(value);
    ir::eraseDead(*owned);
    Lowered lowered;
    lowered.inputs = emitter.inputs();
    lowered.type = emitter.typeOf(value);
    ir::verifyOrFail(*owned, "lowering", &shared.module);
    lowered.function = &shared.module.add(std::move(owned));
    return lowered;
  } catch (const LowerFailure&) {
    shared.depth = depth;
  } catch (const ir::TooManyElements& large) {
    shared.sink.add(DiagCode::TooLarge, large.span.valid() ? large.span : span, large.what());
    shared.depth = depth;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Lowered> Lowerer::lowerExpression(const ast::Expr& expression,
                                                const Environment& environment) {
  return make(state_->shared, "expression", expression.span, &environment,
              [&](Emitter& emitter) { return emitter.eval(expression); });
}

std::optional<Lowered> Lowerer::lowerBlock(const ast::BlockExpr& block,
                                           const Environment& environment) {
  return make(state_->shared, "block", block.span, &environment,
              [&](Emitter& emitter) { return emitter.block(block); });
}

std::optional<Lowered> Lowerer::lowerStatement(const ast::Stmt& statement,
                                               const Environment& environment,
                                               std::vector<std::string>& outputs) {
  outputs.clear();
  return make(state_->shared, "statement", statement.span, &environment, [&](Emitter& emitter) {
    emitter.exec(statement);
    std::vector<Val> values;
    auto give = [&](const ast::Binding& binding) {
      auto it = emitter.frame().env.find(&binding);
      if (it == emitter.frame().env.end() || it->second.isFunction()) return;
      outputs.push_back(binding.name);
      values.push_back(it->second);
    };
    if (statement.kind == ast::StmtKind::Let)
      for (const ast::BindingPtr& binding : ast::as<ast::LetStmt>(statement).bindings)
        if (binding != nullptr) give(*binding);
    if (statement.kind == ast::StmtKind::Var) give(*ast::as<ast::VarStmt>(statement).binding);
    Assignments found;
    found.add(statement);
    for (const ast::Binding* binding : found.variables)
      if (binding->kind == ast::BindingKind::TopLevel && !found.declared.contains(binding))
        give(*binding);
    return Val::tuple(std::move(values));
  });
}

namespace {

// Parameters of the IR function, or constants, one for each of the function's.
std::vector<NamedVal> parametersOf(Emitter& emitter, const ast::FnDecl& function,
                                   const std::vector<types::TypePtr>& argument_types,
                                   const Lowerer::Constants& constants) {
  std::vector<NamedVal> arguments;
  for (size_t k = 0; k < argument_types.size(); ++k) {
    const std::string& name = function.parameters.at(k).name.text;
    const auto known = constants.find(name);
    const bool is_int = argument_types[k]->isScalar() &&
                        argument_types[k]->isArray(types::Scalar::Int);
    if (known != constants.end() && is_int)
      arguments.push_back({"", Val::leaf(emitter.b().integer(known->second))});
    else
      arguments.push_back({"", emitter.parameterFor(*argument_types[k], name)});
  }
  return arguments;
}

}  // namespace

std::optional<Lowered> Lowerer::lowerFunction(const ast::FnDecl& function,
                                              const std::vector<types::TypePtr>& argument_types,
                                              const Constants& constants) {
  return make(state_->shared, function.name.text, function.span, nullptr, [&](Emitter& emitter) {
    FunctionValue f;
    f.decl = &function;
    return emitter.callFunction(f, parametersOf(emitter, function, argument_types, constants));
  });
}

namespace {

Form derivativeForm(const std::string& name) {
  const std::pair<const char*, Form> forms[] = {
      {"grad", Form::Grad}, {"value_and_grad", Form::ValueAndGrad},
      {"jac", Form::Jac},   {"hess", Form::Hess},
      {"jvp", Form::Jvp},   {"vjp", Form::Vjp},
      {"maps", Form::Maps}};
  for (const auto& [text, form] : forms)
    if (name == text) return form;
  failCheck("no derivative is called " + name);
}

}  // namespace

std::optional<Lowered> Lowerer::lowerDerivative(const ast::FnDecl& function,
                                                const std::vector<types::TypePtr>& argument_types,
                                                const std::string& form,
                                                const Constants& constants,
                                                const types::TypePtr& result) {
  return make(state_->shared, function.name.text, function.span, nullptr, [&](Emitter& emitter) {
    std::vector<NamedVal> arguments =
        parametersOf(emitter, function, argument_types, constants);
    const auto add = [&](const types::Type& type, const std::string& name) {
      arguments.push_back({"", emitter.parameterFor(type, name)});
    };
    FunctionValue f;
    f.kind = FunctionValue::Kind::Derivative;
    f.form = derivativeForm(form);
    auto base = std::make_shared<FunctionValue>();
    base->decl = &function;
    f.base = std::move(base);
    if (f.form == Form::Jvp || f.form == Form::Maps)
      for (size_t k = 0; k < argument_types.size(); ++k)
        if (types::holdsReals(*argument_types[k]))
          add(*argument_types[k], "d_" + function.parameters[k].name.text);
    if (f.form == Form::Vjp || f.form == Form::Maps) add(result ? *result : *function.type->result, "ybar");
    return emitter.callDerivative(f, std::move(arguments));
  });
}

}  // namespace dini::lower
