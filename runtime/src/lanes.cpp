// Lane after lane through the scalar functions, on copies.
#include "dini/lanes.h"

#include "dini/linalg.h"
#include "dini/math.h"
#include "dini/status.h"

namespace {

constexpr int kLanes = 8;

template <class T>
void takeLane(int64_t count, const T* from, int lane, T* to) {
  for (int64_t k = 0; k < count; ++k) to[k] = from[k * kLanes + lane];
}

template <class T>
void putLane(int64_t count, const T* from, int lane, T* to) {
  for (int64_t k = 0; k < count; ++k) to[k * kLanes + lane] = from[k];
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

void dini_lanes_norm(const double* x, int64_t n, double out[8], int mask, double* work) {
  forEachLane(mask, [&](int lane) {
    takeLane(n, x, lane, work);
    out[lane] = dini_norm(work, n);
  });
}
