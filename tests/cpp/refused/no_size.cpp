// E0803: how many elements `x` points to is not known
[[clang::annotate("dini")]] double f(int n, const double *x) { return n > 0 ? x[0] : 0; }
