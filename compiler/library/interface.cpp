#include "library/interface.h"

#include <algorithm>
#include <functional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ad/parts.h"
#include "ir/run_notes.h"
#include "ir/walk.h"

namespace dini::library {

using types::Kind;
using types::Type;
using types::TypePtr;

namespace {

// Letters outside ASCII as their UTF-8 bytes in hexadecimal: C names hold letters, digits and _.
std::string cName(const std::string& text) {
  std::string name;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '_')
      name += c;
    else if (c == '.')
      name += '_';
    else
      name += fmt::format("x{:02x}", static_cast<unsigned char>(c));
  }
  return name;
}

// Names that the emitted headers use themselves, and words of C++, get an underscore.
std::string parameterName(const std::string& text) {
  static const std::set<std::string> taken = {
      "work",     "in",       "out",       "sizes",    "info",     "auto",    "bool",    "break",
      "case",     "char",     "class",     "const",    "do",       "double",  "else",    "enum",
      "float",    "for",      "goto",      "if",       "inline",   "int",     "long",    "new",
      "delete",   "register", "return",    "short",    "signed",   "static",  "struct",  "switch",
      "template", "this",     "typename",  "union",    "unsigned", "using",   "virtual", "void",
      "volatile", "while",    "namespace", "operator", "private",  "public",  "friend",  "export",
      "default",  "continue", "concept",   "requires", "extern",   "mutable", "std",     "dini",
      "result"};
  const std::string name = cName(text);
  return taken.contains(name) ? name + "_" : name;
}

ir::Elem elemOf(const Type& type) {
  if (type.kind == Kind::Covector || type.scalar == types::Scalar::Real) return ir::Elem::F64;
  return type.scalar == types::Scalar::Int ? ir::Elem::I64 : ir::Elem::I1;
}

bool isLeaf(const Type& type) { return type.kind == Kind::Array || type.kind == Kind::Covector; }

// Leaves in declaration order; `keep` says which kinds of numbers.
template <class Keep>
void addLeaves(const Type& type, const std::string& name, const Keep& keep,
               std::vector<Leaf>& leaves) {
  if (isLeaf(type)) {
    if (keep(type)) leaves.push_back({parameterName(name), elemOf(type), type.dims, -1});
    return;
  }
  for (size_t k = 0; k < type.elements.size(); ++k)
    addLeaves(*type.elements[k], fmt::format("{}.{}", name, k), keep, leaves);
  for (const types::Field& field : type.fields)
    addLeaves(*field.type, name + "." + field.name, keep, leaves);
}

bool anyNumber(const Type&) { return true; }
bool realNumber(const Type& type) { return elemOf(type) == ir::Elem::F64; }

// What the C function gives: the leaves of the value, of gradients, of Jacobians.
class Results {
 public:
  Results(const ast::FnDecl& declaration, std::vector<TypePtr> parameters, TypePtr value)
      : declaration_(declaration), parameters_(std::move(parameters)), value_(std::move(value)) {}

  std::vector<Leaf> of(const std::string& derivative) const {
    std::vector<Leaf> leaves;
    if (derivative.empty() || derivative == "value_and_grad" || derivative == "jvp" ||
        derivative == "fwd")
      addLeaves(*value_, "value", anyNumber, leaves);
    if (derivative == "jvp" || derivative == "tan")
      addLeaves(*value_, "d_value", anyNumber, leaves);
    if (derivative == "grad" || derivative == "value_and_grad" || derivative == "vjp" ||
        derivative == "bwd")
      for (size_t k : selected()) addLeaves(*parameters_[k], "bar_" + name(k), anyNumber, leaves);
    if (derivative == "jac")
      for (const Leaf& row : realLeaves(*value_, ""))
        for (const Leaf& column : selectedLeaves()) leaves.push_back(block(row, column, "jac"));
    if (derivative == "hess")
      for (const Leaf& row : selectedLeaves())
        for (const Leaf& column : selectedLeaves()) leaves.push_back(block(row, column, "hess"));
    return leaves;
  }

  std::vector<size_t> selected() const {
    std::vector<size_t> found;
    for (size_t k = 0; k < parameters_.size(); ++k)
      if (types::holdsReals(*parameters_[k])) found.push_back(k);
    return found;
  }

