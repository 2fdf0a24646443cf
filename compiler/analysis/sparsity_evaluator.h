// The evaluator behind dependencies(), for its two source files only.
#pragma once

#include <functional>
#include <unordered_map>

#include "analysis/sparsity.h"

namespace dini::analysis::sparsity {

using ir::Op;
using ir::OpCode;
using ir::Value;

constexpr int64_t kMostWork = 40'000'000;  // elements visited and merged: a fraction of a second

// Of integers and booleans the elements, if known; of reals the sets, null where no element depends on anything.
struct Known {
  std::shared_ptr<const std::vector<int64_t>> ints;
  std::shared_ptr<const std::vector<DependencySet>> sets;
};
using Ints = std::vector<int64_t>;
using Sets = std::vector<DependencySet>;

// Runs one function. Its rules of operations: sparsity.cpp, and of those that move, read, write and sum elements of
// arrays: sparsity_arrays.cpp. A rule gives false where another has to do it.
class Evaluator {
 public:
  explicit Evaluator(std::span<Value* const> outside) : outside_(outside) {}
  std::optional<Dependencies> run(const ir::Function& function, size_t first, size_t count);

 private:
  void evaluate(const Op& op);
  void region(const ir::Region& region);
  Known of(const Value* value);
  void set(const Value* value, Known known) { known_[value] = std::move(known); }
  void setSets(const Op& op, Sets sets) { set(op.result(), {nullptr, std::make_shared<const Sets>(std::move(sets))}); }
  void setInts(const Op& op, Ints ints) { set(op.result(), {std::make_shared<const Ints>(std::move(ints)), nullptr}); }
  int64_t count(const Value* value) {
    if (!value->type.isStatic()) failed_ = true;
    return failed_ ? 0 : value->type.elementCount();
  }
  std::optional<int64_t> integer(const Value* value) {
    Known k = of(value);
    if (k.ints == nullptr || k.ints->size() != 1) return std::nullopt;
    return (*k.ints)[0];
  }
  bool spend(int64_t work) { return failed_ = failed_ || (left_ -= work) < 0; }
  DependencySet merge(const DependencySet& a, const DependencySet& b);
  DependencySet mergeAll(const Sets& sets);
  DependencySet everything(const Value* value);

  void unknown(const Op& op);
  void elementwise(const Op& op);
  bool integers(const Op& op);
  void chosen(const Op& op, size_t first);
  void selected(const Op& op);
  void moved(const Op& op, const Value* x, const std::function<int64_t(int64_t)>& from);
  bool shaped(const Op& op);
  bool addressed(const Op& op);
  bool reduced(const Op& op);
  void product(const Op& op);
  void loop(const Op& op);
  void branch(const Op& op);
  void unite(const Value* result, const Known& a, const Known& b);
  std::optional<int64_t> offset(const Op& op, size_t first, size_t last, int64_t& inner);

  std::span<Value* const> outside_;
  std::unordered_map<const Value*, Known> known_;
  int64_t left_ = kMostWork;
  bool failed_ = false;
};

}  // namespace dini::analysis::sparsity
