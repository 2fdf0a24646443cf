// E0803: there are two annotated functions
[[clang::annotate("dini")]] double f(double x) { return x; }
[[clang::annotate("dini")]] double f(double x, double y) { return x * y; }