  std::string name(size_t parameter) const { return declaration_.parameters[parameter].name.text; }

 private:
  static std::vector<Leaf> realLeaves(const Type& type, const std::string& name) {
    std::vector<Leaf> leaves;
    addLeaves(type, name, realNumber, leaves);
    return leaves;
  }

  std::vector<Leaf> selectedLeaves() const {
    std::vector<Leaf> leaves;
    for (size_t k : selected()) addLeaves(*parameters_[k], name(k), realNumber, leaves);
    return leaves;
  }

  static Leaf block(const Leaf& row, const Leaf& column, const std::string& kind) {
    Leaf leaf{kind + (row.name.empty() ? "" : "_" + row.name) + "_" + column.name, ir::Elem::F64,
              row.dims, -1};
    leaf.dims.insert(leaf.dims.end(), column.dims.begin(), column.dims.end());
    return leaf;
  }

  const ast::FnDecl& declaration_;
  std::vector<TypePtr> parameters_;
  TypePtr value_;
};

void addNames(const Type& type, std::vector<types::SizeName>& names) {
  for (const types::Size& dim : type.dims)
    for (const types::SizeName name : dim.names())
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  for (const TypePtr& element : type.elements) addNames(*element, names);
  for (const types::Field& field : type.fields) addNames(*field.type, names);
}

const ast::Binding* sizeParameter(const ast::Parameter& parameter) {
  const ast::Binding* binding = parameter.binding.get();
  return binding != nullptr && binding->size && !binding->size->names().empty() ? binding : nullptr;
}

// Size names that arrays bring with them, then those that are int parameters.
std::vector<SizeArgument> sizeArguments(const ast::FnDecl& declaration,
                                        const std::vector<TypePtr>& parameters, const Type& result,
                                        const Dims& dims) {
  std::vector<types::SizeName> names;
  for (const TypePtr& parameter : parameters) addNames(*parameter, names);
  addNames(result, names);
  std::vector<SizeArgument> ints;
  for (const ast::Parameter& parameter : declaration.parameters)
    if (const ast::Binding* binding = sizeParameter(parameter))
      if (!dims.contains(parameter.name.text))
        ints.push_back({parameterName(parameter.name.text), binding->size->names()[0]});
  std::vector<SizeArgument> sizes;
  for (const types::SizeName name : names) {
    const auto same = [&](const SizeArgument& other) { return other.id == name; };
    if (std::any_of(ints.begin(), ints.end(), same)) continue;
    for (const ast::BindingPtr& binding : declaration.sizes)
      if (binding->size && *binding->size == types::Size::named(name))
        sizes.push_back({parameterName(binding->name), name});
  }
  sizes.insert(sizes.end(), ints.begin(), ints.end());
  return sizes;
}

// All operations but those whose status a `try` takes up.
template <class Visit>
void walkUntried(const ir::Region& region, const Visit& visit) {
  for (const auto& op : region.ops) {
    visit(*op);
    for (size_t k = op->code == ir::OpCode::Try ? 1 : 0; k < op->regions.size(); ++k)
      walkUntried(*op->regions[k], visit);
  }
}

std::set<ir::Status> possibleStatuses(const ir::Module& module, const ir::Function& function) {
  std::set<ir::Status> found;
  std::set<std::string> seen;
  const std::function<void(const ir::Function&)> visit = [&](const ir::Function& one) {
    walkUntried(one.body, [&](const ir::Op& op) {
      switch (op.code) {
        case ir::OpCode::Root:
          found.insert(
              {ir::Status::NotConverged, ir::Status::NonFinite, ir::Status::StartOutOfDomain});
          break;
        case ir::OpCode::SparseSolve:
          found.insert({ir::Status::Bounds, ir::Status::Memory});
          [[fallthrough]];
        case ir::OpCode::LinearSolve:
        case ir::OpCode::Factor:
          found.insert(ir::Status::Singular);
          break;
        case ir::OpCode::Cholesky:
          found.insert(ir::Status::Domain);
          break;
        case ir::OpCode::While:
          if (op.attrs.i > 0) found.insert(ir::Status::Bound);
          break;
        case ir::OpCode::Check:
          found.insert(static_cast<ir::Status>(op.attrs.i));
          break;
        case ir::OpCode::Call:
          found.insert(ir::Status::Bound);
          if (const ir::Function* callee = module.find(op.attrs.str);
              callee != nullptr && seen.insert(op.attrs.str).second)
            visit(*callee);
          break;
        default:
          break;
      }
    });
  };
  visit(function);
  return found;
}

