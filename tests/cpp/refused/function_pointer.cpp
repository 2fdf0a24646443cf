// E0806: a function pointer
[[clang::annotate("dini")]] double f(double (*g)(double), double x) { return g(x); }
