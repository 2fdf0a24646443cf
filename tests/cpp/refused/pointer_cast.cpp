// E0806: a cast of a pointer
[[clang::annotate("dini")]] double f(double x) { return static_cast<double>(*reinterpret_cast<long *>(&x)); }
