#include "dini/projections.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "dini/math.h"
#include "tangents.h"

namespace {

using dini::runtime::Decisions;
using dini::runtime::isZeroTangent;

const double kNan = std::numeric_limits<double>::quiet_NaN();

// --- simplex

// Relative to the largest entry, so that nothing cancels where v is far from 0.
struct Threshold {
  double top = 0, below = 0;  // the threshold is top + below
  double gap(double v) const { return (v - top) - below; }
};

// The largest k entries are positive after the projection where each exceeds the threshold
// (sum of the k - radius) / k of those before it.
Threshold thresholdOf(int64_t n, const double* v, double radius, double* work) {
  Threshold threshold;
  if (n == 0) return threshold;
  for (int64_t k = 0; k < n; ++k)
    if (std::isnan(v[k])) return {kNan, kNan};
  std::copy_n(v, n, work);
  std::sort(work, work + n, [](double a, double b) { return a > b; });
  threshold.top = work[0];
  double sum = 0;
  for (int64_t k = 0; k < n; ++k) {
    const double entry = work[k] - threshold.top;
    if (k > 0 && !(entry > threshold.below)) break;
    sum += entry;
    threshold.below = (sum - radius) / static_cast<double>(k + 1);
  }
  return threshold;
}

// The derivative of the threshold along a tangent h (of the radius: hr) where the entries of state 1
// are above it and those of state 2 on it: of the latter, those whose tangents exceed it join.
double thresholdTangent(int64_t n, const double* state, const double* h, double hr, double* work) {
  double sum = 0;
  int64_t members = 0, tied = 0;
  for (int64_t k = 0; k < n; ++k) {
    if (state[k] == 1) {
      sum += h[k];
      ++members;
    } else if (state[k] == 2) {
      work[tied++] = h[k];
    }
  }
  std::sort(work, work + tied, [](double a, double b) { return a > b; });
  double y = members > 0 ? (sum - hr) / static_cast<double>(members) : -HUGE_VAL;
  for (int64_t k = 0; k < tied && work[k] > y; ++k) {
    sum += work[k];
    y = (sum - hr) / static_cast<double>(++members);
  }
  return y;
}

// --- second-order cone


// c projected on the tangent plane: the derivative between the cone and its polar, at (s; x), n =
// norm(x) > 0, u = x / n:  1/2 (c_s + u c_x;  u c_s + c_x + (s/n) (c_x - u u'c_x)).
void betweenMap(int64_t n, const double* p, double length, const double* c, double* out) {
  const double ratio = p[0] / length;
  double along = 0;
  for (int64_t k = 1; k < n; ++k) along += p[k] / length * c[k];
  for (int64_t k = 1; k < n; ++k) {
    const double u = p[k] / length;
    out[k] = 0.5 * (u * c[0] + c[k] + ratio * (c[k] - u * along));
  }
  out[0] = 0.5 * (c[0] + along);
}

// The side of the boundary s = sign * norm(x) to which the decisions from `level` on point.
double boundaryWeight(double t, double sign, int64_t n, const double* p, double length,
                      const Decisions& decisions, int64_t level) {
  for (; level < decisions.count; ++level) {
    const double* h = decisions.h[level];
    double moved = h[0], size = std::fabs(h[0]);
    for (int64_t k = 1; k < n; ++k) {
      const double term = sign * (p[k] / length) * h[k];
      moved -= term;
      size += std::fabs(term);
    }
    if (!isZeroTangent(moved, size)) return moved > 0 ? 1 : 0;
  }
  return t;
}

bool allZero(int64_t n, const double* v) {
  return std::all_of(v, v + n, [](double value) { return value == 0; });
}

}  // namespace

void dini_proj_simplex(int64_t n, const double* v, double radius, double* x, double* work) {
  const Threshold threshold = thresholdOf(n, v, radius, work);
  for (int64_t k = 0; k < n; ++k) {
    const double gap = threshold.gap(v[k]);
    x[k] = gap <= 0 ? 0 : gap;  // a NaN passes
  }
}

void dini_simplex_weights(double t, int64_t n, const double* v, double radius, int64_t decisions,
                          const double* v1, double radius1, const double* v2, double radius2,
                          double* d, double* work) {
  const Threshold threshold = thresholdOf(n, v, radius, work);
  double* state = work + n;  // 0 below, 1 above, 2 on the threshold
  bool tied = false;
  for (int64_t k = 0; k < n; ++k) {
    const double gap = threshold.gap(v[k]);
    state[k] = gap > 0 ? 1 : gap < 0 ? 0 : gap == 0 ? 2 : kNan;
    tied = tied || gap == 0;
  }
  for (int64_t level = 0; level < decisions && tied; ++level) {
    const double* h = level == 0 ? v1 : v2;
    const double y = thresholdTangent(n, state, h, level == 0 ? radius1 : radius2, work);
    tied = false;
    for (int64_t k = 0; k < n; ++k) {
      if (state[k] != 2) continue;
      if (isZeroTangent(h[k] - y, std::fabs(h[k]) + std::fabs(y)))
        tied = true;
      else
        state[k] = h[k] > y ? 1 : 0;
    }
  }
  for (int64_t k = 0; k < n; ++k) d[k] = state[k] == 2 ? t : state[k];
}

void dini_proj_soc(int64_t n, const double* v, double* out) {
  if (n == 0) return;
  const double s = v[0], length = dini_norm(v + 1, n - 1);
  if (s >= length) {
    std::copy_n(v, n, out);
  } else if (s <= -length) {
    std::fill_n(out, n, 0.0);
  } else {
    const double scale = 0.5 * (1 + s / length);
    for (int64_t k = 1; k < n; ++k) out[k] = scale * v[k];
    out[0] = 0.5 * (s + length);
  }
}

// At the apex the cone is positively homogeneous: the derivative along h is that at h.
void dini_soc_map(double t, int64_t n, const double* v, int64_t count, const double* h1,
                  const double* h2, const double* c, double* out) {
  if (n == 0) return;
  const Decisions decisions{count, {h1, h2}};
  const double* p = v;
  int64_t level = 0;
  while (allZero(n, p) && level < count) p = decisions.h[level++];
  if (allZero(n, p)) {
    for (int64_t k = 0; k < n; ++k) out[k] = t * c[k];
    return;
  }
  const double s = p[0], length = dini_norm(p + 1, n - 1), size = std::fabs(s) + length;
  const auto on = [&](double gap) { return p == v ? gap == 0 : isZeroTangent(gap, size); };
  if (s > 0 && on(s - length)) {
    const double weight = boundaryWeight(t, 1, n, p, length, decisions, level);
    betweenMap(n, p, length, c, out);
    for (int64_t k = 0; k < n; ++k)
      out[k] = weight == 1 ? c[k] : weight == 0 ? out[k] : weight * c[k] + (1 - weight) * out[k];
  } else if (s < 0 && on(s + length)) {
    const double weight = boundaryWeight(t, -1, n, p, length, decisions, level);
    betweenMap(n, p, length, c, out);
    for (int64_t k = 0; k < n; ++k) out[k] = weight == 0 ? 0 : weight * out[k];
  } else if (s > length) {
    std::copy_n(c, n, out);
  } else if (s < -length) {
    std::fill_n(out, n, 0.0);
  } else {
    betweenMap(n, p, length, c, out);
  }
}
