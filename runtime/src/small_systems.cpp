#include "small_systems.h"

#include "dini/status.h"
#include "small_lanes.h"

// Only the lanes: a system alone is scalar code.
#define DINI_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))

namespace dini::small {
namespace {

constexpr int kMost = 8;
constexpr double kSmallestRcond = 1e-14;
constexpr int64_t kPositiveDefinite = 2;

// How many unknowns: known where the code is compiled, which unrolls its loops, or up to kMost.
template <int count>
struct Fixed {
  static constexpr int kCapacity = count;
  DINI_ALWAYS constexpr operator int() const { return count; }
};
struct Counted {
  static constexpr int kCapacity = kMost;
  int count;
  DINI_ALWAYS operator int() const { return count; }
};

// A = P' L U with the unit lower L below U, or A = L L', in place.
template <class Real, class Size, bool definite>
struct System {
  Size n;
  Real a[Size::kCapacity][Size::kCapacity];
  Real pivots[Size::kCapacity];
  Real rcond;
  Mask<Real> regular;

  DINI_ALWAYS explicit System(Size size) : n(size) {}  // the rest by loadMatrix or loadFactors
  DINI_ALWAYS void loadMatrix(const double* from) {
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < n; ++j) a[i][j] = load<Real>(from, i * n + j);
  }
  DINI_ALWAYS void loadFactors(const double* factors, const int64_t* from) {
    loadMatrix(factors);
    for (int k = 0; k < n; ++k) pivots[k] = loadInt<Real>(from, k);
  }
  DINI_ALWAYS void storeFactors(double* factors, int64_t* to, Mask<Real> where) const {
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < n; ++j) store(factors, i * n + j, a[i][j], where);
    for (int k = 0; k < n; ++k) storeInt(to, k, pivots[k], where);
  }

  // The largest sum of magnitudes of a column; of a definite matrix the lower triangle is read.
  DINI_ALWAYS Real oneNorm() const {
    Real largest = splat<Real>(0);
    for (int j = 0; j < n; ++j) {
      Real sum = splat<Real>(0);
      for (int i = 0; i < n; ++i) sum = sum + magnitude(definite && j > i ? a[j][i] : a[i][j]);
      largest = larger(sum, largest);
    }
    return largest;
  }
  // A NaN stays.
  DINI_ALWAYS static Real larger(Real next, Real before) {
    return select(next <= before, before, next);
  }

  DINI_ALWAYS void lu() {
    regular = magnitude(splat<Real>(0)) <= splat<Real>(0);
    for (int k = 0; k < n; ++k) {
      Real best = magnitude(a[k][k]);
      pivots[k] = splat<Real>(k);
      for (int i = k + 1; i < n; ++i) {
        const Real next = magnitude(a[i][k]);
        const Mask<Real> better = next > best;
        best = select(better, next, best);
        pivots[k] = select(better, splat<Real>(i), pivots[k]);
      }
      regular = both(regular, best > splat<Real>(0));
      for (int i = k + 1; i < n; ++i) {
        const Mask<Real> chosen = pivots[k] == splat<Real>(i);
        for (int j = 0; j < n; ++j) exchange(chosen, a[k][j], a[i][j]);
      }
      for (int i = k + 1; i < n; ++i) {
        a[i][k] = a[i][k] / a[k][k];
        for (int j = k + 1; j < n; ++j) a[i][j] = a[i][j] - a[i][k] * a[k][j];
      }
    }
  }
  DINI_ALWAYS static void exchange(Mask<Real> where, Real& p, Real& q) {
    const Real before = p;
    p = select(where, q, before);
    q = select(where, before, q);
  }

  // The strict upper triangle is left as it was.
  DINI_ALWAYS void cholesky() {
    regular = magnitude(splat<Real>(0)) <= splat<Real>(0);
    for (int j = 0; j < n; ++j) {
      Real diagonal = a[j][j];
      for (int k = 0; k < j; ++k) diagonal = diagonal - a[j][k] * a[j][k];
      regular = both(regular, diagonal > splat<Real>(0));
      a[j][j] = squareRoot(diagonal);
      for (int i = j + 1; i < n; ++i) {
        for (int k = 0; k < j; ++k) a[i][j] = a[i][j] - a[i][k] * a[j][k];
        a[i][j] = a[i][j] / a[j][j];
      }
      pivots[j] = splat<Real>(j);
    }
  }

