// E0806: an array without sizes as a parameter
#include "dini/source.hpp"
[[clang::annotate("dini")]] double f(const dini::source::reals& x) { return x[0]; }
