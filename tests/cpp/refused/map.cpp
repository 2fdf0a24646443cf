// E0806: `std::map`
#include <map>
[[clang::annotate("dini")]] double f(double x) {
  std::map<int, double> all;
  all[0] = x;
  return all[0];
}
