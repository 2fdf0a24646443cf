// Reductions, contractions, orders and norms: the operations whose order of evaluation docs/ir.md
// fixes.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "base/check.h"
#include "dini/math.h"
#include "ir/interp_machine.h"
#include "ir/type_rules.h"

namespace dini::ir::interp {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

double pairwise(const double* p) {
  return ((p[0] + p[1]) + (p[2] + p[3])) + ((p[4] + p[5]) + (p[6] + p[7]));
}

// The groups of a reduction: kept axes outside, reduced axes inside, both row-major.
struct Groups {
  std::vector<int64_t> kept, reduced;      // sizes
  std::vector<int64_t> kept_steps;         // element strides of the kept axes
  std::vector<int64_t> member_offsets;     // of the members of one group, in order
  int64_t count = 0;                       // of groups

  Groups(std::span<const int64_t> dims, const std::vector<int64_t>& axes) {
    std::vector<int64_t> all = strides(dims), reduced_steps;
    for (size_t k = 0; k < dims.size(); ++k) {
      bool inside = std::find(axes.begin(), axes.end(), static_cast<int64_t>(k)) != axes.end();
      (inside ? reduced : kept).push_back(dims[k]);
      (inside ? reduced_steps : kept_steps).push_back(all[k]);
    }
    count = product(kept);
    member_offsets.resize(static_cast<size_t>(product(reduced)));
    Odometer odometer(reduced, {reduced_steps});
    for (int64_t& offset : member_offsets) {
      offset = odometer.offset(0);
      odometer.next();
    }
  }
  // visit(group number, offset of its first member)
  template <class Visit>
  void forEach(const Visit& visit) const {
    Odometer odometer(kept, {kept_steps});
    for (int64_t k = 0; k < count; ++k, odometer.next()) visit(k, odometer.offset(0));
  }
};

double sumOf(const double* x, const std::vector<int64_t>& offsets) {
  double p[8] = {};
  for (size_t k = 0; k < offsets.size(); ++k) p[k & 7] += x[offsets[k]];
  return pairwise(p);
}

double extremeOf(const double* x, const std::vector<int64_t>& offsets, bool max) {
  double extreme = max ? -HUGE_VAL : HUGE_VAL;
  bool first = true;
  for (int64_t offset : offsets) {
    double value = x[offset];
    if (std::isnan(value)) return kNan;
    if (first || (max ? value > extreme : value < extreme)) extreme = value;
    first = false;
  }
  return extreme;
}

int64_t reduceIntegers(const int64_t* x, const std::vector<int64_t>& offsets, const std::string& how) {
  if (how == "sum") {
    uint64_t sum = 0;
    for (int64_t offset : offsets) sum += static_cast<uint64_t>(x[offset]);
    return static_cast<int64_t>(sum);
  }
  bool max = how == "max";
  int64_t extreme = max ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
  for (int64_t offset : offsets) extreme = max ? std::max(extreme, x[offset]) : std::min(extreme, x[offset]);
  return extreme;
}

bool reduce(Machine& machine, const Step& step, Slot* frame) {
  const Slot x = step.in(frame, 0);
  const std::string& how = step.op->attrs.str;
  machine.charge(x.count());
  Groups groups(x.dims(), step.op->attrs.ints);
  const auto& members = groups.member_offsets;
  Slot result = Slot::make(step.op->result()->type.elem, groups.kept);
  void* out = result.own();
  Elem elem = step.op->result()->type.elem;
  groups.forEach([&](int64_t group, int64_t base) {
    if (elem == Elem::F64) {
      const double* from = x.reals() + base;
      static_cast<double*>(out)[group] =
          how == "sum" ? sumOf(from, members) : extremeOf(from, members, how == "max");
    } else if (elem == Elem::I64) {
      static_cast<int64_t*>(out)[group] = reduceIntegers(x.integers() + base, members, how);
    } else {
      auto holds = [&](int64_t offset) { return x.booleans()[base + offset] != 0; };
      static_cast<uint8_t*>(out)[group] = how == "any"
                                              ? std::any_of(members.begin(), members.end(), holds)
                                              : std::all_of(members.begin(), members.end(), holds);
    }
  });
  step.out(frame) = std::move(result);
  return true;
}

// Positions of a group's extreme; `undefined` if the group holds a NaN.
struct Extremes {
  std::vector<int64_t> offsets;
  bool undefined = false;
};
Extremes extremes(const double* x, const std::vector<int64_t>& members, bool max) {
  Extremes found;
  double extreme = extremeOf(x, members, max);
  found.undefined = std::isnan(extreme);
  for (int64_t offset : members)
    if (x[offset] == extreme) found.offsets.push_back(offset);
  return found;
}

bool reducePick(Machine& machine, const Step& step, Slot* frame) {
  const Slot x = step.in(frame, 0), a = step.in(frame, 1);
  double t = step.op->attrs.f;
  machine.charge(2 * x.count());
  Groups groups(x.dims(), step.op->attrs.ints);
  Slot result = Slot::make(Elem::F64, groups.kept);
  double* out = result.ownReals();
  groups.forEach([&](int64_t group, int64_t base) {
    Extremes tied = extremes(x.reals() + base, groups.member_offsets, step.op->attrs.str == "max");
    const double* values = a.reals() + base;
    if (tied.undefined) {
      out[group] = kNan;
    } else if (tied.offsets.empty()) {
      out[group] = 0;
    } else if (tied.offsets.size() == 1 || t == 1) {
      out[group] = values[tied.offsets.front()];
    } else if (t == 0) {
      out[group] = values[tied.offsets.back()];
    } else if (t == 0.5) {
      double sum = 0;
      for (int64_t offset : tied.offsets) sum += values[offset];
      out[group] = sum / static_cast<double>(tied.offsets.size());
    } else {
      out[group] = t * values[tied.offsets.front()] + (1 - t) * values[tied.offsets.back()];
    }
  });
  step.out(frame) = std::move(result);
  return true;
}

bool reducePickTransposed(Machine& machine, const Step& step, Slot* frame) {
  const Slot x = step.in(frame, 0), a_bar = step.in(frame, 1);
  double t = step.op->attrs.f;
  machine.charge(2 * x.count());
  Groups groups(x.dims(), step.op->attrs.ints);
  Slot result = Slot::make(Elem::F64, x.dims());
  double* out = result.ownReals();
  std::fill(out, out + result.count(), 0.0);
  groups.forEach([&](int64_t group, int64_t base) {
    Extremes tied = extremes(x.reals() + base, groups.member_offsets, step.op->attrs.str == "max");
    double bar = a_bar.reals()[group];
    double* to = out + base;
    if (tied.undefined) {
      for (int64_t offset : groups.member_offsets) to[offset] = kNan;
    } else if (tied.offsets.empty()) {
      return;
    } else if (tied.offsets.size() == 1 || t == 1) {
      to[tied.offsets.front()] = bar;
    } else if (t == 0) {
      to[tied.offsets.back()] = bar;
    } else if (t == 0.5) {
      for (int64_t offset : tied.offsets) to[offset] = bar / static_cast<double>(tied.offsets.size());
    } else {
      to[tied.offsets.front()] += t * bar;
      to[tied.offsets.back()] += (1 - t) * bar;
    }
  });
  step.out(frame) = std::move(result);
  return true;
}

// --- einsum
bool einsum(Machine& machine, const Step& step, Slot* frame) {
  const Slot a = step.in(frame, 0), b = step.in(frame, 1);
  EinsumSpec spec = parseEinsum(step.op->attrs.str);
  std::array<int64_t, 256> size{}, step_a{}, step_b{};
  auto note = [&](const std::string& letters, const Slot& x, std::array<int64_t, 256>& steps) {
    std::vector<int64_t> x_steps = strides(x.dims());
    for (size_t k = 0; k < letters.size(); ++k) {
      auto letter = static_cast<unsigned char>(letters[k]);
      check(size[letter] == 0 || size[letter] == x.dims()[k], "sizes of an einsum letter differ");
      size[letter] = x.dims()[k];
      steps[letter] = x_steps[k];
    }
  };
  note(spec.a, a, step_a);
  note(spec.b, b, step_b);
  auto pick = [&](const std::string& letters, const std::array<int64_t, 256>& from) {
    std::vector<int64_t> values;
    for (char letter : letters) values.push_back(from[static_cast<unsigned char>(letter)]);
    return values;
  };
  std::vector<int64_t> outer = pick(spec.result, size), inner = pick(spec.contracted, size);
  Slot result = Slot::make(Elem::F64, outer);
  int64_t terms = product(inner);
  machine.charge(2 * result.count() * std::max<int64_t>(terms, 1));
  std::vector<int64_t> at_a, at_b;  // offsets of the terms of one element
  Odometer members(inner, {pick(spec.contracted, step_a), pick(spec.contracted, step_b)});
  for (int64_t k = 0; k < terms; ++k, members.next()) {
    at_a.push_back(members.offset(0));
    at_b.push_back(members.offset(1));
  }
  double* out = result.ownReals();
  Odometer elements(outer, {pick(spec.result, step_a), pick(spec.result, step_b)});
  for (int64_t element = 0; element < result.count(); ++element, elements.next()) {
    const double* x = a.reals() + elements.offset(0);
    const double* y = b.reals() + elements.offset(1);
    if (spec.contracted.empty()) {
      out[element] = *x * *y;
      continue;
    }
    double p[8] = {};
    for (size_t k = 0; k < at_a.size(); ++k) {
      double term = x[at_a[k]] * y[at_b[k]];
      p[k & 7] += term;
    }
    out[element] = pairwise(p);
  }
  step.out(frame) = std::move(result);
  return true;
}

// --- orders
std::vector<int64_t> sortedOrder(const double* x, int64_t n) {
  std::vector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  // Equal elements (and NaNs, which come last) keep their order.
  auto precedes = [&](int64_t i, int64_t j) {
    return std::isnan(x[j]) ? !std::isnan(x[i]) : x[i] < x[j];
  };
  std::sort(order.begin(), order.end(), [&](int64_t i, int64_t j) {
    if (precedes(i, j)) return true;
    return !precedes(j, i) && i < j;
  });
  return order;
}

bool argSort(Machine& machine, const Step& step, Slot* frame) {
  const Slot x = step.in(frame, 0);
  machine.charge(8 * x.count());
  std::vector<int64_t> order = sortedOrder(x.reals(), x.count());
  Slot result = Slot::make(Elem::I64, x.dims());
  std::copy(order.begin(), order.end(), static_cast<int64_t*>(result.own()));
  step.out(frame) = std::move(result);
  return true;
}

// Blocks [begin, end) of equal values in sorted order.
template <class Visit>
void forEachBlock(const double* x, const std::vector<int64_t>& order, const Visit& visit) {
  for (size_t begin = 0, end; begin < order.size(); begin = end) {
    end = begin + 1;
    while (end < order.size() && x[order[end]] == x[order[begin]]) ++end;
    visit(begin, end);
  }
}

template <bool transposed>
bool sortPick(Machine& machine, const Step& step, Slot* frame) {
  const Slot x = step.in(frame, 0), a = step.in(frame, 1);
  double t = step.op->attrs.f;
  machine.charge(8 * x.count());
  std::vector<int64_t> order = sortedOrder(x.reals(), x.count());
  Slot result = Slot::make(Elem::F64, x.dims());
  double* out = result.ownReals();
  const double* in = a.reals();
  // Position k of the sorted array corresponds to element order[k] of x.
  auto source = [&](size_t k) { return transposed ? k : static_cast<size_t>(order[k]); };
  auto target = [&](size_t k) { return transposed ? static_cast<size_t>(order[k]) : k; };
  forEachBlock(x.reals(), order, [&](size_t begin, size_t end) {
    double mean = 0;
    for (size_t k = begin; k < end; ++k) mean += in[source(k)];
    mean /= static_cast<double>(end - begin);
    for (size_t k = begin; k < end; ++k) {
      size_t mirrored = begin + end - 1 - k;
      double first = in[source(k)], second = in[source(mirrored)];
      double& to = out[target(k)];
      if (end - begin == 1 || t == 1) to = first;
      else if (t == 0) to = second;
      else if (t == 0.5) to = mean;
      else to = t * first + (1 - t) * second;
    }
  });
  step.out(frame) = std::move(result);
  return true;
}

bool argExtreme(Machine& machine, const Step& step, Slot* frame) {
  const Slot x = step.in(frame, 0);
  bool max = step.op->attrs.str == "max";
  machine.charge(x.count());
  int64_t best = 0;
  for (int64_t k = 0; k < x.count(); ++k) {
    double value = x.reals()[k], extreme = x.reals()[best];
    if (std::isnan(value)) {
      best = k;
      break;
    }
    if (max ? value > extreme : value < extreme) best = k;
  }
  step.out(frame) = Slot::integer(best);
  return true;
}

bool norm(Machine& machine, const Step& step, Slot* frame) {
  const Slot& x = step.in(frame, 0);
  machine.charge(x.count());
  step.out(frame) = Slot::real(dini_norm(x.reals(), x.count()));
  return true;
}

bool normalize(Machine& machine, const Step& step, Slot* frame) {
  const Slot x = step.in(frame, 0);
  machine.charge(2 * x.count());
  double length = dini_norm(x.reals(), x.count());
  Slot result = Slot::make(Elem::F64, x.dims());
  double* out = result.ownReals();
  for (int64_t k = 0; k < x.count(); ++k) out[k] = length == 0 ? 0.0 : x.reals()[k] / length;
  step.out(frame) = std::move(result);
  return true;
}

constexpr HandlerEntry kHandlers[] = {
    {OpCode::Reduce, reduce},
    {OpCode::ReducePick, reducePick},
    {OpCode::ReducePickT, reducePickTransposed},
    {OpCode::Einsum, einsum},
    {OpCode::ArgSort, argSort},
    {OpCode::SortPick, sortPick<false>},
    {OpCode::SortPickT, sortPick<true>},
    {OpCode::ArgExtreme, argExtreme},
    {OpCode::Norm, norm},
    {OpCode::Normalize, normalize},
};

}  // namespace

std::span<const HandlerEntry> reductionHandlers() { return kHandlers; }

}  // namespace dini::ir::interp
