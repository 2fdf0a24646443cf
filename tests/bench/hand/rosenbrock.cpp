#include "hand/rosenbrock.h"

#include "hand/lanes.h"

namespace dini::bench {
namespace {

constexpr size_t kVectors = 4;  // accumulators
constexpr size_t kGroup = kVectors * kLanes;

struct Sums {
  Lanes lanes[kVectors] = {};
  double rest = 0;
  double total() const { return rest + sumLanes((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])); }
};

}  // namespace

double rosenbrock(std::span<const double> x) {
  const size_t terms = x.size() - 1;
  Sums sums;
  size_t i = 0;
  for (; i + kGroup <= terms; i += kGroup)
    for (size_t v = 0; v < kVectors; ++v) {
      const Lanes at = load(&x[i + v * kLanes]), next = load(&x[i + v * kLanes + 1]);
      const Lanes curve = next - at * at, miss = 1 - at;
      sums.lanes[v] += 100 * curve * curve + miss * miss;
    }
  for (; i < terms; ++i) {
    const double curve = x[i + 1] - x[i] * x[i], miss = 1 - x[i];
    sums.rest += 100 * curve * curve + miss * miss;
  }
  return sums.total();
}

double rosenbrock(std::span<const double> x, std::span<double> x_bar) {
  const size_t last = x.size() - 1;
  Sums sums;
  const auto term = [&](size_t i) {
    const double curve = x[i + 1] - x[i] * x[i], miss = 1 - x[i];
    const double before = i == 0 ? 0 : x[i] - x[i - 1] * x[i - 1];
    x_bar[i] = 200 * before - 400 * x[i] * curve - 2 * miss;
    sums.rest += 100 * curve * curve + miss * miss;
  };
  term(0);
  size_t i = 1;
  for (; i + kGroup <= last; i += kGroup)
    for (size_t v = 0; v < kVectors; ++v) {
      const size_t k = i + v * kLanes;
      const Lanes at = load(&x[k]), next = load(&x[k + 1]), previous = load(&x[k - 1]);
      const Lanes curve = next - at * at, miss = 1 - at, before = at - previous * previous;
      store(&x_bar[k], 200 * before - 400 * at * curve - 2 * miss);
      sums.lanes[v] += 100 * curve * curve + miss * miss;
    }
  for (; i < last; ++i) term(i);
  x_bar[last] = 200 * (x[last] - x[last - 1] * x[last - 1]);
  return sums.total();
}

}  // namespace dini::bench
