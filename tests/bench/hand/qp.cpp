// With L L' = Q, W_A = L^-1 A', W_G = L^-1 G', S = W_A'W_A and C C' = S, T = C^-1 W_A'W_G:
// eliminating x and the multipliers y of the equalities leaves
//   s = r + M z,  s >= 0, z >= 0, s'z = 0,  M = W_G'W_G - T'T,
// in the multipliers z of the inequalities; r is the slack of the minimiser that the equalities alone have. It is solved by Mehrotra's
// predictor-corrector method, with one factorisation of M + diag(s/z) an iteration. The last step solves
// M_aa z_a = -r_a on the active set a, which is exact. Its factors serve the cotangents too.
#include "hand/qp.h"

#include <cstddef>
#include <utility>

#include "hand/lanes.h"

namespace dini::bench {
namespace {

constexpr int64_t kTile = 5;
constexpr int kMostIterations = 50;
using Array = std::vector<Lanes>;

Lanes sqrtLanes(Lanes v) { return __builtin_elementwise_sqrt(v); }
Lanes minLanes(Lanes a, Lanes b) { return a < b ? a : b; }

// c[i, j] -= sum_k a[i, k] b[j, k] over one tile; strides of row and k.
struct Strided {
  const Lanes* at;
  int64_t row, k;
};
inline void subtractProducts(Lanes c[kTile][kTile], Strided a, Strided b, int64_t count) {
  for (int64_t k = 0; k < count; ++k) {
    Lanes u[kTile];
    for (int64_t i = 0; i < kTile; ++i) u[i] = a.at[i * a.row + k * a.k];
    for (int64_t j = 0; j < kTile; ++j) {
      const Lanes v = b.at[j * b.row + k * b.k];
      for (int64_t i = 0; i < kTile; ++i) c[i][j] -= u[i] * v;
    }
  }
}

inline void loadTile(Lanes c[kTile][kTile], const Lanes* from, int64_t stride) {
  for (int64_t i = 0; i < kTile; ++i)
    for (int64_t j = 0; j < kTile; ++j) c[i][j] = from[i * stride + j];
}
inline void storeTile(const Lanes c[kTile][kTile], Lanes* to, int64_t stride) {
  for (int64_t i = 0; i < kTile; ++i)
    for (int64_t j = 0; j < kTile; ++j) to[i * stride + j] = c[i][j];
}

// The lower half of a [n, n] becomes its factor, with the reciprocals of the diagonal on it. False where a pivot is not
// positive.
bool cholesky(Lanes* a, int64_t n) {
  Mask positive = splat(1) > splat(0);
  for (int64_t j = 0; j < n; j += kTile)
    for (int64_t i = j; i < n; i += kTile) {
      Lanes c[kTile][kTile];
      loadTile(c, a + i * n + j, n);
      subtractProducts(c, {a + i * n, n, 1}, {a + j * n, n, 1}, j);
      const bool diagonal = i == j;
      const Lanes* corner = a + j * n + j;
      for (int64_t k = 0; k < kTile; ++k) {
        if (diagonal) {
          for (int64_t l = 0; l < k; ++l) c[k][k] -= c[k][l] * c[k][l];
          positive &= c[k][k] > 0;
          c[k][k] = 1 / sqrtLanes(c[k][k]);
        }
        for (int64_t r = diagonal ? k + 1 : 0; r < kTile; ++r) {
          for (int64_t l = 0; l < k; ++l) c[r][k] -= c[r][l] * (diagonal ? c[k][l] : corner[k * n + l]);
          c[r][k] *= diagonal ? c[k][k] : corner[k * n + k];
        }
      }
      storeTile(c, a + i * n + j, n);
    }
  return all(positive);
}

// b [n, k] becomes l^-1 b.
void solveLower(const Lanes* l, int64_t n, Lanes* b, int64_t k) {
  for (int64_t i = 0; i < n; i += kTile)
    for (int64_t j = 0; j < k; j += kTile) {
      Lanes c[kTile][kTile];
      loadTile(c, b + i * k + j, k);
      subtractProducts(c, {l + i * n, n, 1}, {b + j, 1, k}, i);
      for (int64_t r = 0; r < kTile; ++r)
        for (int64_t s = 0; s < kTile; ++s) {
          for (int64_t o = 0; o < r; ++o) c[r][s] -= l[(i + r) * n + i + o] * c[o][s];
          c[r][s] *= l[(i + r) * n + i + r];
        }
      storeTile(c, b + i * k + j, k);
    }
}

// c [k, l] -= u'v for u [n, k] and v [n, l]; only the lower half where `lower`.
void subtractTransposed(Lanes* c, const Lanes* u, int64_t k, const Lanes* v, int64_t l, int64_t n, bool lower) {
  for (int64_t i = 0; i < k; i += kTile)
    for (int64_t j = 0; j < (lower ? i + kTile : l); j += kTile) {
      Lanes t[kTile][kTile];
      loadTile(t, c + i * l + j, l);
      subtractProducts(t, {u + i, 1, k}, {v + j, 1, l}, n);
      storeTile(t, c + i * l + j, l);
    }
}

void solveLower(const Lanes* l, int64_t n, Lanes* b) {
  for (int64_t i = 0; i < n; ++i) {
    Lanes c = b[i], d = splat(0);
    int64_t k = 0;
    for (; k + 2 <= i; k += 2) {
      c -= l[i * n + k] * b[k];
      d -= l[i * n + k + 1] * b[k + 1];
    }
    if (k < i) c -= l[i * n + k] * b[k];
    b[i] = (c + d) * l[i * n + i];
  }
}
void solveUpper(const Lanes* l, int64_t n, Lanes* b) {  // l'
  for (int64_t i = n; i-- > 0;) {
    b[i] *= l[i * n + i];
    for (int64_t k = 0; k < i; ++k) b[k] -= l[i * n + k] * b[i];
  }
}

// y [k] += factor w'x and x [n] += factor w y for w [n, k].
void addTransposed(Lanes* y, double factor, const Lanes* w, int64_t n, int64_t k, const Lanes* x) {
  for (int64_t i = 0; i < n; ++i) {
    const Lanes u = factor * x[i];
    for (int64_t j = 0; j < k; ++j) y[j] += w[i * k + j] * u;
  }
}
void addProduct(Lanes* x, double factor, const Lanes* w, int64_t n, int64_t k, const Lanes* y) {
  for (int64_t i = 0; i < n; ++i) {
    Lanes sums[2] = {splat(0), splat(0)};
    for (int64_t j = 0; j < k; ++j) sums[j % 2] += w[i * k + j] * y[j];
    x[i] += factor * (sums[0] + sums[1]);
  }
}

Lanes dot(const Array& u, const Array& v) {
  Lanes sum = splat(0);
  for (size_t i = 0; i < u.size(); ++i) sum += u[i] * v[i];
  return sum;
}

// The largest t <= 1 with v + t d >= 0.
Lanes longest(const Array& v, const Array& d) {
  Lanes t = splat(1);
  for (size_t i = 0; i < v.size(); ++i) t = minLanes(t, d[i] < 0 ? -v[i] / d[i] : splat(1));
  return t;
}

// Programs are the first index of `from`, lanes the last of `to`.
void interleave(const double* from, int64_t size, Lanes* to) {
  for (int64_t i = 0; i < size; ++i)
    for (int64_t lane = 0; lane < kLanes; ++lane) to[i][lane] = from[lane * size + i];
}

}  // namespace

struct QpByHand::Eight {
  int64_t n, p, m;
  Array L, WA, WG, C, T, M, F;                   // of all matrices: row-major
  Array q, b, h, x, y, z, s, r, dx, dy, dz, ds, u, c;

