// dini emit FILE --as STAGE: any stage of the pipeline as text. Functions are compiled for concrete
// sizes: a function whose parameters have size names needs --dims.
#include <algorithm>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "driver/abs_normal.h"
#include "driver/commands.h"
#include "driver/cpp_layout.h"
#include "driver/dims.h"
#include "driver/emit_ir.h"
#include "driver/emit_source.h"
#include "driver/text_file.h"
#include "ir/printer.h"
#include "syntax/formatter.h"

namespace dini::driver {
namespace {

struct EmitOptions {
  std::string file;
  std::string stage = "ir";
  std::string function;
  std::vector<std::string> derivatives = {""};  // "": the function itself
  std::vector<std::string> dims;
  std::vector<std::string> at;
  bool optimised = false;
};

// The function's parameter types, then its result's, with the sizes of --dims; names what is missing for a parameter.
std::optional<std::vector<types::TypePtr>> concreteTypes(const ast::FnDecl& function,
                                                         const Dims& dims,
                                                         std::string& missing) {
  auto size = [&](types::SizeName name) -> std::optional<types::Size> {
    for (const ast::BindingPtr& binding : function.sizes) {
      if (!binding->size || *binding->size != types::Size::named(name)) continue;
      if (auto given = dims.find(binding->name); given != dims.end())
        return types::Size(given->second);
      missing = binding->name;
    }
    // An int parameter that is a size stays a parameter unless it is given.
    for (const ast::Parameter& parameter : function.parameters)
      if (parameter.binding && parameter.binding->size && *parameter.binding->size == types::Size::named(name))
        if (auto given = dims.find(parameter.name.text); given != dims.end()) return types::Size(given->second);
    return std::nullopt;
  };
  std::vector<types::TypePtr> types;
  for (const types::TypePtr& parameter : function.type->elements)
    types.push_back(types::substitute(parameter, size));
  if (!missing.empty()) return std::nullopt;
  types.push_back(types::substitute(function.type->result, size));
  return types;
}

lower::HostValue zeroValue(const types::TypePtr& type) {
  lower::HostValue value{type, {}};
  for (const ir::Type& leaf : lower::leafTypes(*type))
    value.leaves.push_back(ir::Tensor::zeros(leaf));
  return value;
}

// The call whose IR is emitted: of the function, or of its derivative (jvp and vjp get seeds).
std::optional<lower::Lowered> lowerCall(session::Session& session, const ast::FnDecl& function,
                                        const std::vector<types::TypePtr>& parameters,
                                        const std::string& derivative) {
  if (derivative.empty()) return session.lowerer().lowerFunction(function, parameters);
  std::vector<std::string> names;
  auto bind = [&](const std::string& name, const types::TypePtr& type) {
    session.define(name, zeroValue(type));
    names.push_back(name);
  };
  for (size_t k = 0; k < parameters.size(); ++k)
    bind(function.parameters[k].name.text, parameters[k]);
  std::string callee = fmt::format("{}({})", derivative, function.name.text);
  types::TypePtr type = session.typeOfText("--derivative", callee);
  if (!type || type->kind != types::Kind::Function) return std::nullopt;
  for (size_t k = parameters.size(); k < type->elements.size(); ++k) {
    // A seed: a tangent has its parameter's type, the cotangent the result's.
    std::vector<ir::Tensor> none;
    types::TypePtr seed = type->elements[k];
    if (derivative == "jvp" || derivative == "dirderiv") {
      size_t tangent = k - parameters.size(), seen = 0;
      for (const types::TypePtr& parameter : parameters)
        if (types::holdsReals(*parameter) && seen++ == tangent) seed = parameter;
    } else if (auto value = session.lowerer().lowerFunction(function, parameters)) {
      seed = value->type;
    }
    bind(fmt::format("seed_{}", k - parameters.size()), seed);
  }
  return session.lowerText("--derivative", fmt::format("{}({})", callee, fmt::join(names, ", ")));
}

// The same for source text, whose functions keep their int parameters; those that --dims names are constants.
std::optional<lower::Lowered> lowerForSource(session::Session& session, const ast::FnDecl& function,
                                             const std::vector<types::TypePtr>& parameters,
                                             const types::TypePtr& result, const std::string& derivative,
                                             const Dims& dims) {
  bool has_int = std::any_of(parameters.begin(), parameters.end(), [](const types::TypePtr& type) {
    return type->isScalar() && type->isArray(types::Scalar::Int);
  });
  if (derivative.empty()) return session.lowerer().lowerFunction(function, parameters, dims);
  // Of a vjp the cotangent's sizes are known from a call only.
  bool by_call = derivative == "dirderiv" || derivative == "certificate" || (derivative == "vjp" && !has_int && result->kind != types::Kind::Record);
  return by_call ? lowerCall(session, function, parameters, derivative)
                 : session.lowerer().lowerDerivative(function, parameters, derivative, dims, result);
}

// Whether a function of a file that is emitted as a whole has the derivative.
bool hasForm(const ast::FnDecl& function, const std::string& derivative) {
  const types::Type& result = *function.type->result;
  for (const types::TypePtr& parameter : function.type->elements)
    if (parameter->kind == types::Kind::Function) return false;
  if (derivative.empty()) return true;
  bool reals = std::any_of(function.type->elements.begin(), function.type->elements.end(),
                           [](const types::TypePtr& type) { return types::holdsReals(*type); });
  bool of_one = derivative == "grad" || derivative == "value_and_grad" || derivative == "hess";
  return reals && (of_one ? result.isScalar() && result.isReal() : types::holdsReals(result));
}

bool isSource(const EmitOptions& options) { return options.stage == "cpp" || options.stage == "dini"; }

std::string stageText(session::Session& session, const EmitOptions& options,
                      const ir::Function& function) {
  if (options.stage == "ir" && !options.optimised) return ir::print(function);
  session::Prepared prepared = session::prepare(session.lowerer().module(), function);
  jit::OptLevel level = session.options().execution.level;
  if (options.stage == "ir") return ir::print(prepared.module);
  jit::Jit& jit = session.executor().jit();
  return options.stage == "llvm" ? jit.llvmText(prepared.module, *prepared.function, level)
                                 : jit.assembly(prepared.module, *prepared.function, level);
}

// The functions of the file, or the one named, which a file that it imports may declare.
std::vector<const ast::FnDecl*> chosenFunctions(session::Session& session, const std::string& name,
                                                const ast::File& file) {
  std::vector<const ast::FnDecl*> chosen;
  for (const ast::Item& item : file.items) {
    if (item.kind != ast::ItemKind::Fn || item.fn->internal) continue;
    if (name.empty() || item.fn->name.text == name) chosen.push_back(item.fn.get());
  }
  if (!chosen.empty() || name.empty()) return chosen;
  const ast::FnDecl* found = session.program().findFunction(name);
  if (found != nullptr && !found->in_prelude && !found->internal) chosen.push_back(found);
  return chosen;
}

// Of several functions those that have no spelling are reported, the others written.
void addSource(session::Session& session, const EmitOptions& options, const ast::FnDecl& function,
               const std::vector<types::TypePtr>& parameters, const types::TypePtr& result, const Dims& dims,
               SourceTexts& texts) {
  for (const std::string& derivative : options.derivatives) {
    bool asked = !options.function.empty() && options.derivatives.size() == 1;
    if (!asked && !hasForm(function, derivative)) continue;
    auto lowered = lowerForSource(session, function, parameters, result, derivative, dims);
    SourceTarget target{options.stage, function.name.text, derivative};
    if (lowered) texts.add(session, target, function, *lowered);
  }
}

void printSource(session::Session& session, const EmitOptions& options, const SourceTexts& source) {
  std::string text = source.text();
  if (text.empty()) return;
  if (options.stage == "cpp") {
    std::optional<std::string> formatted = laidOut(session, text);
    if (!formatted) return;
    text = std::move(*formatted);
  }
  text.pop_back();  // printLine ends it
  printLine(text);
}

int emitFunctions(Context& context, session::Session& session, const EmitOptions& options,
                  const ast::File& file) {
  std::optional<Dims> dims = parseDims(context, options.dims);
  if (!dims) return context.finish();
  if (options.derivatives.size() > 1 && !isSource(options))
    return context.fail(DiagCode::BadCommandLine,
                        fmt::format("`--as {}` shows one derivative at a time", options.stage));
  auto chosen = chosenFunctions(session, options.function, file);
  SourceTexts source;
  for (const ast::FnDecl* function : chosen) {
    std::string missing;
    auto parameters = concreteTypes(*function, *dims, missing);
    if (!parameters && options.function.empty()) {
      printLine(fmt::format("{} {} needs --dims {}=...", options.stage == "cpp" ? "//" : "#", function->name.text, missing));
      continue;
    }
    if (!parameters)
      return context.fail(DiagCode::BadCommandLine,
                          fmt::format("the size `{}` of `{}` is not known", missing,
                                      function->name.text),
                          fmt::format("give it: `--dims {}=3`", missing));
    types::TypePtr result = parameters->back();
    parameters->pop_back();
    if (isSource(options)) {
      addSource(session, options, *function, *parameters, result, *dims, source);
      continue;
    }
    auto lowered = lowerCall(session, *function, *parameters, options.derivatives[0]);
    if (!lowered) return context.finish();
    bool machine = options.stage != "ir" || options.optimised;
    if (machine && session::inspects(session.lowerer().module(), *lowered->function))
      return context.fail(DiagCode::TooLarge,
                          fmt::format("`{}` asks for a certificate, which only `dini` itself can make", function->name.text),
                          "it has no machine code; `--as ir` shows it");
    printLine(stageText(session, options, *lowered->function));
  }
  source.report(session);
  printSource(session, options, source);
  if (chosen.empty() && !options.function.empty())
    return context.fail(DiagCode::UnknownName,
                        fmt::format("`{}` has no function `{}`", options.file, options.function));
  return context.finish();
}

int emit(Context& context, const EmitOptions& options) {
  // Source text runs once, elsewhere: the ties of `locked` are decided by the variant with the probe.
  bool report = context.options.tie_report;
  context.options.tie_report = report || isSource(options);
  if (isSource(options)) context.options.jacobians = lower::Jacobians::Dense;
  session::Session* session = context.session();
  context.options.tie_report = report;
  if (!session) return context.finish();
  if (options.stage == "tokens") {
    std::optional<std::string> text = readTextFile(context, options.file);
    if (!text) return context.finish();
    FileId id = context.sources().add(options.file, *text);
    printLine(syntax::dumpTokens(context.sources(), id));
    return context.finish();
  }
  ast::File* file = session->readFile(options.file);
  if (file && options.stage == "ast") {
    printLine(syntax::dumpTree(*file));
    return context.finish();
  }
  if (!file || session->sink().hasErrors()) return context.finish();
  if (options.stage == "abs-normal") return emitAbsNormal(context, *session, options.file, options.function, options.at);
  return emitFunctions(context, *session, options, *file);
}

}  // namespace

int emitIr(Context& context, const std::string& file, const std::vector<std::string>& dims) {
  EmitOptions options;
  options.file = file;
  options.dims = dims;
  return emit(context, options);
}

Command addEmit(CLI::App& parser) {
  CLI::App* app = parser.add_subcommand("emit", "show a stage of the compiler as text");
  auto options = std::make_shared<EmitOptions>();
  app->add_option("FILE", options->file, "the source file")->required();
  app->add_option("--as", options->stage, "tokens, ast, ir, llvm, asm, cpp, dini or abs-normal")
      ->check(CLI::IsMember({"tokens", "ast", "ir", "llvm", "asm", "cpp", "dini", "abs-normal"}));
  app->add_option("--fn", options->function, "only this function");
  app->add_option("--derivative", options->derivatives,
                  "of the function: grad, jvp, vjp, jac, hess, dirderiv; of source text several, `value` among them")
      ->delimiter(',')
      ->check(CLI::IsMember({"value", "grad", "value_and_grad", "jvp", "vjp", "jac", "hess", "dirderiv",
                             "certificate"}));
  app->add_option("--at", options->at, "abs-normal: NAME=EXPRESSION, repeated or with commas")
      ->allow_extra_args(false);
  app->add_option("--dims", options->dims, "sizes, such as n=100")->delimiter(',');
  app->add_flag("--optimised", options->optimised, "the IR as it goes to code generation");
  return {app, [options](Context& context) {
            for (std::string& form : options->derivatives)
              if (form == "value") form.clear();
            return emit(context, *options);
          }};
}

}  // namespace dini::driver
