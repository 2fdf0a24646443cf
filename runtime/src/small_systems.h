// Systems of 2 to 8 unknowns with every loop unrolled: one system, or eight interleaved ones (element
// k of lane l at [8 k + l]) in vector registers. Both are one text over the type of a number
// (small_systems.cpp), so a lane has the bits of the system alone; branches on values are selections.
// Factors, pivots and solutions have the bits of linalg.cpp's loops for any size; the condition is
// that of the whole inverse, not an estimate.
#pragma once

#include <cstdint>

namespace dini::small {

// General, symmetric (both by LU with row exchanges) and positive definite ones. Arguments and
// results of all the functions below: dini/linalg.h and dini/lanes.h.
bool handles(int64_t structure, int64_t n);

int factor(int64_t structure, int64_t n, const double* a, double* factors, int64_t* pivots,
           double* rcond);
void solveFactored(int64_t structure, bool transposed, int64_t n, int64_t m, const double* factors,
                   const int64_t* pivots, const double* b, double* x);
int linearSolve(int64_t structure, bool transposed, int64_t n, int64_t m, const double* a,
                const double* b, double* x, double* rcond);

void lanesFactor(int64_t structure, int64_t n, const double* a, double* factors, int64_t* pivots,
                 double rcond[8], int64_t status[8], int mask);
void lanesSolveFactored(int64_t structure, bool transposed, int64_t n, int64_t m,
                        const double* factors, const int64_t* pivots, const double* b, double* x,
                        int mask);
void lanesLinearSolve(int64_t structure, bool transposed, int64_t n, int64_t m, const double* a,
                      const double* b, double* x, double rcond[8], int64_t status[8], int mask);

}  // namespace dini::small