// Whether the fast variant of `locked` may set the run's tie flag.
bool meetsTies(const ir::Module& module, const ir::Function& function) {
  bool any = false;
  std::set<std::string> seen;
  const std::function<void(const ir::Function&)> visit = [&](const ir::Function& one) {
    ir::walk(one.body, [&](const ir::Op& op) {
      any = any || op.code == ir::OpCode::NoteTie || op.attrs.str == ir::kNote;
      if (op.code != ir::OpCode::Call) return;
      const ir::Function* callee = module.find(op.attrs.str);
      if (callee != nullptr && seen.insert(op.attrs.str).second) visit(*callee);
    });
  };
  visit(function);
  return any;
}

}  // namespace

std::string Function::spell(const types::Size& size) const {
  return size.str([&](types::SizeName name) -> std::string {
    for (const SizeArgument& argument : sizes)
      if (argument.id == name) return argument.name;
    return "?";
  });
}

std::string whyNot(const ast::FnDecl& declaration) {
  for (size_t k = 0; k < declaration.parameters.size(); ++k) {
    const TypePtr& type = declaration.type->elements[k];
    if (type->kind == Kind::Function)
      return fmt::format("its parameter `{}` is a function", declaration.parameters[k].name.text);
  }
  std::vector<types::SizeName> known, wanted;
  for (const TypePtr& parameter : declaration.type->elements) addNames(*parameter, known);
  for (const ast::Parameter& parameter : declaration.parameters)
    if (const ast::Binding* binding = sizeParameter(parameter))
      known.push_back(binding->size->names()[0]);
  addNames(*declaration.type->result, wanted);
  for (const types::SizeName name : wanted)
    if (std::find(known.begin(), known.end(), name) == known.end())
      return "the size of its result is known only when it runs";
  return "";
}

namespace {

// A declaration with the sizes that are fixed put in.
class Description {
 public:
  Description(session::Session& session, const ast::FnDecl& declaration, std::string prefix,
              Dims dims)
      : session_(session),
        declaration_(declaration),
        prefix_(std::move(prefix)),
        dims_(std::move(dims)) {
    const auto fixed = [&](types::SizeName name) { return fixedSize(name); };
    for (const TypePtr& type : declaration.type->elements)
      parameters_.push_back(types::substitute(type, fixed));
    value_ = types::substitute(declaration.type->result, fixed);
  }

  std::vector<Function> whole(const std::string& derivative) const {
    Function made = begun(derivative);
    made.lowered = lowered(session_.lowerer(), derivative);
    if (made.lowered == nullptr) return {};
    if (meetsTies(session_.lowerer().module(), *made.lowered)) {
      made.probe = lowered(session_.probeLowerer(), derivative);
      if (made.probe == nullptr) return {};
    }
    addArguments(made);
    if (derivative == "jvp") addTangents(made);
    if (derivative == "vjp") addLeaves(*value_, "ybar", anyNumber, made.inputs);
    made.statuses = possibleStatuses(session_.lowerer().module(), *made.lowered);
    return {std::move(made)};
  }

