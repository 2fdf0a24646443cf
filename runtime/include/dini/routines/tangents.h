// Tangents that decide ties (projections.h, ordering.h).
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

namespace dini::runtime {

// Tangents of an operand in the order in which they decide.
struct Decisions {
  int64_t count = 0;
  const double* h[2] = {};
};

// Whether a tangent formed of terms of this size together is zero up to rounding.
inline bool isZeroTangent(double tangent, double size) {
  return !(std::fabs(tangent) > 64 * std::numeric_limits<double>::epsilon() * size);
}

}  // namespace dini::runtime
