// Longer than usual: one evaluator, whose parts share what is known of each value.
#include "analysis/sparsity.h"

#include <algorithm>
#include <functional>
#include <unordered_map>

#include "ir/builder.h"
#include "ir/clone.h"
#include "ir/type_rules.h"

namespace dini::analysis {
namespace {

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

int64_t floorDiv(int64_t a, int64_t b) {
  if (b == 0) return 0;
  int64_t q = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}

// Of two known integers; nothing: not an operation on them.
std::optional<int64_t> combined(OpCode code, int64_t a, int64_t b) {
  switch (code) {
    case OpCode::IAdd: return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
    case OpCode::ISub: return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
    case OpCode::IMul: return static_cast<int64_t>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
    case OpCode::IDiv: return floorDiv(a, b);
    case OpCode::IMod: return b == 0 ? 0 : a - b * floorDiv(a, b);
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

// result[k] = x[from(k)]; negative: nothing.
void Evaluator::moved(const Op& op, const Value* x, const std::function<int64_t(int64_t)>& from) {
  Known k = of(x);
  const auto size = static_cast<size_t>(count(op.result()));
  if (spend(static_cast<int64_t>(size))) return;
  if (k.ints != nullptr) {
    Ints made(size);
    for (size_t e = 0; e < size; ++e) made[e] = (*k.ints)[static_cast<size_t>(from(static_cast<int64_t>(e)))];
    return setInts(op, std::move(made));
  }
  if (k.sets == nullptr) return set(op.result(), {});
  Sets made(size);
  for (size_t e = 0; e < size; ++e) made[e] = (*k.sets)[static_cast<size_t>(from(static_cast<int64_t>(e)))];
  setSets(op, std::move(made));
}

Ints strides(const std::vector<int64_t>& dims) {
  Ints made(dims.size(), 1);
  for (size_t k = dims.size(); k-- > 1;) made[k - 1] = made[k] * dims[k];
  return made;
}

// Coordinates of a row-major element.
void coordinates(int64_t element, const std::vector<int64_t>& dims, Ints& at) {
  at.resize(dims.size());
  for (size_t k = dims.size(); k-- > 0;) {
    at[k] = element % dims[k];
    element /= dims[k];
  }
}

int64_t dot(const Ints& a, const Ints& b) {
  int64_t sum = 0;
  for (size_t k = 0; k < a.size(); ++k) sum += a[k] * b[k];
  return sum;
}

bool Evaluator::shaped(const Op& op) {
  if (op.operands.empty() || op.results.size() != 1) return false;
  const Value* x = op.operand(0);
  if (count(op.result()) == 0 || count(x) == 0 || failed_) return false;
  const std::vector<int64_t>&to = op.result()->type.dims, &dims = x->type.dims;
  const Ints steps = strides(dims);
  Ints at;
  switch (op.code) {
    case OpCode::Reshape: moved(op, x, [](int64_t e) { return e; }); return true;
    case OpCode::Fill: moved(op, x, [](int64_t) { return 0; }); return true;
    case OpCode::Transpose:
      moved(op, x, [&](int64_t e) {
        coordinates(e, to, at);
        int64_t from = 0;
        for (size_t k = 0; k < to.size(); ++k) from += at[k] * steps[static_cast<size_t>(op.attrs.ints[k])];
        return from;
      });
      return true;
    case OpCode::Broadcast:
      moved(op, x, [&](int64_t e) {
        coordinates(e, to, at);
        int64_t from = 0;
        for (size_t k = 0; k < dims.size(); ++k) from += at[static_cast<size_t>(op.attrs.ints[k])] * steps[k];
        return from;
      });
      return true;
    case OpCode::Flip:
      moved(op, x, [&](int64_t e) {
        coordinates(e, to, at);
        auto axis = static_cast<size_t>(op.attrs.i);
        at[axis] = to[axis] - 1 - at[axis];
        return dot(at, steps);
      });
      return true;
    case OpCode::Slice: {
      Ints first;
      for (size_t k = 0; k < dims.size(); ++k) {
        auto start = integer(op.operand(1 + k));
        if (!start || *start < 0 || *start + to[k] > dims[k]) return false;
        first.push_back(*start);
      }
      moved(op, x, [&](int64_t e) {
        coordinates(e, to, at);
        return dot(at, steps) + dot(first, steps);
      });
      return true;
    }
    default: return false;
  }
}

// Where operands first .. last - 1, leading indices of operand 0, point, and how many elements stand there.
std::optional<int64_t> Evaluator::offset(const Op& op, size_t first, size_t last, int64_t& inner) {
  const std::vector<int64_t>& dims = op.operand(0)->type.dims;
  inner = count(op.operand(0));
  int64_t at = 0;
  for (size_t k = first; k < last; ++k) {
    auto index = integer(op.operand(k));
    const int64_t size = dims[k - first];
    if (failed_ || !index || *index < 0 || *index >= size) return std::nullopt;
    inner /= size;
    at += *index * inner;
  }
  return at;
}

// Reads and writes at known indices; false: leave it to unknown().
bool Evaluator::addressed(const Op& op) {
  const bool real = op.result()->type.isReal();
  int64_t inner = 0;
  switch (op.code) {
    case OpCode::Index: {
      auto at = offset(op, 1, op.operands.size(), inner);
      if (!at) return false;
      moved(op, op.operand(0), [&](int64_t e) { return *at + e; });
      return true;
    }
    case OpCode::Gather: {
      Known indices = of(op.operand(1));
      if (indices.ints == nullptr || op.operand(0)->type.dims[0] <= 0) return false;
      inner = count(op.operand(0)) / op.operand(0)->type.dims[0];
      for (int64_t index : *indices.ints)
        if (index < 0 || index >= op.operand(0)->type.dims[0]) return false;
      moved(op, op.operand(0), [&](int64_t e) { return (*indices.ints)[static_cast<size_t>(e / inner)] * inner + e % inner; });
      return true;
    }
    case OpCode::Update:
    case OpCode::AddAt: {
      auto at = offset(op, 2, op.operands.size(), inner);
      if (!at || spend(count(op.operand(0)))) return false;
      Known x = of(op.operand(0)), v = of(op.operand(1));
      if (!real) {
        if (op.code != OpCode::Update || x.ints == nullptr || v.ints == nullptr) return false;
        Ints made = *x.ints;
        for (int64_t e = 0; e < inner; ++e) made[static_cast<size_t>(*at + e)] = (*v.ints)[static_cast<size_t>(e)];
        setInts(op, std::move(made));
        return true;
      }
      Sets made = x.sets ? *x.sets : Sets(static_cast<size_t>(count(op.operand(0))));
      for (int64_t e = 0; e < inner; ++e) {
        DependencySet& place = made[static_cast<size_t>(*at + e)];
        DependencySet more = v.sets ? (*v.sets)[static_cast<size_t>(e)] : nullptr;
        place = op.code == OpCode::Update ? more : merge(place, more);
      }
      setSets(op, std::move(made));
      return true;
    }
    case OpCode::ScatterAdd: {
      Known x = of(op.operand(0)), indices = of(op.operand(1)), v = of(op.operand(2));
      if (!real || indices.ints == nullptr || op.operand(0)->type.dims[0] <= 0) return false;
      Sets made = x.sets ? *x.sets : Sets(static_cast<size_t>(count(op.operand(0))));
      inner = static_cast<int64_t>(made.size()) / op.operand(0)->type.dims[0];
      if (spend(static_cast<int64_t>(made.size()))) return false;
      for (size_t j = 0; v.sets != nullptr && j < indices.ints->size(); ++j)
        for (int64_t e = 0; e < inner; ++e) {
          const int64_t index = (*indices.ints)[j];
          if (index < 0 || index >= op.operand(0)->type.dims[0]) return false;
          DependencySet& place = made[static_cast<size_t>(index * inner + e)];
          place = merge(place, (*v.sets)[j * static_cast<size_t>(inner) + static_cast<size_t>(e)]);
        }
      setSets(op, std::move(made));
      return true;
    }
    case OpCode::Pack:
    case OpCode::Concat: {
      const bool packs = op.code == OpCode::Pack;
      const auto axis = packs ? size_t{0} : static_cast<size_t>(op.attrs.i);
      const auto size = static_cast<size_t>(count(op.result()));
      if (spend(static_cast<int64_t>(size))) return false;
      int64_t outer = 1;  // blocks; in each, the parts stand one after the other
      for (size_t k = 0; k < axis; ++k) outer *= op.result()->type.dims[k];
      Sets sets(real ? size : 0);
      Ints ints(real ? 0 : size);
      size_t at = 0;
      for (int64_t block = 0; block < outer; ++block)
        for (const Value* part : op.operands) {
          Known k = of(part);
          if (!real && k.ints == nullptr) return false;
          const auto length = static_cast<size_t>(count(part) / outer);
          for (size_t e = 0; e < length && !failed_; ++e, ++at) {
            const size_t from = static_cast<size_t>(block) * length + e;
            if (real) sets[at] = k.sets ? (*k.sets)[from] : nullptr;
            else ints[at] = (*k.ints)[from];
          }
        }
      if (real) setSets(op, std::move(sets));
      else setInts(op, std::move(ints));
      return true;
    }
    default: return false;
  }
}

bool Evaluator::reduced(const Op& op) {
  const Value* x = op.operand(0);
  Known k = of(x);
  if (!x->type.isReal() || spend(count(x))) return false;
  if (k.sets == nullptr) {
    set(op.result(), {});
    return true;
  }
  std::vector<Sets> groups(static_cast<size_t>(count(op.result())));
  Ints at;
  for (size_t e = 0; e < k.sets->size(); ++e) {
    coordinates(static_cast<int64_t>(e), x->type.dims, at);
    int64_t to = 0;
    for (size_t axis = 0; axis < at.size(); ++axis)
      if (std::find(op.attrs.ints.begin(), op.attrs.ints.end(), static_cast<int64_t>(axis)) == op.attrs.ints.end())
        to = to * x->type.dims[axis] + at[axis];
    groups[static_cast<size_t>(to)].push_back((*k.sets)[e]);
  }
  Sets made;
  for (const Sets& group : groups) made.push_back(mergeAll(group));
  setSets(op, std::move(made));
  return true;
}

// Every element of the result: the sets of the elements that its products read.
void Evaluator::product(const Op& op) {
  const ir::EinsumSpec spec = ir::parseEinsum(op.attrs.str);
  std::string letters = spec.result + spec.contracted;
  Ints sizes;
  for (char letter : letters) {
    const size_t in_a = spec.a.find(letter);
    sizes.push_back(in_a != std::string::npos ? op.operand(0)->type.dims[in_a]
                                              : op.operand(1)->type.dims[spec.b.find(letter)]);
  }
  int64_t total = 1;
  for (int64_t size : sizes) total *= size;
  Known k[] = {of(op.operand(0)), of(op.operand(1))};
  if (k[0].sets == nullptr && k[1].sets == nullptr) return set(op.result(), {});
  if (spend(total)) return;
  std::vector<Sets> groups(static_cast<size_t>(count(op.result())));
  const int64_t inner = groups.empty() ? 1 : total / static_cast<int64_t>(groups.size());
  Ints at;
  for (int64_t e = 0; e < total; ++e) {
    coordinates(e, sizes, at);
    for (size_t side = 0; side < 2; ++side) {
      if (k[side].sets == nullptr) continue;
      const std::string& own = side == 0 ? spec.a : spec.b;
      int64_t from = 0;
      for (size_t axis = 0; axis < own.size(); ++axis)
        from = from * op.operand(side)->type.dims[axis] + at[letters.find(own[axis])];
      groups[static_cast<size_t>(e / inner)].push_back((*k[side].sets)[static_cast<size_t>(from)]);
    }
  }
  Sets made;
  for (const Sets& group : groups) made.push_back(mergeAll(group));
  setSets(op, std::move(made));
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

}  // namespace

std::optional<Dependencies> dependencies(const ir::Function& function, size_t first, size_t count,
                                         std::span<Value* const> outside) {
  return Evaluator(outside).run(function, first, count);
}

}  // namespace dini::analysis
