#include "analysis/sparsity.h"

#include <algorithm>

#include "analysis/sparsity_evaluator.h"
#include "ir/builder.h"
#include "ir/clone.h"

namespace dini::analysis {
namespace sparsity {
namespace {

int64_t wrapped(int64_t a, int64_t b) { return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b)); }

// Rounded down, and as the machine does where the quotient is not an integer of 64 bits.
int64_t floorDiv(int64_t a, int64_t b) {
  if (b == 0) return 0;
  if (b == -1) return wrapped(0, a);
  int64_t q = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}

// Of two known integers; nothing: not an operation on them.
std::optional<int64_t> combined(OpCode code, int64_t a, int64_t b) {
  switch (code) {
    case OpCode::IAdd: return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
    case OpCode::ISub: return wrapped(a, b);
    case OpCode::IMul: return static_cast<int64_t>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
    case OpCode::IDiv: return floorDiv(a, b);
    case OpCode::IMod: return b == 0 || b == -1 ? 0 : a - b * floorDiv(a, b);
    case OpCode::IMin: return std::min(a, b);
    case OpCode::IMax: return std::max(a, b);
    case OpCode::ILt: return a < b;
    case OpCode::ILe: return a <= b;
    case OpCode::IEq: return a == b;
    case OpCode::INe: return a != b;
    case OpCode::And: return a != 0 && b != 0;
    case OpCode::Or: return a != 0 || b != 0;
    default: return std::nullopt;
  }
}

// Elements of an operand: scalars are the same for each.
template <class T>
const T& element(const std::vector<T>& values, size_t k) {
  return values.size() == 1 ? values[0] : values[k];
}

}  // namespace

DependencySet Evaluator::merge(const DependencySet& a, const DependencySet& b) {
  if (a == nullptr || a == b) return b;
  if (b == nullptr) return a;
  std::vector<int32_t> both;
  both.reserve(a->size() + b->size());
  std::set_union(a->begin(), a->end(), b->begin(), b->end(), std::back_inserter(both));
  spend(static_cast<int64_t>(both.size()));
  return std::make_shared<const std::vector<int32_t>>(std::move(both));
}

DependencySet Evaluator::mergeAll(const Sets& sets) {
  std::vector<int32_t> all;
  DependencySet one;
  bool several = false;
  for (const DependencySet& s : sets) {
    if (s == nullptr || s == one) continue;
    several = several || one != nullptr;
    one = s;
    all.insert(all.end(), s->begin(), s->end());
    if (spend(static_cast<int64_t>(s->size()))) return nullptr;
  }
  if (!several) return one;
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return std::make_shared<const std::vector<int32_t>>(std::move(all));
}

DependencySet Evaluator::everything(const Value* value) {
  Known k = of(value);
  return k.sets == nullptr ? nullptr : mergeAll(*k.sets);
}

// Values of the function around are followed through operations that make integers.
Known Evaluator::of(const Value* value) {
  if (auto it = known_.find(value); it != known_.end()) return it->second;
  if (value->type.isReal() || value->def == nullptr || failed_) return {};
  known_[value] = {};
  const Op& op = *value->def;
  if (op.code != OpCode::Root && op.code != OpCode::While && op.code != OpCode::Call) evaluate(op);
  return known_[value];
}

// Every real result may depend on whatever is read.
void Evaluator::unknown(const Op& op) {
  Sets read;
  for (const Value* operand : op.operands)
    if (operand->type.isReal()) read.push_back(everything(operand));
  for (const auto& inner : op.regions)
    for (const Value* value : ir::captures(*inner))
      if (value->type.isReal()) read.push_back(everything(value));
  DependencySet all = mergeAll(read);
  for (const Value* result : op.results) {
    Known k;
    if (result->type.isReal() && all != nullptr)
      k.sets = std::make_shared<const Sets>(static_cast<size_t>(count(result)), all);
    set(result, std::move(k));
  }
}

// Whether the operation makes known integers of known ones.
bool Evaluator::integers(const Op& op) {
  const bool unary = op.code == OpCode::Not || op.code == OpCode::BoolToInt || op.code == OpCode::Stop;
  if (!unary && !combined(op.code, 1, 1)) return false;
  Known a = of(op.operand(0)), b = unary ? a : of(op.operand(1));
  if (a.ints == nullptr || b.ints == nullptr) return false;
  Ints made(static_cast<size_t>(count(op.result())));
  if (spend(static_cast<int64_t>(made.size()))) return true;
  for (size_t k = 0; k < made.size(); ++k) {
    const int64_t first = element(*a.ints, k);
    made[k] = op.code == OpCode::Not ? first == 0 : unary ? first : *combined(op.code, first, element(*b.ints, k));
  }
  setInts(op, std::move(made));
  return true;
}

