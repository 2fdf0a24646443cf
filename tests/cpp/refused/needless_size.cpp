// E0803: is annotated with a size, and returns no std::vector
[[clang::annotate("dini: size n")]] double f(int n, double x) { return n * x; }
