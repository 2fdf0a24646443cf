// E0806: which is not defined here
double g(double x);
[[clang::annotate("dini")]] double f(double x) { return g(x); }