void Evaluator::chosen(const Op& op, size_t first) {
  Sets made(static_cast<size_t>(count(op.result())));
  if (spend(static_cast<int64_t>(made.size()))) return;
  bool any = false;
  const size_t last = std::min(op.operands.size(), first == 0 ? op.operands.size() : first + 2);
  for (size_t operand = first; operand < last; ++operand) {
    if (!op.operand(operand)->type.isReal()) continue;
    Known k = of(op.operand(operand));
    if (k.sets == nullptr) continue;
    any = true;
    for (size_t e = 0; e < made.size(); ++e) made[e] = merge(made[e], element(*k.sets, e));
  }
  if (any) setSets(op, std::move(made));
  else set(op.result(), {});
}

void Evaluator::selected(const Op& op) {
  Known c = of(op.operand(0)), a = of(op.operand(1)), b = of(op.operand(2));
  const bool real = op.result()->type.isReal();
  if (c.ints == nullptr) return real ? chosen(op, 1) : set(op.result(), {});
  const auto size = static_cast<size_t>(count(op.result()));
  if (spend(static_cast<int64_t>(size))) return;
  if (!real) {
    if (a.ints == nullptr || b.ints == nullptr) return set(op.result(), {});
    Ints made(size);
    for (size_t k = 0; k < size; ++k)
      made[k] = element(*c.ints, k) != 0 ? element(*a.ints, k) : element(*b.ints, k);
    return setInts(op, std::move(made));
  }
  Sets made(size);
  for (size_t k = 0; k < size; ++k) {
    const Known& side = element(*c.ints, k) != 0 ? a : b;
    if (side.sets != nullptr) made[k] = element(*side.sets, k);
  }
  setSets(op, std::move(made));
}

void Evaluator::elementwise(const Op& op) {
  switch (op.code) {
    case OpCode::Select: return selected(op);
    case OpCode::Choose:
    case OpCode::ChooseTie:
    case OpCode::Pick:
    case OpCode::PickTie: return chosen(op, 2);
    case OpCode::Stop:
      if (op.result()->type.isReal()) return set(op.result(), {});
      break;
    default: break;
  }
  if (op.result()->type.isReal()) return chosen(op, 0);
  if (!integers(op)) set(op.result(), {});
}

void Evaluator::loop(const Op& op) {
  const ir::Region& body = *op.regions[0];
  auto trip = integer(op.operand(0));
  if (!trip) return unknown(op);
  const size_t carries = op.operands.size() - 1, outs = op.results.size() - carries;
  std::vector<Known> now, sets_of(outs);
  for (size_t k = 0; k < carries; ++k) now.push_back(of(op.operand(k + 1)));
  std::vector<Sets> stacked(outs);
  std::vector<Ints> numbers(outs);
  std::vector<bool> known(outs, true);
  for (int64_t i = 0; i < *trip && !failed_; ++i) {
    set(body.args[0], {std::make_shared<const Ints>(Ints{i}), nullptr});
    for (size_t k = 0; k < carries; ++k) set(body.args[k + 1], now[k]);
    region(body);
    const auto& yields = body.yields();
    for (size_t k = 0; k < carries; ++k) now[k] = of(yields[k]);
    for (size_t k = 0; k < outs && !failed_; ++k) {
      const Value* out = yields[carries + k];
      Known one = of(out);
      const auto size = static_cast<size_t>(count(out));
      if (spend(static_cast<int64_t>(size))) return;
      if (out->type.isReal()) {
        if (one.sets) stacked[k].insert(stacked[k].end(), one.sets->begin(), one.sets->end());
        else stacked[k].resize(stacked[k].size() + size);
      } else if (one.ints) {
        numbers[k].insert(numbers[k].end(), one.ints->begin(), one.ints->end());
      } else {
        known[k] = false;
      }
    }
  }
  for (size_t k = 0; k < carries; ++k) set(op.results[k], now[k]);
  for (size_t k = 0; k < outs; ++k) {
    Known made;
    if (op.results[carries + k]->type.isReal()) made.sets = std::make_shared<const Sets>(std::move(stacked[k]));
    else if (known[k]) made.ints = std::make_shared<const Ints>(std::move(numbers[k]));
    set(op.results[carries + k], std::move(made));
  }
}

