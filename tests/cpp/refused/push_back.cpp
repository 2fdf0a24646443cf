// E0806: `push_back` of `std::vector`
#include <vector>
[[clang::annotate("dini")]] double f(double x) {
  std::vector<double> all;
  all.push_back(x);
  return all[0];
}