  Eight(int64_t n_, int64_t p_, int64_t m_)
      : n(n_), p(p_), m(m_), L(size(n, n)), WA(size(n, p)), WG(size(n, m)), C(size(p, p)), T(size(p, m)), M(size(m, m)),
        F(M), q(size(n, 1)), b(size(p, 1)), h(size(m, 1)), x(q), y(b), z(h), s(h), r(h), dx(q), dy(b), dz(h), ds(h), u(h), c(h) {}
  static size_t size(int64_t rows, int64_t columns) { return static_cast<size_t>(rows * columns); }
  static size_t at(int64_t i, int64_t j, int64_t columns) { return static_cast<size_t>(i * columns + j); }

  void load(const QpProblem& from, int64_t program) {
    interleave(&from.Q[size(program, n * n)], n * n, L.data());
    interleave(&from.q[size(program, n)], n, q.data());
    interleave(&from.b[size(program, p)], p, b.data());
    interleave(&from.h[size(program, m)], m, h.data());
    for (int64_t lane = 0; lane < kLanes; ++lane) {  // the transposes
      const double* a = &from.A[size(program + lane, p * n)];
      const double* g = &from.G[size(program + lane, m * n)];
      for (int64_t i = 0; i < p; ++i)
        for (int64_t j = 0; j < n; ++j) WA[at(j, i, p)][lane] = a[i * n + j];
      for (int64_t i = 0; i < m; ++i)
        for (int64_t j = 0; j < n; ++j) WG[at(j, i, m)][lane] = g[i * n + j];
    }
  }