void Evaluator::unite(const Value* result, const Known& a, const Known& b) {
  if (!result->type.isReal()) return set(result, a.ints && b.ints && *a.ints == *b.ints ? a : Known{});
  if (a.sets == nullptr || b.sets == nullptr) return set(result, a.sets ? a : b);
  Sets made(a.sets->size());
  for (size_t k = 0; k < made.size(); ++k) made[k] = merge((*a.sets)[k], element(*b.sets, k));
  set(result, {nullptr, std::make_shared<const Sets>(std::move(made))});
}

void Evaluator::branch(const Op& op) {
  auto condition = integer(op.operand(0));
  std::vector<Known> sides[2];
  for (size_t side = 0; side < 2; ++side) {
    if (condition && (*condition != 0) == (side == 1)) continue;
    region(*op.regions[side]);
    for (const Value* yield : op.regions[side]->yields()) sides[side].push_back(of(yield));
  }
  for (size_t k = 0; k < op.results.size() && !failed_; ++k) {
    if (condition) set(op.results[k], sides[*condition != 0 ? 0 : 1][k]);
    else unite(op.results[k], sides[0][k], sides[1][k]);
  }
}

void Evaluator::region(const ir::Region& region) {
  for (const auto& op : region.ops) {
    if (failed_ || op->code == OpCode::Yield) return;
    evaluate(*op);
  }
}

void Evaluator::evaluate(const Op& op) {
  if (spend(1)) return;
  for (const Value* result : op.results)
    if (!result->type.isStatic()) {
      failed_ = true;
      return;
    }
  if (ir::isElementwise(op.code)) return elementwise(op);
  switch (op.code) {
    case OpCode::Check:
    case OpCode::Print: return;
    case OpCode::Const:
      if (op.result()->type.isReal()) return set(op.result(), {});
      return setInts(op, op.result()->type.isScalar() ? Ints{op.attrs.i} : op.attrs.ints);
    case OpCode::Iota: {
      Ints made(static_cast<size_t>(count(op.result())));
      for (size_t k = 0; k < made.size(); ++k) made[k] = static_cast<int64_t>(k);
      return setInts(op, std::move(made));
    }
    case OpCode::Dim: {
      const int64_t size = op.operand(0)->type.dims[static_cast<size_t>(op.attrs.i)];
      return size == ir::kDynamic ? set(op.result(), {}) : setInts(op, {size});
    }
    case OpCode::Loop: return loop(op);
    case OpCode::If: return branch(op);
    case OpCode::Einsum: return product(op);
    case OpCode::Reduce: return reduced(op) ? void() : unknown(op);
    default: break;
  }
  const bool one = op.results.size() == 1 && !op.operands.empty();
  if (!one || !(shaped(op) || addressed(op))) unknown(op);
}

std::optional<Dependencies> Evaluator::run(const ir::Function& function, size_t first, size_t chosen) {
  const auto& parameters = function.body.args;
  Dependencies found;
  for (size_t k = 0; k < parameters.size(); ++k) {
    const Value* parameter = parameters[k];
    if (k < first || k >= first + chosen) {
      Known known;
      if (k < outside_.size() && outside_[k] != nullptr && !parameter->type.isReal()) known = of(outside_[k]);
      failed_ = false;  // what stands outside need not be known
      set(parameter, std::move(known));
      continue;
    }
    Sets own;
    for (int64_t e = 0; e < count(parameter); ++e)
      own.push_back(std::make_shared<const std::vector<int32_t>>(1, static_cast<int32_t>(found.columns++)));
    set(parameter, {nullptr, std::make_shared<const Sets>(std::move(own))});
  }
  region(function.body);
  if (failed_) return std::nullopt;
  const Value* result = function.body.yields()[0];
  Known image = of(result);
  found.rows = image.sets ? *image.sets : Sets(static_cast<size_t>(count(result)));
  if (failed_) return std::nullopt;
  return found;
}

}  // namespace sparsity

std::optional<Dependencies> dependencies(const ir::Function& function, size_t first, size_t count,
                                         std::span<ir::Value* const> outside) {
  return sparsity::Evaluator(outside).run(function, first, count);
}

}  // namespace dini::analysis
