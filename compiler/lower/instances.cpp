// Recursive functions: one function of the module per combination of argument shapes, sizes and
// function arguments. Other ints are run-time arguments, so a recursion that ends by shapes ends
// here (its instances are expanded in place while small), and one that ends by values becomes
// calls.
#include <fmt/format.h>

#include "base/check.h"
#include "ir/clone.h"
#include "ir/walk.h"
#include "lower/scopes.h"

namespace dini::lower {
namespace {

constexpr size_t kMaxInstances = 1000;

bool isSizeParameter(const ast::Parameter& parameter) {
  return parameter.binding != nullptr && parameter.binding->size &&
         !parameter.binding->size->names().empty();
}

void describe(const Val& value, bool constants, std::string& key);

void describe(const FunctionValue& f, std::string& key) {
  key += fmt::format("fn{}:", static_cast<int>(f.kind));
  switch (f.kind) {
    case FunctionValue::Kind::User:
      key += fmt::format("{}", static_cast<const void*>(f.decl));
      break;
    case FunctionValue::Kind::Builtin:
      key += fmt::format("{}", static_cast<int>(f.builtin));
      break;
    case FunctionValue::Kind::Lambda:
      key += fmt::format("{}", static_cast<const void*>(f.lambda));
      for (const ast::BindingPtr& binding : f.lambda->captures)
        if (auto it = f.captured.find(binding.get()); it != f.captured.end())
          describe(it->second, false, key);
      for (const auto& [id, size] : std::map<uint32_t, ir::Value*>(f.sizes.begin(), f.sizes.end()))
        key += fmt::format(",{}={}", id, ir::constantInt(size).value_or(ir::kDynamic));
      break;
    case FunctionValue::Kind::Derivative:
      key += fmt::format("{}/", static_cast<int>(f.form));
      for (const std::string& name : f.wrt) key += name + "/";
      describe(*f.base, key);
      break;
    case FunctionValue::Kind::Native:
      key += f.closed->name;
      break;
  }
}

void describe(const Val& value, bool constants, std::string& key) {
  key += '(';
  if (value.isFunction()) describe(*value.function, key);
  if (value.isLeaf()) {
    key += ir::str(value.type());
    if (auto known = ir::constantInt(value.value); known && constants)
      key += fmt::format("={}", *known);
  }
  for (const Val& element : value.elements) describe(element, constants, key);
  key += ')';
}

// The values that a call passes, in the order in which parametersInto makes parameters.
void operandsOf(const Val& value, bool constants, std::vector<ir::Value*>& operands);
void operandsOf(const FunctionValue& f, std::vector<ir::Value*>& operands) {
  if (f.kind == FunctionValue::Kind::Derivative) return operandsOf(*f.base, operands);
  operands.insert(operands.end(), f.closed_over.begin(), f.closed_over.end());
  if (f.kind != FunctionValue::Kind::Lambda) return;
  for (const ast::BindingPtr& binding : f.lambda->captures)
    if (auto it = f.captured.find(binding.get()); it != f.captured.end())
      operandsOf(it->second, false, operands);
  for (const auto& [id, size] : std::map<uint32_t, ir::Value*>(f.sizes.begin(), f.sizes.end()))
    if (!ir::constantInt(size)) operands.push_back(size);
}
void operandsOf(const Val& value, bool constants, std::vector<ir::Value*>& operands) {
  if (value.isFunction()) return operandsOf(*value.function, operands);
  if (value.isLeaf() && !(constants && ir::constantInt(value.value)))
    operands.push_back(value.value);
  for (const Val& element : value.elements) operandsOf(element, constants, operands);
}

}  // namespace

bool isSmall(const ir::Function& function) {
  constexpr size_t kExpandBelow = 400;
  size_t count = 0;
  ir::walk(function.body, [&](const ir::Op&) { ++count; });
  return count < kExpandBelow;
}

Val Emitter::parameterLike(const Val& value, bool constants, const std::string& name) {
  if (value.isFunction()) return Val::of(parameterLike(*value.function));
  Val result = value;
  if (value.isLeaf()) {
    auto known = ir::constantInt(value.value);
    if (constants && known)
      result.value = value.type().elem == ir::Elem::I1 ? b().boolean(*known != 0) : integer(*known);
    else
      result.value = function_.addParameter(value.type(), name);
  }
  for (Val& element : result.elements) element = parameterLike(element, constants, name);
  return result;
}

std::shared_ptr<const FunctionValue> Emitter::parameterLike(const FunctionValue& f) {
  if (f.kind == FunctionValue::Kind::Native) {
    std::vector<ir::Value*> own;
    for (const ir::Value* value : f.closed_over)
      own.push_back(function_.addParameter(value->type, value->name));
    return overValues(f, std::move(own));
  }
  auto copy = std::make_shared<FunctionValue>(f);
  if (f.kind == FunctionValue::Kind::Derivative) copy->base = parameterLike(*f.base);
  if (f.kind == FunctionValue::Kind::Lambda) {
    for (const ast::BindingPtr& binding : f.lambda->captures)
      if (auto it = copy->captured.find(binding.get()); it != copy->captured.end())
        it->second = parameterLike(it->second, false, binding->name);
    for (const auto& [id, size] : std::map<uint32_t, ir::Value*>(f.sizes.begin(), f.sizes.end())) {
      auto known = ir::constantInt(size);
      copy->sizes[id] = known ? integer(*known) : function_.addParameter(ir::i64());
    }
  }
  return copy;
}

// The equations of a solve as a function of the IR, which other functions can call too.
std::shared_ptr<const FunctionValue> Emitter::closedFunction(const FunctionValue& f) {
  auto copy = std::make_shared<FunctionValue>(f);
  if (f.kind == FunctionValue::Kind::Derivative) copy->base = closedFunction(*f.base);
  for (auto& [binding, captured] : copy->captured) captured = closedFunctions(captured);
  if (f.kind != FunctionValue::Kind::Native || f.closed != nullptr) return copy;
  std::vector<Val> arguments;
  for (const ir::Type& type : f.native_arguments)
    arguments.push_back(Val::leaf(function_.newValue(type)));
  Closed made = close("equations", arguments,
                      [&](std::span<const Val> at) { return f.native(*this, at); });
  copy->closed = std::move(made.function);
  made.operands.erase(made.operands.begin(),
                      made.operands.begin() + static_cast<ptrdiff_t>(arguments.size()));
  return overValues(*copy, std::move(made.operands));
}

Val Emitter::closedFunctions(const Val& value) {
  if (value.isFunction()) return Val::of(closedFunction(*value.function));
  return value;
}

std::shared_ptr<const FunctionValue> Emitter::overValues(const FunctionValue& f,
                                                         std::vector<ir::Value*> closed_over) {
  auto copy = std::make_shared<FunctionValue>(f);
  copy->closed_over = closed_over;
  copy->native = [closed = f.closed, closed_over = std::move(closed_over)](
                     Emitter& e, std::span<const Val> arguments) {
    std::vector<ir::Value*> operands;
    for (const Val& argument : arguments) operands.push_back(e.toReal(argument.value));
    operands.insert(operands.end(), closed_over.begin(), closed_over.end());
    return Val::leaf(ir::inlineCall(e.b(), *closed, operands)[0]);
  };
  return copy;
}

// Whether an instance is for one value of the parameter's ints, where that is known.
bool Emitter::keepsConstants(const ast::FnDecl& fn, const ast::Parameter& parameter) const {
  return isSizeParameter(parameter) || shared_.by_value.contains(&fn);
}

// A derivative of f, which calls functions that are being lowered: the derivative of these needs its
// own derivative in turn, without end. With an instance per value of the int arguments the functions
// are others, and the recursion ends where an int that is known ends it.
void Emitter::noteSelfDerivative(const ir::Function& f) {
  ir::walk(f.body, [&](const ir::Op& op) {
    if (op.code != ir::OpCode::Call) return;
    bool open = false, news = false;
    for (const auto& [key, instance] : shared_.instances)
      open = open || (instance.function->name == op.attrs.str && !instance.finished);
    if (!open) return;
    for (const auto& [key, instance] : shared_.instances)
      if (!instance.finished && shared_.attempts == 0)
        news = shared_.by_value.insert(instance.source).second || news;
    if (news) throw SelfDerivative{};
    fail(DiagCode::TooLarge, span_,
         "a recursive function takes a derivative of itself, and its ints, as known when the "
         "program is compiled, do not end the recursion",
         "call it with int literals");
  });
}

// The activation of an instance: parameters in place of the caller's values.
void Emitter::parametersInto(const ast::FnDecl& fn, const Frame& caller, Frame& own) {
  own.fn = &fn;
  own.tie_mark = caller.tie_mark;
  own.result = caller.result;
  FrameScope scope(*this, own, fn.in_prelude);
  for (const ast::Parameter& parameter : fn.parameters) {
    Val value = parameterLike(caller.env.at(parameter.binding.get()), keepsConstants(fn, parameter),
                              parameter.name.text);
    if (isSizeParameter(parameter)) own.sizes[parameter.binding->size->names()[0].id] = value.value;
    own.env[parameter.binding.get()] = std::move(value);
  }
  for (int round = 0; round < 2; ++round)
    for (const ast::Parameter& parameter : fn.parameters)
      bindSizes(*parameter.binding->type, own.env.at(parameter.binding.get()));
}

// A value of the right shape whose leaves only have types.
Val Emitter::placeholder(const types::Type& type) {
  if (type.kind == types::Kind::Array || type.kind == types::Kind::Covector) {
    types::Type concrete = type;
    for (types::Size& dim : concrete.dims) {
      ir::Value* size = evalSize(dim);
      auto known = size != nullptr ? ir::constantInt(size) : std::nullopt;
      dim = types::Size(known.value_or(ir::kDynamic));
    }
    return Val::leaf(function_.newValue(leafTypes(concrete)[0]),
                     type.kind == types::Kind::Covector);
  }
  std::vector<Val> elements;
  for (const types::TypePtr& element : type.elements) elements.push_back(placeholder(*element));
  for (const types::Field& field : type.fields) elements.push_back(placeholder(*field.type));
  if (type.kind == types::Kind::Tuple) return Val::tuple(std::move(elements));
  return Val::recordOf(recordNamed(type.name), std::move(elements));
}

// @bound(n) of a recursive function: an instance takes the depth of its call as its last parameter.
ir::Value* Emitter::callDepth(const ast::FnDecl& fn) {
  auto outer = call_depths_.find(&fn);
  return outer == call_depths_.end() ? integer(1) : iadd(outer->second, integer(1));
}

void Emitter::limitDepth(const ast::FnDecl& fn) {
  int64_t bound = boundOf(fn.attributes);
  if (bound == 0) return;
  ir::Value* depth = call_depths_[&fn] = function_.addParameter(ir::i64(), "depth");
  require(intOp(ir::OpCode::ILe, depth, integer(bound)), ir::Status::Bound, "");
}

Instance& Emitter::instanceOf(const ast::FnDecl& fn, const Frame& callee) {
  std::string key = fmt::format("{}:{}", fn.name.text, static_cast<const void*>(&fn));
  for (const ast::Parameter& parameter : fn.parameters)
    describe(callee.env.at(parameter.binding.get()), keepsConstants(fn, parameter), key);
  if (auto it = shared_.instances.find(key); it != shared_.instances.end()) return it->second;
  if (shared_.instances.size() >= kMaxInstances)
    fail(DiagCode::TooLarge, span_,
         fmt::format("`{}` is needed for more than {} shapes", fn.name.text, kMaxInstances));
  auto& function =
      shared_.module.add(std::make_unique<ir::Function>(shared_.freshName(fn.name.text)));
  function.span = fn.span;
  Instance& instance = shared_.instances[key];
  instance.function = &function;
  instance.source = &fn;
  try {
    Emitter inner(shared_, function, environment_);
    inner.prelude_depth_ = prelude_depth_;
    inner.setSpan(span_);
    Frame own;
    inner.parametersInto(fn, callee, own);
    FrameScope scope(inner, own, fn.in_prelude);
    inner.limitDepth(fn);
    instance.result = inner.placeholder(*own.result);
    Val value = inner.functionBody(fn);
    inner.yield(value);
    ir::eraseDead(function);
    instance.finished = true;
  } catch (...) {  // LowerFailure, or an array too large
    std::string name = function.name;
    shared_.instances.erase(key);
    shared_.module.functions.erase(name);
    throw;
  }
  return instance;
}

Val Emitter::callRecursive(const ast::FnDecl& fn, Frame& callee) {
  FrameScope scope(*this, callee, fn.in_prelude);  // counts the depth
  if (shared_.depth > 400)
    fail(
        DiagCode::TooLarge, span_,
        fmt::format("`{}` calls itself for ever smaller shapes, more than 400 deep", fn.name.text));
  for (const ast::Parameter& parameter : fn.parameters) {
    Val& argument = callee.env.at(parameter.binding.get());
    argument = closedFunctions(argument);
  }
  Instance* found = nullptr;
  try {
    found = &instanceOf(fn, callee);
  } catch (const SelfDerivative&) {
    for (const auto& [key, other] : shared_.instances)
      if (!other.finished) throw;  // one of the functions that differentiate themselves
    found = &instanceOf(fn, callee);
  }
  Instance& instance = *found;
  std::vector<ir::Value*> operands;
  for (const ast::Parameter& parameter : fn.parameters)
    operandsOf(callee.env.at(parameter.binding.get()), keepsConstants(fn, parameter), operands);
  if (boundOf(fn.attributes) > 0) operands.push_back(callDepth(fn));
  if (!instance.finished) instance.reentered = true;
  std::vector<ir::Value*> results;
  if (instance.finished && !instance.reentered &&
      isSmall(*instance.function)) {
    results = ir::inlineCall(b(), *instance.function, operands);
  } else {
    ir::Attrs attrs;
    attrs.str = instance.function->name;
    std::vector<ir::Type> types;
    for (ir::Value* leaf : leavesOf(instance.result)) types.push_back(leaf->type);
    results =
        b().emit(ir::OpCode::Call, std::move(operands), std::move(attrs), std::move(types)).results;
  }
  return withLeaves(instance.result, results);
}

}  // namespace dini::lower
