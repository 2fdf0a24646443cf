// Systems of up to 8 unknowns in vector registers (small_systems.h); what is larger, or rarer, lane
// after lane through the scalar functions, on copies.
#include "dini/lanes.h"

#include "dini/linalg.h"
#include "dini/math.h"
#include "dini/status.h"
#include "small_lanes.h"
#include "small_systems.h"

#define DINI_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))

namespace {

using namespace dini::small;

constexpr int kLanes = 8;  // of dini::small::Lanes

template <class T>
void takeLane(int64_t count, const T* from, int lane, T* to) {
  for (int64_t k = 0; k < count; ++k) to[k] = from[k * kLanes + lane];
}

template <class T>
void putLane(int64_t count, const T* from, int lane, T* to) {
  for (int64_t k = 0; k < count; ++k) to[k * kLanes + lane] = from[k];
}

struct Squares {
  Lanes sum;  // in dini_norm's order
  LaneMask zero;
};

DINI_ALWAYS Squares pairwise(const Lanes* p, LaneMask zero) {
  return {((p[0] + p[1]) + (p[2] + p[3])) + ((p[4] + p[5]) + (p[6] + p[7])), zero};
}

template <int n>
DINI_ALWAYS Squares sumOfSquares(const double* x) {
  Lanes p[8];
  LaneMask zero = splat<Lanes>(0) == splat<Lanes>(0);
  for (int k = 0; k < 8; ++k) {
    const Lanes v = k < n ? load<Lanes>(x, k) : splat<Lanes>(0);
    p[k] = v * v;
    zero = both(zero, v == splat<Lanes>(0));
  }
  return pairwise(p, zero);
}

DINI_ALWAYS Squares sumOfSquares(const double* x, int64_t n) {
  Lanes p[8];
  LaneMask zero = splat<Lanes>(0) == splat<Lanes>(0);
  for (Lanes& sum : p) sum = splat<Lanes>(0);
  for (int64_t k = 0; k < n; ++k) {
    const Lanes v = load<Lanes>(x, k);
    p[k & 7] = p[k & 7] + v * v;
    zero = both(zero, v == splat<Lanes>(0));
  }
  return pairwise(p, zero);
}

template <class Body>
void forEachLane(int mask, const Body& body) {
  for (int lane = 0; lane < kLanes; ++lane)
    if (mask >> lane & 1) body(lane);
}

}  // namespace

int64_t dini_lanes_work(int64_t n, int64_t m) {
  return 2 * n * n + n * m + n + dini_linear_solve_work(n);
}

void dini_lanes_linear_solve(int64_t structure, int transposed, int64_t n, int64_t m,
                             const double* a, const double* b, double* x, double rcond[8],
                             int64_t status[8], int mask, double* work) {
  if (handles(structure, n))
    return lanesLinearSolve(structure, transposed != 0, n, m, a, b, x, rcond, status,
                                         mask);
  double* a_lane = work;
  double* b_lane = a_lane + n * n;
  double* rest = b_lane + n * m;
  forEachLane(mask, [&](int lane) {
    takeLane(n * n, a, lane, a_lane);
    takeLane(n * m, b, lane, b_lane);
    status[lane] =
        dini_linear_solve(structure, transposed, n, m, a_lane, b_lane, b_lane, &rcond[lane], rest);
    if (status[lane] == DINI_OK) putLane(n * m, b_lane, lane, x);
  });
}

void dini_lanes_factor(int64_t structure, int64_t n, const double* a, double* factors,
                       int64_t* pivots, double rcond[8], int64_t status[8], int mask,
                       double* work) {
  if (handles(structure, n))
    return lanesFactor(structure, n, a, factors, pivots, rcond, status, mask);
  double* a_lane = work;
  double* factors_lane = a_lane + n * n;
  int64_t* pivots_lane = reinterpret_cast<int64_t*>(factors_lane + n * n);
  double* rest = factors_lane + n * n + n;
  forEachLane(mask, [&](int lane) {
    takeLane(n * n, a, lane, a_lane);
    status[lane] = dini_factor(structure, n, a_lane, factors_lane, pivots_lane, &rcond[lane], rest);
    putLane(n * n, factors_lane, lane, factors);
    putLane(n, pivots_lane, lane, pivots);
  });
}

void dini_lanes_solve_factored(int64_t structure, int transposed, int64_t n, int64_t m,
                               const double* factors, const int64_t* pivots, const double* b,
                               double* x, int mask, double* work) {
  if (handles(structure, n))
    return lanesSolveFactored(structure, transposed != 0, n, m, factors, pivots, b, x,
                                           mask);
  double* factors_lane = work;
  double* b_lane = factors_lane + n * n;
  int64_t* pivots_lane = reinterpret_cast<int64_t*>(b_lane + n * m);
  forEachLane(mask, [&](int lane) {
    takeLane(n * n, factors, lane, factors_lane);
    takeLane(n, pivots, lane, pivots_lane);
    takeLane(n * m, b, lane, b_lane);
    dini_solve_factored(structure, transposed, n, m, factors_lane, pivots_lane, b_lane, b_lane);
    putLane(n * m, b_lane, lane, x);
  });
}

// The sums of squares of all lanes at once; where one may have lost digits, dini_norm.
DINI_CLONES void dini_lanes_norm(const double* x, int64_t n, double out[8], int mask, double* work) {
  const Squares squares = n == 2   ? sumOfSquares<2>(x)
                          : n == 3 ? sumOfSquares<3>(x)
                          : n == 4 ? sumOfSquares<4>(x)
                                   : sumOfSquares(x, n);
  const LaneMask plain =
      either(squares.zero, both(squares.sum >= splat<Lanes>(0x1p-900),
                                squares.sum <= splat<Lanes>(0x1p1000)));
  store(out, 0, squareRoot(squares.sum), both(maskOf(mask), plain));
  forEachLane(mask, [&](int lane) {
    if (plain.v[lane]) return;
    takeLane(n, x, lane, work);
    out[lane] = dini_norm(work, n);
  });
}
