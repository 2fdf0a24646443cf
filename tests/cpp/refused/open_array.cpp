// E0806: `x`, whose sizes are known only when the program runs,
#include "dini/source.hpp"
[[clang::annotate("dini")]] double f(std::span<const double> x_in, int n) {
  const dini::source::reals x({n}, x_in);
  return x[0];
}
