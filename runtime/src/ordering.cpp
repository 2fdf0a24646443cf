#include "dini/ordering.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace {

const double kNan = std::numeric_limits<double>::quiet_NaN();

// Whether element i may stay before element j that follows it.
bool inOrder(double a, double b) { return std::isnan(b) || a <= b; }

// The extreme of a group and where it is reached.
struct Tied {
  double extreme = 0;
  int64_t first = -1, last = -1, count = 0;
  bool undefined = false;
};

Tied extremesOf(bool maximum, int64_t n, const double* x) {
  Tied tied;
  for (int64_t k = 0; k < n; ++k) {
    if (std::isnan(x[k])) {
      tied.undefined = true;
      return tied;
    }
    const bool better = tied.count == 0 || (maximum ? x[k] > tied.extreme : x[k] < tied.extreme);
    if (better) {
      tied = {x[k], k, k, 1, false};
    } else if (x[k] == tied.extreme) {
      tied.last = k;
      ++tied.count;
    }
  }
  return tied;
}

}  // namespace

void dini_argsort(int64_t n, const double* x, int64_t* order, int64_t* work) {
  for (int64_t k = 0; k < n; ++k) order[k] = k;
  int64_t* from = order;
  int64_t* to = work;
  for (int64_t width = 1; width < n; width *= 2) {
    for (int64_t begin = 0; begin < n; begin += 2 * width) {
      int64_t i = begin, j = std::min(begin + width, n);
      const int64_t middle = j, end = std::min(begin + 2 * width, n);
      for (int64_t k = begin; k < end; ++k) {
        const bool left = i < middle && (j >= end || inOrder(x[from[i]], x[from[j]]));
        to[k] = left ? from[i++] : from[j++];
      }
    }
    std::swap(from, to);
  }
  if (from != order) std::copy_n(from, n, order);
}

int64_t dini_arg_extreme(int maximum, int64_t n, const double* x) {
  int64_t best = 0;
  for (int64_t k = 0; k < n; ++k) {
    if (std::isnan(x[k])) return k;
    if (maximum ? x[k] > x[best] : x[k] < x[best]) best = k;
  }
  return best;
}

void dini_sort_pick(int transposed, double t, int64_t n, const double* x, const double* a,
                    double* out, int64_t* work) {
  int64_t* order = work;
  dini_argsort(n, x, order, work + n);
  const auto source = [&](int64_t k) { return transposed ? k : order[k]; };
  const auto target = [&](int64_t k) { return transposed ? order[k] : k; };
  for (int64_t begin = 0, end = 0; begin < n; begin = end) {
    end = begin + 1;
    while (end < n && x[order[end]] == x[order[begin]]) ++end;
    double mean = 0;
    for (int64_t k = begin; k < end; ++k) mean += a[source(k)];
    mean /= static_cast<double>(end - begin);
    for (int64_t k = begin; k < end; ++k) {
      const double first = a[source(k)], second = a[source(begin + end - 1 - k)];
      double& to = out[target(k)];
      if (end - begin == 1 || t == 1)
        to = first;
      else if (t == 0)
        to = second;
      else if (t == 0.5)
        to = mean;
      else
        to = t * first + (1 - t) * second;
    }
  }
}

void dini_reduce_pick(int maximum, double t, int64_t groups, int64_t members, const double* x,
                      const double* a, double* out) {
  for (int64_t group = 0; group < groups; ++group, x += members, a += members) {
    const Tied tied = extremesOf(maximum != 0, members, x);
    if (tied.undefined) {
      out[group] = kNan;
    } else if (tied.count == 0) {
      out[group] = 0;
    } else if (tied.count == 1 || t == 1) {
      out[group] = a[tied.first];
    } else if (t == 0) {
      out[group] = a[tied.last];
    } else if (t == 0.5) {
      double sum = 0;
      for (int64_t k = tied.first; k <= tied.last; ++k)
        if (x[k] == tied.extreme) sum += a[k];
      out[group] = sum / static_cast<double>(tied.count);
    } else {
      out[group] = t * a[tied.first] + (1 - t) * a[tied.last];
    }
  }
}

void dini_reduce_pick_t(int maximum, double t, int64_t groups, int64_t members, const double* x,
                        const double* a_bar, double* out) {
  for (int64_t group = 0; group < groups; ++group, x += members, out += members) {
    const Tied tied = extremesOf(maximum != 0, members, x);
    std::fill_n(out, members, tied.undefined ? kNan : 0.0);
    const double bar = a_bar[group];
    if (tied.undefined || tied.count == 0) continue;
    if (tied.count == 1 || t == 1) {
      out[tied.first] = bar;
    } else if (t == 0) {
      out[tied.last] = bar;
    } else if (t == 0.5) {
      for (int64_t k = tied.first; k <= tied.last; ++k)
        if (x[k] == tied.extreme) out[k] = bar / static_cast<double>(tied.count);
    } else {
      out[tied.first] += t * bar;
      out[tied.last] += (1 - t) * bar;
    }
  }
}
