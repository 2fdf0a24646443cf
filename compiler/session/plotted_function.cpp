#include "session/plotted_function.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/check.h"
#include "session/status_report.h"

namespace dini::session {
namespace {

constexpr uint64_t kTraceBudget = 4'000'000;    // operations of the interpreter inside a trace
constexpr size_t kTraceNodes = 20'000;          // beyond, tracing every sample takes too long
constexpr uint64_t kInterpretBudget = 100'000;  // operations of a sample; beyond, it is compiled
constexpr double kTied = 1e-12;                 // relative: rounding of a solution

bool isReal2(const types::Type& type) {
  return type.isReal() && type.rank() == 1;
}

// Names of the parameters of a named function; empty for others.
std::vector<std::string> parameterNames(const Session& session, const std::string& function) {
  std::vector<std::string> names;
  if (const ast::FnDecl* decl = const_cast<Session&>(session).program().findFunction(function))
    for (const auto& parameter : decl->parameters) names.push_back(parameter.name.text);
  return names;
}

int64_t mark(Span span, int64_t kind) { return (static_cast<int64_t>(span.begin) << 8) | kind; }

}  // namespace

PlottedFunction::~PlottedFunction() {
  for (const std::string& name : defined_) session_.forget(name);
}

std::unique_ptr<PlottedFunction> PlottedFunction::make(Session& session, const PlotRequest& request,
                                                       const std::string& function) {
  std::unique_ptr<PlottedFunction> made(new PlottedFunction(session));
  return made->lower(request, function) ? std::move(made) : nullptr;
}

// The arguments "x = plot_variable_0, a = plot_argument_a" for a function with these parameter names (none:
// by position); the parameters that are differentiated go to `selected`.
std::string PlottedFunction::callText(const PlotRequest& request, const std::vector<std::string>& names,
                                      std::vector<std::string>& selected) {
  std::vector<std::string> parts;
  auto bind = [&](const std::string& name, const std::string& value) {
    parts.push_back(names.empty() ? value : fmt::format("{} = {}", name, value));
  };
  if (vector_) {
    bind(variables_[0], fmt::format("[{}]", fmt::join(inputs_, ", ")));
    if (!names.empty()) selected.push_back(variables_[0]);
  } else {
    for (size_t k = 0; k < inputs_.size(); ++k) {
      bind(variables_[k], inputs_[k]);
      if (!names.empty()) selected.push_back(variables_[k]);
    }
  }
  for (const auto& fixed : request.fixed) bind(fixed.name, "plot_argument_" + fixed.name);
  return fmt::format("{}", fmt::join(parts, ", "));
}

bool PlottedFunction::lower(const PlotRequest& request, const std::string& function) {
  types::TypePtr type = session_.typeOfText("plot", function);
  if (!type) return false;
  DiagnosticSink& sink = session_.sink();
  if (type->kind != types::Kind::Function) {
    sink.add(DiagCode::BadArguments, request.span, fmt::format("`{}` is no function", function)).help =
        "functions of one or two variables are plotted, and arrays real[n, 2] of points";
    return false;
  }
  std::vector<std::string> names = parameterNames(session_, function);
  for (size_t k = 0; k < request.over.size(); ++k) {
    std::string name = request.over[k].name;
    bool known = std::find(names.begin(), names.end(), name) != names.end();
    // In a picture of several functions each may have its own name for the variable.
    if (!known && request.functions.size() > 1 && !names.empty()) name.clear();
    if (name.empty()) name = k < names.size() ? names[k] : k == 0 ? "x" : "y";
    else if (!known && !names.empty()) {
      sink.add(DiagCode::BadArguments, request.span, fmt::format("`{}` has no parameter `{}`", function, name));
      return false;
    }
    variables_.push_back(name);
  }
  size_t first = 0;
  if (!names.empty()) first = static_cast<size_t>(std::find(names.begin(), names.end(), variables_[0]) - names.begin());
  vector_ = request.over.size() == 2 && first < type->elements.size() && isReal2(*type->elements[first]);
  auto define = [&](const std::string& name, lower::HostValue value) {
    defined_.push_back(name);
    session_.define(name, std::move(value));
  };
  for (size_t k = 0; k < request.over.size(); ++k) {
    inputs_.push_back(fmt::format("plot_variable_{}", k));
    define(inputs_.back(), {types::realType(), {ir::Tensor::real(request.over[k].from)}});
  }
  for (const auto& fixed : request.fixed) define("plot_argument_" + fixed.name, fixed.value);
  std::vector<std::string> selected;
  std::string arguments = callText(request, names, selected);
  std::string wrt = selected.empty()       ? ""
                    : selected.size() == 1 ? ", wrt = " + selected[0]
                                           : fmt::format(", wrt = ({})", fmt::join(selected, ", "));
  auto value = session_.lowerText("plot", fmt::format("({})({})", function, arguments));
  if (!value) return false;
  bool real = value->type->isReal() && value->type->isScalar();
  if (!real) {
    sink.add(DiagCode::BadArguments, request.span,
             fmt::format("`{}` gives {}, and only a real is plotted", function, session_.program().str(*value->type)));
    return false;
  }
  auto gradient = session_.lowerProbeText("plot", fmt::format("value_and_grad({}{})({})", function, wrt, arguments));
  if (!gradient) return false;
  value_ = *value;
  gradient_ = *gradient;
  if (vector_) variables_ = {variables_[0] + "[0]", variables_[0] + "[1]"};
  return true;
}

std::vector<ir::Tensor> PlottedFunction::argumentsOf(const lower::Lowered& call, std::span<const double> at) const {
  std::vector<ir::Tensor> arguments;
  for (const std::string& input : call.inputs) {
    auto ours = std::find(inputs_.begin(), inputs_.end(), input);
    if (ours != inputs_.end()) {
      arguments.push_back(ir::Tensor::real(at[static_cast<size_t>(ours - inputs_.begin())]));
      continue;
    }
    const lower::HostValue* value = session_.find(input);
    check(value != nullptr, "a plotted function reads a variable that has no value");
    arguments.insert(arguments.end(), value->leaves.begin(), value->leaves.end());
  }
  return arguments;
}

ir::Outcome PlottedFunction::run(const lower::Lowered& call, std::span<const ir::Tensor> arguments) {
  const ExecuteOptions& options = session_.executor().options();
  const ir::Module& module = session_.probeLowerer().module();
  if (!compiled_ && options.engine != Engine::Jit) {
    ir::InterpretOptions interpretation;
    interpretation.interrupt = options.interrupt;
    if (options.engine == Engine::Auto) interpretation.budget = kInterpretBudget;
    if (auto outcome = ir::interpret(module, *call.function, arguments, interpretation)) return std::move(*outcome);
  }
  if (!compiled_) compiled_ = std::make_unique<Prepared>(prepare(module, *call.function));
  jit::RunOptions run;
  run.level = options.level;
  run.interrupt = options.interrupt;
  return session_.executor().jit().run(compiled_->module, *compiled_->function, arguments, run);
}

std::variant<PlottedFunction::Evaluated, std::string> PlottedFunction::operator()(std::span<const double> at) {
  if (const auto* interrupt = session_.executor().options().interrupt; interrupt && *interrupt)
    return std::string("interrupted");
  ir::Outcome outcome = run(gradient_, argumentsOf(gradient_, at));
  if (const auto* status = std::get_if<ir::StatusInfo>(&outcome)) return statusMessage(*status);
  Evaluated evaluated;
  const auto& leaves = std::get<std::vector<ir::Tensor>>(outcome);
  evaluated.value = leaves[0].reals[0];
  for (size_t k = 1; k < leaves.size(); ++k)
    evaluated.gradient.insert(evaluated.gradient.end(), leaves[k].reals.begin(), leaves[k].reals.end());
  if (evaluated.gradient.size() != at.size()) return std::string("the gradient has another size");
  if (obstacle_.empty() && std::isfinite(evaluated.value)) trace(at, evaluated);
  return evaluated;
}

// Which side each switch is on. Graphs of neighbouring points number their nodes alike.
void PlottedFunction::trace(std::span<const double> at, Evaluated& evaluated) {
  ir::InterpretOptions options;
  options.budget = kTraceBudget;
  options.interrupt = session_.executor().options().interrupt;
  certify::CallTrace call = certify::traceCall(session_.lowerer().module(), *value_.function,
                                               argumentsOf(value_, at), options);
  const certify::System& system = call.system;
  if (!system.obstacle.empty()) {
    obstacle_ = system.obstacle;
    return;
  }
  if (system.graph.size() > kTraceNodes) {
    obstacle_ = fmt::format("a call has {} operations", system.graph.size());
    return;
  }
  for (size_t id = 0; id < system.graph.size(); ++id) {
    const certify::Node& node = system.graph.node(static_cast<certify::NodeId>(id));
    if (node.leaf != certify::Leaf::None || node.code != ir::OpCode::Choose) continue;
    double p = system.graph.node(node.operands[0]).value, q = system.graph.node(node.operands[1]).value;
    evaluated.switches.push_back(mark(node.span, p > q ? 1 : p < q ? 2 : 3));
    if (std::abs(p - q) <= kTied * (1 + std::abs(p) + std::abs(q))) evaluated.tied = true;
  }
  for (const certify::Guard& guard : system.guards)
    evaluated.switches.push_back(mark(guard.span, 16 + (guard.outcome ? 1 : 0) + (guard.then_side ? 2 : 0)));
}

}  // namespace dini::session
