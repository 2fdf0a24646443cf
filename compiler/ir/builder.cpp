#include "ir/builder.h"

#include <algorithm>

#include "base/check.h"
#include "ir/type_rules.h"
#include "ops/linearity.h"

namespace dini::ir {
namespace {

bool takesLinear(const Op& op) {
  ops::LinearRule rule = ops::linearRule(op.code);
  if (rule.kind == ops::Linearity::Control) return false;  // flags come from the regions
  for (size_t k = 0; k < op.operands.size(); ++k)
    if (op.operands[k]->linear && rule.at(k)) return true;
  return false;
}

Type stackedOn(int64_t size, Type type) {
  type.dims.insert(type.dims.begin(), size);
  return type;
}

}  // namespace

Op& Builder::emitUnchecked(OpCode code, std::vector<Value*> operands, Attrs attrs) {
  auto owned = std::make_unique<Op>();
  Op& op = *owned;
  op.code = code;
  op.operands = std::move(operands);
  op.attrs = std::move(attrs);
  op.span = span_;
  op.parent = region_;
  for (int k = 0; k < shape(code).regions; ++k) {
    op.regions.push_back(std::make_unique<Region>());
    op.regions.back()->parent = &op;
  }
  if (at_ >= region_->ops.size()) {
    region_->ops.push_back(std::move(owned));
    if (at_ != SIZE_MAX) at_ = region_->ops.size();
  } else {
    region_->ops.insert(region_->ops.begin() + static_cast<ptrdiff_t>(at_), std::move(owned));
    ++at_;
  }
  return op;
}

Op& Builder::emit(OpCode code, std::vector<Value*> operands, Attrs attrs,
                  std::vector<Type> result_types) {
  for (const Value* operand : operands) dini::check(operand != nullptr, "a null operand");
  TypeAnswer answer = resultTypes({code, operands, attrs, result_types});
  dini::check(answer.error.empty(), answer.error);
  if (!result_types.empty()) {
    dini::check(answer.results.size() == result_types.size(), "number of result types");
    for (size_t k = 0; k < result_types.size(); ++k)
      dini::check(compatible(answer.results[k], result_types[k]),
                  "a given result type contradicts the type rule");
    answer.results = std::move(result_types);
  }
  Op& op = emitUnchecked(code, std::move(operands), std::move(attrs));
  bool linear = takesLinear(op);
  for (Type& type : answer.results) {
    Value* result = function_->addResult(op, std::move(type));
    result->linear = linear && result->type.isReal();
  }
  return op;
}

Value* Builder::op(OpCode code, std::vector<Value*> operands, Attrs attrs) {
  Op& made = emit(code, std::move(operands), std::move(attrs));
  dini::check(made.results.size() == 1, "expected an operation with one result");
  return made.result();
}

// --- constants and sizes

Value* Builder::real(double value) {
  Attrs attrs;
  attrs.f = value;
  return emit(OpCode::Const, {}, std::move(attrs), {f64()}).result();
}

Value* Builder::integer(int64_t value) {
  Attrs attrs;
  attrs.i = value;
  return emit(OpCode::Const, {}, std::move(attrs), {i64()}).result();
}

Value* Builder::boolean(bool value) {
  Attrs attrs;
  attrs.i = value ? 1 : 0;
  return emit(OpCode::Const, {}, std::move(attrs), {i1()}).result();
}

Value* Builder::constant(const Type& type, std::vector<double> data) {
  if (type.isScalar()) return real(data.at(0));
  Attrs attrs;
  attrs.data = std::make_shared<const std::vector<double>>(std::move(data));
  return emit(OpCode::Const, {}, std::move(attrs), {type}).result();
}

Value* Builder::constantInts(const Type& type, std::vector<int64_t> data) {
  Attrs attrs;
  if (type.isScalar()) attrs.i = data.at(0);
  else attrs.ints = std::move(data);
  return emit(OpCode::Const, {}, std::move(attrs), {type}).result();
}

Value* Builder::dim(Value* x, size_t axis) {
  dini::check(axis < x->type.rank(), "no such axis");
  if (x->type.dims[axis] != kDynamic) return integer(x->type.dims[axis]);
  Attrs attrs;
  attrs.i = static_cast<int64_t>(axis);
  return op(OpCode::Dim, {x}, std::move(attrs));
}

std::vector<Value*> Builder::dims(Value* x) {
  std::vector<Value*> sizes;
  for (size_t axis = 0; axis < x->type.rank(); ++axis) sizes.push_back(dim(x, axis));
  return sizes;
}

// An operation whose result has the given sizes: constants go into the type, the others become
// trailing operands.
Value* Builder::sized(OpCode code, std::vector<Value*> operands, Elem elem,
                      std::span<Value* const> sizes, Attrs attrs) {
  Type type{elem, {}};
  for (Value* size : sizes) {
    auto constant = constantInt(size);
    type.dims.push_back(constant.value_or(kDynamic));
    if (!constant) operands.push_back(size);
  }
  return emit(code, std::move(operands), std::move(attrs), {type}).result();
}

// --- arrays

Value* Builder::fill(Value* value, std::span<Value* const> sizes) {
  return sized(OpCode::Fill, {value}, value->type.elem, sizes);
}

Value* Builder::zerosLike(Value* x) {
  Value* zero = real(0.0);
  return x->type.isScalar() ? zero : fill(zero, dims(x));
}

Value* Builder::iota(Value* size) { return sized(OpCode::Iota, {}, Elem::I64, {&size, 1}); }

Value* Builder::index(Value* x, std::vector<Value*> indices) {
  indices.insert(indices.begin(), x);
  return op(OpCode::Index, std::move(indices));
}

Value* Builder::update(Value* x, Value* v, std::vector<Value*> indices) {
  indices.insert(indices.begin(), {x, v});
  return op(OpCode::Update, std::move(indices));
}

Value* Builder::addAt(Value* x, Value* v, std::vector<Value*> indices) {
  indices.insert(indices.begin(), {x, v});
  return op(OpCode::AddAt, std::move(indices));
}

Value* Builder::slice(Value* x, std::vector<Value*> starts, std::vector<Value*> sizes) {
  starts.insert(starts.begin(), x);
  return sized(OpCode::Slice, std::move(starts), x->type.elem, sizes);
}

Value* Builder::updateSlice(Value* x, Value* v, std::vector<Value*> starts) {
  starts.insert(starts.begin(), {x, v});
  return op(OpCode::UpdateSlice, std::move(starts));
}

Value* Builder::addSlice(Value* x, Value* v, std::vector<Value*> starts) {
  starts.insert(starts.begin(), {x, v});
  return op(OpCode::AddSlice, std::move(starts));
}

Value* Builder::pack(std::vector<Value*> parts) { return op(OpCode::Pack, std::move(parts)); }

Value* Builder::gather(Value* x, Value* indices) { return op(OpCode::Gather, {x, indices}); }

Value* Builder::flip(Value* x, int64_t axis) {
  Attrs attrs;
  attrs.i = axis;
  return op(OpCode::Flip, {x}, std::move(attrs));
}

Value* Builder::reshape(Value* x, std::vector<Value*> sizes) {
  return sized(OpCode::Reshape, {x}, x->type.elem, sizes);
}

Value* Builder::transpose(Value* x, std::vector<int64_t> permutation) {
  Attrs attrs;
  attrs.ints = std::move(permutation);
  return op(OpCode::Transpose, {x}, std::move(attrs));
}

Value* Builder::broadcast(Value* x, std::vector<int64_t> axes, std::vector<Value*> sizes) {
  Attrs attrs;
  attrs.ints = std::move(axes);
  return sized(OpCode::Broadcast, {x}, x->type.elem, sizes, std::move(attrs));
}

Value* Builder::concat(std::vector<Value*> parts, int64_t axis) {
  Attrs attrs;
  attrs.i = axis;
  return op(OpCode::Concat, std::move(parts), std::move(attrs));
}

Value* Builder::reduce(const std::string& how, Value* x, std::vector<int64_t> axes) {
  Attrs attrs;
  attrs.str = how;
  attrs.ints = std::move(axes);
  return op(OpCode::Reduce, {x}, std::move(attrs));
}

Value* Builder::sumAll(Value* x) {
  if (x->type.isScalar()) return x;
  std::vector<int64_t> axes;
  for (size_t k = 0; k < x->type.rank(); ++k) axes.push_back(static_cast<int64_t>(k));
  return reduce("sum", x, std::move(axes));
}

Value* Builder::einsum(const std::string& spec, Value* a, Value* b) {
  Attrs attrs;
  attrs.str = spec;
  return op(OpCode::Einsum, {a, b}, std::move(attrs));
}

Value* Builder::linearSolve(Value* a, Value* b, Structure structure, bool transposed) {
  Attrs attrs;
  attrs.i = static_cast<int64_t>(structure);
  attrs.ints = {transposed ? 1 : 0};
  return op(OpCode::LinearSolve, {a, b}, std::move(attrs));
}

// --- control

// Runs the callback in the region, whose arguments exist, and ends the region with a Yield.
std::vector<Value*> Builder::fillRegion(Region& region, const BodyFn& body) {
  Builder inner(*function_, region);
  inner.setSpan(span_);
  std::vector<Value*> yielded = body(inner, region.args);
  inner.yield(yielded);
  return yielded;
}

std::vector<Value*> Builder::loop(Value* trip, std::vector<Value*> carries, const BodyFn& body) {
  size_t count = carries.size();
  std::vector<Value*> operands = std::move(carries);
  operands.insert(operands.begin(), trip);
  dini::check(trip->type == i64(), "the trip count of a loop is an i64 scalar");
  Op& op = emitUnchecked(OpCode::Loop, operands);
  Region& region = *op.regions[0];
  function_->addArgument(region, i64());
  for (size_t k = 0; k < count; ++k) {
    Value* argument = function_->addArgument(region, operands[k + 1]->type, operands[k + 1]->name);
    argument->linear = operands[k + 1]->linear;
  }
  std::vector<Value*> yielded = fillRegion(region, body);
  dini::check(yielded.size() >= count, "a loop body yields its carries, then its outs");
  int64_t size = constantInt(trip).value_or(kDynamic);
  for (size_t k = 0; k < yielded.size(); ++k) {
    Type type = k < count ? operands[k + 1]->type : stackedOn(size, yielded[k]->type);
    if (k < count)
      dini::check(compatible(type, yielded[k]->type), "a loop carry changes its type");
    function_->addResult(op, std::move(type))->linear = yielded[k]->linear;
  }
  return op.results;
}

std::vector<Value*> Builder::whileLoop(std::vector<Value*> carries, const BodyFn& cond,
                                       const BodyFn& body) {
  size_t count = carries.size();
  Op& op = emitUnchecked(OpCode::While, carries);
  for (auto& region : op.regions)
    for (Value* carry : carries)
      function_->addArgument(*region, carry->type, carry->name)->linear = carry->linear;
  std::vector<Value*> condition = fillRegion(*op.regions[0], cond);
  dini::check(condition.size() == 1 && condition[0]->type == i1(), "a while condition is one i1");
  std::vector<Value*> yielded = fillRegion(*op.regions[1], body);
  dini::check(yielded.size() >= count, "a while body yields its carries, then its outs");
  for (size_t k = 0; k < yielded.size(); ++k) {
    if (k == count) function_->addResult(op, i64());
    Type type = k < count ? carries[k]->type : stackedOn(kDynamic, yielded[k]->type);
    if (k < count)
      dini::check(compatible(type, yielded[k]->type), "a while carry changes its type");
    function_->addResult(op, std::move(type))->linear = yielded[k]->linear;
  }
  if (yielded.size() == count) function_->addResult(op, i64());
  return op.results;
}

// Fills two regions without arguments, whose yields agree in type, and adds the results.
std::vector<Value*> Builder::branches(Op& op, const BodyFn& first, const BodyFn& second) {
  std::vector<Value*> a = fillRegion(*op.regions[0], first);
  std::vector<Value*> b = fillRegion(*op.regions[1], second);
  dini::check(a.size() == b.size(), "two branches yield different numbers of values");
  for (size_t k = 0; k < a.size(); ++k) {
    dini::check(compatible(a[k]->type, b[k]->type), "two branches yield different types");
    function_->addResult(op, joined(a[k]->type, b[k]->type))->linear = a[k]->linear || b[k]->linear;
  }
  return op.results;
}

std::vector<Value*> Builder::ifElse(Value* condition, const BodyFn& then, const BodyFn& otherwise,
                                    Attrs attrs, std::vector<Value*> compared) {
  dini::check(condition->type == i1(), "the condition of an if is an i1 scalar");
  compared.insert(compared.begin(), condition);
  return branches(emitUnchecked(OpCode::If, std::move(compared), std::move(attrs)), then, otherwise);
}

std::vector<Value*> Builder::tryElse(const BodyFn& body, const BodyFn& fallback) {
  return branches(emitUnchecked(OpCode::Try, {}), body, fallback);
}

std::vector<Value*> Builder::call(const Function& callee, std::vector<Value*> arguments) {
  Attrs attrs;
  attrs.str = callee.name;
  std::vector<Type> results = callee.resultTypes();
  return emit(OpCode::Call, std::move(arguments), std::move(attrs), std::move(results)).results;
}

void Builder::yield(std::vector<Value*> values) { emitUnchecked(OpCode::Yield, std::move(values)); }

void Builder::check(Value* ok, Status status, std::string text) {
  Attrs attrs;
  attrs.i = static_cast<int64_t>(status);
  attrs.str = std::move(text);
  emit(OpCode::Check, {ok}, std::move(attrs));
}

std::optional<int64_t> constantInt(const Value* value) {
  if (value->def == nullptr || value->def->code != OpCode::Const) return std::nullopt;
  if (!value->type.isScalar() || value->type.isReal()) return std::nullopt;
  return value->def->attrs.i;
}

std::optional<double> constantReal(const Value* value) {
  if (value->def == nullptr || value->def->code != OpCode::Const) return std::nullopt;
  if (!value->type.isScalar() || !value->type.isReal()) return std::nullopt;
  return value->def->attrs.f;
}

}  // namespace dini::ir
