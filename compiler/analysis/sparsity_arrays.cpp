// What operations do with elements of arrays: shapes, reads and writes at known indices, sums and products.
#include <algorithm>

#include "analysis/sparsity_evaluator.h"
#include "ir/type_rules.h"

namespace dini::analysis::sparsity {

// result[k] = x[from(k)].
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

}  // namespace dini::analysis::sparsity
