// E0804: `e` is another name for memory
#include <array>
[[clang::annotate("dini")]] double f(double x) {
  std::array<double, 2> a = {x, 1};
  for (double &e : a) e *= 2;
  return a[0];
}