  // Where the derivative may meet ties of `locked` the probe is a part of the first step.
  std::vector<Function> steps() const {
    const ir::Function* both = lowered(session_.lowerer(), "maps");
    const bool probes = both != nullptr && meetsTies(session_.lowerer().module(), *both);
    lower::Lowerer& lowerer = probes ? session_.probeLowerer() : session_.lowerer();
    if (probes) both = lowered(lowerer, "maps");
    if (both == nullptr) return {};
    Function forward = begun("fwd"), tangent = begun("tan"), backward = begun("bwd");
    addArguments(forward);
    addTangents(tangent);
    addLeaves(*value_, "ybar", anyNumber, backward.inputs);
    ad::Parts parts = ad::partsOf(*both, {tangent.inputs.size(), backward.inputs.size(),
                                          forward.results.size(), tangent.results.size()});
    const auto take = [&](Function& step, Function::Step which,
                          std::unique_ptr<ir::Function> part) {
      step.step = which;
      step.part = std::move(part);
      step.lowered = step.part.get();
      step.probed = probes;
      step.residuals = parts.residuals;
      step.statuses = possibleStatuses(lowerer.module(), *step.lowered);
      if (which != Function::Step::Forward) step.statuses.erase(ir::Status::Shape);
    };
    take(forward, Function::Step::Forward, std::move(parts.forward));
    take(tangent, Function::Step::Tangent, std::move(parts.tangent));
    take(backward, Function::Step::Backward, std::move(parts.backward));
    forward.tape_symbol = cName(prefix_ + declaration_.name.text + "_tape_bytes");
    return {std::move(forward), std::move(backward), std::move(tangent)};
  }

 private:
  std::optional<types::Size> fixedSize(types::SizeName name) const {
    const auto value = [&](const ast::Binding& binding) -> std::optional<types::Size> {
      if (!binding.size || *binding.size != types::Size::named(name)) return std::nullopt;
      const auto given = dims_.find(binding.name);
      return given == dims_.end() ? std::nullopt : std::optional(types::Size(given->second));
    };
    for (const ast::BindingPtr& binding : declaration_.sizes)
      if (const auto size = value(*binding)) return size;
    for (const ast::Parameter& parameter : declaration_.parameters)
      if (parameter.binding != nullptr)
        if (const auto size = value(*parameter.binding)) return size;
    return std::nullopt;
  }

  const ir::Function* lowered(lower::Lowerer& lowerer, const std::string& derivative) const {
    const auto made = derivative.empty()
                          ? lowerer.lowerFunction(declaration_, parameters_, dims_)
                          : lowerer.lowerDerivative(declaration_, parameters_, derivative, dims_);
    return made ? made->function : nullptr;
  }

  Results results() const { return {declaration_, parameters_, value_}; }

  Function begun(const std::string& derivative) const {
    Function made;
    made.symbol =
        cName(prefix_ + declaration_.name.text + (derivative.empty() ? "" : "_" + derivative));
    made.derivative = derivative;
    const SourceFile& file = session_.sources().file(declaration_.span.file);
    made.place = fmt::format("{}:{}", file.path(), file.lineColumn(declaration_.span.begin).line);
    const std::string_view text = file.text();
    const auto ends = declaration_.result->span.end;
    made.signature = text.substr(declaration_.span.begin, ends - declaration_.span.begin);
    made.sizes = sizeArguments(declaration_, parameters_, *value_, dims_);
    made.results = results().of(derivative);
    return made;
  }

  void addArguments(Function& made) const {
    const Results results = this->results();
    for (size_t k = 0; k < parameters_.size(); ++k) {
      const bool is_int = parameters_[k]->isScalar() && parameters_[k]->isArray(types::Scalar::Int);
      if (is_int && dims_.contains(results.name(k))) continue;  // a constant
      const size_t first = made.inputs.size();
      addLeaves(*parameters_[k], results.name(k), anyNumber, made.inputs);
      if (const ast::Binding* binding = sizeParameter(declaration_.parameters[k]))
        for (size_t j = 0; j < made.sizes.size(); ++j)
          if (made.sizes[j].id == binding->size->names()[0])
            made.inputs[first].size_argument = static_cast<int>(j);
    }
  }

  void addTangents(Function& made) const {
    const Results results = this->results();
    for (const size_t k : results.selected())
      addLeaves(*parameters_[k], "d_" + results.name(k), anyNumber, made.inputs);
  }

  session::Session& session_;
  const ast::FnDecl& declaration_;
  std::string prefix_;
  Dims dims_;
  std::vector<TypePtr> parameters_;
  TypePtr value_;
};

}  // namespace

std::vector<Function> describe(session::Session& session, const ast::FnDecl& declaration,
                               const std::string& derivative, const std::string& prefix,
                               const Dims& dims) {
  const Description description(session, declaration, prefix, dims);
  return derivative == "split" ? description.steps() : description.whole(derivative);
}

}  // namespace dini::library
