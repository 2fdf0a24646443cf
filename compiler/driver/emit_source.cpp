#include "driver/emit_source.h"

#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "emit/emit.h"
#include "ir/clone.h"
#include "ir/walk.h"
#include "opt/opt.h"

namespace dini::driver {
namespace {

// A copy of the function and of all that it calls, simplified but still in the order of the source:
// what the passes before code generation do for speed would only hide what is computed.
struct Copy {
  ir::Module module;
  ir::Function* function = nullptr;
};
void copyCallees(const ir::Module& from, const ir::Function& function, ir::Module& to) {
  ir::walk(function.body, [&](const ir::Op& op) {
    if (op.code != ir::OpCode::Call || to.find(op.attrs.str) != nullptr) return;
    const ir::Function& callee = *from.find(op.attrs.str);
    to.add(ir::clone(callee, callee.name));
    copyCallees(from, callee, to);
  });
}
Copy simplified(const ir::Module& module, const ir::Function& function) {
  Copy copy;
  copy.function = &copy.module.add(ir::clone(function, function.name));
  copyCallees(module, function, copy.module);
  for (auto& [name, made] : copy.module.functions) opt::simplify(copy.module, *made);
  return copy;
}

// The leaves of a type, each called after the fields and elements on the way to it.
void leafNames(const types::Type& type, const std::string& name, std::vector<std::string>& names) {
  if (type.kind == types::Kind::Tuple) {
    for (size_t k = 0; k < type.elements.size(); ++k) leafNames(*type.elements[k], fmt::format("{}_{}", name, k), names);
  } else if (type.kind == types::Kind::Record) {
    for (const types::Field& field : type.fields) leafNames(*field.type, name + "_" + field.name, names);
  } else {
    names.push_back(name);
  }
}

std::vector<std::string> selectedParameters(const ast::FnDecl& function) {
  std::vector<std::string> names;
  for (size_t k = 0; k < function.parameters.size(); ++k)
    if (types::holdsReals(*function.type->elements[k])) names.push_back(function.parameters[k].name.text);
  return names;
}

// Results are called after what they are: value, tangent, x_bar.
std::vector<std::string> resultNames(const ast::FnDecl& function, const SourceTarget& target, const types::Type& type) {
  std::vector<std::string> selected = selectedParameters(function), names;
  auto gradients = [&](const types::Type& of, const char* suffix) {
    if (selected.size() == 1) return leafNames(of, selected[0] + suffix, names);
    for (size_t k = 0; k < of.elements.size(); ++k) leafNames(*of.elements[k], selected[k] + suffix, names);
  };
  if (target.derivative == "grad" || target.derivative == "vjp") gradients(type, "_bar");
  else if (target.derivative == "value_and_grad") {
    leafNames(*type.elements[0], "value", names);
    gradients(*type.elements[1], "_bar");
  } else if (target.derivative == "jvp") {
    leafNames(*type.elements[0], "value", names);
    leafNames(*type.elements[1], "tangent", names);
  } else {
    leafNames(type, target.derivative.empty() ? "value" : target.derivative, names);
  }
  return names;
}

// Parameters of the function, then a tangent d_x for each x, or the cotangent ybar.
std::vector<std::string> parameterNames(const ast::FnDecl& function, const SourceTarget& target, const ir::Function& body) {
  std::vector<std::string> names, seeds = selectedParameters(function);
  size_t seed = 0;
  for (const ir::Value* value : body.body.args) {
    std::string name = value->name;
    if (name.starts_with("seed_")) {
      name = target.derivative == "jvp" && seed < seeds.size() ? "d_" + seeds[seed] : "ybar";
      ++seed;
    }
    names.push_back(name.empty() ? "x" : name);
  }
  return names;
}

std::optional<emit::Place> placeOf(const SourceManager& sources, Span span) {
  if (!span.valid()) return std::nullopt;
  const SourceFile& file = sources.file(span.file);
  emit::Place place;
  place.file = std::filesystem::path(file.path()).filename().string();
  if (place.file == "--derivative") return std::nullopt;
  place.line = file.lineColumn(span.begin).line;
  std::string_view line = file.line(place.line);
  size_t first = line.find_first_not_of(" \t");
  place.text = first == std::string_view::npos ? "" : std::string(line.substr(first));
  return place;
}

}  // namespace

void SourceTexts::add(session::Session& session, const SourceTarget& target,
                      const ast::FnDecl& function, const lower::Lowered& lowered) {
  Copy copy = simplified(session.lowerer().module(), *lowered.function);
  std::string name = target.function + (target.derivative.empty() ? "" : "_" + target.derivative);
  emit::Request request{copy.module,
                        *copy.function,
                        name,
                        parameterNames(function, target, *copy.function),
                        resultNames(function, target, *lowered.type),
                        [&](Span span) { return placeOf(session.sources(), span); }};
  emit::Text made = target.stage == "cpp" ? emit::cpp(request) : emit::dini(request);
  if (made.limitation.empty()) {
    for (const std::string& helper : made.helpers)
      if (helpers_.insert(helper).second) text_ += helper + "\n";
    text_ += made.text;
    stage_ = target.stage;
    uses_routines_ = uses_routines_ || made.uses_routines;
    return;
  }
  Span span = made.span.valid() ? made.span : function.span;
  stage_ = target.stage;
  for (Refusal& refusal : refusals_)
    if (refusal.span == span && refusal.reason == made.limitation) return refusal.names.push_back(name);
  refusals_.push_back({span, made.limitation, {name}});
}

void SourceTexts::report(session::Session& session) const {
  for (const Refusal& refusal : refusals_)
    session.sink().add(DiagCode::TooLarge, refusal.span,
                       fmt::format("`{}` {} no spelling in {} source: {}", fmt::join(refusal.names, "`, `"),
                                   refusal.names.size() > 1 ? "have" : "has", stage_ == "cpp" ? "C++" : "Dini", refusal.reason));
}

std::string SourceTexts::text() const {
  if (text_.empty()) return "";
  return (stage_ == "cpp" ? emit::cppPreamble(uses_routines_) : "# Made by `dini emit --as dini`.\n") + text_;
}

}  // namespace dini::driver