  bool eliminate() {
    if (!cholesky(L.data(), n)) return false;
    solveLower(L.data(), n, WA.data(), p);
    solveLower(L.data(), n, WG.data(), m);
    for (Lanes& v : C) v = splat(0);
    for (Lanes& v : T) v = splat(0);
    for (Lanes& v : M) v = splat(0);
    subtractTransposed(C.data(), WA.data(), p, WA.data(), p, n, true);
    for (Lanes& v : C) v = -v;
    if (!cholesky(C.data(), p)) return false;
    subtractTransposed(T.data(), WA.data(), p, WG.data(), m, n, false);  // -T, which squares alike
    solveLower(C.data(), p, T.data(), m);
    subtractTransposed(M.data(), WG.data(), m, WG.data(), m, n, true);
    for (Lanes& v : M) v = -v;
    subtractTransposed(M.data(), T.data(), m, T.data(), m, p, true);
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < i; ++j) M[at(j, i, m)] = M[at(i, j, m)];
    return true;
  }

  // x = Q^-1 (v - A'y - G'w), where A x = e; e = 0 and w = 0 may be absent. Gives L'x and y.
  void minimiser(const Array& v, const Array* e, const Array* w, Array& image, Array& multiplier) const {
    image = v;
    solveLower(L.data(), n, image.data());
    if (w != nullptr) addProduct(image.data(), -1, WG.data(), n, m, w->data());
    for (size_t i = 0; i < multiplier.size(); ++i) multiplier[i] = e == nullptr ? splat(0) : -(*e)[i];
    addTransposed(multiplier.data(), 1, WA.data(), n, p, image.data());
    solveLower(C.data(), p, multiplier.data());
    solveUpper(C.data(), p, multiplier.data());
    addProduct(image.data(), -1, WA.data(), n, p, multiplier.data());
  }

  bool factorShifted(bool active_only) {
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j <= i; ++j) {
        Lanes v = M[at(i, j, m)];
        if (active_only) {
          const Lanes both = c[at(i, 0, 1)] * c[at(j, 0, 1)];  // 1: active
          v = i == j ? v * both + (1 - both) : v * both;
        } else if (i == j) {
          v += s[at(i, 0, 1)] / z[at(i, 0, 1)];
        }
        F[at(i, j, m)] = v;
      }
    return cholesky(F.data(), m);
  }
  void solveFactored(Array& v) const {
    solveLower(F.data(), m, v.data());
    solveUpper(F.data(), m, v.data());
  }

  // dz of (M + s/z) dz = -(s - r_s) + target/z, ds = r_s + M dz, r_s = r + M z - s.
  void direction(const Array& r_s, const Array& target) {
    for (size_t i = 0; i < dz.size(); ++i) dz[i] = target[i] / z[i] - s[i] - r_s[i];
    solveFactored(dz);
    for (size_t i = 0; i < ds.size(); ++i) ds[i] = r_s[i];
    addProduct(ds.data(), 1, M.data(), m, m, dz.data());
  }

  bool iterate() {
    for (size_t i = 0; i < z.size(); ++i) {
      z[i] = splat(1);
      s[i] = maxLanes(r[i], splat(1));
    }
    Array r_s(r.size()), target(r.size());
    for (int k = 0; k < kMostIterations; ++k) {
      for (size_t i = 0; i < r.size(); ++i) r_s[i] = r[i] - s[i];
      addProduct(r_s.data(), 1, M.data(), m, m, z.data());
      Lanes far = splat(0);
      for (const Lanes& v : r_s) far = maxLanes(far, absLanes(v));
      const Lanes mu = dot(s, z) / static_cast<double>(m);
      if (all((mu < 1e-12) & (far < 1e-10))) return true;
      if (!factorShifted(false)) return false;
      for (Lanes& v : target) v = splat(0);
      direction(r_s, target);
      const Lanes t_s = longest(s, ds), t_z = longest(z, dz);
      Lanes left = splat(0);
      for (size_t i = 0; i < s.size(); ++i) left += (s[i] + t_s * ds[i]) * (z[i] + t_z * dz[i]);
      const Lanes ratio = left / (static_cast<double>(m) * mu), centre = ratio * ratio * ratio * mu;
      for (size_t i = 0; i < s.size(); ++i) target[i] = centre - ds[i] * dz[i];
      direction(r_s, target);
      const Lanes t = minLanes(splat(1), 0.995 * minLanes(longest(s, ds), longest(z, dz)));
      for (size_t i = 0; i < s.size(); ++i) {
        s[i] += t * ds[i];
        z[i] += t * dz[i];
      }
    }
    return false;
  }

  bool run() {
    if (!eliminate()) return false;
    for (Lanes& v : q) v = -v;
    minimiser(q, &b, nullptr, x, y);
    r = h;
    addTransposed(r.data(), -1, WG.data(), n, m, x.data());
    if (!iterate()) return false;
    for (size_t i = 0; i < c.size(); ++i) {
      c[i] = z[i] > s[i] ? splat(1) : splat(0);
      z[i] = -c[i] * r[i];
    }
    if (!factorShifted(true)) return false;
    solveFactored(z);
    minimiser(q, &b, &z, x, y);
    solveUpper(L.data(), n, x.data());
    return true;
  }

  // From x_bar in q: dx, dy, dz of the optimality system's transpose.
  void pull() {
    for (Lanes& v : q) v = -v;
    minimiser(q, nullptr, nullptr, dx, dy);
    for (Lanes& v : dz) v = splat(0);
    addTransposed(dz.data(), 1, WG.data(), n, m, dx.data());
    for (size_t i = 0; i < c.size(); ++i) dz[i] *= c[i];
    solveFactored(dz);
    minimiser(q, nullptr, &dz, dx, dy);
    solveUpper(L.data(), n, dx.data());
  }
};

