#include "agreement.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace dini::bench {

void Agreement::expect(const std::string& what, std::span<const double> got,
                       std::span<const double> wanted, double tolerance) {
  if (got.size() != wanted.size()) {
    ++failures_;
    fmt::print(stderr, "{}: {} elements instead of {}\n", what, got.size(), wanted.size());
    return;
  }
  double scale = 0, worst = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    scale = std::max(scale, std::abs(wanted[i]));
    const double difference = std::abs(got[i] - wanted[i]);
    if (!(difference <= worst)) worst = difference;  // NaN stays
  }
  if (worst <= tolerance * scale) return;
  ++failures_;
  fmt::print(stderr, "{}: differs by {:.3g} of {:.3g}\n", what, worst, scale);
}

void Agreement::expect(const std::string& what, bool holds) {
  if (holds) return;
  ++failures_;
  fmt::print(stderr, "{}: does not hold\n", what);
}

}  // namespace dini::bench