  // Of the matrix that was factored, row exchanges apart: the largest sum of a column of its inverse.
  DINI_ALWAYS Real inverseNorm() const {
    Real largest = splat<Real>(0), reciprocals[Size::kCapacity];
    for (int k = 0; k < n; ++k) reciprocals[k] = splat<Real>(1) / a[k][k];
    for (int column = 0; column < n; ++column) {
      Real x[Size::kCapacity];
      for (int k = 0; k < n; ++k) x[k] = splat<Real>(k == column ? 1 : 0);
      for (int k = column; k < n; ++k) {
        if (definite) x[k] = x[k] * reciprocals[k];
        for (int i = k + 1; i < n; ++i) x[i] = x[i] - a[i][k] * x[k];
      }
      for (int k = n - 1; k >= 0; --k) {
        x[k] = x[k] * reciprocals[k];
        for (int i = 0; i < k; ++i) x[i] = x[i] - (definite ? a[k][i] : a[i][k]) * x[k];
      }
      Real sum = splat<Real>(0);
      for (int k = 0; k < n; ++k) sum = sum + magnitude(x[k]);
      largest = larger(sum, largest);
    }
    return largest;
  }

  // rcond is 0 where the matrix is not finite or its factors are not regular.
  DINI_ALWAYS void factor() {
    const Real norm = oneNorm();
    if (definite) cholesky();
    else lu();
    regular = both(regular, norm <= splat<Real>(1.7976931348623157e308));
    const Real estimate = splat<Real>(1) / (norm * inverseNorm());
    rcond = select(regular, estimate, splat<Real>(0));
    regular = both(regular, rcond >= splat<Real>(kSmallestRcond));
  }

  DINI_ALWAYS void exchangeRows(Real* x, bool backwards) const {
    for (int step = 0; step < n; ++step) {
      const int k = backwards ? n - 1 - step : step;
      for (int i = k + 1; i < n; ++i) exchange(pivots[k] == splat<Real>(i), x[k], x[i]);
    }
  }
  // T x = b, or T' x = b, for the triangle T of `a`.
  DINI_ALWAYS void triangle(bool lower, bool transposed, bool unit, Real* x) const {
    const bool forward = lower != transposed;
    for (int step = 0; step < n; ++step) {
      const int k = forward ? step : n - 1 - step;
      if (!unit) x[k] = x[k] / a[k][k];
      for (int i = forward ? k + 1 : 0; i < (forward ? n : k); ++i)
        x[i] = x[i] - (transposed ? a[k][i] : a[i][k]) * x[k];
    }
  }
  DINI_ALWAYS void solve(bool transposed, Real* x) const {
    if (definite) {
      triangle(true, false, false, x);
      triangle(true, true, false, x);
    } else if (!transposed) {
      exchangeRows(x, false);
      triangle(true, false, true, x);
      triangle(false, false, false, x);
    } else {
      triangle(false, true, false, x);
      triangle(true, true, true, x);
      exchangeRows(x, true);
    }
  }
  // x may be b.
  DINI_ALWAYS void solveColumns(bool transposed, int64_t m, const double* b, double* x,
                                Mask<Real> where) const {
    transposed ? columns<true>(m, b, x, where) : columns<false>(m, b, x, where);
  }
  template <bool transposed>
  DINI_ALWAYS void columns(int64_t m, const double* b, double* to, Mask<Real> where) const {
    for (int64_t column = 0; column < m; ++column) {
      Real x[Size::kCapacity];
      for (int k = 0; k < n; ++k) x[k] = load<Real>(b, k * m + column);
      solve(transposed, x);
      for (int k = 0; k < n; ++k) store(to, k * m + column, x[k], where);
    }
  }
};

// Calls the body with the number of unknowns, and whether the matrix is definite. A system alone is
// unrolled up to kMost; in lanes, whose vectors amortise the loops, up to 4: the rest would be large.
template <bool definite, class Body>
DINI_ALWAYS void alone(int64_t n, const Body& body) {
  switch (n) {
    case 2: return body.template operator()<definite>(Fixed<2>{});
    case 3: return body.template operator()<definite>(Fixed<3>{});
    case 4: return body.template operator()<definite>(Fixed<4>{});
    case 5: return body.template operator()<definite>(Fixed<5>{});
    case 6: return body.template operator()<definite>(Fixed<6>{});
    case 7: return body.template operator()<definite>(Fixed<7>{});
    default: return body.template operator()<definite>(Fixed<8>{});
  }
}
template <class Body>
DINI_ALWAYS void alone(int64_t structure, int64_t n, const Body& body) {
  structure == kPositiveDefinite ? alone<true>(n, body) : alone<false>(n, body);
}
template <bool definite, class Body>
DINI_ALWAYS void inLanes(int64_t n, const Body& body) {
  switch (n) {
    case 2: return body.template operator()<definite>(Fixed<2>{});
    case 3: return body.template operator()<definite>(Fixed<3>{});
    case 4: return body.template operator()<definite>(Fixed<4>{});
    default: return body.template operator()<definite>(Counted{static_cast<int>(n)});
  }
}
template <class Body>
DINI_ALWAYS void inLanes(int64_t structure, int64_t n, const Body& body) {
  structure == kPositiveDefinite ? inLanes<true>(n, body) : inLanes<false>(n, body);
}

