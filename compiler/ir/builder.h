// Builds operations at the end of a region (or before a given one). Every method infers the result
// types from its operands and checks the type rule; a violation is an InternalError. Scalars of
// constant operands are folded by opt/, not here. Results are marked linear where an operand is and
// the operation is linear in it (ops/linearity.h).
#pragma once

#include <initializer_list>
#include <functional>

#include "ir/ir.h"

namespace dini::ir {

class Builder {
 public:
  Builder(Function& function, Region& region) : function_(&function), region_(&region) {}
  Function& function() const { return *function_; }
  Region& region() const { return *region_; }
  // Spans given to the operations made from here on.
  void setSpan(Span span) { span_ = span; }
  Span span() const { return span_; }
  // Operations go before position `at` of the region (default: its end).
  void insertAt(size_t at) { at_ = at; }
  void insertAtEnd() { at_ = SIZE_MAX; }

  // The general form: result types must be given for operations that cannot infer them.
  Op& emit(OpCode code, std::vector<Value*> operands, Attrs attrs = {},
           std::vector<Type> result_types = {});
  // Without results and without the type rule, for copies and for code that fills regions itself
  // (Function::addResult, Function::addArgument).
  Op& emitUnchecked(OpCode code, std::vector<Value*> operands, Attrs attrs = {});
  // One result, inferred (elementwise, and the array operations that need no more).
  Value* op(OpCode code, std::vector<Value*> operands, Attrs attrs = {});

  Value* real(double value);
  Value* integer(int64_t value);
  Value* boolean(bool value);
  Value* constant(const Type& type, std::vector<double> data);       // f64
  Value* constantInts(const Type& type, std::vector<int64_t> data);  // i64, i1

  // Sizes of `like`, constants where static: usable as trailing size operands.
  Value* dim(Value* x, size_t axis);
  std::vector<Value*> dims(Value* x);
  // A tensor of scalars `value`; each size an i64 value (constants are recognised).
  Value* fill(Value* value, std::span<Value* const> sizes);
  Value* zerosLike(Value* x);  // reals
  Value* iota(Value* size);
  Value* index(Value* x, std::vector<Value*> indices);
  Value* update(Value* x, Value* v, std::vector<Value*> indices);
  Value* addAt(Value* x, Value* v, std::vector<Value*> indices);
  Value* slice(Value* x, std::vector<Value*> starts, std::vector<Value*> sizes);
  Value* updateSlice(Value* x, Value* v, std::vector<Value*> starts);
  Value* addSlice(Value* x, Value* v, std::vector<Value*> starts);
  Value* pack(std::vector<Value*> parts);
  Value* gather(Value* x, Value* indices);
  Value* flip(Value* x, int64_t axis);
  Value* reshape(Value* x, std::vector<Value*> sizes);
  Value* transpose(Value* x, std::vector<int64_t> permutation);
  // `axes[k]`: axis of the result for axis k of x; `sizes`: all sizes of the result.
  Value* broadcast(Value* x, std::vector<int64_t> axes, std::vector<Value*> sizes);
  Value* concat(std::vector<Value*> parts, int64_t axis);
  Value* reduce(const std::string& how, Value* x, std::vector<int64_t> axes);
  Value* sumAll(Value* x);
  Value* einsum(const std::string& spec, Value* a, Value* b);

  // Reals.
  Value* add(Value* a, Value* b) { return op(OpCode::Add, {a, b}); }
  Value* sub(Value* a, Value* b) { return op(OpCode::Sub, {a, b}); }
  Value* mul(Value* a, Value* b) { return op(OpCode::Mul, {a, b}); }
  Value* div(Value* a, Value* b) { return op(OpCode::Div, {a, b}); }
  Value* neg(Value* a) { return op(OpCode::Neg, {a}); }
  Value* select(Value* c, Value* a, Value* b) { return op(OpCode::Select, {c, a, b}); }
  Value* linearSolve(Value* a, Value* b, Structure structure, bool transposed = false);

  // Structured control: the callback fills a region and returns what it yields.
  using BodyFn = std::function<std::vector<Value*>(Builder&, std::span<Value* const>)>;
  // Results: the final carries, then the outs stacked along a new axis 0.
  std::vector<Value*> loop(Value* trip, std::vector<Value*> carries, const BodyFn& body);
  std::vector<Value*> whileLoop(std::vector<Value*> carries, const BodyFn& cond,
                                const BodyFn& body);
  // `compared`: further operands of the `if` (the two reals of a comparison, docs/ir.md).
  std::vector<Value*> ifElse(Value* condition, const BodyFn& then, const BodyFn& otherwise,
                             Attrs attrs = {}, std::vector<Value*> compared = {});
  std::vector<Value*> tryElse(const BodyFn& body, const BodyFn& fallback);
  std::vector<Value*> call(const Function& callee, std::vector<Value*> arguments);
  void yield(std::vector<Value*> values);
  void check(Value* ok, Status status, std::string text = "");

 private:
  Value* sized(OpCode code, std::vector<Value*> operands, Elem elem,
               std::span<Value* const> sizes, Attrs attrs = {});
  std::vector<Value*> fillRegion(Region& region, const BodyFn& body);
  std::vector<Value*> branches(Op& op, const BodyFn& first, const BodyFn& second);
  Function* function_;
  Region* region_;
  size_t at_ = SIZE_MAX;
  Span span_;
};

// The value of an i64 (f64, i1) constant, if `value` is one.
std::optional<int64_t> constantInt(const Value* value);
std::optional<double> constantReal(const Value* value);

}  // namespace dini::ir
