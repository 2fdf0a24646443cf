// E0806: the library function
#include <cstdlib>
[[clang::annotate("dini")]] double f(double x) { return x * std::rand(); }
