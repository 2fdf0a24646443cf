// The intermediate representation: typed SSA with regions and value semantics. A Function owns its
// values, operations and regions; a Region is a list of operations that ends in Yield; operations
// of a region may read values of the regions around it (capture). Passes build new functions from
// old ones (clone.h) or rewrite in place and then call eraseDead.
// Invariants (checked by verifier.h): every operand is defined before its use in the same or an
// enclosing region; types obey the rule of the operation; a linear value is used only as a linear
// operand. `linear` marks the tangents of one differentiation level between jvp and the end of the
// transform, and is erased when the result is closed.
// Not here: meaning of operations (docs/ir.md, interpreter), text form (printer.h, parser.h).
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ops/opcode.h"
#include "ops/type.h"
#include "source/source.h"

namespace dini::ir {

struct Op;
struct Region;
class Function;

struct Value {
  uint32_t id = 0;  // unique in the function
  Type type;
  Op* def = nullptr;          // null: a region argument
  uint32_t index = 0;         // result or argument number
  Region* region = nullptr;   // region of the argument, or that holds `def`
  bool linear = false;
  std::string name;           // the source name where there is one; printing only
  bool isArgument() const { return def == nullptr; }
};

struct Attrs {
  int64_t i = 0;
  double f = 0;
  std::string str;
  std::vector<int64_t> ints;
  // Const tensors: f64 elements, or i64 / i1 as exact integers in `ints`; row-major.
  std::shared_ptr<const std::vector<double>> data;
};

struct Op {
  OpCode code;
  std::vector<Value*> operands;
  std::vector<Value*> results;
  std::vector<std::unique_ptr<Region>> regions;
  Attrs attrs;
  Span span;
  Region* parent = nullptr;

  Value* operand(size_t k) const { return operands[k]; }
  Value* result(size_t k = 0) const { return results[k]; }
};

struct Region {
  std::vector<Value*> args;
  std::vector<std::unique_ptr<Op>> ops;
  Op* parent = nullptr;  // null: the function's body
  Op& terminator() const { return *ops.back(); }
  const std::vector<Value*>& yields() const { return ops.back()->operands; }
};

class Function {
 public:
  explicit Function(std::string function_name);
  Function(const Function&) = delete;
  Function& operator=(const Function&) = delete;

  std::string name;
  Region body;  // arguments are the parameters; Yield gives the results
  Span span;

  Value* addParameter(Type type, std::string name = "");
  std::vector<Type> parameterTypes() const;
  std::vector<Type> resultTypes() const;
  Value* newValue(Type type);
  // Append to the arguments of a region, or to the results of an operation, of this function.
  Value* addArgument(Region& region, Type type, std::string name = "");
  Value* addResult(Op& op, Type type);
  uint32_t valueCount() const { return static_cast<uint32_t>(values_.size()); }

 private:
  std::deque<Value> values_;
};

// Functions by name. Calls name functions of the same module.
struct Module {
  std::map<std::string, std::unique_ptr<Function>> functions;
  Function* find(const std::string& name) const;
  Function& add(std::unique_ptr<Function> function);
};

std::unique_ptr<Function> clone(const Function& function, std::string name);

}  // namespace dini::ir
