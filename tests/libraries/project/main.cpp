// Prints where the springs rest; ends with status 1 unless the calls in steps agree with those in one.
#include <array>
#include <cstdio>

#include <spring.hpp>

int main() {
  dini::workspace work;
  dini::tape tape;
  const std::array<double, 2> load{2, 10};
  std::array<double, 2> x{}, seed{1, -3}, by_load{}, by_load_again{}, dx{};
  double by_k = 0, by_k_again = 0;
  if (!spring::rest_fwd(work, tape, load, 1.0, x)) return 1;
  if (!spring::rest_bwd(work, tape, seed, by_load, by_k)) return 1;
  if (!spring::rest_tan(work, tape, seed, 0.5, dx)) return 1;
  if (!spring::rest_vjp(work, load, 1.0, seed, by_load_again, by_k_again)) return 1;
  const double forward = dx[0] * seed[0] + dx[1] * seed[1];
  const double reverse = by_load[0] * seed[0] + by_load[1] * seed[1] + by_k * 0.5;
  std::printf("%.15g %.15g\n", x[0], x[1]);
  const bool transposed = forward - reverse < 1e-12 && reverse - forward < 1e-12;
  return by_load == by_load_again && by_k == by_k_again && transposed ? 0 : 1;
}