QpByHand::QpByHand(QpProblem problem)
    : problem_(std::move(problem)), bars_(problem_), x_(problem_.q.size()) {}

// The cotangents are outer products.
void QpByHand::outer(int64_t program, int64_t lane, const Eight& eight) {
  const int64_t n = problem_.n;
  std::vector<double> x(static_cast<size_t>(n)), dx(x);
  double* q_bar = &bars_.q[static_cast<size_t>(program * n)];
  for (size_t i = 0; i < x.size(); ++i) {
    x[i] = eight.x[i][lane];
    q_bar[i] = dx[i] = eight.dx[i][lane];
  }
  double* Q_bar = &bars_.Q[static_cast<size_t>(program * n * n)];
  for (size_t i = 0; i < x.size(); ++i)
    for (size_t j = 0; j < x.size(); ++j) *Q_bar++ = 0.5 * (x[i] * dx[j] + dx[i] * x[j]);
  const auto rows = [&](const Array& multiplier, const Array& change, std::vector<double>& matrix, std::vector<double>& side) {
    const size_t count = multiplier.size();
    double* row = &matrix[static_cast<size_t>(program) * count * x.size()];
    for (size_t i = 0; i < count; ++i, row += n) {
      const double v = multiplier[i][lane], d = change[i][lane];
      side[static_cast<size_t>(program) * count + i] = -d;
      for (size_t j = 0; j < x.size(); ++j) row[j] = d * x[j] + v * dx[j];
    }
  };
  rows(eight.y, eight.dy, bars_.A, bars_.b);
  rows(eight.z, eight.dz, bars_.G, bars_.h);
}

bool QpByHand::run(bool pull) {
  Eight eight(problem_.n, problem_.p, problem_.m);
  for (int64_t program = 0; program < problem_.count; program += kLanes) {
    eight.load(problem_, program);
    if (!eight.run()) return false;
    for (int64_t lane = 0; lane < kLanes; ++lane)
      for (int64_t i = 0; i < problem_.n; ++i)
        x_[static_cast<size_t>((program + lane) * problem_.n + i)] = eight.x[static_cast<size_t>(i)][lane];
    if (!pull) continue;
    interleave(&problem_.x_bar[static_cast<size_t>(program * problem_.n)], problem_.n, eight.q.data());
    eight.pull();
    for (int64_t lane = 0; lane < kLanes; ++lane) outer(program + lane, lane, eight);
  }
  return true;
}

double QpByHand::value() const {
  double sum = 0;
  for (size_t i = 0; i < x_.size(); ++i) sum += problem_.x_bar[i] * x_[i];
  return sum;
}

bool QpByHand::solve() { return run(false); }
bool QpByHand::solveAndPull() { return run(true); }

}  // namespace dini::bench
