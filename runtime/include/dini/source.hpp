// What C++ emitted by `dini emit --as cpp` includes: arrays, kinks, sums in a fixed order, small
// linear systems, and the error that a failing call throws. Header only, C++20, standard library
// only. The meaning of each function is that of the operation of the same name in docs/ir.md.
// Compile what includes it with -ffp-contract=off (kinks are decided by exact comparison) and
// -fwrapv (integers wrap around).
// Not here: BLAS. Large products and systems are plain loops.
// Longer than usual: emitted programs are to need one header and no library.
#ifndef DINI_SOURCE_HPP
#define DINI_SOURCE_HPP

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <limits>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace dini::source {

inline constexpr double inf = std::numeric_limits<double>::infinity();
inline constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// --- statuses
enum class status {
  not_converged = 1, non_finite, singular, start_out_of_domain, multiple_root, assertion, bounds,
  bound, shape, interrupted, memory, domain, irregular,
};

// A call that ends with a status: what, where in the Dini source, and numbers where there are some.
class error : public std::runtime_error {
 public:
  error(status what, std::string place, std::string text = "", double size = nan)
      : std::runtime_error(place + ": " + (text.empty() ? name(what) : text)), code(what),
        where(std::move(place)), residual(size) {}
  status code;
  std::string where;  // "model.dini:3"
  double residual;    // of a solve or a check, NaN where there is none

 private:
  static const char* name(status what) {
    static constexpr const char* names[] = {
        "ok", "a solve did not converge", "a value is not finite", "a linear system is singular",
        "the start is outside the domain", "a multiple root", "an assertion failed",
        "an index is out of bounds", "too many iterations", "sizes do not fit", "interrupted",
        "out of memory", "a matrix is outside the domain",
        "the equations define no derivative"};
    return names[static_cast<int>(what)];
  }
};

inline void check(bool ok, status what, const char* place, const char* text = "", double size = nan) {
  if (!ok) throw error(what, place, text, size);
}

// --- arrays: row-major, with their sizes
using shape = std::vector<std::int64_t>;

inline std::int64_t count(const shape& dims) {
  return std::accumulate(dims.begin(), dims.end(), std::int64_t{1}, std::multiplies<>());
}

template <class T>
class array {
 public:
  using element = std::conditional_t<std::is_same_v<T, bool>, unsigned char, T>;
  array() = default;
  explicit array(shape dims, T value = T{})
      : dims_(std::move(dims)),
        data_(static_cast<std::size_t>(count(dims_)), static_cast<element>(value)) {}
  // Elements from elsewhere; as many as the sizes say.
  array(shape dims, std::span<const element> elements)
      : dims_(std::move(dims)), data_(elements.begin(), elements.end()) {
    check(size() == count(dims_), status::shape, "an argument");
  }
  static array of(shape dims, std::initializer_list<T> elements) {
    array made;
    made.dims_ = std::move(dims);
    made.data_.assign(elements.begin(), elements.end());
    return made;
  }

  const shape& dims() const { return dims_; }
  std::int64_t dim(std::size_t axis) const { return dims_[axis]; }
  std::int64_t size() const { return static_cast<std::int64_t>(data_.size()); }
  std::span<const element> elements() const { return data_; }
  element* data() { return data_.data(); }
  const element* data() const { return data_.data(); }
  element& operator[](std::int64_t k) { return data_[static_cast<std::size_t>(k)]; }
  const element& operator[](std::int64_t k) const { return data_[static_cast<std::size_t>(k)]; }
  template <class... I>
  element& operator()(I... index) { return (*this)[offset(index...)]; }
  template <class... I>
  const element& operator()(I... index) const { return (*this)[offset(index...)]; }

  // Of the part at leading indices: the first element; what is left of the sizes has `stride`.
  template <class... I>
  std::int64_t offset(I... index) const {
    const std::int64_t at[] = {static_cast<std::int64_t>(index)..., 0};
    std::int64_t from = 0;
    for (std::size_t k = 0; k < dims_.size(); ++k)
      from = from * dims_[k] + (k < sizeof...(I) ? at[k] : 0);
    return from;
  }
  array reshaped(shape dims) const {
    array made = *this;
    made.dims_ = std::move(dims);
    return made;
  }

 private:
  shape dims_{0};
  std::vector<element> data_;
};
using reals = array<double>;
using ints = array<std::int64_t>;
using bools = array<bool>;

template <class T, class... I>
array<T> part(const array<T>& x, I... index) {
  shape rest(x.dims().begin() + sizeof...(I), x.dims().end());
  const auto n = static_cast<std::size_t>(count(rest));
  return array<T>(std::move(rest), x.elements().subspan(static_cast<std::size_t>(n == 0 ? 0 : x.offset(index...)), n));
}
template <class T, class... I>
void set_part(array<T>& x, const array<T>& v, I... index) {
  std::copy_n(v.data(), v.size(), x.data() + (v.size() == 0 ? 0 : x.offset(index...)));
}
template <class T, class... I>
void add_part(array<T>& x, const array<T>& v, I... index) {
  const std::int64_t from = v.size() == 0 ? 0 : x.offset(index...);
  for (std::int64_t k = 0; k < v.size(); ++k) x[from + k] += v[k];
}

// Visits every multi-index of `dims` in row-major order.
template <class Visit>
void for_each_index(const shape& dims, const Visit& visit) {
  shape at(dims.size(), 0);
  for (std::int64_t left = count(dims); left > 0; --left) {
    visit(std::as_const(at));
    for (std::size_t k = dims.size(); k-- > 0;) {
      if (++at[k] < dims[k]) break;
      at[k] = 0;
    }
  }
}
inline std::int64_t flat(const shape& dims, const shape& at) {
  std::int64_t from = 0;
  for (std::size_t k = 0; k < dims.size(); ++k) from = from * dims[k] + at[k];
  return from;
}
inline shape shifted(const shape& at, const shape& starts) {
  shape made = at;
  for (std::size_t k = 0; k < made.size(); ++k) made[k] += starts[k];
  return made;
}

inline ints iota(std::int64_t n) {
  ints made({n});
  std::iota(made.data(), made.data() + n, std::int64_t{0});
  return made;
}
template <class T>
array<T> slice(const array<T>& x, const shape& starts, const shape& sizes) {
  array<T> made(sizes);
  std::int64_t k = 0;
  for_each_index(sizes, [&](const shape& at) { made[k++] = x[flat(x.dims(), shifted(at, starts))]; });
  return made;
}
template <class T>
void set_slice(array<T>& x, const array<T>& v, const shape& starts) {
  std::int64_t k = 0;
  for_each_index(v.dims(), [&](const shape& at) { x[flat(x.dims(), shifted(at, starts))] = v[k++]; });
}
template <class T>
void add_slice(array<T>& x, const array<T>& v, const shape& starts) {
  std::int64_t k = 0;
  for_each_index(v.dims(), [&](const shape& at) { x[flat(x.dims(), shifted(at, starts))] += v[k++]; });
}
template <class T>
array<T> gather(const array<T>& x, const ints& rows) {
  shape dims = x.dims();
  dims[0] = rows.size();
  array<T> made(dims);
  for (std::int64_t k = 0; k < rows.size(); ++k) set_part(made, part(x, rows[k]), k);
  return made;
}
template <class T>
void scatter_add(array<T>& x, const ints& rows, const array<T>& v) {
  for (std::int64_t k = 0; k < rows.size(); ++k) add_part(x, part(v, k), rows[k]);
}
template <class T>
array<T> concat(std::size_t axis, std::initializer_list<array<T>> parts) {
  shape dims = parts.begin()->dims(), start(dims.size(), 0);
  dims[axis] = 0;
  for (const array<T>& p : parts) dims[axis] += p.dim(axis);
  array<T> made(dims);
  for (const array<T>& p : parts) {
    set_slice(made, p, start);
    start[axis] += p.dim(axis);
  }
  return made;
}
template <class T>
array<T> pack(std::initializer_list<array<T>> rows) {
  shape dims = rows.begin()->dims();
  dims.insert(dims.begin(), static_cast<std::int64_t>(rows.size()));
  array<T> made(dims);
  std::int64_t k = 0;
  for (const array<T>& row : rows) set_part(made, row, k++);
  return made;
}
// Axis k of the result is axis order[k] of x.
template <class T>
array<T> transpose(const array<T>& x, const std::vector<std::size_t>& order) {
  shape dims, from(order.size());
  for (std::size_t axis : order) dims.push_back(x.dim(axis));
  array<T> made(dims);
  std::int64_t k = 0;
  for_each_index(dims, [&](const shape& at) {
    for (std::size_t j = 0; j < order.size(); ++j) from[order[j]] = at[j];
    made[k++] = x[flat(x.dims(), from)];
  });
  return made;
}
// Axis k of x is axis axes[k] of the result.
template <class T>
array<T> broadcast(const array<T>& x, const shape& dims, const std::vector<std::size_t>& axes) {
  array<T> made(dims);
  shape from(axes.size());
  std::int64_t k = 0;
  for_each_index(dims, [&](const shape& at) {
    for (std::size_t j = 0; j < axes.size(); ++j) from[j] = at[axes[j]];
    made[k++] = x[flat(x.dims(), from)];
  });
  return made;
}
template <class T>
array<T> flip(const array<T>& x, std::size_t axis) {
  array<T> made(x.dims());
  std::int64_t k = 0;
  for_each_index(x.dims(), [&](const shape& at) {
    shape from = at;
    from[axis] = x.dim(axis) - 1 - at[axis];
    made[k++] = x[flat(x.dims(), from)];
  });
  return made;
}

// Rows of a number not known beforehand.
template <class T>
class stack {
 public:
  void push(const array<T>& row) {
    if (rows_ == 0) dims_ = row.dims();
    elements_.insert(elements_.end(), row.elements().begin(), row.elements().end());
    ++rows_;
  }
  void push(T value) {
    elements_.push_back(value);
    ++rows_;
  }
  // `empty`: the sizes of a row where there was none.
  array<T> take(shape empty = {}) const {
    shape dims = rows_ == 0 ? std::move(empty) : dims_;
    dims.insert(dims.begin(), rows_);
    return array<T>(std::move(dims), std::span(elements_));
  }

 private:
  std::int64_t rows_ = 0;
  shape dims_;
  std::vector<typename array<T>::element> elements_;
};

// --- elementwise functions
inline double choose(double p, double q, double a, double b) {
  return p > q ? a : p < q ? b : p == q ? a : nan;
}
inline double max(double a, double b) { return choose(a, b, a, b); }
inline double min(double a, double b) { return choose(a, b, b, a); }
inline double relu(double x) { return choose(x, 0, x, 0); }
inline double abs(double x) { return choose(x, 0, x, -x); }
// The derivative of a choose: at a tie t a + (1 - t) b, b where t is nan; `unordered` where p or q is NaN.
inline double pick(double p, double q, double a, double b, double t, double unordered = nan) {
  if (p > q) return a;
  if (p < q) return b;
  if (!(p == q)) return unordered;
  return t == 1 ? a : t == 0 || std::isnan(t) ? b : t * a + (1 - t) * b;
}
// The side of a tie that a probe's tangent decides: 1, 0, or nan where it is too small to tell.
inline double tie_side(double tangent, double size) {
  const double bound = 64 * std::numeric_limits<double>::epsilon() * size;
  return tangent > bound ? 1.0 : tangent < -bound ? 0.0 : nan;
}
inline double safe_div(double a, double b) { return b == 0 ? 0.0 : a / b; }
inline double safe_mul(double c, double t) { return t == 0 ? 0.0 : c * t; }
inline double sign(double x) { return x > 0 ? 1.0 : x < 0 ? -1.0 : x; }
inline double powi(double x, std::int64_t n) {
  double result = 1;
  for (std::uint64_t left = n < 0 ? 0 - static_cast<std::uint64_t>(n) : static_cast<std::uint64_t>(n); left != 0; left /= 2) {
    if (left % 2 == 1) result *= x;
    x *= x;
  }
  return n < 0 ? 1 / result : result;
}
inline double sigmoid(double x) {
  const double e = std::exp(-std::fabs(x));
  return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}
inline double softplus(double x) { return (x > 0 ? x : 0.0) + std::log1p(std::exp(-std::fabs(x))); }
inline std::int64_t div(std::int64_t a, std::int64_t b) {
  if (b == 0) return 0;
  if (b == -1) return -a;
  return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}
inline std::int64_t mod(std::int64_t a, std::int64_t b) {
  if (b == 0 || b == -1) return 0;
  const std::int64_t rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
inline std::int64_t to_int(double x) {
  if (std::isnan(x)) return 0;
  if (x >= 0x1p63) return std::numeric_limits<std::int64_t>::max();
  if (x <= -0x1p63) return std::numeric_limits<std::int64_t>::min();
  return static_cast<std::int64_t>(x);
}
inline std::int64_t hash(std::int64_t key, std::int64_t counter) {
  const auto mix = [](std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  };
  constexpr std::uint64_t golden = 0x9e3779b97f4a7c15u;
  const std::uint64_t stream = mix(static_cast<std::uint64_t>(key) + golden);
  return static_cast<std::int64_t>(mix(stream + golden * (static_cast<std::uint64_t>(counter) + 1)));
}
inline double bits_to_unit(std::int64_t bits) {
  return static_cast<double>((static_cast<std::uint64_t>(bits) >> 11) | 1) * 0x1p-53;
}
// The n-th derivative of psi for x > 0: shifted up by psi_n(x) = psi_n(x + 1) - (-1)^n n! x^-(n+1),
// then the asymptotic series (DLMF 5.15.5, 5.11.2, 5.15.8).
inline double polygamma_positive(int n, double x) {
  constexpr double bernoulli[] = {1.0 / 6, -1.0 / 30,     1.0 / 42,      -1.0 / 30,       5.0 / 66,       -691.0 / 2730,
                                  7.0 / 6, -3617.0 / 510, 43867.0 / 798, -174611.0 / 330, 854513.0 / 138, -236364091.0 / 2730};
  const double f = std::tgamma(n + 1.0);
  double shift = 0;
  for (const double enough = n == 0 ? 12 : 14 + n; x < enough; x += 1) shift += f * std::pow(x, -(n + 1));
  const double w = 1 / (x * x);
  if (n == 0) {
    double tail = 0;
    for (int k = 9; k >= 0; --k) tail = tail * w + bernoulli[k] / (2 * (k + 1));
    return -shift + (std::log(x) - 0.5 / x - tail * w);
  }
  double term = f / n, tail = 0;  // term k: (2k + n - 1)! / (2k)! x^-2k
  for (int k = 1; k <= 12; ++k) {
    term *= w * (2.0 * k + n - 1) * (2.0 * k + n - 2) / (2.0 * k * (2.0 * k - 1));
    tail += bernoulli[k - 1] * term;
  }
  const double size = shift + (f / n + f / (2 * x) + tail) * std::pow(x, -n);
  return n % 2 == 1 ? size : -size;
}
// Negative x by reflection: (-1)^n psi_n(1 - x) - psi_n(x) = pi (d/dx)^n cot(pi x) (DLMF 5.15.6), where
// the derivatives of cot are polynomials in it: P_0 = c, P_{k+1} = -pi (1 + c^2) P_k'.
inline double polygamma(int n, double x) {
  if (std::isnan(x) || x == -inf) return nan;
  if (x == inf) return n == 0 ? x : n % 2 == 1 ? 0.0 : -0.0;
  if (x > 0) return polygamma_positive(n, x);
  if (x == std::floor(x)) return n % 2 == 1 ? inf : nan;
  constexpr double pi = 3.14159265358979323846;
  const double r = x - std::rint(x), c = std::fabs(r) == 0.5 ? 0.0 : 1 / std::tan(pi * r);
  std::vector<double> p{0, 1};
  for (int k = 0; k < n; ++k) {
    std::vector<double> next(p.size() + 1);
    for (std::size_t j = 1; j < p.size(); ++j) {
      next[j - 1] -= pi * static_cast<double>(j) * p[j];
      next[j + 1] -= pi * static_cast<double>(j) * p[j];
    }
    p = std::move(next);
  }
  double slope = 0;
  for (std::size_t k = p.size(); k-- > 0;) slope = slope * c + p[k];
  const double mirrored = polygamma_positive(n, 1 - x);
  return (n % 2 == 0 ? mirrored : -mirrored) - pi * slope;
}

// --- reductions: eight interleaved partial sums, combined pairwise
class ordered_sum {
 public:
  void add(double term) { p_[k_++ % 8] += term; }
  double value() const {
    return ((p_[0] + p_[1]) + (p_[2] + p_[3])) + ((p_[4] + p_[5]) + (p_[6] + p_[7]));
  }

 private:
  double p_[8] = {};
  std::size_t k_ = 0;
};
using members = std::vector<std::int64_t>;  // offsets of the elements of a group

// visit(number of the group, its members) for the groups that a reduction over `axes` makes;
// gives the sizes of the result.
template <class Visit>
void for_each_group(const shape& dims, const std::vector<std::size_t>& axes, const Visit& visit) {
  shape kept, reduced;
  std::vector<std::size_t> kept_axes;
  for (std::size_t k = 0; k < dims.size(); ++k)
    if (std::find(axes.begin(), axes.end(), k) == axes.end()) {
      kept.push_back(dims[k]);
      kept_axes.push_back(k);
    }
  for (std::size_t axis : axes) reduced.push_back(dims[axis]);
  std::int64_t group = 0;
  shape full(dims.size());
  for_each_index(kept, [&](const shape& outer) {
    members group_members;
    for (std::size_t j = 0; j < kept_axes.size(); ++j) full[kept_axes[j]] = outer[j];
    for_each_index(reduced, [&](const shape& inner) {
      for (std::size_t j = 0; j < axes.size(); ++j) full[axes[j]] = inner[j];
      group_members.push_back(flat(dims, full));
    });
    visit(group++, group_members);
  });
}
inline shape without(const shape& dims, const std::vector<std::size_t>& axes) {
  shape kept;
  for (std::size_t k = 0; k < dims.size(); ++k)
    if (std::find(axes.begin(), axes.end(), k) == axes.end()) kept.push_back(dims[k]);
  return kept;
}
inline double sum_of(const reals& x, const members& at) {
  ordered_sum s;
  for (std::int64_t k : at) s.add(x[k]);
  return s.value();
}
inline std::int64_t sum_of(const ints& x, const members& at) {
  std::int64_t s = 0;
  for (std::int64_t k : at) s += x[k];
  return s;
}
inline double greatest_of(const reals& x, const members& at) {
  double best = -inf;
  for (std::int64_t k : at) {
    if (std::isnan(x[k])) return nan;
    if (k == at.front() || x[k] > best) best = x[k];
  }
  return best;
}
inline double least_of(const reals& x, const members& at) {
  double best = inf;
  for (std::int64_t k : at) {
    if (std::isnan(x[k])) return nan;
    if (k == at.front() || x[k] < best) best = x[k];
  }
  return best;
}
inline std::int64_t greatest_of(const ints& x, const members& at) {
  std::int64_t best = std::numeric_limits<std::int64_t>::min();
  for (std::int64_t k : at) best = std::max(best, x[k]);
  return best;
}
inline std::int64_t least_of(const ints& x, const members& at) {
  std::int64_t best = std::numeric_limits<std::int64_t>::max();
  for (std::int64_t k : at) best = std::min(best, x[k]);
  return best;
}
inline bool any_of(const bools& x, const members& at) {
  return std::any_of(at.begin(), at.end(), [&](std::int64_t k) { return x[k] != 0; });
}
inline bool all_of(const bools& x, const members& at) {
  return std::all_of(at.begin(), at.end(), [&](std::int64_t k) { return x[k] != 0; });
}
template <class T, class Of>
array<T> reduce(const array<T>& x, const std::vector<std::size_t>& axes, const Of& of) {
  array<T> made(without(x.dims(), axes));
  for_each_group(x.dims(), axes, [&](std::int64_t group, const members& at) { made[group] = of(x, at); });
  return made;
}
inline members everything(std::int64_t n) {
  members at(static_cast<std::size_t>(n));
  std::iota(at.begin(), at.end(), std::int64_t{0});
  return at;
}
#define DINI_SOURCE_REDUCTION(name)                                                        \
  template <class T>                                                                       \
  T name(const array<T>& x) { return name##_of(x, everything(x.size())); }                 \
  template <class T>                                                                       \
  array<T> name(const array<T>& x, const std::vector<std::size_t>& axes) {                 \
    return reduce(x, axes, [](const array<T>& y, const members& at) { return name##_of(y, at); }); \
  }
DINI_SOURCE_REDUCTION(sum)
DINI_SOURCE_REDUCTION(greatest)
DINI_SOURCE_REDUCTION(least)
DINI_SOURCE_REDUCTION(any)
DINI_SOURCE_REDUCTION(all)
#undef DINI_SOURCE_REDUCTION

// The positions of a group's extreme; `undefined` where the group holds a NaN.
struct extremes {
  members at;
  bool undefined = false;
};
inline extremes extremes_of(const reals& x, const members& group, bool max) {
  const double best = max ? greatest_of(x, group) : least_of(x, group);
  extremes found{{}, std::isnan(best)};
  for (std::int64_t k : group)
    if (x[k] == best) found.at.push_back(k);
  return found;
}
inline reals reduce_pick(const reals& x, const reals& a, const std::vector<std::size_t>& axes, bool max, double t) {
  reals made(without(x.dims(), axes));
  for_each_group(x.dims(), axes, [&](std::int64_t group, const members& all) {
    const extremes tied = extremes_of(x, all, max);
    double& out = made[group];
    if (tied.undefined) out = nan;
    else if (tied.at.empty()) out = 0;
    else if (tied.at.size() == 1 || t == 1) out = a[tied.at.front()];
    else if (t == 0) out = a[tied.at.back()];
    else if (t == 0.5) {
      for (std::int64_t k : tied.at) out += a[k];
      out /= static_cast<double>(tied.at.size());
    } else out = t * a[tied.at.front()] + (1 - t) * a[tied.at.back()];
  });
  return made;
}
inline reals reduce_pick_t(const reals& x, const reals& bar, const std::vector<std::size_t>& axes, bool max, double t) {
  reals made(x.dims());
  for_each_group(x.dims(), axes, [&](std::int64_t group, const members& all) {
    const extremes tied = extremes_of(x, all, max);
    if (tied.undefined)
      for (std::int64_t k : all) made[k] = nan;
    else if (tied.at.empty()) return;
    else if (tied.at.size() == 1 || t == 1) made[tied.at.front()] = bar[group];
    else if (t == 0) made[tied.at.back()] = bar[group];
    else if (t == 0.5)
      for (std::int64_t k : tied.at) made[k] = bar[group] / static_cast<double>(tied.at.size());
    else {
      made[tied.at.front()] += t * bar[group];
      made[tied.at.back()] += (1 - t) * bar[group];
    }
  });
  return made;
}
inline double norm(const reals& x) {
  const auto squares = [&](int shift) {
    ordered_sum s;
    for (double v : x.elements()) {
      const double w = shift == 0 ? v : std::ldexp(std::ldexp(v, -(shift / 2)), -(shift - shift / 2));
      s.add(w * w);
    }
    return s.value();
  };
  const double plain = squares(0);
  if (plain >= 0x1p-900 && plain <= 0x1p1000) return std::sqrt(plain);
  double largest = 0;
  for (double v : x.elements()) {
    if (std::isnan(v)) return v;
    largest = std::max(largest, std::fabs(v));
  }
  if (largest == 0 || std::isinf(largest)) return largest;
  const int exponent = std::ilogb(largest);
  return std::ldexp(std::sqrt(squares(exponent)), exponent);
}
inline reals normalize(const reals& x) {
  const double length = norm(x);
  reals made(x.dims());
  for (std::int64_t k = 0; k < x.size(); ++k) made[k] = length == 0 ? 0.0 : x[k] / length;
  return made;
}

// --- orders
inline ints argsort(const reals& x) {  // stable, NaN last
  ints order = iota(x.size());
  const auto before = [&](std::int64_t i, std::int64_t j) {
    return std::isnan(x[j]) ? !std::isnan(x[i]) : x[i] < x[j];
  };
  std::sort(order.data(), order.data() + order.size(), [&](std::int64_t i, std::int64_t j) {
    return before(i, j) || (!before(j, i) && i < j);
  });
  return order;
}
inline std::int64_t arg_extreme(const reals& x, bool max) {
  std::int64_t best = 0;
  for (std::int64_t k = 0; k < x.size(); ++k) {
    if (std::isnan(x[k])) return k;
    if (max ? x[k] > x[best] : x[k] < x[best]) best = k;
  }
  return best;
}
// The derivative of sorting at x and its transpose; the blocks of equal values by the weight t.
inline reals sort_pick(const reals& x, const reals& a, double t, bool transposed = false) {
  const ints order = argsort(x);
  reals made(x.dims());
  const auto from = [&](std::int64_t k) { return a[transposed ? k : order[k]]; };
  for (std::int64_t begin = 0, end = 0; begin < x.size(); begin = end) {
    end = begin + 1;
    while (end < x.size() && x[order[end]] == x[order[begin]]) ++end;
    double mean = 0;
    for (std::int64_t k = begin; k < end; ++k) mean += from(k);
    mean /= static_cast<double>(end - begin);
    for (std::int64_t k = begin; k < end; ++k) {
      const double first = from(k), second = from(begin + end - 1 - k);
      made[transposed ? order[k] : k] = end - begin == 1 || t == 1 ? first : t == 0 ? second : t == 0.5 ? mean : t * first + (1 - t) * second;
    }
  }
  return made;
}

// --- linear systems: LU with partial pivoting, Cholesky
enum class structure { general, symmetric, positive_definite, lower, upper, unit_lower, diagonal };

struct factors {
  structure kind = structure::general;
  reals f;     // the factors in one matrix
  ints pivots; // row k was exchanged with pivots[k]
  double rcond = 0;
};
inline bool has_lu(structure kind) { return kind == structure::general || kind == structure::symmetric; }
// x becomes T^-1 x or T'^-1 x; x has rows of m.
inline void triangular_solve(const reals& t, bool lower, bool transposed, bool unit, reals& x, std::int64_t m) {
  const std::int64_t n = t.dim(0);
  const bool forward = lower != transposed;
  for (std::int64_t step = 0; step < n; ++step) {
    const std::int64_t k = forward ? step : n - 1 - step;
    if (!unit)
      for (std::int64_t j = 0; j < m; ++j) x[k * m + j] /= t(k, k);
    for (std::int64_t i = forward ? k + 1 : 0; i < (forward ? n : k); ++i) {
      const double c = transposed ? t(k, i) : t(i, k);
      for (std::int64_t j = 0; j < m; ++j) x[i * m + j] -= c * x[k * m + j];
    }
  }
}
inline void exchange_rows(reals& x, std::int64_t m, std::int64_t i, std::int64_t k) {
  if (i != k) std::swap_ranges(x.data() + i * m, x.data() + (i + 1) * m, x.data() + k * m);
}
inline reals solve_factored(const factors& a, reals x, bool transposed = false) {
  const std::int64_t n = a.f.dim(0), m = n == 0 ? 0 : x.size() / n;
  if (has_lu(a.kind) && !transposed) {
    for (std::int64_t k = 0; k < n; ++k) exchange_rows(x, m, k, a.pivots[k]);
    triangular_solve(a.f, true, false, true, x, m);
    triangular_solve(a.f, false, false, false, x, m);
  } else if (has_lu(a.kind)) {
    triangular_solve(a.f, false, true, false, x, m);
    triangular_solve(a.f, true, true, true, x, m);
    for (std::int64_t k = n; k-- > 0;) exchange_rows(x, m, k, a.pivots[k]);
  } else if (a.kind == structure::positive_definite) {
    triangular_solve(a.f, true, false, false, x, m);
    triangular_solve(a.f, true, true, false, x, m);
  } else if (a.kind == structure::diagonal) {
    for (std::int64_t k = 0; k < n * m; ++k) x[k] /= a.f(k / m, k / m);
  } else {
    triangular_solve(a.f, a.kind != structure::upper, transposed, a.kind == structure::unit_lower, x, m);
  }
  return x;
}
inline bool lu_in_place(reals& a, ints& pivots) {
  const std::int64_t n = a.dim(0);
  for (std::int64_t k = 0; k < n; ++k) {
    for (std::int64_t i = k + 1; i < n; ++i)
      if (std::fabs(a(i, k)) > std::fabs(a(pivots[k], k))) pivots[k] = i;
    exchange_rows(a, n, k, pivots[k]);
    if (a(k, k) == 0 || std::isnan(a(k, k))) return false;
    for (std::int64_t i = k + 1; i < n; ++i) {
      a(i, k) /= a(k, k);
      for (std::int64_t j = k + 1; j < n; ++j) a(i, j) -= a(i, k) * a(k, j);
    }
  }
  return true;
}
inline bool cholesky_in_place(reals& a) {
  for (std::int64_t j = 0; j < a.dim(0); ++j) {
    for (std::int64_t k = 0; k < j; ++k) a(j, j) -= a(j, k) * a(j, k);
    if (!(a(j, j) > 0)) return false;
    a(j, j) = std::sqrt(a(j, j));
    for (std::int64_t i = j + 1; i < a.dim(0); ++i) {
      for (std::int64_t k = 0; k < j; ++k) a(i, j) -= a(i, k) * a(j, k);
      a(i, j) /= a(j, j);
    }
  }
  return true;
}
// What the declared structure reads of a.
inline reals declared_part(structure kind, const reals& a) {
  reals made = a;
  for (std::int64_t i = 0; i < a.dim(0); ++i)
    for (std::int64_t j = 0; j < a.dim(0); ++j) {
      if (i == j && kind == structure::unit_lower) made(i, j) = 1;
      else if (i < j && kind == structure::positive_definite) made(i, j) = a(j, i);
      else if ((i < j && (kind == structure::lower || kind == structure::unit_lower)) || (i > j && kind == structure::upper) || (i != j && kind == structure::diagonal)) made(i, j) = 0;
    }
  return made;
}
inline double one_norm(const reals& a) {
  double largest = 0;
  for (std::int64_t j = 0; j < a.dim(1); ++j) {
    double s = 0;
    for (std::int64_t i = 0; i < a.dim(0); ++i) s += std::fabs(a(i, j));
    if (!(s <= largest)) largest = s;
  }
  return largest;
}
// Singular where the reciprocal condition, here exact in the 1-norm, is below 1e-14.
inline factors factor(const reals& a, structure kind, const char* place) {
  const std::int64_t n = a.dim(0);
  factors made{kind, declared_part(kind, a), iota(n), n == 0 ? 1.0 : 0.0};
  if (n == 0) return made;
  const double size = one_norm(made.f);
  bool regular = std::isfinite(size);
  if (regular && has_lu(kind)) regular = lu_in_place(made.f, made.pivots);
  else if (regular && kind == structure::positive_definite) regular = cholesky_in_place(made.f);
  for (std::int64_t k = 0; regular && k < n; ++k) regular = made.f(k, k) != 0;
  if (regular) {
    reals unit({n, n});
    for (std::int64_t k = 0; k < n; ++k) unit(k, k) = 1;
    made.rcond = 1 / (size * one_norm(solve_factored(made, std::move(unit))));
    // A diagonal system is as well conditioned as its entries are apart, whatever they are.
    if (kind == structure::diagonal) regular = std::isfinite(made.rcond);
    else regular = made.rcond >= 1e-14;
  }
  check(regular, status::singular, place);
  return made;
}
inline reals solve(const reals& a, const reals& b, structure kind, bool transposed, const char* place) {
  return solve_factored(factor(a, kind, place), b, transposed);
}
// A sparse system by its entries, in any order; those at one place add up. Factorised densely: n^2 doubles.
inline reals sparse_solve(const reals& values, const ints& rows, const ints& columns, const reals& b, bool transposed, const char* place) {
  const std::int64_t n = b.dim(0);
  reals a({n, n});
  for (std::int64_t e = 0; e < values.size(); ++e) {
    check(rows[e] >= 0 && rows[e] < n && columns[e] >= 0 && columns[e] < n, status::bounds, place);
    a(rows[e], columns[e]) += values[e];
  }
  return solve(a, b, structure::general, transposed, place);
}
inline reals cholesky(const reals& a, const char* place) {
  reals l(a.dims());
  bool regular = true;
  for (std::int64_t i = 0; i < a.dim(0); ++i)
    for (std::int64_t j = 0; j <= i; ++j) {
      l(i, j) = 0.5 * (a(i, j) + a(j, i));
      regular = regular && std::isfinite(l(i, j));
    }
  check(regular && cholesky_in_place(l), status::domain, place);
  return l;
}

// --- equations
// The two sides of the equations of a solve at a point.
class residual {
 public:
  void equation(double lhs, double rhs) {
    if (!std::isfinite(lhs) || !std::isfinite(rhs)) finite_ = false;
    difference_ = std::max(difference_, std::fabs(lhs - rhs));
    scale_ = std::max({scale_, std::fabs(lhs), std::fabs(rhs)});
  }
  void equation(const reals& lhs, const reals& rhs) {
    for (std::int64_t k = 0; k < lhs.size(); ++k) equation(lhs[k], rhs[k]);
  }
  void start(const char* place) const { check(finite_, status::start_out_of_domain, place); }
  void accept(double tol, const char* place) const {
    check(finite_, status::non_finite, place);
    check(difference_ <= tol * (1 + scale_), status::not_converged, place, "", difference_);
  }

 private:
  double difference_ = 0, scale_ = 0;
  bool finite_ = true;
};

// --- printing: reals with 17 significant digits, arrays as nested [...]
inline std::string text(double x) {
  char digits[40];
  std::snprintf(digits, sizeof digits, "%.17g", x);
  return std::isnan(x) ? "nan" : digits;
}
inline std::string text(std::int64_t x) { return std::to_string(x); }
inline std::string text(bool x) { return x ? "true" : "false"; }
template <class T>
std::string text(const array<T>& x) {
  const std::size_t rank = x.dims().size();
  std::string out;
  if (x.size() == 0) return "[]";
  std::int64_t k = 0;
  for_each_index(x.dims(), [&](const shape& at) {
    std::size_t opened = 0, closed = 0;
    while (opened < rank && at[rank - 1 - opened] == 0) ++opened;
    while (closed < rank && at[rank - 1 - closed] == x.dim(rank - 1 - closed) - 1) ++closed;
    out += (k > 0 ? ", " : "") + std::string(opened, '[') + text(static_cast<T>(x[k])) + std::string(closed, ']');
    ++k;
  });
  return out;
}
// `%` stands for the next value, `%%` for a percent sign.
template <class... V>
void print(const char* format, const V&... values) {
  const std::vector<std::string> texts{text(values)...};
  std::string line;
  std::size_t next = 0;
  for (const char* c = format; *c != 0; ++c) {
    if (*c != '%') line += *c;
    else if (c[1] == '%') line += *c++;
    else line += texts[next++];
  }
  std::puts(line.c_str());
}

}  // namespace dini::source

#endif
