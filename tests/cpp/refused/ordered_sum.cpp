// E0806: this use of an ordered sum
#include "dini/source.hpp"
[[clang::annotate("dini")]] double f(double x) {
  dini::source::ordered_sum total;
  total.add(x);
  return total.value();
}
