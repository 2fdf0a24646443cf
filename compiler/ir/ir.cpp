#include "ir/ir.h"

#include "base/check.h"
#include "ir/clone.h"
#include "ir/size_limit.h"

namespace dini::ir {

Function::Function(std::string function_name) : name(std::move(function_name)) {}

Value* Function::newValue(Type type) {
  Value& value = values_.emplace_back();
  value.id = static_cast<uint32_t>(values_.size() - 1);
  value.type = std::move(type);
  return &value;
}

Value* Function::addArgument(Region& region, Type type, std::string argument_name) {
  Value* value = newValue(std::move(type));
  value->index = static_cast<uint32_t>(region.args.size());
  value->region = &region;
  value->name = std::move(argument_name);
  region.args.push_back(value);
  return value;
}

Value* Function::addResult(Op& op, Type type) {
  limitElements(type, op.span);
  Value* value = newValue(std::move(type));
  value->index = static_cast<uint32_t>(op.results.size());
  value->def = &op;
  value->region = op.parent;
  op.results.push_back(value);
  return value;
}

Value* Function::addParameter(Type type, std::string parameter_name) {
  return addArgument(body, std::move(type), std::move(parameter_name));
}

std::vector<Type> Function::parameterTypes() const {
  std::vector<Type> types;
  for (const Value* value : body.args) types.push_back(value->type);
  return types;
}

std::vector<Type> Function::resultTypes() const {
  std::vector<Type> types;
  for (const Value* value : body.yields()) types.push_back(value->type);
  return types;
}

Function* Module::find(const std::string& name) const {
  auto it = functions.find(name);
  return it == functions.end() ? nullptr : it->second.get();
}

Function& Module::add(std::unique_ptr<Function> function) {
  auto [it, inserted] = functions.emplace(function->name, nullptr);
  check(inserted, "a function of this name is already in the module: " + function->name);
  it->second = std::move(function);
  return *it->second;
}

std::unique_ptr<Function> clone(const Function& function, std::string name) {
  auto copy = std::make_unique<Function>(std::move(name));
  copy->span = function.span;
  ValueMap map;
  for (const Value* parameter : function.body.args) {
    Value* fresh = copy->addParameter(parameter->type, parameter->name);
    fresh->linear = parameter->linear;
    map[parameter] = fresh;
  }
  Builder builder(*copy, copy->body);
  for (const auto& op : function.body.ops) cloneOp(builder, *op, map);
  return copy;
}

}  // namespace dini::ir