DINI_ALWAYS void putStatus(const LaneMask& where, const LaneMask& regular, const Lanes& rcond,
                           double* rconds, int64_t* status) {
  store(rconds, 0, rcond, where);
  storeInt(status, 0, select(regular, splat<Lanes>(DINI_OK), splat<Lanes>(DINI_SINGULAR)), where);
}

}  // namespace

bool handles(int64_t structure, int64_t n) {
  return structure <= kPositiveDefinite && n >= 2 && n <= kMost;
}

int factor(int64_t structure, int64_t n, const double* a, double* factors, int64_t* pivots,
           double* rcond) {
  bool regular = false;
  alone(structure, n, [&]<bool definite>(auto size) __attribute__((always_inline)) {
    System<double, decltype(size), definite> system(size);
    system.loadMatrix(a);
    system.factor();
    system.storeFactors(factors, pivots, true);
    *rcond = system.rcond;
    regular = system.regular;
  });
  return regular ? DINI_OK : DINI_SINGULAR;
}

void solveFactored(int64_t structure, bool transposed, int64_t n, int64_t m, const double* factors,
                   const int64_t* pivots, const double* b, double* x) {
  alone(structure, n, [&]<bool definite>(auto size) __attribute__((always_inline)) {
    System<double, decltype(size), definite> system(size);
    system.loadFactors(factors, pivots);
    system.solveColumns(transposed, m, b, x, true);
  });
}

int linearSolve(int64_t structure, bool transposed, int64_t n, int64_t m, const double* a,
                const double* b, double* x, double* rcond) {
  bool regular = false;
  alone(structure, n, [&]<bool definite>(auto size) __attribute__((always_inline)) {
    System<double, decltype(size), definite> system(size);
    system.loadMatrix(a);
    system.factor();
    *rcond = system.rcond;
    regular = system.regular;
    if (regular) system.solveColumns(transposed, m, b, x, true);
  });
  return regular ? DINI_OK : DINI_SINGULAR;
}

DINI_CLONES void lanesFactor(int64_t structure, int64_t n, const double* a, double* factors,
                             int64_t* pivots, double rcond[8], int64_t status[8], int mask) {
  inLanes(structure, n, [&]<bool definite>(auto size) __attribute__((always_inline)) {
    System<Lanes, decltype(size), definite> system(size);
    system.loadMatrix(a);
    system.factor();
    system.storeFactors(factors, pivots, maskOf(mask));
    putStatus(maskOf(mask), system.regular, system.rcond, rcond, status);
  });
}

DINI_CLONES void lanesSolveFactored(int64_t structure, bool transposed, int64_t n, int64_t m,
                                    const double* factors, const int64_t* pivots, const double* b,
                                    double* x, int mask) {
  inLanes(structure, n, [&]<bool definite>(auto size) __attribute__((always_inline)) {
    System<Lanes, decltype(size), definite> system(size);
    system.loadFactors(factors, pivots);
    system.solveColumns(transposed, m, b, x, maskOf(mask));
  });
}

DINI_CLONES void lanesLinearSolve(int64_t structure, bool transposed, int64_t n, int64_t m,
                                  const double* a, const double* b, double* x, double rcond[8],
                                  int64_t status[8], int mask) {
  inLanes(structure, n, [&]<bool definite>(auto size) __attribute__((always_inline)) {
    System<Lanes, decltype(size), definite> system(size);
    system.loadMatrix(a);
    system.factor();
    putStatus(maskOf(mask), system.regular, system.rcond, rcond, status);
    system.solveColumns(transposed, m, b, x,
                        both(maskOf(mask), system.regular));
  });
}

}  // namespace dini::small
